/**
 * What time it is on a switch. FreeSWITCH's clock runs on from its start whatever NTP does
 * (switch_time.c:610), so its stamps and our clock are related only by what its events tell.
 *
 * An event arrives 0–20 ms and sometimes much more after its stamp, never before: so of all
 * differences between stamp and arrival the largest is the nearest to the truth. It is taken over
 * the last one to two windows, so that a clock that drifts, or was set back, is followed.
 */
import type { Instant } from '../call/call.js'

const WINDOW_MS = 60_000

export class SwitchClock {
  #older = Number.NEGATIVE_INFINITY
  #newer = Number.NEGATIVE_INFINITY
  #windowStartMs = Number.NEGATIVE_INFINITY

  /** Whether any event has told the time yet. */
  get isSet(): boolean {
    return this.#newer > Number.NEGATIVE_INFINITY
  }

  /** An event with this stamp has just arrived; `nowMs` is our monotonic clock. */
  observe(stamp: Instant, nowMs: number): void {
    const ageMs = nowMs - this.#windowStartMs
    if (ageMs >= WINDOW_MS) {
      // After a long silence what was learnt before it is worth nothing: clocks drift.
      this.#older = ageMs < 2 * WINDOW_MS ? this.#newer : Number.NEGATIVE_INFINITY
      this.#newer = Number.NEGATIVE_INFINITY
      this.#windowStartMs = nowMs
    }
    this.#newer = Math.max(this.#newer, stamp - nowMs * 1000)
  }

  /** Forgets everything: the switch has been started anew. */
  reset(): void {
    this.#older = Number.NEGATIVE_INFINITY
    this.#newer = Number.NEGATIVE_INFINITY
    this.#windowStartMs = Number.NEGATIVE_INFINITY
  }

  /** The switch's time at a moment of our clock. */
  at(nowMs: number): Instant {
    return Math.round(nowMs * 1000 + this.#offset())
  }

  /** The moment of our clock at which the switch's clock shows `instant`. */
  toLocalMs(instant: Instant): number {
    return (instant - this.#offset()) / 1000
  }

  /** Before anything is known any clock will do: only differences are of use then. */
  #offset(): number {
    return this.isSet ? Math.max(this.#older, this.#newer) : 0
  }
}
