/**
 * A deck: the rates of a plan as flat CSV. formatDeck writes one rate a line; rowReader reads that
 * back to the same rates, and much besides that carriers send. The CSV syntax itself (quotes, line
 * ends) is the reader's part; here is what the rows mean.
 */
import { formatMoney, type Money } from '../money.js'
import {
  type DeckWriting,
  OPEN_END,
  PRICE_MAX,
  readBlocked,
  readFrom,
  readPrice,
  readSeconds,
  readSteps,
  readUntil,
  STEP_S_MAX,
} from './deck-cells.js'
import { DeckError, PREFIX_DIGITS_MAX, shown } from './deck-error.js'
import type { DeckColumn, DeckHeader } from './deck-header.js'
import { shortestInstant } from './instants.js'
import type { ListedRate } from './listed-rate.js'
import { parsePrefixes } from './prefix-ranges.js'

/** As formatDeck writes them. */
export const DECK_COLUMNS = [
  'prefix',
  'description',
  'per_minute',
  'setup',
  'minimum',
  'increment',
  'free_s',
  'period',
  'from',
  'until',
  'blocked',
] as const

/** The longest description that a rate may have. */
export const DESCRIPTION_MAX = 200

export interface DeckTerms extends DeckWriting {
  /** When a rate begins whose line does not say: microseconds since the epoch, 0 for always. */
  readonly from: number
}

/** Reads a row: a rate for each of its prefixes. @throws DeckError for the first field that is wrong */
export type RowReader = (fields: readonly string[]) => ListedRate[]

export function rowReader(header: DeckHeader, terms: DeckTerms): RowReader {
  const { places } = header
  const cells = <T>(column: DeckColumn, missing: T, read: (cell: string) => T) => {
    const place = places[column]
    if (place < 0) return () => missing
    return lastOne((cell: string) => (cell.trim() === '' ? missing : read(cell)), place)
  }
  const prefixes = prefixReader(header)
  const description = descriptionReader(header)
  const blocked = cells('blocked', false, readBlocked)
  const perMinute = remembered(
    cell => readPrice('the price per minute', cell, terms),
    places.per_minute,
  )
  const setup = cells('setup', 0n, cell => readPrice('the setup cost', cell, terms))
  const steps = cells('interval', [1, 1] as const, readSteps)
  const minimum = cells('minimum', 0, cell => readSeconds('the minimum', cell, 1))
  const increment = cells('increment', 0, cell => readSeconds('the increment', cell, 1))
  const freeS = cells('free_s', 0, cell => readSeconds('the free seconds', cell, 0))
  const period = cells('period', '', cell => cell.trim())
  const from = cells('from', terms.from, cell => readFrom(cell, terms))
  const until = cells<number | null>('until', null, cell => readUntil(cell, terms))
  return fields => {
    checkWidth(fields, header.width)
    const isBlocked = blocked(fields)
    const [first, next] = steps(fields)
    const rate = {
      prefix: '',
      description: description(fields),
      perMinute: isBlocked ? 0n : perMinute(fields),
      setup: isBlocked ? 0n : setup(fields),
      minimum: minimum(fields) || first,
      increment: increment(fields) || next,
      freeS: freeS(fields),
      period: period(fields),
      from: from(fields),
      until: until(fields),
      blocked: isBlocked,
    }
    checkTerms(rate)
    const codes = prefixes(fields)
    if (codes.length > 1) return codes.map(prefix => ({ ...rate, prefix }))
    rate.prefix = codes[0]!
    return [rate]
  }
}

/** What we have written is kept as it is, even if it is only spaces. */
function descriptionReader({ places, ours }: DeckHeader): (fields: readonly string[]) => string {
  const place = places.description
  if (place < 0) return () => ''
  return ours ? fields => fields[place]! : fields => fields[place]!.trim()
}

/** Most cells are what the one above was: what that was read to is kept. */
function lastOne<T>(read: (cell: string) => T, place: number): (fields: readonly string[]) => T {
  let last: string | undefined
  let value: T
  return fields => {
    const cell = fields[place]!
    if (cell !== last) {
      value = read(cell)
      last = cell
    }
    return value
  }
}

/** A deck has far fewer prices than lines. */
const REMEMBERED_MAX = 20_000

function remembered<T>(read: (cell: string) => T, place: number): (fields: readonly string[]) => T {
  const known = new Map<string, T>()
  return fields => {
    const cell = fields[place]!
    let value = known.get(cell)
    if (value === undefined) {
      value = read(cell)
      if (known.size === REMEMBERED_MAX) known.clear()
      known.set(cell, value)
    }
    return value
  }
}

const PLAIN_PREFIX = /^\d{1,32}$/

