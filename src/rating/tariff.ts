/**
 * What one call is charged by: copied from the plan when the call begins, so that later edits pass
 * it by. The period and the rate in force when the leg is *answered* hold for the whole call, and a
 * leg may ring across a boundary: so what will be in force a little later is copied as well.
 */
import { larger, type Money } from '../money.js'
import { affordableSeconds, costOf, leastCost, type Rate } from './rate.js'

/** What the account pays for the leg, and what the carrier charges for it. */
export interface Terms {
  readonly rate: Rate
  /** The rate of the cost plan; null where the plan has none, or that has no rate. */
  readonly carrier: Rate | null
}

export interface Tariff extends Terms {
  /** The plan that the rate was found in. */
  readonly plan: string
  /** The digits that were matched. */
  readonly number: string
  /** What takes the place of these terms for a leg that is answered then or later, in that order. */
  readonly later: readonly LaterTerms[]
  /** The longest call that the account allows, in seconds; null where it leaves that to the rules. */
  readonly longestS: number | null
}

export interface LaterTerms extends Terms {
  /** Microseconds since the epoch, by the clock of the switch. */
  readonly from: number
}

/** The tariff of a rate that nothing else is known of. */
export function tariffOf(plan: string, number: string, rate: Rate): Tariff {
  return { plan, number, rate, carrier: null, later: [], longestS: null }
}

/** The tariff of a leg that was answered at that instant: nothing changes it any more. */
export function answeredTariff(tariff: Tariff, answeredAt: number): Tariff {
  if (tariff.later.length === 0) return tariff
  const { rate, carrier } = tariff.later.findLast(({ from }) => from <= answeredAt) ?? tariff
  return { ...tariff, rate, carrier, later: [] }
}

/** What so many seconds cost at most, whenever the leg is answered. */
export function highestCost(tariff: Tariff, seconds: number): Money {
  return highest(tariff, rate => costOf(rate, seconds))
}

/** What must be there before the leg may ring, whenever it is answered. */
export function highestLeastCost(tariff: Tariff): Money {
  return highest(tariff, leastCost)
}

/** How long `amount` lasts in any case, in whole seconds up to `limitS`. */
export function surelyAffordableSeconds(tariff: Tariff, amount: Money, limitS: number): number {
  const lasts = termsOf(tariff).map(({ rate }) => affordableSeconds(rate, amount, limitS))
  return Math.min(...lasts)
}

/** What the carrier charges for the leg; null where that is not known. */
export function carrierCost({ carrier }: Terms, seconds: number): Money | null {
  return carrier && costOf(carrier, seconds)
}

function highest(tariff: Tariff, amountOf: (rate: Rate) => Money): Money {
  return termsOf(tariff)
    .map(({ rate }) => amountOf(rate))
    .reduce(larger)
}

function termsOf(tariff: Tariff): readonly Terms[] {
  return [tariff, ...tariff.later]
}
