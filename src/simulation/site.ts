/** One simulated switch with its clock, its weather, and the connection that a daemon has to it. */
import type { Instant } from '../call/call.js'
import { SimulatedSwitch } from '../simulator/simulated-switch.js'
import type { Timeline } from '../simulator/timeline.js'
import type { Dice } from './dice.js'
import type { LineWeather, SimulatedLine } from './line.js'
import type { Troubles } from './troubles.js'
import type { World } from './world.js'

/** 2026-11-22T23:48Z, a Sunday: a day and a week end soon in UTC, and in other zones an hour later. */
export const EPOCH_US = 1_795_392_000_000_000 - 12 * 60_000_000

export interface SiteOptions {
  readonly name: string
  /** How far the switch's clock is ahead of ours. */
  readonly aheadS: number
  /** How much faster it runs, in millionths. */
  readonly driftPpm: number
  readonly listingLagMs: number
}

export class Site {
  readonly name: string
  readonly freeswitch: SimulatedSwitch
  readonly weather: LineWeather
  #line: SimulatedLine | null = null
  #blocks = 0
  /** When it came back with its calls, but without their timers: milliseconds of the world. */
  readonly recoveries: number[] = []
  #connected: () => void

  constructor(
    readonly world: World,
    readonly troubles: Troubles,
    readonly options: SiteOptions,
    dice: Dice,
  ) {
    this.name = options.name
    const timeline: Timeline = {
      now: () => this.instant(world.now()),
      after: (delayMs, happen) => world.after(delayMs / this.#pace, happen),
    }
    const { listingLagMs } = options
    this.freeswitch = new SimulatedSwitch({ timeline, random: dice.next, slim: true, listingLagMs })
    this.weather = {
      eventIsLost: 0,
      eventIsRepeated: 0,
      eventIsLate: 0,
      commandFails: 0,
      listFails: 0,
      deaf: false,
    }
    this.#connected = troubles.begin('not connected', this.name)
  }

  /** The switch's own time at a moment of the world. */
  instant(worldMs: number): Instant {
    return Math.floor(EPOCH_US + this.options.aheadS * 1e6 + worldMs * 1000 * this.#pace)
  }

  worldMs(instant: Instant): number {
    return (instant - EPOCH_US - this.options.aheadS * 1e6) / 1000 / this.#pace
  }

  /** A new daemon connects, as soon as it can. */
  attach(line: SimulatedLine): void {
    this.#line = line
    line.trusted = this.recoveries.length > 0
    this.#connect()
  }

  /** The daemon has died. */
  detach(): void {
    this.#line?.cut()
    this.#line = null
    this.#noteDisconnected()
  }

  /** The connection breaks, and stays broken for that long. */
  breakFor(ms: number): void {
    this.#blocks += 1
    this.#disconnect()
    this.world.after(ms, () => {
      this.#blocks -= 1
      this.#connect()
    })
  }

  /** Nothing comes through, until the daemon notices and connects again. */
  deafen(ms: number): void {
    if (this.weather.deaf) return
    this.weather.deaf = true
    const over = this.troubles.begin('not connected', this.name)
    this.world.after(ms, () => {
      this.weather.deaf = false
      over()
      this.breakFor(500)
    })
  }

  /** The switch goes down, and comes up after a while: empty, or with its calls (`sofia recover`). */
  fall(how: 'crash' | 'shutdown', downMs: number, recovers: boolean): void {
    if (!this.freeswitch.up) return
    if (how === 'crash') this.freeswitch.crash()
    else this.freeswitch.shutdown()
    this.#disconnect()
    this.world.after(downMs, () => {
      if (recovers) {
        this.recoveries.push(this.world.now())
        if (this.#line) this.#line.trusted = true
        this.freeswitch.recover()
      } else {
        this.freeswitch.restart()
      }
      this.world.after(1000, () => this.#connect())
    })
  }

  /** When each leg's first timer is due, by the switch's own clock. */
  timers(): ReadonlyMap<string, Instant> {
    const timers = new Map<string, Instant>()
    for (const { group, runtimeS } of this.freeswitch.tasks()) {
      const legId = legOfGroup(group)
      timers.set(legId, Math.min(timers.get(legId) ?? Number.POSITIVE_INFINITY, runtimeS * 1e6))
    }
    return timers
  }

  get #pace(): number {
    return 1 + this.options.driftPpm / 1e6
  }

  #connect(): void {
    const line = this.#line
    if (!line || line.connected || this.#blocks > 0 || !this.freeswitch.up) return
    this.#connected()
    line.connect()
  }

  #disconnect(): void {
    this.#line?.disconnect()
    this.#noteDisconnected()
  }

  #noteDisconnected(): void {
    this.#connected()
    this.#connected = this.troubles.begin('not connected', this.name)
  }
}

/** Timers are in groups like `tg-2-<leg>`; that of the answer is in one named by the leg alone. */
export function legOfGroup(group: string): string {
  return group.replace(/^tg-\d+-/, '')
}
