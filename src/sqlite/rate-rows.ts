/**
 * The columns of rates.db. Rates are read and written by position: by name, a million of them take
 * twice as long.
 */
import type { Imported, ImportTerms, Plan } from '../ledger/rates.js'
import { formatMoney, type Money } from '../money.js'
import { shortestInstant } from '../rating/instants.js'
import type { ListedRate } from '../rating/listed-rate.js'
import type { Period } from '../rating/schedule.js'
import { numberOrNull } from './rows.js'

/** Of a rate, its deck apart. The key comes first. */
export const RATE_COLUMNS =
  'prefix, period, effective_from, effective_until, description, per_minute, setup, minimum, increment, free_s, blocked'

/** The same, as a statement that was prepared with safeIntegers(false) reads it: none is above 2^53. */
export type RateRow = readonly [
  prefix: string,
  period: string,
  from: number,
  until: number | null,
  description: string,
  perMinute: number,
  setup: number,
  minimum: number,
  increment: number,
  freeS: number,
  blocked: number,
]

/** How many parameters a rate and its deck are. */
export const RATE_PLACES = RATE_COLUMNS.split(',').length + 1

export type Parameter = string | number | bigint | null

/** Adds the parameters of a rate, its deck first. */
export function pushRate(into: Parameter[], deck: bigint, rate: ListedRate): Parameter[] {
  into.push(
    deck,
    rate.prefix,
    rate.period,
    rate.from,
    rate.until,
    rate.description,
    rate.perMinute,
    rate.setup,
    rate.minimum,
    rate.increment,
    rate.freeS,
    rate.blocked ? 1 : 0,
  )
  return into
}

export function rateOf(row: RateRow): ListedRate {
  return {
    prefix: row[0],
    period: row[1],
    from: row[2],
    until: row[3],
    description: row[4],
    perMinute: amountOf(row[5]),
    setup: amountOf(row[6]),
    minimum: row[7],
    increment: row[8],
    freeS: row[9],
    blocked: row[10] === 1,
  }
}

/** Prices are at most 10^12 micro-units, so nothing is lost on the way; most setup costs are 0. */
function amountOf(whole: number): Money {
  return whole === 0 ? 0n : BigInt(whole)
}

export interface PlanRow {
  readonly name: string
  readonly deck_id: bigint
  readonly zone: string
  readonly cost_plan: string | null
  readonly refuse_loss: bigint
  readonly tech_prefix: string
  readonly international: string
  readonly country_code: string
  readonly trunk_prefix: string
  readonly national_digits: bigint | null
  readonly changes: bigint
  /** How many rates its deck has, and how often one of them was changed. */
  readonly rates: bigint
  readonly deck_changes: bigint
}

/** The columns that changePlan() may change. */
export const PLAN_COLUMNS = [
  'zone',
  'cost_plan',
  'refuse_loss',
  'tech_prefix',
  'international',
  'country_code',
  'trunk_prefix',
  'national_digits',
] as const

export function planParameters({ name, zone, costPlan, refuseLoss, numbers }: Plan) {
  return {
    name,
    zone,
    cost_plan: costPlan,
    refuse_loss: refuseLoss ? 1 : 0,
    tech_prefix: numbers.techPrefix,
    international: numbers.international.join(','),
    country_code: numbers.countryCode,
    trunk_prefix: numbers.trunkPrefix,
    national_digits: numbers.nationalDigits,
  }
}

export function planOf(row: PlanRow, periods: readonly Period[]): Plan {
  return {
    name: row.name,
    rates: Number(row.rates),
    zone: row.zone,
    costPlan: row.cost_plan,
    refuseLoss: row.refuse_loss === 1n,
    numbers: {
      techPrefix: row.tech_prefix,
      international: row.international === '' ? [] : row.international.split(','),
      countryCode: row.country_code,
      trunkPrefix: row.trunk_prefix,
      nationalDigits: numberOrNull(row.national_digits),
    },
    periods,
  }
}

/** A plan as the audit tells it. */
export function planFields({ name, zone, costPlan, refuseLoss, numbers, periods }: Plan) {
  return {
    name,
    zone,
    cost_plan: costPlan,
    refuse_loss: refuseLoss,
    tech_prefix: numbers.techPrefix,
    international: numbers.international,
    country_code: numbers.countryCode,
    trunk_prefix: numbers.trunkPrefix,
    national_digits: numbers.nationalDigits,
    periods: periods.map(period => ({ name: period.name, hours: period.hours })),
  }
}

/** A rate as the audit tells it. */
export function rateFields(rate: ListedRate) {
  return {
    prefix: rate.prefix,
    description: rate.description,
    per_minute: formatMoney(rate.perMinute),
    setup: formatMoney(rate.setup),
    minimum: rate.minimum,
    increment: rate.increment,
    free_s: rate.freeS,
    period: rate.period,
    from: instantOrNull(rate.from),
    until: instantOrNull(rate.until),
    blocked: rate.blocked,
  }
}

/** An import as the audit tells it. */
export function importFields(
  { mode, effective, source }: ImportTerms,
  { rates, changes }: Imported,
) {
  const { added, removed, dearer, cheaper, otherwise, same } = changes
  const counts = { added, removed, dearer, cheaper, otherwise, same }
  return { mode, effective: instantOrNull(effective), source, rates, ...counts }
}

/** Null for always, and for no end. */
function instantOrNull(at: number | null): string | null {
  return at === null || at === 0 ? null : shortestInstant(at)
}
