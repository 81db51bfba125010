/**
 * Plans and their rates: what can be done with them, and its checks. Whoever asks does it himself,
 * in rates.db; a running daemon is then told, and has read the change before we answer.
 */
import { z } from 'zod'
import { BookError } from '../ledger/books.js'
import type { RateKey, Rates } from '../ledger/rates.js'
import { checkRate } from '../rating/deck.js'
import { openEnd } from '../rating/deck-cells.js'
import { parseInstant } from '../rating/instants.js'
import type { ListedRate } from '../rating/listed-rate.js'
import { exportDeck, exportInput, type ImportJson, importDeck, importInput } from './decks.js'
import { expecting, ifMatch } from './edit-version.js'
import { actor, checkInput, given, quoted, whole, words } from './fields.js'
import {
  changedTerms,
  periodHoursInput,
  periodInput,
  planEditInput,
  planInput,
  planSetInput,
} from './plans.js'
import { asBookError, type LedgerAccess, RateEditing } from './rate-editing.js'
import {
  key,
  owner,
  type PlanJson,
  planJson,
  prefix,
  type RateJson,
  rateJson,
  terms,
} from './rate-fields.js'
import type { TextSource } from './text-lines.js'

export const rateAddInput = z.strictObject({ ...owner, ...key, ...terms, actor })
export const rateSetInput = rateAddInput.extend({ if_match: ifMatch })
export const rateShowInput = z.strictObject({ ...owner, ...key })
export const rateDeleteInput = rateShowInput.extend({ actor })
export const rateListInput = z.strictObject({
  ...owner,
  /** What the prefixes begin with. */
  prefix: prefix.optional(),
  /** What the prefix begins with, or the description contains. */
  search: words('The search', 200).optional(),
  /** The last of the page before: `44`, or `44/peak/2026-12-01` where it has a period or a start. */
  after: words('The rate before', 1_000).optional(),
  limit: whole('The limit', 1, 1_000_000).optional(),
})

type Fields<S extends z.ZodObject> = { [F in keyof S['shape']]?: unknown }

/** How many rates are listed where no limit is asked for. */
const RATES_LISTED = 100

/** What can be done with plans and rates. */
export class RateProvisioning {
  readonly #editing: RateEditing

  constructor(
    readonly rates: Rates,
    readonly access: LedgerAccess,
  ) {
    this.#editing = new RateEditing(rates, access)
  }

