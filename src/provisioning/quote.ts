/** What a call would cost, by the very function that the meter asks, and how that comes about. */
import { z } from 'zod'
import { formatInstant } from '../call/cdr.js'
import { BookError } from '../ledger/books.js'
import type { Plan, Rates } from '../ledger/rates.js'
import { formatMoney, type Money } from '../money.js'
import type { ListedRate } from '../rating/listed-rate.js'
import { E164_NUMBERS, normaliseNumber } from '../rating/number.js'
import { type PriceRefusal, type Pricing, priceCall, type RatedBy } from '../rating/pricing.js'
import { billedSeconds, costOf, type Rate } from '../rating/rate.js'
import { type RateBook, type RatePlan, TablePlan } from '../rating/rate-book.js'
import { RateTable } from '../rating/rate-table.js'
import { Schedule } from '../rating/schedule.js'
import { carrierCost, type Tariff } from '../rating/tariff.js'
import { accountCode, checkInput, instant, planName, quoted, whole, words } from './fields.js'
import { type LedgerAccess, RateEditing } from './rate-editing.js'
import { type RateJson, rateJson } from './rate-fields.js'

/** The longest call that is worth asking about, in seconds: 30 days. */
const SECONDS_MAX = 2_592_000

const whose = { account: accountCode.optional(), plan: planName.optional() }
const quotedPlan = z
  .strictObject(whose)
  .refine(({ account, plan }) => (account === undefined) !== (plan === undefined), {
    error: 'Say whose rates to use: an account or a plan',
  })
const callInput = z.strictObject({
  number: words('The number', 1_000),
  seconds: whole('The seconds', 0, SECONDS_MAX),
  /** When it is answered; now, where that is not said. */
  at: instant('The time').optional(),
})
const numberInput = callInput.pick({ number: true, at: true })

/** The whole question at once. */
export const quoteInput = callInput.extend(whose)

/** The fields of a rate are null where there is none for the number. */
export interface QuoteJson extends Pick<RateJson, 'plan'>, OrNull<Omit<RateJson, 'plan'>> {
  /** As it was given. */
  dialled: string
  /** The digits that were rated; null where it is not a number. */
  number: string | null
  /** What was done to get from one to the other. */
  steps: readonly string[]
  at: string
  seconds: number
  /** Which of the account's plans has the rate. */
  decided_by: 'plan' | 'special_plan' | null
  /** The period of that plan in force; empty for none. The rate may be of it, or of the base. */
  period_in_force: string
  billed_s: number | null
  /** The part of the cost that is for the talk, setup apart. */
  talk_cost: string | null
  cost: string | null
  cost_plan: string | null
  /** What the carrier charges a minute, and for this call. */
  carrier_per_minute: string | null
  carrier_cost: string | null
  /** The cost of the call less that of the carrier. */
  margin: string | null
  /** Why such a call is not let through, for programs and for people. */
  refused: PriceRefusal | null
  reason: string | null
}

type OrNull<T> = { [K in keyof T]: T[K] | null }

/** A call, priced. */
interface Priced {
  readonly dialled: string
  readonly at: number
  readonly book: RateBook
  readonly pricing: Pricing
}

interface QuotedPlan {
  readonly plan: Plan
  readonly schedule: Schedule
}

/** The plans of one account, or one plan, for any number of questions. */
export class Quoter {
  readonly #rates: Rates
  readonly #by: RatedBy
  /** All that matter for its calls; their rates are asked for with each number. */
  readonly #plans: readonly QuotedPlan[]

  private constructor(rates: Rates, by: RatedBy, plans: readonly Plan[]) {
    this.#rates = rates
    this.#by = by
    this.#plans = plans.map(plan => ({ plan, schedule: new Schedule(plan.zone, plan.periods) }))
  }

  /** @throws BookError unknown_plan, unknown_account, bad_input */
  static async open(
    rates: Rates,
    access: LedgerAccess,
    input: { account?: unknown; plan?: unknown },
  ): Promise<Quoter> {
    const { account, plan } = checkInput(quotedPlan, input)
    const by =
      plan === undefined
        ? await ratedBy(access, account)
        : { plan, specialPlan: null, longestS: null }
    const editing = new RateEditing(rates, access)
    const base = await editing.existing(by.plan)
    const others = [by.specialPlan, base.costPlan].filter(name => name !== null)
    const found = await Promise.all(others.map(name => rates.plan(name)))
    return new Quoter(rates, by, [base, ...found.filter(one => one !== undefined)])
  }

