/**
 * What the web service does by itself, without the daemon, as the CLI does: plans and rates, quotes,
 * figures, users, tokens and calling cards. The same shape as operations.ts; what takes or gives a
 * file is not in it.
 */
import { z } from 'zod'
import type { AccountJson } from '../ledger/account-fields.js'
import type { Statistics } from '../ledger/statistics.js'
import { type CardProvisioning, cardVerifyInput, pinDeleteInput, pinSetInput } from './cards.js'
import { accountCode, checkInput, oneOf } from './fields.js'
import type { Operation } from './operations.js'
import { periodHoursInput, periodInput, planEditInput, planInput, planSetInput } from './plans.js'
import { type Quoter, quoteInput } from './quote.js'
import {
  type RateProvisioning,
  rateAddInput,
  rateDeleteInput,
  rateListInput,
  rateSetInput,
  rateShowInput,
} from './rates.js'
import { statsInput, statsSteps } from './statistics.js'
import {
  type TokenProvisioning,
  tokenCreateInput,
  tokenListInput,
  tokenRevokeInput,
} from './tokens.js'
import {
  type UserProvisioning,
  userCreateInput,
  userEditInput,
  userInput,
  userListInput,
  userSetInput,
} from './users.js'

const PLANS = '/api/v1/plans'
const PLAN = `${PLANS}/:name`
const RATES = `${PLANS}/:plan/rates`
const PERIOD = `${PLANS}/:plan/periods/:name`
const USERS = '/api/v1/users'
const TOKENS = '/api/v1/tokens'
const PIN = '/api/v1/accounts/:code/pin'

/** The plan is in the path; of an account there is its special plan. */
const ofPlan = <S extends z.ZodRawShape & { account: z.ZodType; plan: z.ZodType }>(
  schema: z.ZodObject<S>,
) => schema.omit({ account: true } as never)

export const accountRatesInput = z.strictObject({
  ...rateListInput.omit({ plan: true, account: true }).shape,
  code: accountCode,
  /** Those of its plan, where it is left out. */
  of: oneOf('The choice of a plan', ['plan', 'special_plan']).optional(),
})

export const LOCAL_OPERATIONS = {
  planCreate: { method: 'POST', path: PLANS, input: planEditInput },
  planList: { method: 'GET', path: PLANS, input: z.strictObject({}) },
  planShow: { method: 'GET', path: PLAN, input: planInput },
  planSet: { method: 'PATCH', path: PLAN, input: planSetInput },
  planDelete: { method: 'DELETE', path: PLAN, input: planEditInput },
  periodSet: { method: 'POST', path: PERIOD, input: periodHoursInput },
  periodDelete: { method: 'DELETE', path: PERIOD, input: periodInput },
  rateList: { method: 'GET', path: RATES, input: ofPlan(rateListInput) },
  rateShow: { method: 'GET', path: `${RATES}/:prefix`, input: ofPlan(rateShowInput) },
  rateAdd: { method: 'POST', path: RATES, input: ofPlan(rateAddInput) },
  rateSet: { method: 'PATCH', path: RATES, input: ofPlan(rateSetInput) },
  rateDelete: { method: 'DELETE', path: RATES, input: ofPlan(rateDeleteInput) },
  accountRates: { method: 'GET', path: '/api/v1/accounts/:code/rates', input: accountRatesInput },
  quote: { method: 'GET', path: '/api/v1/quote', input: quoteInput },
  statsSteps: { method: 'GET', path: '/api/v1/stats', input: statsInput },
  userCreate: { method: 'POST', path: USERS, input: userCreateInput },
  userList: { method: 'GET', path: USERS, input: userListInput },
  userShow: { method: 'GET', path: `${USERS}/:name`, input: userInput },
  userSet: { method: 'PATCH', path: `${USERS}/:name`, input: userSetInput },
  userDelete: { method: 'DELETE', path: `${USERS}/:name`, input: userEditInput },
  userPasswordLink: {
    method: 'POST',
    path: `${USERS}/:name/password-link`,
    input: userEditInput,
  },
  tokenCreate: { method: 'POST', path: TOKENS, input: tokenCreateInput },
  tokenList: { method: 'GET', path: TOKENS, input: tokenListInput },
  tokenRevoke: { method: 'POST', path: `${TOKENS}/:name/revoke`, input: tokenRevokeInput },
  pinSet: { method: 'POST', path: PIN, input: pinSetInput },
  pinDelete: { method: 'DELETE', path: PIN, input: pinDeleteInput },
  cardVerify: { method: 'POST', path: '/api/v1/calling-cards/verify', input: cardVerifyInput },
} as const satisfies Record<string, Operation>

export type LocalOperationName = keyof typeof LOCAL_OPERATIONS

/** Each checks its input, whatever it is, and rejects with BookError or LedgerError. */
export type LocalProvisioning = Readonly<
  Record<LocalOperationName, (input: Readonly<Record<string, unknown>>) => Promise<unknown>>
>

export interface LocalParts {
  readonly rates: RateProvisioning
  readonly quoter: (whose: { account?: unknown; plan?: unknown }) => Promise<Quoter>
  readonly statistics: Statistics
  readonly users: UserProvisioning
  readonly tokens: TokenProvisioning
  readonly cards: CardProvisioning
  /** @throws BookError unknown_account */
  readonly account: (code: unknown) => Promise<AccountJson>
}

export function createLocal(parts: LocalParts): LocalProvisioning {
  const { rates, users, tokens, cards } = parts
  return {
    planCreate: input => rates.planCreate(input),
    async planList(input) {
      checkInput(LOCAL_OPERATIONS.planList.input, input)
      return rates.planList()
    },
    planShow: input => rates.planShow(input),
    planSet: input => rates.planSet(input),
    planDelete: input => rates.planDelete(input),
    periodSet: input => rates.periodSet(input),
    periodDelete: input => rates.periodDelete(input),
    rateList: input => rates.rateList(input),
    rateShow: input => rates.rateShow(input),
    rateAdd: input => rates.rateAdd(input),
    rateSet: input => rates.rateSet(input),
    rateDelete: input => rates.rateDelete(input),
    accountRates: input => accountRates(parts, input),
    async quote({ account, plan, ...call }) {
      return (await parts.quoter({ account, plan })).quote(call)
    },
    statsSteps: input => statsSteps(parts.statistics, input),
    userCreate: input => users.create(input),
    userList: input => users.list(input),
    userShow: input => users.show(input),
    userSet: input => users.set(input),
    userDelete: input => users.delete(input),
    userPasswordLink: input => users.passwordLink(input),
    tokenCreate: input => tokens.create(input),
    tokenList: input => tokens.list(input),
    tokenRevoke: input => tokens.revoke(input),
    pinSet: input => cards.set(input),
    pinDelete: input => cards.delete(input),
    cardVerify: input => cards.verify(input),
  }
}

/** What the account's calls are rated by: its plan, or the special plan in front of it. */
async function accountRates(
  { rates, account }: LocalParts,
  { code, of, ...page }: Readonly<Record<string, unknown>>,
) {
  const { plan, special_plan } = await account(code)
  const wanted = of === 'special_plan' ? special_plan : plan
  return wanted === null ? [] : rates.rateList({ ...page, plan: wanted })
}
