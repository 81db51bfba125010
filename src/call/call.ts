/**
 * The vocabulary of a call. Types only: step.ts has the rules.
 *
 *   event    what has happened: in the past tense, stamped with the time it happened
 *   call     what we know: the fold of all events so far
 *   command  what we want done: in the imperative, carried out by the controller
 */
import type { Money } from '../money.js'
import type { PriceRefusal } from '../rating/pricing.js'
import type { Tariff } from '../rating/tariff.js'

/**
 * Microseconds since the epoch by the clock of the switch, never by ours: FreeSWITCH's clock does
 * not follow NTP steps (switch_time.c:610), so the two must not be mixed.
 */
export type Instant = number

/** Why a leg was not let through. */
export type Refusal =
  | 'unknown_account'
  | 'account_suspended'
  | 'account_closed'
  | PriceRefusal
  | 'no_credit'
  | AccountLimit
  | 'ledger_unavailable'

/** A limit of the account that would be exceeded: called as the field of the account that sets it. */
export type AccountLimit =
  | 'max_calls'
  | 'max_calls_per_second'
  | 'max_per_minute'
  | 'max_spend_per_call'
  | 'max_spend_per_day'

/**
 * Why a live leg was ended by us, or what else its CDR has to say: it reached the longest call; the
 * hold was not renewed in time, by our fault; an operator killed it; its end was never seen.
 */
export type Reason = Refusal | 'longest_call' | 'not_renewed' | 'killed' | 'lost'

/** The paying leg as the switch announced it. */
export interface Leg {
  /** The leg's Unique-ID. */
  readonly callId: string
  /** The name of the switch that it runs on. */
  readonly switch: string
  /** The run of the switch, its Core-UUID: legs do not survive it, unless they are recovered. */
  readonly coreUuid: string
  readonly account: string
  /** As dialled: `Caller-Destination-Number`, or `ac_number` on the leg. */
  readonly dialled: string
  readonly createdAt: Instant
  /** The A-leg, which hears the warnings: the leg itself, where that is one. Null where there is none. */
  readonly otherLeg: string | null
}

export type Event =
  /** `answeredAt` where the leg was found answered: its ANSWER is past, or was lost. */
  | { type: 'created'; at: Instant; leg: Leg; answeredAt: Instant | null }
  /** A call that the ledger has on record is still alive: we go on where we, or another, left off. */
  | { type: 'resumed'; at: Instant; call: Resumable }
  /** The answer to `price`. */
  | { type: 'priced'; at: Instant; tariff: Tariff }
  | Unpriced
  /** The answer to `hold`: all that is held now, how often it was raised, why it is less than asked. */
  | { type: 'held'; at: Instant; held: Money; raises: number; reason: Refusal | null }
  /** The ledger could not be asked. Nothing has changed in it. */
  | { type: 'holdFailed'; at: Instant }
  | { type: 'answered'; at: Instant }
  /** The instant that `wakeAt` named has come. */
  | { type: 'woken'; at: Instant }
  /** The account has been given credit. */
  | { type: 'toppedUp'; at: Instant }
  /** An operator wants the leg ended. */
  | { type: 'killed'; at: Instant }
  /** The switch could not be told to hang up. */
  | { type: 'hangUpFailed'; at: Instant }
  | HungUp
  /** The answer to `settle`; also to `hold`, where the call turns out to be settled already. */
  | { type: 'settled'; at: Instant }
  | { type: 'settleFailed'; at: Instant }

/** The other answer to `price`, with as much as was found. */
export interface Unpriced {
  readonly type: 'unpriced'
  readonly at: Instant
  readonly reason: Refusal
  readonly plan: string | null
  readonly number: string | null
  readonly tariff: Tariff | null
}

/**
 * The end of a leg. `exact` says whether `at` is the switch's Caller-Channel-Hangup-Time, which only
 * HANGUP_COMPLETE and DESTROY carry: HANGUP's own stamp is 20 ms early for every third leg.
 */
export interface HungUp {
  readonly type: 'hungUp'
  readonly at: Instant
  readonly answeredAt: Instant | null
  readonly cause: string
  readonly exact: boolean
  /** Nobody saw the end: it is proven that the leg is gone, and `at` is when it was last alive. */
  readonly lost: boolean
}

