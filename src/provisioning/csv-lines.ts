/**
 * CSV one line at a time, so that each bad line can be named by its number and shown as it is, and
 * so that a broken quote spoils one line and not the rest of the file. A field must not contain a
 * line end, then; none of ours may.
 */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { parse } from 'csv-parse/sync'

export interface CsvLine {
  /** As in an editor: from 1, empty lines counted. */
  readonly number: number
  readonly text: string
  /** Null where the quotes do not add up. */
  readonly fields: readonly string[] | null
}

/** The lines of a file, without its byte order mark and its empty lines. */
export async function* csvLines(source: Readable): AsyncGenerator<CsvLine> {
  let number = 0
  for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
    number += 1
    const text = number === 1 ? line.replace(/^\uFEFF/, '') : line
    if (text.trim() !== '') yield { number, text, fields: fieldsOf(text) }
  }
}

/** Few lines have quotes, and splitting is many times faster than parsing. */
function fieldsOf(line: string): string[] | null {
  if (!line.includes('"')) return line.split(',')
  try {
    return parse(line, { relax_column_count: true })[0] ?? null
  } catch {
    return null
  }
}
