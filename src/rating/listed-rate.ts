/** A rate as a deck lists it: with when it is in force, and whether calls are let through at all. */
import type { Rate } from './rate.js'

export interface ListedRate extends Rate {
  /** The period of the plan that it is for; empty: whenever no rate of a period is in force. */
  readonly period: string
  /** In force from this instant on: microseconds since the epoch, or 0 for always. */
  readonly from: number
  /** Not in force any more at this instant; null where no end is known. */
  readonly until: number | null
  /** Calls are refused; the description says why. It has no prices. */
  readonly blocked: boolean
}

/** A rate that is in force at all times. */
export function listedAlways(rate: Rate): ListedRate {
  return { ...rate, period: '', from: 0, until: null, blocked: false }
}

export function isInForce({ from, until }: ListedRate, at: number): boolean {
  return from <= at && (until === null || at < until)
}
