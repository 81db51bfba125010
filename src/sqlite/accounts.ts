/** Accounts and their entries in SQLite. Postings share the committer with the calls. */
import { accountJson } from '../ledger/account-fields.js'
import {
  type Account,
  type AccountChanges,
  type AccountFilter,
  type Accounts,
  available,
  BookError,
  type Entry,
  type EntryKind,
  type EntryPage,
  type Expectation,
  type NewAccount,
  type NewEntry,
  type NewRefund,
} from '../ledger/books.js'
import { formatMoney, MONEY_MAX, type Money } from '../money.js'
import { type AccountRow, accountOf, TERM_COLUMNS, termParameters } from './account-rows.js'
import { AuditTable } from './audit-table.js'
import { type Booking, Bookings } from './bookings.js'
import { isOfCorrection } from './corrections.js'
import type { Statement } from './database.js'
import { Days } from './days.js'
import type { LedgerFile } from './ledger-file.js'
import { insertInto } from './rows.js'

/** SQLite's word for no limit. */
const ALL = -1

/** The reference of the top-up that an account is created with. */
const OPENING = 'opening'

export interface EntryRow {
  readonly id: bigint
  readonly code: string
  readonly kind: EntryKind
  readonly amount: Money
  readonly balance_after: Money
  readonly reference: string
  readonly call_id: string | null
  readonly actor: string
  readonly reason: string
  readonly at: bigint
}

const ENTRY = 'SELECT entry.*, account.code FROM entry JOIN account ON account.id = account_id'

export class SqliteAccounts implements Accounts {
  readonly #file: LedgerFile
  readonly #bookings: Bookings
  readonly #byCode: Statement<[string], AccountRow>
  readonly #insert: Statement<[object]>
  readonly #update: Statement<[object]>
  readonly #days: Days
  readonly #byReference: Statement<[string, string], EntryRow>
  readonly #refundable: Statement<[string], { account: string; cost: Money; refunded: Money }>
  readonly #lastBefore: Statement<[string, number], EntryRow>
  readonly #audit: AuditTable

