/**
 * On which line of a deck each rate was, to name the earlier of two that cannot both be. A million
 * of them take 40 MB: a hash table in typed arrays, where a Map of strings would take 200.
 */
import type { ListedRate } from '../rating/listed-rate.js'

/** Prefixes of at most so many digits are whole numbers that a double holds exactly. */
const EXACT_DIGITS = 15

const ZERO = 48

const FIRST_SLOTS = 1 << 12

/** What a chain of rates of one prefix tells apart. Few of these are different in a deck. */
type When = Pick<ListedRate, 'period' | 'from' | 'until'>

export class DeckLines {
  /** Open addressing: 0 is a free slot, no prefix is 0 because of the 1 before its digits. */
  #keys = new Float64Array(FIRST_SLOTS)
  /** The last rate of the prefix, by its place in the arrays below. */
  #last = new Int32Array(FIRST_SLOTS)
  #prefixes = 0

  #lines = new Int32Array(FIRST_SLOTS)
  /** The rate of the same prefix before it; -1 where there is none. */
  #before = new Int32Array(FIRST_SLOTS)
  #whens = new Int32Array(FIRST_SLOTS)
  #size = 0

  readonly #knownWhens: When[] = []
  readonly #placeOfWhen = new Map<string, number>()
  #recent: { when: When; place: number } | undefined
  /** Longer prefixes are few. */
  readonly #longKeys = new Map<string, number>()

  /** The line of an earlier rate for the prefix and period that is in force at the same time. */
  collision(rate: ListedRate): number | undefined {
    return this.#collisionAt(this.#slot(this.#key(rate.prefix)), rate)
  }

  /** Adds a rate, unless it collides: then the answer is the line of the earlier one. */
  add(rate: ListedRate, line: number): number | undefined {
    const key = this.#key(rate.prefix)
    const slot = this.#slot(key)
    const collision = this.#collisionAt(slot, rate)
    if (collision !== undefined) return collision
    const isNew = this.#keys[slot] === 0
    if (this.#size === this.#lines.length) this.#lengthen()
    const at = this.#size++
    this.#lines[at] = line
    this.#before[at] = isNew ? -1 : this.#last[slot]!
    this.#whens[at] = this.#whenPlace(rate)
    this.#keys[slot] = key
    this.#last[slot] = at
    if (isNew) {
      this.#prefixes += 1
      if (this.#prefixes * 2 > this.#keys.length) this.#widen()
    }
    return undefined
  }

  #collisionAt(slot: number, rate: ListedRate): number | undefined {
    if (this.#keys[slot] === 0) return undefined
    for (let at = this.#last[slot]!; at >= 0; at = this.#before[at]!) {
      if (exclude(this.#knownWhens[this.#whens[at]!]!, rate)) return this.#lines[at]
    }
    return undefined
  }

  #key(prefix: string): number {
    if (prefix.length <= EXACT_DIGITS) {
      let key = 1
      for (let i = 0; i < prefix.length; i++) key = key * 10 + prefix.charCodeAt(i) - ZERO
      return key
    }
    let key = this.#longKeys.get(prefix)
    if (key === undefined) {
      key = -1 - this.#longKeys.size
      this.#longKeys.set(prefix, key)
    }
    return key
  }

  /** Where the key is, or may go. */
  #slot(key: number): number {
    const keys = this.#keys
    const mask = keys.length - 1
    const low = (key % 0x1_0000_0000) | 0
    const high = (key / 0x1_0000_0000) | 0
    let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
    hash ^= hash >>> 15
    let slot = hash & mask
    while (keys[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask
    return slot
  }

  #whenPlace(rate: ListedRate): number {
    const { period, from, until } = rate
    const recent = this.#recent?.when
    if (recent && recent.period === period && recent.from === from && recent.until === until) {
      return this.#recent!.place
    }
    const name = `${from} ${until} ${period}`
    let place = this.#placeOfWhen.get(name)
    if (place === undefined) {
      place = this.#knownWhens.push({ period, from, until }) - 1
      this.#placeOfWhen.set(name, place)
    }
    this.#recent = { when: this.#knownWhens[place]!, place }
    return place
  }

  #widen(): void {
    const keys = this.#keys
    const last = this.#last
    this.#keys = new Float64Array(keys.length * 2)
    this.#last = new Int32Array(keys.length * 2)
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue
      const slot = this.#slot(keys[i]!)
      this.#keys[slot] = keys[i]!
      this.#last[slot] = last[i]!
    }
  }

  #lengthen(): void {
    const longer = (array: Int32Array) => {
      const copy = new Int32Array(array.length * 2)
      copy.set(array)
      return copy
    }
    this.#lines = longer(this.#lines)
    this.#before = longer(this.#before)
    this.#whens = longer(this.#whens)
  }
}

/** A later rate ends an open one where it begins; an end that is written down is meant. */
function exclude(a: When, b: When): boolean {
  if (a.period !== b.period) return false
  if (a.from === b.from) return true
  const earlier = a.from < b.from ? a : b
  const later = a.from < b.from ? b : a
  return earlier.until !== null && earlier.until > later.from
}
