/**
 * What the calls of a time add up to, slot by slot. A slot that is over is remembered: it is read
 * again only when a CDR of it is filed late, or any CDR is corrected. Between two slots the event
 * loop has its turn, so that a month takes a while and no call waits for it.
 */
import { setImmediate } from 'node:timers/promises'
import type { Outcome } from '../call/call.js'
import { SLOT_US, SLOTS_MAX, type SlotFigures, type Statistics } from '../ledger/statistics.js'
import type { Money } from '../money.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'

/** Calls that ended in one slot, by the slot in which they were answered. */
interface GroupRow {
  readonly outcome: Outcome
  /** Null where they never were. */
  readonly answeredSlot: bigint | null
  readonly calls: bigint
  readonly taken: Money
  readonly writeOff: Money
  /** Of all of them together: how far into its slot each was answered, and ended. */
  readonly answeredInto: bigint | null
  readonly endedInto: bigint
}

interface LiveRow {
  readonly answeredSlot: bigint
  readonly calls: bigint
  readonly answeredInto: bigint
}

type Counts = Omit<SlotFigures, 'at' | 'talkUs'>

interface Slot {
  readonly counts: Counts
  /** Microseconds of talk by the slot in which they were talked. */
  readonly talkUs: ReadonlyMap<number, number>
}

/** After so many new CDRs it is quicker to read all again than to look which slots they are of. */
const NEW_CDRS_MAX = 20_000

export class SqliteStatistics implements Statistics {
  readonly #slots = new Map<number, Slot>()
  readonly #ended: Statement<[object], GroupRow>
  readonly #live: Statement<[object], LiveRow>
  readonly #last: Statement<[], { id: bigint; corrections: bigint }>
  readonly #touched: Statement<[object], { slot: bigint }>
  #lastId = 0n
  #corrections = 0n

  /** @param file best one that is open for reading only: its reads wait for no commit */
  constructor({ database }: Pick<LedgerFile, 'database'>) {
    // The slot is written into the SQL: a number that is bound is a float, and divides as one.
    // A clock that was put back may have a call end before its answer: it has talked for nothing.
    this.#ended = database.prepare(`
      SELECT outcome, min(answered_at, ended_at) / ${SLOT_US} AS answeredSlot, count(*) AS calls,
        sum(cost) AS taken, sum(write_off) AS writeOff,
        sum(min(answered_at, ended_at) % ${SLOT_US}) AS answeredInto,
        sum(ended_at % ${SLOT_US}) AS endedInto
      FROM ended_call WHERE ended_at >= @from AND ended_at < @from + ${SLOT_US} GROUP BY 1, 2`)
    this.#live = database.prepare(`
      SELECT answered_at / ${SLOT_US} AS answeredSlot, count(*) AS calls,
        sum(answered_at % ${SLOT_US}) AS answeredInto
      FROM call WHERE answered_at < @now GROUP BY 1`)
    this.#last = database.prepare(`SELECT (SELECT coalesce(max(id), 0) FROM cdr) AS id,
      (SELECT count(*) FROM correction) AS corrections`)
    this.#touched = database.prepare(
      `SELECT DISTINCT ended_at / ${SLOT_US} AS slot FROM cdr WHERE id > @lastId AND id <= @id`,
    )
  }

  async slots(from: number, until: number, now: number): Promise<SlotFigures[]> {
    const end = Math.ceil(until / SLOT_US)
    const first = Math.max(Math.floor(from / SLOT_US), end - SLOTS_MAX)
    this.#forgetTouched()
    const talkUs = this.#liveTalk(now)
    const counts: Counts[] = []
    for (let number = first; number < end; number++) {
      if (!this.#slots.has(number)) await setImmediate()
      counts.push(this.#slot(number).counts)
    }
    // Calls that ended after the time have talked in it, too.
    for (let number = first; number <= Math.floor(now / SLOT_US); number++) {
      if (!this.#slots.has(number)) await setImmediate()
      for (const [slot, us] of this.#slot(number).talkUs) add(talkUs, slot, us)
    }
    this.#forgetBefore(Math.floor(now / SLOT_US) - SLOTS_MAX)
    return counts.map((count, i) => {
      const number = first + i
      return { at: number * SLOT_US, ...count, talkUs: talkUs.get(number) ?? 0 }
    })
  }

  #slot(number: number): Slot {
    const known = this.#slots.get(number)
    if (known) return known
    const read = slotOf(number, this.#ended.all({ from: number * SLOT_US }))
    this.#slots.set(number, read)
    return read
  }

  /** Forgets the slots of CDRs that were filed since the last time, whenever those calls ended. */
  #forgetTouched(): void {
    const { id, corrections } = this.#last.get()!
    const lastId = this.#lastId
    if (corrections !== this.#corrections || id - lastId > NEW_CDRS_MAX) this.#slots.clear()
    else {
      for (const { slot } of this.#touched.all({ lastId, id })) {
        this.#slots.delete(Number(slot))
      }
    }
    this.#lastId = id
    this.#corrections = corrections
  }

  #forgetBefore(number: number): void {
    for (const known of this.#slots.keys()) if (known < number) this.#slots.delete(known)
  }

  #liveTalk(now: number): Map<number, number> {
    const talkUs = new Map<number, number>()
    const last = Math.floor(now / SLOT_US)
    for (const row of this.#live.all({ now })) {
      const calls = Number(row.calls)
      const endedInto = calls * (now % SLOT_US)
      spread(talkUs, calls, Number(row.answeredSlot), Number(row.answeredInto), last, endedInto)
    }
    return talkUs
  }
}

function slotOf(number: number, rows: readonly GroupRow[]): Slot {
  const talkUs = new Map<number, number>()
  const counts = { calls: 0, answered: 0, refused: 0, cutOff: 0, taken: 0n, writeOff: 0n }
  for (const row of rows) {
    const calls = Number(row.calls)
    counts.calls += calls
    counts.taken += row.taken
    counts.writeOff += row.writeOff
    if (row.outcome === 'refused') counts.refused += calls
    if (row.outcome === 'cut_off') counts.cutOff += calls
    if (row.answeredSlot === null) continue
    counts.answered += calls
    const answered = [Number(row.answeredSlot), Number(row.answeredInto)] as const
    spread(talkUs, calls, ...answered, number, Number(row.endedInto))
  }
  return { counts, talkUs }
}

/** The talk of calls that began in one slot and ended in another, for each slot that it touches. */
function spread(
  talkUs: Map<number, number>,
  calls: number,
  first: number,
  answeredInto: number,
  last: number,
  endedInto: number,
): void {
  add(talkUs, first, -answeredInto)
  // A call cannot have talked for longer than what is remembered.
  for (let slot = Math.max(first, last - SLOTS_MAX); slot < last; slot++) {
    add(talkUs, slot, calls * SLOT_US)
  }
  add(talkUs, last, endedInto)
}

function add(sums: Map<number, number>, key: number, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount)
}
