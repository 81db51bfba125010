/**
 * The ledger in SQLite. Every method is one operation of the committer: it reads, decides and
 * writes in one transaction, so that no two calls are ever promised the same credit; and the
 * CHECKs of the schema would refuse it if they were.
 */
import assert from 'node:assert/strict'
import type { Instant, Refusal, Resumable } from '../call/call.js'
import { type Cdr, LOST } from '../call/cdr.js'
import { type Account, BookError } from '../ledger/books.js'
import type { Held, HoldRequest, Ledger, Payer, Settlement } from '../ledger/ledger.js'
import { CallsPerSecond, ceilingOf, limitAgainst, type Usage } from '../ledger/limits.js'
import { larger, type Money, smaller } from '../money.js'
import { answeredTariff } from '../rating/tariff.js'
import {
  type AccountRow,
  accountOf,
  HOLD_COLUMNS,
  type HoldRow,
  limitsOf,
  usageOf,
} from './account-rows.js'
import { Bookings, type Captured } from './bookings.js'
import { Calls, type StoredCall } from './calls.js'
import { SqliteCdrs } from './cdrs.js'
import type { Statement } from './database.js'
import { Days } from './days.js'
import type { LedgerFile } from './ledger-file.js'
import { numberOrNull } from './rows.js'
import { NO_MARKS } from './timeline.js'
import { UnseenCalls } from './unseen-calls.js'
import { WideRows } from './wide-rows.js'

/** Who books calls and write-offs. */
const ACTOR = 'tollgate'

export interface SqliteLedgerOptions {
  /** A call has taken the balance of an account below its threshold. Told after the commit. */
  readonly onLowBalance?: (account: Account) => void
}

interface Ended {
  readonly cdr: Cdr
  /** The account, where this call has taken its balance below its threshold. */
  readonly low: Account | null
}

/** What is looked at when a call is over: whether its account gets low, and whether its day is over. */
const CAPTURED_COLUMNS = [
  'id',
  'time_zone',
  'low_balance',
  'balance',
  'spent_on',
  'latest_day',
] as const

type CapturedRow = Pick<AccountRow, (typeof CAPTURED_COLUMNS)[number]>

export class SqliteLedger implements Ledger {
  readonly #file: LedgerFile
  readonly #calls: Calls
  readonly #cdrs: SqliteCdrs
  readonly #bookings: Bookings
  readonly #unseen: UnseenCalls
  readonly #perSecond = new CallsPerSecond()
  readonly #options: SqliteLedgerOptions
  readonly #payer: Statement<
    [string],
    Pick<AccountRow, 'plan' | 'special_plan' | 'state' | 'longest_call_s'>
  >
  readonly #byCode: WideRows<[string], HoldRow>
  readonly #byId: WideRows<[bigint], HoldRow>
  readonly #captured: WideRows<[bigint], CapturedRow>
  readonly #whole: WideRows<[bigint], AccountRow>
  readonly #setAside: Statement<[Money, number, bigint]>
  readonly #days: Days
  readonly #heard: Statement<[string, string, Instant]>
  readonly #lastHeard: Statement<[string, string], bigint>