/** What the ledger remembers of a call. */
export interface Resumable {
  readonly leg: Leg
  readonly tariff: Tariff
  readonly answeredAt: Instant | null
  readonly held: Money
  readonly raises: number
}

export type Command =
  /** Look up the account, its plan and the rate of the number: answered by `priced` or `unpriced`. */
  | { type: 'price' }
  /** Raise the hold *to* `total`, or as far as there is credit but not below `atLeast`. */
  | { type: 'hold'; total: Money; atLeast: Money; answeredAt: Instant | null }
  /** Write down that the leg was answered, so that it is known after a crash. */
  | { type: 'note'; answeredAt: Instant }
  /** Have the switch arm its own timer by itself when the leg is answered. */
  | { type: 'hangUpAfterAnswer'; talkS: number }
  /** Arm or move the switch's own timer: it ends the leg even when this process is gone. */
  | { type: 'hangUpAt'; at: Instant; raises: number }
  | { type: 'hangUp'; why: 'refused' | 'cut_off' | 'killed' }
  /** Replaces what was asked before: a call has one alarm. */
  | { type: 'wakeAt'; at: Instant }
  /** Tell the caller that the credit ends at `fundedUntil`. */
  | { type: 'warn'; fundedUntil: Instant }
  /** End the hold: capture `price`, at most what is held, release the rest, file the CDR. */
  | { type: 'settle'; price: Money; ending: Ending }

/** What a CDR says about the end; the ledger adds cost, held and write-off. */
export interface Ending {
  readonly answeredAt: Instant | null
  readonly endedAt: Instant
  readonly billedS: number
  /** What the carrier charges for it; null where that is not known. */
  readonly carrierCost: Money | null
  readonly outcome: Outcome
  readonly reason: Reason | null
  readonly cause: string
}

export type Outcome = 'completed' | 'unanswered' | 'refused' | 'cut_off'

/** What every phase after `new` knows. */
interface Known {
  readonly leg: Leg
  /** An operator has asked for its end. */
  readonly killed: boolean
}

/** What is known once there is a price. */
interface Priced extends Known {
  readonly tariff: Tariff
}

/** The rate is being looked up. The far end may answer, or hang up, meanwhile. */
export interface Pricing extends Known {
  readonly phase: 'pricing'
  readonly answeredAt: Instant | null
  readonly hungUp: HungUp | null
}

/** The first hold has been asked for. The far end may answer meanwhile. */
export interface Authorizing extends Priced {
  readonly phase: 'authorizing'
  readonly answeredAt: Instant | null
}

export interface Ringing extends Priced {
  readonly phase: 'ringing'
  readonly held: Money
  readonly raises: number
}

export interface Answered extends Priced {
  readonly phase: 'answered'
  readonly answeredAt: Instant
  readonly held: Money
  readonly raises: number
  readonly fundedUntil: Instant
  /** Why the hold could not be raised: the call ends at `fundedUntil`, unless credit turns up. */
  readonly final: Reason | null
  /** A `hold` is on its way to the ledger; `again` when credit arrived after it had left. */
  readonly asking: 'no' | 'once' | 'again'
  /** We have told the switch to end it. */
  readonly cutOff: boolean
  /** The `raises` for which the switch's timer was last armed. */
  readonly armed: number
  /** The `fundedUntil` that the caller has been warned of. */
  readonly warnedOf: Instant | null
}

/** Not let through: the switch has been told to hang up, and its word that it did is awaited. */
export interface Refused extends Known {
  readonly phase: 'refused'
  readonly reason: Refusal
  readonly tariff: Tariff | null
  readonly plan: string | null
  readonly number: string | null
  readonly answeredAt: Instant | null
}

/** Hung up. First the exact stamp, then the ledger's word that it is settled, is awaited. */
export interface Settling extends Known {
  readonly phase: 'settling'
  readonly tariff: Tariff | null
  readonly plan: string | null
  readonly number: string | null
  readonly price: Money
  readonly ending: Ending
  /** What the call was when it hung up, for as long as a better stamp may come; then null. */
  readonly before: Authorizing | Ringing | Answered | Refused | null
}

export interface Ended extends Known {
  readonly phase: 'ended'
}

export type Call =
  | { readonly phase: 'new' }
  | Pricing
  | Authorizing
  | Ringing
  | Answered
  | Refused
  | Settling
  | Ended

export type Phase = Call['phase']
