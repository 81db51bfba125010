/**
 * The port to the ledger, as calls use it. sqlite/ implements it and passes
 * test/integration/ledger-contract.ts.
 *
 *   balance     the sum of an account's entries
 *   held        what its live calls have set aside, together
 *   available   balance + credit limit − held: what a new call may still use, never below zero
 *
 * Every method may be repeated with the same arguments, at any time: the second call changes
 * nothing and answers as the first did. That makes it safe to ask again after a crash. Methods that
 * are called in one turn of the event loop are carried out in that order and committed together;
 * none resolves before its commit is durable. One that is refused does not undo its neighbours.
 * All reject with LedgerError('unavailable') when the database cannot be written; nothing has
 * changed then.
 */
import type { Ending, Instant, Leg, Refusal, Resumable } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import type { Money } from '../money.js'
import type { RatedBy } from '../rating/pricing.js'
import type { Tariff } from '../rating/tariff.js'

export interface Ledger {
  /**
   * Whose leg it is and how it is rated, by what is committed; undefined for an unknown code. It only
   * reads: the first hold looks at the account again.
   */
  payer(account: string): Promise<Payer | undefined>

  /**
   * Raises the hold of a call *to* `total`, or by all that is available where that is less, but not
   * at all where it would stay below `atLeast`. Never lowers it, and never goes beyond a limit of
   * the account (limits.ts). The first hold of a call records the call; it needs an active account,
   * a raise on one that is suspended or closed grants nothing.
   */
  hold(request: HoldRequest): Promise<Held>

  /** Records that a held call was answered. Nothing happens where there is no such call. */
  note(callId: string, answeredAt: Instant): Promise<void>

  /** Records that the caller of a held call was told at that instant that his credit is about to end. */
  warned(callId: string, at: Instant): Promise<void>

  /**
   * Ends a hold, once: captures `price`, at most what is held, releases the rest, books what the
   * price exceeds the hold by as a write-off, and files the CDR. A call that was never held gets
   * its CDR and costs nothing. Resolves to the CDR; when repeated, to that of the first time.
   */
  settle(settlement: Settlement): Promise<Cdr>

  /**
   * Gives back the hold of a call whose leg never came, and forgets the call: it gets no CDR, and its
   * id may be held for anew. Nothing happens where there is no such call, nor where it was answered:
   * that one is settled.
   */
  release(callId: string): Promise<void>

  /** The switch gave a leg a new Unique-ID (CHANNEL_UUID): its call goes on under it. */
  rename(callId: string, newCallId: string): Promise<void>

  /** The calls of a switch that are recorded and not settled, with all that recovery needs. */
  openCalls(switchName: string): Promise<Resumable[]>

  /** Records that the switch, in this run, was heard of at this instant. Never moves backwards. */
  heard(switchName: string, coreUuid: string, at: Instant): Promise<void>

  /** When each run of a switch was last heard of. */
  lastHeard(switchName: string, coreUuid: string): Promise<Instant | undefined>
}

export interface Payer extends RatedBy {
  readonly state: AccountState
}

/** Suspended for a while, or closed for good: both let no new calls through. */
export type AccountState = 'active' | 'suspended' | 'closed'

export interface HoldRequest {
  /** When it is asked for, by the clock of the switch: for the call's story, nothing depends on it. */
  readonly at: Instant
  readonly leg: Leg
  readonly tariff: Tariff
  readonly answeredAt: Instant | null
  readonly total: Money
  readonly atLeast: Money
}

export type Held =
  /** All that is held now, how often it has been raised, and why that is less than asked. */
  | {
      readonly status: 'held'
      readonly held: Money
      readonly raises: number
      readonly reason: Refusal | null
    }
  /** The call has ended and its CDR is filed: nothing can be held for it any more. */
  | { readonly status: 'settled' }

export interface Settlement {
  readonly leg: Leg
  readonly tariff: Tariff | null
  /** As far as known where there is no tariff. */
  readonly plan: string | null
  readonly number: string | null
  readonly price: Money
  readonly ending: Ending
}

export type LedgerErrorCode =
  /** Locked, full, read-only, damaged: the message says which. Ask again later. */
  | 'unavailable'
  /** The file is not one of ours, or of a newer Tollgate. */
  | 'unusable'
  /** Another process has it. */
  | 'in_use'

/** The ledger could not do its work. Not for a lack of credit, which is an answer: see hold(). */
export class LedgerError extends Error {
  override name = 'LedgerError'
  constructor(
    readonly code: LedgerErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
