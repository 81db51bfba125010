/** A copy of a database that may be in use: as it is at one moment, by SQLite's own backup. */
import Sqlite from 'better-sqlite3'
import { troubleWith } from './trouble.js'

/** @throws LedgerError when there is no such database, or it cannot be read */
export async function copyDatabase(from: string, to: string): Promise<void> {
  let database: Sqlite.Database | undefined
  try {
    database = new Sqlite(from, { readonly: true, fileMustExist: true })
    await database.backup(to)
  } catch (error) {
    throw troubleWith(from, error) ?? error
  } finally {
    database?.close()
  }
}
