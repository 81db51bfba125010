/**
 * Exponential back-off with full jitter: each pause is anything from nothing to a limit that
 * doubles, so that many daemons do not come back to a restarted switch at the same instant.
 */
const FIRST_MS = 250

/**
 * No pause is longer: until we are back on a switch that is up again, its calls are supervised by
 * nobody, and the gate lets none through. A connection that lasted longer than this begins anew.
 */
export const PAUSE_MS_MAX = 3_000

/** @param failures how many attempts have failed since the last good one, this one included. */
export function pauseMs(failures: number, random: () => number): number {
  return random() * Math.min(PAUSE_MS_MAX, FIRST_MS * 2 ** (failures - 1))
}
