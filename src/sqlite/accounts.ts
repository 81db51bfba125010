/** Accounts and their entries in SQLite. Postings share the committer with the calls. */
import {
  type Account,
  type AccountChanges,
  type AccountFilter,
  type Accounts,
  available,
  BookError,
  type Entry,
  type EntryKind,
  type NewAccount,
  type NewEntry,
  type Period,
} from '../ledger/books.js'
import type { AccountState } from '../ledger/ledger.js'
import { formatMoney, MONEY_MAX, type Money } from '../money.js'
import { Bookings } from './bookings.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'

/** The reference of the top-up that an account is created with. */
const OPENING = 'opening'

interface AccountRow {
  readonly id: bigint
  readonly code: string
  readonly name: string
  readonly plan: string
  readonly state: AccountState
  readonly credit_limit: Money
  readonly balance: Money
  readonly held: Money
  readonly created_at: bigint
}

interface EntryRow {
  readonly id: bigint
  readonly code: string
  readonly kind: EntryKind
  readonly amount: Money
  readonly balance_after: Money
  readonly reference: string
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
  readonly #byReference: Statement<[string, string], EntryRow>

  constructor(file: LedgerFile) {
    const { database } = file
    this.#file = file
    this.#bookings = new Bookings(file)
    this.#byCode = database.prepare('SELECT * FROM account WHERE code = ?')
    this.#insert = database.prepare(`
      INSERT INTO account (code, name, plan, state, credit_limit, balance, held, created_at)
      VALUES (@code, @name, @plan, 'active', @creditLimit, 0, 0, @createdAt)`)
    this.#update = database.prepare(`
      UPDATE account SET name = @name, plan = @plan, state = @state, credit_limit = @creditLimit
      WHERE code = @code`)
    this.#byReference = database.prepare(`${ENTRY} WHERE code = ? AND reference = ?
      AND kind IN ('top_up', 'adjustment')`)
  }

  create(account: NewAccount): Promise<Account> {
    return this.#file.committer.enqueue(() => {
      const { code, credit, creditLimit, actor } = account
      if (this.#byCode.get(code)) {
        throw new BookError('account_exists', `There is already an account ${code}`)
      }
      checkNotNegative('The credit', credit)
      checkLimit(creditLimit, credit)
      const { name, plan } = account
      this.#insert.run({ code, name, plan, creditLimit, createdAt: this.#file.now() })
      if (credit > 0n) {
        const reason = 'opening credit'
        this.#bookings.book(this.#known(code).id, {
          kind: 'top_up',
          amount: credit,
          reference: OPENING,
          actor,
          reason,
        })
      }
      return accountOf(this.#known(code))
    })
  }

  find(code: string): Promise<Account | undefined> {
    return this.#file.committer.read(() => {
      const row = this.#byCode.get(code)
      return row && accountOf(row)
    })
  }

  list(filter: AccountFilter): Promise<Account[]> {
    const conditions = ['TRUE']
    if (filter.search !== undefined) {
      conditions.push('(instr(fold(code), fold(@search)) OR instr(fold(name), fold(@search)))')
    }
    if (filter.state !== undefined) conditions.push('state = @state')
    if (filter.plan !== undefined) conditions.push('plan = @plan')
    if (filter.after !== undefined) conditions.push('code > @after')
    const sql = `SELECT * FROM account WHERE ${conditions.join(' AND ')} ORDER BY code LIMIT @limit`
    return this.#file.committer.read(() =>
      this.#file.database.prepare<[object], AccountRow>(sql).all(filter).map(accountOf),
    )
  }

  change(code: string, changes: AccountChanges): Promise<Account> {
    return this.#file.committer.enqueue(() => {
      const old = accountOf(this.#known(code))
      const account = { ...old, ...changes }
      checkLimit(account.creditLimit, account.balance)
      if (available(account) < 0n) {
        throw new BookError(
          'no_credit',
          `The credit limit of ${code} cannot be ${formatMoney(account.creditLimit)}: ${formatMoney(-available(account))} more than that is spent or held`,
        )
      }
      const { name, plan, state, creditLimit } = account
      this.#update.run({ code, name, plan, state, creditLimit })
      return accountOf(this.#known(code))
    })
  }

  post(entry: NewEntry): Promise<Entry> {
    return this.#file.committer.enqueue(() => {
      const account = this.#known(entry.account)
      const earlier = this.#byReference.get(entry.account, entry.reference)
      if (earlier) return repeated(entry, entryOf(earlier))
      checkPosting(entry, accountOf(account))
      const { kind, amount, reference, actor, reason } = entry
      this.#bookings.book(account.id, { kind, amount, reference, actor, reason })
      const posted = this.#byReference.get(entry.account, reference)!
      return entryOf(posted)
    })
  }

  entries(code: string, period: Period): Promise<Entry[]> {
    const conditions = ['code = @code']
    if (period.from !== undefined) conditions.push('at >= @from')
    if (period.until !== undefined) conditions.push('at < @until')
    const sql = `${ENTRY} WHERE ${conditions.join(' AND ')} ORDER BY entry.id`
    const { from, until } = period
    return this.#file.committer.read(() =>
      this.#file.database.prepare<[object], EntryRow>(sql).all({ code, from, until }).map(entryOf),
    )
  }

  #known(code: string): AccountRow {
    const row = this.#byCode.get(code)
    if (!row) throw new BookError('unknown_account', `There is no account ${code}`)
    return row
  }
}

/** The same posting again is answered with the entry of the first time. */
function repeated(entry: NewEntry, earlier: Entry): Entry {
  if (earlier.kind === entry.kind && earlier.amount === entry.amount) return earlier
  throw new BookError(
    'reference_used',
    `The reference ${entry.reference} of ${entry.account} is that of another entry: ${earlier.kind} ${formatMoney(earlier.amount)}`,
  )
}

function checkPosting(entry: NewEntry, account: Account): void {
  const { amount, kind } = entry
  if (entry.reference === '') throw new BookError('bad_input', 'An entry needs a reference')
  if (amount === 0n) throw new BookError('bad_input', 'An entry of nothing cannot be booked')
  if (kind === 'top_up') checkNotNegative('A top-up', amount)
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

function accountOf(row: AccountRow): Account {
  return {
    code: row.code,
    name: row.name,
    plan: row.plan,
    state: row.state,
    creditLimit: row.credit_limit,
    balance: row.balance,
    held: row.held,
    createdAt: Number(row.created_at),
  }
}

function entryOf(row: EntryRow): Entry {
  return {
    id: Number(row.id),
    account: row.code,
    kind: row.kind,
    amount: row.amount,
    balance: row.balance_after,
    reference: row.reference,
    actor: row.actor,
    reason: row.reason,
    at: Number(row.at),
  }
}
