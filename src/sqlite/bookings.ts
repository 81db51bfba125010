/** The only code that changes a balance: with each change goes the entry that explains it. */
import type { EntryKind } from '../ledger/books.js'
import type { Money } from '../money.js'
import type { AccountRow } from './account-rows.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import { insertValuesInto } from './rows.js'
import { WideRows } from './wide-rows.js'

export interface Booking {
  readonly kind: EntryKind
  readonly amount: Money
  readonly reference: string
  /** The call that is refunded. */
  readonly callId?: string | null
  readonly actor: string
  readonly reason: string
}

/** A call that is over: what was held for it, and how much of that it cost. */
export interface Captured {
  readonly held: Money
  readonly cost: Money
  readonly reference: string
  readonly actor: string
  readonly reason: string
}

/** What is looked at when a call is over: whether its account is low now, and whether its day is. */
type CapturedRow = Pick<AccountRow, 'id' | 'balance' | 'low_balance' | 'spent_on' | 'time_zone'>

const ENTRY_COLUMNS = [
  'account_id',
  'kind',
  'amount',
  'balance_after',
  'reference',
  'call_id',
  'actor',
  'reason',
  'at',
]

export class Bookings {
  readonly #now: () => number
  readonly #change: Statement<[Money, bigint], Money>
  readonly #capture: WideRows<[Money, Money, Money, bigint], CapturedRow>
  readonly #insert: Statement<unknown[]>

  constructor(file: LedgerFile) {
    const { database } = file
    this.#now = file.now
    this.#change = database
      .prepare<[Money, bigint], Money>(
        'UPDATE account SET balance = balance + ? WHERE id = ? RETURNING balance',
      )
      .pluck()
    const capture = `UPDATE account SET held = held - ?, live_calls = live_calls - 1,
      balance = balance - ?, spent = spent + ? WHERE id = ?
      RETURNING id, balance, low_balance, spent_on, time_zone`
    this.#capture = new WideRows(database, capture)
    this.#insert = database.prepare(insertValuesInto('entry', ENTRY_COLUMNS))
  }

  /**
   * Books on an account, and returns its balance then. Only inside a transaction; the account's row
   * exists.
   */
  book(accountId: bigint, booking: Booking): Money {
    const balance = this.#change.get(booking.amount, accountId)!
    this.#enter(accountId, balance, booking)
    return balance
  }

  /**
   * Ends the hold of a call and books what it cost, also on the day. Returns the account as it is
   * then. Only inside a transaction; the account's row exists.
   */
  capture(accountId: bigint, { held, cost, reference, actor, reason }: Captured): CapturedRow {
    const account = this.#capture.get(held, cost, cost, accountId)!
    if (cost > 0n) {
      const booking = { kind: 'call', amount: -cost, reference, actor, reason } as const
      this.#enter(accountId, account.balance, booking)
    }
    return account
  }

  /** Books the operator's loss. Only inside a transaction. */
  writeOff(booking: Omit<Booking, 'kind' | 'callId'>): void {
    this.#enter(null, null, { ...booking, kind: 'write_off' })
  }

  #enter(accountId: bigint | null, balance: Money | null, booking: Booking): void {
    const { kind, amount, reference, callId = null, actor, reason } = booking
    const values = [accountId, kind, amount, balance, reference, callId, actor, reason]
    this.#insert.run(...values, this.#now())
  }
}
