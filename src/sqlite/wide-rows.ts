/**
 * Rows of many columns, as objects. better-sqlite3 adds one property after the other, and each costs V8
 * another shape of the object; here a row is a copy of an empty one whose places are filled in.
 */
import type { Database, Statement } from './database.js'

export class WideRows<Bound extends unknown[], Row> {
  readonly #statement: Statement<Bound, unknown[]>
  readonly #columns: readonly string[]
  readonly #empty: Readonly<Record<string, unknown>>

  /** @param sql a query, or a statement that returns rows */
  constructor(database: Database, sql: string) {
    this.#statement = database.prepare<Bound, unknown[]>(sql).raw()
    this.#columns = this.#statement.columns().map(({ name }) => name)
    this.#empty = Object.fromEntries(this.#columns.map(column => [column, null]))
  }

  get(...bound: Bound): Row | undefined {
    const values = this.#statement.get(...bound)
    return values && this.#rowOf(values)
  }

  all(...bound: Bound): Row[] {
    return this.#statement.all(...bound).map(values => this.#rowOf(values))
  }

  #rowOf(values: readonly unknown[]): Row {
    const row = { ...this.#empty }
    for (let i = 0; i < values.length; i++) row[this.#columns[i]!] = values[i]
    return row as Row
  }
}
