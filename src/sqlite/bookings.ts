/** The only code that changes a balance: with each change goes the entry that explains it. */
import type { EntryKind } from '../ledger/books.js'
import type { Money } from '../money.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import { insertInto } from './rows.js'

export interface Booking {
  readonly kind: EntryKind
  readonly amount: Money
  readonly reference: string
  /** The call that is refunded. */
  readonly callId?: string | null
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
  readonly #insert: Statement<[object]>

  constructor(file: LedgerFile) {
    const { database } = file
    this.#now = file.now
    this.#change = database
      .prepare<[Money, bigint], Money>(
        'UPDATE account SET balance = balance + ? WHERE id = ? RETURNING balance',
      )
      .pluck()
    this.#insert = database.prepare(insertInto('entry', ENTRY_COLUMNS))
  }

  /**
   * Books on an account, and returns its balance then. Only inside a transaction; the account's row
   * exists.
   */
  book(accountId: bigint, { callId = null, ...booking }: Booking): Money {
    const balance = this.#change.get(booking.amount, accountId)!
    this.#insert.run({
      ...booking,
      account_id: accountId,
      balance_after: balance,
      call_id: callId,
      at: this.#now(),
    })
    return balance
  }

  /** Books the operator's loss. Only inside a transaction. */
  writeOff(booking: Omit<Booking, 'kind' | 'callId'>): void {
    this.#insert.run({
      ...booking,
      kind: 'write_off',
      account_id: null,
      balance_after: null,
      call_id: null,
      at: this.#now(),
    })
  }
}
