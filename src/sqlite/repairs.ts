/** What is learnt of calls after their end, in SQLite. Shares the committer with the calls. */
import assert from 'node:assert/strict'
import type { Ending } from '../call/call.js'
import { type Cdr, LOST } from '../call/cdr.js'
import type { Settlement } from '../ledger/ledger.js'
import {
  type ALeg,
  type Decision,
  type EndedLeg,
  type PayingCall,
  type Repairs,
  type Standing,
  type UnseenCall,
  type UnseenFilter,
  undecided,
} from '../ledger/repairs.js'
import { formatMoney, type Money } from '../money.js'
import { AuditTable } from './audit-table.js'
import { Calls } from './calls.js'
import { SqliteCdrs } from './cdrs.js'
import { Corrections } from './corrections.js'
import type { Statement } from './database.js'
import type { SqliteLedger } from './ledger.js'
import type { LedgerFile } from './ledger-file.js'
import { UnseenCalls } from './unseen-calls.js'

export class SqliteRepairs implements Repairs {
  readonly #file: LedgerFile
  readonly #ledger: SqliteLedger
  readonly #calls: Calls
  readonly #cdrs: SqliteCdrs
  readonly #corrections: Corrections
  readonly #unseen: UnseenCalls
  readonly #audit: AuditTable
  readonly #switchOf: Statement<[string], string>

  constructor(file: LedgerFile, ledger: SqliteLedger) {
    const { database } = file
    this.#file = file
    this.#ledger = ledger
    this.#calls = new Calls(database)
    this.#cdrs = new SqliteCdrs(file)
    this.#corrections = new Corrections(file)
    this.#unseen = new UnseenCalls(database)
    this.#audit = new AuditTable(database, file.now)
    this.#switchOf = database
      .prepare<[string], string>('SELECT switch FROM switch_run WHERE core_uuid = ? LIMIT 1')
      .pluck()
  }

  standing(callId: string): Promise<Standing> {
    return this.#file.committer.read(() => {
      const filed = this.#cdrs.ratedAs(callId)
      if (filed) return { status: 'filed', ...filed }
      const call = this.#calls.find(callId)
      return call ? { status: 'open', call } : { status: 'unknown' }
    })
  }

  switchOf(coreUuid: string): Promise<string | undefined> {
    return this.#file.committer.read(() => this.#switchOf.get(coreUuid))
  }

  keep(leg: EndedLeg): Promise<UnseenCall | null> {
    return this.#file.committer.enqueue(() => {
      const kept = this.#unseen.find(leg.callId)
      if (kept) return kept
      const { account, otherLeg } = leg
      const told = account === null && otherLeg !== null ? this.#unseen.codeOf(otherLeg) : undefined
      if (told?.code === null) return null
      this.#unseen.add(leg, account ?? told?.code ?? null, this.#file.now())
      return this.#unseen.find(leg.callId)!
    })
  }

  learn(aLeg: ALeg, dialled: readonly string[]): Promise<void> {
    return this.#file.committer.enqueue(() => {
      this.#unseen.resolve(aLeg)
      const known = (legId: string) => this.#isKnown(legId)
      if (dialled.length > 0 && dialled.every(known)) return
      this.#unseen.keepCode(aLeg, this.#file.now())
    })
  }

  correct(callId: string, price: Money, ending: Ending): Promise<Cdr | null> {
    return this.#file.committer.enqueue(() => {
      const cdr = this.#cdrs.filed(callId)
      assert.ok(cdr, 'what is corrected has been filed')
      this.#unseen.forget(callId)
      if (cdr.corrected || cdr.cause !== LOST) return null
      this.#corrections.add(cdr, price, ending)
      return this.#cdrs.filed(callId)!
    })
  }

  due(receivedUntil: number): Promise<PayingCall[]> {
    return this.#file.committer.read(() => this.#unseen.due(receivedUntil))
  }

  list(callId: string): Promise<void> {
    return this.#file.committer.enqueue(() => this.#unseen.list(callId))
  }

  forget(callId: string): Promise<void> {
    return this.#file.committer.enqueue(() => this.#unseen.forget(callId))
  }

  charge(settlement: Settlement, by: Decision): Promise<Cdr> {
    return this.#ledger.charge(settlement, () => {
      this.#decide(by, 'charged', { price: formatMoney(settlement.price) })
    })
  }

  dismiss(by: Decision): Promise<UnseenCall> {
    return this.#file.committer.enqueue(() => {
      this.#decide(by, 'dismissed', {})
      return this.#unseen.find(by.callId)!
    })
  }

  find(callId: string): Promise<UnseenCall | undefined> {
    return this.#file.committer.read(() => this.#unseen.find(callId))
  }

  unseen(filter: UnseenFilter): Promise<UnseenCall[]> {
    return this.#file.committer.read(() => this.#unseen.select(filter))
  }

  prune(receivedBefore: number): Promise<void> {
    return this.#file.committer.enqueue(() => this.#unseen.prune(receivedBefore))
  }

  #isKnown(legId: string): boolean {
    return (
      this.#cdrs.filed(legId) !== undefined ||
      this.#calls.find(legId) !== undefined ||
      this.#unseen.find(legId) !== undefined
    )
  }

  /** Only inside a transaction. */
  #decide({ callId, actor, reason }: Decision, state: 'charged' | 'dismissed', more: object): void {
    const call = undecided(callId, this.#unseen.find(callId))
    this.#unseen.decide(callId, state, { by: actor, at: this.#file.now(), reason })
    const { account, state: before } = call
    this.#audit.record({
      ...{ actor, action: `cdr.${state === 'charged' ? 'charge' : 'dismiss'}` },
      subject: `call ${callId}`,
      before: { state: before },
      after: { state, account, ...more, ...(reason === '' ? {} : { reason }) },
    })
  }
}
