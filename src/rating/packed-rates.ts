/**
 * Rates as rows of numbers: 64 bytes a rate, outside of the heap that the garbage collector walks,
 * and within one line of the processor's cache, because a call reads all of a row. Rows are numbered
 * from 1 in the order in which they are added; 0 is none.
 */
import type { ListedRate } from './listed-rate.js'

/** Rows of a page. The first one begins small, because most plans have few rates. */
const PAGE_BITS = 15
const PAGE_ROWS = 1 << PAGE_BITS
const PAGE_MASK = PAGE_ROWS - 1
const FIRST_ROWS = 16

/** A row is eight words of 64 bits, of which the last four are eight of 32. */
const LONGS = 8
const INTS = 16
const ROW_BYTES = 64

/** Where in a row things are: in words of 64 bits, ... */
const PER_MINUTE = 0
const SETUP = 1
const FROM = 2
const UNTIL = 3
/** ... and of 32. */
const MINIMUM = 8
const INCREMENT = 9
const FREE_S = 10
const DESCRIPTION = 11
const NEXT = 12
const PERIOD = 13
const BLOCKED = 14

/** How many descriptions are looked through for the same one: a deck has few, and close together. */
const RECENT_MAX = 10_000

/** `until` of a rate that is in force until another one begins. */
export const OPEN = Number.POSITIVE_INFINITY

/** The same bytes, as what they mean. */
class Page {
  readonly bytes: Uint8Array
  readonly amounts: BigInt64Array
  readonly instants: Float64Array
  readonly ints: Int32Array

  constructor(readonly rows: number) {
    const buffer = new ArrayBuffer(rows * ROW_BYTES)
    this.bytes = new Uint8Array(buffer)
    this.amounts = new BigInt64Array(buffer)
    this.instants = new Float64Array(buffer)
    this.ints = new Int32Array(buffer)
  }

  widened(): Page {
    const wider = new Page(this.rows * 2)
    wider.bytes.set(this.bytes)
    return wider
  }
}

export class PackedRates {
  readonly #pages = [new Page(FIRST_ROWS)]
  readonly #periods = ['']
  readonly #descriptions: string[] = []
  #recent = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The number of a period, 0 for the base; undefined where no rate is of it. */
  periodNumber(name: string): number | undefined {
    if (name === '') return 0
    const number = this.#periods.indexOf(name)
    return number < 0 ? undefined : number
  }

  periodName(number: number): string {
    return this.#periods[number]!
  }

  /** The periods that rates are of, the base apart. */
  get periods(): readonly string[] {
    return this.#periods.slice(1)
  }

  /** Adds a row, all but its prefix, in front of the row `next`. */
  add(rate: ListedRate, next: number): number {
    const row = this.#size + 1
    const { amounts, instants, ints } = this.#pageFor(row)
    const long = (row & PAGE_MASK) * LONGS
    const int = (row & PAGE_MASK) * INTS
    amounts[long + PER_MINUTE] = rate.perMinute
    amounts[long + SETUP] = rate.setup
    instants[long + FROM] = rate.from
    instants[long + UNTIL] = rate.until ?? OPEN
    ints[int + MINIMUM] = rate.minimum
    ints[int + INCREMENT] = rate.increment
    ints[int + FREE_S] = rate.freeS
    ints[int + DESCRIPTION] = this.#addDescription(rate.description)
    ints[int + NEXT] = next
    ints[int + PERIOD] = this.#addPeriod(rate.period)
    ints[int + BLOCKED] = rate.blocked ? 1 : 0
    this.#size = row
    return row
  }

  next(row: number): number {
    return this.#int(row, NEXT)
  }

  setNext(row: number, next: number): void {
    this.#page(row).ints[(row & PAGE_MASK) * INTS + NEXT] = next
  }

  period(row: number): number {
    return this.#int(row, PERIOD)
  }

  from(row: number): number {
    return this.#page(row).instants[(row & PAGE_MASK) * LONGS + FROM]!
  }

  /** As it was given, OPEN for null. */
  until(row: number): number {
    return this.#page(row).instants[(row & PAGE_MASK) * LONGS + UNTIL]!
  }

  /** `until` takes the place of the row's own. */
  rate(row: number, prefix: string, until: number): ListedRate {
    const { amounts, instants, ints } = this.#page(row)
    const long = (row & PAGE_MASK) * LONGS
    const int = (row & PAGE_MASK) * INTS
    return {
      prefix,
      description: this.#descriptions[ints[int + DESCRIPTION]!]!,
      perMinute: amounts[long + PER_MINUTE]!,
      setup: amounts[long + SETUP]!,
      minimum: ints[int + MINIMUM]!,
      increment: ints[int + INCREMENT]!,
      freeS: ints[int + FREE_S]!,
      period: this.#periods[ints[int + PERIOD]!]!,
      from: instants[long + FROM]!,
      until: until === OPEN ? null : until,
      blocked: ints[int + BLOCKED] === 1,
    }
  }

  #int(row: number, place: number): number {
    return this.#page(row).ints[(row & PAGE_MASK) * INTS + place]!
  }

  #page(row: number): Page {
    return this.#pages[row >> PAGE_BITS]!
  }

  #pageFor(row: number): Page {
    const index = row >> PAGE_BITS
    const page = this.#pages[index] ?? new Page(PAGE_ROWS)
    const roomy = (row & PAGE_MASK) < page.rows ? page : page.widened()
    this.#pages[index] = roomy
    return roomy
  }

  #addPeriod(name: string): number {
    return this.periodNumber(name) ?? this.#periods.push(name) - 1
  }

  #addDescription(text: string): number {
    const known = this.#recent.get(text)
    if (known !== undefined) return known
    if (this.#recent.size === RECENT_MAX) this.#recent = new Map()
    const number = this.#descriptions.push(text) - 1
    this.#recent.set(text, number)
    return number
  }
}
