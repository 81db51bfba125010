/**
 * Everything at once, from a seed: the production rules, controller, recovery and SQLite ledger in
 * virtual time, between simulated switches and people, with faults; and an auditor who believes
 * nobody. The same seed runs the same way, always.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_TERMS } from '../ledger/books.js'
import { SqliteAccounts } from '../sqlite/accounts.js'
import { SqliteAuditor } from '../sqlite/audit.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import { Auditor } from './auditor.js'
import { Callers } from './callers.js'
import { type DaemonParts, openLedger, SimulatedDaemon } from './daemon.js'
import { Dice } from './dice.js'
import { Operators } from './operators.js'
import { PriceList } from './price-list.js'
import type { Report } from './report.js'
import { Rounds } from './rounds.js'
import { type Scenario, scenarioOf } from './scenario.js'
import { EPOCH_US, legOfGroup, Site } from './site.js'
import { Troubles } from './troubles.js'
import { Verdict } from './verdict.js'
import { Weather } from './weather.js'
import { World } from './world.js'

export interface SimulationOptions {
  readonly seed: number
  /** Hours of calls and faults; what is left then has half an hour more to end. */
  readonly hours: number
}

const HOUR_MS = 3_600_000

/** No call is longer, but for those that only credit ends. */
const DRAIN_MS = HOUR_MS / 2 + 120_000

/** Sweeps, retries and grace after the last call. */
const REST_MS = 300_000

/** A daemon that could not start is started again after that. */
const RESTART_MS = 5000

/** pino's number for it. */
const FATAL = 60

/** What was asked in bad weather is refused until then. */
const LEDGER_MS = 45_000
const LEDGER_TROUBLES = ['the ledger refuses', 'the ledger is slow'] as const

/** Who has made the plans and the accounts. */
const OPERATOR = 'operator'

