/** Puts the daemon together, starts its parts in order and stops them in order. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from './config.js'
import { RealClock } from './controller/clock.js'
import { Controller, type Observer } from './controller/controller.js'
import { type LiveCall, liveCalls } from './controller/live-calls.js'
import { remember } from './controller/recovery.js'
import { Sweeper } from './controller/sweeper.js'
import { SwitchLink } from './controller/switch-link.js'
import { type Api, startApi } from './http/server.js'
import { createProvisioning } from './provisioning/provisioning.js'
import { SqliteAccounts } from './sqlite/accounts.js'
import { SqliteAuditor } from './sqlite/audit.js'
import { SqliteCdrs } from './sqlite/cdrs.js'
import { SqliteLedger } from './sqlite/ledger.js'
import { LedgerFile } from './sqlite/ledger-file.js'
import { type Lock, lockDirectory } from './sqlite/lock.js'
import { SqliteRateBook } from './sqlite/rate-book.js'
import { SqliteRates } from './sqlite/rates.js'
import { RatesFile } from './sqlite/rates-file.js'
import { EslSwitch } from './switch/esl-switch.js'

export interface DaemonOptions {
  readonly dataDir: string
  readonly config: Config
  readonly log: Logger
  readonly observer?: Observer
}

/** How long a stop waits for the ledger to answer what it was asked. */
const DRAIN_MS = 5000

export class Daemon {
  readonly clock = new RealClock()
  readonly #closing: (() => unknown)[] = []
  readonly #switches: EslSwitch[] = []
  #controller: Controller | null = null

  constructor(readonly options: DaemonOptions) {}

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
    for (const freeswitch of this.#switches) freeswitch.stop()
    const drained = this.#controller?.idle()
    await Promise.race([drained, new Promise(resolve => setTimeout(resolve, DRAIN_MS).unref())])
    this.clock.stop()
    for (const close of this.#closing.reverse().splice(0)) await close()
  }

  /** Takes over what can change while calls are up: the rules, and how much is logged. */
  reconfigure(config: Config): void {
    this.options.log.level = config.logLevel
    this.#controller?.reconfigure(config.rules)
  }

  liveCalls(): LiveCall[] {
    return this.#controller ? [...liveCalls(this.#controller)] : []
  }

  async #start(): Promise<void> {
    const { dataDir, config, log, observer } = this.options
    const lock: Lock = lockDirectory(dataDir, 'tollgate run')
    this.#closing.push(() => lock.release())
    const file = new LedgerFile(join(dataDir, 'ledger.db'))
    this.#closing.push(() => file.close())
    const ratesFile = new RatesFile(join(dataDir, 'rates.db'))
    this.#closing.push(() => ratesFile.close())
    const rates = new SqliteRates(ratesFile)
    const ledger = new SqliteLedger(file)
    const rateBook = await SqliteRateBook.open(rates)
    const controller = new Controller({
      ledger,
      rateBook,
      clock: this.clock,
      log,
      settings: config.rules,
      causes: config.causes,
      timerMarginS: config.timerMarginS,
      warnSound: config.warnSound,
      ...(observer && { observer }),
    })
    this.#controller = controller
    const api = await this.#serve(controller, file, rates, rateBook)
    this.#closing.push(() => api.close())
    // From here on it is told of new rates; some may have come while it read the others.
    await rateBook.reload()
    await this.#connect(controller, ledger)
  }

  #serve(
    controller: Controller,
    file: LedgerFile,
    rates: SqliteRates,
    rateBook: SqliteRateBook,
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
      rates,
      live,
      longestCallS: () => controller.settings.longestCallS,
    })
    return startApi({ dataDir, provisioning, log })
  }

  async #connect(controller: Controller, ledger: SqliteLedger): Promise<void> {
    const { config, log } = this.options
    const { clock } = this
    const { rules, sweepS, adopt, loopbackPays } = config
    const graceS = rules.hangupGraceS
    const sweeper = new Sweeper({ controller, ledger, clock, log, sweepS, graceS, adopt })
    for (const { name, host, port, password, heartbeatS, commandTimeoutS } of config.switches) {
      const onUp = (link: SwitchLink) => sweeper.start(link)
      const link = new SwitchLink(name, {
        ...{ controller, clock, loopbackPays, onUp },
        log: log.child({ switch: name }),
      })
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
      freeswitch.start()
    }
  }
}
