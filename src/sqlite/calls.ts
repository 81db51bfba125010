/** The live calls, each with its hold and its own copy of the rate: the rows of `call`. */
import type { Instant, Resumable } from '../call/call.js'
import type { HoldRequest } from '../ledger/ledger.js'
import type { Money } from '../money.js'
import type { Database, Statement } from './database.js'
import {
  insertValuesInto,
  LEG_COLUMNS,
  type LegRow,
  legOf,
  legValues,
  numberOrNull,
  RATE_COLUMNS,
  type RateRow,
  rateValues,
  tariffOf,
  termsText,
} from './rows.js'
import { heldMark, warnedMark } from './timeline.js'
import { WideRows } from './wide-rows.js'

interface CallRow extends LegRow, RateRow {
  readonly account_id: bigint
  readonly plan: string
  readonly number: string
  readonly terms: string | null
  readonly answered_at: bigint | null
  readonly held: Money
  readonly raises: bigint
  readonly timeline: string | null
}

/** A call, and the account that pays for it. */
export interface StoredCall extends Resumable {
  readonly accountId: bigint
  /** As timeline.ts writes it; null for a call that is older than timelines. */
  readonly timeline: string | null
}

const CALL_COLUMNS = [
  ...LEG_COLUMNS,
  'account_id',
  'plan',
  'number',
  ...RATE_COLUMNS,
  'terms',
  'answered_at',
  'held',
  'raises',
  'timeline',
]

const WITH_MARK = "json_insert(timeline, '$[#]', json(?))"

const SELECT =
  'SELECT call.*, account.code AS account FROM call JOIN account ON account.id = account_id'

/** Only for use inside an operation; SqliteLedger keeps `account.held` in step with it. */
export class Calls {
  readonly #insert: Statement<[unknown[]]>
  readonly #byLeg: WideRows<[string], CallRow>
  readonly #bySwitch: WideRows<[string], CallRow>
  readonly #all: WideRows<[], CallRow>
  readonly #raise: Statement<[Money, string, string]>
  readonly #note: Statement<[number, string]>
  readonly #warned: Statement<[string, string, string]>
  readonly #rename: Statement<[string, string]>
  readonly #take: WideRows<[string], CallRow>

  constructor(database: Database) {
    this.#insert = database.prepare(insertValuesInto('call', CALL_COLUMNS))
    this.#byLeg = new WideRows(database, `${SELECT} WHERE leg_id = ?`)
    this.#bySwitch = new WideRows(database, `${SELECT} WHERE switch = ? ORDER BY call.id`)
    this.#all = new WideRows(database, `${SELECT} ORDER BY call.id`)
    this.#raise = database.prepare(
      `UPDATE call SET held = ?, raises = raises + 1, timeline = ${WITH_MARK} WHERE leg_id = ?`,
    )
    this.#note = database.prepare(
      'UPDATE call SET answered_at = ? WHERE leg_id = ? AND answered_at IS NULL',
    )
    this.#warned = database.prepare(
      `UPDATE call SET timeline = ${WITH_MARK} WHERE leg_id = ? AND instr(timeline, ?) = 0`,
    )
    this.#rename = database.prepare('UPDATE call SET leg_id = ? WHERE leg_id = ?')
    this.#take = new WideRows(
      database,
      `DELETE FROM call WHERE leg_id = ?
      RETURNING *, (SELECT code FROM account WHERE id = account_id) AS account`,
    )
  }

  find(callId: string): StoredCall | undefined {
    const row = this.#byLeg.get(callId)
    return row && callOf(row)
  }

  ofSwitch(name: string): Resumable[] {
    return this.#bySwitch.all(name).map(resumableOf)
  }

  all(): Resumable[] {
    return this.#all.all().map(resumableOf)
  }

  /** Records a call, with its first hold. */
  add(request: HoldRequest, accountId: bigint, held: Money): void {
    const { leg, tariff } = request
    this.#insert.run([
      ...legValues(leg),
      accountId,
      tariff.plan,
      tariff.number,
      ...rateValues(tariff.rate),
      termsText(tariff),
      request.answeredAt,
      held,
      1,
      `[${heldMark(request.at, held)}]`,
    ])
  }

  raise(callId: string, held: Money, at: Instant): void {
    this.#raise.run(held, heldMark(at, held), callId)
  }

  /** Once for an instant. */
  warned(callId: string, at: Instant): void {
    const mark = warnedMark(at)
    this.#warned.run(mark, callId, mark)
  }

  /** The first stamp stays. */
  note(callId: string, answeredAt: number): void {
    this.#note.run(answeredAt, callId)
  }

  rename(callId: string, newCallId: string): void {
    this.#rename.run(newCallId, callId)
  }

  /** Removes it. */
  take(callId: string): StoredCall | undefined {
    const row = this.#take.get(callId)
    return row && callOf(row)
  }
}

function resumableOf(row: CallRow): Resumable {
  return {
    leg: legOf(row),
    tariff: tariffOf(row),
    answeredAt: numberOrNull(row.answered_at),
    held: row.held,
    raises: Number(row.raises),
  }
}

function callOf(row: CallRow): StoredCall {
  const { leg, tariff, answeredAt, held, raises } = resumableOf(row)
  return {
    leg,
    tariff,
    answeredAt,
    held,
    raises,
    accountId: row.account_id,
    timeline: row.timeline,
  }
}
