/**
 * The lines of a text file, an array of them at a time, whatever program has written it: UTF-8 or
 * UTF-16 with a byte order mark or without one, Windows' own encoding, any line ends. It never holds
 * more than a piece of the file.
 */
import { isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'

/** Of a longer line, which no table has, only so much is kept: it is longer than this, and bad. */
export const LINE_BYTES_MAX = 1_048_576

/** What Windows-1252 has from 0x80 on, where Latin-1 has control characters. */
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

const LF = 10
const CR = 13

export type TextSource = AsyncIterable<Uint8Array | string>

export class TextLines {
  /** The first line that was not UTF-8, and so was read as Windows-1252; 0 where all were. */
  firstForeign = 0
  readonly #source: TextSource
  #read = 0

  constructor(source: TextSource) {
    this.#source = source
  }

  /** All lines in order, without their ends. */
  async *pieces(): AsyncGenerator<string[]> {
    let rest: Uint8Array = Buffer.alloc(0)
    /** The rest began a line that has been cut: what is left of it goes. */
    let skipping = false
    for await (const chunk of asUtf8(this.#source)) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const end = endOfLastLine(bytes)
      rest = bytes.subarray(end)
      const tail = skipping && end > 0
      if (tail) this.#read -= 1
      const lines = this.#decode(bytes.subarray(0, end))
      if (tail) {
        lines.shift()
        skipping = false
      }
      if (rest.length > LINE_BYTES_MAX) {
        if (!skipping) lines.push(...this.#decode(rest.subarray(0, LINE_BYTES_MAX + 1)))
        rest = Buffer.alloc(0)
        skipping = true
      }
      if (lines.length > 0) yield lines
    }
    if (rest.length > 0 && !skipping) yield this.#decode(rest)
  }

  #decode(bytes: Uint8Array): string[] {
    const before = this.#read
    const lines = isUtf8(bytes)
      ? split(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
      : this.#decodeEach(bytes)
    this.#read = before + lines.length
    return lines
  }

  /** Somewhere in these bytes is a line that is not UTF-8. */
  #decodeEach(bytes: Uint8Array): string[] {
    const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    return split(latin).map((line, i) => {
      const own = Buffer.from(line, 'latin1')
      if (isUtf8(own)) return own.toString('utf8')
      this.firstForeign ||= this.#read + i + 1
      return line.replace(/[\x80-\x9f]/g, character => WINDOWS[character.charCodeAt(0) - 0x80]!)
    })
  }
}

function split(text: string): string[] {
  if (text === '') return []
  const lines = text.includes('\r') ? text.split(/\r\n|\r|\n/) : text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Just after the last line end; a CR that may have its LF in the next chunk is none yet. */
function endOfLastLine(bytes: Uint8Array): number {
  const lf = bytes.lastIndexOf(LF)
  if (lf >= 0 || bytes.length < 2) return lf + 1
  return bytes.lastIndexOf(CR, bytes.length - 2) + 1
}

/** The bytes without a byte order mark; those of UTF-16 turned into UTF-8. */
async function* asUtf8(source: TextSource): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | null = Buffer.alloc(0)
  let decoder: TextDecoder | undefined
  for await (const piece of source) {
    let bytes: Uint8Array = typeof piece === 'string' ? Buffer.from(piece) : piece
    if (head !== null) {
      head = Buffer.concat([head, bytes])
      if (head.length < 3) continue
      decoder = utf16Decoder(head)
      bytes = decoder ? head : withoutMark(head)
      head = null
    }
    yield decoder ? Buffer.from(decoder.decode(bytes, { stream: true })) : bytes
  }
  if (head !== null) yield withoutMark(head)
  if (decoder) yield Buffer.from(decoder.decode())
}

/** Takes its byte order mark off by itself. */
function utf16Decoder([first, second]: Uint8Array): TextDecoder | undefined {
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le')
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be')
}

function withoutMark(bytes: Uint8Array): Uint8Array {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return marked ? bytes.subarray(3) : bytes
}
