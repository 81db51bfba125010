/** The ledger as the auditor sees it: through a connection of its own, with its own queries. */
import { join } from 'node:path'
import { type Database, LEDGER, openDatabase, type Statement } from '../sqlite/database.js'

/** id, code, whether it is active, balance, credit limit, held: read thousands of times. */
export type AccountRow = readonly [number, string, number, number, number, number]

/** leg, account, held: the same. */
export type HoldRow = readonly [string, number, number]

export interface CallRow {
  readonly leg_id: string
  readonly code: string
  readonly held: bigint
  readonly answered_at: bigint | null
  readonly per_minute: bigint
  readonly setup: bigint
  readonly minimum: bigint
  readonly increment: bigint
}

export interface EntryRow {
  readonly id: bigint
  readonly account_id: bigint | null
  readonly kind: 'top_up' | 'adjustment' | 'call' | 'write_off'
  readonly amount: bigint
  readonly reference: string
}

export interface CdrRow {
  readonly id: bigint
  readonly leg_id: string
  readonly account: string
  readonly plan: string | null
  readonly per_minute: bigint | null
  readonly setup: bigint | null
  readonly minimum: bigint | null
  readonly increment: bigint | null
  readonly answered_at: bigint | null
  readonly ended_at: bigint
  readonly billed_s: bigint
  readonly outcome: 'completed' | 'unanswered' | 'refused' | 'cut_off'
  readonly reason: string | null
  readonly cause: string
  readonly cost: bigint
  readonly held: bigint
  readonly write_off: bigint
}

export class Books {
  readonly #database: Database
  readonly #version: Statement<[], bigint>
  readonly #accounts: Statement<[], AccountRow>
  readonly #account: Statement<[number], AccountRow>
  readonly #calls: Statement<[], CallRow>
  readonly #holds: Statement<[], HoldRow>
  readonly #entries: Statement<[bigint], EntryRow>
  readonly #cdrs: Statement<[bigint], CdrRow>
  #lastVersion = -1n

  constructor(directory: string) {
    this.#database = openDatabase(join(directory, 'ledger.db'), LEDGER, { readonly: true })
    const prepare = <P extends unknown[], R>(sql: string) => this.#database.prepare<P, R>(sql)
    this.#version = prepare<[], bigint>('PRAGMA data_version').pluck() as Statement<[], bigint>
    // No amount is beyond 2^53 (MONEY_MAX): as plain numbers rows are read in half the time.
    const quick = <P extends unknown[], R>(sql: string) =>
      prepare<P, R>(sql).raw().safeIntegers(false) as Statement<P, R>
    const account = "SELECT id, code, state = 'active', balance, credit_limit, held FROM account"
    this.#accounts = quick(account)
    this.#account = quick(`${account} WHERE id = ?`)
    this.#holds = quick('SELECT leg_id, account_id, held FROM call')
    this.#calls = prepare(`SELECT leg_id, code, call.held, answered_at, per_minute, setup, minimum,
      increment FROM call JOIN account ON account.id = account_id ORDER BY call.id`)
    this.#entries = prepare(
      'SELECT id, account_id, kind, amount, reference FROM entry WHERE id > ? ORDER BY id',
    )
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
