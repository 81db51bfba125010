/**
 * A run of the daemon in the world: production code on files of its own, wired as daemon.ts wires
 * it, which can be killed between any two statements.
 */
import { join } from 'node:path'
import pino from 'pino'
import type { LegEvent } from '../call/leg-event.js'
import type { Settings } from '../call/settings.js'
import { type Causes, Controller } from '../controller/controller.js'
import { remember } from '../controller/recovery.js'
import { Sweeper } from '../controller/sweeper.js'
import { SwitchLink } from '../controller/switch-link.js'
import type { NewEntry, NewRefund } from '../ledger/books.js'
import { SqliteAccounts } from '../sqlite/accounts.js'
import { SqliteLedger } from '../sqlite/ledger.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { SqliteRateBook } from '../sqlite/rate-book.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import type { Dice } from './dice.js'
import { Gate, GatedLedger, type LedgerWeather, type Life } from './gate.js'
import { SimulatedLine } from './line.js'
import type { Site } from './site.js'
import { TickingClock } from './ticking-clock.js'
import type { World } from './world.js'

export const CAUSES: Causes = {
  refused: 'CALL_REJECTED',
  cut_off: 'ALLOTTED_TIMEOUT',
  killed: 'NORMAL_CLEARING',
}

export interface DaemonParts {
  readonly world: World
  readonly dice: Dice
  readonly directory: string
  readonly sites: readonly Site[]
  readonly settings: Settings
  readonly timerMarginS: number
  readonly sweepS: number
  readonly ledgerWeather: LedgerWeather
  /** Our wall clock, which may jump; microseconds. */
  readonly wallClock: () => number
  onCommand(site: Site, line: string): void
  onDelivered(daemon: SimulatedDaemon, event: LegEvent): void
  /** A line of the log that is an error or worse, as JSON. */
  onError(line: string): void
  onDeath(): void
}

export class SimulatedDaemon implements Life {
  alive = true
  controller: Controller | null = null
  readonly clock: TickingClock
  readonly #file: LedgerFile
  readonly #ratesFile: RatesFile
  readonly #accounts: SqliteAccounts
  readonly #gate: Gate
  #rateBook: SqliteRateBook | null = null
  /** How many more steps it lives. */
  #stepsLeft = Number.POSITIVE_INFINITY

  constructor(readonly parts: DaemonParts) {
    const { world, dice, directory, ledgerWeather: weather, wallClock } = parts
    this.clock = new TickingClock(world, dice.int(1e6))
    this.#file = openLedger(directory, wallClock)
    this.#ratesFile = new RatesFile(join(directory, 'rates.db'))
    this.#accounts = new SqliteAccounts(this.#file)
    this.#gate = new Gate({ world, dice: dice.for('gate'), weather, life: this })
  }

  /** Rejects when the ledger does: then it is over, as for a daemon that exits. */
  async start(): Promise<void> {
    const { world, settings, timerMarginS } = this.parts
    const ledger = new GatedLedger(new SqliteLedger(this.#file), this.#gate)
    this.#rateBook = await world.track(SqliteRateBook.open(new SqliteRates(this.#ratesFile)))
    const log = pino(
      { level: 'error', serializers: { error: pino.stdSerializers.err } },
      { write: (line: string) => this.parts.onError(line) },
    )
    this.controller = new Controller({
      ledger,
      rateBook: this.#rateBook,
      clock: this.clock,
      log,
      settings,
      causes: CAUSES,
      timerMarginS,
      announcements: { warnSound: 'warning.wav', refusedTo: null, cutOffTo: null },
    })
    const { controller, clock } = this
    const sweeper = new Sweeper({
      controller,
      ledger,
      clock,
      log,
      sweepS: this.parts.sweepS,
      graceS: settings.hangupGraceS,
      adopt: true,
    })
    const onUp = (link: SwitchLink) => sweeper.start(link)
    for (const site of this.parts.sites) {
      const link = new SwitchLink(site.name, { controller, clock, log, loopbackPays: false, onUp })
      await remember(link, ledger)
      this.#connect(site, link)
    }
  }

  /** Dies after so many more steps: questions asked, answers received, events heard. */
  doom(steps: number): void {
    this.#stepsLeft = Math.min(this.#stepsLeft, steps)
  }

  step(): void {
    this.#stepsLeft -= 1
    if (this.alive && this.#stepsLeft <= 0) this.kill()
  }

  /** SIGKILL: what waits for its commit is lost, and nobody is told anything. */
  kill(): void {
    if (!this.alive) return
    this.alive = false
    this.clock.stop()
    for (const site of this.parts.sites) site.detach()
    this.#file.database.close()
    this.#ratesFile.database.close()
    this.parts.onDeath()
  }

  /** An operator books an entry; resolves to why it was refused, or null. */
  post(entry: NewEntry): Promise<void> {
    return this.#gate.pass(async () => {
      const posted = await this.#accounts.post(entry)
      if (this.alive && posted.amount > 0n) this.controller?.toppedUp(entry.account)
    })
  }

  /** An operator gives back what a call cost, or part of it. */
  refund(refund: NewRefund): Promise<void> {
    return this.#gate.pass(async () => {
      const { account } = await this.#accounts.refund(refund)
      if (this.alive && account !== null) this.controller?.toppedUp(account)
    })
  }

  /** An operator changes an account. */
  change(code: string, changes: Parameters<SqliteAccounts['change']>[1]): Promise<void> {
    return this.#gate.pass(async () => {
      await this.#accounts.change(code, changes, 'operator')
      if (this.alive) this.controller?.toppedUp(code)
    })
  }

  /** The rates of a plan have been edited. */
  reloadRates(plan: string): Promise<void> {
    return this.parts.world.track(this.#rateBook?.reload(plan) ?? Promise.resolve())
  }

  #connect(site: Site, link: SwitchLink): void {
    const { world, dice, onDelivered } = this.parts
    if (!this.alive) return
    const line = new SimulatedLine({
      name: site.name,
      world,
      dice: dice.for(site.name),
      freeswitch: site.freeswitch,
      weather: site.weather,
      life: this,
      listener: link,
      onCommand: line => this.parts.onCommand(site, line),
      onDelivered: event => {
        if (event.name !== 'HEARTBEAT') onDelivered(this, event)
      },
    })
    link.attach(line)
    site.attach(line)
  }
}

/**
 * What a power cut would take is not what is tried here: that commits are on the disk is tested
 * elsewhere, and waiting for it thousands of times would take minutes.
 */
export function openLedger(directory: string, now: () => number): LedgerFile {
  const file = new LedgerFile(join(directory, 'ledger.db'), { now })
  file.database.pragma('synchronous = OFF')
  return file
}
