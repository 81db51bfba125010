/** What the calls of an account cost on a day in its time zone: kept in its row, which calls add to. */
import { localDate, localTime, MINUTE_US } from '../local-time.js'
import type { AccountRow } from './account-rows.js'
import type { Database, Statement } from './database.js'

/** A day on which clocks are put back has more minutes than its last one shows. */
const DAY_SLACK_US = 180 * MINUTE_US

/** The day that the row of an account speaks of. */
type DayRow = Pick<AccountRow, 'id' | 'time_zone' | 'spent_on' | 'latest_day'>

/** Only for use inside an operation. `now` is microseconds since the epoch, by our clock. */
export class Days {
  readonly #begin: Statement<[object]>
  readonly #reckon: Statement<[object]>

  constructor(database: Database) {
    this.#begin = database.prepare(
      'UPDATE account SET spent = 0, spent_on = @day, latest_day = @day WHERE id = @id',
    )
    const calls = "FROM entry WHERE account_id = account.id AND kind = 'call'"
    this.#reckon = database.prepare(`
      UPDATE account SET spent_on = @day,
        spent = (SELECT coalesce(-sum(amount), 0) ${calls} AND at >= @since
          AND local_date(at, time_zone) = @day),
        latest_day = max(@day, coalesce((SELECT local_date(max(at), time_zone) ${calls}), ''))
      WHERE id = @id`)
  }

  /** Whether what the row says was spent, was spent today. */
  isToday({ spent_on, time_zone }: DayRow, now: number): boolean {
    return spent_on === localDate(now, time_zone)
  }

  /** Begins a day: an earlier one than the latest only when our clock was put back. */
  begin(row: DayRow, now: number): void {
    const day = localDate(now, row.time_zone)
    if (day > row.latest_day) this.#begin.run({ id: row.id, day })
    else this.reckon(row, now)
  }

  /**
   * Adds up the day from all entries of the account, for it may have begun before: needed when its time zone is
   * another one now.
   */
  reckon({ id, time_zone: zone }: DayRow, now: number): void {
    const { date, minute } = localTime(now, zone)
    this.#reckon.run({ id, day: date, since: now - minute * MINUTE_US - DAY_SLACK_US })
  }
}
