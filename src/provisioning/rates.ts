/**
 * Plans and their rates: what can be done with them, and its checks. Whoever asks does it himself,
 * in rates.db; a running daemon is then told, and has read the change before we answer.
 */
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { BookError } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import { formatMoney } from '../money.js'
import { formatDeck } from '../rating/deck.js'
import type { Rate } from '../rating/rate.js'
import { type BadLine, DeckFile } from './deck-file.js'
import { checkInput, given, notNegative, oneOf, planName, whole, words } from './fields.js'
import type { Provisioning } from './operations.js'

/** The port to the plans and rates as people edit them. sqlite/ implements it. */
export interface Rates {
  /** @throws BookError plan_exists, bad_input */
  createPlan(name: string): Promise<Plan>
  /** @throws BookError unknown_plan */
  deletePlan(name: string): Promise<void>
  plans(): Promise<Plan[]>
  /** @throws BookError unknown_plan */
  rates(plan: string, filter: RateFilter): Promise<Rate[]>
  /** What changes whenever a rate of the plan does; undefined where there is no such plan. */
  version(plan: string): Promise<string | undefined>
  /** @throws BookError unknown_plan, rate_exists */
  addRate(plan: string, rate: Rate): Promise<void>
  /** @throws BookError unknown_plan, unknown_rate */
  deleteRate(plan: string, prefix: string): Promise<void>
  /** All or nothing; what `rates` throws ends it. Resolves to how many there were. */
  importRates(plan: string, rates: AsyncIterable<Rate>, mode: ImportMode): Promise<number>
}

export interface Plan {
  readonly name: string
  /** How many rates it has. */
  readonly rates: number
}

export interface RateFilter {
  /** Only prefixes that begin with this. */
  readonly prefix?: string
  /** Only prefixes after this one: lists are in the order of prefixes as text. */
  readonly after?: string
  readonly limit: number
}

/** `replace`: the plan has these rates and no others. `merge`: these replace those of the same prefix. */
export type ImportMode = 'replace' | 'merge'

export interface RateJson {
  plan: string
  prefix: string
  description: string
  per_minute: string
  setup: string
  minimum: number
  increment: number
}

export interface ImportJson {
  plan: string
  mode: ImportMode
  /** How many rates the deck had. */
  rates: number
}

/** Lines of a deck are bad, and nothing of it was imported. */
export class BadDeck extends BookError {
  override name = 'BadDeck'
  constructor(readonly badLines: readonly BadLine[]) {
    const lines = badLines.length === 1 ? '1 line is' : `${badLines.length} lines are`
    super('bad_input', `Nothing was imported: ${lines} bad`)
  }
}

const prefix = words('The prefix', 1_000)

const planInput = z.strictObject({ name: planName })
const rateAddInput = z.strictObject({
  plan: planName,
  prefix,
  description: words('The description', 200).optional(),
  per_minute: notNegative('The price per minute'),
  setup: notNegative('The setup cost').optional(),
  minimum: whole('The minimum', 1, 86_400).optional(),
  increment: whole('The increment', 1, 86_400).optional(),
})
const rateListInput = z.strictObject({
  plan: planName,
  /** What the prefixes begin with. */
  prefix: prefix.optional(),
  after: prefix.optional(),
  limit: whole('The limit', 1, 1_000_000).optional(),
})
const rateDeleteInput = z.strictObject({ plan: planName, prefix })
const importInput = z.strictObject({
  plan: planName,
  mode: oneOf('The mode', ['replace', 'merge']).optional(),
})
const exportInput = z.strictObject({ plan: planName })

type Fields<S extends z.ZodObject> = { [F in keyof S['shape']]?: unknown }

/** How many rates are listed where no limit is asked for. */
const RATES_LISTED = 100

/** Rates that are read at a time, so that a deck of a million does not have to fit into memory. */
const PAGE = 5_000

/** The way from the rates to the ledger, which may be another process's. */
export interface LedgerAccess {
  /** The daemon, where one runs. */
  daemon(): Promise<Provisioning | undefined>
  /** The daemon, or else the ledger's files, opened here. */
  ledger(): Promise<Provisioning>
}

/** What can be done with plans and rates. */
export class RateProvisioning {
  constructor(
    readonly rates: Rates,
    readonly access: LedgerAccess,
  ) {}

  async planCreate(input: Fields<typeof planInput>): Promise<Plan> {
    const { name } = checkInput(planInput, input)
    return this.#edit(name, () => this.rates.createPlan(name))
  }

  async planList(): Promise<Plan[]> {
    return this.rates.plans()
  }

