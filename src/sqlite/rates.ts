/**
 * Plans and their rates in SQLite, as people edit and list them; see rate-book.ts for how calls are
 * rated. Nothing here takes long at a time: a deck of a million rates goes in and out in pieces,
 * between which calls are served.
 */
import type { AuditFilter, AuditRecord } from '../ledger/audit.js'
import { BookError, type Expectation } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import type {
  DeckPieces,
  Imported,
  ImportTerms,
  Plan,
  PlanTerms,
  RateFilter,
  RateKey,
  Rates,
} from '../ledger/rates.js'
import type { ListedRate } from '../rating/listed-rate.js'
import { AuditTable } from './audit-table.js'
import { changesOf, checkPeriod, type ReadDeck, readDeck } from './deck-import.js'
import { asRows, Decks } from './decks.js'
import { type KnownPlan, Plans } from './plans.js'
import { checkPlanName, checkRate, checkTerms, isInstant, prefixName } from './rate-limits.js'
import { importFields, planFields, RATE_COLUMNS, rateFields, rateOf } from './rate-rows.js'
import type { RatesFile } from './rates-file.js'

export class SqliteRates implements Rates {
  readonly #file: RatesFile
  readonly #now: () => number
  readonly #plans: Plans
  readonly #decks: Decks
  readonly #audit: AuditTable
  /** Edits of single rates and swaps of decks come one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @param now microseconds since the epoch, by our clock */
  constructor(file: RatesFile, now = () => Date.now() * 1000) {
    this.#file = file
    this.#now = now
    this.#plans = new Plans(file.database)
    this.#decks = new Decks(file, now)
    this.#audit = new AuditTable(file.database, now)
  }

