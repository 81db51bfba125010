/**
 * Tallies of the slots of the last month, remembered: the dashboard asks for them every few seconds. A
 * slot is read again only when a CDR or a top-up of it is filed late, or any CDR is corrected.
 */
import { setImmediate } from 'node:timers/promises'
import type { Instant } from '../call/call.js'
import { DAY_US } from '../local-time.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import type { Grid, Tallies, Tally } from './tallies.js'

/** Five minutes. */
export const SLOT_US = 300_000_000

/** What is remembered: 31 days. */
export const SLOTS_MAX = (31 * DAY_US) / SLOT_US

/** Slots begin at whole numbers of their length after the epoch. */
export const SLOTS: Grid = { origin: 0, cellUs: SLOT_US }

/** After so many new rows it is quicker to read all again than to look which slots they are of. */
const NEW_ROWS_MAX = 20_000n

/** So many slots that were touched while others were read are read again before there is an answer. */
const CATCH_UP_MAX = 12

interface Filed {
  /** The last ids. */
  readonly cdr: bigint
  readonly entry: bigint
  /** How many. */
  readonly corrections: bigint
}

export class Slots {
  readonly #tallies: Tallies
  /** By the number of the slot; null where nothing happened. */
  readonly #known = new Map<number, Tally | null>()
  /** Those that are not any more as they are known. */
  readonly #stale = new Set<number>()
  readonly #filed: Statement<[], Filed>
  readonly #touched: Statement<[object], { slot: bigint }>
  #seen: Filed = { cdr: 0n, entry: 0n, corrections: 0n }

  constructor({ database }: Pick<LedgerFile, 'database'>, tallies: Tallies) {
    this.#tallies = tallies
    this.#filed = database.prepare(`SELECT (SELECT coalesce(max(id), 0) FROM cdr) AS cdr,
      (SELECT coalesce(max(id), 0) FROM entry) AS entry, (SELECT count(*) FROM correction) AS corrections`)
    // The length is written into the SQL: a number that is bound is a float, and divides as one.
    this.#touched = database.prepare(`
      SELECT ended_at / ${SLOT_US} AS slot FROM cdr WHERE id > @cdr
      UNION SELECT at / ${SLOT_US} FROM entry WHERE id > @entry AND kind = 'top_up'`)
  }

  /** Reads what is not known from the one slot to before the other, with turns of the event loop. */
  async fill(first: number, end: number): Promise<void> {
    this.#look()
    for (let slot = first; slot < end; ) {
      if (this.#isFresh(slot)) slot++
      else {
        await setImmediate()
        slot = this.#read(slot, end)
      }
    }
  }

  /**
   * The tallies of slots that have been filled, as they are at this moment: only inside a transaction.
   * While very much is filed late, some may be as they were when they were read.
   */
  catchUp(first: number, end: number): Tally[] {
    this.#look()
    const stale = [...this.#stale].filter(slot => slot >= first && slot < end)
    for (const slot of stale.slice(0, CATCH_UP_MAX)) this.#read(slot, slot + 1)
    const tallies: Tally[] = []
    for (let slot = first; slot < end; slot++) {
      const tally = this.#known.get(slot)
      if (tally) tallies.push(tally)
    }
    return tallies
  }

  /** Forgets slots that are too old. */
  forgetBefore(at: Instant): void {
    const first = Math.floor(at / SLOT_US)
    for (const slot of this.#known.keys()) if (slot < first) this.#known.delete(slot)
    for (const slot of this.#stale) if (slot < first) this.#stale.delete(slot)
  }

  #isFresh(slot: number): boolean {
    return this.#known.has(slot) && !this.#stale.has(slot)
  }

  /** Notes which slots have been touched since the last time, whenever it was that something was filed. */
  #look(): void {
    const filed = this.#filed.get()!
    const { cdr, entry, corrections } = this.#seen
    const rows = filed.cdr - cdr + filed.entry - entry
    if (filed.corrections !== corrections || rows > NEW_ROWS_MAX) {
      for (const slot of this.#known.keys()) this.#stale.add(slot)
    } else if (rows > 0n) {
      for (const { slot } of this.#touched.all({ cdr, entry })) {
        if (this.#known.has(Number(slot))) this.#stale.add(Number(slot))
      }
    }
    this.#seen = filed
  }

  /** Reads some slots at once, but none from `end` on; returns the first that was not read. */
  #read(first: number, end: number): number {
    let stop = first + 1
    while (stop < end && !this.#isFresh(stop)) stop++
    const wanted = { from: first * SLOT_US, until: stop * SLOT_US }
    stop = Math.max(first + 1, Math.floor(this.#tallies.piece(wanted).until / SLOT_US))
    const span = { from: first * SLOT_US, until: stop * SLOT_US }
    const tallies = this.#tallies.read(SLOTS, span, this.#tallies.lastCdr())
    const found = new Map(tallies.map(tally => [tally.at / SLOT_US, tally]))
    for (let slot = first; slot < stop; slot++) {
      this.#known.set(slot, found.get(slot) ?? null)
      this.#stale.delete(slot)
    }
    return stop
  }
}
