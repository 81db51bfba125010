/**
 * Decks: the sets of rates that plans point to. A deck that no plan points to is either being
 * filled, or rubbish that the next sweep removes; so a crash in the middle of an import costs
 * nothing but some space for a while.
 *
 * Several processes may have the file open. So a deck that is being filled is left alone for as long
 * as rows keep coming, whoever fills it; and one that has been given up is marked first, so that it
 * is never taken for whole.
 */
import { LedgerError } from '../ledger/ledger.js'
import type { RateKey } from '../ledger/rates.js'
import type { ListedRate } from '../rating/listed-rate.js'
import type { Statement } from './database.js'
import {
  type Parameter,
  pushRate,
  RATE_COLUMNS,
  RATE_PLACES,
  type RateRow,
  rateOf,
} from './rate-rows.js'
import type { RatesFile } from './rates-file.js'

/** Rates that are read or written at a time, during which nothing else runs: some 8 ms. */
export const PIECE = 2000

/** Rates that one statement inserts: one by one, a million take twice as long. */
const ROWS = 20

/** When a deck to which no row was added for so long belongs to nobody any more. */
const ABANDONED_US = 10 * 60 * 1_000_000

/** Later than any instant. */
const NEVER = 2n ** 53n

const COLUMNS = `deck_id, ${RATE_COLUMNS}`
const PLACES = `(${Array.from({ length: RATE_PLACES }, () => '?').join(', ')})`

/**
 * The rates of `from` that go on beside those of `to`, and until when: up to the instant at which the
 * first rate of `to` for the same prefix and period begins, or else up to `otherwise`. Those that end
 * by `since` are left behind.
 */
const COPY = `
  INSERT INTO rate (${COLUMNS})
  SELECT @to, prefix, period, effective_from,
    nullif(min(coalesce(effective_until, ${NEVER}), cut), ${NEVER}),
    description, per_minute, setup, minimum, increment, free_s, blocked
  FROM (
    SELECT *, coalesce((
      SELECT min(effective_from) FROM rate AS new
      WHERE deck_id = @to AND new.prefix = old.prefix AND new.period = old.period), @otherwise) AS cut
    FROM rate AS old WHERE deck_id = @from AND prefix BETWEEN @first AND @last)
  WHERE effective_from < cut AND min(coalesce(effective_until, ${NEVER}), cut) > @since`

export class Decks {
  readonly #file: RatesFile
  readonly #now: () => number
  readonly #create: Statement<[number], bigint>
  readonly #insert: Statement<Parameter[]>
  readonly #insertRows: Statement<Parameter[]>
  readonly #delete: Statement<[bigint, string, string, number]>
  readonly #counted: Statement<[object]>
  readonly #edited: Statement<[number, bigint]>
  readonly #sameKey: Statement<[bigint, string, string], RateRow>
  readonly #ofPeriod: Statement<[bigint, string], bigint>
  readonly #withPrefixOf: Statement<[bigint, string], RateRow>
  readonly #page: Statement<[object], RateRow>
  readonly #lastOfPiece: Statement<[object], string | null>
  readonly #copy: Statement<[object]>
  readonly #doom: Statement<[bigint]>
  readonly #unused: Statement<[number], bigint>
  readonly #purge: Statement<[object]>
  readonly #drop: Statement<[bigint]>

