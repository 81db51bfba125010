/**
 * The limits of an account, as pure functions: which of them refuses a new call, and how much they
 * let be held. The ledger asks within the transaction that holds, so they are kept as strictly as
 * the balance is.
 */
import type { AccountLimit, Leg } from '../call/call.js'
import { larger, type Money } from '../money.js'
import type { Tariff } from '../rating/tariff.js'

/** What an operator may set for an account; null: no limit. */
export interface Limits {
  /** Legs that ring or talk at the same time. */
  readonly maxCalls: number | null
  /** Legs let through in any second, by the stamps of their creation. */
  readonly maxCallsPerSecond: number | null
  /** The highest price per minute. */
  readonly maxPerMinute: Money | null
  /** What a single call may cost. */
  readonly maxSpendPerCall: Money | null
  /** What calls may cost that are settled on one day, together with all that is held. */
  readonly maxSpendPerDay: Money | null
  /** The longest call, in seconds. */
  readonly longestCallS: number | null
}

export const NO_LIMITS: Limits = {
  maxCalls: null,
  maxCallsPerSecond: null,
  maxPerMinute: null,
  maxSpendPerCall: null,
  maxSpendPerDay: null,
  longestCallS: null,
}

/** What an account has in use. */
export interface Usage {
  readonly liveCalls: number
  /** What calls cost that were settled today. */
  readonly spentToday: Money
  readonly held: Money
  /** balance + credit limit − held */
  readonly available: Money
}

/** Why another call is not let through at all, if it is not; how often per second is asked apart. */
export function limitAgainst(limits: Limits, usage: Usage, tariff: Tariff): AccountLimit | null {
  const { maxPerMinute, maxCalls } = limits
  const dearest = [tariff, ...tariff.later].map(({ rate }) => rate.perMinute).reduce(larger)
  if (maxPerMinute !== null && dearest > maxPerMinute) return 'max_per_minute'
  if (maxCalls !== null && usage.liveCalls >= maxCalls) return 'max_calls'
  return null
}

/** The most that may be held for a call, and what it is that allows no more. */
export interface Ceiling {
  readonly amount: Money
  readonly reason: 'no_credit' | AccountLimit
}

/** @param heldForCall the part of `usage.held` that is held for the call already */
export function ceilingOf(limits: Limits, usage: Usage, heldForCall: Money): Ceiling {
  const { maxSpendPerCall, maxSpendPerDay } = limits
  const ceilings: Ceiling[] = [{ amount: usage.available + heldForCall, reason: 'no_credit' }]
  if (maxSpendPerCall !== null) {
    ceilings.push({ amount: maxSpendPerCall, reason: 'max_spend_per_call' })
  }
  if (maxSpendPerDay !== null) {
    const others = usage.spentToday + usage.held - heldForCall
    ceilings.push({ amount: larger(0n, maxSpendPerDay - others), reason: 'max_spend_per_day' })
  }
  return ceilings.reduce((lowest, one) => (one.amount < lowest.amount ? one : lowest))
}

const SECOND_US = 1e6

/** Of each account at least as many calls are remembered, those that came last: some come late. */
const REMEMBERED = 1000

/**
 * Counts the calls of each account that were let through in any second of their creation. It goes by
 * the stamps of each switch, so that calls which are found again after a start count when they
 * began. It is kept in memory: a second later it would be worth nothing.
 */
export class CallsPerSecond {
  readonly #stamps = new Map<string, number[]>()

  /**
   * Whether a call may go through; if so, it is counted. Events come late, and in another order than
   * things happened: so the seconds that end after the call's creation must have room for it, too.
   */
  admit({ account, switch: name, createdAt }: Leg, max: number): boolean {
    // The clocks of two switches have nothing to do with each other.
    const key = JSON.stringify([account, name])
    const stamps = [...(this.#stamps.get(key) ?? []), createdAt]
    const ends = new Set(stamps.filter(at => at >= createdAt && at < createdAt + SECOND_US))
    const isFull = (end: number) =>
      stamps.filter(at => at > end - SECOND_US && at <= end).length > max
    if ([...ends].some(isFull)) return false
    this.#stamps.set(key, stamps.slice(-Math.max(REMEMBERED, 2 * max)))
    return true
  }
}
