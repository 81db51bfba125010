/**
 * Counts guesses, and stops who guesses. A try counts until it has turned out right: many at the same
 * moment get no further than one after the other, and who knows is not held up by his own success.
 */
import { BookError } from '../ledger/books.js'

export interface TriesLimit<T> {
  /** Wrong ones within the window; the next is not looked at. */
  readonly max: number
  readonly windowMs: number
  /** What is guessed at, or who guesses. */
  readonly key: (subject: T) => string
}

interface Counted {
  count: number
  /** When the count ends, by performance.now(). */
  readonly endMs: number
}

/** So many keys are kept before those whose time is over are looked for. */
const SWEEP_AT = 10_000

/** `message` says how long to wait. */
export class TooManyTries extends BookError {
  override name = 'TooManyTries'
  constructor(readonly retryAfterS: number) {
    super('too_many_tries', `Too many tries: wait ${retryAfterS} seconds`)
  }
}

export class Tries<T> {
  readonly #limits: readonly TriesLimit<T>[]
  readonly #counts = new Map<string, Counted>()
  #sweepAt = SWEEP_AT

  constructor(limits: readonly TriesLimit<T>[]) {
    this.#limits = limits
  }

  /**
   * Counts a try under all its keys. Where one of them has had too many, none is counted.
   * @returns takes the count back: for who was right
   * @throws TooManyTries
   */
  begin(subject: T): () => void {
    const nowMs = performance.now()
    const counts = this.#limits.map(limit => {
      const counted = this.#counted(limit.key(subject), limit.windowMs, nowMs)
      if (counted.count >= limit.max) {
        throw new TooManyTries(Math.ceil((counted.endMs - nowMs) / 1000))
      }
      return counted
    })
    for (const counted of counts) counted.count += 1
    return () => {
      for (const counted of counts) counted.count -= 1
    }
  }

  #counted(key: string, windowMs: number, nowMs: number): Counted {
    const known = this.#counts.get(key)
    if (known && known.endMs > nowMs) return known
    if (this.#counts.size >= this.#sweepAt) this.#sweep(nowMs)
    const fresh = { count: 0, endMs: nowMs + windowMs }
    this.#counts.set(key, fresh)
    return fresh
  }

  #sweep(nowMs: number): void {
    for (const [key, { endMs }] of this.#counts) if (endMs <= nowMs) this.#counts.delete(key)
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#counts.size)
  }
}
