/** One open rates.db: SqliteRates and SqliteRateBook share it. */
import { Committer } from './committer.js'
import { type Database, type DatabaseOptions, openDatabase, RATES } from './database.js'

export class RatesFile {
  readonly database: Database
  readonly committer: Committer

  /** @throws LedgerError as openDatabase() does */
  constructor(file: string, options: DatabaseOptions = {}) {
    this.database = openDatabase(file, RATES, options)
    this.committer = new Committer(this.database, file)
  }

  /** Commits what is waiting, and closes the file. May be repeated. */
  close(): void {
    if (!this.database.open) return
    this.committer.close()
    this.database.close()
  }
}
