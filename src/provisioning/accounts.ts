/** Accounts: what can be done with them, and its checks. Their entries are in entries.ts. */
import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { type AccountJson, accountJson } from '../ledger/account-fields.js'
import {
  type Account,
  type Accounts,
  type AccountTerms,
  BookError,
  DEFAULT_TERMS,
  type Expectation,
} from '../ledger/books.js'
import type { AccountState } from '../ledger/ledger.js'
import type { LiveCalls } from './calls.js'
import { expecting, ifMatch } from './edit-version.js'
import {
  accountCode,
  actor,
  given,
  money,
  notNegative,
  oneOf,
  paragraphs,
  planName,
  timeZone,
  whole,
  words,
} from './fields.js'

/** What an operator sets, all of it optional. Null takes a limit away. */
const terms = {
  name: words('The name', 200).optional(),
  plan: planName.optional(),
  /** A plan whose rates come in front of the plan's. */
  special_plan: planName.nullable().optional(),
  notes: paragraphs('The notes', 2_000).optional(),
  /** Its days begin at midnight there. */
  time_zone: timeZone.optional(),
  credit_limit: notNegative('The credit limit').optional(),
  /** Simultaneous legs. */
  max_calls: whole('The number of calls', 0, 1_000_000).nullable().optional(),
  max_calls_per_second: whole('The calls per second', 0, 10_000).nullable().optional(),
  max_per_minute: notNegative('The highest price per minute').nullable().optional(),
  max_spend_per_call: notNegative('The spend per call').nullable().optional(),
  max_spend_per_day: notNegative('The spend per day').nullable().optional(),
  longest_call_s: whole('The longest call', 1, 432_000).nullable().optional(),
  /** A balance below it is told. */
  low_balance: money('The low balance').nullable().optional(),
}

export const accountCreateInput = z.strictObject({
  ...terms,
  plan: planName,
  /** Generated where it is left out. */
  code: accountCode.optional(),
  /** The opening balance, booked as a top-up. */
  credit: notNegative('The credit').optional(),
  actor,
})

const STATES = ['active', 'suspended', 'closed'] as const satisfies readonly AccountState[]

export const accountListInput = z.strictObject({
  /** What the code or the name contains, whatever the case. */
  search: words('The search', 200).optional(),
  state: oneOf('The state', STATES).optional(),
  plan: planName.optional(),
  special_plan: planName.optional(),
  /** Only those whose balance is below the threshold that they have for that. */
  low: oneOf('The choice of low balances', ['true']).optional(),
  /** Codes after this one: the last of the page before. */
  after: accountCode.optional(),
  limit: whole('The limit', 1, 1_000).optional(),
})

export const accountInput = z.strictObject({ code: accountCode })
export const accountStateInput = z.strictObject({ code: accountCode, actor })
export const accountSetInput = z.strictObject({
  ...terms,
  code: accountCode,
  if_match: ifMatch,
  actor,
})

/** How many accounts a page has where no limit is asked for. */
const ACCOUNTS_LISTED = 100

/** No 0, O, 1, I and L: a code is read out on the telephone and typed. */
const CODE_LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

/** 31^12 codes, 59 bits: nobody guesses one. */
const CODE_LENGTH = 12

export function generateCode(): string {
  const letter = () => CODE_LETTERS[randomInt(CODE_LETTERS.length)]
  return Array.from({ length: CODE_LENGTH }, letter).join('')
}

/** Changes after which its final calls may hold more than they could before. */
const MAKING_ROOM = ['creditLimit', 'maxSpendPerCall', 'maxSpendPerDay', 'state'] as const

/** What can be done with accounts. The inputs have been read by the schemas above. */
export class AccountProvisioning {
  /**
   * @param hasPlan whether there is a plan of this name: plans are in a file of their own
   * @param live the calls to tell of new credit; undefined where no daemon runs
   */
  constructor(
    readonly accounts: Accounts,
    readonly hasPlan: (name: string) => Promise<boolean>,
    readonly live: LiveCalls | undefined,
  ) {}

  async create(input: z.output<typeof accountCreateInput>): Promise<AccountJson> {
    const { code = generateCode(), credit = 0n, plan, actor } = input
    await this.#checkPlans(input)
    const terms = { ...DEFAULT_TERMS, ...termsOf(input), plan }
    return accountJson(await this.accounts.create({ ...terms, code, credit, actor }))
  }

  /** In the order of codes. */
  async list(input: z.output<typeof accountListInput>): Promise<AccountJson[]> {
    const { limit = ACCOUNTS_LISTED, special_plan: specialPlan, low, ...filter } = input
    const chosen = given({ ...filter, specialPlan, low: low && true })
    return (await this.accounts.list({ ...chosen, limit })).map(accountJson)
  }

  async show({ code }: z.output<typeof accountInput>): Promise<AccountJson> {
    return accountJson(await existing(this.accounts, code))
  }

  async set(input: z.output<typeof accountSetInput>): Promise<AccountJson> {
    const { code, actor, if_match } = input
    const changes = termsOf(input)
    if (Object.keys(changes).length === 0) {
      throw new BookError('bad_input', 'Nothing to set: say what is to change')
    }
    await this.#checkPlans(input)
    return this.#change(code, changes, actor, expecting(if_match, accountJson))
  }

  /** No new calls for a while; those that are live use up what is held for them. */
  suspend({ code, actor }: z.output<typeof accountStateInput>): Promise<AccountJson> {
    return this.#change(code, { state: 'suspended' }, actor)
  }

  /** The same for good: it cannot be topped up either. */
  close({ code, actor }: z.output<typeof accountStateInput>): Promise<AccountJson> {
    return this.#change(code, { state: 'closed' }, actor)
  }

  reopen({ code, actor }: z.output<typeof accountStateInput>): Promise<AccountJson> {
    return this.#change(code, { state: 'active' }, actor)
  }

  async #change(
    code: string,
    changes: Parameters<Accounts['change']>[1],
    actor: string,
    expect?: Expectation<Account>,
  ): Promise<AccountJson> {
    const account = await this.accounts.change(code, changes, actor, expect)
    const mayMakeRoom = MAKING_ROOM.some(name => name in changes)
    if (mayMakeRoom && account.state === 'active') this.live?.toppedUp(code)
    return accountJson(account)
  }

  async #checkPlans({ plan, special_plan }: Pick<TermsInput, 'plan' | 'special_plan'>) {
    for (const name of [plan, special_plan]) {
      if (typeof name === 'string' && !(await this.hasPlan(name))) {
        throw new BookError('unknown_plan', `There is no plan ${name}`)
      }
    }
  }
}

type TermsInput = Omit<z.output<typeof accountSetInput>, 'code' | 'if_match' | 'actor'>

function termsOf(input: TermsInput): Partial<AccountTerms> {
  return given({
    name: input.name,
    plan: input.plan,
    specialPlan: input.special_plan,
    notes: input.notes,
    timeZone: input.time_zone,
    creditLimit: input.credit_limit,
    maxCalls: input.max_calls,
    maxCallsPerSecond: input.max_calls_per_second,
    maxPerMinute: input.max_per_minute,
    maxSpendPerCall: input.max_spend_per_call,
    maxSpendPerDay: input.max_spend_per_day,
    longestCallS: input.longest_call_s,
    lowBalance: input.low_balance,
  })
}

/** @throws BookError unknown_account */
export async function existing(accounts: Accounts, code: string): Promise<Account> {
  const account = await accounts.find(code)
  if (!account) throw new BookError('unknown_account', `There is no account ${code}`)
  return account
}
