/** The table `audit` that each of our files has: who changed what in it. */
import type { AuditFilter, AuditRecord } from '../ledger/audit.js'
import type { Database, Statement } from './database.js'
import { insertInto } from './rows.js'

type Fields = Readonly<Record<string, unknown>>

interface AuditRow {
  readonly id: bigint
  readonly at: bigint
  readonly actor: string
  readonly action: string
  readonly subject: string
  readonly before: string | null
  readonly after: string | null
}

export class AuditTable {
  readonly #database: Database
  readonly #now: () => number
  readonly #insert: Statement<[object]>

  /** @param now microseconds since the epoch */
  constructor(database: Database, now: () => number) {
    this.#database = database
    this.#now = now
    const columns = ['at', 'actor', 'action', 'subject', 'before', 'after']
    this.#insert = database.prepare(insertInto('audit', columns))
  }

  /** Only inside the transaction of the change itself. */
  record({ actor, action, subject, before, after }: Omit<AuditRecord, 'id' | 'at'>): void {
    const text = (fields: Fields | null) => fields && JSON.stringify(fields)
    const at = this.#now()
    this.#insert.run({ at, actor, action, subject, before: text(before), after: text(after) })
  }

  /** A change, told by the fields that it changed. Nothing is recorded where none did. */
  recordChange(by: Pick<AuditRecord, 'actor' | 'action' | 'subject'>, old: Fields, now: Fields) {
    const changed = Object.keys(now).filter(name => !same(old[name], now[name]))
    if (changed.length === 0) return
    this.record({ ...by, before: only(old, changed), after: only(now, changed) })
  }

  /** The newest come first. */
  list(filter: AuditFilter): AuditRecord[] {
    const conditions = ['TRUE']
    if (filter.actor !== undefined) conditions.push('actor = @actor')
    if (filter.subject !== undefined) conditions.push('subject = @subject')
    if (filter.from !== undefined) conditions.push('at >= @from')
    if (filter.until !== undefined) conditions.push('at < @until')
    if (filter.before !== undefined) conditions.push('id < @before')
    const sql = `SELECT * FROM audit WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT @limit`
    return this.#database.prepare<[object], AuditRow>(sql).all(filter).map(recordOf)
  }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

function only(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.map(name => [name, fields[name] ?? null]))
}

function recordOf(row: AuditRow): AuditRecord {
  const fields = (text: string | null) => text && (JSON.parse(text) as Fields)
  return {
    id: Number(row.id),
    at: Number(row.at),
    actor: row.actor,
    action: row.action,
    subject: row.subject,
    before: fields(row.before) || null,
    after: fields(row.after) || null,
  }
}
