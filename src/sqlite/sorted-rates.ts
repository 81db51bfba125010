/**
 * Sorts rates by their prefix without standing still: they are dealt into buckets as they come, and
 * each bucket is sorted when its turn has come.
 */
import type { Rate } from '../rating/rate.js'

/** Rates whose prefixes begin with the same digits share a bucket. */
const BUCKET_DIGITS = 4

export class SortedRates {
  readonly #buckets = new Map<string, Rate[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(rate: Rate): void {
    const key = rate.prefix.slice(0, BUCKET_DIGITS)
    const bucket = this.#buckets.get(key)
    if (bucket) bucket.push(rate)
    else this.#buckets.set(key, [rate])
    this.#size += 1
  }

  /** All rates in the order of their prefixes, `length` at a time. */
  *pieces(length: number): Generator<Rate[]> {
    let piece: Rate[] = []
    for (const key of [...this.#buckets.keys()].sort()) {
      const bucket = this.#buckets.get(key)!
      bucket.sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
      this.#buckets.delete(key)
      for (const rate of bucket) {
        piece.push(rate)
        if (piece.length < length) continue
        yield piece
        piece = []
      }
    }
    if (piece.length > 0) yield piece
  }
}
