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
import { type Controller, hungUpOf } from './controller.js'
import { SwitchClock } from './switch-clock.js'

/** A call on record, and the last instant at which its leg is proven to have been alive. */
export interface Remembered {
  readonly known: Resumable
  readonly lastAlive: Instant
  /** One complete answer of the switch was without it. */
  readonly missing: boolean
}

export interface LinkOptions {
  readonly controller: Controller
  readonly clock: Clock
  readonly log: Logger
  readonly loopbackPays: boolean
  /** Called when events come again, and what was missed can be asked for. */
  readonly onUp?: (link: SwitchLink) => void
}

const ASK_AGAIN_MS = 1000

export class SwitchLink implements SwitchListener {
  readonly payers: Payers
  readonly #clock = new SwitchClock()
  /** The run of the switch that its last event came from. */
  coreUuid: string | null = null
  isUp = false
  /** Calls that the ledger has on record, of which this process has not heard yet. */
  readonly remembered = new Map<string, Remembered>()
  #switch: Switch | null = null

  constructor(
    readonly name: string,
    readonly options: LinkOptions,
  ) {
    this.payers = new Payers(options.loopbackPays)
  }

  /** The switch itself, which was made with this link as its listener. */
  get switch(): Switch {
    if (!this.#switch) throw new Error(`switch ${this.name} is not attached`)
    return this.#switch
  }

  attach(freeswitch: Switch): void {
    this.#switch = freeswitch
  }

  /** Whether the switch's time is known: it is from its first event on. */
  get knowsTime(): boolean {
    return this.#clock.isSet
  }

  /** The switch's time, now. */
  now(): Instant {
    return this.#clock.at(this.options.clock.now())
  }

  toLocalMs(instant: Instant): number {
    return this.#clock.toLocalMs(instant)
  }

  /** Something with a stamp of the switch has just arrived. */
  heard(stamp: Instant, coreUuid: string): void {
    if (coreUuid !== this.coreUuid) {
      if (this.coreUuid !== null) this.#clock.reset()
      this.coreUuid = coreUuid
    }
    this.#clock.observe(stamp, this.options.clock.now())
  }

  onEvent(event: LegEvent | Heartbeat): void {
    this.heard(event.at, event.coreUuid)
    if (event.name === 'HEARTBEAT') return
    if (event.name === 'CHANNEL_UUID' && event.oldLegId !== null) {
      this.options.controller.rename(event.oldLegId, event.legId)
    }
    this.#recall(event)
    this.options.controller.acceptLegEvent(event)
    this.#follow(this.payers.observe(event))
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
    this.options.onUp?.(this)
  }

  onDown(): void {
    this.isUp = false
  }

  #follow(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.type === 'ask') this.#ask(finding.aLeg)
      else this.options.controller.begin(this, finding.account, finding.events)
    }
  }

  #ask(aLeg: string): void {
    const { clock, log } = this.options
    this.#codeOf(aLeg).then(
      ([ac, acLeg]) => this.#follow(this.payers.answer(aLeg, ac, acLeg)),
      error => {
        log.warn({ aLeg, error }, 'the switch did not tell the account code of an A-leg')
        clock.wakeAt(`ask ${aLeg}`, clock.now() + ASK_AGAIN_MS, () => {
          if (this.payers.isAwaited(aLeg)) this.#ask(aLeg)
        })
      },
    )
  }

  async #codeOf(aLeg: string): Promise<[ac: string | null, acLeg: string | null]> {
    const ac = await this.switch.variable(aLeg, 'ac')
    return [ac, ac === null ? null : await this.switch.variable(aLeg, 'ac_leg')]
  }
}