  createPlan(name: string, actor: string): Promise<Plan> {
    return this.#file.committer.enqueue(() => {
      checkPlanName(name)
      if (this.#plans.find(name)) {
        throw new BookError('plan_exists', `There is already a plan ${name}`)
      }
      this.#plans.create(name, this.#decks.create())
      const { plan } = this.#plans.known(name)
      this.#record(actor, 'plan.create', name, null, planFields(plan))
      return plan
    })
  }

  changePlan(
    name: string,
    changes: Partial<PlanTerms>,
    actor: string,
    expect?: Expectation<Plan>,
  ): Promise<Plan> {
    return this.#file.committer.enqueue(() => {
      const { plan, deck } = this.#plans.known(name)
      expect?.(plan)
      const changed = { ...plan, ...changes }
      const next = { ...changed, periods: changed.periods.toSorted(byName) }
      checkTerms(next)
      this.#checkCostPlan(next)
      this.#checkPeriodsLeft(deck, plan, next)
      const [before, after] = [planFields(plan), planFields(next)]
      if (JSON.stringify(before) === JSON.stringify(after)) return plan
      this.#plans.change(next)
      const subject = `plan ${name}`
      this.#audit.recordChange({ actor, action: 'plan.set', subject }, before, after)
      return next
    })
  }

  async deletePlan(name: string, actor: string): Promise<void> {
    await this.#file.committer.enqueue(() => {
      const { plan, deck } = this.#plans.known(name)
      const user = this.#plans.costedBy(name)
      if (user !== undefined) {
        throw new BookError('plan_in_use', `The plan ${user} has ${name} as its cost plan`)
      }
      this.#plans.delete(name)
      this.#decks.doom(deck)
      const before = { ...planFields(plan), rates: plan.rates }
      this.#record(actor, 'plan.delete', name, before, null)
    })
    await this.#decks.sweep()
  }

  plan(name: string): Promise<Plan | undefined> {
    return this.#file.committer.read(() => this.#plans.find(name)?.plan)
  }

  plans(): Promise<Plan[]> {
    return this.#file.committer.read(() => this.#plans.all())
  }

  rates(plan: string, filter: RateFilter): Promise<ListedRate[]> {
    const { prefix, search, after, limit } = filter
    const conditions = ['deck_id = @deck']
    if (prefix !== undefined) conditions.push(beginsWith('@prefix'))
    if (search !== undefined) {
      conditions.push(`(${beginsWith('@search')} OR instr(fold(description), fold(@search)))`)
    }
    if (after) {
      conditions.push('(prefix, period, effective_from) > (@afterPrefix, @afterPeriod, @afterFrom)')
    }
    const sql = `SELECT ${RATE_COLUMNS} FROM rate WHERE ${conditions.join(' AND ')}
      ORDER BY prefix, period, effective_from LIMIT @limit`
    const afterKey = after && {
      afterPrefix: after.prefix,
      afterPeriod: after.period,
      afterFrom: after.from,
    }
    return this.#file.committer.read(() => {
      const { deck } = this.#plans.known(plan)
      const select = asRows(this.#file.database.prepare<[object]>(sql))
      return select.all({ deck, prefix, search, limit, ...afterKey }).map(rateOf)
    })
  }

  ratesFor(plan: string, digits: string): Promise<ListedRate[]> {
    return this.#file.committer.read(() =>
      this.#decks.withPrefixOf(this.#plans.known(plan).deck, digits),
    )
  }

  version(plan: string): Promise<string | undefined> {
    return this.#file.committer.read(() => this.#plans.find(plan)?.version)
  }

  addRate(plan: string, rate: ListedRate, actor: string): Promise<void> {
    return this.#edit(() => {
      const known = this.#plans.known(plan)
      checkRate(rate)
      checkPeriod(known.plan, rate.period)
      const others = this.#decks.sameKey(known.deck, rate.prefix, rate.period)
      if (others.some(other => collide(other, rate))) throw exists(plan, rate)
      const before = others.findLast(({ from }) => from < rate.from)
      if (before?.until === null) {
        const ended = { ...before, until: rate.from }
        this.#decks.change(known.deck, ended)
        this.#record(actor, 'rate.set', plan, rateFields(before), rateFields(ended))
      }
      const added = endedByNext(rate, others)
      this.#decks.add(known.deck, added)
      this.#record(actor, 'rate.add', plan, null, rateFields(added))
    })
  }

  changeRate(
    plan: string,
    rate: ListedRate,
    actor: string,
    expect?: Expectation<ListedRate>,
  ): Promise<void> {
    return this.#edit(() => {
      const known = this.#plans.known(plan)
      checkRate(rate)
      const [before, others] = this.#knownRate(known, rate)
      expect?.(before)
      if (others.some(other => collide(other, rate))) throw exists(plan, rate)
      const after = endedByNext(rate, others)
      this.#decks.change(known.deck, after)
      this.#record(actor, 'rate.set', plan, rateFields(before), rateFields(after))
    })
  }

  deleteRate(plan: string, key: RateKey, actor: string): Promise<void> {
    return this.#edit(() => {
      const known = this.#plans.known(plan)
      const [before] = this.#knownRate(known, key)
      this.#decks.remove(known.deck, key)
      this.#record(actor, 'rate.delete', plan, rateFields(before), null)
    })
  }

  async importRates(
    plan: string,
    deck: DeckPieces,
    terms: ImportTerms,
    actor: string,
  ): Promise<Imported> {
    if (!isInstant(terms.effective)) {
      throw new BookError('bad_input', 'The time from which the deck is effective cannot be')
    }
    const { committer } = this.#file
    const { plan: target } = await committer.read(() => this.#plans.known(plan))
    const read = await readDeck(target, deck)
    if (terms.dryRun) {
      const live = await committer.read(() => this.#plans.known(plan))
      const changes = await changesOf(this.#file, this.#decks, read, live.deck, terms, this.#now())
      return { rates: read.table.size, changes }
    }
    const staged = await committer.enqueue(() => this.#decks.create())
    try {
      await this.#decks.fill(staged, read.table.rates())
      return await this.#inTurn(() => this.#putInForce(plan, staged, read, terms, actor))
    } catch (error) {
      await committer.enqueue(() => this.#decks.doom(staged)).catch(() => undefined)
      throw error
    } finally {
      await this.#decks.sweep()
    }
  }

  audit(filter: AuditFilter): Promise<AuditRecord[]> {
    return this.#file.committer.read(() => this.#audit.list(filter))
  }

  /**
   * Completes a deck by the old rates that stay, and lets the plan point to it. A deck that replaces
   * another takes over what is in force, or will be, until it begins itself; the past is left behind.
   */
  async #putInForce(
    plan: string,
    staged: bigint,
    read: ReadDeck,
    terms: ImportTerms,
    actor: string,
  ): Promise<Imported> {
    const { committer } = this.#file
    const { deck: live, version } = await committer.read(() => this.#plans.known(plan))
    const now = this.#now()
    const changes = await changesOf(this.#file, this.#decks, read, live, terms, now)
    if (terms.mode === 'merge') {
      await this.#decks.copySurvivors(live, staged, null, 0)
    } else if (Math.max(read.lastBegins, terms.effective) > now) {
      await this.#decks.copySurvivors(live, staged, terms.effective, now)
    }
    return committer.enqueue(() => {
      const known = this.#plans.known(plan)
      if (known.version !== version) {
        throw new LedgerError('unavailable', `The plan ${plan} was changed meanwhile: import again`)
      }
      for (const period of read.table.periods) checkPeriod(known.plan, period)
      this.#decks.checkWhole(staged)
      this.#plans.swap(plan, staged)
      this.#decks.doom(live)
      const imported = { rates: read.table.size, changes }
      const before = { rates: known.plan.rates }
      this.#record(actor, 'rate.import', plan, before, importFields(terms, imported))
      return imported
    })
  }

  /** The rate with that key, and the others of its prefix and period. */
  #knownRate({ plan, deck }: KnownPlan, key: RateKey): [ListedRate, ListedRate[]] {
    const all = this.#decks.sameKey(deck, key.prefix, key.period)
    const rate = all.find(({ from }) => from === key.from)
    if (rate) return [rate, all.filter(other => other !== rate)]
    throw new BookError(
      'unknown_rate',
      `The plan ${plan.name} has no rate for exactly ${keyName(key)}`,
    )
  }

  #checkCostPlan({ name, costPlan }: Plan): void {
    if (costPlan === null) return
    if (costPlan === name) {
      throw new BookError('bad_input', `The plan ${name} cannot be its own cost plan`)
    }
    this.#plans.known(costPlan)
  }

  #checkPeriodsLeft(deck: bigint, before: Plan, after: Plan): void {
    for (const { name } of before.periods) {
      if (after.periods.some(one => one.name === name)) continue
      if (!this.#decks.hasRatesOf(deck, name)) continue
      throw new BookError('bad_input', `The period ${name} has rates: delete those first`)
    }
  }

  #record(
    actor: string,
    action: string,
    plan: string,
    before: AuditRecord['before'],
    after: AuditRecord['after'],
  ): void {
    this.#audit.record({ actor, action, subject: `plan ${plan}`, before, after })
  }

  #edit(change: () => void): Promise<void> {
    return this.#inTurn(() => this.#file.committer.enqueue(change))
  }

  #inTurn<T>(edit: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(edit, edit)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** Whether two rates of a prefix and period are in force at the same time, and neither gives way. */
function collide(one: ListedRate, other: ListedRate): boolean {
  const [first, second] = one.from < other.from ? [one, other] : [other, one]
  return first.from === second.from || (first.until !== null && first.until > second.from)
}

/** A rate without an end ends where the next one begins. */
function endedByNext(rate: ListedRate, others: readonly ListedRate[]): ListedRate {
  const next = others.find(({ from }) => from > rate.from)
  return { ...rate, until: rate.until ?? next?.from ?? null }
}

function exists(plan: string, rate: ListedRate): BookError {
  return new BookError(
    'rate_exists',
    `The plan ${plan} has a rate for ${keyName(rate)} at the same time already`,
  )
}

function keyName({ prefix, period }: RateKey): string {
  return period === '' ? prefixName(prefix) : `${prefixName(prefix)} in the period ${period}`
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)

/** As a range, which the primary key answers; ":" comes right after "9". */
function beginsWith(parameter: string): string {
  return `(prefix >= ${parameter} AND prefix < ${parameter} || ':')`
}
