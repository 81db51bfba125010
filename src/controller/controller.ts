/**
 * The one loop: an event comes in, step() decides, its commands are carried out, and their answers
 * come back as events.
 *
 * A step runs to its end before the next event of any call is looked at, and no command answers
 * within the step that gave it: so a call never sees two events at once, and calls do not wait for
 * each other or for the ledger. Commands of one call go to the ledger, and to the switch, in the
 * order in which they were given.
 */
import { setImmediate } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Call, Command, Event, HungUp, Instant, Leg, Resumable } from '../call/call.js'
import { type Cdr, cdrJson } from '../call/cdr.js'
import type { LegEvent } from '../call/leg-event.js'
import type { Settings } from '../call/settings.js'
import { step } from '../call/step.js'
import type { Held, Ledger } from '../ledger/ledger.js'
import type { RateBook } from '../rating/rate-book.js'
import { type Announcements, Announcer } from './announcer.js'
import type { Clock } from './clock.js'
import { hungUpOf } from './hung-up.js'
import type { Moment } from './missing.js'
import { priceFor, unpriced } from './price.js'
import type { SwitchLink } from './switch-link.js'
import { Timers } from './timers.js'

export interface ControllerOptions extends Rules {
  readonly ledger: Ledger
  readonly rateBook: RateBook
  readonly clock: Clock
  readonly log: Logger
  readonly observer?: Observer
}

/** What an operator decides, and may change while calls are up. */
export interface Rules {
  readonly settings: Settings
  readonly causes: Causes
  /** Added to every timer of the switch, which may fire up to a second early. At least 1. */
  readonly timerMarginS: number
  readonly announcements: Announcements
}

/** FreeSWITCH's hangup causes for the legs that we end. */
export interface Causes {
  readonly refused: string
  readonly cut_off: string
  readonly killed: string
}

/** Hears of what the controller does, for replay, the demo and tests. */
export interface Observer {
  onStep?(callId: string, event: Event, call: Call): void
  onCommand?(callId: string, command: Command, at: Instant): void
  onCdr?(cdr: Cdr): void
}

/** A call under supervision. */
export interface Supervised {
  call: Call
  readonly link: SwitchLink
  leg: Leg
  /** The last instant at which the leg is proven to have been alive. */
  lastAlive: Instant
  /** The run of the switch in which it was last seen alive. */
  coreUuid: string
  /** Since when complete answers of the switch are without it. */
  missing: Moment | null
}

/** An ended call is kept for a while, so that late copies of its events find it ended. */
const FORGET_MS = 60_000

/** A call whose last events are late is looked at again after this. */
const LATE_MS = 1000

export class Controller {
  readonly calls = new Map<string, Supervised>()
  readonly #renamed = new Map<string, string>()
  readonly #timers: Timers
  readonly #announcer: Announcer
  #rules: Rules
  /** Questions to the ledger that have not been answered yet. */
  #unanswered = 0

  constructor(readonly options: ControllerOptions) {
    const { clock, log, ledger } = options
    this.#rules = options
    this.#timers = new Timers({ clock, log, rules: () => this.#rules })
    const warned = (callId: string, at: Instant) => this.#await(ledger.warned(callId, at))
    this.#announcer = new Announcer(() => this.#rules.announcements, warned, log)
  }

