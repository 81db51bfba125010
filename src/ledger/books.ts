/**
 * The ports to the ledger as people use it: accounts and their entries, CDRs, and the audit of the
 * whole. Same promises as Ledger: committed together, durable before they resolve.
 */

import type { Outcome, Resumable } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import type { Money } from '../money.js'
import type { AccountState } from './ledger.js'

export interface Account {
  /** What a leg carries in `ac`. */
  readonly code: string
  readonly name: string
  readonly plan: string
  readonly state: AccountState
  readonly creditLimit: Money
  readonly balance: Money
  readonly held: Money
  /** Microseconds since the epoch, by our clock. */
  readonly createdAt: number
}

/** balance + credit limit − held */
export function available(account: Pick<Account, 'balance' | 'creditLimit' | 'held'>): Money {
  return account.balance + account.creditLimit - account.held
}

/** `call` is negative; `write_off` belongs to the operator, and to no account. */
export type EntryKind = 'top_up' | 'adjustment' | 'call' | 'write_off'

/** An immutable booking. */
export interface Entry {
  readonly id: number
  /** Null for a write-off. */
  readonly account: string | null
  readonly kind: EntryKind
  readonly amount: Money
  /** The account's balance after it; null for a write-off. */
  readonly balance: Money | null
  /** The idempotency key; a call's Unique-ID for `call` and `write_off`. */
  readonly reference: string
  readonly actor: string
  readonly reason: string
  /** Microseconds since the epoch, by our clock. */
  readonly at: number
}

export interface NewAccount {
  readonly code: string
  readonly name: string
  readonly plan: string
  readonly creditLimit: Money
  /** Posted as a top-up with the reference `opening`; 0n posts nothing. */
  readonly credit: Money
  readonly actor: string
}

export interface AccountChanges {
  readonly name?: string
  readonly plan?: string
  readonly creditLimit?: Money
  readonly state?: AccountState
}

export interface NewEntry {
  readonly account: string
  readonly kind: 'top_up' | 'adjustment'
  readonly amount: Money
  readonly reference: string
  readonly actor: string
  readonly reason: string
}

export interface AccountFilter {
  /** Codes and names that contain this, whatever the case. */
  readonly search?: string
  readonly state?: AccountState
  readonly plan?: string
  /** Only codes after this one: lists are in the order of codes. */
  readonly after?: string
  readonly limit: number
}

export interface Period {
  /** Microseconds since the epoch; from inclusive, until exclusive. */
  readonly from?: number
  readonly until?: number
}

/** Rejects with BookError: a refusal in one sentence, with nothing changed. */
export interface Accounts {
  /** @throws BookError account_exists */
  create(account: NewAccount): Promise<Account>
  find(code: string): Promise<Account | undefined>
  list(filter: AccountFilter): Promise<Account[]>
  /** @throws BookError unknown_account, no_credit (the limit would leave less than nothing available) */
  change(code: string, changes: AccountChanges): Promise<Account>
  /**
   * Posts an entry, once for each reference of an account.
   * @throws BookError unknown_account, reference_used (for another amount or kind), no_credit (an
   *   adjustment would leave less than nothing available), too_much
   */
  post(entry: NewEntry): Promise<Entry>
  /** In the order of booking. Write-offs of the account's calls are not in it: they are not its. */
  entries(code: string, period: Period): Promise<Entry[]>
}

export interface CdrFilter extends Period {
  readonly account?: string
  readonly outcome?: Outcome
  /** Only calls that outlived their hold. */
  readonly writeOff?: boolean
  readonly limit: number
}

export interface Cdrs {
  find(callId: string): Promise<Cdr | undefined>
  /** The last to end come first. */
  list(filter: CdrFilter): Promise<Cdr[]>
}

/** What `tollgate verify` recomputes from the entries, and every sentence that does not hold. */
export interface Verification {
  readonly problems: readonly string[]
  readonly accounts: number
  readonly entries: number
  readonly cdrs: number
  readonly openCalls: number
  readonly writeOffs: Money
}

export interface Auditor {
  verify(): Promise<Verification>
  /** All calls that are not settled, of every switch. */
  allOpenCalls(): Promise<Resumable[]>
}

export type BookErrorCode =
  | 'account_exists'
  | 'unknown_account'
  | 'reference_used'
  | 'no_credit'
  | 'too_much'
  | 'unknown_plan'
  | 'plan_exists'
  | 'plan_in_use'
  | 'unknown_rate'
  | 'rate_exists'
  | 'no_rate'
  | 'unknown_call'
  | 'bad_input'

/** The books refuse. `message` is one clear sentence for the person who asked. */
export class BookError extends Error {
  override name = 'BookError'
  constructor(
    readonly code: BookErrorCode,
    message: string,
  ) {
    super(message)
  }
}
