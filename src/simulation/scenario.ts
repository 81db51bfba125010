/** What a seed means: who has credit, what calls cost, and what is going to go wrong. */
import type { Settings } from '../call/settings.js'
import { UNIT } from '../money.js'
import type { Rate } from '../rating/rate.js'
import type { Dice } from './dice.js'
import type { SiteOptions } from './site.js'

export interface Subscriber {
  readonly code: string
  readonly plan: string
  readonly credit: bigint
  readonly creditLimit: bigint
  /** Has credit for anything: no call of it may ever be cut off or refused. */
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
  readonly plans: ReadonlyMap<string, readonly Rate[]>
  readonly subscribers: readonly Subscriber[]
  readonly callsPerHour: number
  readonly faults: ReadonlySet<Fault>
}

const PREFIXES = ['1', '1907', '33', '44', '447', '4478', '49', '7', '800', '86']

/** Minimum and increment, in seconds. */
const STEPS = [
  [60, 60],
  [1, 1],
  [60, 1],
  [30, 6],
  [6, 6],
  [90, 45],
] as const

export function scenarioOf(dice: Dice): Scenario {
  return {
    settings: settingsOf(dice),
    timerMarginS: dice.pick([1, 2, 2, 3]),
    sweepS: dice.pick([20, 30, 30]),
    sites: ['alpha', 'beta'].slice(0, dice.chance(0.3) ? 2 : 1).map(name => siteOf(name, dice)),
    plans: new Map(['basic', 'gold', 'wholesale'].map(plan => [plan, ratesOf(dice)])),
    subscribers: Array.from({ length: 100 + dice.int(100) }, (_, i) => subscriberOf(i, dice)),
    callsPerHour: 300 + dice.int(500),
    // Each seed has its own selection: with all faults at once few calls would see any one alone.
    faults: new Set(FAULTS.filter(() => dice.chance(0.35))),
  }
}

function settingsOf(dice: Dice): Settings {
  return {
    chunkS: dice.pick([60, 60, 60, 90, 120]),
    leadS: dice.pick([10, 10, 15]),
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

function ratesOf(dice: Dice): Rate[] {
  return PREFIXES.map(prefix => rateOf(prefix, dice))
}

export function rateOf(prefix: string, dice: Dice): Rate {
  const [minimum, increment] = dice.pick(STEPS)
  const free = prefix === '800' || dice.chance(0.05)
  return {
    prefix,
    description: `destination ${prefix}`,
    perMinute: free ? 0n : BigInt(1000 + dice.int(900_000)),
    setup: free || dice.chance(0.7) ? 0n : BigInt(dice.int(100_000)),
    minimum,
    increment,
  }
}

export function digitsOf(dice: Dice): string {
  return dice.pick(PREFIXES) + String(1_000_000 + dice.int(9_000_000))
}

function subscriberOf(i: number, dice: Dice): Subscriber {
  const rich = dice.chance(0.15)
  const limited = dice.chance(0.15)
  const poor = BigInt(Math.floor(dice.wait(Number(UNIT) * 3)))
  return {
    code: `ACCT${String(i).padStart(3, '0')}`,
    plan: dice.pick(['basic', 'gold', 'wholesale']),
    credit: rich ? UNIT * 1_000_000n : dice.chance(0.1) ? 0n : poor,
    creditLimit: limited ? UNIT * BigInt(dice.int(3)) : 0n,
    rich,
    // A few call all the time, several at once.
    weight: dice.chance(0.1) ? 15 : 1,
  }
}
