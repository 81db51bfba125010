/** How many questions a switch is asked at a time, so that commands that must not wait get through. */
const LANES = 32

/**
 * Does the work for every item, a few at a time, whatever becomes of the others. Rejects with the
 * first failure, when all are done.
 */
export async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>) {
  const failures: unknown[] = []
  let next = 0
  const lane = async () => {
    while (next < items.length) {
      try {
        await work(items[next++]!)
      } catch (failure) {
        failures.push(failure)
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  if (failures.length > 0) throw failures[0]
}
