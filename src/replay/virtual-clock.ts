/** Time as a capture tells it: it stands still, and moves when it is told to. */
import { Alarms, type Clock } from '../controller/clock.js'

export class VirtualClock implements Clock {
  readonly #alarms = new Alarms()
  #nowMs = 0

  now(): number {
    return this.#nowMs
  }

  wakeAt(key: string, atMs: number, ring: () => void): void {
    this.#alarms.set(key, atMs, ring)
  }

  cancel(key: string): void {
    this.#alarms.cancel(key)
  }

  /** Moves on to `toMs`, with every alarm on the way at its own time; `rest` follows each. */
  async moveTo(toMs: number, rest: () => Promise<void>): Promise<void> {
    for (let nextMs = this.#alarms.nextMs; nextMs <= toMs; nextMs = this.#alarms.nextMs) {
      this.#nowMs = Math.max(this.#nowMs, nextMs)
      this.#alarms.takeDue(this.#nowMs)?.()
      await rest()
    }
    this.#nowMs = Math.max(this.#nowMs, toMs)
  }
}