  async planCreate(input: Fields<typeof planEditInput>): Promise<PlanJson> {
    const { name, actor } = checkInput(planEditInput, input)
    return planJson(await this.#editing.edit(name, () => this.rates.createPlan(name, actor)))
  }

  /** In the order of names. */
  async planList(): Promise<PlanJson[]> {
    return (await this.rates.plans()).map(planJson)
  }

  async planShow(input: Fields<typeof planInput>): Promise<PlanJson> {
    return planJson(await this.#editing.existing(checkInput(planInput, input).name))
  }

  /** The plan that is named, or the special plan of the account. */
  async planOf(input: Fields<typeof exportInput>): Promise<PlanJson> {
    const name = await this.#editing.planOf(checkInput(exportInput, input))
    return planJson(await this.#editing.existing(name))
  }

  /** Null takes away what the plan has. */
  async planSet(input: Fields<typeof planSetInput>): Promise<PlanJson> {
    const checked = checkInput(planSetInput, input)
    const { name, actor } = checked
    const changes = changedTerms(await this.#editing.existing(name), checked)
    const expect = expecting(checked.if_match, planJson)
    const change = () => this.rates.changePlan(name, changes, actor, expect)
    return planJson(await this.#editing.edit(name, change))
  }

  /** With all its rates; refused while an account is on it, or another plan counts its costs by it. */
  async planDelete(input: Fields<typeof planEditInput>): Promise<PlanJson> {
    const { name, actor } = checkInput(planEditInput, input)
    const plan = await this.#editing.existing(name)
    const ledger = await this.access.ledger()
    const [user] = await ledger.accountList({ plan: name, limit: 1 })
    const [special] = await ledger.accountList({ special_plan: name, limit: 1 })
    if (user) throw new BookError('plan_in_use', `The account ${user.code} is on the plan ${name}`)
    if (special) {
      const message = `The plan ${name} is the special plan of the account ${special.code}`
      throw new BookError('plan_in_use', message)
    }
    await this.#editing.edit(name, () => this.rates.deletePlan(name, actor))
    return planJson(plan)
  }

  /** Gives the plan a period, or one that it has other hours. */
  async periodSet(input: Fields<typeof periodHoursInput>): Promise<PlanJson> {
    const { plan, name, hours, actor } = checkInput(periodHoursInput, input)
    const { periods } = await this.#editing.existing(plan)
    const others = periods.filter(period => period.name !== name)
    return this.#setPeriods(plan, [...others, { name, hours: hours.trim() }], actor)
  }

  /** Refused while rates are of it. */
  async periodDelete(input: Fields<typeof periodInput>): Promise<PlanJson> {
    const { plan, name, actor } = checkInput(periodInput, input)
    const { periods } = await this.#editing.existing(plan)
    const others = periods.filter(period => period.name !== name)
    if (others.length === periods.length) {
      throw new BookError('unknown_period', `The plan ${plan} has no period ${name}`)
    }
    return this.#setPeriods(plan, others, actor)
  }

  async rateAdd(input: Fields<typeof rateAddInput>): Promise<RateJson> {
    const { actor, ...checked } = checkInput(rateAddInput, input)
    const plan = await this.#editing.planOf(checked)
    const { prefix, period, from = 0 } = checked
    const blank = {
      ...{ prefix, period: period ?? '', from: Math.max(0, from), until: null },
      ...{ description: '', perMinute: null, setup: 0n, minimum: 1, increment: 1, freeS: 0 },
      blocked: false,
    }
    const rate = withTerms(blank, checked)
    await this.#editing.edit(plan, () => this.rates.addRate(plan, rate, actor))
    return rateJson(plan, rate)
  }

  /** Changes a rate in its place: what is not given stays. */
  async rateSet(input: Fields<typeof rateSetInput>): Promise<RateJson> {
    const { actor, if_match, ...checked } = checkInput(rateSetInput, input)
    const plan = await this.#editing.planOf(checked)
    const old = await this.#theRate(plan, checked)
    if (!Object.keys(terms).some(name => checked[name as keyof typeof terms] !== undefined)) {
      throw new BookError('bad_input', 'Nothing to set: give what is to be changed')
    }
    const rate = withTerms({ ...old, perMinute: old.blocked ? null : old.perMinute }, checked)
    const expect = expecting<ListedRate>(if_match, old => rateJson(plan, old))
    await this.#editing.edit(plan, () => this.rates.changeRate(plan, rate, actor, expect))
    return rateJson(plan, rate)
  }

  async rateDelete(input: Fields<typeof rateDeleteInput>): Promise<RateJson> {
    const { actor, ...checked } = checkInput(rateDeleteInput, input)
    const plan = await this.#editing.planOf(checked)
    const rate = await this.#theRate(plan, checked)
    await this.#editing.edit(plan, () => this.rates.deleteRate(plan, keyOf(rate), actor))
    return rateJson(plan, rate)
  }

  /** All rates of a prefix, or the one that is named. */
  async rateShow(input: Fields<typeof rateShowInput>): Promise<RateJson[]> {
    const checked = checkInput(rateShowInput, input)
    const plan = await this.#editing.planOf(checked)
    return (await this.#matching(plan, checked)).map(rate => rateJson(plan, rate))
  }

  /** In the order of prefix as text, period and start. */
  async rateList(input: Fields<typeof rateListInput>): Promise<RateJson[]> {
    const checked = checkInput(rateListInput, input)
    const { limit = RATES_LISTED, prefix, search, after } = checked
    const plan = await this.#editing.planOf(checked)
    const filter = given({ prefix, search, after: after === undefined ? after : parseKey(after) })
    return (await this.rates.rates(plan, { ...filter, limit })).map(rate => rateJson(plan, rate))
  }

  /**
   * Reads a deck into a plan: all of it, or nothing; or tells what it would change.
   * @throws BadDeck
   */
  async rateImport(source: TextSource, input: Fields<typeof importInput>): Promise<ImportJson> {
    const checked = checkInput(importInput, input)
    const plan = await this.#editing.existing(await this.#editing.planOf(checked))
    const change = () => importDeck(this.rates, plan, source, checked)
    return checked.dry_run ? change() : this.#editing.edit(plan.name, change)
  }

  /** The lines of a deck that rateImport reads back to the same rates. */
  async *rateExport(input: Fields<typeof exportInput>): AsyncGenerator<string> {
    const plan = await this.#editing.planOf(checkInput(exportInput, input))
    yield* exportDeck(this.rates, plan)
  }

  async #setPeriods(plan: string, periods: { name: string; hours: string }[], actor: string) {
    const sorted = periods.sort((a, b) => (a.name < b.name ? -1 : 1))
    const change = () => this.rates.changePlan(plan, { periods: sorted }, actor)
    return planJson(await this.#editing.edit(plan, change))
  }

  /** The rates of exactly this prefix, by period and start where they are named. @throws BookError */
  async #matching(plan: string, wanted: z.output<typeof rateShowInput>): Promise<ListedRate[]> {
    const { prefix, period, from } = wanted
    const all = await this.rates.rates(plan, { prefix, limit: OF_A_PREFIX_MAX })
    const rates = all.filter(rate => {
      if (rate.prefix !== prefix) return false
      if (period !== undefined && rate.period !== (period ?? '')) return false
      return from === undefined || rate.from === Math.max(0, from)
    })
    if (rates.length > 0) return rates
    const what = prefix === '' ? 'the empty prefix' : `prefix ${prefix}`
    const so = period === undefined && from === undefined ? '' : ' that is of this period and start'
    throw new BookError('unknown_rate', `The plan ${plan} has no rate for exactly ${what}${so}`)
  }

  async #theRate(plan: string, wanted: z.output<typeof rateShowInput>): Promise<ListedRate> {
    const rates = await this.#matching(plan, wanted)
    if (rates.length === 1) return rates[0]!
    throw new BookError(
      'bad_input',
      `The plan ${plan} has ${rates.length} rates for prefix ${wanted.prefix}: say which by its period and its start`,
    )
  }
}

/** A prefix has a rate for each period and start: never so many. They come before longer prefixes. */
const OF_A_PREFIX_MAX = 10_000

const keyOf = ({ prefix, period, from }: ListedRate): RateKey => ({ prefix, period, from })

/** A blocked rate has no prices; and who lifts the block says the price, or calls would be free. */
function withTerms(
  old: Omit<ListedRate, 'perMinute'> & { readonly perMinute: bigint | null },
  input: Omit<z.output<typeof rateAddInput>, 'actor'>,
): ListedRate {
  const blocked = input.blocked ?? old.blocked
  const perMinute = input.per_minute ?? (blocked ? 0n : old.perMinute)
  if (perMinute === null) throw new BookError('bad_input', 'The price per minute is missing')
  const rate = {
    ...old,
    description: input.description ?? old.description,
    perMinute,
    setup: input.setup ?? (blocked ? 0n : old.setup),
    minimum: input.minimum ?? old.minimum,
    increment: input.increment ?? old.increment,
    freeS: input.free_s ?? old.freeS,
    until: input.until === undefined ? old.until : input.until && openEnd(input.until),
    blocked,
  }
  return asBookError(() => checkRate(rate))
}

/** `44`, or `44/peak/2026-12-01T00:00:00.000000Z`, by which a list goes on. */
export function rateKey({ prefix, period, from }: RateJson): string {
  return period === '' && from === null ? prefix : [prefix, period, from ?? ''].join('/')
}

function parseKey(text: string): RateKey {
  const [prefix = '', period = '', start = ''] = text.split('/')
  const from = start === '' ? 0 : parseInstant(start)
  if (from !== undefined) return { prefix, period, from }
  throw new BookError('bad_input', `${quoted(text)} is no rate like 44 or 44/peak/2026-12-01`)
}
