/** Reads a deck in pieces, and keeps what is wrong with each line until all have been read. */

import { type DeckTerms, type RowReader, rowReader } from '../rating/deck.js'
import { DeckError, shown } from '../rating/deck-error.js'
import {
  type ColumnMap,
  type DeckHeader,
  type HeaderReading,
  readHeader,
  withDestination,
} from '../rating/deck-header.js'
import type { ListedRate } from '../rating/listed-rate.js'
import { fieldsOf } from './csv-lines.js'
import { DeckLines } from './deck-lines.js'
import { LINE_BYTES_MAX, TextLines, type TextSource } from './text-lines.js'

/** What is wrong with a line of a file, for the person who wrote it. */
export interface BadLine {
  /** As in an editor, from 1. */
  readonly line: number
  readonly text: string
  readonly reason: string
}

export interface DeckFileTerms extends DeckTerms {
  readonly map: ColumnMap
  /** The periods of the plan. */
  readonly periods: readonly string[]
}

/** So much of a line tells which it is. */
const TEXT_CHARS_MAX = 200

/** A deck may begin with a title, an address, a date. */
const HEADER_LINES_MAX = 20

/** Lines that show whether a destination is a name or a code. */
const SAMPLE_LINES = 20

const SEPARATORS = [',', ';', '\t', '|']

interface FoundHeader {
  /** From 0. */
  readonly at: number
  readonly separator: string
  readonly reading: HeaderReading
}

export class DeckFile {
  /** Complete when the last rate has been read, like all that is told here. */
  readonly badLines: BadLine[] = []
  /** Columns that were left out. */
  ignoredColumns: readonly string[] = []
  /** The first line that was not UTF-8 and so was read as Windows-1252; 0 where all were. */
  get firstForeign(): number {
    return this.#text.firstForeign
  }
  readonly #text: TextLines
  readonly #terms: DeckFileTerms
  #lines = new DeckLines()
  #separator = ','
  #readRow: RowReader | undefined

  constructor(source: TextSource, terms: DeckFileTerms) {
    this.#text = new TextLines(source)
    this.#terms = terms
  }

