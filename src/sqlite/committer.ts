/**
 * Group commit. What is asked for in one turn of the event loop is carried out in order in one
 * transaction, and only answered when that is on the disk: so many calls share one fsync, which
 * makes synchronous = FULL as fast as NORMAL. Where one commit would follow the other, a gap between
 * them lets more calls share the next; whoever comes alone does not wait.
 *
 * They share the commit, not their fate: one that is refused is undone alone. Those that may be have a
 * savepoint; but that costs a copy of every page that is changed, and those of calls are refused by no
 * error but a bug of ours. Should one of them throw, all is carried out again, each with a savepoint.
 * When the transaction itself fails, nothing of it has happened, and all reject.
 */
import { LedgerError } from '../ledger/ledger.js'
import type { Database, Statement } from './database.js'
import type { LogGuard } from './log-guard.js'
import { troubleWith } from './trouble.js'

/** More than this in one turn is spread over several: 1000 take about 30 ms. */
export const BATCH_MAX = 1000

interface Operation {
  readonly run: () => unknown
  readonly saved: boolean
  readonly resolve: (result: unknown) => void
  readonly reject: (reason: unknown) => void
}

export class Committer {
  readonly #database: Database
  readonly #file: string
  readonly #guard: LogGuard | undefined
  readonly #gapMs: number
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #rollback: Statement
  readonly #savepoint: Statement
  readonly #release: Statement
  readonly #undo: Statement
  #queue: Operation[] = []
  #scheduled = false
  #restUntilMs = 0
  #pausedUntilMs = 0
  #wait: NodeJS.Timeout | undefined
  #closed = false

  /**
   * @param file what the sentences of errors call the database
   * @param gapMs at least so long after one commit the next one begins
   */
  constructor(database: Database, file: string, guard?: LogGuard, gapMs = 0) {
    this.#database = database
    this.#file = file
    this.#guard = guard
    this.#gapMs = gapMs
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
    this.#savepoint = database.prepare('SAVEPOINT operation')
    this.#release = database.prepare('RELEASE operation')
    this.#undo = database.prepare('ROLLBACK TO operation')
  }

  /**
   * Runs a synchronous function inside the next transaction, after all that were asked for before.
   * Resolves to what it returned once that is durable; rejects with what it threw, its own changes
   * undone, or with LedgerError unavailable when nothing of the transaction could be committed.
   */
  enqueue<T>(run: () => T): Promise<T> {
    return this.#enqueue(run, true)
  }

  /**
   * The same for an operation that does not throw once it has written, and may be run twice: it is
   * spared the savepoint.
   */
  enqueueSure<T>(run: () => T): Promise<T> {
    return this.#enqueue(run, false)
  }

  /** Reads at once what has been committed; writes that are waiting are not seen. */
  readCommitted<T>(run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closedError())
    try {
      return Promise.resolve(run())
    } catch (error) {
      return Promise.reject(troubleWith(this.#file, error) ?? error)
    }
  }

  /** Reads at once; or in its turn, where writes are waiting that it must not overtake. */
  read<T>(run: () => T): Promise<T> {
    return this.#queue.length > 0 ? this.enqueue(run) : this.readCommitted(run)
  }

  /** What is asked for waits, for so long at most, until resume(). */
  pause(ms: number): void {
    this.#pausedUntilMs = performance.now() + ms
  }

  resume(): void {
    this.#pausedUntilMs = 0
    if (!this.#wait) return
    clearTimeout(this.#wait)
    this.#wait = undefined
    this.#scheduled = false
    this.#schedule()
  }

  /** Commits all that is waiting, now. */
  flush(): void {
    while (this.#queue.length > 0) this.#commitBatch()
  }

  /** Commits all that is waiting; what is asked for later is refused. */
  close(): void {
    this.flush()
    clearTimeout(this.#wait)
    this.#closed = true
  }

  #enqueue<T>(run: () => T, saved: boolean): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closedError())
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run, saved, resolve: result => resolve(result as T), reject })
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const waitMs = Math.max(this.#restUntilMs, this.#pausedUntilMs) - performance.now()
    if (waitMs > 0) this.#wait = setTimeout(() => this.#turn(), waitMs)
    else setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    this.#wait = undefined
    const isPaused = performance.now() < this.#pausedUntilMs
    if (this.#queue.length > 0 && !isPaused) this.#commitBatch()
    if (this.#queue.length > 0) this.#schedule()
  }

  #commitBatch(): void {
    const batch = this.#queue.slice(0, BATCH_MAX)
    this.#queue = this.#queue.slice(BATCH_MAX)
    try {
      const answers = this.#transaction(batch, false) ?? this.#transaction(batch, true)!
      for (const answer of answers) answer()
    } catch (error) {
      // SQLite itself rolls back when the disk is full or fails.
      if (this.#database.inTransaction) this.#rollback.run()
      const trouble = troubleWith(this.#file, error) ?? error
      for (const operation of batch) operation.reject(trouble)
      this.#guard?.save()
    }
    this.#restUntilMs = performance.now() + this.#gapMs
  }

  /**
   * Returns how to answer each operation. Null where one without a savepoint has thrown: nothing has
   * happened then.
   */
  #transaction(batch: readonly Operation[], allSaved: boolean): (() => void)[] | null {
    this.#begin.run()
    this.#guard?.check()
    const answers: (() => void)[] = []
    for (const operation of batch) {
      const isSaved = allSaved || operation.saved
      const answer = isSaved ? this.#attempt(operation) : this.#attemptUnsaved(operation)
      if (!answer) {
        this.#rollback.run()
        return null
      }
      answers.push(answer)
    }
    this.#commit.run()
    return answers
  }

  #attemptUnsaved(operation: Operation): (() => void) | null {
    try {
      const result = operation.run()
      return () => operation.resolve(result)
    } catch (error) {
      if (troubleWith(this.#file, error) || !this.#database.inTransaction) throw error
      return null
    }
  }

  /** Carries out one operation, and returns how to answer it once all are committed. */
  #attempt(operation: Operation): () => void {
    this.#savepoint.run()
    try {
      const result = operation.run()
      this.#release.run()
      return () => operation.resolve(result)
    } catch (error) {
      if (troubleWith(this.#file, error) || !this.#database.inTransaction) throw error
      this.#undo.run()
      this.#release.run()
      return () => operation.reject(error)
    }
  }

  #closedError(): LedgerError {
    return new LedgerError('unavailable', `${this.#file} has been closed`)
  }
}
