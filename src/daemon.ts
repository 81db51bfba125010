/** Puts the daemon together, starts its parts in order and stops them in order. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { CdrRepair } from './cdr-repair/repair.js'
import type { Config } from './config.js'
import { RealClock } from './controller/clock.js'
import { Controller, type Observer, type Rules } from './controller/controller.js'
import { countLive, type LiveCall, liveCalls } from './controller/live-calls.js'
import { remember } from './controller/recovery.js'
import { Sweeper, type SweepRules } from './controller/sweeper.js'
import { SwitchLink } from './controller/switch-link.js'
import { cdrRoute } from './freeswitch-http/cdr.js'
import { directoryRoute } from './freeswitch-http/directory.js'
import { startFreeswitchHttp } from './freeswitch-http/server.js'
import { Lease } from './gate/lease.js'
import { Gate } from './gate/server.js'
import { type Api, startApi } from './http/server.js'
import { formatMoney, type Money } from './money.js'
import { createProvisioning } from './provisioning/provisioning.js'
import type { SwitchState } from './provisioning/switches.js'
import { SqliteAccounts } from './sqlite/accounts.js'
import { SqliteAuditor } from './sqlite/audit.js'
import { SqliteAuditTrail } from './sqlite/audit-trail.js'
import { SqliteCdrs } from './sqlite/cdrs.js'
import { Checkpointer } from './sqlite/checkpointer.js'
import { SqliteLedger } from './sqlite/ledger.js'
import { LedgerFile } from './sqlite/ledger-file.js'
import { type Lock, lockDirectory } from './sqlite/lock.js'
import { SqliteRateBook } from './sqlite/rate-book.js'
import { SqliteRates } from './sqlite/rates.js'
import { RatesFile } from './sqlite/rates-file.js'
import { SqliteRepairs } from './sqlite/repairs.js'
import { SqliteSipAccounts } from './sqlite/sip-accounts.js'
import { WebTrail } from './sqlite/web-trail.js'
import { directoryCaches } from './switch/directory-caches.js'
import { EslSwitch } from './switch/esl-switch.js'

export interface DaemonOptions {
  readonly dataDir: string
  readonly config: Config
  readonly log: Logger
  readonly observer?: Observer
}

/** One switch, and what keeps it under control. */
interface Connected {
  readonly freeswitch: EslSwitch
  readonly link: SwitchLink
  readonly lease: Lease | null
}

/** How long a stop waits for the ledger to answer what it was asked. */
const DRAIN_MS = 5000

/**
 * Between two commits. A tenth less CPU a call when calls come closely, and a hold waits a few
 * milliseconds for its commit; one that comes alone does not.
 */
const COMMIT_GAP_MS = 3

/** The log of the ledger, in pages of 4 kB, before a thread copies it into the file. */
const LOG_PAGES = 20_000

/** Before a commit does, when the thread is late or fails. */
const LOG_PAGES_MAX = 4 * LOG_PAGES

const LOG_GROWS =
  'the log of the ledger cannot be copied beside the calls: when it is too long, calls wait for that'

export class Daemon {
  readonly clock = new RealClock()
  readonly #closing: (() => unknown)[] = []
  readonly #switches: EslSwitch[] = []
  readonly #links: SwitchLink[] = []
  readonly #leases: Lease[] = []
  /** What is to be told of each switch, in the order of the configuration. */
  readonly #states: (() => SwitchState)[] = []
  #gate: Gate | null = null
  #controller: Controller | null = null
  #sweeper: Sweeper | null = null
  #loopbackPays: boolean

  constructor(readonly options: DaemonOptions) {
    this.#loopbackPays = options.config.loopbackPays
  }

