/**
 * The auditor's own idea of prices, written separately from the one that is on trial: simple and
 * slow. It knows as well which rates were in force when.
 */
import type { Rate, Rounding } from '../rating/rate.js'

export function secondsOf(talkUs: number, rounding: Rounding): number {
  const whole = Math.floor(talkUs / 1e6)
  const rest = talkUs - whole * 1e6
  if (rounding === 'up') return rest > 0 ? whole + 1 : whole
  if (rounding === 'down') return whole
  return rest >= 500_000 ? whole + 1 : whole
}

/** What that many whole seconds of talk cost. */
export function priceOf(rate: Rate, seconds: number): bigint {
  if (seconds <= 0) return 0n
  let billed = rate.minimum
  while (billed < seconds) billed += rate.increment
  let price = (rate.perMinute * BigInt(billed)) / 60n
  if (price * 60n < rate.perMinute * BigInt(billed)) price += 1n
  return rate.setup + price
}

/** The most seconds, up to `limitS`, that the amount pays for. */
export function secondsFor(rate: Rate, amount: bigint, limitS: number): number {
  if (priceOf(rate, 1) > amount) return 0
  if (rate.perMinute === 0n) return limitS
  let billed = rate.minimum
  while (billed < limitS && priceOf(rate, billed + 1) <= amount) billed += rate.increment
  return Math.min(billed, limitS)
}

/** An edited rate is in force for sure when it has been that long. */
export const RELOAD_MS = 10_000

interface Listed {
  readonly rate: Rate
  readonly fromMs: number
  untilMs: number
}

export class PriceList {
  readonly #listed = new Map<string, Listed[]>()

  /** From then on it may be in force. */
  add(plan: string, rate: Rate, fromMs: number): void {
    this.#of(plan).push({ rate, fromMs, untilMs: Number.POSITIVE_INFINITY })
  }

  /** From then on it is surely not in force any more. */
  remove(plan: string, rate: Rate, untilMs: number): void {
    const listed = this.#of(plan).find(
      one => one.rate === rate && one.untilMs === Number.POSITIVE_INFINITY,
    )
    if (listed) listed.untilMs = untilMs
  }

  current(plan: string): Rate[] {
    return this.#of(plan)
      .filter(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY)
      .map(({ rate }) => rate)
  }

  /** The rates that may have been the right one for a number, at some moment of that time. */
  candidates(plan: string, digits: string, fromMs: number, untilMs: number): Rate[] {
    const fitting = this.#of(plan)
      .filter(one => digits.startsWith(one.rate.prefix))
      .filter(one => one.fromMs <= untilMs && one.untilMs >= fromMs)
    const always = fitting.filter(one => one.fromMs <= fromMs && one.untilMs >= untilMs)
    const longest = Math.max(0, ...always.map(({ rate }) => rate.prefix.length))
    return fitting.map(({ rate }) => rate).filter(({ prefix }) => prefix.length >= longest)
  }

  /** Whether one rate for the number was in force all the time. */
  covers(plan: string, digits: string, fromMs: number, untilMs: number): boolean {
    return this.#of(plan).some(
      one =>
        digits.startsWith(one.rate.prefix) &&
        one.fromMs < fromMs &&
        one.untilMs - RELOAD_MS > untilMs,
    )
  }

  #of(plan: string): Listed[] {
    const listed = this.#listed.get(plan) ?? []
    this.#listed.set(plan, listed)
    return listed
  }
}
