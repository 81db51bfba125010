/**
 * The port to the books as people look through them: pages of long lists, in the order they like,
 * and all that is recorded of one call. It only reads, beside the calls, and no answer is longer
 * than a page.
 */
import type { Cdr, Milestone } from '../call/cdr.js'
import type { Money } from '../money.js'
import type { Rate } from '../rating/rate.js'
import type { AuditRecord } from './audit.js'
import type { Account, AccountFilter, CdrFilter, CdrTotals, Entry, Period } from './books.js'
import type { UnseenCall } from './repairs.js'

export const ACCOUNT_ORDERS = [
  'code',
  'name',
  'balance',
  'available',
  'live_calls',
  'created_at',
] as const

export type AccountOrder = (typeof ACCOUNT_ORDERS)[number]

/** `after` is the code of the last account of the page before, whatever the order. */
export interface AccountPage extends AccountFilter {
  readonly order: AccountOrder
  readonly descending: boolean
}

export interface EntryPage extends Period {
  /** The number of the last entry of the page before. */
  readonly before?: number
  readonly limit: number
}

/** What the books have of a call that has ended. */
export interface CallRecord {
  /** As it is now: corrected, where it was corrected. */
  readonly cdr: Cdr
  readonly rate: Rate | null
  readonly timeline: readonly Milestone[] | null
  /** The booking of what it cost; null where that was nothing. */
  readonly settled: Entry | null
  readonly refunds: readonly Entry[]
  /** What its CDR said at first, where it was corrected, and when it was. */
  readonly correction: { readonly at: number; readonly first: Pick<Cdr, 'endedAt' | 'cost'> } | null
  /** What people did to it while it was live, the oldest first. */
  readonly audit: readonly AuditRecord[]
}

/** What is live, as the books have it. */
export interface LiveTotals {
  readonly ringing: number
  readonly answered: number
  readonly held: Money
}

export interface Browsing {
  live(): Promise<LiveTotals>
  accounts(page: AccountPage): Promise<Account[]>
  accountCount(): Promise<number>
  /** The newest come first. */
  entries(account: string, page: EntryPage): Promise<Entry[]>
  /** What the CDRs add up to; the key is null. */
  cdrTotals(filter: Omit<CdrFilter, 'limit' | 'after'>): Promise<CdrTotals>
  call(callId: string): Promise<CallRecord | undefined>
  unseenCall(callId: string): Promise<UnseenCall | undefined>
  /** How many unseen calls nobody has decided on. */
  unseenCounts(): Promise<{ readonly waiting: number; readonly open: number }>
}
