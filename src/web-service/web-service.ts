/**
 * Keeps the web service running beside the daemon. Whatever becomes of it, calls go on: a thread that
 * dies is started again, later each time, and the log says why.
 */
import { extname } from 'node:path'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'

export interface WebServiceTerms {
  readonly dataDir: string
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly publicUrl: string
  readonly trustedProxies: readonly string[]
  readonly logLevel: string
}

export interface WorkerMessage {
  readonly listening: number
  /** Null where an admin can log in already. */
  readonly setUpLink: string | null
}

/** Compiled or not: the worker is beside this file, and of its kind. */
const WORKER = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

const FIRST_PAUSE_MS = 1_000
const PAUSE_MS_MAX = 60_000

/** After so long its next death is a new story. */
const SETTLED_MS = 60_000

const CLOSE_TIMEOUT_MS = 5_000

export class WebService {
  readonly #terms: WebServiceTerms
  readonly #log: Logger
  readonly #out: Writable
  readonly #stopping = new AbortController()
  #worker: Worker | undefined
  readonly #ended: Promise<void>

  /** @param out where its log goes, which is a part of ours */
  constructor(terms: WebServiceTerms, log: Logger, out: Writable) {
    this.#terms = terms
    this.#log = log
    this.#out = out
    this.#ended = this.#keepRunning()
  }

  /** Answers what has been asked, then ends the thread. */
  async close(): Promise<void> {
    this.#stopping.abort()
    this.#worker?.postMessage('close')
    const late = delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })
    await Promise.race([this.#ended, late.then(() => this.#worker?.terminate())])
  }

  async #keepRunning(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!this.#stopping.signal.aborted) {
      const startedAt = performance.now()
      const error = await this.#run()
      if (this.#stopping.signal.aborted) return
      if (performance.now() - startedAt > SETTLED_MS) pauseMs = FIRST_PAUSE_MS
      this.#log.error({ error, retryS: pauseMs / 1000 }, 'the web service has ended')
      await delay(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
      pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)
    }
  }

  /** One life of the thread; resolves to what ended it. */
  async #run(): Promise<Error | undefined> {
    const worker = new Worker(WORKER, { workerData: this.#terms, stdout: true })
    this.#worker = worker
    let failure: Error | undefined
    worker.stdout.pipe(this.#out, { end: false })
    worker.on('message', (message: WorkerMessage) => this.#listening(message))
    worker.on('error', error => {
      failure = error
    })
    await new Promise(resolve => worker.once('exit', resolve))
    return failure
  }

  #listening({ listening, setUpLink }: WorkerMessage): void {
    const { host, publicUrl } = this.#terms
    this.#log.info({ host, port: listening, url: publicUrl }, 'serving the web')
    if (setUpLink === null) return
    this.#log.warn({ link: setUpLink }, 'nobody can log in yet: open the link within the hour')
  }
}
