/** The port to the figures of the whole business over time. sqlite/ implements it. */
import type { Money } from '../money.js'

export interface StatsFilter {
  /** Microseconds since the epoch; from inclusive, until exclusive. */
  readonly from: number
  readonly until: number
  /** The length of a step, in microseconds; the first begins at `from`. */
  readonly stepUs: number
}

export interface StatsStep {
  readonly at: number
  /** Calls that ended in it. */
  readonly calls: number
  readonly answered: number
  readonly refused: number
  readonly cutOff: number
  readonly billedS: number
  /** What they cost the accounts. */
  readonly cost: Money
  readonly writeOff: Money
  /** What accounts were topped up with in it. */
  readonly topUps: Money
}

export interface Stats {
  /** Every step, also those in which nothing happened. */
  steps(filter: StatsFilter): Promise<StatsStep[]>
}
