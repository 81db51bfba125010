/**
 * The timelines of calls, as the columns `call.timeline` and `cdr.timeline` have them: JSON, one mark after the
 * other. A mark is text, so that SQLite does not make a fraction of an instant.
 */
import type { Instant } from '../call/call.js'
import type { Milestone } from '../call/cdr.js'
import type { Money } from '../money.js'

export function heldMark(at: Instant, held: Money): string {
  return `["held",${at},${held}]`
}

export function warnedMark(at: Instant): string {
  return `["warned",${at}]`
}

export const NO_MARKS = '[]'

export function timelineOf(text: string): Milestone[] {
  return JSON.parse(text).map(([type, at, held]: [Milestone['type'], Instant, number]) =>
    type === 'held' ? { type, at, held: BigInt(held) } : { type, at },
  )
}