function prefixReader({ places, ours }: DeckHeader): (fields: readonly string[]) => string[] {
  const { prefix, country_code: country, area_code: area } = places
  if (prefix < 0) {
    return fields => joinedPrefixes(fields[country]!.trim(), area < 0 ? '' : fields[area]!.trim())
  }
  return fields => {
    const cell = fields[prefix]!
    const codes = PLAIN_PREFIX.test(cell) ? [cell] : codesOf(cell, ours)
    if (country >= 0) checkCountry(codes, fields[country]!.trim().replace(/^\+/, ''))
    return codes
  }
}

function codesOf(cell: string, ours: boolean): string[] {
  if (cell.trim() !== '') return parsePrefixes(cell)
  if (ours) return ['']
  throw new DeckError('the prefix is missing')
}

/** A country code and its area codes, each in a column of its own. */
function joinedPrefixes(country: string, areas: string): string[] {
  const code = country.replace(/^\+/, '')
  if (code === '') throw new DeckError('the country code is missing')
  if (!/^\d{1,7}$/.test(code)) throw new DeckError(`${shown(country)} is no country code`)
  return areas === '' ? [code] : parsePrefixes(areas, code)
}

/** Beside whole prefixes a country code is only said again; an ISO code of letters is no matter. */
function checkCountry(codes: readonly string[], country: string): void {
  if (!PLAIN_PREFIX.test(country)) return
  const other = codes.find(code => !code.startsWith(country))
  if (other === undefined) return
  throw new DeckError(
    `the prefix ${other} does not begin with the country code ${country}: where the code goes in front, say --map "NAME=area_code"`,
  )
}

/** Spreadsheets leave empty cells at the end of a line. */
function checkWidth(fields: readonly string[], width: number): void {
  if (fields.length === width) return
  if (fields.length > width && fields.slice(width).every(field => field.trim() === '')) return
  const are = fields.length === 1 ? 'is 1 field' : `are ${fields.length} fields`
  throw new DeckError(`there ${are} instead of ${width}`)
}

/**
 * The limits of every rate, wherever it comes from.
 * @throws DeckError for the first that does not hold
 */
export function checkRate(rate: ListedRate): ListedRate {
  if (!/^\d*$/.test(rate.prefix) || rate.prefix.length > PREFIX_DIGITS_MAX) {
    throw new DeckError(
      `${shown(rate.prefix)} is not a prefix: it must be at most ${PREFIX_DIGITS_MAX} digits`,
    )
  }
  const seconds = { minimum: rate.minimum, increment: rate.increment }
  for (const [name, value] of Object.entries(seconds)) {
    if (!Number.isInteger(value) || value < 1 || value > STEP_S_MAX) {
      throw new DeckError(`the ${name} must be whole seconds from 1 to ${STEP_S_MAX}`)
    }
  }
  checkTerms(rate)
  return rate
}

const PERIOD = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/

/** What can be wrong with a rate whose fields are each right. */
function checkTerms(rate: Omit<ListedRate, 'prefix'>): void {
  const { description, period, from, until, blocked } = rate
  if (description.length > DESCRIPTION_MAX || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(description)) {
    throw new DeckError(`the description must be at most ${DESCRIPTION_MAX} characters in one line`)
  }
  checkPrice('the price per minute', rate.perMinute, blocked)
  checkPrice('the setup cost', rate.setup, blocked)
  if (!PERIOD.test(period)) throw new DeckError(`${shown(period)} cannot be the name of a period`)
  if (from >= OPEN_END) {
    throw new DeckError(`the rate begins too late: ${shortestInstant(from)}`)
  }
  if (until !== null && until <= from) {
    throw new DeckError(
      `the rate ends ${shortestInstant(until)}, before it begins ${shortestInstant(from)}`,
    )
  }
}

function checkPrice(what: string, price: Money, blocked: boolean): void {
  if (price < 0n) throw new DeckError(`${what} must not be negative`)
  if (price > PRICE_MAX) throw new DeckError(`${what} must be at most ${formatMoney(PRICE_MAX)}`)
  if (blocked && price > 0n) throw new DeckError('a blocked rate has no prices')
}

/** The lines of a deck with their ends, header first: the rates in the order that they come in. */
export function* formatDeck(rates: Iterable<ListedRate>): Generator<string> {
  yield `${DECK_COLUMNS.join(',')}\n`
  for (const rate of rates) {
    const { prefix, description, perMinute, setup, minimum, increment, freeS, period } = rate
    const prices = `${formatMoney(perMinute)},${formatMoney(setup)}`
    const steps = `${minimum},${increment},${freeS}`
    const from = rate.from === 0 ? '' : shortestInstant(rate.from)
    const until = rate.until === null ? '' : shortestInstant(rate.until)
    const when = `${period},${from},${until},${rate.blocked ? 'yes' : ''}`
    yield `${prefix},${quotedIfNeeded(description)},${prices},${steps},${when}\n`
  }
}

/** RFC 4180, and quotes around outer spaces, which some programs would take off. */
function quotedIfNeeded(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
