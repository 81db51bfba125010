/**
 * Recomputes the ledger from its entries, and says in a sentence what does not hold.
 *
 * It reads the whole file and does not return before it is done, some 20 seconds for each million
 * CDRs: give it a read-only file of its own, in a process that has no calls to serve.
 */
import type { Resumable } from '../call/call.js'
import type { Auditor, Verification } from '../ledger/books.js'
import { formatMoney, type Money } from '../money.js'
import { Calls } from './calls.js'
import type { LedgerFile } from './ledger-file.js'

/** How many sentences of one sort are told: the thousandth says nothing new. */
const PROBLEMS_MAX = 100

/** `subject` names an account, call or entry; `is` and `due` are amounts or counts. */
interface Finding {
  readonly subject: string
  readonly is: bigint
  readonly due: bigint
}

interface Check {
  /** Selects what is wrong, as Findings. */
  readonly sql: string
  readonly sentence: (finding: Finding) => string
}

const money = formatMoney

/** The reference of what is booked when the end of a call is learnt later. */
const CORRECTED = "'correction-' || leg_id"

const CHECKS: readonly Check[] = [
  {
    sql: `SELECT code AS subject, balance AS "is", coalesce(total, 0) AS due FROM account
      LEFT JOIN (SELECT account_id, sum(amount) AS total FROM entry GROUP BY account_id) ON account_id = id
      WHERE "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Account ${subject}: the balance is ${money(is)}, but its entries add up to ${money(due)}`,
  },
  {
    sql: `SELECT code AS subject, account.held AS "is", coalesce(sum(call.held), 0) AS due FROM account
      LEFT JOIN call ON account_id = account.id GROUP BY account.id HAVING "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Account ${subject}: ${money(is)} is held, but the holds of its calls add up to ${money(due)}`,
  },
  {
    sql: `SELECT code AS subject, live_calls AS "is", count(call.id) AS due FROM account
      LEFT JOIN call ON account_id = account.id GROUP BY account.id HAVING "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Account ${subject}: it counts ${is} live calls, but has ${due}`,
  },
  {
    sql: `SELECT code AS subject, spent AS "is", coalesce(-sum(amount), 0) AS due FROM account
      LEFT JOIN entry ON account_id = account.id AND kind = 'call'
        AND local_date(at, time_zone) = spent_on
      WHERE spent_on <> '' GROUP BY account.id HAVING "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Account ${subject}: ${money(is)} counts as spent on its last day, but its calls of that day cost ${money(due)}`,
  },
  {
    sql: `SELECT code AS subject, 0 AS "is", 0 AS due FROM account
      JOIN entry ON account_id = account.id AND kind = 'call'
      GROUP BY account.id HAVING local_date(max(at), time_zone) > latest_day`,
    sentence: ({ subject }) =>
      `Account ${subject}: it has paid for calls later than on the latest day that it knows of`,
  },
  {
    sql: `SELECT call_id AS subject, sum(amount) AS "is", coalesce(cost, 0) AS due FROM entry
      LEFT JOIN account ON account.id = account_id
      LEFT JOIN ended_call ON leg_id = call_id AND ended_call.account = code
      WHERE call_id IS NOT NULL GROUP BY call_id HAVING "is" > due`,
    sentence: ({ subject, is, due }) =>
      `Call ${subject}: ${money(is)} was refunded, but it cost ${money(due)}`,
  },
  {
    sql: `SELECT code AS subject, balance + credit_limit - held AS "is", 0 AS due FROM account WHERE "is" < 0`,
    sentence: ({ subject, is }) =>
      `Account ${subject}: ${money(is)} is available, which is less than nothing`,
  },
  {
    sql: `SELECT account.code || ', entry ' || entry.id AS subject, balance_after AS "is", due FROM (
        SELECT id, account_id, balance_after, sum(amount) OVER (PARTITION BY account_id ORDER BY id) AS due
        FROM entry WHERE account_id IS NOT NULL) AS entry
      JOIN account ON account.id = account_id WHERE "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Account ${subject}: the balance after it is ${money(is)}, but the entries so far add up to ${money(due)}`,
  },
  {
    sql: `SELECT leg_id AS subject, cost AS "is", held AS due FROM cdr WHERE cost > held`,
    sentence: ({ subject, is, due }) =>
      `Call ${subject}: it cost ${money(is)}, but only ${money(due)} was held`,
  },
  {
    sql: `SELECT leg_id AS subject, cost AS "is", coalesce(-total, 0) AS due FROM cdr
      LEFT JOIN (SELECT reference, code, sum(amount) AS total FROM entry
        JOIN account ON account.id = account_id WHERE kind = 'call' GROUP BY reference, code)
      ON reference = leg_id AND code = account WHERE "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Call ${subject}: its CDR says that it cost ${money(is)}, but ${money(due)} was booked on its account`,
  },
  {
    sql: `SELECT leg_id AS subject, write_off AS "is", coalesce(total, 0) AS due FROM cdr
      LEFT JOIN (SELECT reference, sum(amount) AS total FROM entry WHERE kind = 'write_off' GROUP BY reference)
      ON reference = leg_id WHERE "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Call ${subject}: its CDR says that ${money(is)} was written off, but ${money(due)} was booked`,
  },
  {
    sql: `SELECT reference AS subject, amount AS "is", 0 AS due FROM entry
      LEFT JOIN cdr ON leg_id = reference WHERE kind IN ('call', 'write_off') AND leg_id IS NULL
      AND NOT (kind = 'write_off' AND reference IN (SELECT ${CORRECTED} FROM correction))`,
    sentence: ({ subject, is }) =>
      `Call ${subject}: ${money(is)} was booked for it, but it has no CDR`,
  },
  {
    sql: `SELECT reference AS subject, count(*) AS "is", 1 AS due FROM entry
      WHERE kind IN ('call', 'write_off') GROUP BY reference, kind HAVING "is" > 1`,
    sentence: ({ subject, is }) => `Call ${subject}: ${is} entries are booked where one is due`,
  },
  {
    sql: `SELECT reference AS subject, amount AS "is", 0 AS due FROM entry
      LEFT JOIN account ON account.id = account_id JOIN cdr ON leg_id = reference
      WHERE kind = 'call' AND code <> account`,
    sentence: ({ subject, is }) =>
      `Call ${subject}: ${money(is)} was booked on another account than its CDR names`,
  },
  {
    sql: `SELECT leg_id AS subject, c.cost - cdr.cost AS "is", coalesce(-total, 0) AS due
      FROM correction AS c JOIN cdr USING (leg_id) LEFT JOIN (
        SELECT reference, code, sum(amount) AS total FROM entry JOIN account ON account.id = account_id
        WHERE kind = 'adjustment' AND actor = 'tollgate' GROUP BY reference, code)
      ON reference = ${CORRECTED} AND code = account WHERE "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Call ${subject}: it was corrected by ${money(is)}, but ${money(due)} was booked on its account for that`,
  },
  {
    sql: `SELECT leg_id AS subject, c.write_off - cdr.write_off AS "is", coalesce(total, 0) AS due
      FROM correction AS c JOIN cdr USING (leg_id) LEFT JOIN (
        SELECT reference, sum(amount) AS total FROM entry WHERE kind = 'write_off' GROUP BY reference)
      ON reference = ${CORRECTED} WHERE "is" <> due`,
    sentence: ({ subject, is, due }) =>
      `Call ${subject}: ${money(is)} was written off when it was corrected, but ${money(due)} was booked for that`,
  },
  {
    sql: `SELECT reference AS subject, amount AS "is", 0 AS due FROM entry
      WHERE kind = 'adjustment' AND actor = 'tollgate' AND reference LIKE 'correction-%'
      AND reference NOT IN (SELECT ${CORRECTED} FROM correction)`,
    sentence: ({ subject, is }) =>
      `Entry ${subject}: ${money(is)} was booked, but no call was corrected by it`,
  },
  {
    sql: `SELECT leg_id AS subject, cdr.cost AS "is", 0 AS due FROM correction JOIN cdr USING (leg_id)
      WHERE cdr.cause <> 'LOST'`,
    sentence: ({ subject }) => `Call ${subject}: it was corrected, but its end was not lost`,
  },
  {
    sql: `SELECT leg_id AS subject, 0 AS "is", 0 AS due FROM unseen_call LEFT JOIN cdr USING (leg_id)
      WHERE state = 'charged' AND cdr.leg_id IS NULL`,
    sentence: ({ subject }) => `Call ${subject}: it is said to be charged, but it has no CDR`,
  },
  {
    sql: `SELECT leg_id AS subject, cdr.cost AS "is", 0 AS due FROM unseen_call JOIN cdr USING (leg_id)
      WHERE state = 'open'`,
    sentence: ({ subject }) => `Call ${subject}: it is listed as unseen, but it has a CDR`,
  },
  {
    sql: `SELECT leg_id AS subject, call.held AS "is", 0 AS due FROM call JOIN cdr USING (leg_id)`,
    sentence: ({ subject, is }) =>
      `Call ${subject}: it has a CDR, but ${money(is)} is still held for it`,
  },
]

