/** The exact ends of calls whose CDRs say that they were lost: the rows of `correction`. */
import type { Ending } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import { larger, type Money, smaller } from '../money.js'
import type { AccountRow } from './account-rows.js'
import { Bookings } from './bookings.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import { insertInto } from './rows.js'

const ACTOR = 'tollgate'

/** What the references of corrections begin with, and those of no other entry. */
const REFERENCE = 'correction-'

/** Whether no entry but a correction may be booked with this reference. */
export function isOfCorrection(reference: string): boolean {
  return reference.startsWith(REFERENCE)
}

const COLUMNS = [
  'leg_id',
  'answered_at',
  'ended_at',
  'billed_s',
  'outcome',
  'reason',
  'cause',
  'cost',
  'write_off',
  'at',
]

export class Corrections {
  readonly #now: () => number
  readonly #bookings: Bookings
  readonly #insert: Statement<[object]>
  readonly #account: Statement<
    [string],
    Pick<AccountRow, 'id' | 'balance' | 'credit_limit' | 'held'>
  >
  readonly #refunded: Statement<[string], Money>

  constructor(file: LedgerFile) {
    const { database } = file
    this.#now = file.now
    this.#bookings = new Bookings(file)
    this.#insert = database.prepare(insertInto('correction', COLUMNS))
    this.#account = database.prepare(
      'SELECT id, balance, credit_limit, held FROM account WHERE code = ?',
    )
    this.#refunded = database
      .prepare<[string], Money>('SELECT coalesce(sum(amount), 0) FROM entry WHERE call_id = ?')
      .pluck()
  }

  /**
   * Corrects a CDR that has not been corrected. Only inside a transaction. However late its price is
   * known, a call costs no more than was held for it. What it costs less is given back, as far as it
   * was not refunded before.
   */
  add(cdr: Cdr, price: Money, ending: Ending): void {
    const { callId } = cdr
    const account = this.#account.get(cdr.account)
    const more = larger(0n, price - cdr.cost - cdr.writeOff)
    const available = account
      ? larger(0n, account.balance + account.credit_limit - account.held)
      : 0n
    const charge = smaller(more, smaller(available, cdr.held - cdr.cost))
    const back = larger(0n, cdr.cost - price - this.#refunded.get(callId)!)
    const booking = {
      reference: `${REFERENCE}${callId}`,
      actor: ACTOR,
      reason: `the end of the call to ${cdr.number ?? cdr.dialled} was learnt later`,
    }
    const amount = back - charge
    if (account && amount !== 0n) {
      this.#bookings.book(account.id, { ...booking, kind: 'adjustment', amount })
    }
    if (more > charge) this.#bookings.writeOff({ ...booking, amount: more - charge })
    this.#insert.run({
      leg_id: callId,
      answered_at: ending.answeredAt,
      ended_at: ending.endedAt,
      billed_s: ending.billedS,
      outcome: ending.outcome,
      reason: ending.reason,
      cause: ending.cause,
      cost: cdr.cost - amount,
      write_off: cdr.writeOff + more - charge,
      at: this.#now(),
    })
  }
}
