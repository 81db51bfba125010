/** Accounts and their entries: what can be done with them, and its checks. */
import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { formatInstant } from '../call/cdr.js'
import {
  type Account,
  type Accounts,
  available,
  BookError,
  type Entry,
  type EntryKind,
} from '../ledger/books.js'
import type { AccountState } from '../ledger/ledger.js'
import { formatMoney, type Money } from '../money.js'
import type { LiveCalls } from './calls.js'
import {
  accountCode,
  filledWords,
  given,
  instant,
  money,
  notNegative,
  oneOf,
  planName,
  whole,
  words,
} from './fields.js'

const actor = filledWords('The actor', 100)
const reason = words('The reason', 500).optional()
const reference = filledWords('The reference', 200)

export const accountCreateInput = z.strictObject({
  /** Generated where it is left out. */
  code: accountCode.optional(),
  name: words('The name', 200).optional(),
  plan: planName,
  /** The opening balance, booked as a top-up. */
  credit: notNegative('The credit').optional(),
  credit_limit: notNegative('The credit limit').optional(),
  actor,
})

export const accountListInput = z.strictObject({
  /** What the code or the name contains, whatever the case. */
  search: words('The search', 200).optional(),
  state: oneOf('The state', ['active', 'closed']).optional(),
  plan: planName.optional(),
  /** Codes after this one: the last of the page before. */
  after: accountCode.optional(),
  limit: whole('The limit', 1, 1_000).optional(),
})

export const accountInput = z.strictObject({ code: accountCode })

export const accountSetInput = z.strictObject({
  code: accountCode,
  name: words('The name', 200).optional(),
  plan: planName.optional(),
  credit_limit: notNegative('The credit limit').optional(),
})

export const topUpInput = z.strictObject({
  code: accountCode,
  amount: money('The amount').refine(amount => amount > 0n, {
    error: issue => `A top-up must be more than 0, not ${formatMoney(issue.input as Money)}`,
  }),
  reference,
  reason,
  actor,
})

export const adjustInput = z.strictObject({
  code: accountCode,
  /** Below zero to take away. */
  amount: money('The amount').refine(amount => amount !== 0n, 'An adjustment must not be 0'),
  reference,
  reason,
  actor,
})

export const statementInput = z.strictObject({
  code: accountCode,
  from: instant('The start').optional(),
  /** Entries before this time. */
  to: instant('The end').optional(),
})

export interface AccountJson {
  code: string
  name: string
  plan: string
  state: AccountState
  balance: string
  credit_limit: string
  held: string
  available: string
  created_at: string
}

export interface EntryJson {
  id: number
  at: string
  account: string | null
  kind: EntryKind
  amount: string
  /** After the entry. */
  balance: string | null
  reference: string
  actor: string
  reason: string
}

/** The opening balance plus all amounts is the closing balance. */
export interface StatementJson {
  account: string
  opening_balance: string
  entries: EntryJson[]
  closing_balance: string
}

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
    await this.#checkPlan(input.plan)
    const account = await this.accounts.create({
      code: input.code ?? generateCode(),
      name: input.name ?? '',
      plan: input.plan,
      creditLimit: input.credit_limit ?? 0n,
      credit: input.credit ?? 0n,
      actor: input.actor,
    })
    return accountJson(account)
  }

  /** In the order of codes. */
  async list(input: z.output<typeof accountListInput>): Promise<AccountJson[]> {
    const { limit = ACCOUNTS_LISTED, ...filter } = input
    return (await this.accounts.list({ ...given(filter), limit })).map(accountJson)
  }

  async show({ code }: z.output<typeof accountInput>): Promise<AccountJson> {
    return accountJson(await this.#existing(code))
  }

  async set(input: z.output<typeof accountSetInput>): Promise<AccountJson> {
    const { code, name, plan, credit_limit: creditLimit } = input
    if (name === undefined && plan === undefined && creditLimit === undefined) {
      throw new BookError('bad_input', 'Nothing to set: give a name, a plan or a credit limit')
    }
    if (plan !== undefined) await this.#checkPlan(plan)
    const account = await this.accounts.change(code, given({ name, plan, creditLimit }))
    if (creditLimit !== undefined) this.live?.toppedUp(code)
    return accountJson(account)
  }

  /** No new calls; those that are live use up what is held for them. */
  async close({ code }: z.output<typeof accountInput>): Promise<AccountJson> {
    return accountJson(await this.accounts.change(code, { state: 'closed' }))
  }

  async reopen({ code }: z.output<typeof accountInput>): Promise<AccountJson> {
    const account = await this.accounts.change(code, { state: 'active' })
    this.live?.toppedUp(code)
    return accountJson(account)
  }

  /** Once for each reference: a repetition answers as the first time and books nothing. */
  async topUp(input: z.output<typeof topUpInput>): Promise<EntryJson> {
    return this.#post('top_up', input)
  }

  async adjust(input: z.output<typeof adjustInput>): Promise<EntryJson> {
    return this.#post('adjustment', input)
  }

  async statement({ code, from, to }: z.output<typeof statementInput>): Promise<StatementJson> {
    await this.#existing(code)
    const entries = await this.accounts.entries(code, given({ from, until: to }))
    const first = entries[0]
    const closing = entries.at(-1)?.balance ?? (await this.#balanceAt(code, to))
    return {
      account: code,
      opening_balance: formatMoney(first ? (first.balance ?? 0n) - first.amount : closing),
      entries: entries.map(entryJson),
      closing_balance: formatMoney(closing),
    }
  }

  async #post(
    kind: 'top_up' | 'adjustment',
    { code, amount, reference, actor, reason = '' }: z.output<typeof adjustInput>,
  ): Promise<EntryJson> {
    const entry = { account: code, kind, amount, reference, actor, reason }
    const posted = await this.accounts.post(entry)
    if (posted.amount > 0n) this.live?.toppedUp(code)
    return entryJson(posted)
  }

  async #existing(code: string): Promise<Account> {
    const account = await this.accounts.find(code)
    if (!account) throw new BookError('unknown_account', `There is no account ${code}`)
    return account
  }

  async #checkPlan(plan: string): Promise<void> {
    if (!(await this.hasPlan(plan))) {
      throw new BookError('unknown_plan', `There is no plan ${plan}`)
    }
  }

  /** For a period with no entries in it: what the last one before its end left. */
  async #balanceAt(code: string, until: number | undefined): Promise<Money> {
    const entries = await this.accounts.entries(code, given({ until }))
    return entries.at(-1)?.balance ?? 0n
  }
}

function accountJson(account: Account): AccountJson {
  return {
    code: account.code,
    name: account.name,
    plan: account.plan,
    state: account.state,
    balance: formatMoney(account.balance),
    credit_limit: formatMoney(account.creditLimit),
    held: formatMoney(account.held),
    available: formatMoney(available(account)),
    created_at: formatInstant(account.createdAt),
  }
}

function entryJson(entry: Entry): EntryJson {
  return {
    id: entry.id,
    at: formatInstant(entry.at),
    account: entry.account,
    kind: entry.kind,
    amount: formatMoney(entry.amount),
    balance: entry.balance === null ? null : formatMoney(entry.balance),
    reference: entry.reference,
    actor: entry.actor,
    reason: entry.reason,
  }
}
