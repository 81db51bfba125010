/**
 * When, of the calls that ended in an hour, the first was answered. There is no index by answers; this
 * tells where calls are to be found that were up at an instant long ago, however long they talked. CDRs
 * are never changed, so each is looked at once.
 */
import { setImmediate } from 'node:timers/promises'
import type { Instant } from '../call/call.js'
import { HOUR_US } from '../local-time.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import type { Span } from './tallies.js'

/** So many CDRs are looked at in some ten milliseconds. */
const CDRS_AT_ONCE = 20_000n

interface HourRow {
  readonly hour: bigint
  /** Null where no call was answered. */
  readonly earliest: bigint | null
}

export class EarliestAnswers {
  readonly #byHour = new Map<number, Instant>()
  readonly #ofCdrs: Statement<[object], HourRow>
  readonly #ofCorrections: Statement<[], HourRow>
  #lastCdr = 0n

  constructor({ database }: Pick<LedgerFile, 'database'>) {
    const columns = `ended_at / ${HOUR_US} AS hour, min(answered_at) AS earliest`
    this.#ofCdrs = database.prepare(
      `SELECT ${columns} FROM cdr WHERE id > @after AND id <= @last GROUP BY 1`,
    )
    this.#ofCorrections = database.prepare(`SELECT ${columns} FROM correction GROUP BY 1`)
  }

  /**
   * The hours of the span, in their order, in which calls may have ended that were answered before
   * `answeredBefore`; of the CDRs up to that one.
   */
  async hours(span: Span, answeredBefore: Instant, lastCdr: bigint): Promise<Span[]> {
    while (this.#lastCdr < lastCdr) {
      const after = this.#lastCdr
      const last = after + CDRS_AT_ONCE < lastCdr ? after + CDRS_AT_ONCE : lastCdr
      this.#note(this.#ofCdrs.all({ after, last }))
      this.#lastCdr = last
      await setImmediate()
    }
    this.#note(this.#ofCorrections.all())
    return [...this.#byHour]
      .filter(([, earliest]) => earliest < answeredBefore)
      .map(([hour]) => ({
        from: Math.max(span.from, hour * HOUR_US),
        until: Math.min(span.until, (hour + 1) * HOUR_US),
      }))
      .filter(({ from, until }) => from < until)
      .sort((a, b) => a.from - b.from)
  }

  #note(rows: readonly HourRow[]): void {
    for (const { hour, earliest } of rows) {
      if (earliest === null) continue
      const known = this.#byHour.get(Number(hour)) ?? Number.POSITIVE_INFINITY
      this.#byHour.set(Number(hour), Math.min(known, Number(earliest)))
    }
  }
}
