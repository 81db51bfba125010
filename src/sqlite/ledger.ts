/**
 * The ledger in SQLite. Every method is one operation of the committer: it reads, decides and
 * writes in one transaction, so that no two calls are ever promised the same credit; and the
 * CHECKs of the schema would refuse it if they were.
 */
import assert from 'node:assert/strict'
import type { Instant, Refusal, Resumable } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import type {
  AccountState,
  Held,
  HoldRequest,
  Ledger,
  Payer,
  Settlement,
} from '../ledger/ledger.js'
import { type Money, smaller } from '../money.js'
import { Bookings } from './bookings.js'
import { Calls, type StoredCall } from './calls.js'
import { SqliteCdrs } from './cdrs.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'

/** Who books calls and write-offs. */
const ACTOR = 'tollgate'

interface Credit {
  readonly id: bigint
  readonly plan: string
  readonly state: AccountState
  readonly available: Money
}

const CREDIT = 'SELECT id, plan, state, balance + credit_limit - held AS available FROM account'

export class SqliteLedger implements Ledger {
  readonly #file: LedgerFile
  readonly #calls: Calls
  readonly #cdrs: SqliteCdrs
  readonly #bookings: Bookings
  readonly #byCode: Statement<[string], Credit>
  readonly #byId: Statement<[bigint], Credit>
  readonly #setAside: Statement<[Money, bigint]>
  readonly #heard: Statement<[string, string, Instant]>
  readonly #lastHeard: Statement<[string, string], bigint>

  constructor(file: LedgerFile) {
    const { database } = file
    this.#file = file
    this.#calls = new Calls(database)
    this.#cdrs = new SqliteCdrs(file)
    this.#bookings = new Bookings(file)
    this.#byCode = database.prepare(`${CREDIT} WHERE code = ?`)
    this.#byId = database.prepare(`${CREDIT} WHERE id = ?`)
    this.#setAside = database.prepare('UPDATE account SET held = held + ? WHERE id = ?')
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
    return this.#file.committer.read(() => {
      const credit = this.#byCode.get(account)
      return credit && { plan: credit.plan, state: credit.state }
    })
  }

  hold(request: HoldRequest): Promise<Held> {
    return this.#file.committer.enqueue(() => {
      assert.ok(request.total >= 0n && request.atLeast >= 0n, 'a hold is not negative')
      const call = this.#calls.find(request.leg.callId)
      if (call) return this.#raise(call, request)
      if (this.#cdrs.filed(request.leg.callId)) return { status: 'settled' }
      return this.#firstHold(request)
    })
  }

  note(callId: string, answeredAt: Instant): Promise<void> {
    return this.#file.committer.enqueue(() => this.#calls.note(callId, answeredAt))
  }

  settle(settlement: Settlement): Promise<Cdr> {
    return this.#file.committer.enqueue(() => {
      assert.ok(settlement.price >= 0n, 'a price is not negative')
      const { callId } = settlement.leg
      return this.#cdrs.filed(callId) ?? this.#end(settlement, this.#calls.find(callId))
    })
  }

  /** Where the new id has a call or a CDR of its own, the call keeps its old one. */
  rename(callId: string, newCallId: string): Promise<void> {
    return this.#file.committer.enqueue(() => {
      if (this.#calls.find(newCallId) || this.#cdrs.filed(newCallId)) return
      this.#calls.rename(callId, newCallId)
    })
  }

  openCalls(switchName: string): Promise<Resumable[]> {
    return this.#file.committer.read(() => this.#calls.ofSwitch(switchName))
  }

  heard(switchName: string, coreUuid: string, at: Instant): Promise<void> {
    return this.#file.committer.enqueue(() => {
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
    const { total, atLeast } = request
    const credit = this.#byCode.get(request.leg.account)
    if (!credit) return held(0n, 0, 'unknown_account')
    if (credit.state === 'closed') return held(0n, 0, 'account_closed')
    const grant = smaller(total, credit.available)
    if (grant < atLeast) return held(0n, 0, 'no_credit')
    this.#calls.add(request, credit.id, grant)
    this.#setAside.run(grant, credit.id)
    return held(grant, 1, grant < total ? 'no_credit' : null)
  }

  /** The account of the first hold goes on paying, whatever the leg carries now. */
  #raise(call: StoredCall, request: HoldRequest): Held {
    const { total, atLeast } = request
    if (request.answeredAt !== null) this.#calls.note(call.leg.callId, request.answeredAt)
    if (total <= call.held) return held(call.held, call.raises, null)
    const credit = this.#byId.get(call.accountId)
    assert.ok(credit, 'the account of a call exists')
    if (credit.state === 'closed') return held(call.held, call.raises, 'account_closed')
    const raised = smaller(total, call.held + credit.available)
    if (raised === call.held || raised < atLeast) return held(call.held, call.raises, 'no_credit')
    this.#calls.raise(call.leg.callId, raised)
    this.#setAside.run(raised - call.held, call.accountId)
    return held(raised, call.raises + 1, raised < total ? 'no_credit' : null)
  }

  /** What was recorded at the first hold is what is filed: it is what the account was promised. */
  #end(settlement: Settlement, call: StoredCall | undefined): Cdr {
    const { leg, tariff } = call ?? settlement
    const plan = tariff?.plan ?? settlement.plan
    const number = tariff?.number ?? settlement.number
    const { price, ending } = settlement
    const cost = smaller(price, call?.held ?? 0n)
    const writeOff = price - cost
    const booking = {
      reference: leg.callId,
      actor: ACTOR,
      reason: `call to ${number ?? leg.dialled}`,
    }
    if (call) {
      this.#calls.remove(leg.callId)
      this.#setAside.run(-call.held, call.accountId)
      if (cost > 0n) {
        this.#bookings.book(call.accountId, { ...booking, kind: 'call', amount: -cost })
      }
    }
    if (writeOff > 0n) this.#bookings.writeOff({ ...booking, amount: writeOff })
    const held = call?.held ?? 0n
    return this.#cdrs.file(leg, tariff, { ...ending, plan, number, cost, held, writeOff })
  }
}

function held(amount: Money, raises: number, reason: Refusal | null): Held {
  return { status: 'held', held: amount, raises, reason }
}
