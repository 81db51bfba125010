/**
 * Longest-prefix match over the rates of one plan: a digit trie in one growing Int32Array.
 *
 * A node is ten children and one value, each 0 where there is none; so a look-up is one array read
 * a digit, and a million prefixes are no million objects.
 */
const STRIDE = 11
const VALUE = 10

export class PrefixTable<T> {
  #nodes = new Int32Array(STRIDE * 64)
  #used = STRIDE
  /** Values by their place in the trie; place 0 stands for "none". */
  readonly #values: (T | undefined)[] = [undefined]

  /** How many prefixes there are. */
  get size(): number {
    return this.#values.length - 1
  }

  /** `prefix` is digits only; the empty one matches every number. The last value set stays. */
  set(prefix: string, value: T): void {
    let node = 0
    for (let i = 0; i < prefix.length; i++) {
      const slot = node + digitAt(prefix, i)
      node = this.#nodes[slot] || this.#grow(slot)
    }
    const place = this.#nodes[node + VALUE]!
    if (place > 0) {
      this.#values[place] = value
    } else {
      this.#nodes[node + VALUE] = this.#values.push(value) - 1
    }
  }

  /** The value of the longest prefix of `digits`, if any prefix fits. */
  find(digits: string): T | undefined {
    const nodes = this.#nodes
    let node = 0
    let best = nodes[VALUE]!
    for (let i = 0; i < digits.length; i++) {
      node = nodes[node + digitAt(digits, i)]!
      if (node === 0) break
      best = nodes[node + VALUE] || best
    }
    return this.#values[best]
  }

  #grow(slot: number): number {
    const node = this.#used
    this.#used += STRIDE
    if (this.#used > this.#nodes.length) {
      const wider = new Int32Array(this.#nodes.length * 2)
      wider.set(this.#nodes)
      this.#nodes = wider
    }
    this.#nodes[slot] = node
    return node
  }
}

function digitAt(digits: string, i: number): number {
  const digit = digits.charCodeAt(i) - 48
  if (digit < 0 || digit > 9) throw new RangeError(`not a string of digits: ${digits}`)
  return digit
}
