/** Between the rows of `account` and what they mean. A column is named here once. */

import type { Account, AccountTerms } from '../ledger/books.js'
import type { AccountState } from '../ledger/ledger.js'
import type { Limits, Usage } from '../ledger/limits.js'
import { localDate } from '../local-time.js'
import type { Money } from '../money.js'
import { numberOrNull } from './rows.js'

export interface AccountRow {
  readonly id: bigint
  readonly code: string
  readonly name: string
  readonly plan: string
  readonly special_plan: string | null
  readonly state: AccountState
  readonly notes: string
  readonly time_zone: string
  readonly credit_limit: Money
  readonly max_calls: bigint | null
  readonly max_calls_per_second: bigint | null
  readonly max_per_minute: Money | null
  readonly max_spend_per_call: Money | null
  readonly max_spend_per_day: Money | null
  readonly longest_call_s: bigint | null
  readonly low_balance: Money | null
  readonly balance: Money
  readonly held: Money
  readonly live_calls: bigint
  readonly spent: Money
  readonly spent_on: string
  readonly latest_day: string
  readonly created_at: bigint
}

/** The limits: see limitsOf(). */
const LIMIT_COLUMNS = [
  'max_calls',
  'max_calls_per_second',
  'max_per_minute',
  'max_spend_per_call',
  'max_spend_per_day',
  'longest_call_s',
] as const

/** What decides on a hold. */
export const HOLD_COLUMNS = [
  'id',
  'state',
  'time_zone',
  'credit_limit',
  ...LIMIT_COLUMNS,
  'balance',
  'held',
  'live_calls',
  'spent',
  'spent_on',
  'latest_day',
] as const

export type HoldRow = Pick<AccountRow, (typeof HOLD_COLUMNS)[number]>

/** The columns that an operator sets. */
export const TERM_COLUMNS = [
  'name',
  'plan',
  'special_plan',
  'notes',
  'time_zone',
  'credit_limit',
  ...LIMIT_COLUMNS,
  'low_balance',
] as const

export function termParameters(terms: AccountTerms) {
  return {
    name: terms.name,
    plan: terms.plan,
    special_plan: terms.specialPlan,
    notes: terms.notes,
    time_zone: terms.timeZone,
    credit_limit: terms.creditLimit,
    max_calls: terms.maxCalls,
    max_calls_per_second: terms.maxCallsPerSecond,
    max_per_minute: terms.maxPerMinute,
    max_spend_per_call: terms.maxSpendPerCall,
    max_spend_per_day: terms.maxSpendPerDay,
    longest_call_s: terms.longestCallS,
    low_balance: terms.lowBalance,
  }
}

export function limitsOf(row: HoldRow): Limits {
  return {
    maxCalls: numberOrNull(row.max_calls),
    maxCallsPerSecond: numberOrNull(row.max_calls_per_second),
    maxPerMinute: row.max_per_minute,
    maxSpendPerCall: row.max_spend_per_call,
    maxSpendPerDay: row.max_spend_per_day,
    longestCallS: numberOrNull(row.longest_call_s),
  }
}

/** @param now microseconds since the epoch, by our clock: it says which day it is for the account */
export function usageOf(row: HoldRow, now: number): Usage {
  return {
    liveCalls: Number(row.live_calls),
    spentToday: row.spent_on === localDate(now, row.time_zone) ? row.spent : 0n,
    held: row.held,
    available: row.balance + row.credit_limit - row.held,
  }
}

export function accountOf(row: AccountRow, now: number): Account {
  const { liveCalls, spentToday } = usageOf(row, now)
  return {
    code: row.code,
    name: row.name,
    plan: row.plan,
    specialPlan: row.special_plan,
    state: row.state,
    notes: row.notes,
    timeZone: row.time_zone,
    creditLimit: row.credit_limit,
    ...limitsOf(row),
    lowBalance: row.low_balance,
    balance: row.balance,
    held: row.held,
    liveCalls,
    spentToday,
    createdAt: Number(row.created_at),
  }
}
