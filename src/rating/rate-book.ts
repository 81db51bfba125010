/** The port to the plans and their rates, as the meter reads them. sqlite/ implements it. */
import type { Rate } from './rate.js'

export interface RateBook {
  /**
   * The rate of the longest prefix of `digits` in the plan, as it is now. Synchronous, because it
   * is asked for every leg: adapters keep what they need in memory.
   */
  find(plan: string, digits: string): Rate | undefined
}
