/**
 * The port to plans and their rates as people edit them; rating/rate-book.ts is how calls read them.
 * sqlite/ implements both. Methods reject with BookError, a refusal in one sentence with nothing
 * changed, or with LedgerError unavailable. Each change and its audit record are one transaction.
 */
import type { Money } from '../money.js'
import type { ListedRate } from '../rating/listed-rate.js'
import type { NumberRules } from '../rating/number.js'
import type { Period } from '../rating/schedule.js'
import type { AuditFilter, AuditRecord } from './audit.js'
import type { Expectation } from './books.js'

/** What a plan says besides its rates. */
export interface PlanTerms {
  /** IANA name of the time zone that its periods are in. */
  readonly zone: string
  /** The plan of what the carrier charges. */
  readonly costPlan: string | null
  /** Calls that would cost more than they bring are refused. */
  readonly refuseLoss: boolean
  readonly numbers: NumberRules
  /** In the order of their names; none overlaps another. */
  readonly periods: readonly Period[]
}

export interface Plan extends PlanTerms {
  readonly name: string
  /** How many rates it has. */
  readonly rates: number
}

export interface RateFilter {
  /** Only prefixes that begin with this. */
  readonly prefix?: string
  /** Only prefixes that begin with this, or descriptions that contain it, whatever the case. */
  readonly search?: string
  /** Only the rates after this one: lists are in the order of prefix as text, period, from. */
  readonly after?: RateKey
  readonly limit: number
}

/** What no two rates of a plan have in common. */
export type RateKey = Pick<ListedRate, 'prefix' | 'period' | 'from'>

export interface ImportTerms {
  /** `replace`: what is not in the deck goes. `merge`: it stays. */
  readonly mode: 'replace' | 'merge'
  /**
   * With `replace`: when what is not in the deck ends, microseconds since the epoch; 0 at once.
   * The deck's own rates each say when they begin.
   */
  readonly effective: number
  /** Changes nothing, and tells what would change. */
  readonly dryRun: boolean
  /** For the audit: the name of the file. */
  readonly source: string
}

/** What an import changes. A rate that is in force later is counted by itself. */
export interface DeckChanges {
  readonly added: number
  readonly removed: number
  readonly dearer: number
  readonly cheaper: number
  /** Neither dearer nor cheaper a minute, but not the same: steps, setup, description, times. */
  readonly otherwise: number
  readonly same: number
  /** The largest changes of the price per minute first, then removals and additions; some hundred at most. */
  readonly largest: readonly RateChange[]
}

export interface RateChange {
  readonly before: ListedRate | null
  readonly after: ListedRate | null
  /** Price per minute after less before; null for what is added or removed. */
  readonly difference: Money | null
}

export interface Imported {
  /** How many rates the deck had. */
  readonly rates: number
  readonly changes: DeckChanges
}

/** The rates of the deck, in any order, a piece at a time. What it throws ends the import. */
export type DeckPieces = AsyncIterable<readonly ListedRate[]>

export interface Rates {
  /** @throws BookError plan_exists, bad_input */
  createPlan(name: string, actor: string): Promise<Plan>
  /** @throws BookError unknown_plan (also for the cost plan), bad_input (overlapping periods, a period with rates that is gone) */
  changePlan(
    name: string,
    changes: Partial<PlanTerms>,
    actor: string,
    expect?: Expectation<Plan>,
  ): Promise<Plan>
  /**
   * With all its rates. Whether accounts are on it is for the caller to ask first.
   * @throws BookError unknown_plan, plan_in_use (another plan has it as its cost plan)
   */
  deletePlan(name: string, actor: string): Promise<void>
  plan(name: string): Promise<Plan | undefined>
  /** In the order of names. */
  plans(): Promise<Plan[]>
  /** @throws BookError unknown_plan */
  rates(plan: string, filter: RateFilter): Promise<ListedRate[]>
  /**
   * The rates whose prefix the digits begin with, found by key: a handful, whenever they are in force.
   * @throws BookError unknown_plan
   */
  ratesFor(plan: string, digits: string): Promise<ListedRate[]>
  /** What changes whenever the plan or a rate of it does; undefined where there is no such plan. */
  version(plan: string): Promise<string | undefined>
  /** @throws BookError unknown_plan, unknown_period, rate_exists (one of the same prefix and period is in force at the same time), bad_input */
  addRate(plan: string, rate: ListedRate, actor: string): Promise<void>
  /** Puts another rate in the place of that with the same key. @throws BookError unknown_plan, unknown_rate, bad_input */
  changeRate(
    plan: string,
    rate: ListedRate,
    actor: string,
    expect?: Expectation<ListedRate>,
  ): Promise<void>
  /** @throws BookError unknown_plan, unknown_rate */
  deleteRate(plan: string, key: RateKey, actor: string): Promise<void>
  /**
   * Imports a deck: all of it, or nothing. From the instant at which an imported rate begins, it is
   * the only one of its prefix and period: the one in force then ends there, later ones go.
   * @throws BookError unknown_plan, unknown_period, rate_exists (two of the deck for one prefix and
   *   period at the same time), bad_input
   */
  importRates(plan: string, deck: DeckPieces, terms: ImportTerms, actor: string): Promise<Imported>
  audit(filter: AuditFilter): Promise<AuditRecord[]>
}
