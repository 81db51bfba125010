/**
 * What SQL adds up for the statistics, for each cell of a grid of time: the only place where that is
 * done. Ended calls are taken as they are known now, corrections included.
 */
import type { Instant, Outcome } from '../call/call.js'
import { addCounts, type Counts, NO_COUNTS } from '../ledger/statistics.js'
import type { Money } from '../money.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'

/** Cell 0 begins at the origin. A call that was answered before that is looked at as answered there. */
export interface Grid {
  readonly origin: Instant
  readonly cellUs: number
}

/** Calls that were answered in one cell. */
export interface Talkers {
  /** When the cell begins. */
  readonly at: Instant
  readonly calls: number
  /** How far into the cell they were answered, all of them together. */
  readonly intoUs: bigint
}

/** Calls that ended in one cell, and top-ups that were booked in it. */
export interface Tally extends Counts {
  /** When the cell begins. */
  readonly at: Instant
  /** The answered ones, by the cells in which they were answered. */
  readonly talkers: readonly Talkers[]
  /** How far into the cell the answered ones ended, all of them together. */
  readonly endedIntoUs: bigint
}

/** From inclusive, until exclusive. */
export interface Span {
  readonly from: Instant
  readonly until: Instant
}

interface TalkersRow {
  /** Null where the calls were never answered. */
  readonly answeredCell: bigint | null
  readonly calls: bigint
  readonly answeredIntoUs: bigint | null
}

/** Calls that ended in one cell, by the cell in which they were answered. */
interface EndedRow extends TalkersRow {
  readonly endedCell: bigint
  readonly outcome: Outcome
  readonly billedS: bigint
  readonly cost: Money
  readonly writeOff: Money
  readonly endedIntoUs: bigint
}

/**
 * Calls by the cell in which they were answered. Only how far into their cells they were is added up: a sum
 * of instants, or of their distances to one long ago, does not fit into 64 bits.
 */
const talkersSql = (answeredAt: string) => `
  (max(${answeredAt}, @origin) - @origin) / @cellUs AS answeredCell, count(*) AS calls,
  sum((max(${answeredAt}, @origin) - @origin) % @cellUs) AS answeredIntoUs`

/** What people post: this is the condition of an index, and has to be written like it. */
const POSTED = `kind IN ('top_up', 'adjustment', 'refund')`

/** About so many CDRs, or postings, are read at a time: that takes some ten milliseconds. */
const ROWS_AT_ONCE = 5_000

export class Tallies {
  readonly #ended: Statement<[object], EndedRow>
  readonly #topUps: Statement<[object], { cell: bigint; amount: Money }>
  readonly #live: Statement<[object], TalkersRow>
  readonly #stillUp: Statement<[object], TalkersRow>
  readonly #lastCdr: Statement<[], bigint>
  readonly #enough: Statement<[object], bigint | null>

