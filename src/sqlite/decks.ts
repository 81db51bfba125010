/**
 * Decks: the sets of rates that plans point to. A deck that no plan points to is either being
 * filled, or rubbish that the next sweep removes; so a crash in the middle of an import costs
 * nothing but some space for a while.
 */
import { setImmediate } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { BookError } from '../ledger/books.js'
import type { Rate } from '../rating/rate.js'
import type { Statement } from './database.js'
import { checkRate, prefixName } from './rate-limits.js'
import type { RatesFile } from './rates-file.js'
import { insertInto, RATE_COLUMNS, rateParameters } from './rows.js'
import { SortedRates } from './sorted-rates.js'

/** Rates that are written in one transaction, during which nothing else runs: about 15 ms. */
const PIECE = 2000

export interface Deck {
  readonly id: bigint
  readonly rates: bigint
  readonly changes: bigint
}

export class Decks {
  readonly #file: RatesFile
  readonly #staged = new Set<bigint>()
  readonly #create: Statement<[], bigint>
  readonly #insert: Statement<[object]>
  readonly #delete: Statement<[bigint, string]>
  readonly #count: Statement<[bigint, bigint]>
  readonly #edited: Statement<[bigint]>
  readonly #lastOfPiece: Statement<[object], string | null>
  readonly #copyMissing: Statement<[object]>
  readonly #unused: Statement<[], bigint>
  readonly #purge: Statement<[object]>
  readonly #drop: Statement<[bigint]>

  constructor(file: RatesFile) {
    const { database } = file
    this.#file = file
    this.#create = database
      .prepare<[], bigint>('INSERT INTO deck (rates, changes) VALUES (0, 0) RETURNING id')
      .pluck()
    this.#insert = database.prepare(insertInto('rate', ['deck_id', ...RATE_COLUMNS]))
    this.#delete = database.prepare('DELETE FROM rate WHERE deck_id = ? AND prefix = ?')
    this.#count = database.prepare('UPDATE deck SET rates = rates + ? WHERE id = ?')
    this.#edited = database.prepare('UPDATE deck SET changes = changes + 1 WHERE id = ?')
    this.#lastOfPiece = database
      .prepare<[object], string | null>(`
        SELECT max(prefix) FROM (
          SELECT prefix FROM rate WHERE deck_id = @from AND prefix >= @first
          ORDER BY prefix LIMIT ${PIECE})`)
      .pluck()
    this.#copyMissing = database.prepare(`
      INSERT INTO rate (deck_id, ${RATE_COLUMNS.join(', ')})
      SELECT @to, ${RATE_COLUMNS.join(', ')} FROM rate
      WHERE deck_id = @from AND prefix BETWEEN @first AND @last
      ON CONFLICT DO NOTHING`)
    this.#unused = database
      .prepare<[], bigint>('SELECT id FROM deck WHERE id NOT IN (SELECT deck_id FROM plan)')
      .pluck()
    this.#purge = database.prepare(`
      DELETE FROM rate WHERE deck_id = @id AND prefix IN (
        SELECT prefix FROM rate WHERE deck_id = @id LIMIT ${PIECE})`)
    this.#drop = database.prepare('DELETE FROM deck WHERE id = ?')
  }

  /** Only inside a transaction, which also makes a plan point to it. */
  create(): bigint {
    return this.#create.get()!
  }

  /** Only inside a transaction; the prefix is not in the deck. */
  add(deck: bigint, rate: Rate): void {
    this.#insert.run({ ...rateParameters(rate), deck_id: deck })
    this.#count.run(1n, deck)
    this.#edited.run(deck)
  }

  /** Only inside a transaction. Tells whether there was such a rate. */
  remove(deck: bigint, prefix: string): boolean {
    if (this.#delete.run(deck, prefix).changes === 0) return false
    this.#count.run(-1n, deck)
    this.#edited.run(deck)
    return true
  }

  /** Makes a deck to be filled. It stays until unstage(), and longer where a plan has it by then. */
  stage(): Promise<bigint> {
    return this.#file.committer.enqueue(() => {
      const deck = this.create()
      this.#staged.add(deck)
      return deck
    })
  }

  unstage(deck: bigint): void {
    this.#staged.delete(deck)
  }

  /**
   * Adds rates, in pieces, and resolves to how many they were. They are sorted first: out of order,
   * every row would dirty a page of its own, and a million rows take a minute instead of seconds.
   * @throws BookError bad_input, rate_exists (a prefix comes twice)
   */
  async fill(deck: bigint, rates: Iterable<Rate> | AsyncIterable<Rate>): Promise<number> {
    const sorted = new SortedRates()
    for await (const rate of rates) {
      checkRate(rate)
      sorted.add(rate)
      if (sorted.size % PIECE === 0) await setImmediate()
    }
    for (const piece of sorted.pieces(PIECE)) {
      await this.#file.committer.enqueue(() => this.#addAll(deck, piece))
    }
    return sorted.size
  }

  /** Adds the rates of `from`, in pieces, except for prefixes that `to` has. */
  async copyMissing(from: bigint, to: bigint): Promise<void> {
    let first: string | null = ''
    while (first !== null) {
      const piece: { from: bigint; to: bigint; first: string } = { from, to, first }
      first = await this.#file.committer.enqueue(() => {
        const last = this.#lastOfPiece.get(piece) ?? null
        if (last === null) return null
        const { changes } = this.#copyMissing.run({ ...piece, last })
        this.#count.run(BigInt(changes), to)
        // Right after `last`: "!" sorts before every digit.
        return `${last}!`
      })
    }
  }

  /**
   * Removes, in pieces, the decks that nobody needs any more. Never rejects: what is left over when
   * the file cannot be written goes with the next sweep.
   */
  async sweep(): Promise<void> {
    let rest = true
    while (rest)
      rest = await this.#file.committer.enqueue(() => this.#purgePiece()).catch(() => false)
  }

  #purgePiece(): boolean {
    const id = this.#unused.all().find(deck => !this.#staged.has(deck))
    if (id === undefined) return false
    if (this.#purge.run({ id }).changes === 0) this.#drop.run(id)
    return true
  }

  #addAll(deck: bigint, rates: readonly Rate[]): void {
    for (const rate of rates) {
      try {
        this.#insert.run({ ...rateParameters(rate), deck_id: deck })
      } catch (error) {
        if (!isDuplicate(error)) throw error
        const message = `The deck has ${prefixName(rate.prefix)} twice`
        throw new BookError('rate_exists', message)
      }
    }
    this.#count.run(BigInt(rates.length), deck)
  }
}

function isDuplicate(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY'
}
