/**
 * Our own clock, for waiting: monotonic, so that a step of the wall clock neither cuts nor prolongs
 * a call. One alarm for each key, all in one heap that is looked at every 10 ms: what is due at a
 * tick goes off together, and so shares one commit of the ledger.
 */
export interface Clock {
  /** Milliseconds, from an arbitrary origin, never backwards. */
  now(): number
  /** Sets the alarm of a key, in place of the one it had. Never goes off before `atMs`. */
  wakeAt(key: string, atMs: number, ring: () => void): void
  cancel(key: string): void
}

const TICK_MS = 10

interface Alarm {
  readonly key: string
  readonly atMs: number
  readonly ring: () => void
}

/** A binary heap by time. An alarm that was replaced stays in it until its time, and is skipped. */
export class Alarms {
  readonly #heap: Alarm[] = []
  readonly #current = new Map<string, Alarm>()

  get size(): number {
    return this.#current.size
  }

  /** When the next alarm is due; Infinity where there is none. */
  get nextMs(): number {
    this.#dropReplaced()
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  set(key: string, atMs: number, ring: () => void): void {
    const alarm = { key, atMs, ring }
    this.#current.set(key, alarm)
    this.#heap.push(alarm)
    this.#rise(this.#heap.length - 1)
  }

  cancel(key: string): void {
    this.#current.delete(key)
  }

  /**
   * Takes out the earliest alarm that is due at `nowMs`. Those that were replaced are dropped when they
   * would have been due, and not before: that may be tens of thousands at once.
   */
  takeDue(nowMs: number): (() => void) | undefined {
    for (let top = this.#heap[0]; top && top.atMs <= nowMs; top = this.#heap[0]) {
      this.#pop()
      if (this.#current.get(top.key) !== top) continue
      this.#current.delete(top.key)
      return top.ring
    }
    return undefined
  }

  #dropReplaced(): void {
    for (let top = this.#heap[0]; top && this.#current.get(top.key) !== top; top = this.#heap[0]) {
      this.#pop()
    }
  }

  #pop(): Alarm {
    const top = this.#heap[0]!
    const last = this.#heap.pop()!
    if (this.#heap.length > 0) {
      this.#heap[0] = last
      this.#sink(0)
    }
    return top
  }

  #rise(from: number): void {
    let i = from
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (this.#heap[parent]!.atMs <= this.#heap[i]!.atMs) return
      this.#swap(i, parent)
      i = parent
    }
  }

  #sink(from: number): void {
    let i = from
    for (;;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#heap.length && this.#heap[child]!.atMs < this.#heap[least]!.atMs) {
          least = child
        }
      }
      if (least === i) return
      this.#swap(i, least)
      i = least
    }
  }

  #swap(a: number, b: number): void {
    const alarm = this.#heap[a]!
    this.#heap[a] = this.#heap[b]!
    this.#heap[b] = alarm
  }
}

/**
 * The real one. `stop` it, or the process does not end while alarms are set. Whoever was busy then, and
 * wants to be woken again, is not: he would keep the process for ever.
 */
export class RealClock implements Clock {
  readonly #alarms = new Alarms()
  #ticking: NodeJS.Timeout | undefined
  #stopped = false

  now(): number {
    return performance.now()
  }

  wakeAt(key: string, atMs: number, ring: () => void): void {
    if (this.#stopped) return
    this.#alarms.set(key, atMs, ring)
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS)
  }

  cancel(key: string): void {
    this.#alarms.cancel(key)
  }

  stop(): void {
    this.#stopped = true
    this.#rest()
  }

  #tick(): void {
    const now = this.now()
    for (let ring = this.#alarms.takeDue(now); ring; ring = this.#alarms.takeDue(now)) ring()
    if (this.#alarms.size === 0) this.#rest()
  }

  #rest(): void {
    clearInterval(this.#ticking)
    this.#ticking = undefined
  }
}
