/**
 * When a leg that its switch does not have any more is given up.
 *
 * That it is gone is not enough. While thousands of calls end at once, events wait in the switch, in
 * the socket and here, and the HANGUP with the exact end of the leg may be among them. Events come
 * in the order of their stamps, or nearly so: once one has come that is stamped a while after the
 * switch was first without the leg, all that the leg has caused has come, or never will. A switch
 * with nothing else to tell sends a HEARTBEAT, so that the wait is short on a connection that lives.
 */
import type { Instant } from '../call/call.js'
import type { Survey } from './sweeper.js'
import type { SwitchLink } from './switch-link.js'

/** A moment in one run of a switch. Those of two runs are not to be compared. */
export interface Moment {
  readonly coreUuid: string
  readonly at: Instant
}

/**
 * Since when a leg is missing that a complete answer of the switch was without, and that was missing
 * since `before`. A new run starts the count anew: it has none of the old legs, but `sofia recover`
 * may bring them back a little later. Null, or in another run yet, while the time of this one is
 * not known.
 */
export function missingSince(
  before: Moment | null,
  link: SwitchLink,
  { coreUuid }: Survey,
): Moment | null {
  return before?.coreUuid === coreUuid ? before : link.moment()
}

/** Whether all is heard of a leg that is missing since then, if the switch is still without it. */
export function isGivenUp(
  since: Moment | null,
  link: SwitchLink,
  { coreUuid }: Survey,
  graceS: number,
): boolean {
  const { heardUpTo } = link
  if (since?.coreUuid !== coreUuid || heardUpTo?.coreUuid !== coreUuid) return false
  return heardUpTo.at >= since.at + graceS * 1e6
}
