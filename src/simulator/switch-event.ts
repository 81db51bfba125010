/**
 * An event of the switch and its two spellings on the wire.
 *
 * Values are JavaScript strings. A byte that is not UTF-8 (SIP display names are often Latin-1)
 * is kept as a lone surrogate U+DC80…U+DCFF, made by latin1(): FreeSWITCH does not look at bytes,
 * it writes `%E9` in a plain event and the bare byte in a JSON event.
 */

/** What FreeSWITCH encodes besides control characters and everything beyond `~` (switch_utils.h). */
const UNSAFE = /[^!$'()*,\-./0-9A-Z_a-z~]/

/** Half of a surrogate pair, or one of our stray bytes. */
const STRAY_BYTE = /[\uDC80-\uDCFF]/u

export type EventFormat = 'plain' | 'json'

/** The text as a client in Latin-1 would have sent it: each character beyond ASCII is one byte. */
export function latin1(text: string): string {
  return text.replace(/[\u0080-\u00FF]/g, char => String.fromCharCode(0xdc00 + char.charCodeAt(0)))
}

/** switch_url_encode: upper-case hexadecimal, byte by byte. */
export function urlEncode(value: string): string {
  if (!UNSAFE.test(value)) return value
  let encoded = ''
  for (const char of value) {
    if (!UNSAFE.test(char)) encoded += char
    else for (const byte of bytesOf(char)) encoded += percent(byte)
  }
  return encoded
}

function bytesOf(char: string): Iterable<number> {
  return STRAY_BYTE.test(char) ? [char.charCodeAt(0) - 0xdc00] : Buffer.from(char)
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** UTF-8, with stray bytes as they are. */
export function toBytes(text: string): Buffer {
  if (!STRAY_BYTE.test(text)) return Buffer.from(text)
  return Buffer.concat(Array.from(text, char => Buffer.from([...bytesOf(char)])))
}

const ARRAY = 'ARRAY::'

/** FreeSWITCH keeps `ARRAY::a|:b` as a list; only JSON shows it as one. */
function jsonValue(value: string): string {
  const text = JSON.stringify(value.startsWith(ARRAY) ? value.slice(7).split('|:') : value)
  if (!STRAY_BYTE.test(value)) return text
  return text.replace(/\\udc([89a-f][0-9a-f])/g, (_, hex: string) =>
    String.fromCharCode(0xdc00 + Number.parseInt(hex, 16)),
  )
}

/** One header with its spellings, each made once: most headers of a leg are in all its events. */
export class HeaderLine {
  #plain: string | undefined
  #json: string | undefined

  constructor(
    readonly name: string,
    readonly value: string,
  ) {}

  get plain(): string {
    this.#plain ??= `${this.name}: ${this.value === '' ? '_undef_' : urlEncode(this.value)}\n`
    return this.#plain
  }

  /** Begins with a comma: it never comes first. */
  get json(): string {
    this.#json ??= `,${JSON.stringify(this.name)}:${jsonValue(this.value)}`
    return this.#json
  }
}

/** Headers that stay together, spelt together once. */
export class HeaderBlock {
  #plain: string | undefined
  #json: string | undefined

  constructor(readonly lines: readonly HeaderLine[]) {}

  static of(headers: readonly (readonly [name: string, value: string])[]): HeaderBlock {
    return new HeaderBlock(headers.map(([name, value]) => new HeaderLine(name, value)))
  }

  get plain(): string {
    if (this.#plain === undefined) {
      let text = ''
      for (const line of this.lines) text += line.plain
      this.#plain = text
    }
    return this.#plain
  }

  get json(): string {
    if (this.#json === undefined) {
      let text = ''
      for (const line of this.lines) text += line.json
      this.#json = text
    }
    return this.#json
  }
}

export type HeaderPart = HeaderLine | HeaderBlock

export class SwitchEvent {
  #plainFrame: string | undefined
  #jsonFrame: string | undefined
  #lines: readonly HeaderLine[] | undefined

  constructor(
    readonly name: string,
    readonly parts: readonly HeaderPart[],
    /** Only BACKGROUND_JOB and events of `sendevent` have one. */
    readonly body?: string,
  ) {}

  get lines(): readonly HeaderLine[] {
    this.#lines ??= this.parts.flatMap(part => (part instanceof HeaderBlock ? part.lines : [part]))
    return this.#lines
  }

  get headers(): readonly (readonly [name: string, value: string])[] {
    return this.lines.map(line => [line.name, line.value] as const)
  }

  /** The first header of that name, whatever its case: that is how filters find it. */
  value(name: string): string | undefined {
    const wanted = name.toLowerCase()
    return this.lines.find(
      line => line.name.length === wanted.length && line.name.toLowerCase() === wanted,
    )?.value
  }

  /** The body of a text/event-plain frame, and of `uuid_dump`. */
  plain(): string {
    let text = ''
    for (const part of this.parts) text += part.plain
    if (this.body === undefined) return `${text}\n`
    return `${text}Content-Length: ${toBytes(this.body).length}\n\n${this.body}`
  }

  json(): string {
    let text = ''
    for (const part of this.parts) text += part.json
    if (this.body !== undefined) {
      text += `,"Content-Length":"${toBytes(this.body).length}","_body":${jsonValue(this.body)}`
    }
    return `{${text.slice(1)}}`
  }

  /** The event as bytes on the wire. */
  frame(format: EventFormat): Buffer {
    return Buffer.from(this.wire(format), 'latin1')
  }

  /**
   * The same as a string in which each character is one byte, made once for all clients that want
   * this format: such strings are joined and written much faster than buffers.
   */
  wire(format: EventFormat): string {
    if (format === 'plain') {
      // But for a body, a plain event is ASCII: its characters are its bytes.
      this.#plainFrame ??= framed(
        format,
        this.body === undefined ? this.plain() : toBytes(this.plain()).toString('latin1'),
      )
      return this.#plainFrame
    }
    this.#jsonFrame ??= framed(format, toBytes(this.json()).toString('latin1'))
    return this.#jsonFrame
  }
}

function framed(format: EventFormat, body: string): string {
  return `Content-Length: ${body.length}\nContent-Type: text/event-${format}\n\n${body}`
}
