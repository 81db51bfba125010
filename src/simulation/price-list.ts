/**
 * The auditor's own idea of prices, written separately from the one that is on trial: simple and
 * slow. It knows as well which rates were in force when, and who may have known of them.
 */
import type { ListedRate } from '../rating/listed-rate.js'
import type { Rate, Rounding } from '../rating/rate.js'
import type { PlanScript } from './plan-script.js'

export function secondsOf(talkUs: number, rounding: Rounding): number {
  const whole = Math.floor(talkUs / 1e6)
  const rest = talkUs - whole * 1e6
  if (rounding === 'up') return rest > 0 ? whole + 1 : whole
  if (rounding === 'down') return whole
  return rest >= 500_000 ? whole + 1 : whole
}

/** What that many whole seconds of talk cost. */
export function priceOf(rate: Rate, seconds: number): bigint {
  if (seconds <= 0 || seconds <= rate.freeS) return 0n
  let billed = rate.minimum
  while (billed < seconds) billed += rate.increment
  let price = (rate.perMinute * BigInt(billed)) / 60n
  if (price * 60n < rate.perMinute * BigInt(billed)) price += 1n
  return rate.setup + price
}

/** The most seconds, up to `limitS`, that the amount pays for. */
export function secondsFor(rate: Rate, amount: bigint, limitS: number): number {
  if (priceOf(rate, rate.freeS + 1) > amount) return Math.min(rate.freeS, limitS)
  if (rate.perMinute === 0n) return limitS
  // Asked for each call all the time; as plain numbers, which are exact below 2^53.
  const perMinute = Number(rate.perMinute)
  const left = Number(amount - rate.setup) * 60
  let billed = rate.minimum
  while (billed < limitS && perMinute * (billed + rate.increment) <= left) billed += rate.increment
  return Math.min(billed, limitS)
}

/** Whether a call of a minute, or of an hour, costs more than it brings. */
export function losesMoney(rate: Rate, carrier: Rate): boolean {
  return [60, 3600].some(seconds => priceOf(rate, seconds) < priceOf(carrier, seconds))
}

/** An edited rate is in force for sure when it has been that long. */
export const RELOAD_MS = 10_000

/** A rate, and since when and until when the meter may have had it in its list. */
interface Entry {
  readonly rate: ListedRate
  readonly fromMs: number
  untilMs: number
}

/** When somebody looked into the list, in milliseconds of the world. */
export interface Look {
  readonly fromMs: number
  readonly untilMs: number
}

export interface Fit {
  readonly plan: string
  readonly rate: ListedRate
}

/** The rates that may have been the right one; and whether there may have been none. */
export interface Fits {
  readonly fits: readonly Fit[]
  readonly mayBeNone: boolean
}

export class PriceList {
  readonly #entries = new Map<string, Entry[]>()

  constructor(readonly scripts: ReadonlyMap<string, PlanScript>) {
    for (const [plan, { rates }] of scripts) {
      // Known from the beginning, for sure.
      for (const rate of rates) this.add(plan, rate, -RELOAD_MS)
    }
  }

  /** From then on it may be in the list. */
  add(plan: string, rate: ListedRate, fromMs: number): void {
    this.#of(plan).push({ rate, fromMs, untilMs: Number.POSITIVE_INFINITY })
  }

  /** It is taken out of the list now. */
  remove(plan: string, rate: ListedRate, nowMs: number): void {
    const entry = this.#of(plan).find(
      one => one.rate === rate && one.untilMs === Number.POSITIVE_INFINITY,
    )
    if (entry) entry.untilMs = nowMs + RELOAD_MS
  }

  current(plan: string): ListedRate[] {
    return this.#of(plan)
      .filter(({ untilMs }) => untilMs === Number.POSITIVE_INFINITY)
      .map(({ rate }) => rate)
  }

  /** The rates for a number at an instant of the switch, of the first plan that has one. */
  fits(plans: readonly string[], digits: string, look: Look, at: number): Fits {
    const found: Fit[] = []
    for (const plan of plans) {
      const { fits, mayBeNone } = this.#fitsOf(plan, digits, look, at)
      found.push(...fits)
      if (!mayBeNone) return { fits: found, mayBeNone: false }
    }
    return { fits: found, mayBeNone: true }
  }

  /**
   * The same for a leg that was answered then. What is not let through at that instant, or has no
   * price, takes the price of before: so this looks back as far as the leg's creation.
   */
  fitsAnswered(
    plans: readonly string[],
    digits: string,
    look: Look,
    [createdAt, answeredAt]: readonly [number, number],
  ): Fit[] {
    const found: Fit[] = []
    for (const at of this.instants(plans, digits, createdAt, answeredAt).reverse()) {
      const { fits, mayBeNone } = this.fits(plans, digits, look, at)
      found.push(...fits.filter(({ rate }) => !rate.blocked))
      if (!mayBeNone && !fits.some(({ rate }) => rate.blocked)) break
    }
    return found
  }

  /** Both instants, and those between at which another rate may come into force. */
  instants(plans: readonly string[], digits: string, from: number, until: number): number[] {
    const between = new Set<number>()
    for (const plan of plans) {
      for (const { rate } of this.#of(plan)) {
        if (digits.startsWith(rate.prefix)) between.add(rate.from).add(rate.until ?? 0)
      }
      for (const part of this.scripts.get(plan)?.parts ?? []) between.add(part.from).add(part.until)
    }
    const inside = [...between].filter(at => at > from && at < until)
    return [from, ...inside.sort((a, b) => a - b), until]
  }

  #fitsOf(plan: string, digits: string, look: Look, at: number): Fits {
    const period = this.scripts.get(plan)?.parts.find(one => one.from <= at && at < one.until)
    const inForce = this.#of(plan).filter(
      ({ rate, fromMs, untilMs }) =>
        digits.startsWith(rate.prefix) &&
        (rate.period === '' || rate.period === period?.name) &&
        rate.from <= at &&
        (rate.until === null || at < rate.until) &&
        fromMs <= look.untilMs &&
        untilMs >= look.fromMs,
    )
    const sure = inForce.filter(
      one => one.fromMs + RELOAD_MS <= look.fromMs && one.untilMs - RELOAD_MS >= look.untilMs,
    )
    const highest = Math.max(-1, ...sure.map(({ rate }) => rank(rate)))
    const fits = inForce.filter(({ rate }) => rank(rate) >= highest)
    return { fits: fits.map(({ rate }) => ({ plan, rate })), mayBeNone: sure.length === 0 }
  }

  #of(plan: string): Entry[] {
    const entries = this.#entries.get(plan) ?? []
    this.#entries.set(plan, entries)
    return entries
  }
}

/** The longest prefix wins; of the same prefix, the rate of a period before that of none. */
function rank({ prefix, period }: ListedRate): number {
  return prefix.length * 2 + (period === '' ? 0 : 1)
}
