/**
 * Compares what we supervise with what is alive on a switch, when it comes up and now and then, and
 * turns the differences into ordinary events.
 *
 * That an answer failed is never "no calls". A call is closed only on positive proof that its leg is
 * gone: two complete answers without it, a while apart, so that its last events have come in; or a
 * new run of the switch that does not list it. It is closed at the last instant at which it is
 * proven to have been alive.
 */
import type { Logger } from 'pino'
import type { HungUp, Instant } from '../call/call.js'
import type { Ledger } from '../ledger/ledger.js'
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
  readonly legIds: ReadonlySet<string>
  /** When it was asked: what is listed was alive then, or came later. */
  readonly askedAt: Instant
}

/** Cause of a call whose end nobody saw. */
const LOST = 'LOST'

const TRY_AGAIN_MS = 2000

export class Sweeper {
  /** Legs that the last list did not have, by switch; twice absent means forgotten. */
  readonly #absent = new Map<string, Set<string>>()

  constructor(readonly options: SweeperOptions) {}

  /** The switch is up: compare now, and from now on for as long as it is. */
  start(link: SwitchLink): void {
    void this.#sweep(link)
  }

  async #sweep(link: SwitchLink): Promise<void> {
    const { clock, log, graceS, sweepS } = this.options
    if (!link.isUp) return
    let againMs = TRY_AGAIN_MS
    try {
      againMs = ((await this.compare(link)) ? sweepS : graceS) * 1000
    } catch (error) {
      log.warn({ switch: link.name, error }, 'the switch did not tell which legs are alive')
    }
    clock.wakeAt(`sweep ${link.name}`, clock.now() + againMs, () => void this.#sweep(link))
  }

  /**
   * One comparison. Resolves to whether all is clear: false where a call may be gone and has to be
   * looked at again. Rejects when the switch does not answer; what is not known then, stays so.
   */
  async compare(link: SwitchLink): Promise<boolean> {
    const { ledger, log } = this.options
    const early = link.knowsTime ? link.now() : null
    const { coreUuid, legs } = await link.switch.listLegs()
    const askedAt = early ?? (await learnTime(link, legs))
    const survey = { coreUuid, legIds: new Set(legs.map(leg => leg.legId)), askedAt }
    const absent = this.#check(link, survey)
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

  /** Notes which calls are proven alive; returns those that are not. */
  #check(link: SwitchLink, survey: Survey): [string, Supervised][] {
    const absent: [string, Supervised][] = []
    for (const [callId, slot] of this.options.controller.calls) {
      if (slot.link !== link || isOver(slot)) continue
      if (!survey.legIds.has(callId)) {
        absent.push([callId, slot])
        continue
      }
      slot.coreUuid = survey.coreUuid
      slot.lastAlive = Math.max(slot.lastAlive, survey.askedAt)
      slot.missing = false
    }
    return absent
  }

  /** Asks the session itself: the list is made from a database that lags behind a little. */
  async #suspect(link: SwitchLink, callId: string, slot: Supervised, survey: Survey) {
    if (slot.coreUuid !== survey.coreUuid) return this.#lose(callId, slot)
    const leg = await link.switch.describe(callId)
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
