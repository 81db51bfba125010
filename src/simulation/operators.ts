/**
 * The people at the CLI: they give credit and take it, refund calls, set limits, suspend and close
 * accounts, edit rates and end calls. Who gets no answer, because the daemon died, asks again with
 * the same reference.
 */
import { BookError, type NewEntry } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import { type Limits, NO_LIMITS } from '../ledger/limits.js'
import { UNIT } from '../money.js'
import type { ListedRate } from '../rating/listed-rate.js'
import type { SqliteRates } from '../sqlite/rates.js'
import type { Filed } from './auditor.js'
import type { SimulatedDaemon } from './daemon.js'
import type { Dice } from './dice.js'
import { rateOf, ZONES } from './plan-script.js'
import type { PriceList } from './price-list.js'
import { LIMITS, limitOf, type Scenario, type Subscriber } from './scenario.js'
import type { Site } from './site.js'
import type { World } from './world.js'

export interface OperatorParts {
  readonly world: World
  readonly dice: Dice
  readonly scenario: Scenario
  readonly sites: readonly Site[]
  readonly rates: SqliteRates
  readonly prices: PriceList
  /** The calls that have ended. */
  readonly filed: ReadonlyMap<string, Filed>
  /** What time it is at the least, wherever one looks: microseconds since the epoch. */
  clock(): number
  /** The daemon that runs now, ready to be asked. */
  daemon(): SimulatedDaemon | null
  /** Something other than its balance is about to change. */
  onChange(code: string): void
  /** Tells a daemon that runs, or is just starting. */
  ratesChanged(plan: string): Promise<void>
}

const ASK_AGAIN_MS = 7000

/** Between two acts of any kind, on average. */
const PAUSE_MS = 7000

/** A deck that is imported now begins at most so long from now. */
const EFFECTIVE_US = 400e6

/** Who they say they are. */
const OPERATOR = 'operator'