/** Resolves to what was found; `report.problems` is empty when all promises were kept. */
export async function simulate(options: SimulationOptions): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-simulation-'))
  try {
    return await new Simulation(options, directory).run()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

class Simulation {
  readonly world = new World()
  readonly troubles = new Troubles(this.world)
  readonly dice: Dice
  readonly scenario: Scenario
  readonly sites: readonly Site[]
  readonly prices: PriceList
  readonly weather: Weather
  readonly ratesFile: RatesFile
  readonly rates: SqliteRates
  #auditor: Auditor | null = null
  #daemon: SimulatedDaemon | null = null
  #ready = false
  #downMs = RESTART_MS
  #up: () => void
  #deaths = 0

  constructor(
    readonly options: SimulationOptions,
    readonly directory: string,
  ) {
    this.dice = new Dice(options.seed)
    this.scenario = scenarioOf(this.dice.for('scenario'))
    const { world, troubles, dice, scenario } = this
    this.prices = new PriceList(scenario.plans)
    this.sites = scenario.sites.map(
      site => new Site(world, troubles, site, dice.for(`switch ${site.name}`)),
    )
    this.weather = new Weather({
      world,
      troubles,
      scenario,
      sites: this.sites,
      dice: dice.for('weather'),
      killDaemon: (steps, downMs) => {
        this.#downMs = downMs
        this.#daemon?.doom(steps)
      },
    })
    this.ratesFile = new RatesFile(join(directory, 'rates.db'))
    this.ratesFile.database.pragma('synchronous = OFF')
    this.rates = new SqliteRates(this.ratesFile, () => this.#clock())
    this.#up = troubles.begin('no daemon', null)
  }

  async run(): Promise<Report> {
    await this.#prepare()
    const { world, troubles, dice, scenario, sites, rates, prices } = this
    const { settings, timerMarginS, sweepS, subscribers } = scenario
    const { weather, directory } = this
    const auditor = new Auditor({
      ...{ world, directory },
      daemon: () => this.#daemon,
      wallUs: atMs => EPOCH_US + Math.floor(atMs * 1000) + weather.wallClockOffUs(atMs),
    })
    this.#auditor = auditor
    world.onRest = () => auditor.look()
    const callers = new Callers(world, dice.for('callers'), scenario, sites)
    const operators = new Operators({
      world,
      dice: dice.for('operators'),
      scenario,
      sites,
      rates,
      prices,
      filed: auditor.filed,
      clock: () => this.#clock(),
      daemon: () => (this.#ready ? this.#daemon : null),
      onChange: code => auditor.expectChange(code),
      ratesChanged: async plan => this.#daemon?.reloadRates(plan),
    })
    const audit = { auditor, troubles, callers, settings, timerMarginS, sweepS }
    const untilMs = this.options.hours * HOUR_MS
    this.#startDaemon()
    callers.start(untilMs)
    operators.start(untilMs)
    this.weather.start(untilMs)
    new Rounds({ ...audit, world, sites }).start()
    await world.run(untilMs + DRAIN_MS)
    for (const { freeswitch } of sites) for (const leg of freeswitch.legs()) freeswitch.hangUp(leg)
    const troubleShare = troubles.share()
    await world.run(world.now() + REST_MS + this.#quietMs())
    const verdict = new Verdict({ ...audit, prices, subscribers })
    verdict.judge()
    const deaths = this.#deaths
    await this.#checkBooks(auditor, operators)
    return this.#report(auditor, verdict, callers, { deaths, troubleShare })
  }

  async #prepare(): Promise<void> {
    for (const plan of this.scenario.plans.keys()) await this.rates.createPlan(plan, OPERATOR)
    for (const [plan, { zone, periods, costPlan, refuseLoss, rates }] of this.scenario.plans) {
      const terms = { zone, periods, costPlan, refuseLoss }
      await this.rates.changePlan(plan, terms, OPERATOR)
      for (const rate of rates) await this.rates.addRate(plan, rate, OPERATOR)
    }
    const file = openLedger(this.directory, () => EPOCH_US)
    const accounts = new SqliteAccounts(file)
    await Promise.all(
      this.scenario.subscribers.map(({ limits, rich: _, weight: __, ...terms }) =>
        accounts.create({ ...DEFAULT_TERMS, ...limits, ...terms, actor: OPERATOR }),
      ),
    )
    file.close()
  }

  /** Rates go by the clocks of the switches: what is over by that of the slowest, is over. */
  #clock(): number {
    return Math.min(...this.sites.map(site => site.instant(this.world.now())))
  }

  /** It takes hours until a connection that broke near the end is whole again. */
  #quietMs(): number {
    return this.scenario.faults.has('connection lost for an hour') ? 2 * HOUR_MS : HOUR_MS / 4
  }

  #startDaemon(): void {
    const { world, dice, directory, sites, scenario, weather } = this
    const { settings, timerMarginS, sweepS } = scenario
    const parts: DaemonParts = {
      world,
      dice: dice.for(`daemon ${this.#deaths}`),
      directory,
      sites,
      settings,
      timerMarginS,
      sweepS,
      ledgerWeather: weather.ledger,
      wallClock: () =>
        EPOCH_US + Math.floor(world.now() * 1000) + weather.wallClockOffUs(world.now()),
      onCommand: (site, line) => this.#checkDisarmed(site, line),
      onDelivered: (daemon, event) => this.#auditor?.noteHeard(daemon, event),
      onError: line => this.#judgeError(line),
      onDeath: () => this.#bury(),
    }
    const daemon = new SimulatedDaemon(parts)
    this.#daemon = daemon
    world.stir()
    daemon.start().then(
      () => {
        this.#ready = daemon.alive
        if (daemon.alive) this.#up()
      },
      () => {
        this.#downMs = RESTART_MS
        daemon.kill()
      },
    )
  }

  /** A leg that has had a timer in its switch is never without one. */
  #checkDisarmed(site: Site, line: string): void {
    const [, , group] = line.split(' ')
    if (!line.startsWith('api sched_del ') || group === undefined) return
    const legId = legOfGroup(group)
    const leg = site.freeswitch.leg(legId)
    if (!leg || leg.ending || site.timers().has(legId)) return
    this.#auditor?.fault(`${legId} has lost its last timer`)
  }

  /** When the ledger cannot be written that is an error, and nothing else is. */
  #judgeError(line: string): void {
    const { world, troubles } = this
    const { level, msg, error }: { level: number; msg: string; error?: { message?: string } } =
      JSON.parse(line)
    const fromMs = world.now() - LEDGER_MS
    const excuse = troubles.during(fromMs, world.now(), null, LEDGER_TROUBLES)
    if (level < FATAL && excuse !== null) return
    this.#auditor?.fault(`the log says that ${msg}: ${error?.message}`)
  }

  #bury(): void {
    if (this.#ready) this.#up = this.troubles.begin('no daemon', null)
    this.#ready = false
    this.#daemon = null
    this.#deaths += 1
    this.world.after(this.#downMs, () => this.#startDaemon())
  }

  /** `tollgate verify`, and that each entry that was acknowledged is there once. */
  async #checkBooks(auditor: Auditor, operators: Operators): Promise<void> {
    const file = openLedger(this.directory, () => EPOCH_US)
    const { problems } = await new SqliteAuditor(file).verify()
    file.close()
    for (const problem of problems) auditor.fault(problem)
    const references = new Set(auditor.books.entriesAfter(0n).map(({ reference }) => reference))
    for (const reference of operators.booked) {
      if (!references.has(reference)) auditor.fault(`${reference} was acknowledged and is lost`)
    }
    auditor.books.close()
    this.ratesFile.close()
    this.#daemon?.kill()
  }

  #report(
    auditor: Auditor,
    verdict: Verdict,
    callers: Callers,
    figures: Pick<Report, 'deaths' | 'troubleShare'>,
  ): Report {
    const { seed, hours } = this.options
    return {
      seed,
      hours,
      problems: auditor.problems,
      accounts: this.scenario.subscribers.length,
      legs: callers.placed.size,
      cdrs: auditor.filed.size,
      commits: auditor.commits,
      cutOffs: verdict.cutOffs,
      reasons: auditor.reasons(),
      refunds: auditor.refunds,
      changed: auditor.changed(),
      lost: verdict.lost,
      unseen: verdict.unseen,
      faults: [...this.weather.happened].map(([fault, times]) => ({ fault, times })),
      ...figures,
      overruns: verdict.overruns,
      writeOffs: [...verdict.writeOffs].map(([why, sum]) => ({ why, ...sum })),
    }
  }
}
