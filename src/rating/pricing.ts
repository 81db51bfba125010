/**
 * What a call to a number is charged by, or why it is not let through: the one way from an account's
 * plans to a tariff, for the meter and the quote alike.
 */
import type { ListedRate } from './listed-rate.js'
import { E164_NUMBERS, normaliseNumber } from './number.js'
import { costOf, type Rate } from './rate.js'
import type { RateBook, RatePlan } from './rate-book.js'
import type { LaterTerms, Tariff, Terms } from './tariff.js'

/** The plans of an account, and what it says itself about its calls. */
export interface RatedBy {
  readonly plan: string
  /** A plan whose rates come in front of the plan's: where any of them fits, it decides. */
  readonly specialPlan: string | null
  /** The longest call that it allows, in seconds. */
  readonly longestS: number | null
}

export type PriceRefusal =
  | 'malformed_number'
  | 'no_rate'
  | 'destination_blocked'
  /** The plan does not let calls through that lose money, and what the carrier takes is not known. */
  | 'no_cost_rate'
  | 'would_lose_money'

export type Pricing =
  | { readonly status: 'priced'; readonly tariff: Tariff }
  | {
      readonly status: 'unpriced'
      readonly reason: PriceRefusal
      readonly plan: string
      /** Null where what was dialled is not a number. */
      readonly number: string | null
      /** The rate that is the reason, where there is one. */
      readonly tariff: Tariff | null
    }

/** A leg that rings longer than this keeps the terms that were in force at this age. */
export const RING_US_MAX = 10 * 60 * 1_000_000

/** Calls of this length must not lose money: a short one, where setup counts, and a long one. */
const PROFITABLE_S = [60, 3600]

/**
 * Prices a call that is answered at `at` or up to RING_US_MAX later.
 * @param at microseconds since the epoch: when the leg was answered, or else now
 */
export function priceCall(book: RateBook, by: RatedBy, dialled: string, at: number): Pricing {
  const { plan, specialPlan, longestS } = by
  const base = book.plan(plan)
  const digits = normaliseNumber(dialled, base?.numbers ?? E164_NUMBERS)?.digits ?? null
  const unpriced = { status: 'unpriced', plan, number: digits, tariff: null } as const
  if (digits === null) return { ...unpriced, reason: 'malformed_number' }
  if (!base) return { ...unpriced, reason: 'no_rate' }
  const sources = [specialPlan === null ? undefined : book.plan(specialPlan), base].filter(
    source => source !== undefined,
  )
  const source = sources.find(one => one.find(digits, at) !== undefined)
  const rate = source?.find(digits, at)
  if (!source || !rate) return { ...unpriced, reason: 'no_rate' }
  const carrier = base.costPlan === null ? undefined : book.plan(base.costPlan)
  const terms = { rate: plainRate(rate), carrier: carrierRate(carrier, digits, at) }
  const later = laterTerms(sources, carrier, digits, at)
  const tariff = { plan: source.name, number: digits, ...terms, later, longestS }
  const reason = rate.blocked ? 'destination_blocked' : base.refuseLoss ? lossOf(terms) : null
  if (reason === null) return { status: 'priced', tariff }
  return { ...unpriced, reason, plan: source.name, tariff }
}

/** Whether calls at these terms lose money, or may. */
export function lossOf({ rate, carrier }: Terms): PriceRefusal | null {
  if (carrier === null) return 'no_cost_rate'
  const loses = PROFITABLE_S.some(seconds => costOf(rate, seconds) < costOf(carrier, seconds))
  return loses ? 'would_lose_money' : null
}

/** What a carrier does not connect, it has no price for. */
function carrierRate(carrier: RatePlan | undefined, digits: string, at: number): Rate | null {
  const rate = carrier?.find(digits, at)
  return rate && !rate.blocked ? plainRate(rate) : null
}

/** A rate that is in force by then and lets calls through; where there is none, the last one stays. */
function laterTerms(
  sources: readonly RatePlan[],
  carrier: RatePlan | undefined,
  digits: string,
  at: number,
): LaterTerms[] {
  const until = at + RING_US_MAX
  const plans = carrier ? [...sources, carrier] : sources
  const instants = new Set(plans.flatMap(plan => plan.changes(digits, at, until)))
  return [...instants]
    .sort((a, b) => a - b)
    .flatMap(from => {
      const rate = sources.map(plan => plan.find(digits, from)).find(found => found !== undefined)
      if (!rate || rate.blocked) return []
      return [{ from, rate: plainRate(rate), carrier: carrierRate(carrier, digits, from) }]
    })
}

/** The part of a listed rate that prices a call. */
function plainRate(listed: ListedRate): Rate {
  const { prefix, description, perMinute, setup, minimum, increment, freeS } = listed
  return { prefix, description, perMinute, setup, minimum, increment, freeS }
}
