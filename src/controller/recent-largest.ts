/**
 * The largest of the values of the last one to two minutes: so that what has been is forgotten, and
 * no list is kept. After a long silence what was learnt before it counts no more.
 */
const WINDOW_MS = 60_000

export class RecentLargest {
  #older = Number.NEGATIVE_INFINITY
  #newer = Number.NEGATIVE_INFINITY
  #windowStartMs = Number.NEGATIVE_INFINITY

  /** Null where nothing has been observed. */
  get value(): number | null {
    return this.#newer > Number.NEGATIVE_INFINITY ? Math.max(this.#older, this.#newer) : null
  }

  /** @param nowMs our monotonic clock */
  observe(value: number, nowMs: number): void {
    const ageMs = nowMs - this.#windowStartMs
    if (ageMs >= WINDOW_MS) {
      this.#older = ageMs < 2 * WINDOW_MS ? this.#newer : Number.NEGATIVE_INFINITY
      this.#newer = Number.NEGATIVE_INFINITY
      this.#windowStartMs = nowMs
    }
    this.#newer = Math.max(this.#newer, value)
  }

  reset(): void {
    this.#older = Number.NEGATIVE_INFINITY
    this.#newer = Number.NEGATIVE_INFINITY
    this.#windowStartMs = Number.NEGATIVE_INFINITY
  }
}
