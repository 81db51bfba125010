/** What a plan may be called and a rate may be. */
import { BookError } from '../ledger/books.js'
import { formatMoney, type Money, UNIT } from '../money.js'
import type { Rate } from '../rating/rate.js'

/** No rate and no setup cost is higher. */
export const PRICE_MAX = 1_000_000n * UNIT

/** No billing step is longer: a day. */
export const STEP_S_MAX = 86_400

const PLAN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const PREFIX = /^\d{0,32}$/

/** @throws BookError bad_input */
export function checkPlanName(name: string): void {
  if (PLAN_NAME.test(name)) return
  throw new BookError(
    'bad_input',
    `${quoted(name)} cannot be a plan: use 1 to 64 of A-Z, a-z, 0-9, ".", "_" and "-", beginning with a letter or digit`,
  )
}

/** @throws BookError bad_input */
export function checkRate(rate: Rate): void {
  if (!PREFIX.test(rate.prefix)) {
    throw new BookError('bad_input', `${quoted(rate.prefix)} is not a prefix: 0 to 32 digits`)
  }
  checkPrice(rate, 'price per minute', rate.perMinute)
  checkPrice(rate, 'setup cost', rate.setup)
  checkStep(rate, 'minimum', rate.minimum)
  checkStep(rate, 'increment', rate.increment)
}

/** How sentences name a prefix: the empty one would be read over. */
export function prefixName(prefix: string): string {
  return prefix === '' ? 'the empty prefix' : `prefix ${prefix}`
}

function checkPrice(rate: Rate, what: string, price: Money): void {
  if (price >= 0n && price <= PRICE_MAX) return
  throw new BookError(
    'bad_input',
    `The ${what} of ${prefixName(rate.prefix)} is ${formatMoney(price)}: it must be from 0 to ${formatMoney(PRICE_MAX)}`,
  )
}

function checkStep(rate: Rate, what: string, seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= STEP_S_MAX) return
  throw new BookError(
    'bad_input',
    `The ${what} of ${prefixName(rate.prefix)} is ${seconds}: it must be whole seconds from 1 to ${STEP_S_MAX}`,
  )
}

const quoted = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
