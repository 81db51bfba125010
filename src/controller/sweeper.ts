/**
 * Compares what we supervise with what is alive on a switch, when it comes up and now and then, and
 * turns the differences into ordinary events.
 *
 * That an answer failed is never "no calls". A call is closed only on positive proof that its leg is
 * gone: two complete answers without it, and events from a while after the first, so that its own
 * last events have come in (missing.ts), and `sofia recover` has had its chance. It is closed at the
 * last instant at which it is proven to have been alive.
 */
import type { Logger } from 'pino'
import type { HungUp, Instant } from '../call/call.js'
import { LOST } from '../call/cdr.js'
import type { Ledger } from '../ledger/ledger.js'
import { type ListedLeg, type Listing, SwitchError } from '../switch/switch.js'
import type { Clock } from './clock.js'
import type { Controller, Supervised } from './controller.js'
import { inLanes } from './lanes.js'
import { isGivenUp, type Moment, missingSince } from './missing.js'
import { adopt, learnTime, recall, strangers } from './recovery.js'
import { inSlices } from './slices.js'
import type { SwitchLink } from './switch-link.js'

export interface SweeperOptions extends SweepRules {
  readonly controller: Controller
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Logger
}

/** What an operator decides, and may change. */
export interface SweepRules {
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

const TRY_AGAIN_MS = 2000

export class Sweeper {
  /** Since when lists are without a leg, by switch and leg. */
  readonly #absent = new Map<string, ReadonlyMap<string, Moment>>()
  readonly #comparing = new Set<SwitchLink>()
  /** Those that came up again meanwhile. */
  readonly #due = new Set<SwitchLink>()
  #options: SweeperOptions

  constructor(options: SweeperOptions) {
    this.#options = options
  }

  /** The next comparison stays when it was; from then on new rules hold. */
  reconfigure(rules: SweepRules): void {
    this.#options = { ...this.#options, ...rules }
  }

