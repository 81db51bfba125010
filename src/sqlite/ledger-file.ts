/** One open ledger.db: SqliteLedger, SqliteAccounts, SqliteCdrs and SqliteAuditor share it. */
import { Committer } from './committer.js'
import { type Database, type DatabaseOptions, LEDGER, openDatabase } from './database.js'
import { LogGuard } from './log-guard.js'

export interface LedgerFileOptions extends DatabaseOptions {
  /** Microseconds since the epoch, for what the ledger itself stamps: accounts and entries. */
  readonly now?: () => number
  /** See Committer. None where it is left out. */
  readonly commitGapMs?: number
}

export class LedgerFile {
  readonly database: Database
  readonly committer: Committer
  readonly now: () => number

  /** @throws LedgerError as openDatabase() does */
  constructor(file: string, options: LedgerFileOptions = {}) {
    this.database = openDatabase(file, LEDGER, options)
    const guard = new LogGuard(this.database, file)
    this.committer = new Committer(this.database, file, guard, options.commitGapMs)
    this.now = options.now ?? (() => Date.now() * 1000)
  }

  /** Commits what is waiting, and closes the file. May be repeated. */
  close(): void {
    if (!this.database.open) return
    this.committer.close()
    this.database.close()
  }
}
