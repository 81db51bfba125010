/** Reads a deck line by line, and keeps what is wrong with each line until all have been read. */
import type { Readable } from 'node:stream'
import { DeckError, type DeckHeader, readHeader, readRow } from '../rating/deck.js'
import type { Rate } from '../rating/rate.js'
import { type CsvLine, csvLines } from './csv-lines.js'

/** What is wrong with a line of a file, for the person who wrote it. */
export interface BadLine {
  /** As in an editor, from 1. */
  readonly line: number
  readonly text: string
  readonly reason: string
}

/** So much of a line tells which it is. */
const TEXT_CHARS_MAX = 200

export class DeckFile {
  /** Complete when the last rate has been read. */
  readonly badLines: BadLine[] = []
  /** On which line each prefix was. */
  readonly #lines = new Map<string, number>()
  readonly #source: Readable

  constructor(source: Readable) {
    this.#source = source
  }

  /** The rates of the good lines. Without a good header no line is. */
  async *rates(): AsyncGenerator<Rate> {
    let header: DeckHeader | undefined
    for await (const line of csvLines(this.#source)) {
      if (header === undefined) {
        header = this.#read(line, readHeader)
        if (header === undefined) return
      } else {
        const known = header
        const rate = this.#read(line, fields => this.#readOnce(line, readRow(known, fields)))
        if (rate) yield rate
      }
    }
    if (header === undefined) {
      this.badLines.push({ line: 1, text: '', reason: 'the file is empty' })
    }
  }

  #readOnce(line: CsvLine, rate: Rate): Rate {
    const earlier = this.#lines.get(rate.prefix)
    if (earlier !== undefined) {
      throw new DeckError(`the prefix ${rate.prefix} is on line ${earlier} already`)
    }
    this.#lines.set(rate.prefix, line.number)
    return rate
  }

  #read<T>({ number, text, fields }: CsvLine, read: (fields: readonly string[]) => T) {
    try {
      if (fields === null) throw new DeckError('the quotes do not add up')
      return read(fields)
    } catch (error) {
      if (!(error instanceof DeckError)) throw error
      const shown = text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text
      this.badLines.push({ line: number, text: shown, reason: error.message })
      return undefined
    }
  }
}
