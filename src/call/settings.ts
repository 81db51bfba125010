/** What an operator may choose about the rules. config.ts states and checks the defaults. */
import type { Rounding } from '../rating/rate.js'

export interface Settings {
  /** Credit is held for this many seconds at a time. */
  readonly chunkS: number
  /** The next chunk is asked for this long before the current one is used up. Below `chunkS`. */
  readonly leadS: number
  /**
   * A final call's caller is warned this long before its end, or not at all where it is 0. May be
   * longer than `leadS` and `chunkS`: then that much more is held.
   */
  readonly warnS: number
  /** A final call asks once more this long before its end. At most `leadS`. */
  readonly retryS: number
  /** Whether a call may run on less than a chunk when that is all there is. */
  readonly partialChunk: boolean
  readonly rounding: Rounding
  /** No call is funded beyond this, whatever it costs: a limit on free and mistyped rates. */
  readonly longestCallS: number
  /** How long the exact stamp of HANGUP_COMPLETE is awaited after HANGUP. */
  readonly hangupGraceS: number
}