  /**
   * Resolves when calls are supervised as soon as a switch is there. Nothing is left behind when it
   * rejects.
   * @throws LedgerError `in_use` when another process has the data directory, and as the files do
   */
  async start(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * Lets go of everything: no event is taken in any more, what the ledger was asked is answered, and
   * live calls are left to the switch's own timers.
   */
  async stop(): Promise<void> {
    await Promise.all([this.#gate?.close(), ...this.#leases.map(lease => lease.stop())])
    for (const freeswitch of this.#switches) freeswitch.stop()
    const drained = this.#controller?.idle()
    await Promise.race([drained, new Promise(resolve => setTimeout(resolve, DRAIN_MS).unref())])
    this.clock.stop()
    for (const close of this.#closing.reverse().splice(0)) await close()
  }

  /** Takes over what can change while calls are up: all of `[rules]`, and how much is logged. */
  reconfigure(config: Config): void {
    this.options.log.level = config.logLevel
    this.#loopbackPays = config.loopbackPays
    this.#controller?.reconfigure(controllerRules(config))
    this.#sweeper?.reconfigure(sweepRules(config))
    for (const { payers } of this.#links) payers.loopbackPays = config.loopbackPays
  }

  liveCalls(): LiveCall[] {
    return this.#controller ? [...liveCalls(this.#controller)] : []
  }

  async #start(): Promise<void> {
    const { dataDir, config, log, observer } = this.options
    const lock: Lock = lockDirectory(dataDir, 'tollgate run')
    this.#closing.push(() => lock.release())
    const file = this.#openLedger()
    const ratesFile = new RatesFile(join(dataDir, 'rates.db'))
    this.#closing.push(() => ratesFile.close())
    const rates = new SqliteRates(ratesFile)
    const ledger = new SqliteLedger(file, {
      onLowBalance: ({ code, balance, lowBalance }) => {
        const below = lowBalance === null ? null : formatMoney(lowBalance)
        log.warn({ account: code, balance: formatMoney(balance), below }, 'a balance is low')
      },
    })
    const rateBook = await SqliteRateBook.open(rates)
    const controller = new Controller({
      ledger,
      rateBook,
      clock: this.clock,
      log,
      ...controllerRules(config),
      ...(observer && { observer }),
    })
    this.#controller = controller
    const repair = this.#repair(controller, file, ledger, rateBook)
    const api = await this.#serve(controller, file, rates, rateBook, repair)
    this.#closing.push(() => api.close())
    // From here on it is told of new rates; some may have come while it read the others.
    await rateBook.reload()
    await this.#connect(controller, ledger)
    await this.#tellStranded(file)
    await this.#openGate(controller)
    await this.#serveFreeswitch(file, repair)
    repair.start()
  }

  #openLedger(): LedgerFile {
    const { dataDir, log } = this.options
    const file = new LedgerFile(join(dataDir, 'ledger.db'), {
      commitGapMs: COMMIT_GAP_MS,
      checkpointPages: LOG_PAGES_MAX,
    })
    this.#closing.push(() => file.close())
    const checkpointer = new Checkpointer(file, {
      pages: LOG_PAGES,
      onTrouble: error => log.warn({ error }, LOG_GROWS),
      onMended: () => log.info('the log of the ledger is copied beside the calls again'),
    })
    // The last to close the file removes the log: that is to be the connection that commits.
    this.#closing.push(() => checkpointer.close())
    return file
  }

  #serve(
    controller: Controller,
    file: LedgerFile,
    rates: SqliteRates,
    rateBook: SqliteRateBook,
    repair: CdrRepair,
  ): Promise<Api> {
    const { dataDir, log } = this.options
    const live = {
      list: () => [...liveCalls(controller)],
      kill: async (callId: string) => controller.kill(callId),
      toppedUp: (account: string) => controller.toppedUp(account),
      ratesChanged: (plan: string | undefined) => rateBook.reload(plan),
    }
    const provisioning = createProvisioning({
      accounts: new SqliteAccounts(file),
      cdrs: new SqliteCdrs(file),
      auditor: new SqliteAuditor(file),
      trail: new SqliteAuditTrail(file),
      rates,
      web: new WebTrail(join(dataDir, 'web.db')),
      live,
      longestCallS: () => controller.settings.longestCallS,
      sipAccounts: new SqliteSipAccounts(file),
      repair,
      directoryCaches: directoryCaches(this.#switches, log),
      switches: () => this.#states.map(state => state()),
    })
    return startApi({ dataDir, provisioning, log })
  }

  #repair(
    controller: Controller,
    file: LedgerFile,
    ledger: SqliteLedger,
    rateBook: SqliteRateBook,
  ): CdrRepair {
    const { config, log } = this.options
    return new CdrRepair({
      repairs: new SqliteRepairs(file, ledger),
      ledger,
      rateBook: async () => rateBook,
      settings: () => controller.settings,
      loopbackPays: () => this.#loopbackPays,
      ...config.cdrRepair,
      supervisors: { controller, links: () => this.#links, clock: this.clock },
      log,
      now: file.now,
    })
  }

  /** What the switches themselves ask. Who asks may be slow, or nobody of ours. */
  async #serveFreeswitch(file: LedgerFile, repair: CdrRepair): Promise<void> {
    const { config, log } = this.options
    if (!config.freeswitchHttp) return
    const directory = directoryRoute(new SqliteSipAccounts(file), config.directory)
    const routes = [directory, cdrRoute(repair)]
    const served = await startFreeswitchHttp({ ...config.freeswitchHttp, routes, log })
    this.#closing.push(() => served.close())
  }

  /** Only the switch of a call can tell that it is gone: without it what is held stays held. */
  async #tellStranded(file: LedgerFile): Promise<void> {
    const { config, log } = this.options
    const ours = new Set(config.switches.map(({ name }) => name))
    const held = new Map<string, Money[]>()
    for (const call of await new SqliteAuditor(file).allOpenCalls()) {
      const { switch: name } = call.leg
      if (!ours.has(name)) held.set(name, [...(held.get(name) ?? []), call.held])
    }
    for (const [name, holds] of held) {
      const sum = formatMoney(holds.reduce((total, hold) => total + hold))
      const about = { switch: name, calls: holds.length, held: sum }
      log.warn(about, 'a switch that has calls on record is not in the configuration')
    }
  }

  /** Last of all: whoever is let through must be supervised. */
  async #openGate(controller: Controller): Promise<void> {
    const { config, log } = this.options
    if (!config.gate) return
    const links = () => this.#links
    this.#gate = await Gate.open({ ...config.gate, controller, links, log, newId: randomUUID })
  }

  async #connect(controller: Controller, ledger: SqliteLedger): Promise<void> {
    const { config, log } = this.options
    const { clock } = this
    const { loopbackPays } = config
    const sweeper = new Sweeper({ controller, ledger, clock, log, ...sweepRules(config) })
    this.#sweeper = sweeper
    for (const { name, host, port, password, heartbeatS, commandTimeoutS } of config.switches) {
      const onUp = (link: SwitchLink) => {
        sweeper.start(link)
        lease?.start()
      }
      const link = new SwitchLink(name, {
        ...{ controller, clock, loopbackPays, onUp },
        log: log.child({ switch: name }),
      })
      const { leaseS } = config
      const lease = leaseS === null ? null : new Lease(link, { ledger, clock, log, leaseS })
      if (lease) this.#leases.push(lease)
      this.#links.push(link)
      await remember(link, ledger)
      const freeswitch = new EslSwitch({
        name,
        host,
        port,
        password,
        heartbeatS,
        timeoutMs: commandTimeoutS * 1000,
        log,
        listener: link,
        random: Math.random,
      })
      link.attach(freeswitch)
      this.#switches.push(freeswitch)
      this.#states.push(() => this.#stateOf(controller, { freeswitch, link, lease }))
      freeswitch.start()
    }
  }

  #stateOf(controller: Controller, { freeswitch, link, lease }: Connected): SwitchState {
    const { name, host, port } = freeswitch.options
    const gate = this.#gate && { ...this.#gate.use(link), expected: link.expected.size }
    const calls = countLive(controller, link)
    const about = { name, host, port, ...freeswitch.line, ...link.report(Date.now()) }
    return { ...about, calls, leaseUntil: lease?.until ?? null, gate }
  }
}

function controllerRules({ rules, causes, timerMarginS, announcements }: Config): Rules {
  return { settings: rules, causes, timerMarginS, announcements }
}

function sweepRules({ rules, sweepS, adopt }: Config): SweepRules {
  return { sweepS, adopt, graceS: rules.hangupGraceS }
}
