/** An import: a deck is put in order in memory, and compared with the rates that the plan has. */
import { setImmediate } from 'node:timers/promises'
import { BookError } from '../ledger/books.js'
import type { DeckChanges, DeckPieces, ImportTerms, Plan, RateKey } from '../ledger/rates.js'
import type { ListedRate } from '../rating/listed-rate.js'
import { RateTable } from '../rating/rate-table.js'
import { ChangeCount } from './deck-changes.js'
import { type Decks, PIECE } from './decks.js'
import { checkRate, prefixName } from './rate-limits.js'
import type { RatesFile } from './rates-file.js'

/** Where the deck has few rates, so many are read around each. */
const SEEK = 100

/** A deck that has been read to its end, in order, none of it twice. */
export interface ReadDeck {
  readonly table: RateTable
  /** When the last of its rates begins, microseconds since the epoch. */
  readonly lastBegins: number
}

/**
 * Reads a deck of a plan.
 * @throws BookError unknown_period, rate_exists, bad_input; what the deck throws
 */
export async function readDeck(plan: Plan, deck: DeckPieces): Promise<ReadDeck> {
  const table = new RateTable()
  let lastBegins = 0
  for await (const piece of deck) {
    for (const rate of piece) {
      checkRate(rate)
      checkPeriod(plan, rate.period)
      if (table.add(rate) !== null) throw twice(rate)
      lastBegins = Math.max(lastBegins, rate.from)
      if (table.size % PIECE === 0) await setImmediate()
    }
  }
  return { table, lastBegins }
}

/** @throws BookError unknown_period */
export function checkPeriod(plan: Plan, period: string): void {
  if (period === '' || plan.periods.some(({ name }) => name === period)) return
  throw new BookError('unknown_period', `The plan ${plan.name} has no period ${period}`)
}

function twice({ prefix, period }: ListedRate): BookError {
  const of = period === '' ? '' : ` for the period ${period}`
  return new BookError(
    'rate_exists',
    `The deck has ${prefixName(prefix)}${of} twice at the same time`,
  )
}

/**
 * What an import into a deck would change. It reads in pieces; of a deck that is merged only what
 * lies near its rates.
 * @param now microseconds since the epoch
 */
export async function changesOf(
  file: RatesFile,
  decks: Decks,
  { table }: ReadDeck,
  live: bigint,
  terms: ImportTerms,
  now: number,
): Promise<DeckChanges> {
  const changes = new ChangeCount(terms, now)
  const groups = groupsOf(table)
  const reader = new LiveReader(file, decks, live)
  let next = groups.next().value
  for (let step = 1; ; step++) {
    if (step % PIECE === 0) await setImmediate()
    if (terms.mode === 'merge' && !next) break
    if (reader.isEmpty) await reader.read(terms.mode === 'merge' && next ? next[0]! : null)
    const old = reader.group
    if (!next && !old) break
    const order = next && old ? compareKeys(next[0]!, old[0]!) : next ? -1 : 1
    if (order > 0) {
      changes.count([], old!)
      reader.drop()
      continue
    }
    changes.count(next!, order === 0 ? old! : [])
    if (order === 0) reader.drop()
    next = groups.next().value
  }
  return changes.changes
}

/** The rates of a plan in order, those of one prefix and period at a time. */
class LiveReader {
  #rates: readonly ListedRate[] = []
  #begin = 0
  #end = 0
  #last: RateKey | null = null
  #over = false

  constructor(
    readonly file: RatesFile,
    readonly decks: Decks,
    readonly deck: bigint,
  ) {}

  /** Whether there is more to be read before the next group is known. */
  get isEmpty(): boolean {
    return this.#begin === this.#rates.length && !this.#over
  }

  /** The next group; undefined after the last one. */
  get group(): readonly ListedRate[] | undefined {
    return this.#begin === this.#end ? undefined : this.#rates.slice(this.#begin, this.#end)
  }

  drop(): void {
    this.#begin = this.#end
    this.#findEnd()
  }

  /** Reads on. What comes before the prefix and period of `from` is passed over, where it is given. */
  async read(from: ListedRate | null): Promise<void> {
    const seeks = from !== null && (this.#last === null || compareKeys(this.#last, from) < 0)
    const after = seeks ? { prefix: from.prefix, period: from.period, from: -1 } : this.#last
    let limit = seeks ? SEEK : PIECE
    let whole = await this.#readWhole(after, limit)
    for (; whole === undefined; limit *= 2) whole = await this.#readWhole(after, limit * 2)
    this.#rates = whole
    this.#last = whole.at(-1) ?? after
    this.#begin = 0
    this.#end = 0
    this.#findEnd()
  }

  /** So many rates, but for a last group that may go on; undefined where that would be all. */
  async #readWhole(after: RateKey | null, limit: number): Promise<ListedRate[] | undefined> {
    const page = await this.file.committer.read(() => this.decks.page(this.deck, after, limit))
    this.#over = page.length < limit
    if (this.#over) return page
    const last = page.at(-1)!
    const begin = page.findIndex(one => compareKeys(one, last) === 0)
    return begin === 0 ? undefined : page.slice(0, begin)
  }

  #findEnd(): void {
    const rates = this.#rates
    const first = rates[this.#begin]
    while (this.#end < rates.length && compareKeys(rates[this.#end]!, first!) === 0) this.#end += 1
  }
}

/** The rates of a table, those of one prefix and period at a time. */
function* groupsOf(table: RateTable): Generator<ListedRate[], undefined> {
  let group: ListedRate[] = []
  for (const rate of table.rates()) {
    if (group[0] && compareKeys(group[0], rate) !== 0) {
      yield group
      group = []
    }
    group.push(rate)
  }
  if (group.length > 0) yield group
}

/** By prefix and period. */
function compareKeys(a: RateKey, b: RateKey): number {
  if (a.prefix !== b.prefix) return a.prefix < b.prefix ? -1 : 1
  if (a.period !== b.period) return a.period < b.period ? -1 : 1
  return 0
}
