/** What a leg may have been charged by, and whether it was to be let through, by the price list. */
import type { Auditor } from './auditor.js'
import type { Placed } from './callers.js'
import { type Fit, type Fits, type Look, losesMoney, type PriceList } from './price-list.js'

/** A leg that rings may be answered by then: until then its terms were looked up. */
export const AHEAD_US = 600e6

export class FairTerms {
  constructor(
    readonly auditor: Auditor,
    readonly prices: PriceList,
  ) {}

  /** What a leg that was answered pays: what was in force just then. */
  answered(placed: Placed, digits: string, look: Look, times: readonly [number, number]): Fit[] {
    return this.#plans(placed, look).flatMap(plans =>
      this.prices.fitsAnswered(plans, digits, look, times),
    )
  }

  /** What the carrier may have taken for it; whether that may have been unknown. */
  carried(placed: Placed, digits: string, look: Look, times: readonly [number, number]): Fits {
    const costPlan = this.prices.scripts.get(placed.subscriber?.plan ?? '')?.costPlan ?? null
    if (costPlan === null) return { fits: [], mayBeNone: true }
    const [createdAt, answeredAt] = times
    const sales = this.#overTime(placed, digits, look, answeredAt, answeredAt)
    const isSold = sales.every(({ found }) => !found.mayBeNone && !found.fits.some(isBlocked))
    // Where the account's own price is that of before, the carrier's is of then, too.
    const found = this.prices
      .instants([costPlan], digits, isSold ? answeredAt : createdAt, answeredAt)
      .map(at => this.prices.fits([costPlan], digits, look, at))
    return {
      fits: found.flatMap(({ fits }) => fits.filter(fit => !isBlocked(fit))),
      mayBeNone: found.some(one => one.mayBeNone || one.fits.some(isBlocked)),
    }
  }

  /** The rates that the leg may have had to do with, let through or not, from one time to another. */
  candidates(placed: Placed, digits: string, look: Look, from: number, until: number): Fit[] {
    return this.#overTime(placed, digits, look, from, until).flatMap(({ found }) => found.fits)
  }

  /** Why the price list may have been against the leg; null stands for that it was not. */
  verdicts(
    placed: Placed,
    digits: string,
    look: Look,
    from: number,
    until: number,
  ): ReadonlySet<string | null> {
    const verdicts = new Set<string | null>()
    for (const { found, at } of this.#overTime(placed, digits, look, from, until)) {
      if (found.mayBeNone) verdicts.add('no_rate')
      for (const fit of found.fits) {
        if (fit.rate.blocked) verdicts.add('destination_blocked')
        else for (const one of this.#losses(placed, digits, look, at, fit)) verdicts.add(one)
      }
    }
    return verdicts
  }

  #losses(
    { subscriber }: Placed,
    digits: string,
    look: Look,
    at: number,
    { rate }: Fit,
  ): (string | null)[] {
    const script = this.prices.scripts.get(subscriber!.plan)!
    if (!script.refuseLoss || script.costPlan === null) return [null]
    const { fits, mayBeNone } = this.prices.fits([script.costPlan], digits, look, at)
    const verdicts = fits.map(carrier => {
      if (carrier.rate.blocked) return 'no_cost_rate'
      return losesMoney(rate, carrier.rate) ? 'would_lose_money' : null
    })
    return mayBeNone ? [...verdicts, 'no_cost_rate'] : verdicts
  }

  #overTime(placed: Placed, digits: string, look: Look, from: number, until: number) {
    return this.#plans(placed, look).flatMap(plans => {
      const costPlan = this.prices.scripts.get(placed.subscriber!.plan)!.costPlan
      const all = costPlan === null ? plans : [...plans, costPlan]
      return this.prices
        .instants(all, digits, from, until)
        .map(at => ({ at, found: this.prices.fits(plans, digits, look, at) }))
    })
  }

  /** The plans of the account, the special one first; in several ways where that was changed. */
  #plans({ code, subscriber }: Placed, { fromMs, untilMs }: Look): string[][] {
    if (code === null || !subscriber) return []
    const special = new Set(
      this.auditor.standings(code, fromMs, untilMs).map(({ row }) => row.special_plan),
    )
    return [...special].map(one => (one === null ? [subscriber.plan] : [one, subscriber.plan]))
  }
}

const isBlocked = ({ rate }: Fit) => rate.blocked
