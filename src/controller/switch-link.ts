/**
 * One switch under control: takes in what it tells, judges which legs pay, and hands their events
 * to the controller.
 */
import type { Logger } from 'pino'
import type { Instant, Resumable } from '../call/call.js'
import type { Heartbeat, LegEvent } from '../call/leg-event.js'
import { type Finding, Payers } from '../call/payer.js'
import type { Switch, SwitchListener } from '../switch/switch.js'
import type { Clock } from './clock.js'
import type { Controller } from './controller.js'
import { ExpectedLegs } from './expected.js'
import { hungUpOf } from './hung-up.js'
import type { Moment } from './missing.js'
import { RecentLargest } from './recent-largest.js'
import { SwitchClock } from './switch-clock.js'

/** A call on record, and the last instant at which its leg is proven to have been alive. */
export interface Remembered {
  readonly known: Resumable
  readonly lastAlive: Instant
  /** Since when complete answers of the switch are without it. */
  readonly missing: Moment | null
}

export interface LinkOptions {
  readonly controller: Controller
  readonly clock: Clock
  readonly log: Logger
  readonly loopbackPays: boolean
  /** Called when events come again, and what was missed can be asked for. */
  readonly onUp?: (link: SwitchLink) => void
}

/** What can be told of a switch, and how well we hear it. Null is not known, or not known yet. */
export interface SwitchReport {
  readonly version: string | null
  /** The run of the switch that was last heard. */
  readonly coreUuid: string | null
  /** How late its latest event came, of those of the last minute or two; against the quickest of them. */
  readonly lagMs: number | null
  /** How far its clock is ahead of ours, the one that NTP sets. */
  readonly clockOffsetMs: number | null
  readonly heartbeatAgeS: number | null
  /** Its legs at that heartbeat, those that pay nothing as well. */
  readonly sessions: number | null
}

const ASK_AGAIN_MS = 1000

/** How long the last events of an A-leg that is gone may be out of their order. */
const LAST_EVENTS_US = 5e6

export class SwitchLink implements SwitchListener {
  readonly payers: Payers
  readonly #clock = new SwitchClock()
  readonly #lag = new RecentLargest()
  /** Its last heartbeat, and when that came by our monotonic clock. */
  #beat: { readonly told: Heartbeat; readonly atMs: number } | null = null
  /** The run of the switch that its last event came from. */
  coreUuid: string | null = null
  isUp = false
  /** The last event that came on the connection of now. Answers to commands do not count. */
  heardUpTo: Moment | null = null
  /** Legs that were found alive and that no event had told of: whether they are adopted. */
  readonly #strangers = new WeakMap<LegEvent, boolean>()
  /** Calls that the ledger has on record, of which this process has not heard yet. */
  readonly remembered = new Map<string, Remembered>()
  /** Legs that the gate has let through. */
  readonly expected: ExpectedLegs
  #switch: Switch | null = null

  constructor(
    readonly name: string,
    readonly options: LinkOptions,
  ) {
    this.payers = new Payers(options.loopbackPays)
    this.expected = new ExpectedLegs(this, options)
  }

