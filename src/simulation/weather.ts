/** What goes wrong, when and for how long: those faults that the scenario has chosen. */
import type { Dice } from './dice.js'
import type { LedgerWeather } from './gate.js'
import type { Fault, Scenario } from './scenario.js'
import type { Site } from './site.js'
import type { Trouble, Troubles } from './troubles.js'
import type { World } from './world.js'

export interface WeatherParts {
  readonly world: World
  readonly dice: Dice
  readonly scenario: Scenario
  readonly sites: readonly Site[]
  readonly troubles: Troubles
  /** The daemon is going to die after so many steps, and is started again after that long. */
  killDaemon(steps: number, downMs: number): void
}

const MINUTE = 60_000

/** What was asked in bad weather may still be under way so long after it. */
const BACKLOG_MS = 20_000

/** How often each comes, on average, in minutes. */
const EVERY_MIN: Readonly<Partial<Record<Fault, number>>> = {
  'connection lost for a second': 4,
  'connection lost for a minute': 15,
  'connection lost for an hour': 150,
  'connection half open': 20,
  'commands fail': 10,
  'lists fail': 10,
  'switch restarted': 25,
  'switch shut down': 40,
  'switch recovered': 20,
  'daemon killed': 6,
  'ledger slow': 10,
  'ledger refuses': 12,
  'wall clock jumps': 5,
}

export class Weather {
  readonly ledger: LedgerWeather = { slowMs: 0, refuses: false }
  readonly #jumps: { readonly atMs: number; readonly offUs: number }[] = []
  readonly happened = new Map<Fault, number>()

  constructor(readonly parts: WeatherParts) {}

  /** How far our wall clock had been moved by then, in microseconds. */
  wallClockOffUs(atMs: number): number {
    return this.#jumps.findLast(jump => jump.atMs <= atMs)?.offUs ?? 0
  }

  start(untilMs: number): void {
    const { world, dice, scenario, sites } = this.parts
    for (const fault of scenario.faults) {
      const everyMin = EVERY_MIN[fault]
      if (everyMin === undefined) continue
      const next = () => {
        if (world.now() > untilMs) return
        this.happened.set(fault, (this.happened.get(fault) ?? 0) + 1)
        this.#strike(fault)
        world.after(dice.wait(everyMin * MINUTE), next)
      }
      world.after(dice.wait(everyMin * MINUTE), next)
    }
    for (const site of sites) this.#troubleEvents(site)
    world.at(untilMs, () => {
      for (const { weather } of sites) {
        Object.assign(weather, { eventIsLost: 0, eventIsRepeated: 0, eventIsLate: 0 })
      }
    })
  }

  #troubleEvents({ weather }: Site): void {
    const { faults } = this.parts.scenario
    if (faults.has('events are lost')) weather.eventIsLost = 0.03
    if (faults.has('events are repeated')) weather.eventIsRepeated = 0.1
    if (faults.has('events are late')) weather.eventIsLate = 0.1
  }

  #strike(fault: Fault): void {
    const { dice, sites } = this.parts
    const site = dice.pick(sites)
    switch (fault) {
      case 'connection lost for a second':
        return site.breakFor(dice.between(300, 2000))
      case 'connection lost for a minute':
        return site.breakFor(dice.between(20_000, 2 * MINUTE))
      case 'connection lost for an hour':
        return site.breakFor(dice.between(30 * MINUTE, 70 * MINUTE))
      case 'connection half open':
        return site.deafen(dice.between(5000, 50_000))
      case 'switch restarted':
        return site.fall('crash', dice.between(2000, MINUTE), false)
      case 'switch shut down':
        return site.fall('shutdown', dice.between(2000, MINUTE), false)
      case 'switch recovered':
        return site.fall('crash', dice.between(500, 30_000), true)
      case 'daemon killed':
        return this.parts.killDaemon(1 + dice.int(30), this.#downMs())
      case 'wall clock jumps':
        return this.#moveWallClock(Math.floor(dice.between(-6, 6) * 3600 * 1e6))
      default:
        return this.#spell(fault, site)
    }
  }

  #moveWallClock(byUs: number): void {
    const atMs = this.parts.world.now()
    this.#jumps.push({ atMs, offUs: this.wallClockOffUs(atMs) + byUs })
  }

  #downMs(): number {
    return this.parts.dice.weigh([
      [4, this.parts.dice.between(200, 3000)],
      [3, this.parts.dice.between(3000, MINUTE)],
      [1, this.parts.dice.between(MINUTE, 15 * MINUTE)],
    ])
  }

  /** What lasts for a while. */
  #spell(fault: Fault, site: Site): void {
    const { dice } = this.parts
    const { weather } = site
    switch (fault) {
      case 'commands fail':
        weather.commandFails = dice.pick([0.1, 0.5, 1])
        return this.#until(2 * MINUTE, 'commands fail', site, () => {
          weather.commandFails = 0
        })
      case 'lists fail': {
        // A switch that lists wrongly may describe wrongly, too.
        const commandFails = dice.chance(0.4) ? 0.5 : 0
        Object.assign(weather, { listFails: dice.pick([0.5, 1]), commandFails })
        const trouble = commandFails > 0 ? 'commands fail' : 'lists fail'
        return this.#until(5 * MINUTE, trouble, site, () => {
          Object.assign(weather, { listFails: 0, commandFails: 0 })
        })
      }
      case 'ledger slow':
        this.ledger.slowMs = dice.pick([50, 1000, 20_000])
        return this.#until(2 * MINUTE, 'the ledger is slow', null, () => {
          this.ledger.slowMs = 0
        })
      case 'ledger refuses':
        this.ledger.refuses = true
        return this.#until(2 * MINUTE, 'the ledger refuses', null, () => {
          this.ledger.refuses = false
        })
    }
  }

  #until(longestMs: number, trouble: Trouble, site: Site | null, end: () => void): void {
    const { world, dice, troubles } = this.parts
    const over = troubles.begin(trouble, site?.name ?? null)
    world.after(dice.next() * longestMs, () => {
      end()
      world.after(BACKLOG_MS, over)
    })
  }
}
