import { setImmediate } from 'node:timers/promises'

/** How many questions a switch is asked at a time, so that commands that must not wait get through. */
const LANES = 32

/** Events and alarms get their turn after so many, though none of them had to be asked about. */
const SLICE = 500

/**
 * Does the work for every item, a few at a time, whatever becomes of the others. Rejects with the
 * first failure, when all are done.
 */
export async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>) {
  const failures: unknown[] = []
  let next = 0
  let turn: Promise<void> | null = null
  const lane = async () => {
    while (next < items.length) {
      const item = items[next++]!
      if (next % SLICE === 0) turn = setImmediate()
      await turn
      try {
        await work(item)
      } catch (failure) {
        failures.push(failure)
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  if (failures.length > 0) throw failures[0]
}
