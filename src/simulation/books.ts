/** The ledger as the auditor sees it: through a connection of its own, with its own queries. */
import { join } from 'node:path'
import type { Rate } from '../rating/rate.js'
import { type Database, LEDGER, openDatabase, type Statement } from '../sqlite/database.js'

/** As the ledger has it. Read thousands of times, so amounts are plain numbers. */
export interface AccountRow {
  readonly id: number
  readonly code: string
  readonly state: 'active' | 'suspended' | 'closed'
  readonly special_plan: string | null
  readonly time_zone: string
  readonly balance: number
  readonly credit_limit: number
  readonly held: number
  readonly live_calls: number
  readonly max_calls: number | null
  readonly max_calls_per_second: number | null
  readonly max_per_minute: number | null
  readonly max_spend_per_call: number | null
  readonly max_spend_per_day: number | null
  readonly longest_call_s: number | null
}

/** leg, account, held: the same. */
export type HoldRow = readonly [string, number, number]

export interface RateColumns {
  readonly per_minute: bigint | null
  readonly setup: bigint | null
  readonly minimum: bigint | null
  readonly increment: bigint | null
  readonly free_s: bigint | null
}

export interface CallRow extends RateColumns {
  readonly leg_id: string
  readonly code: string
  readonly switch: string
  readonly created_at: bigint
  readonly held: bigint
  readonly terms: string | null
}

export interface EntryRow {
  readonly id: bigint
  readonly account_id: bigint | null
  readonly kind: 'top_up' | 'adjustment' | 'refund' | 'call' | 'write_off'
  readonly amount: bigint
  readonly reference: string
  readonly call_id: string | null
  readonly at: bigint
}

export interface CdrRow extends RateColumns {
  readonly id: bigint
  readonly leg_id: string
  readonly account: string
  readonly plan: string | null
  readonly switch: string
  readonly created_at: bigint
  readonly answered_at: bigint | null
  readonly ended_at: bigint
  readonly carrier_cost: bigint | null
  readonly billed_s: bigint
  readonly outcome: 'completed' | 'unanswered' | 'refused' | 'cut_off'
  readonly reason: string | null
  readonly cause: string
  readonly cost: bigint
  readonly held: bigint
  readonly write_off: bigint
}

const ACCOUNT = `SELECT id, code, state, special_plan, time_zone, balance, credit_limit, held,
  live_calls, max_calls, max_calls_per_second, max_per_minute, max_spend_per_call,
  max_spend_per_day, longest_call_s FROM account`

const CALL = 'SELECT call.*, code FROM call JOIN account ON account.id = account_id'

export class Books {
  readonly #database: Database
  readonly #version: Statement<[], bigint>
  readonly #accounts: Statement<[], AccountRow>
  readonly #account: Statement<[number], AccountRow>
  readonly #calls: Statement<[], CallRow>
  readonly #call: Statement<[string], CallRow>
  readonly #holds: Statement<[], HoldRow>
  readonly #entries: Statement<[bigint], EntryRow>
  readonly #cdrs: Statement<[bigint], CdrRow>
  #lastVersion = -1n

  constructor(directory: string) {
    this.#database = openDatabase(join(directory, 'ledger.db'), LEDGER, { readonly: true })
    const prepare = <P extends unknown[], R>(sql: string) => this.#database.prepare<P, R>(sql)
    this.#version = prepare<[], bigint>('PRAGMA data_version').pluck() as Statement<[], bigint>
    // No amount is beyond 2^53 (MONEY_MAX): as plain numbers rows are read in half the time.
    const plain = <P extends unknown[], R>(sql: string) =>
      prepare<P, R>(sql).safeIntegers(false) as Statement<P, R>
    this.#accounts = plain(ACCOUNT)
    this.#account = plain(`${ACCOUNT} WHERE id = ?`)
    this.#holds = plain<[], HoldRow>(
      'SELECT leg_id, account_id, held FROM call',
    ).raw() as Statement<[], HoldRow>
    this.#calls = prepare(`${CALL} ORDER BY call.id`)
    this.#call = prepare(`${CALL} WHERE leg_id = ?`)
    this.#entries = prepare('SELECT * FROM entry WHERE id > ? ORDER BY id')
    this.#cdrs = prepare('SELECT * FROM cdr WHERE id > ? ORDER BY id')
  }

  /** Whether anything was committed since this was asked last. */
  changed(): boolean {
    const version = this.#version.get()!
    const changed = version !== this.#lastVersion
    this.#lastVersion = version
    return changed
  }

  accounts(): AccountRow[] {
    return this.#accounts.all()
  }

  account(id: number): AccountRow {
    return this.#account.get(id)!
  }

  holds(): HoldRow[] {
    return this.#holds.all()
  }

  call(legId: string): CallRow {
    return this.#call.get(legId)!
  }

  openCalls(): CallRow[] {
    return this.#calls.all()
  }

  entriesAfter(id: bigint): EntryRow[] {
    return this.#entries.all(id)
  }

  cdrsAfter(id: bigint): CdrRow[] {
    return this.#cdrs.all(id)
  }

  close(): void {
    this.#database.close()
  }
}

/** What a call was promised when credit was first held for it. */
export interface Promised {
  /** Its rate, and what takes its place for a leg that is answered then or later. */
  readonly rates: readonly { readonly from: number; readonly rate: Rate }[]
  /** The longest that its account lets it be, in seconds. */
  readonly longestS: number | null
}

interface TermsText {
  readonly longestS: number | null
  readonly later: readonly { readonly from: number; readonly rate: Rate }[]
}

export function promisedOf(call: CallRow): Promised {
  const first = { from: 0, rate: rateOf(call)! }
  if (call.terms === null) return { rates: [first], longestS: null }
  const terms = JSON.parse(call.terms, (_, value) =>
    value?.units === undefined ? value : BigInt(value.units),
  ) as TermsText
  return { rates: [first, ...terms.later], longestS: terms.longestS }
}

/** The promised rate of a leg that was answered then. */
export function promisedRate({ rates }: Promised, answeredAt: number): Rate {
  return rates.findLast(({ from }) => from <= answeredAt)!.rate
}

export function rateOf(row: RateColumns): Rate | null {
  const { per_minute: perMinute, setup } = row
  if (perMinute === null || setup === null) return null
  const [minimum, increment, freeS] = [row.minimum, row.increment, row.free_s].map(Number)
  return {
    ...{ prefix: '', description: '', perMinute, setup },
    ...{ minimum: minimum!, increment: increment!, freeS: freeS! },
  }
}
