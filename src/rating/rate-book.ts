/** The port to the plans and their rates, as the meter reads them. sqlite/ implements it. */
import type { ListedRate } from './listed-rate.js'
import type { NumberRules } from './number.js'
import type { RateTable } from './rate-table.js'
import type { Schedule } from './schedule.js'

export interface RateBook {
  /**
   * The plan as it is now, undefined where there is none. Synchronous, because it is asked for
   * every leg: adapters keep what they need in memory.
   */
  plan(name: string): RatePlan | undefined
}

export interface RatePlan {
  readonly name: string
  /** From what was dialled to the digits that its prefixes are for. */
  readonly numbers: NumberRules
  /** The plan of what the carrier charges; null where that is not kept. */
  readonly costPlan: string | null
  /** Calls that would cost more than they bring are refused. */
  readonly refuseLoss: boolean

  /**
   * The rate for the digits at an instant (microseconds since the epoch): of all that are in force
   * then, the one with the longest prefix; for the same prefix, that of the period in force comes
   * before the one without a period.
   */
  find(digits: string, at: number): ListedRate | undefined

  /** The instants after `at`, up to `until`, at which find() may begin to answer otherwise, in order. */
  changes(digits: string, at: number, until: number): number[]

  /** The period in force; the empty one where none is. */
  periodAt(at: number): string
}

/** A plan that is all in memory. */
export class TablePlan implements RatePlan {
  readonly name: string
  readonly numbers: NumberRules
  readonly costPlan: string | null
  readonly refuseLoss: boolean
  readonly #schedule: Schedule
  readonly #table: RateTable

  constructor(
    terms: Pick<RatePlan, 'name' | 'numbers' | 'costPlan' | 'refuseLoss'>,
    schedule: Schedule,
    table: RateTable,
  ) {
    this.name = terms.name
    this.numbers = terms.numbers
    this.costPlan = terms.costPlan
    this.refuseLoss = terms.refuseLoss
    this.#schedule = schedule
    this.#table = table
  }

  find(digits: string, at: number): ListedRate | undefined {
    return this.#table.find(digits, at, this.#schedule.periodAt(at))
  }

  changes(digits: string, at: number, until: number): number[] {
    const instants = [
      ...this.#table.changes(digits, at, until),
      ...this.#schedule.changes(at, until),
    ]
    return [...new Set(instants)].sort((a, b) => a - b)
  }

  periodAt(at: number): string {
    return this.#schedule.periodAt(at)
  }
}
