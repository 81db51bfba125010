/** Whether a leg was refused for a reason that was there, and let through only where none was. */
import type { Settings } from '../call/settings.js'
import type { Auditor, Filed, Standing } from './auditor.js'
import type { AccountRow } from './books.js'
import type { Placed } from './callers.js'
import { AHEAD_US, type FairTerms } from './fair-terms.js'
import { type Look, priceOf } from './price-list.js'
import type { Subscriber } from './scenario.js'
import type { Troubles } from './troubles.js'

export interface RefusalParts {
  readonly auditor: Auditor
  readonly troubles: Troubles
  readonly terms: FairTerms
  readonly subscribers: readonly Subscriber[]
  readonly settings: Settings
}

/** The daemon's estimate of the switch's time. */
const CLOCK_US = 100_000

export class Refusals {
  constructor(readonly parts: RefusalParts) {}

  /** @param createdAt when the leg was created, by its switch */
  judge(placed: Placed, cdr: Filed, createdAt: number): void {
    const { auditor } = this.parts
    const { legId } = placed
    const reason = cdr.reason ?? ''
    const isDue = this.#reasons(placed, cdr, createdAt)[reason]
    if (!isDue?.()) auditor.fault(`${legId} was refused as ${reason}`)
  }

  /** The price list was not against it at every moment until it was let through. */
  judgeAdmission(placed: Placed, filedMs: number, createdAt: number): void {
    const { auditor, terms } = this.parts
    const { legId, dialled, atMs, site, subscriber } = placed
    if (!subscriber) return auditor.fault(`${legId} was let through, of an unknown account`)
    const digits = digitsDialled(dialled)
    if (digits === null) return auditor.fault(`${legId} was let through to ${dialled}`)
    const untilMs = auditor.watched.get(legId)?.firstHeldMs ?? filedMs
    const until = site.instant(untilMs) + CLOCK_US
    const verdicts = terms.verdicts(placed, digits, { fromMs: atMs, untilMs }, createdAt, until)
    if (!verdicts.has(null)) auditor.fault(`${legId} was let through: ${[...verdicts].join()}`)
  }

  #reasons(placed: Placed, cdr: Filed, createdAt: number): Record<string, () => boolean> {
    const { auditor, troubles, terms, subscribers } = this.parts
    const { dialled, atMs, site } = placed
    const code = placed.code!
    const look: Look = { fromMs: atMs, untilMs: cdr.filedMs }
    const digits = digitsDialled(dialled)
    const standings = auditor.standings(code, atMs, cdr.filedMs)
    const until = site.instant(cdr.filedMs) + CLOCK_US
    const isUnknown = !subscribers.some(one => one.code === code)
    const some = (is: (one: Standing) => boolean) => () => standings.some(is)
    const listed = (verdict: string) => () =>
      !isUnknown &&
      digits !== null &&
      terms.verdicts(placed, digits, look, createdAt, until).has(verdict)
    const costs = (room: (one: Standing) => number) => () => {
      const dearest = this.#dearest(placed, digits ?? '', look, createdAt)
      return standings.some(one => room(one) < Number(dearest.price))
    }
    const limited = (limit: keyof AccountRow, is: (max: number, row: AccountRow) => boolean) =>
      some(({ row }) => row[limit] !== null && is(Number(row[limit]), row))
    return {
      unknown_account: () => isUnknown,
      account_suspended: some(({ row }) => row.state === 'suspended'),
      account_closed: some(({ row }) => row.state === 'closed'),
      malformed_number: () => digits === null,
      no_rate: listed('no_rate'),
      destination_blocked: listed('destination_blocked'),
      no_cost_rate: listed('no_cost_rate'),
      would_lose_money: listed('would_lose_money'),
      no_credit: costs(({ available }) => available),
      max_calls: limited('max_calls', (max, row) => row.live_calls >= max),
      max_calls_per_second: limited(
        'max_calls_per_second',
        (max, { id }) => auditor.allowances.admittedAround(id, site.name, createdAt) >= max,
      ),
      max_per_minute: limited(
        'max_per_minute',
        max => this.#dearest(placed, digits ?? '', look, createdAt).perMinute > max,
      ),
      max_spend_per_call: costs(({ row }) => row.max_spend_per_call ?? Number.POSITIVE_INFINITY),
      max_spend_per_day: costs(one => auditor.dayRoom(one, atMs, cdr.filedMs)),
      ledger_unavailable: () =>
        troubles.during(atMs, cdr.filedMs, null, ['the ledger refuses']) !== null,
    }
  }

  /** What a leg asks for at the least, and what a minute of it costs, in case it rings for long. */
  #dearest(placed: Placed, digits: string, look: Look, createdAt: number) {
    const { terms, settings } = this.parts
    const until = placed.site.instant(look.untilMs) + AHEAD_US
    const rates = terms.candidates(placed, digits, look, createdAt, until).map(({ rate }) => rate)
    // A leg that was heard of late owes for its talk so far, too.
    const askedS = settings.partialChunk ? 1 : settings.chunkS + 2
    const prices = rates.map(rate => priceOf(rate, Math.max(askedS, rate.freeS + 1)))
    return {
      price: prices.reduce((most, one) => (one > most ? one : most), 0n),
      perMinute: Math.max(0, ...rates.map(({ perMinute }) => Number(perMinute))),
    }
  }
}

export function digitsDialled(dialled: string): string | null {
  const digits = dialled.replace(/^(\+|00|011)/, '')
  return /^\d+$/.test(digits) ? digits : null
}
