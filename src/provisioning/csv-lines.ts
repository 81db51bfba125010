/**
 * CSV one line at a time, so that each bad line can be named by its number and shown as it is, and
 * so that a broken quote spoils one line and not the rest of the file. A field must not contain a
 * line end, then; none of ours may.
 */
import { TextLines, type TextSource } from './text-lines.js'

export interface CsvLine {
  /** As in an editor: from 1, empty lines counted. */
  readonly number: number
  readonly text: string
  /** Null where the quotes do not add up. */
  readonly fields: readonly string[] | null
}

/** The lines of a file with commas, without its byte order mark and its empty lines. */
export async function* csvLines(source: TextSource): AsyncGenerator<CsvLine> {
  let number = 0
  for await (const lines of new TextLines(source).pieces()) {
    for (const text of lines) {
      number += 1
      if (text.trim() !== '') yield { number, text, fields: fieldsOf(text, ',') }
    }
  }
}

/**
 * Splitting is fastest, and many lines have no quotes. A general reader takes some 25 µs to begin anew with
 * each line, which is half a minute for a million. Null where quotes do not add up.
 */
export function fieldsOf(line: string, separator: string): string[] | null {
  return line.includes('"') ? quotedFields(line, separator) : line.split(separator)
}

/** RFC 4180; spaces before a quote and after it do not count. */
function quotedFields(line: string, separator: string): string[] | null {
  const fields: string[] = []
  for (let start = 0; start <= line.length; ) {
    const quote = pastSpaces(line, start)
    const quoted = line[quote] === '"'
    const closing = quoted ? closingQuote(line, quote) : start
    if (closing === -1) return null
    const next = line.indexOf(separator, closing)
    const end = next === -1 ? line.length : next
    if (quoted) {
      if (pastSpaces(line, closing + 1) < end) return null
      fields.push(line.slice(quote + 1, closing).replaceAll('""', '"'))
    } else {
      const field = line.slice(start, end)
      if (field.includes('"')) return null
      fields.push(field)
    }
    start = end + 1
  }
  return fields
}

function pastSpaces(line: string, from: number): number {
  let at = from
  while (line[at] === ' ') at += 1
  return at
}

/** Two quotes are one inside; -1 where none closes. */
function closingQuote(line: string, opening: number): number {
  let at = line.indexOf('"', opening + 1)
  while (at !== -1 && line[at + 1] === '"') at = line.indexOf('"', at + 2)
  return at
}
