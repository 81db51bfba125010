/**
 * The event socket's frames, as a pure machine: bytes in, frames out. It does no I/O.
 *
 *   frame = head, an empty line, and as many bytes of body as the head's Content-Length says
 *
 * Each byte is looked at once, however the stream is cut: FRAME_BYTES_MAX is not a cost per chunk.
 *
 * A switch that is shut down may announce a body and send something else in its place (the
 * goodbye comes late, and frames lie where it should be). What follows is then read from within a
 * frame. The framer simply goes on at the next empty line: the rest of a swallowed head comes out
 * as a frame without a content type, and so does the event under it, whose text is then the head
 * (decode.ts reads it there); the frame after that is in step again.
 */
import { isUtf8 } from 'node:buffer'

/** No body is longer: an event is 4–8 kB. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024

/** But for an answer that we asked for: a listing of 100,000 channels is some 90 MB. */
export const ANSWER_BYTES_MAX = 256 * 1024 * 1024

/** A longer answer is given out in pieces, to who has asked for that. */
export const WHOLE_ANSWER_BYTES = 64 * 1024

/** No head is longer: the longest, an event in the place of a head, has some 10 kB. */
export const HEAD_BYTES_MAX = 256 * 1024

const ANSWER = 'api/response'

const LF = 0x0a
const CR = 0x0d

export interface Frame {
  /** The header lines as Latin-1, without the empty line. Replies are not percent-encoded. */
  readonly head: string
  /** Null where the head has no Content-Type: it is the remains of something torn. */
  readonly contentType: string | null
  /** Null where the head has no Content-Length. */
  readonly body: Buffer | null
  /** Bytes of the body that are still to come, in further frames of the same head: see Framer. */
  readonly left: number
}

/** The stream ended within a frame. */
export interface Torn {
  /** The bytes that were left over, the head of the frame included. */
  readonly bytes: Buffer
  /** How many bytes of body are missing; null where the head itself is not complete. */
  readonly missing: number | null
}

/** The stream cannot be read any further: only a new connection helps. */
export class FrameError extends Error {
  override name = 'FrameError'
  readonly code = 'bad_frame'
}

/** A head that has come, and where its body is. */
interface Awaited {
  readonly head: string
  readonly contentType: string | null
  bodyStart: number
  readonly length: number | null
  /** Whether what has come of the body is given out before the rest. */
  readonly inPieces: boolean
}

export class Framer {
  /** Bytes from #start to #end are not yet given out. Nothing is written before #end, ever. */
  #buffer: Buffer = Buffer.alloc(0)
  #start = 0
  #end = 0
  /** Up to here there is no empty line. */
  #searched = 0
  /** The head whose body is awaited, with the place and length of that body. */
  #awaited: Awaited | null = null
  /** What came behind a frame that lies in two chunks: read where it is, after that frame. */
  #behind: Buffer | null = null
  #broken: FrameError | null = null

  /** @param inPieces whether long answers are given out as they come, in many frames */
  constructor(readonly inPieces = false) {}

