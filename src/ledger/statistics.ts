/**
 * The port to what the calls and the top-ups of a time add up to: what the API tells of it, and what
 * the dashboard draws. It reads beside the calls, and never keeps them waiting.
 */
import type { Instant } from '../call/call.js'
import type { Money } from '../money.js'

export interface StepsWanted {
  readonly from: Instant
  /** Exclusive, and after `from`. Where it is in the middle of the last step, that one is shorter. */
  readonly until: Instant
  /** The length of a step in microseconds. The first begins at `from`. */
  readonly stepUs: number
}

/** What calls that ended, and top-ups, add up to. */
export interface Counts {
  /** All calls, the refused ones too. */
  readonly calls: number
  readonly answered: number
  readonly refused: number
  readonly cutOff: number
  readonly billedS: number
  /** What the calls cost their accounts. Refunds, which come later, are not taken off. */
  readonly cost: Money
  readonly writeOff: Money
  /** What accounts were topped up with. */
  readonly topUps: Money
}

export interface StepFigures extends Counts {
  /** When the step begins. */
  readonly at: Instant
  /** Microseconds of talk within the step, of calls that have ended, whenever that was, and of live ones. */
  readonly talkUs: bigint
}

export const NO_COUNTS: Counts = {
  ...{ calls: 0, answered: 0, refused: 0, cutOff: 0, billedS: 0 },
  ...{ cost: 0n, writeOff: 0n, topUps: 0n },
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    calls: a.calls + b.calls,
    answered: a.answered + b.answered,
    refused: a.refused + b.refused,
    cutOff: a.cutOff + b.cutOff,
    billedS: a.billedS + b.billedS,
    cost: a.cost + b.cost,
    writeOff: a.writeOff + b.writeOff,
    topUps: a.topUps + b.topUps,
  }
}

export interface Statistics {
  /**
   * Every step in its order, also those in which nothing happened. The quickest are those of whole five
   * minutes by the clock in the last month: they are remembered.
   * @param now up to when live calls have talked. Of a call that, by the clock of its switch, ends more
   *   than five minutes after it, the talk is not told yet.
   */
  steps(wanted: StepsWanted, now: Instant): Promise<StepFigures[]>
}