  /** Resolves when the ledger has answered everything, and what followed from its answers. */
  async idle(): Promise<void> {
    do await setImmediate()
    while (this.#unanswered > 0)
  }

  get rules(): Rules {
    return this.#rules
  }

  get settings(): Settings {
    return this.#rules.settings
  }

  /** New rules hold from the next event of each call on; a timer that is set stays until it is moved. */
  reconfigure(rules: Rules): void {
    this.#rules = rules
  }

  /** Takes in the events of a leg that has been found to pay. The first is the one that proves it. */
  begin(link: SwitchLink, account: string, events: readonly LegEvent[]): void {
    const first = events[0]!
    const { legId: callId, coreUuid, createdAt } = first
    const on = this.calls.get(callId)
    if (on && on.link !== link) return this.#turnAway(callId, on, link)
    if (!on) {
      const dialled = first.acNumber ?? first.number
      // An A-leg that pays for itself may name the far end, which hears nothing.
      const otherLeg = first.direction === 'inbound' ? callId : first.otherLeg
      const leg = { callId, switch: link.name, coreUuid, account, dialled, createdAt, otherLeg }
      this.#supervise(link, leg, first.at)
      this.accept(callId, { type: 'created', at: first.at, leg, answeredAt: first.answeredAt })
    }
    for (const event of events) this.acceptLegEvent(link, event)
  }

  /** Goes on with a call that the ledger has on record and the switch still has alive. */
  resume(link: SwitchLink, known: Resumable, seen: { askedAt: Instant; coreUuid: string }): void {
    const slot = this.#supervise(link, known.leg, seen.askedAt)
    slot.coreUuid = seen.coreUuid
    this.accept(known.leg.callId, { type: 'resumed', at: link.now(), call: known })
  }

  /** Settles a call that the ledger has on record and that has ended while nobody looked. */
  close(link: SwitchLink, known: Resumable, hungUp: HungUp): void {
    const { callId } = known.leg
    const slot = this.#supervise(link, known.leg, hungUp.at)
    const resumed = { type: 'resumed', at: hungUp.at, call: known } as const
    try {
      ;[slot.call] = step(slot.call, resumed, this.settings)
    } catch (error) {
      return this.#giveUp(callId, slot, resumed, error)
    }
    this.accept(callId, hungUp)
  }

  /** Takes in an event of a leg, if it is one that we supervise on that switch. */
  acceptLegEvent(link: SwitchLink, event: LegEvent): void {
    const slot = this.calls.get(event.legId)
    if (slot?.link !== link) return
    if (event.hangupAt === null) this.seenAlive(event.legId, event.at, event.coreUuid)
    const hungUp = hungUpOf(event)
    if (hungUp) return this.accept(event.legId, hungUp)
    // Whatever event shows it: ANSWER itself may have been lost.
    const { answeredAt } = event
    if (answeredAt !== null) this.accept(event.legId, { type: 'answered', at: answeredAt })
  }

  /**
   * The leg is proven to have been alive then, in that run of the switch. Another run than before
   * has brought the leg back, but none of the timers.
   */
  seenAlive(callId: string, at: Instant, coreUuid: string): void {
    const slot = this.calls.get(callId)
    if (!slot) return
    slot.lastAlive = Math.max(slot.lastAlive, at)
    if (slot.coreUuid === coreUuid) return
    slot.coreUuid = coreUuid
    this.#timers.forget(callId)
    this.#armAgain(callId, slot)
  }

  accept(id: string, event: Event): void {
    const callId = this.#renamed.get(id) ?? id
    const slot = this.calls.get(callId)
    if (!slot) return
    let commands: readonly Command[]
    try {
      ;[slot.call, commands] = step(slot.call, event, this.settings)
    } catch (error) {
      return this.#giveUp(callId, slot, event, error)
    }
    this.options.observer?.onStep?.(callId, event, slot.call)
    for (const command of commands) {
      this.options.observer?.onCommand?.(callId, command, event.at)
      this.#perform(callId, slot, command)
    }
    if (slot.call.phase === 'ended') this.#forgetLater(callId, slot)
  }

  /** Credit has arrived on an account: its final calls try again at once. */
  toppedUp(account: string): void {
    for (const [callId, slot] of this.calls) {
      if (slot.leg.account === account) {
        this.accept(callId, { type: 'toppedUp', at: slot.link.now() })
      }
    }
  }

  /** Ends a call for an operator. False where there is no such live call. */
  kill(callId: string): boolean {
    const slot = this.calls.get(callId)
    if (!slot || slot.call.phase === 'settling' || slot.call.phase === 'ended') return false
    this.accept(callId, { type: 'killed', at: slot.link.now() })
    return true
  }

  /** A leg goes on under another Unique-ID; answers to what was asked before still find it. */
  rename(link: SwitchLink, callId: string, newCallId: string): void {
    const slot = this.calls.get(callId)
    if (slot?.link !== link || slot.call.phase === 'new' || this.calls.has(newCallId)) return
    const { otherLeg } = slot.leg
    const caller = otherLeg === callId ? newCallId : otherLeg
    slot.leg = { ...slot.leg, callId: newCallId, otherLeg: caller }
    slot.call = { ...slot.call, leg: slot.leg }
    const formerly = [callId, ...this.#formerIds(callId)]
    this.#forget(callId, slot)
    this.calls.set(newCallId, slot)
    for (const id of formerly) this.#renamed.set(id, newCallId)
    this.options.ledger.rename(callId, newCallId).catch(error => {
      this.options.log.error({ callId, newCallId, error }, 'the new id of a call is not recorded')
    })
    this.#armAgain(newCallId, slot)
    this.accept(newCallId, { type: 'woken', at: slot.link.now() })
  }

  /**
   * A leg that would pay has the Unique-ID of a call on another switch, as a dialplan makes it that
   * hands ids on. The books know one call of an id: nobody could pay for this one.
   */
  #turnAway(callId: string, on: Supervised, link: SwitchLink): void {
    const { log, causes } = this.options
    const switches = [on.link.name, link.name]
    log.error({ callId, switches }, 'two switches have a leg of the same Unique-ID')
    link.switch.hangUp(callId, causes.refused).catch(error => {
      log.warn({ callId, switch: link.name, error }, 'the switch did not end a leg')
    })
  }

  #armAgain(callId: string, slot: Supervised): void {
    const { call } = slot
    if (call.phase === 'answered') this.#timers.arm(callId, slot, call.fundedUntil, call.raises)
  }

