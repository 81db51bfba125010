/**
 * All rates of one plan in memory: what calls are rated by, and where a deck is put in order. A
 * million rates take some 100 MB, are found in about a microsecond, and never make the event loop wait
 * while they are added.
 *
 * The trie leads from a prefix to its first row; where a prefix has several, for periods and times,
 * each row leads to the next, in the order of period and from. No two rates of a prefix and period
 * are in force at the same time. One without `until` gives way where the next one begins.
 */
import type { ListedRate } from './listed-rate.js'
import { OPEN, PackedRates } from './packed-rates.js'
import { PrefixTrie, VALUE_MAX } from './prefix-trie.js'

export class RateTable {
  readonly #trie = new PrefixTrie()
  readonly #rows = new PackedRates()

  /** How many rates there are. */
  get size(): number {
    return this.#rows.size
  }

  /** The periods that rates are of, the base apart. */
  get periods(): readonly string[] {
    return this.#rows.periods
  }

  /**
   * Adds a rate, whatever order they come in. Null when it is added; or else nothing is, and the
   * answer is the number of the rate that is in force at the same time: the first added is number 1.
   * @throws RangeError for a prefix that is not digits, or more rates than it can have
   */
  add(rate: ListedRate): number | null {
    if (this.size === VALUE_MAX) throw new RangeError('too many rates')
    let collision: number | null = null
    this.#trie.update(rate.prefix, head => {
      const [before, after] = this.#neighbours(head, rate)
      collision = this.#collision(before, after, rate)
      if (collision !== null) return head
      const row = this.#rows.add(rate, after)
      if (before === 0) return row
      this.#rows.setNext(before, row)
      return head
    })
    return collision
  }

  /**
   * The rate for the digits at an instant (microseconds since the epoch): of those in force, that
   * with the longest prefix; for the same prefix, that of the period before the one without.
   * @param period the period in force, empty for none
   * @throws RangeError for what is not digits
   */
  find(digits: string, at: number, period: string): ListedRate | undefined {
    const number = this.#rows.periodNumber(period) ?? 0
    const path = this.#trie.path(digits)
    for (let depth = digits.length; depth >= 0; depth--) {
      const row = this.#inForce(path[depth]!, at, number)
      if (row !== 0) return this.#listed(row, digits.slice(0, depth))
    }
    return undefined
  }

  /** The instants after `at`, up to `until`, at which a rate for the digits begins or ends, in order. */
  changes(digits: string, at: number, until: number): number[] {
    const instants = new Set<number>()
    for (const head of this.#trie.path(digits).subarray(0, digits.length + 1)) {
      for (let row = head; row !== 0; row = this.#rows.next(row)) {
        instants.add(this.#rows.from(row)).add(this.#end(row))
      }
    }
    return [...instants].filter(one => one > at && one <= until).sort((a, b) => a - b)
  }

  /** All rates in the order of prefix as text, period, from. */
  *rates(): Generator<ListedRate> {
    for (const [prefix, head] of this.#trie.entries()) {
      for (let row = head; row !== 0; row = this.#rows.next(row)) yield this.#listed(row, prefix)
    }
  }

  #listed(row: number, prefix: string): ListedRate {
    return this.#rows.rate(row, prefix, this.#end(row))
  }

  /** When the rate ceases to be in force: by itself, or because the next one begins. */
  #end(row: number): number {
    const until = this.#rows.until(row)
    const next = this.#rows.next(row)
    if (until !== OPEN || next === 0 || this.#rows.period(next) !== this.#rows.period(row)) {
      return until
    }
    return this.#rows.from(next)
  }

  /** Of a prefix's rows, the one that decides; 0 where none is in force. */
  #inForce(head: number, at: number, period: number): number {
    let base = 0
    for (let row = head; row !== 0; row = this.#rows.next(row)) {
      const own = this.#rows.period(row)
      if (own !== 0 && own !== period) continue
      if (this.#rows.from(row) > at || at >= this.#end(row)) continue
      if (own === period) return row
      base = row
    }
    return base
  }

  /** The rows between which the rate belongs. */
  #neighbours(head: number, { period, from }: ListedRate): [before: number, after: number] {
    const rows = this.#rows
    let before = 0
    let after = head
    while (after !== 0) {
      const name = rows.periodName(rows.period(after))
      if (name > period || (name === period && rows.from(after) >= from)) break
      before = after
      after = rows.next(after)
    }
    return [before, after]
  }

  #collision(before: number, after: number, rate: ListedRate): number | null {
    const rows = this.#rows
    const period = rows.periodNumber(rate.period)
    const { from, until } = rate
    if (before !== 0 && rows.period(before) === period) {
      if (rows.until(before) !== OPEN && rows.until(before) > from) return before
    }
    if (after !== 0 && rows.period(after) === period) {
      const begins = rows.from(after)
      if (begins === from || (until !== null && until > begins)) return after
    }
    return null
  }
}
