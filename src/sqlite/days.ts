/** What the calls of an account cost on a day in its time zone: kept in its row, added up once a day. */
import { localDate, localTime, MINUTE_US } from '../local-time.js'
import type { AccountRow } from './account-rows.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'

/** A day on which clocks are put back has more minutes than its last one shows. */
const DAY_SLACK_US = 180 * MINUTE_US

/** Only for use inside an operation. */
export class Days {
  readonly #now: () => number
  readonly #reckon: Statement<[object]>

  constructor({ database, now }: LedgerFile) {
    this.#now = now
    this.#reckon = database.prepare(`
      UPDATE account SET spent_on = @day, spent = (SELECT coalesce(-sum(amount), 0) FROM entry
        WHERE account_id = account.id AND kind = 'call' AND at >= @since
          AND local_date(at, time_zone) = @day)
      WHERE id = @id`)
  }

  /** Whether what the row says was spent, was spent today. */
  isToday({ spent_on, time_zone }: Pick<AccountRow, 'spent_on' | 'time_zone'>): boolean {
    return spent_on === localDate(this.#now(), time_zone)
  }

  /**
   * Begins a day, from the entries: for it may have begun before, where our clock was put back or
   * the account had another time zone.
   */
  begin({ id, time_zone: zone }: Pick<AccountRow, 'id' | 'time_zone'>): void {
    const now = this.#now()
    const { date, minute } = localTime(now, zone)
    this.#reckon.run({ id, day: date, since: now - minute * MINUTE_US - DAY_SLACK_US })
  }
}
