/** What an import changes: each rate of the deck beside what would be in force without it. */
import type { DeckChanges, ImportTerms, RateChange } from '../ledger/rates.js'
import { isInForce, type ListedRate } from '../rating/listed-rate.js'

/** How many changes are told one by one. */
const LARGEST_MAX = 100

/** When a rate that nothing takes the place of ends. */
const NEVER = Number.POSITIVE_INFINITY

type Kind = Exclude<keyof DeckChanges, 'largest'>

export class ChangeCount {
  readonly #counts: Record<Kind, number> = {
    added: 0,
    removed: 0,
    dearer: 0,
    cheaper: 0,
    otherwise: 0,
    same: 0,
  }
  /** Of the price, the largest first. */
  readonly #ofPrice: RateChange[] = []
  readonly #without: Record<'blocked' | 'removed' | 'added', RateChange[]> = {
    blocked: [],
    removed: [],
    added: [],
  }

  get changes(): DeckChanges {
    const { blocked, removed, added } = this.#without
    const largest = [...this.#ofPrice, ...blocked, ...removed, ...added].slice(0, LARGEST_MAX)
    return { ...this.#counts, largest }
  }

  /** @param now what has ended by then is not missed; microseconds since the epoch */
  constructor(
    readonly terms: ImportTerms,
    readonly now: number,
  ) {}

  /**
   * Counts the rates of one prefix and period, each in the order of time.
   * @param deck those of the deck
   * @param live those that the plan has now
   */
  count(deck: readonly ListedRate[], live: readonly ListedRate[]): void {
    const replaced = new Set<ListedRate>()
    for (const after of deck) {
      const before = inItsPlace(after, live, this.now)
      if (before) replaced.add(before)
      this.#countOne(before, after)
    }
    const { mode, effective } = this.terms
    const end = deck[0]?.from ?? (mode === 'replace' ? effective : NEVER)
    const missed = Math.max(end, this.now)
    for (const before of live) {
      if (!replaced.has(before) && (before.until ?? NEVER) > missed) this.#remove(before)
    }
  }

  #countOne(before: ListedRate | undefined, after: ListedRate): void {
    if (!before) {
      this.#counts.added += 1
      list(this.#without.added, { before: null, after, difference: null })
    } else if (before.blocked !== after.blocked) {
      this.#counts.otherwise += 1
      list(this.#without.blocked, { before, after, difference: null })
    } else {
      const difference = after.perMinute - before.perMinute
      this.#counts[kindOf(before, after, difference, this.now)] += 1
      if (difference !== 0n) this.#listByPrice({ before, after, difference })
    }
  }

  #remove(before: ListedRate): void {
    this.#counts.removed += 1
    list(this.#without.removed, { before, after: null, difference: null })
  }

  #listByPrice(change: RateChange): void {
    const largest = this.#ofPrice
    const smallest = largest[LARGEST_MAX - 1]
    if (smallest && size(smallest) >= size(change)) return
    const place = largest.findIndex(one => size(one) < size(change))
    largest.splice(place < 0 ? largest.length : place, 0, change)
    largest.length = Math.min(largest.length, LARGEST_MAX)
  }
}

/**
 * What would be in force when the rate begins, or now where it has begun; where nothing is, what
 * would come after that.
 */
function inItsPlace(
  rate: ListedRate,
  live: readonly ListedRate[],
  now: number,
): ListedRate | undefined {
  const begins = Math.max(rate.from, now)
  return (
    live.find(one => isInForce(one, begins)) ??
    live.find(({ from }) => from > begins && from < (rate.until ?? NEVER))
  )
}

function kindOf(before: ListedRate, after: ListedRate, difference: bigint, now: number): Kind {
  if (difference !== 0n) return difference > 0n ? 'dearer' : 'cheaper'
  const same =
    before.setup === after.setup &&
    before.minimum === after.minimum &&
    before.increment === after.increment &&
    before.freeS === after.freeS &&
    before.description === after.description &&
    before.until === after.until &&
    // One that begins later than the one that it takes the place of goes on where that ends.
    before.from <= Math.max(after.from, now)
  return same ? 'same' : 'otherwise'
}

function list(changes: RateChange[], change: RateChange): void {
  if (changes.length < LARGEST_MAX) changes.push(change)
}

function size({ difference }: RateChange): bigint {
  if (difference === null) return 0n
  return difference < 0n ? -difference : difference
}
