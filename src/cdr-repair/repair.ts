/**
 * What is done with the records that switches keep of their legs. On a healthy system a record comes
 * just before HANGUP_COMPLETE, which waits for our answer, and tells the same: the call is settled by
 * it. What is left are the records of calls of which events were missed.
 *
 *   record ─of a supervised call──▶ it settles, by the exact end
 *     │ ├──of a call that was lost─▶ its CDR is corrected
 *     │ └──of any other filed call─▶ nothing
 *     └─not known, and may have to pay─▶ kept, waiting ─a while─▶ if it is still not known,
 *                                           │                  listed or charged
 *                                           └─its own events─▶ forgotten
 *
 * Everything that is answered is durable: who does not get an answer keeps the record in a file, and
 * that is imported later. Records come in any order, and more than once.
 */
import type { Logger } from 'pino'
import type { Instant, Leg } from '../call/call.js'
import { type Cdr, cdrJson, formatInstant, LOST } from '../call/cdr.js'
import { Payers } from '../call/payer.js'
import type { Settings } from '../call/settings.js'
import type { Clock } from '../controller/clock.js'
import type { Controller } from '../controller/controller.js'
import { type Price, priceFor } from '../controller/price.js'
import type { SwitchLink } from '../controller/switch-link.js'
import { BookError } from '../ledger/books.js'
import { type Ledger, LedgerError } from '../ledger/ledger.js'
import {
  type EndedLeg,
  type PayingCall,
  type Repairs,
  type Standing,
  type UnseenCall,
  undecided,
} from '../ledger/repairs.js'
import type { RateBook } from '../rating/rate-book.js'
import { decodeJsonCdr, type JsonCdr, RecordError } from '../switch/json-cdr.js'
import { endOfLost, endOfOpen, endOfUnseen } from './exact-end.js'
import { checkSense } from './sense.js'

/** Those that supervise calls: their events are under way besides their records. */
export interface Supervisors {
  readonly controller: Controller
  readonly links: () => readonly SwitchLink[]
  readonly clock: Clock
}

export interface CdrRepairOptions {
  readonly repairs: Repairs
  readonly ledger: Ledger
  readonly rateBook: () => Promise<RateBook>
  readonly settings: () => Settings
  readonly loopbackPays: () => boolean
  /** What becomes of a call that nobody saw: it is put on a list, or charged. */
  readonly unseen: 'list' | 'charge'
  /** How long the events of a leg may come after its record. */
  readonly graceS: number
  /** Null where no daemon runs: no event can come any more. */
  readonly supervisors: Supervisors | null
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** Microseconds since the epoch, by our clock. */
  readonly now: () => number
}

/** What a record has led to. */
export type Taken =
  /** The call is known, and ended as the record says. */
  | 'known'
  /** The call is known and ended otherwise; nothing was changed. */
  | 'contradicts'
  /** A call on record that nobody supervised is settled. */
  | 'settled'
  | 'corrected'
  /** It is kept: for now, for the operator, or because he has decided on it. */
  | 'waiting'
  | 'open'
  | 'charged'
  | 'dismissed'
  /** Nobody has to pay for the leg. */
  | 'free'

/** How often it is looked what has waited for long enough. */
const LOOK_MS = 5_000

/** A record that is waited for in vain for so long will not come any more. */
const KEEP_US = 7 * 86_400 * 1e6

/** Who charges what the operator need not decide on. */
const ACTOR = 'tollgate'

export class CdrRepair {
  #prunedAt = Number.NEGATIVE_INFINITY

  constructor(readonly options: CdrRepairOptions) {}

  get repairs(): Repairs {
    return this.options.repairs
  }

  /** From now on what has waited is decided on, for as long as the clock runs. */
  start(): void {
    const { supervisors, log } = this.options
    const look = async () => {
      try {
        await this.decideDue()
      } catch (error) {
        log.error({ error }, 'unseen calls could not be decided on yet')
      }
      supervisors?.clock.wakeAt('cdr repair', supervisors.clock.now() + LOOK_MS, () => void look())
    }
    void look()
  }

  /**
   * Takes a record as mod_json_cdr posts it, or writes it. May be repeated.
   * @throws RecordError, and LedgerError `unavailable`: then it has not been taken
   */
  async takeBody(body: Buffer, postedFor: string | null = null): Promise<Taken> {
    const record = decodeJsonCdr(body)
    const { legId } = record.event
    if (postedFor !== null && postedFor !== legId) {
      throw new RecordError(`This is the record of ${legId}, and not of the leg in the address`)
    }
    checkSense(record, this.options.now())
    return this.take(record)
  }