  /** @param now microseconds since the epoch */
  constructor(file: RatesFile, now: () => number) {
    const { database } = file
    this.#file = file
    this.#now = now
    this.#create = database
      .prepare<[number], bigint>(
        'INSERT INTO deck (rates, changes, filled_at) VALUES (0, 0, ?) RETURNING id',
      )
      .pluck()
    this.#insert = database.prepare<Parameter[]>(`INSERT INTO rate (${COLUMNS}) VALUES ${PLACES}`)
    const rows = Array.from({ length: ROWS }, () => PLACES).join(', ')
    this.#insertRows = database.prepare<Parameter[]>(`INSERT INTO rate (${COLUMNS}) VALUES ${rows}`)
    this.#delete = database.prepare(
      'DELETE FROM rate WHERE deck_id = ? AND prefix = ? AND period = ? AND effective_from = ?',
    )
    this.#counted = database.prepare(`
      UPDATE deck SET rates = rates + @rates, filled_at = @at WHERE id = @deck AND doomed = 0`)
    this.#edited = database.prepare(
      'UPDATE deck SET rates = rates + ?, changes = changes + 1 WHERE id = ?',
    )
    const ofDeck = `SELECT ${RATE_COLUMNS} FROM rate WHERE deck_id`
    const inOrder = 'ORDER BY prefix, period, effective_from'
    this.#sameKey = asRows(
      database.prepare(`${ofDeck} = ? AND prefix = ? AND period = ? ${inOrder}`),
    )
    this.#ofPeriod = database
      .prepare<[bigint, string], bigint>(
        "SELECT 1 FROM rate WHERE deck_id = ? AND period = ? AND period <> '' LIMIT 1",
      )
      .pluck()
    this.#withPrefixOf = asRows(
      database.prepare(`${ofDeck} = ? AND prefix IN (SELECT value FROM json_each(?)) ${inOrder}`),
    )
    this.#page = asRows(
      database.prepare(`
        ${ofDeck} = @deck AND (prefix, period, effective_from) > (@prefix, @period, @from)
        ${inOrder} LIMIT @limit`),
    )
    this.#lastOfPiece = database
      .prepare<[object], string | null>(`
        SELECT max(prefix) FROM (
          SELECT prefix FROM rate WHERE deck_id = @deck AND prefix >= @first
          ORDER BY prefix LIMIT ${PIECE})`)
      .pluck()
    this.#copy = database.prepare(COPY)
    this.#doom = database.prepare('UPDATE deck SET doomed = 1 WHERE id = ?')
    this.#unused = database
      .prepare<[number], bigint>(`
        SELECT id FROM deck WHERE doomed = 1
          OR (filled_at < ? AND id NOT IN (SELECT deck_id FROM plan)) LIMIT 1`)
      .pluck()
    this.#purge = database.prepare(
      'DELETE FROM rate WHERE deck_id = @deck AND prefix BETWEEN @first AND @last',
    )
    this.#drop = database.prepare('DELETE FROM deck WHERE id = ?')
  }

  /** Only inside a transaction. It stays where a plan points to it, or rows keep coming. */
  create(): bigint {
    return this.#create.get(this.#now())!
  }

  /** Only inside a transaction; it must not collide with a rate that is there. */
  add(deck: bigint, rate: ListedRate): void {
    const parameters = pushRate([], deck, rate)
    this.#insert.run(...parameters)
    this.#edited.run(1, deck)
  }

  /** Only inside a transaction. Puts a rate in the place of that with the same key. */
  change(deck: bigint, rate: ListedRate): void {
    this.remove(deck, rate)
    this.add(deck, rate)
  }

  /** Only inside a transaction. */
  remove(deck: bigint, { prefix, period, from }: RateKey): void {
    this.#delete.run(deck, prefix, period, from)
    this.#edited.run(-1, deck)
  }

  /** The rates of a prefix and period, the earliest first. */
  sameKey(deck: bigint, prefix: string, period: string): ListedRate[] {
    return this.#sameKey.all(deck, prefix, period).map(rateOf)
  }

  /** All rates whose prefix the digits begin with, in the order of keys. */
  withPrefixOf(deck: bigint, digits: string): ListedRate[] {
    const prefixes = Array.from({ length: digits.length + 1 }, (_, i) => digits.slice(0, i))
    return this.#withPrefixOf.all(deck, JSON.stringify(prefixes)).map(rateOf)
  }

  hasRatesOf(deck: bigint, period: string): boolean {
    return this.#ofPeriod.get(deck, period) !== undefined
  }

  /** The rates after a key, in the order of keys; from the first on without one. */
  page(deck: bigint, after: RateKey | null, limit: number): ListedRate[] {
    const { prefix, period, from } = after ?? { prefix: '', period: '', from: -1 }
    return this.#page.all({ deck, prefix, period, from, limit }).map(rateOf)
  }

  /**
   * Adds rates that come in the order of their keys, in pieces: out of order, every row would dirty a
   * page of its own, and a million take a minute instead of seconds.
   * @throws LedgerError unavailable where the deck has been taken for abandoned
   */
  async fill(deck: bigint, rates: Iterable<ListedRate>): Promise<void> {
    let parameters: Parameter[] = []
    let size = 0
    const write = () => {
      const piece = parameters
      const count = size
      parameters = []
      size = 0
      return this.#file.committer.enqueue(() => this.#addAll(deck, piece, count))
    }
    for (const rate of rates) {
      pushRate(parameters, deck, rate)
      size += 1
      if (size === PIECE) await write()
    }
    if (size > 0) await write()
  }

  /**
   * Adds, in pieces, the rates of another deck that go on beside those that are there already.
   * @param otherwise when those end for whose prefix and period there is none; null for never
   * @param since those that end by then are left out
   */
  async copySurvivors(
    from: bigint,
    to: bigint,
    otherwise: number | null,
    since: number,
  ): Promise<void> {
    let first: string | null = ''
    while (first !== null) {
      const begin: string = first
      first = await this.#file.committer.enqueue(() => {
        const last = this.#lastOfPiece.get({ deck: from, first: begin }) ?? null
        if (last === null) return null
        const cut = { from, to, first: begin, last, otherwise: otherwise ?? NEVER, since }
        this.#count(to, this.#copy.run(cut).changes)
        return justAfter(last)
      })
    }
  }

  /** Only inside a transaction. Nobody uses it from now on, and the next sweep removes it. */
  doom(deck: bigint): void {
    this.#doom.run(deck)
  }

  /**
   * Only inside a transaction.
   * @throws LedgerError unavailable where the deck has been taken for abandoned
   */
  checkWhole(deck: bigint): void {
    this.#count(deck, 0)
  }

  /**
   * Removes, in pieces, the decks that nobody needs any more. Never rejects: what is left over when
   * the file cannot be written goes with the next sweep.
   */
  async sweep(): Promise<void> {
    let rest = true
    while (rest) {
      rest = await this.#file.committer.enqueue(() => this.#purgePiece()).catch(() => false)
    }
  }

  #purgePiece(): boolean {
    const deck = this.#unused.get(this.#now() - ABANDONED_US)
    if (deck === undefined) return false
    this.#doom.run(deck)
    const last = this.#lastOfPiece.get({ deck, first: '' }) ?? null
    if (last === null) this.#drop.run(deck)
    else this.#purge.run({ deck, first: '', last })
    return true
  }

  #addAll(deck: bigint, parameters: readonly Parameter[], count: number): void {
    const words = ROWS * RATE_PLACES
    let i = 0
    for (; i + words <= parameters.length; i += words) {
      this.#insertRows.run(...parameters.slice(i, i + words))
    }
    for (; i < parameters.length; i += RATE_PLACES) {
      this.#insert.run(...parameters.slice(i, i + RATE_PLACES))
    }
    this.#count(deck, count)
  }

  #count(deck: bigint, rates: number): void {
    if (this.#counted.run({ deck, rates, at: this.#now() }).changes === 1) return
    throw new LedgerError('unavailable', 'The import took too long: start it again')
  }
}

/** Rows as arrays, and their integers as numbers: see rate-rows.ts. */
export function asRows<Bound extends unknown[]>(
  statement: Statement<Bound>,
): Statement<Bound, RateRow> {
  return statement.raw().safeIntegers(false) as Statement<Bound, RateRow>
}

/** The least text after a prefix and before any longer one: "!" sorts before every digit. */
function justAfter(prefix: string): string {
  return `${prefix}!`
}
