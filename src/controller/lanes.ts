/** How many questions a switch is asked at a time, so that commands that must not wait get through. */
const LANES = 32

/** Does the work for every item, a few at a time. Rejects with the first failure, when all are done. */
export async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>) {
  let next = 0
  const lane = async () => {
    while (next < items.length) await work(items[next++]!)
  }
  const ends = await Promise.allSettled(Array.from({ length: LANES }, lane))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
