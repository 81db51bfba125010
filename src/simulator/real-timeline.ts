/** The machine's clock, as FreeSWITCH uses it: read once at the start, monotonic from there. */
import type { Cancellable, Timeline } from './timeline.js'

export interface RealTimelineOptions {
  /** How far the switch's clock is ahead of this machine's, in milliseconds. */
  readonly aheadMs?: number
}

export class RealTimeline implements Timeline {
  readonly #startUs: number
  readonly #startNs = process.hrtime.bigint()

  constructor(options: RealTimelineOptions = {}) {
    this.#startUs = (Date.now() + (options.aheadMs ?? 0)) * 1000
  }

  now(): number {
    return this.#startUs + Number((process.hrtime.bigint() - this.#startNs) / 1000n)
  }

  after(delayMs: number, happen: () => void): Cancellable {
    if (delayMs <= 0) {
      const soon = setImmediate(happen)
      return { cancel: () => clearImmediate(soon) }
    }
    const timer = setTimeout(happen, delayMs)
    return { cancel: () => clearTimeout(timer) }
  }
}
