/** Live calls: what they are, and how one is ended. */
import { z } from 'zod'
import type { Instant, Resumable } from '../call/call.js'
import { formatInstant } from '../call/cdr.js'
import { type Auditor, type AuditTrail, BookError } from '../ledger/books.js'
import { formatMoney, type Money } from '../money.js'
import { affordableSeconds } from '../rating/rate.js'
import { accountCode, actor, callId, planName, quoted } from './fields.js'

/**
 * The port to the calls that a daemon supervises; the controller implements it. It is told as well
 * what has changed for them, always after the change is durable.
 */
export interface LiveCalls {
  list(): readonly LiveCall[]
  /** Ends a call. False where there is no such live call. */
  kill(callId: string): Promise<boolean>
  /** The account may have credit that it had not before: its final calls try again. */
  toppedUp(account: string): void
  /** The rates of one plan, or of all, are not what they were. Resolves when new calls get them. */
  ratesChanged(plan: string | undefined): Promise<void>
}

export interface LiveCall {
  readonly callId: string
  readonly account: string
  readonly number: string
  readonly switch: string
  readonly state: 'pricing' | 'authorizing' | 'ringing' | 'answered' | 'refused' | 'settling'
  /** Whole seconds of talk so far. */
  readonly seconds: number
  /** What they cost. */
  readonly cost: Money
  readonly held: Money
  /** Null before it is answered. */
  readonly fundedUntil: Instant | null
  /** The call ends when its hold is used up. */
  readonly final: boolean
}

/** `seconds`, `cost` and `final` are null where no daemon watches the call. */
export type LiveCallJson = ReturnType<typeof supervised> | ReturnType<typeof unsupervised>

export const callListInput = z.strictObject({ account: accountCode.optional() })

export const callKillInput = z.strictObject({ call_id: callId, actor })

/** Rates are written by whoever changes them, into their own file; then the daemon is told. */
export const ratesReloadInput = z.strictObject({ plan: planName.optional() })

/** What can be done with live calls. The inputs have been read by the schemas above. */
export class CallProvisioning {
  /**
   * @param live undefined where no daemon runs; then what is recorded is shown, and nothing can be
   *   ended, because nobody is connected to a switch
   * @param longestCallS the longest that a call is funded for
   */
  constructor(
    readonly auditor: Pick<Auditor, 'allOpenCalls'>,
    readonly trail: AuditTrail,
    readonly live: LiveCalls | undefined,
    readonly longestCallS: () => number | Promise<number>,
  ) {}

  async list({ account }: z.output<typeof callListInput>): Promise<LiveCallJson[]> {
    const calls = this.live ? this.live.list().map(supervised) : await this.#recorded()
    return account === undefined ? calls : calls.filter(call => call.account === account)
  }

  async kill({ call_id, actor }: z.output<typeof callKillInput>): Promise<{ call_id: string }> {
    if (!this.live) {
      throw new BookError(
        'unknown_call',
        'No call can be ended, because no daemon runs on this data directory',
      )
    }
    const call = this.live.list().find(({ callId }) => callId === call_id)
    if (!call || !(await this.live.kill(call_id))) {
      throw new BookError('unknown_call', `There is no live call ${quoted(call_id)}`)
    }
    const record = { actor, action: 'call.kill', subject: `call ${call_id}` }
    const { account, number, state, seconds } = call
    const before = { account, number, state, seconds, cost: formatMoney(call.cost) }
    await this.trail.record({ ...record, before, after: { reason: 'killed' } })
    return { call_id }
  }

  async reloadRates({ plan }: z.output<typeof ratesReloadInput>): Promise<{ plan: string | null }> {
    await this.live?.ratesChanged(plan)
    return { plan: plan ?? null }
  }

  async #recorded(): Promise<LiveCallJson[]> {
    const open = await this.auditor.allOpenCalls()
    if (open.length === 0) return []
    const longestCallS = await this.longestCallS()
    return open.map(call => unsupervised(call, longestCallS))
  }
}

function supervised(call: LiveCall) {
  return {
    call_id: call.callId,
    account: call.account,
    number: call.number,
    switch: call.switch,
    state: call.state,
    seconds: call.seconds,
    cost: formatMoney(call.cost),
    held: formatMoney(call.held),
    funded_until: call.fundedUntil === null ? null : formatInstant(call.fundedUntil),
    final: call.final,
    supervised: true,
  }
}

function unsupervised({ leg, tariff, answeredAt, held }: Resumable, longestCallS: number) {
  const fundedS = affordableSeconds(tariff.rate, held, longestCallS)
  return {
    call_id: leg.callId,
    account: leg.account,
    number: tariff.number,
    switch: leg.switch,
    state: answeredAt === null ? ('ringing' as const) : ('answered' as const),
    seconds: null,
    cost: null,
    held: formatMoney(held),
    funded_until: answeredAt === null ? null : formatInstant(answeredAt + fundedS * 1_000_000),
    final: null,
    supervised: false,
  }
}