  #supervise(link: SwitchLink, leg: Leg, lastAlive: Instant): Supervised {
    const call = { phase: 'new' } as const
    const { coreUuid } = leg
    const slot: Supervised = { call, link, leg, lastAlive, coreUuid, missing: null }
    this.calls.set(leg.callId, slot)
    return slot
  }

  #perform(callId: string, slot: Supervised, command: Command): void {
    const { ledger } = this.options
    const { link } = slot
    switch (command.type) {
      case 'price':
        return this.#price(callId, slot)
      case 'hold':
        return this.#hold(callId, slot, command)
      case 'note':
        this.#await(ledger.note(callId, command.answeredAt)).catch(error => {
          this.options.log.warn({ callId, error }, 'the answer of a call is not recorded')
        })
        return
      case 'hangUp':
        this.#announcer.sendElsewhere(slot, command.why)
        return this.#hangUp(callId, slot, this.#rules.causes[command.why])
      case 'hangUpAfterAnswer':
        return this.#timers.armAtAnswer(callId, slot, command.talkS)
      case 'hangUpAt':
        return this.#timers.arm(callId, slot, command.at, command.raises)
      case 'wakeAt':
        return this.#wakeAt(callId, slot, command.at, link.toLocalMs(command.at))
      case 'warn':
        return this.#announcer.warn(slot, command.fundedUntil)
      case 'settle':
        return this.#settle(callId, slot, command)
    }
  }

  /** The exact end of a call that has hung up may be in an event that is late, as all others are. */
  #wakeAt(callId: string, slot: Supervised, at: Instant, localMs: number): void {
    const { clock } = this.options
    clock.wakeAt(callId, localMs, () => {
      const { call, link } = slot
      const awaitsExactEnd = call.phase === 'settling' && call.before !== null
      if (awaitsExactEnd && link.mayHearOf(at)) {
        return this.#wakeAt(callId, slot, at, clock.now() + LATE_MS)
      }
      this.accept(callId, { type: 'woken', at: Math.max(at, link.now()) })
    })
  }

  /** Counts a question until its answer is about to be acted on. */
  async #await<T>(answer: Promise<T>): Promise<T> {
    this.#unanswered += 1
    try {
      return await answer
    } finally {
      this.#unanswered -= 1
    }
  }

  #price(callId: string, slot: Supervised): void {
    const { account, dialled } = slot.leg
    const { link } = slot
    // The period and the rate in force at the answer hold for the whole call. That may be known only
    // later, though it is past by now: so all that was in force since the leg's creation counts.
    const at = () =>
      (slot.call.phase === 'pricing' ? slot.call.answeredAt : null) ?? slot.leg.createdAt
    this.#await(priceFor(this.options, account, dialled, at)).then(
      price => this.accept(callId, { at: link.now(), ...price }),
      error => {
        this.options.log.error({ callId, error }, 'the account of a call could not be looked up')
        const price = unpriced('ledger_unavailable', null, dialled)
        this.accept(callId, { at: link.now(), ...price })
      },
    )
  }

  #hold(callId: string, slot: Supervised, command: Extract<Command, { type: 'hold' }>): void {
    if (slot.call.phase === 'new' || !('tariff' in slot.call) || !slot.call.tariff) return
    const { total, atLeast, answeredAt } = command
    const { leg, tariff } = slot.call
    const answer = (held: Held): Event => {
      const at = slot.link.now()
      if (held.status === 'settled') return { type: 'settled', at }
      return { type: 'held', at, held: held.held, raises: held.raises, reason: held.reason }
    }
    const at = slot.link.now()
    this.#await(this.options.ledger.hold({ at, leg, tariff, answeredAt, total, atLeast })).then(
      held => this.accept(callId, answer(held)),
      error => {
        this.options.log.error({ callId, error }, 'credit could not be held')
        this.accept(callId, { type: 'holdFailed', at: slot.link.now() })
      },
    )
  }

  #settle(callId: string, slot: Supervised, command: Extract<Command, { type: 'settle' }>): void {
    if (slot.call.phase !== 'settling') return
    const { leg, tariff, plan, number } = slot.call
    const { price, ending } = command
    this.#await(this.options.ledger.settle({ leg, tariff, plan, number, price, ending })).then(
      cdr => {
        this.options.log.info({ callId, cdr: cdrJson(cdr) }, 'call ended')
        this.options.observer?.onCdr?.(cdr)
        this.accept(callId, { type: 'settled', at: slot.link.now() })
      },
      error => {
        this.options.log.error({ callId, error }, 'a call could not be settled yet')
        this.accept(callId, { type: 'settleFailed', at: slot.link.now() })
      },
    )
  }

  #hangUp(callId: string, slot: Supervised, cause: string): void {
    slot.link.switch.hangUp(callId, cause).catch(error => {
      this.options.log.warn({ callId, cause, error }, 'the switch did not end a leg')
      this.accept(callId, { type: 'hangUpFailed', at: slot.link.now() })
    })
  }

  /** A bug of ours must not become free talk, nor touch any other call. */
  #giveUp(callId: string, slot: Supervised, event: Event, error: unknown): void {
    this.options.log.fatal({ callId, call: slot.call, event, error }, 'a call broke the rules')
    this.#forget(callId, slot)
    slot.link.switch.hangUp(callId, this.#rules.causes.refused).catch(() => {
      // Logged above. The switch's own timer ends it; its hangup, or the sweeper, settles it.
    })
  }

  #forgetLater(callId: string, slot: Supervised): void {
    this.#timers.forget(callId)
    const { clock } = this.options
    clock.wakeAt(callId, clock.now() + FORGET_MS, () => this.#forget(callId, slot))
  }

  /** Should the leg be heard of again, it is judged anew: the ledger knows whether it has settled. */
  #forget(callId: string, slot: Supervised): void {
    this.calls.delete(callId)
    for (const id of this.#formerIds(callId)) this.#renamed.delete(id)
    this.#timers.forget(callId)
    this.options.clock.cancel(callId)
    slot.link.payers.forget(callId)
  }

  #formerIds(callId: string): string[] {
    return [...this.#renamed.keys()].filter(id => this.#renamed.get(id) === callId)
  }
}
