/** Finding again the calls that were alive before this process was, or while it could not hear. */
import type { Instant } from '../call/call.js'
import type { Ledger } from '../ledger/ledger.js'
import type { ListedLeg } from '../switch/switch.js'
import { inLanes } from './lanes.js'
import { lostAt, type Survey, type SweeperOptions } from './sweeper.js'
import type { Remembered, SwitchLink } from './switch-link.js'

/** Reads the calls of a switch that the ledger has on record. To be done before it is listened to. */
export async function remember(link: SwitchLink, ledger: Ledger): Promise<void> {
  const heard = new Map<string, Instant>()
  for (const known of await ledger.openCalls(link.name)) {
    const { coreUuid, createdAt, callId } = known.leg
    if (!heard.has(coreUuid)) {
      heard.set(coreUuid, (await ledger.lastHeard(link.name, coreUuid)) ?? 0)
    }
    const lastAlive = Math.max(known.answeredAt ?? createdAt, heard.get(coreUuid)!)
    link.remembered.set(callId, { known, lastAlive, missing: false })
  }
}

/** Learns the switch's time from a description of any of its legs: no event has told it yet. */
export async function learnTime(link: SwitchLink, legs: readonly ListedLeg[]): Promise<void> {
  for (const { legId } of legs) {
    const leg = await link.switch.describe(legId)
    if (leg) return link.heard(leg.at, leg.coreUuid)
  }
}

/**
 * Goes on with the calls on record that are alive, and closes those that are gone. Resolves to how
 * many may be gone and have to be looked at again.
 */
export async function recall(
  link: SwitchLink,
  survey: Survey,
  options: SweeperOptions,
): Promise<number> {
  let undecided = 0
  await inLanes([...link.remembered], async ([callId, on]) => {
    const found = await findAlive(link, on, survey)
    // Its own event may have come meanwhile.
    if (!link.remembered.delete(callId)) return
    if (found) {
      options.controller.resume(link, { ...on.known, ...found }, survey)
    } else if (on.missing) {
      options.log.warn({ callId }, 'the end of a call was not seen')
      options.controller.close(link, on.known, lostAt(on.lastAlive))
    } else {
      undecided += 1
      link.remembered.set(callId, { ...on, missing: true })
    }
  })
  return undecided
}

/** When the leg was answered, if it is alive. Asks the switch only what the record does not tell. */
async function findAlive(
  link: SwitchLink,
  { known }: Remembered,
  survey: Survey,
): Promise<{ answeredAt: Instant | null } | null> {
  const { callId, coreUuid } = known.leg
  const isListed = survey.legIds.has(callId)
  if (isListed && known.answeredAt !== null) return { answeredAt: known.answeredAt }
  if (!isListed && coreUuid !== survey.coreUuid) return null
  const leg = await link.switch.describe(callId)
  return leg && { answeredAt: known.answeredAt ?? leg.answeredAt }
}

/** Takes over the live legs that nothing was known of, or ends those of them that would pay. */
export async function adopt(
  link: SwitchLink,
  legs: readonly ListedLeg[],
  options: SweeperOptions,
): Promise<void> {
  const { controller, log } = options
  const strangers = legs.filter(
    ({ legId }) => !controller.calls.has(legId) && !link.payers.isKnown(legId),
  )
  await inLanes(strangers, async ({ legId }) => {
    const leg = await link.switch.describe(legId)
    if (!leg || controller.calls.has(legId) || link.payers.isKnown(legId)) return
    link.onEvent(leg)
    const slot = controller.calls.get(legId)
    if (!slot) return
    log.warn({ callId: legId, adopted: options.adopt }, 'a live leg with a code was not known')
    if (!options.adopt) controller.accept(legId, { type: 'killed', at: link.now() })
  })
}
