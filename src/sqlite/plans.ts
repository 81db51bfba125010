/** The tables plan and period. What changes them is for the inside of a transaction. */
import { BookError } from '../ledger/books.js'
import type { Plan } from '../ledger/rates.js'
import type { Period } from '../rating/schedule.js'
import type { Database, Statement } from './database.js'
import { PLAN_COLUMNS, type PlanRow, planOf, planParameters } from './rate-rows.js'

const PLAN = `
  SELECT plan.*, deck.rates, deck.changes AS deck_changes FROM plan JOIN deck ON deck.id = deck_id`

type PeriodRow = Period & { readonly plan: string }

/** A plan, and the deck that it has now. */
export interface KnownPlan {
  readonly plan: Plan
  readonly deck: bigint
  /** What changes whenever the plan or a rate of it does. */
  readonly version: string
}

export class Plans {
  readonly #all: Statement<[], PlanRow>
  readonly #allPeriods: Statement<[], PeriodRow>
  readonly #byName: Statement<[string], PlanRow>
  readonly #periodsOf: Statement<[string], Period>
  readonly #insert: Statement<[string, bigint]>
  readonly #update: Statement<[object]>
  readonly #addPeriod: Statement<[string, string, string]>
  readonly #deletePeriods: Statement<[string]>
  readonly #delete: Statement<[string]>
  readonly #swap: Statement<[bigint, string]>
  readonly #costedBy: Statement<[string], string>

  constructor(database: Database) {
    this.#all = database.prepare(`${PLAN} ORDER BY name`)
    this.#allPeriods = database.prepare('SELECT * FROM period ORDER BY plan, name')
    this.#byName = database.prepare(`${PLAN} WHERE name = ?`)
    this.#periodsOf = database.prepare(
      'SELECT name, hours FROM period WHERE plan = ? ORDER BY name',
    )
    this.#insert = database.prepare('INSERT INTO plan (name, deck_id) VALUES (?, ?)')
    const columns = PLAN_COLUMNS.map(column => `${column} = @${column}`)
    this.#update = database.prepare(
      `UPDATE plan SET ${columns.join(', ')}, changes = changes + 1 WHERE name = @name`,
    )
    this.#addPeriod = database.prepare('INSERT INTO period (plan, name, hours) VALUES (?, ?, ?)')
    this.#deletePeriods = database.prepare('DELETE FROM period WHERE plan = ?')
    this.#delete = database.prepare('DELETE FROM plan WHERE name = ?')
    this.#swap = database.prepare('UPDATE plan SET deck_id = ? WHERE name = ?')
    this.#costedBy = database
      .prepare<[string], string>('SELECT name FROM plan WHERE cost_plan = ? ORDER BY name LIMIT 1')
      .pluck()
  }

  /** In the order of names. */
  all(): Plan[] {
    const periods = new Map<string, Period[]>()
    for (const { plan, name, hours } of this.#allPeriods.all()) {
      periods.set(plan, [...(periods.get(plan) ?? []), { name, hours }])
    }
    return this.#all.all().map(row => planOf(row, periods.get(row.name) ?? []))
  }

  find(name: string): KnownPlan | undefined {
    const row = this.#byName.get(name)
    if (!row) return undefined
    const plan = planOf(row, this.#periodsOf.all(name))
    return {
      plan,
      deck: row.deck_id,
      version: `${row.deck_id}.${row.deck_changes}.${row.changes}`,
    }
  }

  /** @throws BookError unknown_plan */
  known(name: string): KnownPlan {
    const found = this.find(name)
    if (!found) throw new BookError('unknown_plan', `There is no plan ${name}`)
    return found
  }

  create(name: string, deck: bigint): void {
    this.#insert.run(name, deck)
  }

  /** Writes all that the plan says now. */
  change(plan: Plan): void {
    this.#update.run(planParameters(plan))
    this.#deletePeriods.run(plan.name)
    for (const { name, hours } of plan.periods) this.#addPeriod.run(plan.name, name, hours)
  }

  /** Nothing may refer to it any more. */
  delete(name: string): void {
    this.#deletePeriods.run(name)
    this.#delete.run(name)
  }

  swap(name: string, deck: bigint): void {
    this.#swap.run(deck, name)
  }

  /** A plan that has this one as its cost plan. */
  costedBy(name: string): string | undefined {
    return this.#costedBy.get(name)
  }
}