  constructor(file: LedgerFile, options: SqliteLedgerOptions = {}) {
    const { database } = file
    this.#file = file
    this.#options = options
    this.#calls = new Calls(database)
    this.#cdrs = new SqliteCdrs(file)
    this.#bookings = new Bookings(file)
    this.#unseen = new UnseenCalls(database)
    this.#payer = database.prepare(
      'SELECT plan, special_plan, state, longest_call_s FROM account WHERE code = ?',
    )
    this.#byCode = new WideRows(database, `SELECT ${HOLD_COLUMNS} FROM account WHERE code = ?`)
    this.#byId = new WideRows(database, `SELECT ${HOLD_COLUMNS} FROM account WHERE id = ?`)
    this.#captured = new WideRows(database, `SELECT ${CAPTURED_COLUMNS} FROM account WHERE id = ?`)
    this.#whole = new WideRows(database, 'SELECT * FROM account WHERE id = ?')
    this.#setAside = database.prepare(
      'UPDATE account SET held = held + ?, live_calls = live_calls + ? WHERE id = ?',
    )
    this.#days = new Days(database)
    this.#heard = database.prepare(`
      INSERT INTO switch_run (switch, core_uuid, heard_at) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET heard_at = max(heard_at, excluded.heard_at)`)
    this.#lastHeard = database
      .prepare<[string, string], bigint>(
        'SELECT heard_at FROM switch_run WHERE switch = ? AND core_uuid = ?',
      )
      .pluck()
  }

  payer(account: string): Promise<Payer | undefined> {
    return this.#file.committer.readCommitted(() => {
      const row = this.#payer.get(account)
      if (!row) return undefined
      const { plan, special_plan: specialPlan, state, longest_call_s: longestS } = row
      return { plan, specialPlan, state, longestS: numberOrNull(longestS) }
    })
  }

  hold(request: HoldRequest): Promise<Held> {
    return this.#file.committer.enqueueSure(() => {
      assert.ok(request.total >= 0n && request.atLeast >= 0n, 'a hold is not negative')
      const call = this.#calls.find(request.leg.callId)
      if (call) return this.#raise(call, request)
      if (this.#cdrs.isFiled(request.leg.callId)) return { status: 'settled' }
      return this.#firstHold(request)
    })
  }

  note(callId: string, answeredAt: Instant): Promise<void> {
    return this.#file.committer.enqueueSure(() => this.#calls.note(callId, answeredAt))
  }

  warned(callId: string, at: Instant): Promise<void> {
    return this.#file.committer.enqueueSure(() => this.#calls.warned(callId, at))
  }

  async settle(settlement: Settlement): Promise<Cdr> {
    const { cdr, low } = await this.#file.committer.enqueueSure(() => {
      assert.ok(settlement.price >= 0n, 'a price is not negative')
      const { callId } = settlement.leg
      // A leg is a row of `call` or of `cdr`, never of both.
      const call = this.#calls.take(callId)
      const filed = call ? undefined : this.#cdrs.filed(callId)
      return filed ? { cdr: filed, low: null } : this.#end(settlement, call)
    })
    if (low) this.#options.onLowBalance?.(low)
    return cdr
  }

  /**
   * Charges a call that has ended and that was never held for, with what is available of its price;
   * the limits of the account are for calls that can still be refused. Once: a call that the ledger
   * knows is not charged by this.
   * @param decided carried out in the same transaction, when it is charged
   */
  async charge(settlement: Settlement, decided: () => void): Promise<Cdr> {
    const { cdr, low } = await this.#file.committer.enqueue(() => {
      const { callId } = settlement.leg
      const filed = this.#cdrs.filed(callId)
      if (filed) return { cdr: filed, low: null }
      decided()
      return this.#end(settlement, this.#holdAtOnce(settlement))
    })
    if (low) this.#options.onLowBalance?.(low)
    return cdr
  }

  release(callId: string): Promise<void> {
    return this.#file.committer.enqueueSure(() => {
      const call = this.#calls.find(callId)
      if (!call || call.answeredAt !== null) return
      this.#calls.take(callId)
      this.#setAside.run(-call.held, -1, call.accountId)
    })
  }

  /** Where the new id has a call or a CDR of its own, the call keeps its old one. */
  rename(callId: string, newCallId: string): Promise<void> {
    return this.#file.committer.enqueueSure(() => {
      if (this.#calls.find(newCallId) || this.#cdrs.isFiled(newCallId)) return
      this.#calls.rename(callId, newCallId)
    })
  }

  openCalls(switchName: string): Promise<Resumable[]> {
    return this.#file.committer.read(() => this.#calls.ofSwitch(switchName))
  }

  heard(switchName: string, coreUuid: string, at: Instant): Promise<void> {
    return this.#file.committer.enqueueSure(() => {
      this.#heard.run(switchName, coreUuid, at)
    })
  }

  lastHeard(switchName: string, coreUuid: string): Promise<Instant | undefined> {
    return this.#file.committer.read(() => {
      const at = this.#lastHeard.get(switchName, coreUuid)
      return at === undefined ? undefined : Number(at)
    })
  }

  #firstHold(request: HoldRequest): Held {
    const { leg, tariff, total, atLeast } = request
    const account = this.#byCode.get(leg.account)
    const barred = account ? barredBy(account) : 'unknown_account'
    if (!account || barred) return held(0n, 0, barred)
    const limits = limitsOf(account)
    const usage = this.#usageOf(account)
    const limit = limitAgainst(limits, usage, tariff)
    if (limit) return held(0n, 0, limit)
    const { amount, reason } = ceilingOf(limits, usage, 0n)
    const grant = smaller(total, amount)
    if (grant < atLeast) return held(0n, 0, reason)
    const perSecond = limits.maxCallsPerSecond
    if (perSecond !== null && !this.#perSecond.admit(leg, perSecond)) {
      return held(0n, 0, 'max_calls_per_second')
    }
    this.#calls.add(request, account.id, grant)
    this.#setAside.run(grant, 1, account.id)
    return held(grant, 1, grant < total ? reason : null)
  }

  #holdAtOnce({ leg, tariff, price, ending }: Settlement): StoredCall {
    const account = this.#byCode.get(leg.account)
    if (!account) throw new BookError('unknown_account', `There is no account ${leg.account}`)
    assert.ok(tariff, 'what is charged has a price')
    if (this.#calls.find(leg.callId)) {
      throw new BookError('unknown_call', `The call ${leg.callId} is not unseen: it is on record`)
    }
    const grant = smaller(price, larger(0n, this.#usageOf(account).available))
    const { answeredAt, endedAt: at } = ending
    const asked = { at, total: price, atLeast: 0n, answeredAt }
    this.#calls.add({ leg, tariff, ...asked }, account.id, grant)
    this.#setAside.run(grant, 1, account.id)
    return { ...this.#calls.take(leg.callId)!, timeline: NO_MARKS }
  }

  /** The account of the first hold goes on paying, whatever the leg carries now. */
  #raise(call: StoredCall, request: HoldRequest): Held {
    const { total, atLeast } = request
    if (request.answeredAt !== null) this.#calls.note(call.leg.callId, request.answeredAt)
    if (total <= call.held) return held(call.held, call.raises, null)
    const account = this.#byId.get(call.accountId)
    assert.ok(account, 'the account of a call exists')
    const barred = barredBy(account)
    if (barred) return held(call.held, call.raises, barred)
    const usage = this.#usageOf(account)
    const { amount, reason } = ceilingOf(limitsOf(account), usage, call.held)
    const raised = smaller(total, amount)
    if (raised <= call.held || raised < atLeast) return held(call.held, call.raises, reason)
    this.#calls.raise(call.leg.callId, raised, request.at)
    this.#setAside.run(raised - call.held, 0, call.accountId)
    return held(raised, call.raises + 1, raised < total ? reason : null)
  }

  /**
   * What was recorded at the first hold is what is filed: it is what the account was promised.
   * @param call has been taken out of the live calls
   */
  #end(settlement: Settlement, call: StoredCall | undefined): Ended {
    const { leg, tariff: agreed } = call ?? settlement
    const { answeredAt } = settlement.ending
    const tariff = agreed && answeredAt !== null ? answeredTariff(agreed, answeredAt) : agreed
    const plan = tariff?.plan ?? settlement.plan
    const number = tariff?.number ?? settlement.number
    const { price, ending } = settlement
    const { held, timeline } = call ?? { held: 0n, timeline: NO_MARKS }
    const cost = smaller(price, held)
    const writeOff = price - cost
    const booking = {
      reference: leg.callId,
      actor: ACTOR,
      reason: `call to ${number ?? leg.dialled}`,
    }
    const low = call ? this.#capture(call, { ...booking, held: call.held, cost }) : null
    if (writeOff > 0n) this.#bookings.writeOff({ ...booking, amount: writeOff })
    // A record of this leg may have come before, and knows the end.
    if (ending.cause === LOST) this.#unseen.wait(leg.callId)
    else this.#unseen.forget(leg.callId)
    const sums = { plan, number, cost, held, writeOff, timeline }
    return { cdr: this.#cdrs.file(leg, tariff, ending, sums), low }
  }

  /** Returns the account of the call, if that has taken it below its threshold. */
  #capture({ accountId }: StoredCall, captured: Captured): Account | null {
    const now = this.#file.now()
    const row = this.#captured.get(accountId)
    assert.ok(row, 'the account of a call exists')
    if (!this.#days.isToday(row, now)) this.#days.begin(row, now)
    const balance = this.#bookings.capture(row, captured, now)
    const threshold = row.low_balance
    const isNow = threshold !== null && balance < threshold && row.balance >= threshold
    return isNow ? accountOf(this.#whole.get(accountId)!, now) : null
  }

  /** Today's spending is only looked at where it is limited. */
  #usageOf(account: HoldRow): Usage {
    const now = this.#file.now()
    if (account.max_spend_per_day === null || this.#days.isToday(account, now)) {
      return usageOf(account, now)
    }
    this.#days.begin(account, now)
    return usageOf(this.#byId.get(account.id)!, now)
  }
}

/** Why the account lets no call through, nor hold more. */
function barredBy({ state }: HoldRow): Refusal | null {
  if (state === 'active') return null
  return state === 'closed' ? 'account_closed' : 'account_suspended'
}

function held(amount: Money, raises: number, reason: Refusal | null): Held {
  return { status: 'held', held: amount, raises, reason }
}
