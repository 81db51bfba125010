/** Numbered SQL files, applied in order, each once, and never taken back. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { Database } from './database.js'

export interface Migration {
  readonly name: string
  readonly sql: string
}

/** The files of a folder in the order of their numbers, which start at 0001 and leave none out. */
export function readMigrations(folder: URL): Migration[] {
  const names = readdirSync(folder)
    .filter(name => name.endsWith('.sql'))
    .sort()
  return names.map((name, index) => {
    assert.equal(Number.parseInt(name, 10), index + 1, `${name} is out of order`)
    return { name, sql: readFileSync(new URL(name, folder), 'utf8') }
  })
}

/** How many migrations the file has seen. */
export function schemaVersion(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }))
}

/**
 * Applies what the file has not seen yet, each in a transaction of its own. The lock is taken even
 * where nothing is left to do: a file that cannot be written is found out here, at the start.
 */
export function migrate(
  database: Database,
  migrations: readonly Migration[],
  applicationId: number,
): void {
  const applyNext = database.transaction(() => {
    const version = schemaVersion(database)
    const next = migrations[version]
    if (!next) return false
    database.exec(next.sql)
    const broken = database.pragma('foreign_key_check')
    assert.deepEqual(broken, [], `${next.name} leaves rows that refer to nothing`)
    database.pragma(`application_id = ${applicationId}`)
    database.pragma(`user_version = ${version + 1}`)
    return true
  })
  let applied = true
  while (applied) applied = applyNext.immediate()
}