  async planShow(input: Fields<typeof planInput>): Promise<Plan> {
    return existingPlan(this.rates, checkInput(planInput, input).name)
  }

  /** With all its rates; refused while an account is on it. */
  async planDelete(input: Fields<typeof planInput>): Promise<Plan> {
    const plan = await existingPlan(this.rates, checkInput(planInput, input).name)
    const [user] = await (await this.access.ledger()).accountList({ plan: plan.name, limit: 1 })
    if (user) {
      throw new BookError('plan_in_use', `The account ${user.code} is on the plan ${plan.name}`)
    }
    await this.#edit(plan.name, () => this.rates.deletePlan(plan.name))
    return plan
  }

  async rateAdd(input: Fields<typeof rateAddInput>): Promise<RateJson> {
    const checked = checkInput(rateAddInput, input)
    const rate = {
      prefix: checked.prefix,
      description: checked.description ?? '',
      perMinute: checked.per_minute,
      setup: checked.setup ?? 0n,
      minimum: checked.minimum ?? 1,
      increment: checked.increment ?? 1,
    }
    await this.#edit(checked.plan, () => this.rates.addRate(checked.plan, rate))
    return rateJson(checked.plan, rate)
  }

  /** In the order of prefixes as text. */
  async rateList(input: Fields<typeof rateListInput>): Promise<RateJson[]> {
    const { plan, limit = RATES_LISTED, ...filter } = checkInput(rateListInput, input)
    const found = await this.rates.rates(plan, { ...given(filter), limit })
    return found.map(rate => rateJson(plan, rate))
  }

  async rateDelete(input: Fields<typeof rateDeleteInput>): Promise<RateJson> {
    const { plan, prefix } = checkInput(rateDeleteInput, input)
    const [rate] = await this.rates.rates(plan, { prefix, limit: 1 })
    await this.#edit(plan, () => this.rates.deleteRate(plan, prefix))
    return rateJson(plan, rate!)
  }

  /**
   * Reads a deck into a plan: all of it, or nothing. Without a mode it is merged, so that no rate
   * goes unless that is asked for.
   * @throws BadDeck
   */
  async rateImport(source: Readable, input: Fields<typeof importInput>): Promise<ImportJson> {
    const { plan, mode = 'merge' } = checkInput(importInput, input)
    await existingPlan(this.rates, plan)
    const deck = new DeckFile(source)
    const all = async function* () {
      yield* deck.rates()
      if (deck.badLines.length > 0) throw new BadDeck(deck.badLines)
    }
    return this.#edit(plan, async () => {
      return { plan, mode, rates: await this.rates.importRates(plan, all(), mode) }
    })
  }

  /** The lines of a deck that rateImport reads back to the same rates. */
  async *rateExport(input: Fields<typeof exportInput>): AsyncGenerator<string> {
    const { plan } = checkInput(exportInput, input)
    yield* formatDeck([])
    for await (const page of allRates(this.rates, plan)) {
      const [, ...lines] = formatDeck(page)
      yield lines.join('')
    }
  }

  /** Runs an edit; once this resolves, new calls are rated by it. */
  async #edit<T>(plan: string, change: () => Promise<T>): Promise<T> {
    const result = await change()
    try {
      await (await this.access.daemon())?.ratesReload({ plan })
    } catch (error) {
      const { message } = error as Error
      throw new LedgerError(
        'unavailable',
        `The rates are saved, but the running daemon has not read them: ${message}`,
      )
    }
    return result
  }
}

/**
 * All rates of a plan, in the order of prefixes, a page at a time.
 * @throws BookError unknown_plan; LedgerError unavailable where somebody edits them meanwhile
 */
export async function* allRates(rates: Rates, plan: string): AsyncGenerator<Rate[]> {
  const version = await rates.version(plan)
  let page = await rates.rates(plan, { limit: PAGE })
  while (page.length > 0) {
    yield page
    page = await rates.rates(plan, { after: page.at(-1)!.prefix, limit: PAGE })
  }
  if ((await rates.version(plan)) !== version) {
    throw new LedgerError('unavailable', `The rates of ${plan} were changed meanwhile: ask again`)
  }
}

async function existingPlan(rates: Rates, name: string): Promise<Plan> {
  const plan = (await rates.plans()).find(one => one.name === name)
  if (!plan) throw new BookError('unknown_plan', `There is no plan ${name}`)
  return plan
}

export function rateJson(plan: string, rate: Rate): RateJson {
  return {
    plan,
    prefix: rate.prefix,
    description: rate.description,
    per_minute: formatMoney(rate.perMinute),
    setup: formatMoney(rate.setup),
    minimum: rate.minimum,
    increment: rate.increment,
  }
}
