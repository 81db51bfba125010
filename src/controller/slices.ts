/** Long work in the middle of calls: a switch may have 100,000 legs, and none of them must wait for it. */
import { setImmediate } from 'node:timers/promises'

/** So many are looked at before events and alarms get their turn: a millisecond or two. */
const SLICE = 1000

/**
 * Does the work for every item, in slices between which calls are served. What is added to the
 * items meanwhile, or taken out, is noticed as their iterator does.
 */
export async function inSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let done = 0
  for (const item of items) {
    work(item)
    done += 1
    if (done % SLICE === 0) await setImmediate()
  }
}
