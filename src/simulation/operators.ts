/**
 * The people at the CLI: they give credit and take it, close accounts, edit rates and end calls.
 * Who gets no answer, because the daemon died, asks again with the same reference.
 */
import { BookError, type NewEntry } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import { UNIT } from '../money.js'
import type { SqliteRates } from '../sqlite/rates.js'
import type { SimulatedDaemon } from './daemon.js'
import type { Dice } from './dice.js'
import { type PriceList, RELOAD_MS } from './price-list.js'
import { rateOf, type Scenario, type Subscriber } from './scenario.js'
import type { Site } from './site.js'
import type { World } from './world.js'

export interface OperatorParts {
  readonly world: World
  readonly dice: Dice
  readonly scenario: Scenario
  readonly sites: readonly Site[]
  readonly rates: SqliteRates
  readonly prices: PriceList
  /** The daemon that runs now, ready to be asked. */
  daemon(): SimulatedDaemon | null
  /** Something other than its balance is about to change. */
  onChange(code: string): void
  /** Tells a daemon that runs, or is just starting. */
  ratesChanged(plan: string): Promise<void>
}

const ASK_AGAIN_MS = 7000

/** Between two acts of any kind, on average. */
const PAUSE_MS = 9000

export class Operators {
  /** Entries that were acknowledged, by account and reference. */
  readonly booked = new Map<string, NewEntry>()
  readonly killed = new Map<string, number>()
  #references = 0

  constructor(readonly parts: OperatorParts) {}

  /** They work until then. */
  start(untilMs: number): void {
    const { world, dice } = this.parts
    const next = () => {
      if (world.now() > untilMs) return
      this.#act()
      world.after(dice.wait(PAUSE_MS), next)
    }
    world.after(dice.wait(PAUSE_MS), next)
  }

  #act(): void {
    const { dice, scenario } = this.parts
    const one = dice.pick(scenario.subscribers)
    const act = dice.weigh([
      [25, () => this.#post(one.code, 'top_up', BigInt(1 + dice.int(Number(UNIT) * 3)))],
      [20, () => this.#helpOut()],
      [10, () => this.#post(one.code, 'adjustment', BigInt(1 + dice.int(Number(UNIT))))],
      [15, () => this.#post(one.code, 'adjustment', -BigInt(1 + dice.int(Number(UNIT))))],
      [8, () => this.#change(one, { creditLimit: UNIT * BigInt(dice.int(3)) })],
      [5, () => this.#close(one)],
      [10, () => void this.#editRate()],
      [2, () => void this.#swapDeck()],
      [5, () => this.#kill()],
    ])
    act()
  }

  #post(code: string, kind: NewEntry['kind'], amount: bigint): void {
    this.#references += 1
    const reference = `receipt ${this.#references}`
    this.#insist({ account: code, kind, amount, reference, actor: 'operator', reason: '' })
  }

  /** Somebody has heard the warning, and tops up while there is time; or almost too late. */
  #helpOut(): void {
    const { dice } = this.parts
    const slots = [...(this.parts.daemon()?.controller?.calls.values() ?? [])]
    const final = slots.filter(({ call }) => call.phase === 'answered' && call.final !== null)
    if (final.length === 0) return
    const { call, leg } = dice.pick(final)
    const { world } = this.parts
    const amount = BigInt(1 + dice.int(Number(UNIT)))
    if (call.phase !== 'answered' || dice.chance(0.5))
      return this.#post(leg.account, 'top_up', amount)
    const leftMs = (call.fundedUntil - this.#switchNow(leg.switch)) / 1000
    world.after(Math.max(0, leftMs - dice.between(0, 3000)), () =>
      this.#post(leg.account, 'top_up', amount),
    )
  }

  #switchNow(name: string): number {
    const site = this.parts.sites.find(one => one.name === name)
    return site?.instant(this.parts.world.now()) ?? 0
  }

  /** Until there is an answer, whatever it is. A daemon that dies gives none. */
  #insist(entry: NewEntry): void {
    const { world } = this.parts
    let answered = false
    const done = () => {
      answered = true
      this.booked.set(`${entry.account} ${entry.reference}`, entry)
    }
    const failed = (error: unknown) => {
      if (error instanceof LedgerError) return
      if (!(error instanceof BookError)) throw error
      answered = true
    }
    this.parts.daemon()?.post(entry).then(done, failed)
    world.after(ASK_AGAIN_MS, () => !answered && this.#insist(entry))
  }

  #change({ code }: Subscriber, changes: Parameters<SimulatedDaemon['change']>[1]): void {
    this.parts.onChange(code)
    this.parts
      .daemon()
      ?.change(code, changes)
      .catch(error => {
        if (!(error instanceof BookError || error instanceof LedgerError)) throw error
      })
  }

  #close(subscriber: Subscriber): void {
    const { world, dice } = this.parts
    if (subscriber.rich) return
    this.#change(subscriber, { state: 'closed' })
    world.after(dice.wait(300_000), () => this.#change(subscriber, { state: 'active' }))
  }

  #kill(): void {
    const { world, dice } = this.parts
    const controller = this.parts.daemon()?.controller
    const calls = [...(controller?.calls.keys() ?? [])]
    if (!controller || calls.length === 0) return
    const callId = dice.pick(calls)
    world.stir()
    if (controller.kill(callId)) this.killed.set(callId, world.now())
  }

  async #editRate(): Promise<void> {
    const { world, dice, scenario, rates, prices } = this.parts
    const plan = dice.pick([...scenario.plans.keys()])
    const current = prices.current(plan)
    const old = current.length > 0 && dice.chance(0.7) ? dice.pick(current) : undefined
    const taken = new Set(current.map(({ prefix }) => prefix))
    const prefix = old?.prefix ?? dice.pick(['447', '4479', '14', '495', '861'])
    const rate = !old && taken.has(prefix) ? undefined : rateOf(prefix, dice)
    if (old) this.#retire(plan, old)
    if (rate) prices.add(plan, rate, world.now())
    if (old) await world.track(rates.deleteRate(plan, old.prefix))
    if (rate) await world.track(rates.addRate(plan, rate))
    await this.parts.ratesChanged(plan)
  }

  async #swapDeck(): Promise<void> {
    const { world, dice, scenario, rates, prices } = this.parts
    const plan = dice.pick([...scenario.plans.keys()])
    const deck = prices.current(plan).map(({ prefix }) => rateOf(prefix, dice))
    for (const old of prices.current(plan)) this.#retire(plan, old)
    for (const rate of deck) prices.add(plan, rate, world.now())
    await world.track(rates.importRates(plan, deck, 'replace'))
    await this.parts.ratesChanged(plan)
  }

  #retire(plan: string, rate: Parameters<PriceList['remove']>[1]): void {
    this.parts.prices.remove(plan, rate, this.parts.world.now() + RELOAD_MS)
  }
}
