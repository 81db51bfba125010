/**
 * Keeps the write-ahead log of a ledger short without stopping the event loop: a thread copies it
 * into the file, beside the commits. It is started when the log is too long for the first time.
 *
 * The log is begun anew by the first commit that finds all of it in the file. Where commits follow
 * each other closely there is always one more that is not; so when the rest is small, they wait for
 * the thread for a few milliseconds. Readers that look at an old state only delay that.
 */
import assert from 'node:assert/strict'
import { extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'

export type Ask = 'copy' | 'close'
export type Answer = LogLength | { readonly trouble: string }

/** As `PRAGMA wal_checkpoint` has it: pages in the log, and how many of them are in the file. */
export interface LogLength {
  readonly log: number
  readonly checkpointed: number
}

export interface CheckpointerOptions {
  /** How long the log gets before it is copied. */
  readonly pages: number
  /** The log cannot be copied, for now or, when the thread has died, for good. Told once. */
  readonly onTrouble: (trouble: Error) => void
  /** It can again. */
  readonly onMended: () => void
}

/** Compiled or not: the thread is beside this file, and of its kind. */
const THREAD = new URL(`./checkpoint-thread${extname(import.meta.url)}`, import.meta.url)

const POLL_MS = 100

/** What failed may have copied for long before it did. */
const RETRY_MS = 1_000

/** Commits wait so long at most. */
const PAUSE_MS = 100

const CLOSE_TIMEOUT_MS = 5_000

const ENDED =
  'The thread that copies the log has ended: there will be one when Tollgate starts again'

export class Checkpointer {
  readonly #file: LedgerFile
  readonly #options: CheckpointerOptions
  readonly #length: Statement<[], LogLength>
  readonly #looking: NodeJS.Timeout
  #worker: Worker | undefined
  #pending: { resolve(length: LogLength): void; reject(trouble: Error): void } | undefined
  #isBusy = false
  #restUntilMs = 0
  #isTroubled = false
  #isOver = false

  constructor(file: LedgerFile, options: CheckpointerOptions) {
    const { database } = file
    assert.ok(!database.memory && !database.readonly, 'there is a log, and it is written')
    this.#file = file
    this.#options = options
    this.#length = database
      .prepare<[], LogLength>('PRAGMA wal_checkpoint(NOOP)')
      .safeIntegers(false)
    this.#looking = setInterval(() => void this.#look(), POLL_MS)
  }

  /** Ends the thread, after what it copies at the moment; to be called before the file is closed. */
  async close(): Promise<void> {
    clearInterval(this.#looking)
    const worker = this.#worker
    if (!worker || this.#isOver) return
    this.#isOver = true
    const ended = new Promise(resolve => worker.once('exit', resolve))
    ask(worker, 'close')
    await Promise.race([ended, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
  }

  async #look(): Promise<void> {
    if (this.#isBusy || this.#isOver || performance.now() < this.#restUntilMs) return
    this.#isBusy = true
    try {
      const { log, checkpointed } = this.#length.get()!
      if (log > this.#options.pages && checkpointed < log) await this.#shorten()
      this.#mended()
    } catch (error) {
      this.#restUntilMs = performance.now() + RETRY_MS
      this.#troubled(error as Error)
    } finally {
      this.#isBusy = false
    }
  }

  /** Copies until nothing is left, or somebody reads what was before the rest. */
  async #shorten(): Promise<void> {
    let before = -1
    while (!this.#isOver) {
      const { log, checkpointed } = await this.#copy()
      if (log === checkpointed) return this.#copyRest()
      if (checkpointed === before) return
      before = checkpointed
    }
  }

  /**
   * What was committed while the thread came to the end: little, and the rest has been brought to the
   * disk. On a slow disk it may not be enough; then the next look goes on.
   */
  async #copyRest(): Promise<void> {
    if (this.#isCopied()) return
    const { committer } = this.#file
    committer.pause(PAUSE_MS)
    try {
      await this.#copy()
    } finally {
      committer.resume()
    }
  }

  #copy(): Promise<LogLength> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      ask(worker, 'copy')
    })
  }

  #start(): Worker {
    // Flags that are for the program only, such as those of `node -e`, would keep it from starting.
    const worker = new Worker(THREAD, { workerData: this.#file.database.name, execArgv: [] })
    let failure: Error | undefined
    worker.on('message', (answer: Answer) => {
      if ('trouble' in answer) this.#pending?.reject(new Error(answer.trouble))
      else this.#pending?.resolve(answer)
    })
    worker.on('error', error => {
      failure = error
    })
    worker.once('exit', () => {
      const trouble = new Error(ENDED, { cause: failure })
      this.#pending?.reject(trouble)
      this.#troubled(trouble)
      this.#isOver = true
    })
    return worker
  }

  /** Asked on the connection that commits, and so between two commits. */
  #isCopied(): boolean {
    const { log, checkpointed } = this.#length.get()!
    return log === checkpointed
  }

  #troubled(trouble: Error): void {
    if (this.#isTroubled || this.#isOver) return
    this.#isTroubled = true
    this.#options.onTrouble(trouble)
  }

  #mended(): void {
    if (!this.#isTroubled || this.#isOver) return
    this.#isTroubled = false
    this.#options.onMended()
  }
}

function ask(worker: Worker, what: Ask): void {
  worker.postMessage(what)
}