  /** The rates of the good lines. Without a good header no line is. */
  async *pieces(): AsyncGenerator<ListedRate[]> {
    let head: string[] = []
    let number = 0
    let begun = false
    for await (const lines of this.#text.pieces()) {
      if (begun) {
        yield this.#rates(lines, number)
        number += lines.length
      } else {
        head = head.concat(lines)
        if (head.length < HEADER_LINES_MAX + SAMPLE_LINES) continue
        begun = true
        number = head.length
        yield this.#begin(head)
        if (!this.#readRow) return
      }
    }
    if (!begun) yield this.#begin(head)
    // What comes next needs the room.
    this.#lines = new DeckLines()
  }

  /** Finds the header, and reads the lines after it. */
  #begin(head: readonly string[]): ListedRate[] {
    const found = findHeader(head, this.#terms.map)
    if (!('reading' in found)) {
      this.badLines.push(found)
      return []
    }
    const { at, separator } = found
    const text = head[at]!
    try {
      const header = settled(head, found)
      this.#separator = separator
      this.#readRow = rowReader(header, this.#terms)
      this.ignoredColumns = header.ignored
    } catch (error) {
      this.#spoilt(at + 1, text, error)
      return []
    }
    return this.#rates(head.slice(at + 1), at + 1)
  }

  /** @param before the number of lines before these */
  #rates(lines: readonly string[], before: number): ListedRate[] {
    const rates: ListedRate[] = []
    for (let i = 0; i < lines.length; i++) {
      const text = lines[i]!
      try {
        for (const rate of this.#readLine(text, before + i + 1)) rates.push(rate)
      } catch (error) {
        this.#spoilt(before + i + 1, text, error)
      }
    }
    return rates
  }

  #readLine(text: string, line: number): readonly ListedRate[] {
    if (isBlank(text, this.#separator)) return []
    if (text.length > LINE_BYTES_MAX) throw new DeckError('the line is too long')
    const fields = fieldsOf(text, this.#separator)
    if (fields === null) throw new DeckError('the quotes do not add up')
    const rates = this.#readRow!(fields)
    const period = rates[0]!.period
    if (period !== '' && !this.#terms.periods.includes(period)) {
      throw new DeckError(`the plan has no period ${shown(period)}`)
    }
    // All rates of a line are good, or none: so all are looked at before the first is added.
    if (rates.length > 1) {
      for (const rate of rates) refuseTaken(rate, this.#lines.collision(rate))
    }
    for (const rate of rates) refuseTaken(rate, this.#lines.add(rate, line))
    return rates
  }

  #spoilt(line: number, text: string, error: unknown): void {
    if (!(error instanceof DeckError)) throw error
    this.badLines.push({ line, text: shortened(text), reason: error.message })
  }
}

function refuseTaken({ prefix, period }: ListedRate, line: number | undefined): void {
  if (line === undefined) return
  const what = prefix === '' ? 'the empty prefix' : `the prefix ${prefix}`
  const when = period === '' ? '' : ` in the period ${period}`
  throw new DeckError(`${what}${when} is on line ${line} already, at the same time`)
}

/** Spreadsheets leave lines of separators. */
function isBlank(text: string, separator: string): boolean {
  const first = text.charCodeAt(0)
  if (first >= 48 && first <= 57) return false
  return text.replaceAll(separator, '').trim() === ''
}

/** The first line that has a prefix and a price, or the reason why none is the header. */
function findHeader(lines: readonly string[], map: ColumnMap): FoundHeader | BadLine {
  let closest: FoundHeader | undefined
  for (let at = 0; at < Math.min(lines.length, HEADER_LINES_MAX); at++) {
    const here = SEPARATORS.flatMap(separator => {
      const fields = fieldsOf(lines[at]!, separator)
      return fields === null ? [] : [{ at, separator, reading: readHeader(fields, map) }]
    })
    const best = here.reduce<FoundHeader | undefined>(better, undefined)
    if (best?.reading.complete) return best
    closest = best ? better(closest, best) : closest
  }
  return { line: (closest?.at ?? 0) + 1, ...noHeader(lines, closest) }
}

function better(a: FoundHeader | undefined, b: FoundHeader): FoundHeader {
  return a && a.reading.known >= b.reading.known ? a : b
}

function noHeader(lines: readonly string[], closest: FoundHeader | undefined) {
  const text = shortened(lines[closest?.at ?? 0] ?? '')
  const map = 'say which it is, like --map "Dial Code=prefix,Our Price=per_minute"'
  if (lines.every(line => line.trim() === '')) return { text, reason: 'the file is empty' }
  if (lines[0]!.startsWith('PK\u0003\u0004')) {
    return { text: 'PK…', reason: 'this is a spreadsheet or an archive: save it as CSV' }
  }
  if (!closest || closest.reading.known === 0) {
    const where = `none of the first ${HEADER_LINES_MAX} lines names a prefix and a price`
    return { text, reason: `${where}: ${map}` }
  }
  const { places } = closest.reading.header
  const what = places.per_minute < 0 ? 'price per minute' : 'prefix'
  return { text, reason: `no column is known to be the ${what}: ${map}` }
}

/** The header, once the lines below have shown what a destination is. @throws DeckError */
function settled(lines: readonly string[], { at, separator, reading }: FoundHeader): DeckHeader {
  if (reading.wrong !== null) throw new DeckError(reading.wrong)
  const cells = lines
    .slice(at + 1, at + 1 + SAMPLE_LINES)
    .map(line => fieldsOf(line, separator)?.[reading.destination]?.trim() ?? '')
    .filter(cell => cell !== '')
  const areCodes = cells.length > 0 && cells.every(cell => /^\+?[\d\s,;–-]+$/.test(cell))
  const fields = fieldsOf(lines[at]!, separator)!
  const header = withDestination(reading, areCodes, fields)
  if (header) return header
  throw new DeckError('no column is known to be the prefix: the destinations are names')
}

function shortened(text: string): string {
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text
}
