/**
 * The codes of a cell: `44 7400-7409, 7911` is 447400 to 447409 and 447911.
 *
 *   cell  = [ country " " ] code { separator code }      separator: "," or ";" or a space
 *   code  = digits [ "-" digits ]                        a range: both ends of one length
 *   country = one to three digits, with or without a "+"
 *
 * A space after the first digits of a cell makes them the country code of all that follows; without
 * one every code is a whole prefix, and only "," and ";" separate. What could be read in two ways is
 * refused, because a wrong guess is a wrong price.
 */
import { DeckError, PREFIX_DIGITS_MAX, shown } from './deck-error.js'

/** A cell stands for no more prefixes than this. */
export const PREFIXES_MAX = 10_000

const DIGITS = /^\d+$/
const COUNTRY_CODE = /^\+?\d{1,3}$/
const RANGE = /^(\d+)[-–](\d+)$/

/**
 * Reads a cell that is no plain prefix.
 * @param countryCode where it has a column of its own: goes before every code; undefined where not
 * @throws DeckError
 */
export function parsePrefixes(cell: string, countryCode?: string): string[] {
  const text = cell
    .replace(/[\s,;]+$/, '')
    .trim()
    .replace(/\s*([-–])\s*/g, '$1')
  const items = text.split(/\s*[,;]\s*/).map(item => item.split(/\s+/))
  const [first = []] = items
  const prefixes: string[] = []
  if (countryCode !== undefined) {
    for (const code of items.flat()) addCodes(prefixes, countryCode, code)
  } else if (first.length > 1) {
    const [country = '', ...codes] = first
    if (!COUNTRY_CODE.test(country) || items.slice(1).some(item => item.length > 1)) {
      throw new DeckError(
        `${shown(cell)} can be read in two ways: put commas between prefixes, or one country code and a space before all of them`,
      )
    }
    const digits = country.replace('+', '')
    for (const code of [...codes, ...items.slice(1).flat()]) addCodes(prefixes, digits, code)
  } else {
    for (const code of items.flat()) addCodes(prefixes, '', code.replace(/^\+/, ''))
  }
  refuseTwice(prefixes)
  return prefixes
}

function addCodes(prefixes: string[], countryCode: string, code: string): void {
  if (DIGITS.test(code)) {
    prefixes.push(checkLength(countryCode + code))
  } else {
    const ends = RANGE.exec(code)
    if (!ends) throw notACode(code)
    addRange(prefixes, countryCode, ends[1]!, ends[2]!)
  }
  if (prefixes.length > PREFIXES_MAX) throw tooMany()
}

/** From the first to the last, both included. */
function addRange(prefixes: string[], countryCode: string, first: string, last: string): void {
  if (first.length !== last.length) {
    throw new DeckError(
      `${shown(`${first}-${last}`)} is not a range: both ends must have as many digits; a country code is followed by a space`,
    )
  }
  checkLength(countryCode + last)
  const from = BigInt(first)
  const count = BigInt(last) - from + 1n
  if (count < 1n) {
    throw new DeckError(`${shown(`${first}-${last}`)} is not a range: it ends before it begins`)
  }
  if (count > BigInt(PREFIXES_MAX)) throw tooMany()
  for (let i = 0n; i < count; i++) {
    prefixes.push(countryCode + (from + i).toString().padStart(first.length, '0'))
  }
}

function refuseTwice(prefixes: readonly string[]): void {
  if (prefixes.length < 2) return
  const seen = new Set<string>()
  for (const prefix of prefixes) {
    if (seen.has(prefix)) throw new DeckError(`the prefix ${prefix} is there twice in this line`)
    seen.add(prefix)
  }
}

export function checkLength(prefix: string): string {
  if (prefix.length <= PREFIX_DIGITS_MAX) return prefix
  throw new DeckError(
    `${shown(prefix)} is not a prefix: it must be at most ${PREFIX_DIGITS_MAX} digits`,
  )
}

/** Excel writes 447400123456 as 4.474E+11, and the digits are lost. */
function notACode(code: string): DeckError {
  if (/^\d([.,]\d+)?E\+?\d+$/i.test(code)) {
    return new DeckError(
      `${shown(code)} is in scientific notation, and its last digits are lost: export the column as text`,
    )
  }
  if (code === '') return new DeckError('there is a comma with no prefix before or after it')
  return new DeckError(
    `${shown(code)} is not a prefix: it must be at most ${PREFIX_DIGITS_MAX} digits`,
  )
}

function tooMany(): DeckError {
  return new DeckError(
    `the line stands for more than ${PREFIXES_MAX} prefixes: use shorter ones, or several lines`,
  )
}
