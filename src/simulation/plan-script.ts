/** The plans of a scenario: what calls cost, and when that changes while it runs. */
import type { ListedRate } from '../rating/listed-rate.js'
import type { Period } from '../rating/schedule.js'
import type { Dice } from './dice.js'

/** A stretch of time in which a period of a plan is in force, by the clock of a switch. */
export interface Part {
  readonly name: string
  readonly from: number
  readonly until: number
}

export interface PlanScript {
  readonly zone: string
  /** As the plan has it written down. */
  readonly periods: readonly Period[]
  /** What that means while the scenario runs, in microseconds since the epoch. */
  readonly parts: readonly Part[]
  readonly costPlan: string | null
  readonly refuseLoss: boolean
  readonly rates: readonly ListedRate[]
}

/** Time zones that change no clocks in November, and how many minutes they are ahead of UTC. */
export const ZONES: ReadonlyMap<string, number> = new Map([
  ['UTC', 0],
  ['Europe/London', 0],
  ['Asia/Kolkata', 330],
  ['Atlantic/Azores', -60],
  ['America/Noronha', -120],
  ['Pacific/Apia', 780],
])

const PREFIXES = ['1', '1907', '33', '44', '447', '4478', '49', '7', '800', '86']

/** The carrier does not offer the last of them. */
const CARRIED = PREFIXES.slice(0, -1)

/** Only some destinations have prices of their own for some accounts. */
const SPECIAL = ['447', '49', '7911', '86']

/** Minimum and increment, in seconds. */
const STEPS = [
  [60, 60],
  [1, 1],
  [60, 1],
  [30, 6],
  [6, 6],
  [90, 45],
] as const

const MINUTE_US = 60e6
const DAY_MIN = 1440
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

/** Plans change their periods for so long from the start. */
const CHANGING_MIN = 150

/** @param startUs when the simulation begins, by the clock of a switch */
export function plansOf(dice: Dice, startUs: number): Map<string, PlanScript> {
  const retail = ['basic', 'gold', 'wholesale'].map(name => {
    const script = planOf(dice.for(name), startUs, PREFIXES, 1_000_000)
    const costPlan = dice.chance(0.6) ? 'carrier' : null
    const refuseLoss = costPlan !== null && dice.chance(0.5)
    return [name, { ...script, costPlan, refuseLoss }] as const
  })
  return new Map([
    ...retail,
    ['vip', planOf(dice.for('vip'), startUs, SPECIAL, 500_000)],
    ['carrier', planOf(dice.for('carrier'), startUs, CARRIED, 250_000)],
  ])
}

export function digitsOf(dice: Dice): string {
  return dice.pick(PREFIXES) + String(1_000_000 + dice.int(9_000_000))
}

/** A rate of the base deck that is in force at all times. */
export function rateOf(prefix: string, dice: Dice, below = 1_000_000): ListedRate {
  const [minimum, increment] = dice.pick(STEPS)
  const blocked = dice.chance(0.04)
  const free = blocked || prefix === '800' || dice.chance(0.05)
  return {
    prefix,
    description: blocked ? 'fraud' : `destination ${prefix}`,
    perMinute: free ? 0n : BigInt(1000 + dice.int(below)),
    setup: free || dice.chance(0.7) ? 0n : BigInt(dice.int(below / 10)),
    minimum,
    increment,
    freeS: dice.chance(0.2) ? dice.pick([1, 5, 30, 60, 100]) : 0,
    period: '',
    from: 0,
    until: null,
    blocked,
  }
}

function planOf(
  dice: Dice,
  startUs: number,
  prefixes: readonly string[],
  below: number,
): PlanScript {
  const [zone, aheadMin] = dice.pick([...ZONES])
  const parts = dice.chance(0.7) ? partsOf(dice, startUs) : []
  const names = [...new Set(parts.map(({ name }) => name))].sort()
  const periods = names.map(name => {
    const own = parts.filter(part => part.name === name)
    return { name, hours: own.map(part => hoursOf(part, aheadMin)).join(', ') }
  })
  const rates = prefixes.flatMap(prefix => [
    ...overTime(rateOf(prefix, dice, below), startUs, dice, below),
    ...names
      .filter(() => dice.chance(0.5))
      .map(period => ({ ...rateOf(prefix, dice, below), period })),
  ])
  return { zone, periods, parts, costPlan: null, refuseLoss: false, rates }
}

/** Some rates end, or give way to others, while the scenario runs. */
function overTime(rate: ListedRate, startUs: number, dice: Dice, below: number): ListedRate[] {
  if (!dice.chance(0.3)) return [rate]
  const changeAt = startUs + Math.floor(dice.wait(20 * MINUTE_US))
  const until = changeAt - (dice.chance(0.3) ? 3 * MINUTE_US : 0)
  const next = { ...rateOf(rate.prefix, dice, below), from: changeAt }
  return dice.chance(0.2) ? [{ ...rate, until }] : [{ ...rate, until }, next]
}

/** Minutes to half an hour of this, then of that, with nothing special in between, or not. */
function partsOf(dice: Dice, startUs: number): Part[] {
  const parts: Part[] = []
  let minute = Math.floor(startUs / MINUTE_US) + 1 + dice.int(5)
  const end = minute + CHANGING_MIN
  while (minute < end) {
    const until = minute + 3 + dice.int(20)
    const name = dice.pick(['peak', 'quiet', ''])
    if (name !== '') parts.push({ name, from: minute * MINUTE_US, until: until * MINUTE_US })
    minute = until
  }
  return parts
}

/** `mon 23:50-00:05`: what an operator writes for it, by the clocks of the plan's zone. */
function hoursOf({ from, until }: Part, aheadMin: number): string {
  const begin = from / MINUTE_US + aheadMin
  const end = until / MINUTE_US + aheadMin
  // The epoch was a Thursday.
  const day = DAYS[(Math.floor(begin / DAY_MIN) + 3) % DAYS.length]
  return `${day} ${clock(begin)}-${clock(end)}`
}

function clock(minute: number): string {
  const ofDay = minute % DAY_MIN
  const two = (part: number) => String(part).padStart(2, '0')
  return `${two(Math.floor(ofDay / 60))}:${two(ofDay % 60)}`
}
