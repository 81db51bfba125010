/** What a plan may be called and say, and what a rate may be. */
import { BookError } from '../ledger/books.js'
import type { PlanTerms } from '../ledger/rates.js'
import { isTimeZone } from '../local-time.js'
import { formatMoney, type Money, UNIT } from '../money.js'
import type { ListedRate } from '../rating/listed-rate.js'
import type { NumberRules } from '../rating/number.js'
import { type Period, PeriodError, Schedule } from '../rating/schedule.js'

/** No rate and no setup cost is higher. */
export const PRICE_MAX = 1_000_000n * UNIT

/** No billing step is longer, and no more seconds are free: a day. */
export const STEP_S_MAX = 86_400

/** No description is longer. */
export const DESCRIPTION_MAX = 200

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const NAME_RULE = 'use 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-", beginning with a letter or digit'
const PREFIX = /^\d{0,32}$/
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u

/** @throws BookError bad_input */
export function checkPlanName(name: string): void {
  if (!NAME.test(name)) throw refuse(`${quoted(name)} cannot be a plan: ${NAME_RULE}`)
}

/**
 * All that can be said without looking at other plans.
 * @throws BookError bad_input
 */
export function checkTerms({ zone, numbers, periods }: PlanTerms): void {
  if (!isTimeZone(zone)) {
    throw refuse(`${quoted(zone)} is not a time zone: use a name like Europe/Berlin or UTC`)
  }
  checkNumbers(numbers)
  checkPeriods(zone, periods)
}

/** @throws BookError bad_input */
export function checkRate(rate: ListedRate): void {
  if (!PREFIX.test(rate.prefix)) {
    throw refuse(`${quoted(rate.prefix)} is not a prefix: 0 to 32 digits`)
  }
  if (rate.description.length > DESCRIPTION_MAX || CONTROL.test(rate.description)) {
    throw refuse(
      `The description of ${prefixName(rate.prefix)} must be at most ${DESCRIPTION_MAX} characters in one line`,
    )
  }
  checkPrice(rate, 'price per minute', rate.perMinute)
  checkPrice(rate, 'setup cost', rate.setup)
  checkSeconds(rate, 'minimum', rate.minimum, 1)
  checkSeconds(rate, 'increment', rate.increment, 1)
  checkSeconds(rate, 'free time', rate.freeS, 0)
  checkTimes(rate)
  if (rate.blocked && (rate.perMinute !== 0n || rate.setup !== 0n)) {
    throw refuse(`${prefixName(rate.prefix, true)} is blocked, and has a price: it must be 0`)
  }
}

/** How sentences name a prefix: the empty one would be read over. */
export function prefixName(prefix: string, atStart = false): string {
  const name = prefix === '' ? 'the empty prefix' : `prefix ${prefix}`
  return atStart ? `${name[0]!.toUpperCase()}${name.slice(1)}` : name
}

function checkPrice(rate: ListedRate, what: string, price: Money): void {
  if (price >= 0n && price <= PRICE_MAX) return
  throw refuse(
    `The ${what} of ${prefixName(rate.prefix)} is ${formatMoney(price)}: it must be from 0 to ${formatMoney(PRICE_MAX)}`,
  )
}

function checkSeconds(rate: ListedRate, what: string, seconds: number, least: number): void {
  if (Number.isInteger(seconds) && seconds >= least && seconds <= STEP_S_MAX) return
  throw refuse(
    `The ${what} of ${prefixName(rate.prefix)} is ${seconds}: it must be whole seconds from ${least} to ${STEP_S_MAX}`,
  )
}

function checkTimes({ prefix, from, until }: ListedRate): void {
  if (!isInstant(from) || (until !== null && !isInstant(until))) {
    throw refuse(`The rate of ${prefixName(prefix)} begins or ends at a time that cannot be`)
  }
  if (until !== null && until <= from) {
    throw refuse(`The rate of ${prefixName(prefix)} ends before it begins`)
  }
}

/** Microseconds since the epoch; not before it, and up to the year 2255. */
export function isInstant(at: number): boolean {
  return Number.isSafeInteger(at) && at >= 0
}

interface NumberLimit {
  readonly pattern: RegExp
  readonly rule: string
}

const NUMBER_LIMITS: Record<'techPrefix' | 'countryCode' | 'trunkPrefix', NumberLimit> = {
  techPrefix: { pattern: /^[0-9A-Za-z*#]{0,32}$/, rule: 'a tech prefix: use up to 32 digits' },
  countryCode: { pattern: /^([1-9]\d{0,2})?$/, rule: 'a country code: use 1 to 3 digits' },
  trunkPrefix: { pattern: /^\d{0,8}$/, rule: 'a trunk prefix: use up to 8 digits' },
}

function checkNumbers(numbers: NumberRules): void {
  for (const field of ['techPrefix', 'countryCode', 'trunkPrefix'] as const) {
    const { pattern, rule } = NUMBER_LIMITS[field]
    if (!pattern.test(numbers[field])) throw refuse(`${quoted(numbers[field])} is not ${rule}`)
  }
  const { international, nationalDigits } = numbers
  const odd = international.find(lead => !/^\d{1,8}$/.test(lead))
  if (odd !== undefined) {
    throw refuse(`${quoted(odd)} is not an international prefix: use 1 to 8 digits`)
  }
  if (international.length > 10) throw refuse('A plan has at most 10 international prefixes')
  if (nationalDigits === null) return
  if (!Number.isInteger(nationalDigits) || nationalDigits < 1 || nationalDigits > 32) {
    throw refuse('The national digits must be a whole number from 1 to 32')
  }
}

function checkPeriods(zone: string, periods: readonly Period[]): void {
  const names = new Set<string>()
  for (const { name, hours } of periods) {
    if (!NAME.test(name)) throw refuse(`${quoted(name)} cannot be a period: ${NAME_RULE}`)
    if (names.has(name)) throw refuse(`There are two periods ${name}`)
    if (hours.length > 1000) throw refuse(`The hours of the period ${name} are too long`)
    names.add(name)
  }
  try {
    new Schedule(zone, periods)
  } catch (error) {
    if (error instanceof PeriodError) throw refuse(error.message)
    throw error
  }
}

const refuse = (message: string) => new BookError('bad_input', message)

const quoted = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