  /** The switch itself, which was made with this link as its listener. */
  get switch(): Switch {
    if (!this.#switch) throw new Error(`switch ${this.name} is not attached`)
    return this.#switch
  }

  attach(freeswitch: Switch): void {
    this.#switch = freeswitch
  }

  /** Now, in the run of the switch that we know of; null where its time has not been learnt yet. */
  moment(): Moment | null {
    return this.coreUuid === null ? null : { coreUuid: this.coreUuid, at: this.now() }
  }

  /** Whether an event from before that moment may still come on the connection of now. */
  mayHearOf(at: Instant): boolean {
    return this.heardUpTo !== null && this.heardUpTo.at < at
  }

  /** The switch's time, now. Any number before it is known: see `moment`. */
  now(): Instant {
    return this.#clock.at(this.options.clock.now())
  }

  toLocalMs(instant: Instant): number {
    return this.#clock.toLocalMs(instant)
  }

  /** @param wallMs the time by our own clock, in milliseconds since the epoch */
  report(wallMs: number): SwitchReport {
    const beat = this.#beat
    const ageMs = beat && this.options.clock.now() - beat.atMs
    const lagMs = this.#lag.value
    return {
      version: beat?.told.version ?? null,
      coreUuid: this.coreUuid,
      lagMs: lagMs === null ? null : Math.round(lagMs),
      clockOffsetMs: this.moment() && Math.round(this.now() / 1000 - wallMs),
      heartbeatAgeS: ageMs === null ? null : Math.round(ageMs / 1000),
      sessions: beat?.told.sessions ?? null,
    }
  }

  /** Something with a stamp of the switch has just arrived. */
  heard(stamp: Instant, coreUuid: string): void {
    if (coreUuid !== this.coreUuid) {
      if (this.coreUuid !== null) this.#clock.reset()
      this.#lag.reset()
      this.#beat = null
      this.coreUuid = coreUuid
    }
    this.#clock.observe(stamp, this.options.clock.now())
  }

  /**
   * All that is known of a leg; null where it is gone. It tells the time as well, which events may
   * not have told yet, or tell late.
   */
  async describe(legId: string): Promise<LegEvent | null> {
    const leg = await this.switch.describe(legId)
    if (leg) this.heard(leg.at, leg.coreUuid)
    return leg
  }

  onEvent(event: LegEvent | Heartbeat): void {
    this.heard(event.at, event.coreUuid)
    this.heardUpTo = { coreUuid: event.coreUuid, at: event.at }
    const nowMs = this.options.clock.now()
    this.#lag.observe(nowMs - this.toLocalMs(event.at), nowMs)
    if (event.name === 'HEARTBEAT') this.#beat = { told: event, atMs: nowMs }
    else this.#take(event)
  }

  /**
   * The switch's own record of a leg that has ended, which is no event: it may be older than those
   * that have come, tells no time, and does not begin a call.
   */
  onRecord(last: LegEvent): void {
    this.#findCall(last)
    this.options.controller.acceptLegEvent(this, last)
  }

  /**
   * A leg was found alive that no event has told of. It is adopted if it pays, or else ended; which
   * leg pays may turn out later, when its A-leg tells.
   */
  onStranger(leg: LegEvent, adopted: boolean): void {
    this.#strangers.set(leg, adopted)
    this.#take(leg)
  }

  #take(event: LegEvent): void {
    const { controller } = this.options
    if (event.name === 'CHANNEL_UUID' && event.oldLegId !== null) {
      this.#findCall({ ...event, legId: event.oldLegId })
      controller.rename(this, event.oldLegId, event.legId)
    }
    this.#findCall(event)
    controller.acceptLegEvent(this, event)
    this.#follow(this.payers.observe(event))
  }

  /** What is held for the leg already, from an earlier run of ours or by the gate, is its call's. */
  #findCall(event: LegEvent): void {
    this.#recall(event)
    this.expected.take(event)
  }

  /** A call on record is heard of again: its tariff and its hold are those on record. */
  #recall(event: LegEvent): void {
    const { controller } = this.options
    const on = this.remembered.get(event.legId)
    if (!on) return
    this.remembered.delete(event.legId)
    const hungUp = hungUpOf(event)
    if (hungUp) controller.close(this, on.known, hungUp)
    else controller.resume(this, on.known, { askedAt: event.at, coreUuid: event.coreUuid })
  }

  onUp(): void {
    this.isUp = true
    this.heardUpTo = null
    this.options.onUp?.(this)
  }

  onDown(): void {
    this.isUp = false
    this.heardUpTo = null
  }

  #follow(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.type === 'ask') this.#ask(finding.aLeg)
      else this.#begin(finding.account, finding.events)
    }
  }

  #begin(account: string, events: readonly LegEvent[]): void {
    const { controller, log } = this.options
    const { legId: callId } = events[0]!
    const isNew = !controller.calls.has(callId)
    controller.begin(this, account, events)
    const adopted = this.#strangers.get(events[0]!)
    if (adopted === undefined || !isNew) return
    log.warn({ callId, adopted }, 'a live leg with a code was not known')
    if (!adopted) controller.accept(callId, { type: 'killed', at: this.now() })
  }

  #ask(aLeg: string): void {
    const { clock, log } = this.options
    this.#codeOf(aLeg).then(
      code => {
        if (code) this.#follow(this.payers.answer(aLeg, code.ac, code.acLeg))
        else this.#awaitLastEvents(aLeg, this.now())
      },
      error => {
        log.warn({ aLeg, error }, 'the switch did not tell the account code of an A-leg')
        clock.wakeAt(`ask ${this.name} ${aLeg}`, clock.now() + ASK_AGAIN_MS, () => {
          if (this.payers.isAwaited(aLeg)) this.#ask(aLeg)
        })
      },
    )
  }

  /** Null where the leg is gone: that it has no code now does not tell what it had. */
  async #codeOf(aLeg: string): Promise<Pick<LegEvent, 'ac' | 'acLeg'> | null> {
    const ac = await this.switch.variable(aLeg, 'ac')
    if (ac === null) return this.describe(aLeg)
    return { ac, acLeg: await this.switch.variable(aLeg, 'ac_leg') }
  }

  /** An A-leg that is gone has told its code in its last events, which may still be under way. */
  #awaitLastEvents(aLeg: string, goneAt: Instant): void {
    const { clock } = this.options
    if (this.heardUpTo && this.heardUpTo.at >= goneAt + LAST_EVENTS_US) {
      return this.#follow(this.payers.answer(aLeg, null, null))
    }
    const again = () => this.#awaitLastEvents(aLeg, goneAt)
    clock.wakeAt(`ask ${this.name} ${aLeg}`, clock.now() + ASK_AGAIN_MS, again)
  }
}
