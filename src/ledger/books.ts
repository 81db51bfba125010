/**
 * The ports to the ledger as people use it: accounts and their entries, CDRs, and the audit of the
 * whole. Same promises as Ledger: committed together, durable before they resolve. Each change of
 * an account and each posting by a person goes into the record of who changed what, in the same
 * transaction.
 */

import type { Outcome, Reason, Resumable } from '../call/call.js'
import type { Cdr, Milestone } from '../call/cdr.js'
import type { Money } from '../money.js'
import type { AuditFilter, AuditRecord } from './audit.js'
import type { AccountState } from './ledger.js'
import { type Limits, NO_LIMITS } from './limits.js'

/** What an operator decides about an account. */
export interface AccountTerms extends Limits {
  readonly name: string
  readonly plan: string
  /** A plan whose rates come in front of the plan's. */
  readonly specialPlan: string | null
  readonly notes: string
  /** IANA name; its days begin at midnight there. */
  readonly timeZone: string
  readonly creditLimit: Money
  /** A balance below this is told: in lists, and in the log when it is crossed. */
  readonly lowBalance: Money | null
}

/** What an account is of which only the plan was said. */
export const DEFAULT_TERMS: Omit<AccountTerms, 'plan'> = {
  name: '',
  specialPlan: null,
  notes: '',
  timeZone: 'UTC',
  creditLimit: 0n,
  ...NO_LIMITS,
  lowBalance: null,
}

export interface Account extends AccountTerms {
  /** What a leg carries in `ac`. */
  readonly code: string
  readonly state: AccountState
  readonly balance: Money
  readonly held: Money
  readonly liveCalls: number
  /** What its calls cost that were settled today, in its time zone. */
  readonly spentToday: Money
  /** Microseconds since the epoch, by our clock. */
  readonly createdAt: number
}

/** balance + credit limit − held */
export function available(account: Pick<Account, 'balance' | 'creditLimit' | 'held'>): Money {
  return account.balance + account.creditLimit - account.held
}

/** `call` is negative; `write_off` belongs to the operator, and to no account. */
export type EntryKind = 'top_up' | 'adjustment' | 'refund' | 'call' | 'write_off'

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
  /** The call that is refunded. */
  readonly callId: string | null
  readonly actor: string
  readonly reason: string
  /** Microseconds since the epoch, by our clock. */
  readonly at: number
}

export interface NewAccount extends AccountTerms {
  readonly code: string
  /** Posted as a top-up with the reference `opening`; 0n posts nothing. */
  readonly credit: Money
  readonly actor: string
}

export type AccountChanges = Partial<AccountTerms & { readonly state: AccountState }>

export interface NewEntry {
  readonly account: string
  readonly kind: 'top_up' | 'adjustment'
  readonly amount: Money
  readonly reference: string
  readonly actor: string
  readonly reason: string
}

export interface NewRefund {
  readonly callId: string
  /** Null: all of its cost that has not been refunded yet. */
  readonly amount: Money | null
  readonly reference: string
  readonly actor: string
  readonly reason: string
}

export interface AccountFilter {
  /** Codes and names that contain this, whatever the case. */
  readonly search?: string
  readonly state?: AccountState
  readonly plan?: string
  readonly specialPlan?: string
  /** Only accounts whose balance is below the threshold that they have for that. */
  readonly low?: boolean
  /** Only codes after this one: lists are in the order of codes. */
  readonly after?: string
  readonly limit: number
}

export interface Period {
  /** Microseconds since the epoch; from inclusive, until exclusive. */
  readonly from?: number
  readonly until?: number
}

export interface EntryPage extends Period {
  /** Only entries after the one with this id. */
  readonly after?: number
  readonly limit?: number
}

/** Looks, in the transaction of a change, at what is to be changed; what it throws undoes it. */
export type Expectation<T> = (old: T) => void

/** Rejects with BookError: a refusal in one sentence, with nothing changed. */
export interface Accounts {
  /** @throws BookError account_exists */
  create(account: NewAccount): Promise<Account>
  find(code: string): Promise<Account | undefined>
  list(filter: AccountFilter): Promise<Account[]>
  /** @throws BookError unknown_account, no_credit (the limit would leave less than nothing available) */
  change(
    code: string,
    changes: AccountChanges,
    actor: string,
    expect?: Expectation<Account>,
  ): Promise<Account>
  /**
   * Posts an entry, once for each reference of an account.
   * @throws BookError unknown_account, reference_used (for another amount or kind), no_credit (an
   *   adjustment would leave less than nothing available), too_much, account_closed (a top-up)
   */
  post(entry: NewEntry): Promise<Entry>
  /**
   * Gives back what a call cost, or part of it, once for each reference of its account.
   * @throws BookError unknown_call, reference_used, too_much (more than the call cost in all)
   */
  refund(refund: NewRefund): Promise<Entry>
  /** In the order of booking. Write-offs of the account's calls are not in it: they are not its. */
  entries(code: string, page: EntryPage): Promise<Entry[]>
  /** What the last entry before an instant left; before now, where none is named. */
  balanceBefore(code: string, until: number | undefined): Promise<Money>
}

export interface CdrFilter extends Period {
  readonly account?: string
  readonly outcome?: Outcome
  readonly reason?: Reason
  /** What the number begins with. */
  readonly number?: string
  /** Only calls that outlived their hold. */
  readonly writeOff?: boolean
  /** Only what comes after this one in the list: the last of the page before. */
  readonly after?: Pick<Cdr, 'endedAt' | 'callId'>
  readonly limit: number
}

/** What the CDRs of a period are added up by. */
export type CdrGroup = 'day' | 'account' | 'plan' | 'prefix' | 'reason' | 'switch'

export interface CdrTotals {
  /** The day (UTC), the account's code, …; null for calls that have none. */
  readonly key: string | null
  readonly calls: number
  readonly answered: number
  readonly billedS: number
  readonly cost: Money
  /** What the carriers charge for the calls where that is known; and what those calls brought. */
  readonly carrierCost: Money
  readonly costWithCarrier: Money
  readonly writeOff: Money
}

export interface Cdrs {
  find(callId: string): Promise<Cdr | undefined>
  /** In its order; null for a call that is older than timelines. */
  timeline(callId: string): Promise<Milestone[] | null>
  /** The last to end come first. */
  list(filter: CdrFilter): Promise<Cdr[]>
  /** In the order of the keys. */
  totals(filter: Omit<CdrFilter, 'limit' | 'after'>, by: CdrGroup): Promise<CdrTotals[]>
}

/** The record of who changed what in the ledger. */
export interface AuditTrail {
  /** For what is done outside the ledger, such as ending a call. */
  record(record: Omit<AuditRecord, 'id' | 'at'>): Promise<void>
  /** The newest come first. */
  audit(filter: AuditFilter): Promise<AuditRecord[]>
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
  | 'account_closed'
  | 'reference_used'
  | 'no_credit'
  | 'too_much'
  | 'unknown_plan'
  | 'plan_exists'
  | 'plan_in_use'
  | 'unknown_period'
  | 'unknown_rate'
  | 'rate_exists'
  | 'no_rate'
  | 'unknown_call'
  | 'call_decided'
  | 'sip_account_exists'
  | 'unknown_sip_account'
  | 'user_exists'
  | 'unknown_user'
  | 'last_admin'
  | 'wrong_password'
  | 'token_exists'
  | 'unknown_token'
  | 'link_used'
  | 'changed_meanwhile'
  | 'too_many_tries'
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