  constructor(file: LedgerFile) {
    const { database } = file
    this.#file = file
    this.#bookings = new Bookings(file)
    this.#byCode = database.prepare('SELECT * FROM account WHERE code = ?')
    this.#audit = new AuditTable(database, file.now)
    const columns = ['code', ...TERM_COLUMNS, 'state', 'balance', 'held', 'created_at']
    this.#insert = database.prepare(insertInto('account', columns))
    const settings = [...TERM_COLUMNS, 'state'].map(column => `${column} = @${column}`)
    this.#update = database.prepare(`UPDATE account SET ${settings.join(', ')} WHERE code = @code`)
    this.#days = new Days(file.database)
    this.#byReference = database.prepare(`${ENTRY} WHERE code = ? AND reference = ?
      AND kind IN ('top_up', 'adjustment', 'refund')`)
    this.#lastBefore = database.prepare(
      `${ENTRY} WHERE code = ? AND at < ? ORDER BY entry.id DESC LIMIT 1`,
    )
    this.#refundable = database.prepare(`SELECT account, cost, (SELECT coalesce(sum(amount), 0)
      FROM entry WHERE call_id = leg_id) AS refunded FROM ended_call WHERE leg_id = ?`)
  }

  create(account: NewAccount): Promise<Account> {
    return this.#file.committer.enqueue(() => {
      const { code, credit, creditLimit, actor } = account
      if (this.#byCode.get(code)) {
        throw new BookError('account_exists', `There is already an account ${code}`)
      }
      checkNotNegative('The credit', credit)
      checkLimit(creditLimit, credit)
      const fresh = { code, state: 'active', balance: 0, held: 0, created_at: this.#file.now() }
      this.#insert.run({ ...termParameters(account), ...fresh })
      if (credit > 0n) {
        const opening = { kind: 'top_up', amount: credit, reference: OPENING } as const
        this.#bookings.book(this.#known(code).id, { ...opening, actor, reason: 'opening credit' })
      }
      const created = this.#accountOf(this.#known(code))
      const after = accountJson(created)
      this.#audit.record({ ...by(actor, 'account.create', code), before: null, after })
      return created
    })
  }

  find(code: string): Promise<Account | undefined> {
    return this.#file.committer.read(() => {
      const row = this.#byCode.get(code)
      return row && this.#accountOf(row)
    })
  }

  list(filter: AccountFilter): Promise<Account[]> {
    const conditions = ['TRUE']
    if (filter.search !== undefined) {
      conditions.push('(instr(fold(code), fold(@search)) OR instr(fold(name), fold(@search)))')
    }
    if (filter.state !== undefined) conditions.push('state = @state')
    if (filter.plan !== undefined) conditions.push('plan = @plan')
    if (filter.specialPlan !== undefined) conditions.push('special_plan = @specialPlan')
    if (filter.low) conditions.push('balance < low_balance')
    if (filter.after !== undefined) conditions.push('code > @after')
    const sql = `SELECT * FROM account WHERE ${conditions.join(' AND ')} ORDER BY code LIMIT @limit`
    const { low: _, ...bound } = filter
    return this.#file.committer.read(() => {
      const select = this.#file.database.prepare<[object], AccountRow>(sql)
      return select.all(bound).map(row => this.#accountOf(row))
    })
  }

  change(
    code: string,
    changes: AccountChanges,
    actor: string,
    expect?: Expectation<Account>,
  ): Promise<Account> {
    return this.#file.committer.enqueue(() => {
      const old = this.#accountOf(this.#known(code))
      expect?.(old)
      const account = { ...old, ...changes }
      checkLimit(account.creditLimit, account.balance)
      if (available(account) < 0n) {
        throw new BookError(
          'no_credit',
          `The credit limit of ${code} cannot be ${formatMoney(account.creditLimit)}: ${formatMoney(-available(account))} more than that is spent or held`,
        )
      }
      this.#update.run({ ...termParameters(account), state: account.state, code })
      // The days of another time zone begin at another hour: its day so far is added up anew.
      if (account.timeZone !== old.timeZone) this.#days.reckon(this.#known(code), this.#file.now())
      const changed = this.#accountOf(this.#known(code))
      const action = verbOf(old, changed)
      this.#audit.recordChange(by(actor, action, code), accountJson(old), accountJson(changed))
      return changed
    })
  }

  post(entry: NewEntry): Promise<Entry> {
    return this.#file.committer.enqueue(() => {
      const account = this.#known(entry.account)
      const earlier = this.#byReference.get(entry.account, entry.reference)
      if (earlier) return repeated(entry, entryOf(earlier))
      checkReference(entry.reference)
      checkPosting(entry, this.#accountOf(account))
      const { account: code, ...booking } = entry
      return this.#book(account, booking)
    })
  }

  refund({ callId, amount, reference, actor, reason }: NewRefund): Promise<Entry> {
    return this.#file.committer.enqueue(() => {
      const call = this.#refundable.get(callId)
      const account = call && this.#byCode.get(call.account)
      if (!call || !account) {
        throw new BookError('unknown_call', `There is no ended call ${callId} of an account`)
      }
      const left = call.cost - call.refunded
      const earlier = this.#byReference.get(call.account, reference)
      if (earlier) return repeatedRefund({ callId, amount, reference }, entryOf(earlier))
      checkReference(reference)
      checkRefund(callId, amount, left)
      const booking = { reference, callId, actor, reason }
      checkLimit(account.credit_limit, account.balance + (amount ?? left))
      return this.#book(account, { ...booking, kind: 'refund', amount: amount ?? left })
    })
  }

  entries(code: string, page: EntryPage): Promise<Entry[]> {
    const conditions = ['code = @code']
    if (page.from !== undefined) conditions.push('at >= @from')
    if (page.until !== undefined) conditions.push('at < @until')
    if (page.after !== undefined) conditions.push('entry.id > @after')
    const sql = `${ENTRY} WHERE ${conditions.join(' AND ')} ORDER BY entry.id LIMIT @limit`
    const bound = { limit: ALL, ...page, code }
    return this.#file.committer.read(() =>
      this.#file.database.prepare<[object], EntryRow>(sql).all(bound).map(entryOf),
    )
  }

  balanceBefore(code: string, until = Number.MAX_SAFE_INTEGER): Promise<Money> {
    return this.#file.committer.read(() => this.#lastBefore.get(code, until)?.balance_after ?? 0n)
  }

  /** Only inside a transaction: books what a person posts, and records that. */
  #book(account: AccountRow, booking: Booking): Entry {
    const { kind, amount, reference, actor, reason } = booking
    const { code, balance } = account
    const balanceAfter = this.#bookings.book(account.id, booking)
    this.#audit.record({
      ...by(actor, `account.${kind}`, code),
      before: { balance: formatMoney(balance) },
      after: { balance: formatMoney(balanceAfter), amount: formatMoney(amount), reference, reason },
    })
    return entryOf(this.#byReference.get(code, reference)!)
  }

  #accountOf(row: AccountRow): Account {
    return accountOf(row, this.#file.now())
  }

  #known(code: string): AccountRow {
    const row = this.#byCode.get(code)
    if (!row) throw new BookError('unknown_account', `There is no account ${code}`)
    return row
  }
}

function by(actor: string, action: string, code: string) {
  return { actor, action, subject: `account ${code}` }
}

/** What a change is called in the record: a change of state has its own name. */
function verbOf(old: Account, changed: Account): string {
  if (old.state === changed.state) return 'account.set'
  return { active: 'account.reopen', suspended: 'account.suspend', closed: 'account.close' }[
    changed.state
  ]
}

/** The same posting again is answered with the entry of the first time. */
function repeated(entry: NewEntry, earlier: Entry): Entry {
  if (earlier.kind === entry.kind && earlier.amount === entry.amount) return earlier
  throw new BookError(
    'reference_used',
    `The reference ${entry.reference} of ${entry.account} is that of another entry: ${earlier.kind} ${formatMoney(earlier.amount)}`,
  )
}

function repeatedRefund(
  { callId, amount, reference }: Pick<NewRefund, 'callId' | 'amount' | 'reference'>,
  earlier: Entry,
): Entry {
  const isSame = earlier.callId === callId && (amount === null || amount === earlier.amount)
  if (isSame) return earlier
  throw new BookError(
    'reference_used',
    `The reference ${reference} of ${earlier.account} is that of another entry: ${earlier.kind} ${formatMoney(earlier.amount)}`,
  )
}

/** One that a correction may have yet: an entry that has it already would keep it from being booked. */
function checkReference(reference: string): void {
  if (!isOfCorrection(reference)) return
  throw new BookError(
    'reference_used',
    `The reference ${reference} is kept for what corrects a call: take another`,
  )
}

/** A call gives back no more than it cost, in however many parts. */
function checkRefund(callId: string, amount: Money | null, left: Money): void {
  if (amount !== null && amount <= 0n) {
    throw new BookError('bad_input', 'A refund must be more than 0')
  }
  if (left === 0n) {
    throw new BookError('too_much', `The call ${callId} cost nothing that is not refunded already`)
  }
  if (amount !== null && amount > left) {
    throw new BookError(
      'too_much',
      `Only ${formatMoney(left)} of the call ${callId} can still be refunded`,
    )
  }
}

function checkPosting(entry: NewEntry, account: Account): void {
  const { amount, kind } = entry
  if (entry.reference === '') throw new BookError('bad_input', 'An entry needs a reference')
  if (amount === 0n) throw new BookError('bad_input', 'An entry of nothing cannot be booked')
  if (kind === 'top_up') {
    checkNotNegative('A top-up', amount)
    if (account.state === 'closed') {
      throw new BookError('account_closed', `${account.code} is closed: reopen it first`)
    }
  }
  checkLimit(account.creditLimit, account.balance + amount)
  if (available(account) + amount < 0n) {
    throw new BookError(
      'no_credit',
      `${account.code} has only ${formatMoney(available(account))} available`,
    )
  }
}

function checkNotNegative(what: string, amount: Money): void {
  if (amount < 0n) throw new BookError('bad_input', `${what} cannot be negative`)
}

/** Balance and limit together stay a number that JavaScript can hold: so does every hold. */
function checkLimit(creditLimit: Money, balance: Money): void {
  checkNotNegative('The credit limit', creditLimit)
  if (creditLimit > MONEY_MAX || balance + creditLimit > MONEY_MAX) {
    throw new BookError('too_much', `An account holds at most ${formatMoney(MONEY_MAX)}`)
  }
}

export function entryOf(row: EntryRow): Entry {
  return {
    id: Number(row.id),
    account: row.code,
    kind: row.kind,
    amount: row.amount,
    balance: row.balance_after,
    reference: row.reference,
    callId: row.call_id,
    actor: row.actor,
    reason: row.reason,
    at: Number(row.at),
  }
}
