/** The daemon's own clock in virtual time: alarms go off at ticks of 10 ms, as those of RealClock. */
import { Alarms, type Clock } from '../controller/clock.js'
import type { Planned, World } from './world.js'

const TICK_MS = 10

export class TickingClock implements Clock {
  readonly #alarms = new Alarms()
  #tick: Planned | null = null
  #tickMs = Number.POSITIVE_INFINITY
  #stopped = false

  /** @param originMs what the clock shows when the world begins: it has no meaning */
  constructor(
    readonly world: World,
    readonly originMs: number,
  ) {}

  now(): number {
    return this.world.now() + this.originMs
  }

  wakeAt(key: string, atMs: number, ring: () => void): void {
    if (this.#stopped) return
    this.#alarms.set(key, atMs, ring)
    this.#plan()
  }

  cancel(key: string): void {
    this.#alarms.cancel(key)
  }

  stop(): void {
    this.#stopped = true
    this.#tick?.cancel()
  }

  #plan(): void {
    const dueMs = Math.max(this.#alarms.nextMs, this.now())
    const tickMs = Math.ceil(dueMs / TICK_MS) * TICK_MS
    if (tickMs >= this.#tickMs || tickMs === Number.POSITIVE_INFINITY) return
    this.#tick?.cancel()
    this.#tickMs = tickMs
    this.#tick = this.world.at(tickMs - this.originMs, () => this.#ring())
  }

  #ring(): void {
    this.#tickMs = Number.POSITIVE_INFINITY
    this.world.stir()
    const now = this.now()
    for (let ring = this.#alarms.takeDue(now); ring; ring = this.#alarms.takeDue(now)) {
      if (this.#stopped) return
      ring()
    }
    this.#plan()
  }
}
