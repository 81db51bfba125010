/** What a seed means: who has credit, what calls cost, and what is going to go wrong. */
import type { Settings } from '../call/settings.js'
import { type Limits, NO_LIMITS } from '../ledger/limits.js'
import { UNIT } from '../money.js'
import type { Dice } from './dice.js'
import { type PlanScript, plansOf, ZONES } from './plan-script.js'
import { EPOCH_US, type SiteOptions } from './site.js'

export interface Subscriber {
  readonly code: string
  readonly plan: string
  readonly specialPlan: string | null
  readonly timeZone: string
  readonly limits: Limits
  readonly credit: bigint
  readonly creditLimit: bigint
  /** Has credit for anything, and is never closed. */
  readonly rich: boolean
  /** How often it calls, beside the others. */
  readonly weight: number
}

export const FAULTS = [
  'events are lost',
  'events are repeated',
  'events are late',
  'connection lost for a second',
  'connection lost for a minute',
  'connection lost for an hour',
  'connection half open',
  'commands fail',
  'lists fail',
  'switch restarted',
  'switch shut down',
  'switch recovered',
  'daemon killed',
  'ledger slow',
  'ledger refuses',
  'wall clock jumps',
] as const

export type Fault = (typeof FAULTS)[number]

export interface Scenario {
  readonly settings: Settings
  readonly timerMarginS: number
  readonly sweepS: number
  readonly sites: readonly SiteOptions[]
  readonly plans: ReadonlyMap<string, PlanScript>
  readonly subscribers: readonly Subscriber[]
  readonly callsPerHour: number
  readonly faults: ReadonlySet<Fault>
}

export function scenarioOf(dice: Dice): Scenario {
  const settings = settingsOf(dice)
  const timerMarginS = dice.pick([1, 2, 2, 3])
  const sweepS = dice.pick([20, 30, 30])
  const names = ['alpha', 'beta'].slice(0, dice.chance(0.3) ? 2 : 1)
  const sites = names.map(name => siteOf(name, dice))
  // Rates go by the clock of the switch: by that of one of them something changes in time.
  const startUs = EPOCH_US + Math.floor(dice.pick(sites).aheadS * 1e6)
  return {
    ...{ settings, timerMarginS, sweepS, sites },
    plans: plansOf(dice.for('plans'), startUs),
    subscribers: Array.from({ length: 100 + dice.int(100) }, (_, i) => subscriberOf(i, dice)),
    callsPerHour: 250 + dice.int(450),
    // Each seed has its own selection: with all faults at once few calls would see any one alone.
    faults: new Set(FAULTS.filter(() => dice.chance(0.35))),
  }
}

function settingsOf(dice: Dice): Settings {
  return {
    chunkS: dice.pick([60, 60, 60, 90, 120]),
    leadS: dice.pick([10, 10, 15]),
    warnS: dice.pick([0, 5, 10, 10]),
    retryS: dice.pick([1, 1, 2, 5]),
    partialChunk: dice.chance(0.85),
    rounding: dice.pick(['up', 'up', 'up', 'nearest', 'down']),
    longestCallS: dice.pick([86_400, 86_400, 1200]),
    hangupGraceS: 5,
  }
}

function siteOf(name: string, dice: Dice): SiteOptions {
  return {
    name,
    aheadS: dice.pick([0, 0, dice.between(-2, 2), dice.between(-40_000, 40_000)]),
    driftPpm: dice.pick([0, 0, dice.between(-100, 100)]),
    listingLagMs: dice.pick([0, 0, 200, 1000]),
  }
}

function subscriberOf(i: number, dice: Dice): Subscriber {
  const rich = dice.chance(0.15)
  const onCredit = dice.chance(0.15)
  const poor = BigInt(Math.floor(dice.wait(Number(UNIT) * 3)))
  // A few call all the time, several at once.
  const busy = dice.chance(0.1)
  return {
    code: `ACCT${String(i).padStart(3, '0')}`,
    plan: dice.pick(['basic', 'gold', 'wholesale']),
    specialPlan: dice.chance(0.2) ? 'vip' : null,
    timeZone: zoneOf(dice),
    limits: limitsOf(dice, busy ? 0.25 : 0.12),
    credit: rich ? UNIT * 1_000_000n : dice.chance(0.1) ? 0n : poor,
    creditLimit: onCredit ? UNIT * BigInt(dice.int(3)) : 0n,
    rich,
    weight: busy ? 15 : 1,
  }
}

/** In most of them a day ends soon after the beginning. */
function zoneOf(dice: Dice): string {
  return dice.chance(0.5) ? 'UTC' : dice.pick([...ZONES.keys()])
}

function limitsOf(dice: Dice, chance: number): Limits {
  const limits: Partial<Limits>[] = LIMITS.filter(() => dice.chance(chance)).map(limit =>
    limitOf(limit, dice),
  )
  return Object.assign({}, NO_LIMITS, ...limits)
}

export const LIMITS = Object.keys(NO_LIMITS) as readonly (keyof Limits)[]

/** A limit of a kind, such as calls here will meet. */
export function limitOf(kind: keyof Limits, dice: Dice): Partial<Limits> {
  const amount = (from: number, to: number) => BigInt(Math.floor(dice.between(from, to) * 1e6))
  switch (kind) {
    case 'maxCalls':
      return {
        maxCalls: dice.weigh([
          [1, 0],
          [5, 1],
          [5, 2],
          [5, 3],
          [2, 5],
        ]),
      }
    case 'maxCallsPerSecond':
      return {
        maxCallsPerSecond: dice.weigh([
          [1, 0],
          [8, 1],
          [4, 2],
        ]),
      }
    case 'maxPerMinute':
      return { maxPerMinute: amount(0.1, 0.9) }
    case 'maxSpendPerCall':
      return { maxSpendPerCall: amount(0.05, 3) }
    case 'maxSpendPerDay':
      return { maxSpendPerDay: amount(0.1, 12) }
    case 'longestCallS':
      return { longestCallS: 20 + dice.int(400) }
  }
}