  /**
   * takeBody(), for who has found the record in a file.
   * @throws BookError bad_input, LedgerError `unavailable`
   */
  async importRecord(text: string): Promise<Taken> {
    try {
      return await this.takeBody(Buffer.from(text))
    } catch (error) {
      if (error instanceof RecordError) throw new BookError('bad_input', error.message)
      throw error
    }
  }

  async take(record: JsonCdr): Promise<Taken> {
    const { repairs, supervisors } = this.options
    const { legId } = record.event
    this.#handOver(record.event)
    await this.#learn(record)
    const standing = await repairs.standing(legId)
    if (standing.status === 'filed') return this.#compare(standing, endedLeg(record, null, ''))
    const taken = await this.#keep(record, standing)
    if (supervisors !== null) return taken
    // Nobody hears the events of calls: there is nothing to wait for.
    await this.decideDue()
    const { status } = await repairs.standing(legId)
    if (standing.status === 'open' && status === 'filed') return 'settled'
    return (await repairs.find(legId))?.state ?? taken
  }

  /** Decides on all that has waited for as long as events may be late. */
  async decideDue(): Promise<void> {
    const { repairs, supervisors, graceS, now, log } = this.options
    if (now() > this.#prunedAt + KEEP_US / 100) {
      this.#prunedAt = now()
      await repairs.prune(now() - KEEP_US)
    }
    const graceUs = supervisors === null ? 0 : graceS * 1e6
    for (const call of await repairs.due(now() - graceUs)) {
      try {
        await this.#decide(call)
      } catch (error) {
        if (error instanceof LedgerError) throw error
        log.error({ callId: call.callId, error }, 'an unseen call could not be decided on')
      }
    }
  }

  /**
   * Charges an unseen call that waits, or is on the list.
   * @throws BookError unknown_call, call_decided; and where it cannot be priced, why
   */
  async charge(callId: string, actor: string, reason: string): Promise<Cdr> {
    const { repairs } = this.options
    const paying = undecided(callId, await repairs.find(callId))
    if ((await repairs.standing(callId)).status !== 'unknown') {
      throw new BookError('unknown_call', `The call ${callId} is not unseen: it is on record`)
    }
    const price = await this.#priceOf(paying)
    if (price.type === 'unpriced') throw unpricedError(paying, price)
    return this.#charge(paying, price, { callId, actor, reason })
  }