const TOTALS = `SELECT (SELECT count(*) FROM account) AS accounts,
  (SELECT count(*) FROM entry) AS entries,
  (SELECT count(*) FROM cdr) AS cdrs,
  (SELECT count(*) FROM call) AS openCalls,
  (SELECT coalesce(sum(amount), 0) FROM entry WHERE kind = 'write_off') AS writeOffs`

interface Totals {
  readonly accounts: bigint
  readonly entries: bigint
  readonly cdrs: bigint
  readonly openCalls: bigint
  readonly writeOffs: Money
}

export class SqliteAuditor implements Auditor {
  readonly #file: LedgerFile
  readonly #calls: Calls

  constructor(file: LedgerFile) {
    this.#file = file
    this.#calls = new Calls(file.database)
  }

  /** Everything as it was at one moment, also while another process goes on writing. */
  verify(): Promise<Verification> {
    const { committer, database } = this.#file
    return committer.read(database.transaction(() => this.#verify()))
  }

  allOpenCalls(): Promise<Resumable[]> {
    return this.#file.committer.read(() => this.#calls.all())
  }

  #verify(): Verification {
    const { database } = this.#file
    const problems = this.#damage()
    for (const { sql, sentence } of CHECKS) {
      const findings = database.prepare<[], Finding>(sql)
      for (const finding of findings.all().slice(0, PROBLEMS_MAX)) problems.push(sentence(finding))
    }
    const totals = database.prepare<[], Totals>(TOTALS).get()!
    return {
      problems,
      accounts: Number(totals.accounts),
      entries: Number(totals.entries),
      cdrs: Number(totals.cdrs),
      openCalls: Number(totals.openCalls),
      writeOffs: totals.writeOffs,
    }
  }

  /** What SQLite itself finds. */
  #damage(): string[] {
    const { database } = this.#file
    const rows = database.prepare<[], string>('PRAGMA integrity_check').pluck().all()
    const orphans = database
      .prepare<[], { table: string; rowid: bigint; parent: string }>('PRAGMA foreign_key_check')
      .all()
    return [
      ...rows.filter(row => row !== 'ok').map(row => `The file is damaged: ${row}`),
      ...orphans.map(row => `Row ${row.rowid} of ${row.table} refers to no ${row.parent}`),
    ]
  }
}
