/** The CDRs: filed by SqliteLedger, in the transaction that settles the call; read by people. */
import type { Ending, Leg, Outcome, Reason } from '../call/call.js'
import type { Cdr, Milestone } from '../call/cdr.js'
import type { CdrFilter, CdrGroup, Cdrs, CdrTotals } from '../ledger/books.js'
import type { Money } from '../money.js'
import { type Tariff, tariffOf } from '../rating/tariff.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import {
  insertValuesInto,
  LEG_COLUMNS,
  type LegRow,
  legOf,
  legValues,
  numberOrNull,
  RATE_COLUMNS,
  type RateRow,
  rateOf,
  rateValues,
} from './rows.js'
import { timelineOf } from './timeline.js'

type NullableRateRow = { readonly [column in keyof RateRow]: RateRow[column] | null }

interface CdrRow extends LegRow, NullableRateRow {
  readonly plan: string | null
  readonly number: string | null
  readonly answered_at: bigint | null
  readonly ended_at: bigint
  readonly billed_s: bigint
  readonly carrier_cost: Money | null
  readonly outcome: Outcome
  readonly reason: Reason | null
  readonly cause: string
  readonly cost: Money
  readonly held: Money
  readonly write_off: Money
  readonly corrected: bigint
}

const CDR_COLUMNS = [
  ...LEG_COLUMNS,
  'account',
  'plan',
  'number',
  ...RATE_COLUMNS,
  'answered_at',
  'ended_at',
  'billed_s',
  'carrier_cost',
  'outcome',
  'reason',
  'cause',
  'cost',
  'held',
  'write_off',
  'timeline',
]

/** What CDRs are grouped by, as SQL. */
const KEYS: Readonly<Record<CdrGroup, string>> = {
  day: "date(ended_at / 1000000, 'unixepoch')",
  account: 'account',
  plan: 'plan',
  prefix: 'prefix',
  reason: 'reason',
  switch: 'switch',
}

export interface TotalsRow {
  readonly key: string | null
  readonly calls: bigint
  readonly answered: bigint
  readonly billedS: bigint
  readonly cost: Money
  readonly carrierCost: Money
  readonly costWithCarrier: Money
  readonly writeOff: Money
}

/** What the ledger knows of a call that has ended, besides its leg, its rate and its ending. */
interface Sums extends Pick<Cdr, 'plan' | 'number' | 'cost' | 'held' | 'writeOff'> {
  readonly timeline: string | null
}

/** What CDRs add up to: the columns of a TotalsRow beside its key. Of no CDRs they are 0. */
export const TOTALS = `count(*) AS calls, count(answered_at) AS answered,
  coalesce(sum(billed_s), 0) AS billedS, coalesce(sum(cost), 0) AS cost,
  coalesce(sum(carrier_cost), 0) AS carrierCost,
  coalesce(sum(cost) FILTER (WHERE carrier_cost IS NOT NULL), 0) AS costWithCarrier,
  coalesce(sum(write_off), 0) AS writeOff`

const NO_RATE = RATE_COLUMNS.map(() => null)

export class SqliteCdrs implements Cdrs {
  readonly #file: LedgerFile
  readonly #insert: Statement<[unknown[]]>
  readonly #byLeg: Statement<[string], CdrRow>
  readonly #isFiled: Statement<[string]>
  readonly #timeline: Statement<[string], string | null>

  constructor(file: LedgerFile) {
    this.#file = file
    this.#insert = file.database.prepare(insertValuesInto('cdr', CDR_COLUMNS))
    this.#byLeg = file.database.prepare('SELECT * FROM ended_call WHERE leg_id = ?')
    this.#isFiled = file.database.prepare('SELECT 1 FROM cdr WHERE leg_id = ?')
    this.#timeline = file.database
      .prepare<[string], string | null>('SELECT timeline FROM cdr WHERE leg_id = ?')
      .pluck()
  }

  find(callId: string): Promise<Cdr | undefined> {
    return this.#file.committer.read(() => this.filed(callId))
  }