export class Operators {
  /** References of entries that were acknowledged. */
  readonly booked = new Set<string>()
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
      [8, () => this.#bar(one)],
      [15, () => this.#limit()],
      [15, () => this.#refund()],
      [10, () => void this.#editRate()],
      [3, () => void this.#swapDeck()],
      [5, () => this.#kill()],
    ])
    act()
  }

  #post(account: string, kind: NewEntry['kind'], amount: bigint): void {
    const reference = this.#newReference()
    const entry = { account, kind, amount, reference, actor: OPERATOR, reason: '' }
    this.#insist(reference, daemon => daemon.post(entry))
  }

  /** All of a call, or part of it, or more than it cost; by one of them, or by two at once. */
  #refund(): void {
    const { dice, filed } = this.parts
    const charged = [...filed.values()].filter(({ cost }) => cost > 0n)
    if (charged.length === 0) return
    const { leg_id: callId, cost } = dice.pick(charged)
    const part = BigInt(Math.ceil(Number(cost) * dice.between(0.01, 1.1)))
    const amount = dice.chance(0.4) ? null : part
    const first = this.#newReference()
    const second = dice.chance(0.5) ? first : this.#newReference()
    for (const reference of dice.chance(0.5) ? [first] : [first, second]) {
      const refund = { callId, amount, reference, actor: OPERATOR, reason: 'no audio' }
      this.#insist(reference, daemon => daemon.refund(refund))
    }
  }

  #newReference(): string {
    this.#references += 1
    return `receipt ${this.#references}`
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
  #insist(reference: string, ask: (daemon: SimulatedDaemon) => Promise<void>): void {
    const { world } = this.parts
    const daemon = this.parts.daemon()
    let answered = false
    const done = () => {
      answered = true
      this.booked.add(reference)
    }
    const failed = (error: unknown) => {
      if (error instanceof LedgerError) return
      if (!(error instanceof BookError)) throw error
      answered = true
    }
    if (daemon) ask(daemon).then(done, failed)
    world.after(ASK_AGAIN_MS, () => !answered && this.#insist(reference, ask))
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

  /** Suspends or closes an account for a while. */
  #bar(subscriber: Subscriber): void {
    const { world, dice } = this.parts
    if (subscriber.rich) return
    this.#change(subscriber, { state: dice.pick(['suspended', 'closed']) })
    world.after(dice.wait(300_000), () => this.#change(subscriber, { state: 'active' }))
  }

  /** Sets a limit, or takes it away; most of those who call all the time. */
  #limit(): void {
    const { dice, scenario } = this.parts
    const busy = scenario.subscribers.filter(({ weight }) => weight > 1)
    const one = dice.pick(busy.length > 0 && dice.chance(0.6) ? busy : scenario.subscribers)
    const kind = dice.pick<keyof Limits | 'timeZone' | 'specialPlan'>([
      ...LIMITS,
      'timeZone',
      'specialPlan',
    ])
    if (kind === 'timeZone') return this.#change(one, { timeZone: dice.pick([...ZONES.keys()]) })
    if (kind === 'specialPlan') {
      return this.#change(one, { specialPlan: dice.pick([null, 'vip']) })
    }
    const none = { [kind]: NO_LIMITS[kind] }
    this.#change(one, dice.chance(0.3) ? none : limitOf(kind, dice))
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

  /** Another price for a destination, or a destination that the plan did not have. */
  async #editRate(): Promise<void> {
    const { world, dice, scenario, rates, prices } = this.parts
    const plan = dice.pick([...scenario.plans.keys()])
    const current = prices.current(plan)
    const old = current.length > 0 && dice.chance(0.7) ? dice.pick(current) : undefined
    const prefix = old?.prefix ?? dice.pick(['447', '4479', '14', '495', '861'])
    if (!old && current.some(rate => rate.prefix === prefix)) return
    const { period, from, until } = old ?? { period: '', from: 0, until: null }
    const rate = { ...rateOf(prefix, dice), period, from, until }
    if (old) prices.remove(plan, old, world.now())
    prices.add(plan, rate, world.now())
    if (old && dice.chance(0.5)) {
      await world.track(rates.changeRate(plan, rate, OPERATOR))
    } else {
      if (old) await world.track(rates.deleteRate(plan, old, OPERATOR))
      await world.track(rates.addRate(plan, rate, OPERATOR))
    }
    await this.parts.ratesChanged(plan)
  }

  /** A deck with new prices for all that the plan has, from now on or from some minutes hence. */
  async #swapDeck(): Promise<void> {
    const { world, dice, scenario, sites, rates, prices } = this.parts
    const plan = dice.pick([...scenario.plans.keys()])
    const now = dice.pick(sites).instant(world.now())
    const effective = dice.chance(0.5) ? 0 : now + 1 + dice.int(EFFECTIVE_US)
    const before = prices.current(plan)
    const kinds = new Map(
      before.map(({ prefix, period }) => [`${prefix} ${period}`, { prefix, period }]),
    )
    const deck = [...kinds.values()].map(({ prefix, period }) => {
      return { ...rateOf(prefix, dice), period, from: effective }
    })
    for (const old of before) {
      prices.remove(plan, old, world.now())
      const until = Math.min(old.until ?? effective, effective)
      // What is over by all clocks is left behind.
      if (old.from >= until || until <= this.parts.clock()) continue
      prices.add(plan, { ...old, until }, world.now())
    }
    for (const rate of deck) prices.add(plan, rate, world.now())
    const terms = { mode: 'replace', effective, dryRun: false, source: 'deck.csv' } as const
    await world.track(rates.importRates(plan, inOnePiece(deck), terms, OPERATOR))
    await this.parts.ratesChanged(plan)
  }
}

async function* inOnePiece(deck: readonly ListedRate[]): AsyncGenerator<readonly ListedRate[]> {
  yield deck
}
