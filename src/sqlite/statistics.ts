/**
 * What calls and top-ups add up to, step by step. Steps of the last month that are whole slots are put
 * together from slots, which are remembered; any others are read anew, by the same SQL. Between two
 * pieces the event loop has its turn, so that a year takes a while and nobody waits for it.
 */
import { setImmediate } from 'node:timers/promises'
import type { Instant } from '../call/call.js'
import type { Statistics, StepFigures, StepsWanted } from '../ledger/statistics.js'
import { DAY_US } from '../local-time.js'
import { EarliestAnswers } from './earliest-answers.js'
import type { LedgerFile } from './ledger-file.js'
import { SLOT_US, SLOTS, SLOTS_MAX, Slots } from './slots.js'
import { StepSums } from './step-sums.js'
import { type Span, Tallies } from './tallies.js'

export class SqliteStatistics implements Statistics {
  readonly #file: Pick<LedgerFile, 'database' | 'committer'>
  readonly #tallies: Tallies
  readonly #slots: Slots
  readonly #earliest: EarliestAnswers

  /** @param file best one that is open for reading only: its reads wait for no commit */
  constructor(file: Pick<LedgerFile, 'database' | 'committer'>) {
    this.#file = file
    this.#tallies = new Tallies(file)
    this.#slots = new Slots(file, this.#tallies)
    this.#earliest = new EarliestAnswers(file)
  }

  steps(wanted: StepsWanted, now: Instant): Promise<StepFigures[]> {
    return areSlots(wanted, now) ? this.#fromSlots(wanted, now) : this.#anew(wanted, now)
  }

  async #fromSlots(wanted: StepsWanted, now: Instant): Promise<StepFigures[]> {
    const first = wanted.from / SLOT_US
    // Calls that ended after the time have talked in it, too.
    const end = horizon(wanted, now) / SLOT_US
    this.#slots.forgetBefore(now - SLOTS_MAX * SLOT_US - DAY_US)
    await this.#slots.fill(first, end)
    // At one moment, so that a call is not told as live and as ended, and no call as neither.
    return this.#atOnce(() => {
      const sums = new StepSums(wanted)
      for (const tally of this.#slots.catchUp(first, end)) sums.add(tally)
      sums.addTalkUpTo(now, this.#tallies.live(SLOTS, now))
      return sums.figures()
    })
  }

  async #anew(wanted: StepsWanted, now: Instant): Promise<StepFigures[]> {
    const { from, until, stepUs } = wanted
    const sums = new StepSums(wanted)
    const grid = { origin: from, cellUs: stepUs }
    // Who ends while the rest is read is told as live.
    const lastCdr = await this.#atOnce(() => {
      const upTo = Math.min(now, until)
      sums.addTalkUpTo(upTo, this.#tallies.live(grid, upTo))
      return this.#tallies.lastCdr()
    })
    for await (const piece of this.#pieces({ from, until })) {
      for (const tally of this.#tallies.read(grid, piece, lastCdr)) sums.add(tally)
    }
    const after = { from: until, until: horizon(wanted, now) }
    for (const hour of await this.#earliest.hours(after, until, lastCdr)) {
      for await (const piece of this.#pieces(hour)) {
        sums.addTalkUpTo(until, this.#tallies.stillUp(grid, until, piece, lastCdr))
      }
    }
    return sums.figures()
  }

  async *#pieces({ from, until }: Span): AsyncGenerator<Span> {
    for (let begin = from; begin < until; ) {
      const piece = this.#tallies.piece({ from: begin, until })
      yield piece
      begin = piece.until
      await setImmediate()
    }
  }

  /** One transaction: what is read in it was there at one moment. */
  #atOnce<T>(read: () => T): Promise<T> {
    return this.#file.committer.read(this.#file.database.transaction(read))
  }
}

/** Whether steps can be put together from the slots that are remembered. */
function areSlots({ from, until, stepUs }: StepsWanted, now: Instant): boolean {
  const areWhole = [from, until, stepUs].every(us => us % SLOT_US === 0)
  const mostUs = SLOTS_MAX * SLOT_US
  // What is to come is not remembered: there is no end of it.
  const areNear = from >= now - mostUs && until <= now + DAY_US
  return areWhole && areNear && until - from <= mostUs
}

/** Before when calls ended whose talk is told: the end of the time, or of the slot that `now` is in. */
function horizon({ until }: StepsWanted, now: Instant): Instant {
  return Math.max(until, (Math.floor(now / SLOT_US) + 1) * SLOT_US)
}
