/** Finding again the calls that were alive before this process was, or while it could not hear. */
import type { Instant } from '../call/call.js'
import type { LegEvent } from '../call/leg-event.js'
import type { Ledger } from '../ledger/ledger.js'
import type { ListedLeg } from '../switch/switch.js'
import type { Controller } from './controller.js'
import { inLanes } from './lanes.js'
import { isGivenUp, missingSince } from './missing.js'
import { inSlices } from './slices.js'
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
    link.remembered.set(callId, { known, lastAlive, missing: null })
  }
}

/** So many legs are asked for the time: some are gone by then, and some may fail to tell. */
const TIME_TELLERS = 5

/** Learns the switch's time from any of these legs: events have not told it yet, or tell it late. */
export async function learnTime(
  link: SwitchLink,
  legs: readonly Pick<ListedLeg, 'legId'>[],
): Promise<void> {
  for (const { legId } of legs.slice(0, TIME_TELLERS)) {
    const leg = await link.describe(legId).catch(() => null)
    if (leg) return
  }
}

/**
 * Goes on with the calls on record that are alive, and closes those that are gone. Those that may be
 * gone, and have to be looked at again, stay remembered.
 */
export async function recall(
  link: SwitchLink,
  survey: Survey,
  options: SweeperOptions,
): Promise<void> {
  await inLanes([...link.remembered], async ([callId, on]) => {
    const givenUp = isGivenUp(on.missing, link, survey, options.graceS)
    const found = await findAlive(link, on, survey, givenUp)
    // Its own event may have come meanwhile.
    if (!link.remembered.delete(callId)) return
    if (found) {
      options.controller.resume(link, { ...on.known, ...found }, survey)
    } else if (givenUp) {
      options.log.warn({ callId }, 'the end of a call was not seen')
      options.controller.close(link, on.known, lostAt(on.lastAlive))
    } else {
      const missing = missingSince(on.missing, link, survey)
      link.remembered.set(callId, { ...on, missing })
    }
  })
}

/**
 * When the leg was answered, if it is alive. Asks the switch only what the record does not tell, and
 * always for the last word on a leg that is given up.
 */
async function findAlive(
  link: SwitchLink,
  { known }: Remembered,
  survey: Survey,
  givenUp: boolean,
): Promise<{ answeredAt: Instant | null } | null> {
  const { callId, coreUuid } = known.leg
  const isListed = survey.legIds.has(callId)
  if (isListed && known.answeredAt !== null) return { answeredAt: known.answeredAt }
  if (!isListed && !givenUp && coreUuid !== survey.coreUuid) return null
  const leg = await link.describe(callId)
  return leg && { answeredAt: known.answeredAt ?? leg.answeredAt }
}

/** Legs that are alive and that nothing is known of. */
interface Strangers {
  /** A-legs of calls that are supervised. */
  readonly callers: readonly ListedLeg[]
  readonly others: readonly ListedLeg[]
}

export async function strangers(
  link: SwitchLink,
  legs: readonly ListedLeg[],
  controller: Controller,
): Promise<Strangers> {
  const strange: ListedLeg[] = []
  await inSlices(legs, leg => {
    if (isStrange(link, leg.legId, controller)) strange.push(leg)
  })
  const paidFor = new Set<string | null>()
  // Mostly there are none.
  if (strange.length > 0) {
    await inSlices(controller.calls.values(), slot => {
      if (slot.link === link) paidFor.add(slot.leg.otherLeg)
    })
  }
  const isCaller = ({ legId, direction }: ListedLeg) =>
    direction === 'inbound' && paidFor.has(legId)
  return {
    callers: strange.filter(isCaller),
    others: strange.filter(leg => !isCaller(leg)),
  }
}

function isStrange(link: SwitchLink, legId: string, controller: Controller): boolean {
  return controller.calls.get(legId)?.link !== link && !link.payers.isKnown(legId)
}

/** Takes over those strangers that pay, or ends them. */
export async function adopt(
  link: SwitchLink,
  legs: readonly ListedLeg[],
  options: SweeperOptions,
): Promise<void> {
  const { controller } = options
  await inLanes(legs, async ({ legId, direction }) => {
    // Half of all legs are A-legs, and hardly any pays: a word is asked of them, not all they know.
    if (direction === 'inbound' && (await link.switch.variable(legId, 'ac_leg')) !== 'a') {
      if (isStrange(link, legId, controller)) link.payers.see(legId)
      return
    }
    const leg = await link.describe(legId)
    if (!leg || !isStrange(link, legId, controller)) return
    // To end a leg it must be certain that its CREATE was missed, and is not still under way.
    const isMissed = options.adopt || heardForS(link, leg) >= options.graceS
    if (isMissed) link.onStranger(leg, options.adopt)
  })
}

/** For how long after the creation of a leg events have been heard, in seconds. */
function heardForS({ heardUpTo }: SwitchLink, { at, createdAt }: LegEvent): number {
  return (Math.min(at, heardUpTo?.at ?? at) - createdAt) / 1e6
}