  /**
   * Takes the bytes at once; the frames that are now complete are read as the caller iterates, so
   * that those before a bad one are not lost with it.
   * @throws FrameError for a frame beyond the limits, and from then on always.
   */
  push(chunk: Buffer): Iterable<Frame> {
    if (this.#broken) throw this.#broken
    this.#append(chunk)
    return this.#frames()
  }

  /** To be asked when the stream has ended: what is left of a frame, or null. */
  end(): Torn | null {
    this.#appendBehind()
    this.#skipEmptyLines()
    if (this.#start === this.#end && !this.#awaited) return null
    const bytes = this.#buffer.subarray(this.#start, this.#end)
    const awaited = this.#awaited
    return { bytes, missing: awaited && awaited.bodyStart + (awaited.length ?? 0) - this.#end }
  }

  #append(chunk: Buffer) {
    this.#appendBehind()
    if (this.#start === this.#end) {
      this.#adopt(chunk, chunk.length)
      return
    }
    const missing = (this.#announced ?? 0) - (this.#end - this.#start)
    if (missing <= 0 || missing >= chunk.length) return this.#grow(chunk)
    // Only this frame lies in two chunks: those behind it need not be copied.
    this.#grow(chunk.subarray(0, missing))
    this.#behind = chunk.subarray(missing)
  }

  #appendBehind() {
    if (this.#behind) this.#grow(this.#behind)
    this.#behind = null
  }

  /**
   * For a long frame it grows to what is announced, or else to twice what is needed, so that a byte
   * is copied twice at most on average. Frames that were given out keep pointing into the old buffer.
   */
  #grow(chunk: Buffer) {
    const left = this.#end - this.#start
    if (this.#end + chunk.length > this.#buffer.length) {
      const needed = left + chunk.length
      const ahead = left > chunk.length ? 2 * needed : needed
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#announced ?? ahead))
      this.#buffer.copy(larger, 0, this.#start, this.#end)
      this.#adopt(larger, left)
    }
    chunk.copy(this.#buffer, this.#end)
    this.#end += chunk.length
  }

  /** How long the frame is whose body is awaited, head and all; null while that is not known. */
  get #announced(): number | null {
    const awaited = this.#awaited
    return awaited && awaited.bodyStart - this.#start + (awaited.length ?? 0)
  }

  /** Goes on in another buffer that holds what was at #start at its beginning. */
  #adopt(buffer: Buffer, end: number) {
    if (this.#awaited) this.#awaited.bodyStart -= this.#start
    this.#searched = Math.max(0, this.#searched - this.#start)
    this.#buffer = buffer
    this.#start = 0
    this.#end = end
  }

  *#frames(): Generator<Frame> {
    for (;;) {
      const frame = this.#next()
      if (!frame) return
      yield frame
    }
  }

  #next(): Frame | null {
    if (this.#broken) throw this.#broken
    if (this.#start === this.#end && this.#behind) {
      this.#adopt(this.#behind, this.#behind.length)
      this.#behind = null
    }
    this.#awaited ??= this.#readHead()
    if (!this.#awaited) return null
    const { head, contentType, bodyStart, length, inPieces } = this.#awaited
    const left = Math.max(0, bodyStart + (length ?? 0) - this.#end)
    if (left > 0 && !(inPieces && bodyStart < this.#end)) return null
    const bodyEnd = bodyStart + (length ?? 0) - left
    const body = length === null ? null : this.#buffer.subarray(bodyStart, bodyEnd)
    this.#awaited =
      left > 0 ? { head, contentType, bodyStart: bodyEnd, length: left, inPieces } : null
    this.#start = this.#searched = bodyEnd
    return { head, contentType, body, left }
  }

  #readHead(): Awaited | null {
    this.#skipEmptyLines()
    const bodyStart = this.#findBody()
    if (bodyStart < 0) {
      if (this.#end - this.#start > HEAD_BYTES_MAX) {
        this.#refuse(`a frame's head does not end within ${HEAD_BYTES_MAX} bytes`)
      }
      return null
    }
    const head = this.#buffer.toString('latin1', this.#start, bodyStart).trimEnd()
    const contentType = field(head, CONTENT_TYPE)
    const length = this.#lengthOf(head, contentType)
    const isLong = contentType === ANSWER && (length ?? 0) > WHOLE_ANSWER_BYTES
    const inPieces = this.inPieces && isLong
    // No room has to be made for all of it.
    if (inPieces) this.#start = bodyStart
    return { head, contentType, bodyStart, length, inPieces }
  }

  #skipEmptyLines() {
    while (this.#start < this.#end && isLineEnd(this.#buffer[this.#start])) this.#start++
  }

  /** Where the bytes after the next empty line begin; −1 while there is none. */
  #findBody(): number {
    const received = this.#buffer.subarray(0, this.#end)
    let at = received.indexOf(LF, Math.max(this.#start, this.#searched))
    while (at >= 0) {
      const next = received[at + 1] === CR ? at + 2 : at + 1
      if (received[next] === LF) return next + 1
      // The end of this line is the first half of an empty one, perhaps: look at it again.
      if (next >= received.length) break
      at = received.indexOf(LF, at + 1)
    }
    this.#searched = at < 0 ? this.#end : at
    return -1
  }

  #lengthOf(head: string, contentType: string | null): number | null {
    const text = field(head, CONTENT_LENGTH)
    if (text === null) return null
    if (!/^\d{1,15}$/.test(text)) this.#refuse('a frame announces a length that is not a number')
    const length = Number(text)
    const most = contentType === ANSWER ? ANSWER_BYTES_MAX : FRAME_BYTES_MAX
    if (length > most) {
      this.#refuse(`a frame of ${length} bytes is announced; the limit is ${most}`)
    }
    return length
  }

  #refuse(sentence: string): never {
    this.#broken = new FrameError(sentence)
    this.#buffer = Buffer.alloc(0)
    this.#behind = null
    this.#start = this.#end = 0
    throw this.#broken
  }
}

// A JSON event ends without a line end, so that the next head begins right behind its brace. That
// matters only while the stream is read from within a frame.
const CONTENT_LENGTH = /(?:^|\})content-length:(.*)$/im
const CONTENT_TYPE = /^content-type:(.*)$/im

function field(head: string, name: RegExp): string | null {
  return name.exec(head)?.[1]?.trim() ?? null
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === LF || byte === CR
}

/** A body as text. The switch passes on what SIP gave it: where that is not UTF-8 it is Latin-1. */
export function textOf(body: Buffer): string {
  return isUtf8(body) ? body.toString('utf8') : body.toString('latin1')
}
