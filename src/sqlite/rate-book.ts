/** All plans and their rates in memory, where calls are rated: no look-up waits for a disk. */
import { setImmediate } from 'node:timers/promises'
import { BookError } from '../ledger/books.js'
import type { RateFilter } from '../ledger/rates.js'
import { type RateBook, type RatePlan, TablePlan } from '../rating/rate-book.js'
import { RateTable } from '../rating/rate-table.js'
import { Schedule } from '../rating/schedule.js'
import type { SqliteRates } from './rates.js'

/** Rates that are read at a time, during which nothing else runs: some 5 ms. */
const PIECE = 1000

interface LoadedPlan {
  readonly version: string
  readonly plan: RatePlan
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

  plan(name: string): RatePlan | undefined {
    return this.#plans.get(name)?.plan
  }

  /**
   * Reads a plan again, or all of them where none is named. Resolves when everything that was
   * committed before the call is in force; until then the old plan is, never a mixture. What has
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

  async #load(name: string): Promise<void> {
    let version = await this.#rates.version(name)
    while (version !== undefined) {
      if (this.#plans.get(name)?.version === version) return
      const plan = await this.#read(name)
      const since = await this.#rates.version(name)
      if (plan && since === version) {
        this.#plans.set(name, { version, plan })
        return
      }
      version = since
    }
    this.#plans.delete(name)
  }

  /** Undefined where the plan is deleted meanwhile, or rates of it were read that do not belong together. */
  async #read(name: string): Promise<RatePlan | undefined> {
    const plan = await this.#rates.plan(name)
    if (!plan) return undefined
    const table = new RateTable()
    let filter: RateFilter = { limit: PIECE }
    for (;;) {
      const piece = await this.#rates.rates(name, filter).catch(noneIfDeleted)
      if (!piece) return undefined
      for (const rate of piece) if (table.add(rate) !== null) return undefined
      if (piece.length < PIECE) break
      filter = { after: piece.at(-1)!, limit: PIECE }
      await setImmediate()
    }
    return new TablePlan(plan, new Schedule(plan.zone, plan.periods), table)
  }
}

function noneIfDeleted(error: unknown): undefined {
  if (!(error instanceof BookError)) throw error
}
