/**
 * The verdict at the end, when everything has come to rest: each leg that the switches had is held
 * against its CDR.
 */
import type { Settings } from '../call/settings.js'
import type { Rate } from '../rating/rate.js'
import type { LegRecord } from '../simulator/history.js'
import type { Auditor, Filed, Heard } from './auditor.js'
import { rateOf } from './books.js'
import type { Callers, Placed } from './callers.js'
import { CAUSES } from './daemon.js'
import { FairTerms } from './fair-terms.js'
import { type PriceList, priceOf, secondsFor, secondsOf } from './price-list.js'
import { digitsDialled, Refusals } from './refusals.js'
import { mostHeld } from './rounds.js'
import type { Subscriber } from './scenario.js'
import type { Trouble, Troubles } from './troubles.js'

export interface VerdictParts {
  readonly auditor: Auditor
  readonly troubles: Troubles
  readonly callers: Callers
  readonly prices: PriceList
  readonly subscribers: readonly Subscriber[]
  readonly settings: Settings
  readonly timerMarginS: number
  readonly sweepS: number
}

/** A leg that must pay, with all that is known of it. */
interface Case {
  readonly placed: Placed
  readonly code: string
  readonly record: LegRecord
  readonly cdr: Filed
  readonly rate: Rate | null
  readonly endedMs: number
  readonly heard: readonly Heard[]
  /** The longest that this call may be, in seconds. */
  readonly longestS: number
}

/** How much longer than funded a call may last, in microseconds, and why it did. */
export interface Overrun {
  readonly legId: string
  readonly us: number
  readonly writeOff: bigint
  readonly why: 'cut off late' | 'found late' | 'no timer'
}

/** One step of the switch's clock, and its jitter. */
const STAMP_US = 20_100
/** The daemon's estimate of the switch's time, and its own ticks. */
const CLOCK_MS = 50
/** Commands are carried out within that, in good weather. */
const COMMAND_MS = 500
/** In bad weather it takes that long: a timer that is armed late, ends the call late. */
const BACKLOG_MS = 10_000
/** The last timer of a call was armed at most so long before its end. */
const FAR_MS = 240_000

export class Verdict {
  readonly overruns: Overrun[] = []
  readonly writeOffs = new Map<string, { calls: number; total: bigint; largest: bigint }>()
  cutOffs = 0
  lost = 0
  unseen = 0

  readonly #terms: FairTerms
  readonly #refusals: Refusals

  constructor(readonly parts: VerdictParts) {
    this.#terms = new FairTerms(parts.auditor, parts.prices)
    this.#refusals = new Refusals({ ...parts, terms: this.#terms })
  }

  judge(): void {
    const { auditor, callers } = this.parts
    for (const placed of callers.placed.values()) this.#judgeLeg(placed)
    for (const legId of auditor.filed.keys()) {
      if (!callers.placed.has(legId)) auditor.fault(`${legId} has a CDR and is no outbound leg`)
    }
    for (const { code, held } of auditor.books.accounts()) {
      if (held !== 0) auditor.fault(`${code} has ${held} held when no call is left`)
    }
    for (const { leg_id: legId } of auditor.books.openCalls()) {
      auditor.fault(`${legId} is still on record when no call is left`)
    }
  }

