/**
 * What time it is on a switch. FreeSWITCH's clock runs on from its start whatever NTP does
 * (switch_time.c:610), so its stamps and our clock are related only by what its events tell.
 *
 * An event arrives 0–20 ms and sometimes much more after its stamp, never before: so of all
 * differences between stamp and arrival the largest is the nearest to the truth. Only recent ones
 * count, so that a clock that drifts, or was set back, is followed.
 */
import type { Instant } from '../call/call.js'
import { RecentLargest } from './recent-largest.js'

export class SwitchClock {
  readonly #ahead = new RecentLargest()

  /** Whether any event has told the time yet. */
  get isSet(): boolean {
    return this.#ahead.value !== null
  }

  /** An event with this stamp has just arrived; `nowMs` is our monotonic clock. */
  observe(stamp: Instant, nowMs: number): void {
    this.#ahead.observe(stamp - nowMs * 1000, nowMs)
  }

  /** Forgets everything: the switch has been started anew. */
  reset(): void {
    this.#ahead.reset()
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
    return this.#ahead.value ?? 0
  }
}
