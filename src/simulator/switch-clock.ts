/**
 * FreeSWITCH's clock as its events show it: it moves in steps of 20 ms, a few dozen microseconds
 * off each step, and everything that happens within one step carries the same stamp.
 */
import { HeaderBlock } from './switch-event.js'
import type { Random, Timeline } from './timeline.js'

/** One step of the clock: also how long a leg takes to notice what its partner did. */
export const STEP_MS = 20

const STEP_US = STEP_MS * 1000

/** How far a stamp may lie behind its step, in microseconds. In recordings it is 0 to 60. */
const JITTER_US = 40

export class SwitchClock {
  #step = -1
  #stamp = 0
  #second = -1
  #date = HeaderBlock.of([])

  constructor(
    readonly timeline: Timeline,
    readonly random: Random,
  ) {}

  /** Microseconds since the epoch, stepped. */
  stamp(): number {
    const step = Math.floor(this.timeline.now() / STEP_US)
    if (step !== this.#step) {
      this.#step = step
      this.#stamp = step * STEP_US + Math.floor(this.random() * JITTER_US)
    }
    return this.#stamp
  }

  /** Whole seconds since the epoch: what the scheduler, strepoch and `created_epoch` go by. */
  epochS(): number {
    return Math.floor(this.stamp() / 1_000_000)
  }

  /** The time of day, on a machine whose zone is UTC; made once a second. */
  dateBlock(): HeaderBlock {
    const second = this.epochS()
    if (second !== this.#second) {
      this.#second = second
      this.#date = HeaderBlock.of([
        ['Event-Date-Local', localTime(second)],
        ['Event-Date-GMT', gmtTime(second)],
      ])
    }
    return this.#date
  }
}

/** `Mon, 23 Nov 2026 01:42:34 GMT`, from whole seconds since the epoch. */
export function gmtTime(epochS: number): string {
  return new Date(epochS * 1000).toUTCString()
}

/** `2026-11-23 01:42:34`, from whole seconds since the epoch. */
export function localTime(epochS: number): string {
  return new Date(epochS * 1000).toISOString().slice(0, 19).replace('T', ' ')
}
