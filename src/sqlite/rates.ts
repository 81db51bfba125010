/**
 * Plans and their rates in SQLite, as people edit and list them; see rate-book.ts for how calls are
 * rated. Nothing here takes long at a time: a deck of a million rates goes in and out in pieces,
 * between which calls are served.
 */
import { BookError } from '../ledger/books.js'
import type { Rate } from '../rating/rate.js'
import type { Statement } from './database.js'
import { type Deck, Decks } from './decks.js'
import { checkPlanName, checkRate, prefixName } from './rate-limits.js'
import type { RatesFile } from './rates-file.js'
import { type RateRow, rateOf } from './rows.js'

export interface Plan {
  readonly name: string
  /** How many rates it has. */
  readonly rates: number
}

export interface RateFilter {
  /** Only prefixes that begin with this. */
  readonly prefix?: string
  /** Only prefixes that begin with this, or descriptions that contain it, whatever the case. */
  readonly search?: string
  /** Only prefixes after this one: lists are in the order of prefixes as text. */
  readonly after?: string
  readonly limit: number
}

/** `replace`: the plan has these rates and no others. `merge`: these replace those of the same prefix. */
export type ImportMode = 'replace' | 'merge'

/** Rejects with BookError, a refusal in one sentence, or LedgerError unavailable. */
export class SqliteRates {
  readonly #file: RatesFile
  readonly #decks: Decks
  readonly #plans: Statement<[], { name: string; rates: bigint }>
  readonly #deckOf: Statement<[string], Deck>
  readonly #create: Statement<[string, bigint]>
  readonly #delete: Statement<[string]>
  readonly #swap: Statement<[bigint, string]>
  readonly #find: Statement<[bigint, string], RateRow>
  /** Edits of single rates and swaps of decks come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(file: RatesFile) {
    const { database } = file
    this.#file = file
    this.#decks = new Decks(file)
    this.#plans = database.prepare(
      'SELECT name, rates FROM plan JOIN deck ON deck.id = deck_id ORDER BY name',
    )
    this.#deckOf = database.prepare(
      'SELECT deck.* FROM plan JOIN deck ON deck.id = deck_id WHERE name = ?',
    )
    this.#create = database.prepare('INSERT INTO plan (name, deck_id) VALUES (?, ?)')
    this.#delete = database.prepare('DELETE FROM plan WHERE name = ?')
    this.#swap = database.prepare('UPDATE plan SET deck_id = ? WHERE name = ?')
    this.#find = database.prepare('SELECT * FROM rate WHERE deck_id = ? AND prefix = ?')
  }

  /** @throws BookError plan_exists, bad_input */
  createPlan(name: string): Promise<Plan> {
    return this.#file.committer.enqueue(() => {
      checkPlanName(name)
      if (this.#deckOf.get(name)) {
        throw new BookError('plan_exists', `There is already a plan ${name}`)
      }
      this.#create.run(name, this.#decks.create())
      return { name, rates: 0 }
    })
  }

  /**
   * Deletes a plan with all its rates. Whether accounts are on it is for the caller to ask first.
   * @throws BookError unknown_plan
   */
  async deletePlan(name: string): Promise<void> {
    await this.#file.committer.enqueue(() => {
      this.#known(name)
      this.#delete.run(name)
    })
    await this.#decks.sweep()
  }

  /** In the order of names. */
  plans(): Promise<Plan[]> {
    return this.#file.committer.read(() =>
      this.#plans.all().map(row => ({ name: row.name, rates: Number(row.rates) })),
    )
  }

  /** The plan's own rate for exactly this prefix. */
  rate(plan: string, prefix: string): Promise<Rate | undefined> {
    return this.#file.committer.read(() => {
      const deck = this.#deckOf.get(plan)
      const row = deck && this.#find.get(deck.id, prefix)
      return row && rateOf(row)
    })
  }

  /** @throws BookError unknown_plan */
  rates(plan: string, filter: RateFilter): Promise<Rate[]> {
    const conditions = ['deck_id = @deck']
    if (filter.prefix !== undefined) conditions.push(beginsWith('@prefix'))
    if (filter.search !== undefined) {
      conditions.push(`(${beginsWith('@search')} OR instr(fold(description), fold(@search)))`)
    }
    if (filter.after !== undefined) conditions.push('prefix > @after')
    const sql = `SELECT * FROM rate WHERE ${conditions.join(' AND ')} ORDER BY prefix LIMIT @limit`
    return this.#file.committer.read(() => {
      const deck = this.#known(plan).id
      const select = this.#file.database.prepare<[object], RateRow>(sql)
      return select.all({ ...filter, deck }).map(rateOf)
    })
  }

  /**
   * What changes whenever a rate of the plan does; undefined where there is no such plan. Who has
   * read the rates in pieces asks before and after whether they belong together.
   */
  version(plan: string): Promise<string | undefined> {
    return this.#file.committer.read(() => {
      const deck = this.#deckOf.get(plan)
      return deck && `${deck.id}.${deck.changes}`
    })
  }

  /** @throws BookError unknown_plan, rate_exists, bad_input */
  addRate(plan: string, rate: Rate): Promise<void> {
    return this.#inTurn(() =>
      this.#file.committer.enqueue(() => {
        checkRate(rate)
        const deck = this.#known(plan).id
        if (this.#find.get(deck, rate.prefix)) {
          throw new BookError(
            'rate_exists',
            `The plan ${plan} has a rate for ${prefixName(rate.prefix)} already`,
          )
        }
        this.#decks.add(deck, rate)
      }),
    )
  }

  /** @throws BookError unknown_plan, unknown_rate */
  deleteRate(plan: string, prefix: string): Promise<void> {
    return this.#inTurn(() =>
      this.#file.committer.enqueue(() => {
        if (this.#decks.remove(this.#known(plan).id, prefix)) return
        throw new BookError(
          'unknown_rate',
          `The plan ${plan} has no rate for exactly ${prefixName(prefix)}`,
        )
      }),
    )
  }

  /**
   * Imports a deck, all of it or nothing, and resolves to the number of rates in it. The plan has
   * its old rates until the end; what `rates` throws ends the import.
   * @throws BookError unknown_plan, rate_exists (a prefix is in the deck twice), bad_input
   */
  async importRates(
    plan: string,
    rates: Iterable<Rate> | AsyncIterable<Rate>,
    mode: ImportMode,
  ): Promise<number> {
    await this.#file.committer.read(() => this.#known(plan))
    const staged = await this.#decks.stage()
    try {
      const count = await this.#decks.fill(staged, rates)
      await this.#inTurn(async () => {
        const old = await this.#file.committer.read(() => this.#known(plan))
        if (mode === 'merge') await this.#decks.copyMissing(old.id, staged)
        await this.#file.committer.enqueue(() => {
          this.#known(plan)
          this.#swap.run(staged, plan)
        })
      })
      return count
    } finally {
      this.#decks.unstage(staged)
      await this.#decks.sweep()
    }
  }

  #known(plan: string): Deck {
    const deck = this.#deckOf.get(plan)
    if (!deck) throw new BookError('unknown_plan', `There is no plan ${plan}`)
    return deck
  }

  #inTurn<T>(edit: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(edit, edit)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** As a range, which the primary key answers; ":" comes right after "9". */
function beginsWith(parameter: string): string {
  return `(prefix >= ${parameter} AND prefix < ${parameter} || ':')`
}
