/** Looks through the ledger, on a connection of its own that only reads. */
import { setImmediate } from 'node:timers/promises'
import type { Account, CdrFilter, CdrTotals, Entry } from '../ledger/books.js'
import type {
  AccountOrder,
  AccountPage,
  Browsing,
  CallRecord,
  EntryPage,
  LiveTotals,
} from '../ledger/browsing.js'
import type { UnseenCall } from '../ledger/repairs.js'
import { DAY_US, HOUR_US } from '../local-time.js'
import { type AccountRow, accountOf } from './account-rows.js'
import { type EntryRow, entryOf } from './accounts.js'
import { AuditTable } from './audit-table.js'
import { chosen, SqliteCdrs, TOTALS, type TotalsRow, totalsOf } from './cdrs.js'
import type { LedgerFile } from './ledger-file.js'
import { UnseenCalls } from './unseen-calls.js'

const ORDERS: Readonly<Record<AccountOrder, string>> = {
  code: 'code',
  name: 'name COLLATE NOCASE',
  balance: 'balance',
  available: 'balance + credit_limit - held',
  live_calls: 'live_calls',
  created_at: 'created_at',
}

/** CDRs are added up so much at a time, and the event loop has its turn in between. */
const PIECE_US = HOUR_US

/** So much earlier than its end a call may be settled: the clock of the switch is not ours. */
const AHEAD_US = DAY_US

const NOTHING: CdrTotals = {
  key: null,
  ...{ calls: 0, answered: 0, billedS: 0 },
  ...{ cost: 0n, carrierCost: 0n, costWithCarrier: 0n, writeOff: 0n },
}

export class SqliteBrowsing implements Browsing {
  readonly #file: LedgerFile
  readonly #cdrs: SqliteCdrs
  readonly #trail: AuditTable
  readonly #unseen: UnseenCalls

  constructor(file: LedgerFile) {
    this.#file = file
    this.#cdrs = new SqliteCdrs(file)
    this.#trail = new AuditTable(file.database, file.now)
    this.#unseen = new UnseenCalls(file.database)
  }