  #judgeLeg(placed: Placed): void {
    const { auditor } = this.parts
    const { legId, site, code } = placed
    const record = site.freeswitch.history.get(legId)
    const cdr = auditor.filed.get(legId)
    if (!record) {
      // The caller had given up before the switch dialled.
      if (cdr) auditor.fault(`${legId} has a CDR but never existed`)
      return
    }
    if (record.hangupAt === undefined) return auditor.fault(`${legId} never ended`)
    if (code === null) {
      if (cdr) auditor.fault(`${legId} does not pay but has a CDR`)
      return
    }
    const heard = auditor.heard.get(legId) ?? []
    const endedMs = site.worldMs(record.hangupAt)
    if (!cdr) return this.#judgeUnseen(placed, heard, endedMs)
    if (cdr.account !== code) auditor.fault(`${legId} was charged to ${cdr.account}, not ${code}`)
    const longestS = this.#longestS(placed, code)
    const one: Case = { placed, code, record, cdr, rate: rateOf(cdr), endedMs, heard, longestS }
    this.#judgeRate(one)
    this.#judgeCost(one)
    this.#judgeStamps(one)
    if (cdr.outcome === 'refused') this.#judgeRefusal(one)
    else {
      this.#refusals.judgeAdmission(placed, cdr.filedMs, record.createdAt)
      this.#judgeOverrun(one)
    }
    if (record.cause === CAUSES.cut_off) this.#judgeCutOff(one)
    const watched = auditor.watched.get(legId)
    if (watched && record.answeredAt !== undefined) {
      // While nobody knows that it has ended, more is held for it.
      const talkS = (site.instant(cdr.filedMs) - record.answeredAt) / 1e6
      const bound = mostHeld(watched.promised, talkS, this.parts.settings)
      if (cdr.held > bound) auditor.fault(`${legId} had ${cdr.held} held: at most ${bound}`)
    }
  }

  /** Only a leg that no daemon could have known, or that died with the daemon that knew it. */
  #judgeUnseen({ legId, site, asUser }: Placed, heard: readonly Heard[], endedMs: number): void {
    const { auditor, troubles, settings, sweepS } = this.parts
    this.unseen += 1
    if (auditor.watched.has(legId)) return auditor.fault(`${legId} had a hold but has no CDR`)
    const { createdAt, answeredAt } = site.freeswitch.history.get(legId)!
    const proof = heard.find(({ name }) => name !== 'CHANNEL_DESTROY')
    const fromMs = proof?.atMs ?? site.worldMs(createdAt)
    const untilMs = Math.max(endedMs, proof?.atMs ?? 0) + (settings.hangupGraceS + 5) * 1000
    const excuse = troubles.during(fromMs, untilMs, site.name)
    if (excuse) return
    // The code of a caller who is gone cannot be asked for: nothing is lost by a call without talk.
    if (answeredAt === undefined) return
    if (asUser && !heard.some(({ name }) => /CREATE|ANSWER/.test(name))) return
    if (proof) return auditor.fault(`${legId} was heard of, but has no CDR`)
    if (endedMs - fromMs > (sweepS + 10) * 1000) auditor.fault(`${legId} was never found`)
  }

  /** By the rate that was in force when the leg was answered, and so for the carrier's. */
  #judgeRate({ placed, cdr, rate, record }: Case): void {
    const { auditor } = this.parts
    const { legId, dialled, atMs } = placed
    const digits = digitsDialled(dialled)
    if (!rate || digits === null || record.answeredAt === undefined) return
    if (cdr.outcome === 'refused' || cdr.answered_at === null) return
    const look = { fromMs: atMs, untilMs: auditor.watched.get(legId)?.firstHeldMs ?? cdr.filedMs }
    const times = [record.createdAt, record.answeredAt] as const
    const fits = this.#terms.answered(placed, digits, look, times)
    if (!fits.some(fit => fit.plan === cdr.plan && isPricedBy(rate, fit.rate))) {
      auditor.fault(`${legId} was charged at a rate that was not in force at its answer`)
    }
    const { fits: carriers, mayBeNone } = this.#terms.carried(placed, digits, look, times)
    const seconds = secondsOf(Number(cdr.ended_at - cdr.answered_at), this.parts.settings.rounding)
    const isKnown = carriers.some(one => priceOf(one.rate, seconds) === cdr.carrier_cost)
    if (isKnown || (cdr.carrier_cost === null && mayBeNone)) return
    auditor.fault(`the carrier is said to take ${cdr.carrier_cost} for ${legId}`)
  }

  /** What the account allowed when the call began, and was copied then. */
  #longestS({ legId, atMs }: Placed, code: string): number {
    const { auditor, settings } = this.parts
    const watched = auditor.watched.get(legId)
    if (!watched) return settings.longestCallS
    const { longestS } = watched.promised
    const standings = auditor.standings(code, atMs, watched.firstHeldMs)
    if (!standings.some(({ row }) => row.longest_call_s === longestS)) {
      auditor.fault(`${legId} may be ${longestS} s long, but ${code} did not say so`)
    }
    return Math.min(settings.longestCallS, longestS ?? settings.longestCallS)
  }

  /** Never more than for the real time; just that, where the end was seen and the hold enough. */
  #judgeCost({ placed, record, cdr, rate, heard }: Case): void {
    const { auditor, settings } = this.parts
    const { legId } = placed
    const talkUs = record.answeredAt === undefined ? 0 : record.hangupAt! - record.answeredAt
    if (!rate) {
      if (cdr.cost !== 0n) auditor.fault(`${legId} cost ${cdr.cost} without a rate`)
      return
    }
    const price = priceOf(rate, secondsOf(talkUs, settings.rounding))
    if (cdr.cost > price) auditor.fault(`${legId} cost ${cdr.cost}, but its talk only ${price}`)
    if (cdr.cost + cdr.write_off > price) {
      auditor.fault(`${legId} cost and write-off are ${cdr.cost + cdr.write_off}, not ${price}`)
    }
    if (cdr.cause === 'LOST') {
      this.lost += 1
      return
    }
    const early = priceOf(rate, secondsOf(Math.max(0, talkUs - STAMP_US), settings.rounding))
    const exact = heard.some(one => one.daemon === cdr.by && one.exact && one.atMs < cdr.filedMs)
    const due = cdr.cost + cdr.write_off
    if (due !== price && (exact || due < early)) {
      auditor.fault(`${legId} came to ${due}, but its talk to ${price}`)
    }
    if (cdr.cost !== (due < cdr.held ? due : cdr.held)) {
      auditor.fault(`${legId} cost ${cdr.cost} of ${due}, with ${cdr.held} held`)
    }
  }

  #judgeStamps({ placed, record, cdr, heard }: Case): void {
    const { auditor } = this.parts
    const { legId } = placed
    const answeredAt = cdr.answered_at === null ? undefined : Number(cdr.answered_at)
    if (answeredAt !== undefined && answeredAt !== record.answeredAt) {
      auditor.fault(`${legId} was answered at ${record.answeredAt}, not ${answeredAt}`)
    }
    const early = record.hangupAt! - Number(cdr.ended_at)
    if (early < 0) auditor.fault(`${legId} is said to have ended ${-early} us later than it did`)
    if (cdr.cause !== 'LOST') {
      if (early > STAMP_US) auditor.fault(`${legId} is said to have ended ${early} us too early`)
      return
    }
    // A leg whose CREATE comes after its end is found by no list, and its end is not told again.
    const from = heard.find(({ name }) => /CREATE|ANSWER|DATA/.test(name))?.atMs ?? 0
    const ends = heard.filter(
      one => one.daemon === cdr.by && one.name.startsWith('CHANNEL_HANGUP') && one.atMs >= from,
    )
    if (ends.length > 0 && !placed.asUser) {
      auditor.fault(`${legId} is said to be lost, but its end was heard`)
    }
    this.#judgeLost(legId, placed, early)
  }

  /** In good weather a call whose end was missed is closed at the time of a sweep before it. */
  #judgeLost(legId: string, { site }: Placed, earlyUs: number): void {
    const { auditor, troubles, settings, sweepS } = this.parts
    const endedMs = site.worldMs(site.freeswitch.history.get(legId)!.hangupAt!)
    const boundMs = (sweepS + settings.hangupGraceS + 5) * 1000
    if (earlyUs <= boundMs * 1000) return
    if (troubles.during(endedMs - boundMs, endedMs, site.name)) return
    auditor.fault(`${legId} is said to have ended ${earlyUs / 1e6} s before its end`)
  }

  #judgeRefusal({ placed, record, cdr, endedMs, heard }: Case): void {
    const { auditor, troubles } = this.parts
    const { legId, site } = placed
    this.#refusals.judge(placed, cdr, record.createdAt)
    if (cdr.cost !== 0n && record.answeredAt === undefined) {
      auditor.fault(`${legId} was refused, not answered, and cost ${cdr.cost}`)
    }
    const knownMs = heard.find(({ daemon }) => daemon === cdr.by)?.atMs
    if (knownMs === undefined) return
    const calmMs = endedMs - Math.max(knownMs, troubles.calmSince(endedMs, site.name))
    if (calmMs < COMMAND_MS) return
    auditor.fault(`${legId} was refused, but went on for ${calmMs / 1000} s`)
  }

  /** No call outlives its hold by more than the switch's own timer allows. */
  #judgeOverrun(one: Case): void {
    const { auditor, troubles, timerMarginS } = this.parts
    const { placed, record, cdr, rate, endedMs, longestS } = one
    const { legId, site } = placed
    if (record.answeredAt === undefined || !rate) return this.#noteWriteOff(cdr, 'unanswered')
    const fundedS = secondsFor(rate, cdr.held, longestS)
    const fundedMs = site.worldMs(record.answeredAt + fundedS * 1e6)
    const overMs = endedMs - fundedMs
    if (overMs <= 0) return
    const knownMs = auditor.watched.get(legId)?.firstHeldMs ?? endedMs
    const fromMs = Math.max(fundedMs, knownMs, this.#answerKnownMs(one))
    const slow = troubles.during(fundedMs - FAR_MS, endedMs, site.name, ['commands fail']) !== null
    const boundMs = (timerMarginS + 2) * 1000 + (slow ? BACKLOG_MS : COMMAND_MS)
    const calmMs = endedMs - Math.max(fromMs, troubles.calmSince(endedMs, site.name))
    const protectedBySwitch = this.#hadTimer(one, knownMs)
    const why = knownMs > fundedMs ? 'found late' : protectedBySwitch ? 'cut off late' : 'no timer'
    this.#noteWriteOff(cdr, why)
    this.overruns.push({ legId, us: overMs * 1000, writeOff: cdr.write_off, why })
    if (calmMs > COMMAND_MS) {
      auditor.fault(`${legId} went on ${calmMs / 1000} s after its credit, unhindered`)
    }
    if (endedMs - fromMs > boundMs && protectedBySwitch) {
      auditor.fault(`${legId} went on ${(endedMs - fromMs) / 1000} s after its credit`)
    }
  }

  /** When a daemon knew of the answer: by its event, or else by the next sweep. */
  #answerKnownMs({ placed, record, heard }: Case): number {
    const event = heard.find(one => one.name === 'CHANNEL_ANSWER')
    if (event) return event.atMs
    return placed.site.worldMs(record.answeredAt!) + (this.parts.sweepS + 1) * 1000
  }

  /** Its daemon had a moment of good weather, after its answer, to arm a timer in the switch. */
  #hadTimer({ placed, record, endedMs }: Case, knownMs: number): boolean {
    const { site } = placed
    // A switch that crashes forgets its timers, though it may bring the calls back.
    const { recoveries } = site
    const recoveredMs = recoveries.findLast(ms => ms < endedMs) ?? 0
    const fromMs = Math.max(site.worldMs(record.answeredAt!), knownMs, recoveredMs)
    return this.parts.troubles.during(fromMs, fromMs + 2000, site.name) === null
  }

  /** No call is cut off before its hold is used up, nor while there is credit for more. */
  #judgeCutOff({ placed, code, record, cdr, rate, endedMs, longestS }: Case): void {
    const { auditor, troubles, settings, timerMarginS } = this.parts
    const { legId, site } = placed
    if (!rate || record.answeredAt === undefined) return
    if (record.endedBy !== 'api' && record.endedBy !== 'timer') return
    this.cutOffs += 1
    const { leadS, retryS, chunkS } = settings
    const fundedS = secondsFor(rate, cdr.held, longestS)
    if (fundedS >= longestS) return
    const fundedMs = site.worldMs(record.answeredAt + fundedS * 1e6)
    const fromMs = Math.min(fundedMs, endedMs) - (leadS + timerMarginS + 5) * 1000
    const excuse: Trouble | null = troubles.during(fromMs, endedMs, site.name)
    if (excuse) return
    if (endedMs < fundedMs - CLOCK_MS) {
      return auditor.fault(`${legId} was cut off ${(fundedMs - endedMs) / 1000} s too early`)
    }
    const standings = auditor.standings(code, fromMs, endedMs)
    if (standings.some(({ row }) => row.state !== 'active')) return
    const more = settings.partialChunk ? 1 : chunkS
    const price = Number(priceOf(rate, Math.min(fundedS + more, longestS)))
    const need = price - Number(cdr.held)
    // A call tries once more before its end, and at once when its account is topped up.
    const lastTopUpMs = auditor.lastTopUp(code, fundedMs - COMMAND_MS)
    const tryMs = Math.max(lastTopUpMs, fundedMs - retryS * 1000 - CLOCK_MS - COMMAND_MS)
    const heldMs = auditor.watched.get(legId)?.firstHeldMs ?? 0
    const untilMs = Math.max(fundedMs, heldMs)
    const perCall = auditor.standings(code, tryMs, untilMs).map(one => one.row.max_spend_per_call)
    if (perCall.some(max => max !== null && max < price)) return
    const least = auditor.leastRoom(code, tryMs, untilMs)
    if (least !== null && least >= need) {
      auditor.fault(`${legId} was cut off though ${code} had ${least}, and needed ${need}`)
    }
  }

  #noteWriteOff({ write_off: amount }: Filed, why: string): void {
    if (amount === 0n) return
    const sum = this.writeOffs.get(why) ?? { calls: 0, total: 0n, largest: 0n }
    this.writeOffs.set(why, {
      calls: sum.calls + 1,
      total: sum.total + amount,
      largest: amount > sum.largest ? amount : sum.largest,
    })
  }
}

function isPricedBy(rate: Rate, by: Rate): boolean {
  return (
    rate.perMinute === by.perMinute &&
    rate.setup === by.setup &&
    rate.minimum === by.minimum &&
    rate.increment === by.increment &&
    rate.freeS === by.freeS
  )
}
