/**
 * Compares what we supervise with what is alive on a switch, when it comes up and now and then, and
 * turns the differences into ordinary events.
 *
 * That an answer failed is never "no calls". A call is closed only on positive proof that its leg is
 * gone: two complete answers without it, a while apart, so that its last events have come in, and
 * `sofia recover` has had its chance. It is closed at the last instant at which it is proven to have
 * been alive.
 */
import type { Logger } from 'pino'
import type { HungUp, Instant } from '../call/call.js'
import type { Ledger } from '../ledger/ledger.js'
import type { ListedLeg, Listing } from '../switch/switch.js'
import type { Clock } from './clock.js'
import type { Controller, Supervised } from './controller.js'
import { inLanes } from './lanes.js'
import { adopt, learnTime, recall } from './recovery.js'
import type { SwitchLink } from './switch-link.js'

export interface SweeperOptions {
  readonly controller: Controller
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Logger
  /** From one comparison to the next. */
  readonly sweepS: number
  /** How long the events of a leg that is gone may still be under way. */
  readonly graceS: number
  /** Whether live legs with a code that we did not know are taken over, or ended. */
  readonly adopt: boolean
}

/** All that is alive on a switch, as it answered. */
export interface Survey {
  readonly coreUuid: string
  readonly legs: readonly ListedLeg[]
  readonly legIds: ReadonlySet<string>
  /** What is listed was alive then, or came later. */
  readonly askedAt: Instant
}

/**
 * The switch lists what was alive a little while ago: it answers from a database that is filled in
 * the background. So to be listed proves nothing of the last moments.
 */
const LIST_LAG_US = 2e6

/** Cause of a call whose end nobody saw. */
const LOST = 'LOST'

const TRY_AGAIN_MS = 2000

export class Sweeper {
  /** Legs that the last list did not have, by switch; twice absent means forgotten. */
  readonly #absent = new Map<string, Set<string>>()

  constructor(readonly options: SweeperOptions) {}

  /** The switch is up: compare now, and from now on for as long as it is. */
  start(link: SwitchLink): void {
    void this.#sweep(link, true)
  }

  async #sweep(link: SwitchLink, first: boolean): Promise<void> {
    const { clock, controller, log, graceS, sweepS } = this.options
    if (!link.isUp) return
    let againMs = TRY_AGAIN_MS
    let done = false
    try {
      againMs = ((await this.compare(link)) ? sweepS : graceS) * 1000
      done = true
      const calls = controller.calls.size
      if (first) log.info({ switch: link.name, calls }, 'all live calls are supervised')
    } catch (error) {
      log.warn({ switch: link.name, error }, 'the switch did not tell which legs are alive')
    }
    const again = () => void this.#sweep(link, first && !done)
    clock.wakeAt(`sweep ${link.name}`, clock.now() + againMs, again)
  }

  /**
   * One comparison. Resolves to whether all is clear: false where a call may be gone and has to be
   * looked at again. Rejects when the switch does not answer; what is not known then, stays so.
   */
  async compare(link: SwitchLink): Promise<boolean> {
    const { ledger, log } = this.options
    const survey = await this.#ask(link)
    const { coreUuid, legs, askedAt } = survey
    const absent = this.#check(link, survey)
    await inLanes(this.#unanswered(link, survey), async callId => {
      const leg = await link.switch.describe(callId)
      if (leg) this.options.controller.acceptLegEvent(leg)
    })
    await inLanes(absent, ([callId, slot]) => this.#suspect(link, callId, slot, survey))
    const undecided = await recall(link, survey, this.options)
    await adopt(link, legs, this.options)
    this.#forgetAbsent(link, survey)
    if (undecided > 0 || absent.some(([, slot]) => slot.missing)) return false
    try {
      await ledger.heard(link.name, coreUuid, askedAt)
    } catch (error) {
      log.warn({ switch: link.name, error }, 'when the switch was last heard of is not recorded')
    }
    return true
  }

  /** An answer of the switch, and since when it holds: 0 where the time of the switch is not known. */
  async #ask(link: SwitchLink): Promise<Survey> {
    const before = link.knowsTime ? link.now() : 0
    const first = await link.switch.listLegs()
    if (link.coreUuid === first.coreUuid || first.legs.length === 0) return surveyOf(first, before)
    // The time of this run is learnt from its legs: what was listed before may be over since.
    await learnTime(link, first.legs)
    const after = link.coreUuid === first.coreUuid ? link.now() : 0
    return surveyOf(await link.switch.listLegs(), after)
  }

  /** Notes which calls are proven alive; returns those that are not. */
  #check(link: SwitchLink, survey: Survey): [string, Supervised][] {
    const absent: [string, Supervised][] = []
    for (const [callId, slot] of this.options.controller.calls) {
      if (slot.link !== link || isOver(slot)) continue
      if (!survey.legIds.has(callId)) {
        absent.push([callId, slot])
        continue
      }
      this.options.controller.seenAlive(callId, survey.askedAt, survey.coreUuid)
      slot.missing = false
    }
    return absent
  }

  /** Calls that may have been answered while nobody listened: only the legs themselves can tell. */
  #unanswered(link: SwitchLink, { legIds }: Survey): string[] {
    const ringing: string[] = []
    for (const [callId, slot] of this.options.controller.calls) {
      if (slot.link !== link || !legIds.has(callId)) continue
      if (slot.call.phase === 'ringing') ringing.push(callId)
    }
    return ringing
  }

  /** Asks the session itself: the list is made from a database that lags behind a little. */
  async #suspect(link: SwitchLink, callId: string, slot: Supervised, survey: Survey) {
    // A new run has none of the old legs, but `sofia recover` may bring them back a little later.
    const isNewRun = slot.coreUuid !== survey.coreUuid
    const leg = isNewRun ? null : await link.switch.describe(callId)
    if (leg) slot.lastAlive = Math.max(slot.lastAlive, leg.at)
    if (!leg && slot.missing && !isOver(slot)) return this.#lose(callId, slot)
    slot.missing = leg === null && !isOver(slot)
  }

  #lose(callId: string, slot: Supervised): void {
    this.options.log.warn({ callId }, 'the end of a call was not seen')
    slot.missing = false
    this.options.controller.accept(callId, lostAt(slot.lastAlive))
  }

  /** Legs whose end was never announced must not be remembered for ever. */
  #forgetAbsent(link: SwitchLink, { legIds }: Survey): void {
    const before = this.#absent.get(link.name) ?? new Set()
    const absent = new Set<string>()
    for (const legId of link.payers.legIds()) {
      if (legIds.has(legId)) continue
      if (before.has(legId)) link.payers.forget(legId)
      else absent.add(legId)
    }
    this.#absent.set(link.name, absent)
  }
}

/** The end of a leg that was last proven alive at `at`. */
export function lostAt(at: Instant): HungUp {
  return { type: 'hungUp', at, answeredAt: null, cause: LOST, exact: true, lost: true }
}

/** The end has been seen; only its stamp or its settlement is awaited. */
function isOver(slot: Supervised): boolean {
  return slot.call.phase === 'settling' || slot.call.phase === 'ended'
}

function surveyOf({ coreUuid, legs }: Listing, at: Instant): Survey {
  const legIds = new Set(legs.map(leg => leg.legId))
  return { coreUuid, legs, legIds, askedAt: Math.max(0, at - LIST_LAG_US) }
}
