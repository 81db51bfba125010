/** The CDRs: filed by SqliteLedger, in the transaction that settles the call; read by people. */
import type { Leg, Outcome, Reason, Tariff } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import type { CdrFilter, Cdrs } from '../ledger/books.js'
import type { Money } from '../money.js'
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
  rateParameters,
} from './rows.js'

interface CdrRow extends LegRow {
  readonly plan: string | null
  readonly number: string | null
  readonly prefix: string | null
  readonly answered_at: bigint | null
  readonly ended_at: bigint
  readonly billed_s: bigint
  readonly outcome: Outcome
  readonly reason: Reason | null
  readonly cause: string
  readonly cost: Money
  readonly held: Money
  readonly write_off: Money
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
  'outcome',
  'reason',
  'cause',
  'cost',
  'held',
  'write_off',
]

const NO_RATE = Object.fromEntries(RATE_COLUMNS.map(column => [column, null]))

export class SqliteCdrs implements Cdrs {
  readonly #file: LedgerFile
  readonly #insert: Statement<[object]>
  readonly #byLeg: Statement<[string], CdrRow>

  constructor(file: LedgerFile) {
    this.#file = file
    this.#insert = file.database.prepare(insertInto('cdr', CDR_COLUMNS))
    this.#byLeg = file.database.prepare('SELECT * FROM cdr WHERE leg_id = ?')
  }

  find(callId: string): Promise<Cdr | undefined> {
    return this.#file.committer.read(() => this.filed(callId))
  }

  list(filter: CdrFilter): Promise<Cdr[]> {
    const conditions = ['TRUE']
    if (filter.account !== undefined) conditions.push('account = @account')
    if (filter.outcome !== undefined) conditions.push('outcome = @outcome')
    if (filter.from !== undefined) conditions.push('ended_at >= @from')
    if (filter.until !== undefined) conditions.push('ended_at < @until')
    if (filter.writeOff) conditions.push('write_off > 0')
    const sql = `SELECT * FROM cdr WHERE ${conditions.join(' AND ')}
      ORDER BY ended_at DESC, id DESC LIMIT @limit`
    const { writeOff: _, ...bound } = filter
    return this.#file.committer.read(() =>
      this.#file.database.prepare<[object], CdrRow>(sql).all(bound).map(cdrOf),
    )
  }

  /** find(), for use inside an operation. */
  filed(callId: string): Cdr | undefined {
    const row = this.#byLeg.get(callId)
    return row && cdrOf(row)
  }

  /** Only inside a transaction, and once for a leg. */
  file(leg: Leg, tariff: Tariff | null, cdr: Omit<Cdr, keyof Leg | 'prefix'>): Cdr {
    this.#insert.run({
      ...legParameters(leg),
      account: leg.account,
      plan: cdr.plan,
      number: cdr.number,
      ...(tariff ? rateParameters(tariff.rate) : NO_RATE),
      answered_at: cdr.answeredAt,
      ended_at: cdr.endedAt,
      billed_s: cdr.billedS,
      outcome: cdr.outcome,
      reason: cdr.reason,
      cause: cdr.cause,
      cost: cdr.cost,
      held: cdr.held,
      write_off: cdr.writeOff,
    })
    return { ...leg, prefix: tariff?.rate.prefix ?? null, ...cdr }
  }
}

function cdrOf(row: CdrRow): Cdr {
  return {
    ...legOf(row),
    plan: row.plan,
    number: row.number,
    prefix: row.prefix,
    answeredAt: numberOrNull(row.answered_at),
    endedAt: Number(row.ended_at),
    billedS: Number(row.billed_s),
    outcome: row.outcome,
    reason: row.reason,
    cause: row.cause,
    cost: row.cost,
    held: row.held,
    writeOff: row.write_off,
  }
}
