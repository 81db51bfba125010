/** Rates and plans as programs see them, and the fields by which one is asked for. */
import { z } from 'zod'
import { formatInstant } from '../call/cdr.js'
import type { Plan } from '../ledger/rates.js'
import { formatMoney } from '../money.js'
import type { ListedRate } from '../rating/listed-rate.js'
import { accountCode, instant, notNegative, planName, whole, words } from './fields.js'

export interface RateJson {
  plan: string
  prefix: string
  description: string
  per_minute: string
  setup: string
  minimum: number
  increment: number
  free_s: number
  /** Empty for a rate that is in force whenever none of a period is. */
  period: string
  /** Null: since always, and without an end. */
  from: string | null
  until: string | null
  blocked: boolean
}

/** Null is what the plan does without. */
export interface PlanJson {
  name: string
  /** How many rates it has. */
  rates: number
  zone: string
  cost_plan: string | null
  refuse_loss: boolean
  tech_prefix: string | null
  international: readonly string[]
  country_code: string | null
  trunk_prefix: string | null
  national_digits: number | null
  periods: readonly { name: string; hours: string }[]
}

export function rateJson(plan: string, rate: ListedRate): RateJson {
  return {
    plan,
    prefix: rate.prefix,
    description: rate.description,
    per_minute: formatMoney(rate.perMinute),
    setup: formatMoney(rate.setup),
    minimum: rate.minimum,
    increment: rate.increment,
    free_s: rate.freeS,
    period: rate.period,
    from: rate.from === 0 ? null : formatInstant(rate.from),
    until: rate.until === null ? null : formatInstant(rate.until),
    blocked: rate.blocked,
  }
}

export function planJson(plan: Plan): PlanJson {
  const { numbers } = plan
  return {
    name: plan.name,
    rates: plan.rates,
    zone: plan.zone,
    cost_plan: plan.costPlan,
    refuse_loss: plan.refuseLoss,
    tech_prefix: numbers.techPrefix || null,
    international: numbers.international,
    country_code: numbers.countryCode || null,
    trunk_prefix: numbers.trunkPrefix || null,
    national_digits: numbers.nationalDigits,
    periods: plan.periods.map(({ name, hours }) => ({ name, hours })),
  }
}

/** A yes or a no, as it is typed or as JSON has it. */
export function yesNo(what: string) {
  return z
    .custom<boolean | 'yes' | 'no'>(value => [true, false, 'yes', 'no'].includes(value as string), {
      error: `${what} must be yes or no`,
    })
    .transform(value => value === true || value === 'yes')
    .meta({ type: 'boolean', description: what })
}

export const prefix = words('The prefix', 1_000)

/** What the rates are of: a plan, or the plan that an account has for itself. */
export const owner = { plan: planName.optional(), account: accountCode.optional() }

/** Null for the base, which has no period. */
const periodName = words('The period', 64).nullable().optional()

/** Which of the rates of a prefix is meant, where there are several. */
export const key = { prefix, period: periodName, from: instant('The start').optional() }

/** What a rate says besides its key. */
export const terms = {
  description: words('The description', 200).optional(),
  per_minute: notNegative('The price per minute').optional(),
  setup: notNegative('The setup cost').optional(),
  minimum: whole('The minimum', 1, 86_400).optional(),
  increment: whole('The increment', 1, 86_400).optional(),
  free_s: whole('The free seconds', 0, 86_400).optional(),
  until: instant('The end').nullable().optional(),
  blocked: yesNo('Whether calls are blocked').optional(),
}