  constructor({ database }: Pick<LedgerFile, 'database'>) {
    // A clock that was put back may have a call end before its answer: it has talked for nothing.
    this.#ended = database.prepare(`
      SELECT (ended_at - @origin) / @cellUs AS endedCell, outcome, sum(billed_s) AS billedS, sum(cost) AS cost,
        sum(write_off) AS writeOff, sum((ended_at - @origin) % @cellUs) AS endedIntoUs, ${talkersSql('min(answered_at, ended_at)')}
      FROM ended_call WHERE ended_at >= @from AND ended_at < @until AND id <= @lastCdr
      GROUP BY endedCell, answeredCell, outcome`)
    this.#stillUp = database.prepare(`SELECT ${talkersSql('answered_at')} FROM ended_call
      WHERE ended_at >= @from AND ended_at < @until AND id <= @lastCdr AND answered_at < @upTo GROUP BY 1`)
    this.#live = database.prepare(
      `SELECT ${talkersSql('answered_at')} FROM call WHERE answered_at < @upTo GROUP BY 1`,
    )
    this.#topUps = database.prepare(`SELECT (at - @origin) / @cellUs AS cell, sum(amount) AS amount
      FROM entry WHERE ${POSTED} AND kind = 'top_up' AND at >= @from AND at < @until GROUP BY 1`)
    this.#lastCdr = database.prepare<[], bigint>('SELECT coalesce(max(id), 0) FROM cdr').pluck()
    this.#enough = database
      .prepare<[object], bigint | null>(
        `SELECT min(at) FROM (
          SELECT * FROM (SELECT ended_at AS at FROM cdr WHERE ended_at >= @from AND ended_at < @until
            ORDER BY ended_at LIMIT 1 OFFSET ${ROWS_AT_ONCE})
          UNION ALL
          SELECT * FROM (SELECT at FROM entry WHERE ${POSTED} AND at >= @from AND at < @until
            ORDER BY at LIMIT 1 OFFSET ${ROWS_AT_ONCE}))`,
      )
      .pluck()
  }

  /** With this number what has been filed so far is told from what comes while it is read. */
  lastCdr(): bigint {
    return this.#lastCdr.get()!
  }

  /** How far to read at a time, so that nobody waits long for his turn. */
  piece({ from, until }: Span): Span {
    const end = this.#enough.get({ from, until })
    return { from, until: end === null ? until : Math.max(Number(end), from + 1) }
  }

  /** The cells of the span in which anything ended or was booked, of the CDRs up to that one. */
  read(grid: Grid, span: Span, lastCdr: bigint): Tally[] {
    const bound = boundTo(grid, { ...span, lastCdr })
    const rowsOf = new Map<bigint, EndedRow[]>()
    for (const row of this.#ended.all(bound)) {
      const rows = rowsOf.get(row.endedCell)
      if (rows) rows.push(row)
      else rowsOf.set(row.endedCell, [row])
    }
    const topUps = new Map(this.#topUps.all(bound).map(({ cell, amount }) => [cell, amount]))
    return [...new Set([...rowsOf.keys(), ...topUps.keys()])].map(cell => {
      const at = beginOf(grid, Number(cell))
      return tallyOf(grid, at, rowsOf.get(cell) ?? [], topUps.get(cell) ?? 0n)
    })
  }

  /** Who talks now, having been answered before `upTo`. */
  live(grid: Grid, upTo: Instant): Talkers[] {
    return talkersOf(grid, this.#live.all(boundTo(grid, { upTo })))
  }

  /** Who ended in the span, which begins at `upTo` or later, and was answered before `upTo`. */
  stillUp(grid: Grid, upTo: Instant, span: Span, lastCdr: bigint): Talkers[] {
    const bound = boundTo(grid, { ...span, upTo, lastCdr })
    return talkersOf(grid, this.#stillUp.all(bound))
  }
}

/** Numbers are bound as integers: those of JavaScript would be floats, and divide as such. */
function boundTo({ origin, cellUs }: Grid, more: Record<string, number | bigint>) {
  const all = { origin, cellUs, ...more }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, BigInt(value)]))
}

const beginOf = ({ origin, cellUs }: Grid, cell: number): Instant => origin + cell * cellUs

function talkersOf(grid: Grid, rows: readonly TalkersRow[]): Talkers[] {
  return rows.flatMap(({ answeredCell, calls, answeredIntoUs }) => {
    if (answeredCell === null) return []
    const at = beginOf(grid, Number(answeredCell))
    return [{ at, calls: Number(calls), intoUs: answeredIntoUs! }]
  })
}

function tallyOf(grid: Grid, at: Instant, rows: readonly EndedRow[], topUps: Money): Tally {
  let endedIntoUs = 0n
  let sum: Counts = { ...NO_COUNTS, topUps }
  for (const row of rows) {
    const calls = Number(row.calls)
    const isAnswered = row.answeredCell !== null
    if (isAnswered) endedIntoUs += row.endedIntoUs
    sum = addCounts(sum, {
      calls,
      answered: isAnswered ? calls : 0,
      refused: row.outcome === 'refused' ? calls : 0,
      cutOff: row.outcome === 'cut_off' ? calls : 0,
      billedS: Number(row.billedS),
      ...{ cost: row.cost, writeOff: row.writeOff, topUps: 0n },
    })
  }
  return { at, ...sum, talkers: talkersOf(grid, rows), endedIntoUs }
}
