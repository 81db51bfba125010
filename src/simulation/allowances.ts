/**
 * Whether the limits of accounts are kept, as the auditor sees it at every commit: from the rows of
 * accounts and calls and the entries, and from nothing that the ledger has worked out itself.
 */
import type { AccountRow, CallRow } from './books.js'
import { ZONES } from './plan-script.js'

/** What a commit has done to an account. */
export interface Change {
  /** As it was at the commit before; what an operator changes holds before this commit, or after. */
  readonly before: AccountRow
  readonly after: AccountRow
  /** Its calls, and what is held for them together. */
  readonly live: number
  readonly held: number
  /** Those of them that are new. */
  readonly admitted: readonly CallRow[]
  /** Those for which more is held than before. */
  readonly raised: readonly { readonly legId: string; readonly held: number }[]
}

export interface AllowanceParts {
  fault(sentence: string): void
  /** Our wall clock, in microseconds since the epoch. */
  wallUs(): number
  /** Which run of the daemon it is: how many calls came in the last second dies with it. */
  run(): unknown
}

/** What a call cost: when that was booked by our wall clock, and when by that of the world. */
interface Cost {
  readonly cost: number
  readonly atUs: number
  readonly atMs: number
}

/** A call that was let through while there was a limit to how many may be, in a second. */
interface Admission {
  readonly createdAt: number
  readonly run: unknown
}

type Limit = 'max_calls' | 'max_calls_per_second' | 'max_per_minute' | `max_spend_per_${string}`

const SECOND_US = 1e6
const DAY_US = 86_400e6

export class Allowances {
  readonly #costs = new Map<number, Cost[]>()
  readonly #admissions = new Map<string, Admission[]>()

  constructor(readonly parts: AllowanceParts) {}

  /** A call was charged. */
  noteCost(account: number, cost: Cost): void {
    const costs = this.#costs.get(account) ?? []
    this.#costs.set(account, costs)
    costs.push(cost)
  }

  /** What calls cost that were settled on a day in the zone, and before that moment of the world. */
  spentOn(account: number, zone: string, day: number, untilMs: number): number {
    let spent = 0
    for (const { cost, atUs, atMs } of this.#costs.get(account) ?? []) {
      if (atMs <= untilMs && dayIn(zone, atUs) === day) spent += cost
    }
    return spent
  }

  check(change: Change): void {
    const { after, live, admitted, raised } = change
    if (after.live_calls !== live) {
      this.parts.fault(`${after.code} has ${after.live_calls} live calls, but they are ${live}`)
    }
    if (admitted.length > 0) this.#checkAdmissions(change)
    if (raised.length > 0) this.#checkSpending(change)
  }

  /** A call that was let through; for sure, if it was not over before anything was held for it. */
  noteAdmission(
    account: number,
    call: Pick<CallRow, 'switch' | 'created_at'>,
    isSure = true,
  ): void {
    const { switch: site, created_at } = call
    const key = `${account} ${site}`
    const admissions = this.#admissions.get(key) ?? []
    this.#admissions.set(key, admissions)
    admissions.push({ createdAt: Number(created_at), run: isSure ? this.parts.run() : null })
  }

  /** How many calls of the account were let through in the seconds around that instant. */
  admittedAround(account: number, site: string, createdAt: number): number {
    return (this.#admissions.get(`${account} ${site}`) ?? []).filter(
      one => Math.abs(one.createdAt - createdAt) < SECOND_US,
    ).length
  }

  #checkAdmissions(change: Change): void {
    const { after, live, admitted } = change
    const maxCalls = allowed(change, 'max_calls')
    if (live > maxCalls)
      this.parts.fault(`${after.code} has ${live} calls, and may have ${maxCalls}`)
    const perMinute = allowed(change, 'max_per_minute')
    for (const call of admitted) {
      if (Number(call.per_minute) > perMinute) {
        this.parts.fault(`${call.leg_id} costs ${call.per_minute} a minute, and may ${perMinute}`)
      }
      if (after.max_calls_per_second === null) continue
      this.noteAdmission(after.id, call)
      this.#checkSecond(change, call)
    }
  }

  /** Of all seconds that the call is in, the one with the most calls. */
  #checkSecond(change: Change, call: CallRow): void {
    const { after } = change
    const run = this.parts.run()
    const createdAt = Number(call.created_at)
    const stamps = (this.#admissions.get(`${after.id} ${call.switch}`) ?? [])
      .filter(one => one.run === run && Math.abs(one.createdAt - createdAt) < SECOND_US)
      .map(one => one.createdAt)
    const calls = stamps
      .filter(end => end >= createdAt)
      .map(end => stamps.filter(at => at > end - SECOND_US && at <= end).length)
    const most = Math.max(...calls)
    const max = allowed(change, 'max_calls_per_second')
    if (most > max) this.parts.fault(`${after.code} began ${most} calls in a second, not ${max}`)
  }

  #checkSpending(change: Change): void {
    const { before, after, held, raised } = change
    const perCall = allowed(change, 'max_spend_per_call')
    for (const call of raised) {
      if (call.held <= perCall) continue
      this.parts.fault(`${call.legId} has ${call.held} held, and may have ${perCall}`)
    }
    const perDay = allowed(change, 'max_spend_per_day')
    if (perDay === Number.POSITIVE_INFINITY) return
    const now = this.parts.wallUs()
    const zones = [before.time_zone, after.time_zone]
    const spents = zones.map(zone => this.spentOn(after.id, zone, dayIn(zone, now), Infinity))
    const spent = Math.min(...spents)
    if (spent + held <= perDay) return
    this.parts.fault(`${after.code} has spent ${spent} today and has ${held} held, of ${perDay}`)
  }
}

/** The limit that held at the commit: the one before or the one after, whichever allows more. */
function allowed({ before, after }: Change, limit: Limit): number {
  const of = (row: AccountRow) => row[limit as 'max_calls'] ?? Number.POSITIVE_INFINITY
  return Math.max(of(before), of(after))
}

/** The days since the epoch, by the clocks of the zone. */
export function dayIn(zone: string, atUs: number): number {
  return Math.floor((atUs + ZONES.get(zone)! * 60e6) / DAY_US)
}
