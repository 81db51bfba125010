/** One open web.db: users, tokens, sessions and answers share it. */
import { Committer } from './committer.js'
import { type Database, type DatabaseOptions, openDatabase, WEB } from './database.js'

export interface WebFileOptions extends DatabaseOptions {
  /** Microseconds since the epoch. */
  readonly now?: () => number
}

export class WebFile {
  readonly database: Database
  readonly committer: Committer
  readonly now: () => number

  /** @throws LedgerError as openDatabase() does */
  constructor(file: string, options: WebFileOptions = {}) {
    this.database = openDatabase(file, WEB, options)
    this.committer = new Committer(this.database, file)
    this.now = options.now ?? (() => Date.now() * 1000)
  }

  /** Commits what is waiting, and closes the file. May be repeated. */
  close(): void {
    if (!this.database.open) return
    this.committer.close()
    this.database.close()
  }
}