  /** The switch is up: compare now, or right after the comparison of now; and on for as long as it is. */
  start(link: SwitchLink): void {
    if (this.#comparing.has(link)) this.#due.add(link)
    else void this.#sweep(link, true)
  }

  async #sweep(link: SwitchLink, first: boolean): Promise<void> {
    const { clock, controller, log, graceS, sweepS } = this.#options
    if (!link.isUp) return
    clock.cancel(`sweep ${link.name}`)
    this.#comparing.add(link)
    let againMs = TRY_AGAIN_MS
    let done = false
    try {
      const onSupervised = () => {
        done = true
        const calls = controller.calls.size
        if (first) log.info({ switch: link.name, calls }, 'all live calls are supervised')
      }
      againMs = ((await this.compare(link, onSupervised)) ? sweepS : graceS) * 1000
    } catch (error) {
      log.warn({ switch: link.name, error }, 'the switch did not tell which legs are alive')
    }
    this.#comparing.delete(link)
    if (this.#due.delete(link)) return this.#sweep(link, true)
    const again = () => void this.#sweep(link, first && !done)
    clock.wakeAt(`sweep ${link.name}`, clock.now() + againMs, again)
  }

  /**
   * One comparison. Resolves to whether all is clear: false where a call may be gone and has to be
   * looked at again. Rejects when the switch does not answer, for all or for some of them: what is
   * not known then, stays so, and for the others it is done.
   * @param onSupervised called when every call on record that is alive is gone on with, and every
   *   other leg has said whether it pays, but for those whose B-leg is such a call: that one of them
   *   pays for itself besides is rare, and to ask them all takes longer than the rest
   */
  async compare(link: SwitchLink, onSupervised = () => {}): Promise<boolean> {
    const survey = await this.#ask(link)
    const absent = await this.#check(link, survey)
    const ringing = await this.#ringing(link, survey)
    let mayBeGone = false
    const failures: unknown[] = []
    const attempt = (part: Promise<void>) => part.catch(failure => void failures.push(failure))
    await attempt(inLanes(ringing, callId => this.#learnAnswer(link, callId)))
    await attempt(
      inLanes(absent, async ([callId, slot]) => {
        if (await this.#mayBeGone(link, callId, slot, survey)) mayBeGone = true
      }),
    )
    await attempt(recall(link, survey, this.#options))
    const { callers, others } = await strangers(link, survey.legs, this.#options.controller)
    await attempt(adopt(link, others, this.#options))
    await this.#forgetAbsent(link, survey)
    if (failures.length === 0) onSupervised()
    await attempt(adopt(link, callers, this.#options))
    if (failures.length > 0) throw failures[0]
    if (link.remembered.size > 0 || mayBeGone) return false
    this.#record(link, survey)
    return true
  }

  /** Nobody waits for the ledger here: it may take long, and the switch has to be compared again. */
  #record(link: SwitchLink, { coreUuid, askedAt }: Survey): void {
    const { ledger, log } = this.#options
    ledger.heard(link.name, coreUuid, askedAt).catch(error => {
      log.warn({ switch: link.name, error }, 'when the switch was last heard of is not recorded')
    })
  }

  /**
   * An answer of the switch, and since when it holds: 0 where nothing is listed and the time of the
   * switch is not known. Rejects where legs are listed and none tells the time: without it no call
   * can be gone on with.
   */
  async #ask(link: SwitchLink): Promise<Survey> {
    // A call on record tells it before the list does, which then need not be asked for twice.
    if (!link.moment()) {
      const onRecord = [...link.remembered.keys()].map(legId => ({ legId }))
      await learnTime(link, onRecord.reverse())
    }
    const before = link.moment()
    const first = await link.switch.listLegs()
    await learnTime(link, first.legs)
    if (before?.coreUuid === first.coreUuid) return surveyOf(first, before.at)
    if (first.legs.length === 0) return surveyOf(first, 0)
    // The time of this run has only just been learnt: what was listed before may be over since.
    const after = link.moment()
    const second = await link.switch.listLegs()
    if (after?.coreUuid === second.coreUuid) return surveyOf(second, after.at)
    throw new SwitchError('unexpected', 'none of the legs that are alive told the time')
  }

  /** Notes which calls are proven alive; returns those that are not. */
  async #check(link: SwitchLink, survey: Survey): Promise<[string, Supervised][]> {
    const { controller } = this.#options
    const absent: [string, Supervised][] = []
    await inSlices(controller.calls, ([callId, slot]) => {
      if (slot.link !== link || isOver(slot)) return
      if (!survey.legIds.has(callId)) return void absent.push([callId, slot])
      controller.seenAlive(callId, survey.askedAt, survey.coreUuid)
      slot.missing = null
    })
    return absent
  }

  /** Calls that may have been answered while nobody listened: only the legs themselves can tell. */
  async #ringing(link: SwitchLink, { legIds }: Survey): Promise<string[]> {
    const ringing: string[] = []
    await inSlices(this.#options.controller.calls, ([callId, slot]) => {
      if (slot.link !== link || !legIds.has(callId)) return
      if (slot.call.phase === 'ringing') ringing.push(callId)
    })
    return ringing
  }

  async #learnAnswer(link: SwitchLink, callId: string): Promise<void> {
    const leg = await link.describe(callId)
    if (leg) this.#options.controller.acceptLegEvent(link, leg)
  }

  /**
   * Whether the leg has to be looked at again. The session itself is asked: the list is made from a
   * database that lags behind a little.
   */
  async #mayBeGone(link: SwitchLink, callId: string, slot: Supervised, survey: Survey) {
    const givenUp = isGivenUp(slot.missing, link, survey, this.#options.graceS)
    // A new run has none of the old legs, but `sofia recover` may bring them back a little later.
    const isNewRun = slot.coreUuid !== survey.coreUuid
    const leg = isNewRun && !givenUp ? null : await link.describe(callId)
    slot.missing = leg ? null : missingSince(slot.missing, link, survey)
    if (leg) this.#options.controller.acceptLegEvent(link, leg)
    if (leg || isOver(slot)) return false
    if (givenUp) this.#lose(callId, slot)
    return !givenUp
  }

  #lose(callId: string, slot: Supervised): void {
    this.#options.log.warn({ callId }, 'the end of a call was not seen')
    this.#options.controller.accept(callId, lostAt(slot.lastAlive))
  }

  /** Legs whose end was never announced must not be remembered for ever. */
  async #forgetAbsent(link: SwitchLink, survey: Survey): Promise<void> {
    const before = this.#absent.get(link.name)
    const absent = new Map<string, Moment>()
    await inSlices(link.payers.legIds(), legId => {
      if (survey.legIds.has(legId)) return
      const since = missingSince(before?.get(legId) ?? null, link, survey)
      if (isGivenUp(since, link, survey, this.#options.graceS)) link.payers.forget(legId)
      else if (since) absent.set(legId, since)
    })
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

async function surveyOf({ coreUuid, legs }: Listing, at: Instant): Promise<Survey> {
  const legIds = new Set<string>()
  await inSlices(legs, ({ legId }) => legIds.add(legId))
  return { coreUuid, legs, legIds, askedAt: Math.max(0, at - LIST_LAG_US) }
}
