/** What the auditor checks now and then while calls are up: holds, and the timers in the switches. */
import type { Settings } from '../call/settings.js'
import type { Auditor } from './auditor.js'
import { type CallRow, type Promised, promisedOf, promisedRate } from './books.js'
import type { Callers, Placed } from './callers.js'
import { priceOf, secondsFor } from './price-list.js'
import type { Site } from './site.js'
import type { Troubles } from './troubles.js'
import type { World } from './world.js'

export interface RoundsParts {
  readonly world: World
  readonly auditor: Auditor
  readonly troubles: Troubles
  readonly callers: Callers
  readonly sites: readonly Site[]
  readonly settings: Settings
  readonly timerMarginS: number
  readonly sweepS: number
}

const EVERY_MS = 20_000

/** Commands are carried out, and events heard, within that. */
const SETTLED_MS = 3000

/** The daemon's estimate of the time of a switch whose clock drifts. */
const CLOCK_US = 50_000

export class Rounds {
  constructor(readonly parts: RoundsParts) {}

  start(): void {
    const { world } = this.parts
    const next = () => {
      world.stir()
      this.#walk()
      world.after(EVERY_MS, next)
    }
    world.after(EVERY_MS, next)
  }

  #walk(): void {
    const { auditor, callers, sites } = this.parts
    const timers = new Map(sites.map(site => [site, site.timers()]))
    for (const call of auditor.books.openCalls()) {
      const placed = callers.placed.get(call.leg_id)
      if (!placed?.code) {
        auditor.fault(`${call.leg_id} has a hold, but does not pay`)
        continue
      }
      if (placed.code !== call.code) {
        auditor.fault(`${call.leg_id} is paid by ${call.code} instead of ${placed.code}`)
      }
      this.#checkExpiry(call, placed)
      this.#checkSize(call, placed)
      this.#checkTimer(call, placed, timers.get(placed.site)!)
    }
  }

  /** No hold without a live call: it is found by the second of two sweeps at the latest. */
  #checkExpiry({ leg_id: legId }: CallRow, { site }: Placed): void {
    const { world, auditor, troubles, settings, sweepS } = this.parts
    const record = site.freeswitch.history.get(legId)
    if (record?.hangupAt === undefined) return
    const boundMs = (2 * sweepS + 2 * settings.hangupGraceS + 5) * 1000
    const fromMs = world.now() - boundMs
    if (site.worldMs(record.hangupAt) >= fromMs) return
    if (troubles.during(fromMs, world.now(), site.name) === null) {
      auditor.fault(`${legId} is over for ${boundMs / 1000} s, but has still a hold`)
    }
  }

  /** Never more than for the talk so far, the lead and a chunk. */
  #checkSize(call: CallRow, { site }: Placed): void {
    const { world, auditor } = this.parts
    const answeredAt = site.freeswitch.history.get(call.leg_id)?.answeredAt
    const talkS = answeredAt === undefined ? 0 : (site.instant(world.now()) - answeredAt) / 1e6
    const bound = mostHeld(promisedOf(call), talkS, this.parts.settings)
    if (call.held > bound) {
      auditor.fault(`${call.leg_id} has ${call.held} held after ${talkS} s: at most ${bound}`)
    }
  }

  /** The switch ends each answered call by itself: after it is funded, and not long after. */
  #checkTimer(call: CallRow, { site }: Placed, timers: ReadonlyMap<string, number>): void {
    const { world, auditor, troubles, settings, timerMarginS } = this.parts
    const { leg_id: legId, held } = call
    const now = world.now()
    const record = site.freeswitch.history.get(legId)
    const watched = auditor.watched.get(legId)
    if (record?.answeredAt === undefined || record.hangupAt !== undefined || !watched) return
    const sinceMs = Math.max(site.worldMs(record.answeredAt), watched.heldSinceMs)
    if (now - sinceMs < SETTLED_MS) return
    if (troubles.during(now - SETTLED_MS, now, site.name) !== null) return
    if (!this.#knowsAnswer(legId, now)) return
    const promised = promisedOf(call)
    const limitS = Math.min(settings.longestCallS, promised.longestS ?? settings.longestCallS)
    const fundedS = secondsFor(promisedRate(promised, record.answeredAt), held, limitS)
    const fundedUntil = record.answeredAt + fundedS * 1e6
    const timer = timers.get(legId)
    if (timer === undefined) return auditor.fault(`${legId} has no timer in its switch`)
    // A timer that is moved at the end of a call that is being ended comes a second from then.
    const latest = Math.max(fundedUntil, site.instant(watched.heldSinceMs)) + 2e6
    const wasSlow = troubles.during(watched.heldSinceMs - 1000, now, site.name) !== null
    if (timer > latest + timerMarginS * 1e6 && !wasSlow) {
      auditor.fault(`the timer of ${legId} is ${(timer - fundedUntil) / 1e6} s after it is funded`)
    }
    if (timer < fundedUntil - CLOCK_US) {
      auditor.fault(`the timer of ${legId} is ${(fundedUntil - timer) / 1e6} s too early`)
    }
  }

  /** Whether the daemon of now must know that the leg is answered: by its ANSWER, or by a sweep. */
  #knowsAnswer(legId: string, now: number): boolean {
    const { auditor, troubles, sweepS, callers } = this.parts
    const daemon = auditor.daemon()
    const heard = auditor.heard.get(legId) ?? []
    const event = heard.find(one => one.daemon === daemon && one.name === 'CHANNEL_ANSWER')
    if (event) return event.atMs < now - SETTLED_MS
    const { site } = callers.placed.get(legId)!
    const answeredMs = site.worldMs(site.freeswitch.history.get(legId)!.answeredAt!)
    const sweptMs = now - (sweepS * 1000 + SETTLED_MS)
    return answeredMs < sweptMs && troubles.during(sweptMs, now, site.name) === null
  }
}

/** The most that may be held for a call after so many seconds of talk. */
export function mostHeld({ rates }: Promised, talkS: number, settings: Settings): bigint {
  const { leadS, warnS, chunkS } = settings
  const most = rates.map(({ rate }) => {
    const aheadS = Math.max(leadS, warnS) + chunkS + rate.minimum + rate.increment + 2
    return priceOf(rate, Math.max(Math.ceil(talkS) + aheadS, rate.freeS + 1))
  })
  return most.reduce((a, b) => (a > b ? a : b))
}
