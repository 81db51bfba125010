/** The only code that changes a balance: with each change goes the entry that explains it. */
import type { Instant } from '../call/call.js'
import type { EntryKind } from '../ledger/books.js'
import type { Money } from '../money.js'
import type { AccountRow } from './account-rows.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import { insertValuesInto } from './rows.js'

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
  readonly #capture: Statement<[Money, Money, Money, bigint]>
  readonly #insert: Statement<[unknown[]]>

  constructor(file: LedgerFile) {
    const { database } = file
    this.#now = file.now
    this.#change = database
      .prepare<[Money, bigint], Money>(
        'UPDATE account SET balance = balance + ? WHERE id = ? RETURNING balance',
      )
      .pluck()
    this.#capture = database.prepare(`UPDATE account SET held = held - ?,
      live_calls = live_calls - 1, balance = balance - ?, spent = spent + ? WHERE id = ?`)
    this.#insert = database.prepare(insertValuesInto('entry', ENTRY_COLUMNS))
  }

  /**
   * Books on an account, and returns its balance then. Only inside a transaction; the account's row
   * exists.
   */
  book(accountId: bigint, booking: Booking): Money {
    const balance = this.#change.get(booking.amount, accountId)!
    this.#enter(accountId, balance, booking, this.#now())
    return balance
  }

  /**
   * Ends the hold of a call and books what it cost, also on the day, which is that of `at`. Returns the
   * balance then. Only inside a transaction.
   * @param account as its row is
   */
  capture(account: Pick<AccountRow, 'id' | 'balance'>, captured: Captured, at: Instant): Money {
    const { held, cost, reference, actor, reason } = captured
    const balance = account.balance - cost
    this.#capture.run(held, cost, cost, account.id)
    if (cost > 0n) {
      const booking = { kind: 'call', amount: -cost, reference, actor, reason } as const
      this.#enter(account.id, balance, booking, at)
    }
    return balance
  }

  /** Books the operator's loss. Only inside a transaction. */
  writeOff(booking: Omit<Booking, 'kind' | 'callId'>): void {
    this.#enter(null, null, { ...booking, kind: 'write_off' }, this.#now())
  }

  #enter(account: bigint | null, balance: Money | null, booking: Booking, at: Instant): void {
    const { kind, amount, reference, callId = null, actor, reason } = booking
    this.#insert.run([account, kind, amount, balance, reference, callId, actor, reason, at])
  }
}