  /** @throws BookError bad_input */
  async quote(input: { number?: unknown; seconds?: unknown; at?: unknown }): Promise<QuoteJson> {
    const { number, seconds, at = Date.now() * 1000 } = checkInput(callInput, input)
    const priced = await this.#price(number, at)
    const { pricing } = priced
    const { tariff } = pricing
    const plan = pricing.status === 'priced' ? pricing.tariff.plan : pricing.plan
    const rate = this.#rateOf(priced)
    const { plan: _, ...fields } = rate ? rateJson(plan, rate) : NO_RATE
    return {
      dialled: number,
      ...this.#normalised(number),
      at: formatInstant(at),
      seconds,
      plan,
      decided_by: rate && (plan === this.#by.specialPlan ? 'special_plan' : 'plan'),
      period_in_force: priced.book.plan(plan)?.periodAt(at) ?? '',
      ...fields,
      ...(tariff && !rate?.blocked ? costs(tariff, seconds) : NO_COSTS),
      cost_plan: this.#plans[0]!.plan.costPlan,
      refused: pricing.status === 'priced' ? null : pricing.reason,
      reason: pricing.status === 'priced' ? null : this.#sentence(priced, pricing.reason, rate),
    }
  }

  /**
   * The rate that a call to the number would get.
   * @throws BookError no_rate, bad_input
   */
  async find(input: { number?: unknown; at?: unknown }): Promise<RateJson> {
    const { number, at = Date.now() * 1000 } = checkInput(numberInput, input)
    const priced = await this.#price(number, at)
    const rate = this.#rateOf(priced)
    const { pricing } = priced
    if (rate && pricing.tariff) return rateJson(pricing.tariff.plan, rate)
    const malformed = pricing.status === 'unpriced' && pricing.reason === 'malformed_number'
    const reason = malformed ? 'malformed_number' : 'no_rate'
    const message = this.#sentence(priced, reason, null)
    throw new BookError(malformed ? 'bad_input' : 'no_rate', message)
  }

  async #price(dialled: string, at: number): Promise<Priced> {
    const { number } = this.#normalised(dialled)
    const plans = new Map<string, RatePlan>()
    for (const { plan, schedule } of this.#plans) {
      const table = new RateTable()
      const rates = number === null ? [] : await this.#rates.ratesFor(plan.name, number)
      for (const rate of rates) table.add(rate)
      plans.set(plan.name, new TablePlan(plan, schedule, table))
    }
    const book = { plan: (name: string) => plans.get(name) }
    return { dialled, at, book, pricing: priceCall(book, this.#by, dialled, at) }
  }

  #normalised(dialled: string): { number: string | null; steps: readonly string[] } {
    const rules = this.#plans[0]?.plan.numbers ?? E164_NUMBERS
    const normalised = normaliseNumber(dialled, rules)
    return { number: normalised?.digits ?? null, steps: normalised?.steps ?? [] }
  }

  /** As the plan lists it: a tariff has only what prices the call. */
  #rateOf({ pricing, book, at }: Priced): ListedRate | null {
    const { tariff } = pricing
    return (tariff && book.plan(tariff.plan)?.find(tariff.number, at)) ?? null
  }

  #sentence({ dialled, pricing }: Priced, reason: PriceRefusal, rate: ListedRate | null): string {
    const { plan, specialPlan } = this.#by
    const number = pricing.status === 'priced' ? pricing.tariff.number : pricing.number
    const prefix = rate?.prefix === '' ? 'all numbers' : `prefix ${rate?.prefix}`
    const why = rate?.description ? `: ${rate.description}` : ''
    const costPlan = this.#plans[0]!.plan.costPlan
    const sentences: Readonly<Record<PriceRefusal, string>> = {
      malformed_number: `${quoted(dialled)} is not a telephone number`,
      no_rate: `The plan ${plan} has no rate for ${number}${specialPlan === null ? '' : `, and neither has the special plan ${specialPlan}`}`,
      destination_blocked: `Calls to ${prefix} are blocked${why}`,
      no_cost_rate: `What the carrier charges for ${number} is not known${costPlan === null ? '' : ` to the cost plan ${costPlan}`}, and calls on the plan ${plan} must not lose money`,
      would_lose_money: `The carrier may charge more than the call brings, and calls on the plan ${plan} must not lose money`,
    }
    return sentences[reason]
  }
}

async function ratedBy(access: LedgerAccess, code: string | undefined): Promise<RatedBy> {
  const account = await (await access.ledger()).accountShow({ code })
  const { plan, special_plan: specialPlan, longest_call_s: longestS } = account
  return { plan, specialPlan, longestS }
}

function costs(tariff: Tariff, seconds: number) {
  const { rate, carrier } = tariff
  const cost = costOf(rate, seconds)
  const toCarrier = carrierCost(tariff, seconds)
  return {
    billed_s: billedSeconds(rate, seconds),
    talk_cost: formatMoney(cost === 0n ? 0n : cost - rate.setup),
    cost: formatMoney(cost),
    carrier_per_minute: perMinuteOf(carrier),
    carrier_cost: amountOrNull(toCarrier),
    margin: amountOrNull(toCarrier === null ? null : cost - toCarrier),
  }
}

const amountOrNull = (amount: Money | null) => (amount === null ? null : formatMoney(amount))
const perMinuteOf = (rate: Rate | null) => amountOrNull(rate?.perMinute ?? null)

const NO_COSTS = {
  billed_s: null,
  talk_cost: null,
  cost: null,
  carrier_per_minute: null,
  carrier_cost: null,
  margin: null,
}

const NO_RATE = {
  plan: null,
  prefix: null,
  description: null,
  per_minute: null,
  setup: null,
  minimum: null,
  increment: null,
  free_s: null,
  period: null,
  from: null,
  until: null,
  blocked: null,
}
