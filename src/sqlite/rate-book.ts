/** All plans and their rates in memory, where calls are rated: no look-up waits for a disk. */
import { setImmediate } from 'node:timers/promises'
import { BookError } from '../ledger/books.js'
import { PrefixTable } from '../rating/prefix-table.js'
import type { Rate } from '../rating/rate.js'
import type { RateBook } from '../rating/rate-book.js'
import type { SqliteRates } from './rates.js'

/** Rates that are read at a time, during which nothing else runs: some 5 ms. */
const PIECE = 2000

interface LoadedPlan {
  readonly version: string
  readonly table: PrefixTable<Rate>
}

export class SqliteRateBook implements RateBook {
  readonly #rates: SqliteRates
  readonly #plans = new Map<string, LoadedPlan>()
  /** For each plan the load that was begun last, and the one that waits for it. */
  readonly #running = new Map<string, Promise<void>>()
  readonly #waiting = new Map<string, Promise<void>>()

  private constructor(rates: SqliteRates) {
    this.#rates = rates
  }

  /** @throws LedgerError unavailable */
  static async open(rates: SqliteRates): Promise<SqliteRateBook> {
    const book = new SqliteRateBook(rates)
    await book.reload()
    return book
  }

  find(plan: string, digits: string): Rate | undefined {
    return this.#plans.get(plan)?.table.find(digits)
  }

  /**
   * Reads a plan again, or all of them where none is named. Resolves when everything that was
   * committed before the call is in force; until then the old rates are, never a mixture. What has
   * not changed is not read.
   */
  async reload(plan?: string): Promise<void> {
    if (plan !== undefined) return this.#reloadPlan(plan)
    const names = (await this.#rates.plans()).map(one => one.name)
    for (const name of new Set([...names, ...this.#plans.keys()])) await this.#reloadPlan(name)
  }

  /** A load that has begun may have missed what the caller wants; one that waits will see it. */
  #reloadPlan(plan: string): Promise<void> {
    const waiting = this.#waiting.get(plan)
    if (waiting) return waiting
    const load = () => {
      this.#waiting.delete(plan)
      const running = this.#load(plan)
      this.#running.set(plan, running)
      return running
    }
    const next = Promise.resolve(this.#running.get(plan)).then(load, load)
    this.#waiting.set(plan, next)
    return next
  }

  async #load(plan: string): Promise<void> {
    let version = await this.#rates.version(plan)
    while (version !== undefined) {
      if (this.#plans.get(plan)?.version === version) return
      const table = await this.#read(plan)
      const since = await this.#rates.version(plan)
      if (table && since === version) {
        this.#plans.set(plan, { version, table })
        return
      }
      version = since
    }
    this.#plans.delete(plan)
  }

  /** Undefined where the plan is deleted meanwhile. */
  async #read(plan: string): Promise<PrefixTable<Rate> | undefined> {
    const table = new PrefixTable<Rate>()
    // A deck has few descriptions, each on many rates.
    const descriptions = new Map<string, string>()
    let after: { after?: string } = {}
    for (;;) {
      const piece = await this.#rates.rates(plan, { ...after, limit: PIECE }).catch(noneIfDeleted)
      if (!piece) return undefined
      for (const rate of piece) {
        const description = descriptions.get(rate.description) ?? rate.description
        descriptions.set(description, description)
        table.set(rate.prefix, { ...rate, description })
      }
      if (piece.length < PIECE) return table
      after = { after: piece.at(-1)!.prefix }
      await setImmediate()
    }
  }
}

function noneIfDeleted(error: unknown): undefined {
  if (!(error instanceof BookError)) throw error
}