  accounts(page: AccountPage): Promise<Account[]> {
    const { order, descending, after, limit } = page
    const { conditions, bound } = accountConditions(page)
    const by = ORDERS[order]
    if (after !== undefined) {
      const rest = `(SELECT ${by}, code FROM account WHERE code = @after)`
      conditions.push(`(${by}, code) ${descending ? '<' : '>'} ${rest}`)
    }
    const way = descending ? 'DESC' : 'ASC'
    const sql = `SELECT * FROM account WHERE ${conditions.join(' AND ')}
      ORDER BY ${by} ${way}, code ${way} LIMIT @limit`
    return this.#file.committer.read(() =>
      this.#file.database
        .prepare<[object], AccountRow>(sql)
        .all({ ...bound, after, limit })
        .map(row => accountOf(row, this.#file.now())),
    )
  }

  accountCount(): Promise<number> {
    return this.#file.committer.read(() =>
      Number(this.#file.database.prepare('SELECT count(*) FROM account').pluck().get()),
    )
  }

  entries(account: string, { from, until, before, limit }: EntryPage): Promise<Entry[]> {
    const conditions = ['code = @account']
    if (from !== undefined) conditions.push('at >= @from')
    if (until !== undefined) conditions.push('at < @until')
    if (before !== undefined) conditions.push('entry.id < @before')
    return this.#entries(`${conditions.join(' AND ')} ORDER BY entry.id DESC LIMIT @limit`, {
      ...{ account, from, until, before, limit },
    })
  }

  live(): Promise<LiveTotals> {
    const sql = `SELECT count(*) - count(answered_at) AS ringing, count(answered_at) AS answered,
        coalesce(sum(held), 0) AS held FROM call`
    return this.#file.committer.read(() => {
      const row = this.#file.database
        .prepare<[], { ringing: bigint; answered: bigint; held: bigint }>(sql)
        .get()!
      return { ringing: Number(row.ringing), answered: Number(row.answered), held: row.held }
    })
  }

  async cdrTotals(filter: Omit<CdrFilter, 'limit' | 'after'>): Promise<CdrTotals> {
    const { where, bound } = chosen(filter)
    const hour = this.#file.database.prepare<[object], TotalsRow>(
      `SELECT NULL AS key, ${TOTALS} FROM ended_call
        WHERE ${where} AND ended_at >= @begin AND ended_at < @end`,
    )
    let sum = NOTHING
    let begin: number | null = filter.from ?? Number.MIN_SAFE_INTEGER
    for (;;) {
      begin = this.#firstEnd(begin, filter.account)
      if (begin === null || (filter.until !== undefined && begin >= filter.until)) return sum
      const end = begin + PIECE_US
      sum = together(sum, totalsOf(hour.get({ ...bound, begin, end })!))
      begin = end
      await setImmediate()
    }
  }

  /** When the first call ended that ended at that instant or later, so that empty years are skipped. */
  #firstEnd(begin: number, account: string | undefined): number | null {
    const ofAccount = account === undefined ? '' : 'AND account = @account'
    const sql = `SELECT min(ended_at) FROM (
        SELECT * FROM (SELECT ended_at FROM cdr WHERE ended_at >= @begin ${ofAccount}
          ORDER BY ended_at LIMIT 1)
        UNION ALL SELECT ended_at FROM correction WHERE ended_at >= @begin)`
    const first = this.#file.database.prepare<[object], bigint | null>(sql).pluck()
    const at = first.get({ begin, account })
    return at === null || at === undefined ? null : Number(at)
  }

  async call(callId: string): Promise<CallRecord | undefined> {
    const found = await this.#file.committer.read(() => this.#cdrs.ratedAs(callId))
    if (!found) return undefined
    const { cdr, tariff } = found
    const subject = `call ${callId}`
    const audit = this.#trail.list({ subject, limit: 100 }).reverse()
    const correction = this.#correction(callId)
    const first = correction?.first ?? cdr
    return {
      cdr,
      rate: tariff?.rate ?? null,
      timeline: await this.#cdrs.timeline(callId),
      settled: first.cost > 0n ? await this.#settled(cdr.account, callId, first.endedAt) : null,
      refunds: await this.#entries('call_id = @callId ORDER BY entry.id', { callId }),
      correction,
      audit,
    }
  }

  unseenCall(callId: string): Promise<UnseenCall | undefined> {
    return this.#file.committer.read(() => this.#unseen.find(callId))
  }

  unseenCounts(): Promise<{ waiting: number; open: number }> {
    return this.#file.committer.read(() => this.#unseen.count())
  }

  /**
   * There is no index of calls by their id: the account's entries from that day on are looked through. Most
   * calls are settled at once, and some when they are known of at last. Entries are in the order of time but
   * where our clock was put back: then all of the account's are looked through.
   */
  async #settled(account: string, callId: string, endedAt: number): Promise<Entry | null> {
    const where = `code = @account AND kind = 'call' AND reference = @callId
      AND entry.id >= @first ORDER BY entry.id LIMIT 1`
    const from = async (first: bigint) =>
      (await this.#entries(where, { account, callId, first }))[0] ?? null
    return (await from(this.#firstEntry(endedAt - AHEAD_US))) ?? (await from(0n))
  }

  /** The first entry of that instant or later, if they are in the order of time: found by halving. */
  #firstEntry(since: number): bigint {
    const at = this.#file.database
      .prepare<[bigint], bigint>('SELECT at FROM entry WHERE id >= ? ORDER BY id LIMIT 1')
      .pluck()
    const last = this.#file.database.prepare('SELECT max(id) FROM entry').pluck().get()
    let from = 0n
    let until = typeof last === 'bigint' ? last : 0n
    while (from < until) {
      const middle = (from + until) / 2n
      if (at.get(middle)! < since) from = middle + 1n
      else until = middle
    }
    return from
  }

  #correction(callId: string): CallRecord['correction'] {
    const row = this.#file.database
      .prepare<[string], { at: bigint; endedAt: bigint; cost: bigint }>(
        `SELECT correction.at, cdr.ended_at AS endedAt, cdr.cost
          FROM correction JOIN cdr USING (leg_id) WHERE leg_id = ?`,
      )
      .get(callId)
    if (!row) return null
    return { at: Number(row.at), first: { endedAt: Number(row.endedAt), cost: row.cost } }
  }

  #entries(rest: string, bound: object): Promise<Entry[]> {
    const sql = `SELECT entry.*, account.code FROM entry JOIN account ON account.id = account_id
      WHERE ${rest}`
    return this.#file.committer.read(() =>
      this.#file.database.prepare<[object], EntryRow>(sql).all(bound).map(entryOf),
    )
  }
}

function accountConditions(page: AccountPage): { conditions: string[]; bound: object } {
  const { search, state, plan, specialPlan } = page
  const conditions = ['TRUE']
  // LIKE knows the cases of ASCII by itself; a function of ours, asked 100,000 times, takes long.
  const isPlain = search !== undefined && /^[ -~]*$/.test(search)
  const pattern = isPlain ? `%${search.replace(/[\\%_]/g, '\\$&')}%` : undefined
  if (isPlain) conditions.push("(code LIKE @pattern ESCAPE '\\' OR name LIKE @pattern ESCAPE '\\')")
  else if (search !== undefined) conditions.push('instr(fold(name), fold(@search))')
  if (state !== undefined) conditions.push('state = @state')
  if (plan !== undefined) conditions.push('plan = @plan')
  if (specialPlan !== undefined) conditions.push('special_plan = @specialPlan')
  if (page.low) conditions.push('balance < low_balance')
  return { conditions, bound: { search, pattern, state, plan, specialPlan } }
}

function together(a: CdrTotals, b: CdrTotals): CdrTotals {
  return {
    key: null,
    calls: a.calls + b.calls,
    answered: a.answered + b.answered,
    billedS: a.billedS + b.billedS,
    cost: a.cost + b.cost,
    carrierCost: a.carrierCost + b.carrierCost,
    costWithCarrier: a.costWithCarrier + b.costWithCarrier,
    writeOff: a.writeOff + b.writeOff,
  }
}