  timeline(callId: string): Promise<Milestone[] | null> {
    return this.#file.committer.read(() => {
      const text = this.#timeline.get(callId)
      return text ? timelineOf(text) : null
    })
  }

  list(filter: CdrFilter): Promise<Cdr[]> {
    const { where, bound } = chosen(filter)
    const sql = `SELECT * FROM ended_call WHERE ${where} ORDER BY ended_at DESC, id DESC LIMIT @limit`
    return this.#file.committer.read(() =>
      this.#file.database.prepare<[object], CdrRow>(sql).all(bound).map(cdrOf),
    )
  }

  totals(filter: Omit<CdrFilter, 'limit' | 'after'>, by: CdrGroup): Promise<CdrTotals[]> {
    const { where, bound } = chosen(filter)
    const sql = `SELECT ${KEYS[by]} AS key, ${TOTALS} FROM ended_call
      WHERE ${where} GROUP BY 1 ORDER BY 1`
    return this.#file.committer.read(() => {
      const rows = this.#file.database.prepare<[object], TotalsRow>(sql).all(bound)
      return rows.map(totalsOf)
    })
  }

  /** find(), for use inside an operation. */
  filed(callId: string): Cdr | undefined {
    const row = this.#byLeg.get(callId)
    return row && cdrOf(row)
  }

  isFiled(callId: string): boolean {
    return this.#isFiled.get(callId) !== undefined
  }

  /**
   * filed(), and the rate that the call was promised, as far as the CDR has it: what its carrier
   * charges is not in it. For use inside an operation.
   */
  ratedAs(callId: string): { cdr: Cdr; tariff: Tariff | null } | undefined {
    const row = this.#byLeg.get(callId)
    if (!row) return undefined
    const { plan, number } = row
    const tariff =
      hasRate(row) && plan !== null && number !== null ? tariffOf(plan, number, rateOf(row)) : null
    return { cdr: cdrOf(row), tariff }
  }

  /** Only inside a transaction, and once for a leg. */
  file(leg: Leg, tariff: Tariff | null, ending: Ending, sums: Sums): Cdr {
    const { plan, number, cost, held, writeOff, timeline } = sums
    const { answeredAt, endedAt, billedS, carrierCost, outcome, reason, cause } = ending
    const end = [answeredAt, endedAt, billedS, carrierCost, outcome, reason, cause]
    const rate = tariff ? rateValues(tariff.rate) : NO_RATE
    this.#insert.run([
      ...[...legValues(leg), leg.account, plan, number, ...rate],
      ...[...end, cost, held, writeOff, timeline],
    ])
    const { prefix = null, description = null } = tariff?.rate ?? {}
    // Named one by one: behind a spread V8 looks for a new shape at every property.
    return {
      callId: leg.callId,
      switch: leg.switch,
      coreUuid: leg.coreUuid,
      account: leg.account,
      dialled: leg.dialled,
      createdAt: leg.createdAt,
      otherLeg: leg.otherLeg,
      prefix,
      description,
      plan,
      number,
      answeredAt,
      endedAt,
      billedS,
      carrierCost,
      outcome,
      reason,
      cause,
      cost,
      held,
      writeOff,
      corrected: false,
    }
  }
}

/** All of it is there, or nothing; free seconds are younger than the oldest CDRs. */
function hasRate(row: NullableRateRow): row is RateRow {
  return row.prefix !== null
}

export function totalsOf({ calls, answered, billedS, ...rest }: TotalsRow): CdrTotals {
  return {
    ...rest,
    calls: Number(calls),
    answered: Number(answered),
    billedS: Number(billedS),
  }
}

/** A filter as SQL; `limit` is bound as well, where there is one. */
export function chosen(filter: Partial<CdrFilter>): { where: string; bound: object } {
  const conditions = ['TRUE']
  if (filter.account !== undefined) conditions.push('account = @account')
  if (filter.outcome !== undefined) conditions.push('outcome = @outcome')
  if (filter.reason !== undefined) conditions.push('reason = @reason')
  if (filter.from !== undefined) conditions.push('ended_at >= @from')
  if (filter.until !== undefined) conditions.push('ended_at < @until')
  // Digits mean nothing else in a pattern.
  if (filter.number !== undefined) conditions.push("number GLOB @number || '*'")
  if (filter.writeOff) conditions.push('write_off > 0')
  if (filter.after !== undefined) {
    conditions.push(
      '(ended_at, id) < (@afterEndedAt, (SELECT id FROM cdr WHERE leg_id = @afterCallId))',
    )
  }
  const { writeOff: _, after, ...rest } = filter
  const bound = { ...rest, afterEndedAt: after?.endedAt, afterCallId: after?.callId }
  return { where: conditions.join(' AND '), bound }
}

function cdrOf(row: CdrRow): Cdr {
  return {
    ...legOf(row),
    plan: row.plan,
    number: row.number,
    prefix: row.prefix,
    description: row.description,
    answeredAt: numberOrNull(row.answered_at),
    endedAt: Number(row.ended_at),
    billedS: Number(row.billed_s),
    carrierCost: row.carrier_cost,
    outcome: row.outcome,
    reason: row.reason,
    cause: row.cause,
    cost: row.cost,
    held: row.held,
    writeOff: row.write_off,
    corrected: row.corrected === 1n,
  }
}