  /** To whoever supervises the leg, as if it were its last event. */
  #handOver(event: JsonCdr['event']): void {
    const { supervisors } = this.options
    if (!supervisors) return
    const { controller, links } = supervisors
    const link = links().find(
      one => one.coreUuid === event.coreUuid || one.remembered.has(event.legId),
    )
    if (link) return link.onRecord(event)
    // A run that is over: its call is still waiting for `sofia recover`.
    const slot = controller.calls.get(event.legId)
    if (slot?.coreUuid === event.coreUuid) controller.acceptLegEvent(slot.link, event)
  }

  /** The code of an A-leg is that of legs whose own records may have come, or not. */
  async #learn({ event, originated }: JsonCdr): Promise<void> {
    const code = event.acLeg === 'a' ? null : event.ac
    const hasDialled = originated.length > 0 || (event.direction === 'inbound' && code !== null)
    if (!hasDialled) return
    await this.options.repairs.learn({ legId: event.legId, code }, originated)
  }

  /** The CDR of the call is filed: whatever the record says, it is not filed again. */
  async #compare(filed: Standing & { status: 'filed' }, leg: EndedLeg): Promise<Taken> {
    const { repairs, settings, log } = this.options
    const { cdr, tariff } = filed
    const { callId } = leg
    if (cdr.cause === LOST && !cdr.corrected) {
      const { price, ending } = endOfLost(cdr, tariff, leg, settings())
      const corrected = await repairs.correct(callId, price, ending)
      if (!corrected) return 'known'
      log.info({ callId, cdr: cdrJson(corrected) }, 'the lost end of a call is known')
      return 'corrected'
    }
    if (cdr.answeredAt === leg.answeredAt && cdr.endedAt === leg.endedAt) return 'known'
    const recorded = { answeredAt: stampOf(leg.answeredAt), endedAt: stampOf(leg.endedAt) }
    log.warn({ callId, cdr: cdrJson(cdr), recorded }, 'the record of a call contradicts its CDR')
    return 'contradicts'
  }

  async #keep(record: JsonCdr, standing: Standing): Promise<Taken> {
    const { repairs, loopbackPays } = this.options
    const { event } = record
    let account: string | null = null
    if (standing.status === 'open') account = standing.call.leg.account
    else {
      // Which is judged by the one rule for that, as if this were all that was heard of the leg.
      const [finding] = new Payers(loopbackPays()).observe(event)
      if (!finding || event.answeredAt === null) return 'free'
      if (finding.type === 'pays') account = finding.account
    }
    const name = (await repairs.switchOf(event.coreUuid)) ?? record.switchName
    const kept = await repairs.keep(endedLeg(record, account, name))
    return kept?.state ?? 'free'
  }

  async #decide(call: PayingCall): Promise<void> {
    const { repairs, ledger, settings, unseen, log } = this.options
    const { callId } = call
    const standing = await repairs.standing(callId)
    if (standing.status === 'filed') {
      await this.#compare(standing, call)
      return repairs.forget(callId)
    }
    if (standing.status === 'open') {
      if (this.#isSupervised(callId)) return
      const { leg, tariff } = standing.call
      const { price, ending } = endOfOpen(standing.call, call, settings())
      const { plan, number } = tariff
      await ledger.settle({ leg, tariff, plan, number, price, ending })
      return
    }
    if (call.answeredAt === null) return repairs.forget(callId)
    const price = unseen === 'charge' ? await this.#priceOf(call) : null
    if (price?.type === 'priced') {
      await this.#charge(call, price, { callId, actor: ACTOR, reason: '' })
      return
    }
    const { account } = call
    const why = price?.reason ?? null
    log.warn({ callId, account, why }, 'a call was not seen: it is on the list')
    await repairs.list(callId)
  }

  #isSupervised(callId: string): boolean {
    const { supervisors } = this.options
    if (!supervisors) return false
    const { controller, links } = supervisors
    return controller.calls.has(callId) || links().some(link => link.remembered.has(callId))
  }

  async #priceOf({ account, dialled, answeredAt, endedAt }: PayingCall): Promise<Price> {
    const { ledger } = this.options
    const rateBook = await this.options.rateBook()
    return priceFor({ ledger, rateBook }, account, dialled, () => answeredAt ?? endedAt)
  }

  async #charge(
    call: PayingCall,
    { tariff }: Price & { type: 'priced' },
    by: { readonly callId: string; readonly actor: string; readonly reason: string },
  ): Promise<Cdr> {
    const { repairs, settings, log } = this.options
    const { answeredAt } = call
    if (answeredAt === null) {
      throw new BookError('unknown_call', `The call ${call.callId} was never answered`)
    }
    const leg = legOf(call)
    const { price, ending, ...rated } = endOfUnseen(
      leg,
      tariff,
      { ...call, answeredAt },
      settings(),
    )
    const { plan, number } = tariff
    const settlement = { leg, tariff: rated.tariff, plan, number, price, ending }
    const cdr = await repairs.charge(settlement, by)
    log.info(
      { callId: leg.callId, actor: by.actor, cdr: cdrJson(cdr) },
      'an unseen call is charged',
    )
    return cdr
  }
}

function endedLeg({ event }: JsonCdr, account: string | null, switchName: string): EndedLeg {
  return {
    callId: event.legId,
    switch: switchName,
    coreUuid: event.coreUuid,
    account,
    dialled: event.acNumber ?? event.number,
    createdAt: event.createdAt,
    otherLeg: event.otherLeg,
    answeredAt: event.answeredAt,
    endedAt: event.hangupAt,
    cause: event.cause ?? 'NONE',
  }
}

function legOf(call: PayingCall): Leg {
  const { callId, coreUuid, account, dialled, createdAt, otherLeg } = call
  return { callId, switch: call.switch, coreUuid, account, dialled, createdAt, otherLeg }
}

function stampOf(at: Instant | null): string | null {
  return at === null ? null : formatInstant(at)
}

/** Why it cannot be charged now, for who wanted that. */
function unpricedError(
  { callId, account, dialled }: UnseenCall,
  { reason }: Price & { type: 'unpriced' },
): BookError {
  const sentence = `The call ${callId} cannot be charged`
  switch (reason) {
    case 'unknown_account':
      return new BookError('unknown_account', `${sentence}: there is no account ${account}`)
    case 'account_suspended':
    case 'account_closed':
      return new BookError(
        'account_closed',
        `${sentence}: ${account} is not active; reopen it first`,
      )
    default:
      return new BookError(
        'no_rate',
        `${sentence}: ${dialled} is refused to ${account} (${reason})`,
      )
  }
}
