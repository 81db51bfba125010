/**
 * The live calls as they change. The daemon is asked once a second, however many watch, and not at
 * all while nobody does.
 */
import type { Logger } from 'pino'
import type { LiveCallJson } from '../provisioning/calls.js'

/** What has become of the calls since the last change; a snapshot has them all in `calls`. */
export interface LiveChange {
  readonly calls: readonly LiveCallJson[]
  /** The ids of those that are gone. */
  readonly ended: readonly string[]
}

/** Undefined while the daemon does not answer: what is shown may be old. */
export type LiveListener = (change: LiveChange | undefined) => void

const EVERY_MS = 1_000

export class LiveFeed {
  readonly #list: () => Promise<readonly LiveCallJson[]>
  readonly #log: Logger
  readonly #everyMs: number
  readonly #listeners = new Set<LiveListener>()
  /** By call id, with the text by which changes are seen. */
  #known = new Map<string, { call: LiveCallJson; text: string }>()
  #timer: NodeJS.Timeout | undefined
  #asking = false
  /** Whether what is known is of the last second. */
  #fresh = false

  constructor(list: () => Promise<readonly LiveCallJson[]>, log: Logger, everyMs = EVERY_MS) {
    this.#list = list
    this.#log = log
    this.#everyMs = everyMs
  }

  /** Tells the listener all calls, and from then on what changes, until the returned function is called. */
  subscribe(listener: LiveListener): () => void {
    this.#listeners.add(listener)
    if (this.#fresh) listener(this.snapshot())
    if (!this.#timer) {
      this.#timer = setInterval(() => void this.#ask(), this.#everyMs)
      void this.#ask()
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.close()
    }
  }

  snapshot(): LiveChange {
    return { calls: [...this.#known.values()].map(({ call }) => call), ended: [] }
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#fresh = false
    this.#known.clear()
  }

  async #ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const calls = await this.#list()
      if (this.#timer) this.#learn(calls)
    } catch (error) {
      if (this.#fresh) this.#log.warn({ error }, 'the live calls could not be asked for')
      this.#fresh = false
      this.#tell(undefined)
    } finally {
      this.#asking = false
    }
  }

  #learn(calls: readonly LiveCallJson[]): void {
    const now = new Map(calls.map(call => [call.call_id, { call, text: JSON.stringify(call) }]))
    const changed = [...now.values()].filter(
      ({ call, text }) => this.#known.get(call.call_id)?.text !== text,
    )
    const ended = [...this.#known.keys()].filter(id => !now.has(id))
    const wasFresh = this.#fresh
    this.#known = now
    this.#fresh = true
    // Who has been told nothing for a while is told all.
    if (!wasFresh) this.#tell({ ...this.snapshot(), ended })
    else if (changed.length + ended.length > 0) {
      this.#tell({ calls: changed.map(({ call }) => call), ended })
    }
  }

  #tell(change: LiveChange | undefined): void {
    for (const listener of this.#listeners) listener(change)
  }
}
