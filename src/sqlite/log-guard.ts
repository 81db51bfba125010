/**
 * Notices when the write-ahead log is deleted under our hands. SQLite does not: it goes on writing
 * to a file that has no name any more, and all of that is gone when the process is.
 */
import { statSync } from 'node:fs'
import { LedgerError } from '../ledger/ledger.js'
import { type Database, IN_MEMORY } from './database.js'

export class LogGuard {
  readonly #log: string
  #inode: number | undefined
  #state: 'intact' | 'lost' | 'saved' = 'intact'

  constructor(
    readonly database: Database,
    readonly file: string,
  ) {
    this.#log = `${file}-wal`
  }

  /**
   * To be asked inside a transaction that writes, when there is a log.
   * @throws LedgerError unavailable, for good, when it is not the one that it was
   */
  check(): void {
    if (this.file === IN_MEMORY) return
    const inode = statSync(this.#log, { throwIfNoEntry: false })?.ino
    this.#inode ??= inode
    if (inode !== undefined && inode === this.#inode && this.#state === 'intact') return
    if (this.#state === 'intact') this.#state = 'lost'
    throw new LedgerError(
      'unavailable',
      `${this.#log} has been deleted while it was in use: start Tollgate again, nothing is lost`,
    )
  }

  /** After a failed check, outside any transaction: what is in the lost log goes into the file. */
  save(): void {
    if (this.#state !== 'lost') return
    try {
      const [answer] = this.database.pragma('wal_checkpoint(FULL)') as [{ busy: bigint }]
      if (answer.busy === 0n) this.#state = 'saved'
    } catch {
      // The disk may be full as well. Whoever writes next, tries again.
    }
  }
}
