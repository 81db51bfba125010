/**
 * Puts tallies together to steps. How long calls talked is added up without going from step to step for
 * each of them: it is enough to know how many more talk from a step on, and by how much that is wrong
 * in the steps in which they begin and end.
 */
import type { Instant } from '../call/call.js'
import {
  addCounts,
  type Counts,
  NO_COUNTS,
  type StepFigures,
  type StepsWanted,
} from '../ledger/statistics.js'
import type { Talkers, Tally } from './tallies.js'

export class StepSums {
  readonly #wanted: StepsWanted
  readonly #counts: Counts[]
  /** How many more calls talk from this step on than before it. */
  readonly #more: number[]
  /** By how much the talk in this step differs from that of so many calls for all of it. */
  readonly #besideUs: bigint[]

  constructor(wanted: StepsWanted) {
    const steps = Math.ceil((wanted.until - wanted.from) / wanted.stepUs)
    this.#wanted = wanted
    this.#counts = Array.from({ length: steps }, () => NO_COUNTS)
    this.#more = Array.from({ length: steps }, () => 0)
    this.#besideUs = Array.from({ length: steps }, () => 0n)
  }

  /** Each cell of a tally lies within one step, or outside of all. */
  add(tally: Tally): void {
    const step = this.#stepOf(tally.at)
    const counts = this.#counts[step]
    if (counts) this.#counts[step] = addCounts(counts, tally)
    if (tally.answered === 0) return
    for (const { at, calls, intoUs } of tally.talkers) this.#change(at, calls, intoUs)
    this.#change(tally.at, -tally.answered, -tally.endedIntoUs)
  }

  /** Calls that have not ended before `upTo`: what they talk after that is not told. */
  addTalkUpTo(upTo: Instant, talkers: readonly Talkers[]): void {
    for (const { at, calls, intoUs } of talkers) {
      this.#change(at, calls, intoUs)
      this.#change(upTo, -calls, 0n)
    }
  }

  figures(): StepFigures[] {
    const { until, stepUs } = this.#wanted
    let talking = 0
    return this.#counts.map((counts, step) => {
      const at = this.#beginOf(step)
      talking += this.#more[step]!
      const wholeUs = BigInt(talking) * BigInt(Math.min(stepUs, until - at))
      return { at, ...counts, talkUs: wholeUs + this.#besideUs[step]! }
    })
  }

  /** So many more calls talk from `intoUs` after `at` on, all of them together; or fewer, from their ends on. */
  #change(at: Instant, calls: number, intoUs: bigint): void {
    const step = this.#stepOf(at)
    if (step >= this.#counts.length) return
    this.#more[Math.max(0, step)]! += calls
    if (step < 0) return
    this.#besideUs[step]! -= intoUs + BigInt(calls) * BigInt(at - this.#beginOf(step))
  }

  #beginOf(step: number): Instant {
    return this.#wanted.from + step * this.#wanted.stepUs
  }

  /** Negative before all steps, and their number after them: the last may be shorter than the others. */
  #stepOf(at: Instant): number {
    const { from, until, stepUs } = this.#wanted
    return at < until ? Math.floor((at - from) / stepUs) : this.#counts.length
  }
}
