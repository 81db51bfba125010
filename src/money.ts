/**
 * Exact amounts. Money is a whole number of micro-units (1e-6 of the currency) in a bigint; it is
 * written as a decimal string, and no float ever touches it.
 */
export type Money = bigint

/** Micro-units in one unit of the currency. */
export const UNIT = 1_000_000n

/** The largest amount, either way: what SQLite hands to JavaScript without loss, 2^53 − 1. */
export const MONEY_MAX = 9_007_199_254_740_991n

const DECIMAL = /^([+-]?)(\d{1,10})(?:\.(\d{1,6}))?$/

/** The text is not an amount. `message` is a sentence for the person who typed it. */
export class MoneyError extends Error {
  override name = 'MoneyError'
  readonly code = 'bad_amount'
}

/**
 * Reads a decimal such as `12`, `-0.5` or `0.000001`.
 * @throws MoneyError for anything else: exponents, thousands separators, a seventh decimal place.
 */
export function parseMoney(text: string): Money {
  const match = DECIMAL.exec(text)
  if (!match) {
    throw new MoneyError(
      `${quoted(text)} is not an amount: write it like 12 or 0.25, with at most six decimal places`,
    )
  }
  const [, sign, units = '', fraction = ''] = match
  const amount = BigInt(units) * UNIT + BigInt(fraction.padEnd(6, '0'))
  if (amount > MONEY_MAX) throw new MoneyError(`${quoted(text)} is more than can be booked`)
  return sign === '-' ? -amount : amount
}

/** Writes all six places, so that amounts line up and compare as text: `-0.500000`. */
export function formatMoney(amount: Money): string {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(7, '0')
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
}

/** Division of non-negative amounts that never rounds in the payer's favour. */
export function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by
}

export function smaller(a: Money, b: Money): Money {
  return a < b ? a : b
}

export function larger(a: Money, b: Money): Money {
  return a > b ? a : b
}

const quoted = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
