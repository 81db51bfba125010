/**
 * A deck: the rates of a plan as flat CSV, one prefix a line. What formatDeck writes, readRow reads
 * back to the same rates, and formatDeck writes again byte for byte. The CSV syntax itself (quotes,
 * line ends) is the reader's part; here are the columns and what may stand in them.
 */
import { formatMoney, type Money, MoneyError, parseMoney } from '../money.js'
import type { Rate } from './rate.js'

export const DECK_COLUMNS = [
  'prefix',
  'description',
  'per_minute',
  'setup',
  'minimum',
  'increment',
] as const

type Column = (typeof DECK_COLUMNS)[number]

/** Where each column stands in a row. */
export type DeckHeader = Readonly<Record<Column, number>>

/** What is written in a deck is wrong. `message` is a sentence for the person who wrote it. */
export class DeckError extends Error {
  override name = 'DeckError'
  readonly code = 'bad_deck'
}

/** The longest prefix and description that a rate may have. */
export const PREFIX_MAX = 32
export const DESCRIPTION_MAX = 200

/** No billing step is longer than a day. */
export const STEP_S_MAX = 86_400

/**
 * Reads the header: each of the six columns once, in any order.
 * @throws DeckError that names what is missing, double or unknown
 */
export function readHeader(fields: readonly string[]): DeckHeader {
  const names = fields.map(field => field.trim().toLowerCase())
  const unknown = names.find(name => !(DECK_COLUMNS as readonly string[]).includes(name))
  const missing = DECK_COLUMNS.find(column => !names.includes(column))
  const wanted = `the first line must be ${DECK_COLUMNS.join(',')}`
  if (unknown !== undefined) {
    throw new DeckError(`${JSON.stringify(unknown.slice(0, 40))} is no column of a deck: ${wanted}`)
  }
  if (missing !== undefined) throw new DeckError(`The column ${missing} is missing: ${wanted}`)
  if (names.length > DECK_COLUMNS.length) throw new DeckError(`A column is there twice: ${wanted}`)
  const places = DECK_COLUMNS.map(column => [column, names.indexOf(column)])
  return Object.fromEntries(places) as DeckHeader
}

/**
 * Reads a row.
 * @throws DeckError for the first field that is wrong
 */
export function readRow(header: DeckHeader, fields: readonly string[]): Rate {
  if (fields.length !== DECK_COLUMNS.length) {
    const are = fields.length === 1 ? 'is 1 field' : `are ${fields.length} fields`
    throw new DeckError(`there ${are} instead of ${DECK_COLUMNS.length}`)
  }
  const field = (column: Column) => fields[header[column]]!
  return checkRate({
    prefix: field('prefix'),
    description: field('description'),
    perMinute: price('per_minute', field('per_minute')),
    setup: price('setup', field('setup')),
    minimum: step('minimum', field('minimum')),
    increment: step('increment', field('increment')),
  })
}

/**
 * The limits of every rate, wherever it comes from.
 * @throws DeckError for the first that does not hold
 */
export function checkRate(rate: Rate): Rate {
  if (!/^\d*$/.test(rate.prefix) || rate.prefix.length > PREFIX_MAX) {
    throw new DeckError(
      `${JSON.stringify(rate.prefix.slice(0, 40))} is not a prefix: it must be at most ${PREFIX_MAX} digits`,
    )
  }
  if (rate.description.length > DESCRIPTION_MAX || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(rate.description)) {
    throw new DeckError(`the description must be at most ${DESCRIPTION_MAX} characters in one line`)
  }
  for (const [column, amount] of [
    ['per_minute', rate.perMinute],
    ['setup', rate.setup],
  ] as const) {
    if (amount < 0n) throw new DeckError(`${column} must not be negative`)
    if (amount > PRICE_MAX)
      throw new DeckError(`${column} must be at most ${formatMoney(PRICE_MAX)}`)
  }
  for (const column of ['minimum', 'increment'] as const) {
    if (!Number.isInteger(rate[column]) || rate[column] < 1 || rate[column] > STEP_S_MAX) {
      throw new DeckError(`${column} must be whole seconds from 1 to ${STEP_S_MAX}`)
    }
  }
  return rate
}

/** A day at this price a minute is still an amount that can be booked. */
const PRICE_MAX: Money = 1_000_000_000_000n

function price(column: Column, text: string): Money {
  try {
    return parseMoney(text)
  } catch (error) {
    if (error instanceof MoneyError) throw new DeckError(`${column}: ${error.message}`)
    throw error
  }
}

function step(column: Column, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new DeckError(`${column} must be whole seconds, not ${JSON.stringify(text.slice(0, 40))}`)
}

/** The lines of a deck with their ends, header first: the rates in the order that they come in. */
export function* formatDeck(rates: Iterable<Rate>): Generator<string> {
  yield `${DECK_COLUMNS.join(',')}\n`
  for (const rate of rates) {
    const { prefix, description, perMinute, setup, minimum, increment } = rate
    const prices = `${formatMoney(perMinute)},${formatMoney(setup)}`
    yield `${prefix},${quotedIfNeeded(description)},${prices},${minimum},${increment}\n`
  }
}

/** RFC 4180, and quotes around outer spaces, which some programs would take off. */
function quotedIfNeeded(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
