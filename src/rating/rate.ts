/**
 * The one pricing rule. The meter, the quote, the CDR and the tests all ask costOf(); nothing else
 * multiplies a price by a time.
 */
import { divideUp, type Money } from '../money.js'

/** The price of one destination in a plan. A rate sheet's "60/6" is `minimum: 60, increment: 6`. */
export interface Rate {
  /** Leading digits of the numbers that this rate is for; the longest wins. Empty: every number. */
  readonly prefix: string
  readonly description: string
  readonly perMinute: Money
  /** Charged once, when the leg is answered. */
  readonly setup: Money
  /** First billing step in seconds: an answered leg is billed for at least this long. */
  readonly minimum: number
  /** Every further billing step, in seconds. */
  readonly increment: number
  /** A leg that ends within so many seconds costs nothing, not even its setup. Usually 0. */
  readonly freeS: number
}

/** Durations are rounded to whole seconds like this before they are billed. */
export type Rounding = 'up' | 'nearest' | 'down'

/** Whole seconds of a duration in microseconds. `nearest` rounds half a second up. */
export function wholeSeconds(durationUs: number, rounding: Rounding): number {
  const seconds = Math.max(0, durationUs) / 1e6
  if (rounding === 'up') return Math.ceil(seconds)
  return rounding === 'down' ? Math.floor(seconds) : Math.round(seconds)
}

/**
 * Rounds talk time up to what is billed. A leg that was never answered, 0 s, is free, and so is one
 * that ends within the free seconds; one that outlasts them is billed from its first second.
 */
export function billedSeconds(rate: Rate, seconds: number): number {
  if (seconds <= rate.freeS) return 0
  const beyond = Math.max(0, seconds - rate.minimum)
  return rate.minimum + Math.ceil(beyond / rate.increment) * rate.increment
}

/**
 * What `seconds` of talk cost: setup + ⌈perMinute × billed / 60⌉, rounded up once, at the very end.
 * A chunk has no price of its own, it costs costOf(to) − costOf(from): so chunks always add up.
 */
export function costOf(rate: Rate, seconds: number): Money {
  const billed = billedSeconds(rate, seconds)
  if (billed === 0) return 0n
  return rate.setup + divideUp(rate.perMinute * BigInt(billed), 60n)
}

/** The least that a leg can cost, if it costs anything: what must be there before it may begin. */
export function leastCost(rate: Rate): Money {
  return costOf(rate, rate.freeS + 1)
}

/** The inverse of costOf: the most whole seconds, up to `limitS`, that `amount` pays for. */
export function affordableSeconds(rate: Rate, amount: Money, limitS: number): number {
  if (amount < leastCost(rate)) return Math.max(0, Math.min(rate.freeS, limitS))
  if (limitS < 1) return 0
  if (rate.perMinute === 0n) return limitS
  const billable = ((amount - rate.setup) * 60n) / rate.perMinute
  if (billable >= BigInt(billedSeconds(rate, limitS))) return limitS
  const steps = Math.floor((Number(billable) - rate.minimum) / rate.increment)
  return Math.min(limitS, rate.minimum + steps * rate.increment)
}
