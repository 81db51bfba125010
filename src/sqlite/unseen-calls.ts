/** Legs that nobody saw: the rows of `unseen_call`, and of `a_leg`. */
import type {
  ALeg,
  EndedLeg,
  PayingCall,
  UnseenCall,
  UnseenFilter,
  UnseenState,
} from '../ledger/repairs.js'
import type { Database, Statement } from './database.js'
import { insertValuesInto, LEG_COLUMNS, legValues, numberOrNull } from './rows.js'

interface UnseenRow {
  readonly leg_id: string
  readonly account: string | null
  readonly switch: string
  readonly core_uuid: string
  readonly dialled: string
  readonly other_leg: string | null
  readonly created_at: bigint
  readonly answered_at: bigint | null
  readonly ended_at: bigint
  readonly cause: string
  readonly received_at: bigint
  readonly state: UnseenState
  readonly decided_at: bigint | null
  readonly decided_by: string | null
  readonly reason: string
}

const COLUMNS = [
  ...LEG_COLUMNS,
  'account',
  'answered_at',
  'ended_at',
  'cause',
  'received_at',
  'state',
]

/** So many are decided at a time. */
const DUE_MAX = 500

/** Only for use inside an operation. */
export class UnseenCalls {
  readonly #database: Database
  readonly #byLeg: Statement<[string], UnseenRow>
  readonly #insert: Statement<[unknown[]]>
  readonly #due: Statement<[number, number], UnseenRow>
  readonly #settled: Statement<[string]>
  readonly #lost: Statement<[string]>
  readonly #list: Statement<[string]>
  readonly #count: Statement<[UnseenState], bigint>
  readonly #decide: Statement<[object]>
  readonly #pay: Statement<[string, string]>
  readonly #free: Statement<[string]>
  readonly #code: Statement<[string], { code: string | null }>
  readonly #keepCode: Statement<[string, string | null, number]>
  readonly #prune: readonly Statement<[number]>[]

  constructor(database: Database) {
    const prepare = database.prepare.bind(database)
    this.#database = database
    this.#byLeg = database.prepare('SELECT * FROM unseen_call WHERE leg_id = ?')
    this.#insert = database.prepare(insertValuesInto('unseen_call', COLUMNS))
    this.#due = database.prepare(`SELECT * FROM unseen_call
      WHERE state = 'waiting' AND account IS NOT NULL AND received_at <= ?
      ORDER BY received_at LIMIT ?`)
    this.#settled = database.prepare(
      "DELETE FROM unseen_call WHERE leg_id = ? AND state IN ('waiting', 'open')",
    )
    this.#lost = database.prepare(
      "UPDATE unseen_call SET state = 'waiting' WHERE leg_id = ? AND state = 'open'",
    )
    this.#list = database.prepare(
      "UPDATE unseen_call SET state = 'open' WHERE leg_id = ? AND state = 'waiting'",
    )
    this.#count = database
      .prepare<[UnseenState], bigint>('SELECT count(*) FROM unseen_call WHERE state = ?')
      .pluck()
    this.#decide = database.prepare(`UPDATE unseen_call SET state = @state, decided_at = @at,
      decided_by = @by, reason = @reason WHERE leg_id = @leg_id`)
    const payerless = "other_leg = ? AND account IS NULL AND state = 'waiting'"
    this.#pay = database.prepare(`UPDATE unseen_call SET account = ? WHERE ${payerless}`)
    this.#free = database.prepare(`DELETE FROM unseen_call WHERE ${payerless}`)
    this.#code = database.prepare('SELECT code FROM a_leg WHERE leg_id = ?')
    this.#keepCode = database.prepare(
      'INSERT INTO a_leg (leg_id, code, received_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    )
    this.#prune = [
      prepare('DELETE FROM unseen_call WHERE account IS NULL AND received_at < ?'),
      prepare('DELETE FROM a_leg WHERE received_at < ?'),
    ]
  }

  find(callId: string): UnseenCall | undefined {
    const row = this.#byLeg.get(callId)
    return row && unseenCallOf(row)
  }

  /** Waits from now on. Not for one that is kept already. */
  add(leg: EndedLeg, account: string | null, receivedAt: number): void {
    const { answeredAt, endedAt, cause } = leg
    const rest = [account, answeredAt, endedAt, cause, receivedAt, 'waiting']
    this.#insert.run([...legValues(leg), ...rest])
  }

  /** Undefined where the record of that A-leg is not known. */
  codeOf(aLeg: string): Pick<ALeg, 'code'> | undefined {
    return this.#code.get(aLeg)
  }

  keepCode({ legId, code }: ALeg, receivedAt: number): void {
    this.#keepCode.run(legId, code, receivedAt)
  }

  /** The legs that waited for the code of this one. */
  resolve({ legId, code }: ALeg): void {
    if (code === null) this.#free.run(legId)
    else this.#pay.run(code, legId)
  }

  due(receivedUntil: number): PayingCall[] {
    return this.#due.all(receivedUntil, DUE_MAX).map(row => unseenCallOf(row) as PayingCall)
  }

  /** Its CDR is filed, with its end, or it need not be paid for. */
  forget(callId: string): void {
    this.#settled.run(callId)
  }

  /** Its CDR is filed, without its end: which stands in this row. */
  wait(callId: string): void {
    this.#lost.run(callId)
  }

  list(callId: string): void {
    this.#list.run(callId)
  }

  decide(
    callId: string,
    state: UnseenState,
    how: { readonly by: string; readonly at: number; readonly reason: string },
  ): void {
    this.#decide.run({ leg_id: callId, state, ...how })
  }

  select(filter: UnseenFilter): UnseenCall[] {
    const conditions = ['TRUE']
    if (filter.account !== undefined) conditions.push('account = @account')
    if (filter.state !== undefined) conditions.push('state = @state')
    if (filter.after) conditions.push('(ended_at, leg_id) < (@afterEndedAt, @afterCallId)')
    const sql = `SELECT * FROM unseen_call WHERE ${conditions.join(' AND ')}
      ORDER BY ended_at DESC, leg_id DESC LIMIT @limit`
    const { after, ...rest } = filter
    const bound = { ...rest, afterEndedAt: after?.endedAt, afterCallId: after?.callId }
    return this.#database.prepare<[object], UnseenRow>(sql).all(bound).map(unseenCallOf)
  }

  /** Those that are not decided on. */
  count(): { waiting: number; open: number } {
    const [waiting = 0, open = 0] = (['waiting', 'open'] as const).map(state =>
      Number(this.#count.get(state)),
    )
    return { waiting, open }
  }

  prune(receivedBefore: number): void {
    for (const statement of this.#prune) statement.run(receivedBefore)
  }
}

function unseenCallOf(row: UnseenRow): UnseenCall {
  return {
    callId: row.leg_id,
    account: row.account,
    switch: row.switch,
    coreUuid: row.core_uuid,
    dialled: row.dialled,
    otherLeg: row.other_leg,
    createdAt: Number(row.created_at),
    answeredAt: numberOrNull(row.answered_at),
    endedAt: Number(row.ended_at),
    cause: row.cause,
    receivedAt: Number(row.received_at),
    state: row.state,
    decidedAt: numberOrNull(row.decided_at),
    decidedBy: row.decided_by,
    reason: row.reason,
  }
}
