/**
 * The port to what the calls of a time add up to, for charts. It reads beside the calls, and never
 * keeps them waiting: what it asks of the books at a time is bounded by the calls that end in one
 * slot.
 */
import type { Instant } from '../call/call.js'
import type { Money } from '../money.js'

/** Five minutes: whatever is drawn is made of these. */
export const SLOT_US = 300_000_000

/** What is kept in memory, and so the longest time that can be asked for. */
export const SLOTS_MAX = (31 * 86_400_000_000) / SLOT_US

/** What calls did in one slot. All but the talk is of the calls that ended in it. */
export interface SlotFigures {
  /** When it begins: a whole number of slots after the epoch. */
  readonly at: Instant
  /** All calls, the refused ones too. */
  readonly calls: number
  readonly answered: number
  readonly refused: number
  readonly cutOff: number
  /** What the calls cost their accounts. Refunds, which come later, are not taken off. */
  readonly taken: Money
  readonly writeOff: Money
  /** Microseconds of talk within the slot, of ended calls and of live ones. */
  readonly talkUs: number
}

export interface Statistics {
  /**
   * Every slot from the one that `from` is in to that before `until`, in their order.
   * @param now up to when live calls have talked
   */
  slots(from: Instant, until: Instant, now: Instant): Promise<SlotFigures[]>
}
