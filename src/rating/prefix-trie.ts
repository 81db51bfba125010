/**
 * Digits to numbers: a trie in a few large arrays, so that a million prefixes are no million objects.
 *
 *   leaf    a prefix that no longer one begins with: no node at all, the link is its negated value
 *   chain   one digit goes on: [value << 4 | digit, link]
 *   branch  any digit goes on: [ten links, value]
 *
 * The text of a prefix is the way to it and stored nowhere. It grows a page at a time: the old pages
 * stay where they are, so that growth never stops the event loop.
 */

/** Words of a page. The first one begins small, because most plans have few rates. */
const PAGE_BITS = 18
const PAGE_WORDS = 1 << PAGE_BITS
const PAGE_MASK = PAGE_WORDS - 1
const FIRST_WORDS = 64

const CHAIN_WORDS = 2
const BRANCH_WORDS = 11
/** Where a branch has its value. */
const VALUE = 10

/** A link to a node is its place, doubled; the lowest bit is set for a branch. 0 leads nowhere. */
const ROOT = 1

/** The largest value: 27 bits, beside the digit of a chain. */
export const VALUE_MAX = 2 ** 27 - 1

export class PrefixTrie {
  readonly #pages = [new Int32Array(FIRST_WORDS)]
  #path = new Int32Array(33)
  /** The root, a branch, has the first words. */
  #used = BRANCH_WORDS

  /** Bytes that it takes. */
  get bytes(): number {
    return this.#pages.reduce((sum, page) => sum + page.byteLength, 0)
  }

  /**
   * Changes the value of a prefix, which is 0 where it has none: `change` turns the old one into the new.
   * @throws RangeError for what is not digits
   */
  update(prefix: string, change: (value: number) => number): void {
    let link = ROOT
    /** Where `link` is written; nowhere for the root. */
    let slot = -1
    for (let i = 0; i < prefix.length; i++) {
      const digit = digitAt(prefix, i)
      slot = this.#slotFor(link, slot, digit)
      link = this.#word(slot)
    }
    this.#setValue(link, slot, change(this.#value(link)))
  }

  /**
   * The values of the prefixes of `digits`, at the place of their length, 0 for those that have none.
   * It is written over by the next question.
   * @throws RangeError for what is not digits
   */
  path(digits: string): Int32Array {
    const { length } = digits
    if (this.#path.length <= length) this.#path = new Int32Array(length + 1)
    const path = this.#path
    let link = ROOT
    for (let depth = 0; depth <= length; depth++) {
      path[depth] = this.#value(link)
      if (depth < length) link = this.#follow(link, digitAt(digits, depth))
    }
    return path
  }

  /** All prefixes that have a value, in their order as text. */
  *entries(): Generator<[prefix: string, value: number]> {
    // What is still to be visited, the next one last.
    const open: [prefix: string, link: number][] = [['', ROOT]]
    for (let next = open.pop(); next; next = open.pop()) {
      const [prefix, link] = next
      const value = this.#value(link)
      if (value !== 0) yield [prefix, value]
      if (link < 0) continue
      const place = link >> 1
      if ((link & 1) === 0) {
        open.push([`${prefix}${this.#word(place) & 15}`, this.#word(place + 1)])
        continue
      }
      for (let digit = 9; digit >= 0; digit--) {
        const child = this.#word(place + digit)
        if (child !== 0) open.push([`${prefix}${digit}`, child])
      }
    }
  }

  #value(link: number): number {
    if (link <= 0) return -link
    const place = link >> 1
    return link & 1 ? this.#word(place + VALUE) : this.#word(place) >> 4
  }

  #setValue(link: number, slot: number, value: number): void {
    const place = link >> 1
    if (link <= 0) this.#set(slot, -value)
    else if (link & 1) this.#set(place + VALUE, value)
    else this.#set(place, (value << 4) | (this.#word(place) & 15))
  }

  #follow(link: number, digit: number): number {
    if (link <= 0) return 0
    const place = link >> 1
    if (link & 1) return this.#word(place + digit)
    return (this.#word(place) & 15) === digit ? this.#word(place + 1) : 0
  }

  /** Where the link for a further digit is written; makes room for it. */
  #slotFor(link: number, slot: number, digit: number): number {
    const place = link >> 1
    if (link > 0 && link & 1) return place + digit
    if (link > 0 && (this.#word(place) & 15) === digit) return place + 1
    if (link > 0) return this.#branchFrom(link, slot) + digit
    const chain = this.#allocate(CHAIN_WORDS)
    this.#set(chain, (-link << 4) | digit)
    this.#set(slot, chain << 1)
    return chain + 1
  }

  /** Puts a branch in the place of a chain, whose two words are lost. */
  #branchFrom(link: number, slot: number): number {
    const place = link >> 1
    const word = this.#word(place)
    const branch = this.#allocate(BRANCH_WORDS)
    this.#set(branch + (word & 15), this.#word(place + 1))
    this.#set(branch + VALUE, word >> 4)
    this.#set(slot, (branch << 1) | 1)
    return branch
  }

  /** No node lies across two pages. */
  #allocate(words: number): number {
    const left = PAGE_WORDS - (this.#used & PAGE_MASK)
    const place = words > left ? this.#used + left : this.#used
    this.#used = place + words
    const index = place >> PAGE_BITS
    const page = this.#pages[index]
    if (!page) {
      this.#pages.push(new Int32Array(PAGE_WORDS))
    } else if ((place & PAGE_MASK) + words > page.length) {
      const wider = new Int32Array(page.length * 2)
      wider.set(page)
      this.#pages[index] = wider
    }
    return place
  }

  #word(place: number): number {
    return this.#pages[place >> PAGE_BITS]![place & PAGE_MASK]!
  }

  #set(place: number, word: number): void {
    this.#pages[place >> PAGE_BITS]![place & PAGE_MASK] = word
  }
}

function digitAt(digits: string, i: number): number {
  const digit = digits.charCodeAt(i) - 48
  if (digit >= 0 && digit <= 9) return digit
  throw new RangeError(`not a string of digits: ${digits}`)
}
