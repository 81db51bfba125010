/** Compares the CDRs with the switch's own record of what was talked, call by call. */
import type { CdrJson } from '../../src/call/cdr.js'
import { formatMoney, parseMoney } from '../../src/money.js'
import { affordableSeconds, costOf, wholeSeconds } from '../../src/rating/rate.js'
import type { LegRecord } from '../../src/simulator/history.js'
import { RATE } from './site.js'

/** A stretch of the switch's time, in microseconds. */
export interface Stretch {
  readonly from: number
  to: number
}

export interface Evidence {
  /** The legs that had to pay. All have ended. */
  readonly legs: readonly LegRecord[]
  readonly cdrs: readonly CdrJson[]
  readonly rules: { readonly timer_margin_s: number }
  /** From when to when each daemon had found all that was alive on the switch, and heard the rest. */
  readonly supervised: readonly Stretch[]
  /** The longest that the switch, whose timers run in this process, was kept from running. */
  readonly stalledUs: number
}

const SECOND = 1e6

/** The switch's timers may be a second early; it looks at them every half second. */
const EARLY_US = SECOND
const LATE_US = 1.5 * SECOND

/** A process that is killed takes along what it heard shortly before, and had not dealt with. */
const UNDER_WAY_US = 0.5 * SECOND

/** Some time after it has found all calls, a daemon has moved all their timers. */
const SETTLING_US = SECOND

const LONGEST_CALL_S = 86_400

interface Filed {
  readonly leg: LegRecord
  readonly cdr: CdrJson
  /** Until when the hold paid for the call; null where it was not answered or nothing was held. */
  readonly fundedUntil: number | null
}

export class Reckoning {
  readonly #cdrs: ReadonlyMap<string, CdrJson>
  readonly #filed: readonly Filed[]

  constructor(readonly evidence: Evidence) {
    const { legs, cdrs } = evidence
    this.#cdrs = new Map(cdrs.map(cdr => [cdr.call_id, cdr]))
    this.#filed = legs.flatMap(leg => {
      const cdr = this.#cdrs.get(leg.uuid)
      return cdr ? [{ leg, cdr, fundedUntil: fundedUntil(leg, cdr) }] : []
    })
  }

  /**
   * Legs without a CDR, and CDRs without a leg. A leg that began and ended while nobody listened is
   * known to nobody.
   * @param recorded the calls that were ever seen on the books
   */
  filing(recorded: ReadonlySet<string>): string[] {
    const { legs, cdrs } = this.evidence
    const ids = new Set(legs.map(leg => leg.uuid))
    const missing = legs.filter(({ uuid }) => !this.#cdrs.has(uuid))
    const lost = missing.filter(
      leg => recorded.has(leg.uuid) || this.#isHeard(leg.createdAt, leg.hangupAt!),
    )
    return [
      ...lost.map(leg => `no CDR: ${JSON.stringify(leg)}`),
      ...[...recorded].filter(id => !this.#cdrs.has(id)).map(id => `no CDR any more: ${id}`),
      ...cdrs.filter(cdr => !ids.has(cdr.call_id)).map(cdr => `no leg: ${JSON.stringify(cdr)}`),
      ...(this.#cdrs.size === cdrs.length ? [] : ['two CDRs of one leg']),
    ]
  }

  /** CDRs that charge and write off together more than the talk time costs, or less if it is known. */
  prices(): string[] {
    return this.#filed.flatMap(({ leg, cdr }) => {
      const price = cdr.prefix === null ? 0n : costOf(RATE, wholeSeconds(talkUs(leg), 'up'))
      const charged = parseMoney(cdr.cost) + parseMoney(cdr.write_off)
      const right = cdr.cause === 'LOST' ? charged <= price : charged === price
      const within = parseMoney(cdr.cost) <= parseMoney(cdr.held)
      return right && within ? [] : [`${formatMoney(price)} is due: ${both(leg, cdr)}`]
    })
  }

  /**
   * Calls that went on for longer than the switch's timers let them. A call has none in the moment
   * between its answer, or our first hearing of it, and our first command about it.
   */
  overruns(): string[] {
    const { rules, stalledUs } = this.evidence
    const lateUs = rules.timer_margin_s * SECOND + LATE_US + stalledUs
    return this.#filed.flatMap(({ leg, cdr, fundedUntil }) => {
      if (fundedUntil === null) return []
      const last = fundedUntil + lateUs
      const known = this.#isHeard(leg.createdAt, fundedUntil)
      return known && leg.hangupAt! > last ? [both(leg, cdr)] : []
    })
  }

  /** Calls with credit that we ended; or that a timer did, though somebody was there to move it. */
  cuts(hasCredit: (leg: LegRecord) => boolean): string[] {
    const { rules, supervised } = this.evidence
    const aheadUs = rules.timer_margin_s * SECOND - EARLY_US
    const wasCared = (hangupAt: number) =>
      supervised.some(({ from, to }) => {
        const atRest = from + SETTLING_US
        return atRest < Math.min(to, hangupAt) && to > hangupAt - aheadUs
      })
    return this.#filed.flatMap(({ leg, cdr }) => {
      const cut = leg.endedBy === 'api' || (leg.endedBy === 'timer' && wasCared(leg.hangupAt!))
      return hasCredit(leg) && cut ? [both(leg, cdr)] : []
    })
  }

  summary(): string {
    const { legs, cdrs } = this.evidence
    const endedBy = (by: string) => this.#filed.filter(({ leg }) => leg.endedBy === by).length
    const sum = cdrs.reduce((total, cdr) => total + parseMoney(cdr.write_off), 0n)
    const outcomes = new Map<string, number>()
    for (const { outcome } of cdrs) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    return [
      `${legs.length} paying legs, ${cdrs.length} CDRs`,
      ...[...outcomes].map(([outcome, count]) => `${count} ${outcome}`),
      `${cdrs.filter(cdr => cdr.cause === 'LOST').length} whose end was not seen`,
      `${endedBy('api')} ended by us, ${endedBy('timer')} by the switch's timer`,
      `${formatMoney(sum)} written off`,
    ].join('; ')
  }

  /** Whether one daemon must have dealt with something that went on for so long. */
  #isHeard(from: number, to: number): boolean {
    return this.evidence.supervised.some(
      each => Math.min(to, each.to) - Math.max(from, each.from) > UNDER_WAY_US,
    )
  }
}

export function talkUs(leg: LegRecord): number {
  return leg.answeredAt === undefined ? 0 : leg.hangupAt! - leg.answeredAt
}

function fundedUntil({ answeredAt }: LegRecord, cdr: CdrJson): number | null {
  const held = parseMoney(cdr.held)
  if (answeredAt === undefined || held === 0n) return null
  return answeredAt + affordableSeconds(RATE, held, LONGEST_CALL_S) * SECOND
}

const both = (leg: LegRecord, cdr: CdrJson) => `${JSON.stringify(leg)} ${JSON.stringify(cdr)}`
