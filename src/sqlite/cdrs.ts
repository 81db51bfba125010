/** The CDRs: filed by SqliteLedger, in the transaction that settles the call; read by people. */
import type { Leg, Outcome, Reason } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import type { CdrFilter, CdrGroup, Cdrs, CdrTotals } from '../ledger/books.js'
import type { Money } from '../money.js'
import { type Tariff, tariffOf } from '../rating/tariff.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import {
  insertInto,
  LEG_COLUMNS,
  type LegRow,
  legOf,
  legParameters,
  numberOrNull,
  RATE_COLUMNS,
  type RateRow,
  rateOf,
  rateParameters,
} from './rows.js'

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

/** What CDRs add up to: the columns of a TotalsRow beside its key. Of no CDRs they are 0. */
export const TOTALS = `count(*) AS calls, count(answered_at) AS answered,
  coalesce(sum(billed_s), 0) AS billedS, coalesce(sum(cost), 0) AS cost,
  coalesce(sum(carrier_cost), 0) AS carrierCost,
  coalesce(sum(cost) FILTER (WHERE carrier_cost IS NOT NULL), 0) AS costWithCarrier,
  coalesce(sum(write_off), 0) AS writeOff`

type FiledAs = Omit<Cdr, keyof Leg | 'prefix' | 'description' | 'corrected'>

const NO_RATE = Object.fromEntries(RATE_COLUMNS.map(column => [column, null]))

export class SqliteCdrs implements Cdrs {
  readonly #file: LedgerFile
  readonly #insert: Statement<[object]>
  readonly #byLeg: Statement<[string], CdrRow>

  constructor(file: LedgerFile) {
    this.#file = file
    this.#insert = file.database.prepare(insertInto('cdr', CDR_COLUMNS))
    this.#byLeg = file.database.prepare('SELECT * FROM ended_call WHERE leg_id = ?')
  }

  find(callId: string): Promise<Cdr | undefined> {
    return this.#file.committer.read(() => this.filed(callId))
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
  file(leg: Leg, tariff: Tariff | null, cdr: FiledAs): Cdr {
    this.#insert.run({
      ...legParameters(leg),
      account: leg.account,
      plan: cdr.plan,
      number: cdr.number,
      ...(tariff ? rateParameters(tariff.rate) : NO_RATE),
      answered_at: cdr.answeredAt,
      ended_at: cdr.endedAt,
      billed_s: cdr.billedS,
      carrier_cost: cdr.carrierCost,
      outcome: cdr.outcome,
      reason: cdr.reason,
      cause: cdr.cause,
      cost: cdr.cost,
      held: cdr.held,
      write_off: cdr.writeOff,
    })
    const { prefix = null, description = null } = tariff?.rate ?? {}
    return { ...leg, prefix, description, ...cdr, corrected: false }
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
