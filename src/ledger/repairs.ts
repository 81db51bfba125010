/**
 * The port to the ledger for what is learnt of a call after its end. Same promises as Ledger: every
 * method may be repeated, is committed together with its neighbours, and durable before it resolves.
 *
 *   a CDR whose end was lost     is corrected, once
 *   a leg that nobody saw        waits; then it is listed, and charged or dismissed
 */
import type { Ending, Instant, Leg, Resumable } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import type { Money } from '../money.js'
import type { Tariff } from '../rating/tariff.js'
import { BookError } from './books.js'
import type { Settlement } from './ledger.js'

/** What the ledger has of a leg. */
export type Standing =
  | { readonly status: 'unknown' }
  /** Credit is held for it. */
  | { readonly status: 'open'; readonly call: Resumable }
  | { readonly status: 'filed'; readonly cdr: Cdr; readonly tariff: Tariff | null }

/** `waiting` for events that may be late, or for its A-leg; then `open` for the operator. */
export type UnseenState = 'waiting' | 'open' | 'charged' | 'dismissed'

/** A leg that has ended, as its switch recorded it. */
export interface EndedLeg extends Omit<Leg, 'account'> {
  /** Null where only the record of its A-leg can tell who pays. */
  readonly account: string | null
  readonly answeredAt: Instant | null
  readonly endedAt: Instant
  readonly cause: string
}

export interface UnseenCall extends EndedLeg {
  readonly state: UnseenState
  /** Microseconds since the epoch, by our clock. */
  readonly receivedAt: number
  readonly decidedAt: number | null
  readonly decidedBy: string | null
  readonly reason: string
}

/** An unseen call of which it is known who pays. */
export type PayingCall = UnseenCall & { readonly account: string }

/** The code that a leg carried: that of the legs dialled for it, where they have none. */
export interface ALeg {
  readonly legId: string
  /** Null where it has none for others. */
  readonly code: string | null
}

export interface UnseenFilter {
  readonly account?: string
  readonly state?: UnseenState
  /** Only what comes after this one in the list: the last of the page before. */
  readonly after?: Pick<UnseenCall, 'endedAt' | 'callId'>
  readonly limit: number
}

export interface Decision {
  readonly callId: string
  readonly actor: string
  readonly reason: string
}

/**
 * The call, where somebody may decide about it.
 * @throws BookError unknown_call, call_decided, unknown_account
 */
export function undecided(callId: string, call: UnseenCall | undefined): PayingCall {
  if (!call) {
    throw new BookError('unknown_call', `There is no unseen call ${callId} to be decided on`)
  }
  const { state, decidedBy, account } = call
  if (state === 'charged' || state === 'dismissed') {
    const sentence = `The call ${callId} has been ${state} already, by ${decidedBy}`
    throw new BookError('call_decided', sentence)
  }
  if (account === null) {
    const sentence = `Who pays for the call ${callId} is not known yet: it waits for its A-leg`
    throw new BookError('unknown_account', sentence)
  }
  return { ...call, account }
}

export interface Repairs {
  /** All that was asked of the ledger before is in it. */
  standing(callId: string): Promise<Standing>

  /** What the switch of this run is called in our books; undefined where none was heard of. */
  switchOf(coreUuid: string): Promise<string | undefined>

  /**
   * Keeps the record of a leg that the ledger may not know; the code of its A-leg is put in where
   * that has told. Resolves to what is kept, which where it was kept before is that of the first time;
   * null where its A-leg has no code.
   */
  keep(leg: EndedLeg): Promise<UnseenCall | null>

  /**
   * The record of an A-leg has come: kept legs that waited for its code have it now, or are forgotten
   * where it has none. Where `dialled` names a leg that the ledger does not know, or nobody knows
   * which legs were dialled, the code is kept for those whose records come later.
   */
  learn(aLeg: ALeg, dialled: readonly string[]): Promise<void>

  /**
   * Corrects the CDR of a call whose end was lost. What the price is higher by than was known is
   * booked up to what was held for the call, as far as there is credit; the rest is written off, and
   * what was written off stays so. What it is lower by is given back, less what was refunded. Does
   * nothing to any other CDR, and to one that is corrected already: then it resolves to null.
   */
  correct(callId: string, price: Money, ending: Ending): Promise<Cdr | null>

  /** Waiting legs that somebody has to pay for, and that came until then. */
  due(receivedUntil: number): Promise<PayingCall[]>

  /** A waiting leg is the operator's to decide. */
  list(callId: string): Promise<void>

  /** The leg is not unseen any more, or nobody has to pay for it. Decided ones stay. */
  forget(callId: string): Promise<void>

  /**
   * Files the CDR of an unseen call, with what can be held for its price; the rest is written off.
   * @throws BookError unknown_call, call_decided, unknown_account
   */
  charge(settlement: Settlement, by: Decision): Promise<Cdr>

  /** @throws BookError unknown_call, call_decided, unknown_account */
  dismiss(by: Decision): Promise<UnseenCall>

  find(callId: string): Promise<UnseenCall | undefined>

  /** The last to end come first. */
  unseen(filter: UnseenFilter): Promise<UnseenCall[]>

  /** Forgets what has waited for a record since before then that will not come any more. */
  prune(receivedBefore: number): Promise<void>
}
