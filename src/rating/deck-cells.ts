/** What may stand in the cells of a deck. What could be meant in two ways is refused, never guessed. */
import { formatMoney, type Money, parseMoney } from '../money.js'
import { DeckError, shown } from './deck-error.js'
import { parseInstant } from './instants.js'

/** A day at this price a minute is still an amount that can be booked. */
export const PRICE_MAX: Money = 1_000_000_000_000n

/** No billing step is longer than a day. */
export const STEP_S_MAX = 86_400

export type DateFormat = 'dd/mm/yyyy' | 'mm/dd/yyyy'
export const DATE_FORMATS = ['dd/mm/yyyy', 'mm/dd/yyyy'] as const satisfies readonly DateFormat[]

/** How whoever wrote the deck writes, where that cannot be told from it. */
export interface DeckWriting {
  /** Null: dates must be like 2026-12-31. */
  readonly dateFormat: DateFormat | null
  /** `0,05` is a twentieth. */
  readonly decimalComma: boolean
}

const PLAIN_PRICE = /^\d{1,7}(?:\.\d{1,6})?$/

/**
 * @param what as sentences name it: `the price per minute`
 * @throws DeckError
 */
export function readPrice(what: string, cell: string, { decimalComma }: DeckWriting): Money {
  if (PLAIN_PRICE.test(cell) && !decimalComma) return atMost(what, parseMoney(cell))
  let text = cell.trim()
  if (text === '') throw new DeckError(`${what} is missing`)
  refuseOddPrice(what, text, decimalComma)
  if (decimalComma) text = text.replace(',', '.')
  text = text.replace(/(\.\d{6})0+$/, '$1').replace(/^\./, '0.')
  if (/\.\d{7}/.test(text)) {
    throw new DeckError(`${what} ${shown(cell)} has more than six decimal places`)
  }
  if (/^\d{8,}/.test(text)) throw tooMuch(what)
  if (!PLAIN_PRICE.test(text)) {
    throw new DeckError(`${what} ${shown(cell)} is not an amount: write it like 12 or 0.25`)
  }
  return atMost(what, parseMoney(text))
}

/** The odd ways to write a price, each with what to do about it. */
function refuseOddPrice(what: string, text: string, decimalComma: boolean): void {
  const thousands = decimalComma ? /\d[ '’_]\d|\..*[.,]/ : /\d[ '’_]\d|,.*[.,]/
  const oddities: readonly (readonly [RegExp, string])[] = [
    [/\dE[+-]?\d/i, 'is in scientific notation: write it out, like 0.01'],
    [/^[-−(]/, 'is negative: a price must not be'],
    [/\p{Sc}|[A-Za-z]{3}/u, 'has a currency: write the number alone, like 0.25'],
    [thousands, 'has a thousands separator: write the digits alone'],
    decimalComma
      ? [/\./, 'has a point, but --decimal-comma says that decimals come after a comma']
      : [/,/, 'has a comma: where that is the decimal point, say --decimal-comma'],
  ]
  for (const [pattern, sentence] of oddities) {
    if (pattern.test(text)) throw new DeckError(`${what} ${shown(text)} ${sentence}`)
  }
}

function atMost(what: string, price: Money): Money {
  if (price > PRICE_MAX) throw tooMuch(what)
  return price
}

const tooMuch = (what: string) => new DeckError(`${what} must be at most ${formatMoney(PRICE_MAX)}`)

/** Whole seconds. @throws DeckError */
export function readSeconds(what: string, cell: string, min: number): number {
  const text = cell.trim()
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= min && seconds <= STEP_S_MAX) return seconds
  throw new DeckError(
    `${what} must be whole seconds from ${min} to ${STEP_S_MAX}, not ${shown(text)}`,
  )
}

/** `60/6` is the minimum and the increment; `60` is both. @throws DeckError */
export function readSteps(cell: string): readonly [minimum: number, increment: number] {
  const [minimum = '', increment = minimum, more] = cell.split('/')
  if (more !== undefined) throw new DeckError(`${shown(cell)} is no minimum/increment like 60/6`)
  return [readSeconds('the minimum', minimum, 1), readSeconds('the increment', increment, 1)]
}

/** Ends as late as this are meant as none, and no rate begins so late: 2200-01-01. */
export const OPEN_END = Date.UTC(2200, 0) * 1000

/** When a rate begins: microseconds since the epoch, 0 for always. @throws DeckError */
export function readFrom(cell: string, writing: DeckWriting): number {
  return Math.max(0, readDate(cell, writing))
}

/** When a rate ends; null for never. @throws DeckError */
export function readUntil(cell: string, writing: DeckWriting): number | null {
  return openEnd(readDate(cell, writing))
}

/** When a rate ends that is to end at this instant. */
export function openEnd(at: number): number | null {
  return at >= OPEN_END ? null : at
}

const SLASHED = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:\.0+)?)?)?$/

function readDate(cell: string, { dateFormat }: DeckWriting): number {
  const text = cell.trim()
  const match = SLASHED.exec(text)
  if (match && dateFormat === null) {
    const [, a, , b] = match
    const trouble =
      Number(a) <= 12 && Number(b) <= 12 ? 'can be read in two ways' : 'is not like 2026-12-31'
    throw new DeckError(
      `the date ${shown(text)} ${trouble}: say --date-format dd/mm/yyyy or mm/dd/yyyy`,
    )
  }
  const at = parseInstant(match ? isoOf(match, dateFormat) : text)
  if (at !== undefined) return at
  const like = dateFormat === null ? '2026-12-31' : `2026-12-31 or ${dateFormat}`
  throw new DeckError(`${shown(text)} is no date: write it like ${like}`)
}

function isoOf(match: RegExpExecArray, dateFormat: DateFormat | null): string {
  const [, a = '', , b = '', year, hour = '0', minute = '00', second = '00'] = match
  const [day, month] = dateFormat === 'dd/mm/yyyy' ? [a, b] : [b, a]
  const two = (digits: string) => digits.padStart(2, '0')
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${second}`
}

const BLOCKED = ['yes', 'y', 'true', '1', 'blocked', 'barred', 'closed', 'disabled', 'inactive']
const OPEN = [
  ...['', 'no', 'n', 'false', '0', 'open', 'active', 'enabled', 'unblocked', 'ok', 'available'],
  ...['current', 'new', 'increase', 'decrease', 'no change', 'unchanged', 'same', 'change'],
]

/** @throws DeckError */
export function readBlocked(cell: string): boolean {
  const text = cell.trim().toLowerCase()
  if (OPEN.includes(text)) return false
  if (BLOCKED.includes(text)) return true
  throw new DeckError(
    `${shown(cell)} does not say whether calls are blocked: write yes or no, or --map "NAME=ignore"`,
  )
}
