/**
 * Decks that are uploaded. Each becomes a file, so that the dry run can be looked at and then applied
 * without sending the deck again, and a job whose progress can be watched. One is read at a time.
 * Jobs are remembered for an hour; a restart forgets them, and nothing of them was half imported.
 */
import { randomUUID } from 'node:crypto'
import { createReadStream, mkdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { formatInstant } from '../call/cdr.js'
import { type Problem, problem, problemOf } from '../http/problem.js'
import { BookError } from '../ledger/books.js'
import { BadDeck, type ImportJson } from '../provisioning/decks.js'
import type { RateProvisioning } from '../provisioning/rates.js'
import { Refusal } from './refusal.js'

export const DECK_BYTES_MAX = 200 * 2 ** 20

const JOBS_MAX = 20
const JOB_MS_MAX = 60 * 60_000

/** Bytes that are read at a time. */
const CHUNK = 256 * 1024

/** Bad lines that are told; how many there are is told always. */
const BAD_LINES_TOLD = 1_000

/** As importInput has it, without the actor and `dry_run`. */
export type ImportTerms = Readonly<Record<string, unknown>> & { readonly plan: string }

export interface ImportJobJson {
  readonly id: string
  readonly plan: string
  readonly state: 'waiting' | 'running' | 'done' | 'failed'
  readonly dry_run: boolean
  readonly bytes: number
  readonly read_bytes: number
  readonly created_at: string
  /** Null until it is done. */
  readonly result: ImportJson | null
  /** Why it failed; null where it did not. */
  readonly problem: Problem | null
  /** How many bad lines there are, and the first of them. */
  readonly bad_line_count: number
  readonly bad_lines: ImportJson['bad_lines']
}

interface Job {
  readonly file: string
  readonly terms: ImportTerms
  /** Of the plan, when the dry run looked at it. */
  version: string | undefined
  json: ImportJobJson
  readonly startedMs: number
  readonly watchers: Set<(json: ImportJobJson) => void>
}

export class DeckImports {
  readonly #folder: string
  readonly #rates: RateProvisioning
  readonly #log: Logger
  readonly #jobs = new Map<string, Job>()
  #turn: Promise<void> = Promise.resolve()

  /** @param folder for the uploads; what is in it goes */
  constructor(folder: string, rates: RateProvisioning, log: Logger) {
    this.#folder = folder
    this.#rates = rates
    this.#log = log
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o700 })
  }

  /**
   * Takes in a deck, and begins to read it when it is all there.
   * @throws Refusal too_large, too_many_imports; BookError unknown_plan
   */
  async receive(
    deck: Readable,
    terms: ImportTerms,
    dryRun: boolean,
    actor: string,
  ): Promise<ImportJobJson> {
    await this.#rates.planShow({ name: terms.plan })
    this.#forgetOld()
    if (this.#jobs.size >= JOBS_MAX) {
      const sentence = `There are ${JOBS_MAX} imports of the last hour already: wait for one to be forgotten`
      throw new Refusal(429, 'too_many_imports', sentence, 60)
    }
    const id = randomUUID()
    const file = join(this.#folder, id)
    try {
      const bytes = await store(deck, file)
      const job = this.#newJob(id, file, terms, bytes)
      return this.#begin(job, dryRun, actor)
    } catch (error) {
      await rm(file, { force: true })
      throw error
    }
  }

  /**
   * Imports what a dry run has shown. Again: answers what has become of it.
   * @throws BookError changed_meanwhile; Refusal unknown_import, not_ready
   */
  async apply(id: string, actor: string): Promise<ImportJobJson> {
    const job = this.#known(id)
    const { state, dry_run, plan } = job.json
    if (!dry_run) return job.json
    if (state !== 'done')
      throw new Refusal(409, 'not_ready', 'Only what a dry run has shown is applied')
    if ((await this.#rates.rates.version(plan)) !== job.version) {
      const sentence = `The plan ${plan} was changed since the dry run: run it again`
      throw new BookError('changed_meanwhile', sentence)
    }
    // Somebody else may have been as quick.
    return job.json.dry_run ? this.#begin(job, false, actor) : job.json
  }

  /** @throws Refusal unknown_import */
  find(id: string): ImportJobJson {
    return this.#known(id).json
  }

  /** Tells how it is now, and how it goes on, until the returned function is called. */
  watch(id: string, watcher: (json: ImportJobJson) => void): () => void {
    const job = this.#known(id)
    watcher(job.json)
    job.watchers.add(watcher)
    return () => job.watchers.delete(watcher)
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #newJob(id: string, file: string, terms: ImportTerms, bytes: number): Job {
    const json: ImportJobJson = {
      ...{ id, plan: terms.plan, state: 'waiting', dry_run: true, bytes, read_bytes: 0 },
      ...{ created_at: formatInstant(Date.now() * 1000), result: null, problem: null },
      ...{ bad_line_count: 0, bad_lines: [] },
    }
    const startedMs = performance.now()
    const job = { file, terms, version: undefined, json, startedMs, watchers: new Set<never>() }
    this.#jobs.set(id, job)
    return job
  }

  #begin(job: Job, dryRun: boolean, actor: string): ImportJobJson {
    this.#tell(job, { state: 'waiting', dry_run: dryRun, read_bytes: 0, result: null })
    this.#turn = this.#turn.then(() => this.#read(job, dryRun, actor))
    return job.json
  }

  /** Never rejects. */
  async #read(job: Job, dryRun: boolean, actor: string): Promise<void> {
    this.#tell(job, { state: 'running' })
    try {
      job.version = await this.#rates.rates.version(job.terms.plan)
      const input = { ...job.terms, dry_run: dryRun, actor }
      const result = await this.#rates.rateImport(this.#source(job), input)
      const told = { ...result, bad_lines: result.bad_lines.slice(0, BAD_LINES_TOLD) }
      if (!dryRun) await rm(job.file, { force: true })
      this.#tell(job, { state: 'done', result: told, ...badLines(result.bad_lines) })
    } catch (error) {
      let found = problemOf(error)
      if (!found) {
        this.#log.error({ error, plan: job.terms.plan }, 'an import failed')
        found = problem(500, 'internal', 'Tollgate made a mistake; its log says which')
      }
      const bad = error instanceof BadDeck ? error.badLines : []
      await rm(job.file, { force: true })
      this.#tell(job, { state: 'failed', problem: found, ...badLines(bad) })
    }
  }

  async *#source(job: Job): AsyncGenerator<Uint8Array> {
    let read = 0
    for await (const chunk of createReadStream(job.file, { highWaterMark: CHUNK })) {
      yield chunk
      read += chunk.length
      this.#tell(job, { read_bytes: read })
    }
  }

  #tell(job: Job, change: Partial<ImportJobJson>): void {
    job.json = { ...job.json, ...change }
    for (const watcher of job.watchers) watcher(job.json)
  }

  #known(id: string): Job {
    const job = this.#jobs.get(id)
    if (job) return job
    throw new Refusal(
      404,
      'unknown_import',
      'There is no such import any more: send the deck again',
    )
  }

  #forgetOld(): void {
    for (const [id, job] of this.#jobs) {
      const isOver = ['done', 'failed'].includes(job.json.state)
      if (!isOver || performance.now() - job.startedMs < JOB_MS_MAX) continue
      this.#jobs.delete(id)
      rmSync(job.file, { force: true })
    }
  }
}

export function tooLarge(): Refusal {
  const sentence = `A deck may have at most ${DECK_BYTES_MAX / 2 ** 20} MB: split it, or import it with tollgate rate import`
  return new Refusal(413, 'too_large', sentence)
}

/** How many bytes it has. @throws Refusal too_large, before more than that is on the disk */
async function store(deck: Readable, file: string): Promise<number> {
  const handle = await open(file, 'wx', 0o600)
  let bytes = 0
  try {
    // Who sends too much is told so, on the connection that it comes by: it is not to be destroyed.
    for await (const chunk of deck.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Uint8Array).length
      if (bytes > DECK_BYTES_MAX) throw tooLarge()
      await handle.writeFile(chunk as Uint8Array)
    }
    return bytes
  } finally {
    await handle.close()
  }
}

function badLines(lines: ImportJson['bad_lines']) {
  return { bad_line_count: lines.length, bad_lines: lines.slice(0, BAD_LINES_TOLD) }
}
