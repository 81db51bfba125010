/**
 * Virtual time: things happen one after the other in the order of their instants, and an hour takes
 * no time. After each the promises that it set off come to rest before the next one happens, so a
 * run depends on its seed alone.
 */
import { setImmediate } from 'node:timers/promises'

export interface Planned {
  cancel(): void
}

interface Item {
  readonly atMs: number
  readonly turn: number
  happen: (() => void) | null
}

export class World {
  #nowMs = 0
  #turns = 0
  #pending = 0
  #stirred = false
  readonly #heap: Item[] = []
  /** Called whenever everything has come to rest after something that may have changed anything. */
  onRest: () => void = () => {}

  /** Milliseconds since the world began. */
  now(): number {
    return this.#nowMs
  }

  /** What is planned for the same instant happens in the order in which it was planned. */
  at(atMs: number, happen: () => void): Planned {
    const item: Item = { atMs: Math.max(atMs, this.#nowMs), turn: this.#turns++, happen }
    this.#heap.push(item)
    this.#rise(this.#heap.length - 1)
    return {
      cancel() {
        item.happen = null
      },
    }
  }

  after(delayMs: number, happen: () => void): Planned {
    return this.at(this.#nowMs + delayMs, happen)
  }

  /** Something has called code that lives on promises: they must come to rest. */
  stir(): void {
    this.#stirred = true
  }

  /** Real work, on a file: the world stands still until it is done. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#stirred = true
    this.#pending += 1
    try {
      return await work
    } finally {
      this.#pending -= 1
    }
  }

  /** Lets happen all that is planned up to then. */
  async run(untilMs: number): Promise<void> {
    await this.#rest()
    for (let next = this.#heap[0]; next && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#takeFirst()
      if (!next.happen) continue
      this.#nowMs = next.atMs
      next.happen()
      if (this.#stirred) await this.#rest()
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  async #rest(): Promise<void> {
    do await setImmediate()
    while (this.#pending > 0)
    this.#stirred = false
    this.onRest()
  }

  #takeFirst(): void {
    const last = this.#heap.pop()!
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink()
  }

  #rise(from: number): void {
    const heap = this.#heap
    for (let i = from; i > 0; ) {
      const parent = (i - 1) >> 1
      if (isBefore(heap[parent]!, heap[i]!)) return
      ;[heap[i], heap[parent]] = [heap[parent]!, heap[i]!]
      i = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let i = 0; ; ) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child
      }
      if (least === i) return
      ;[heap[i], heap[least]] = [heap[least]!, heap[i]!]
      i = least
    }
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.turn < b.turn)
}
