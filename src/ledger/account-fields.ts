/** An account as programs see it: in the API, in --json and in the record of changes. */
import { formatInstant } from '../call/cdr.js'
import { formatMoney, type Money } from '../money.js'
import { type Account, available } from './books.js'

export type AccountJson = ReturnType<typeof accountJson>

/** Amounts are decimal strings; null is no limit. */
export function accountJson(account: Account) {
  const { lowBalance } = account
  return {
    code: account.code,
    name: account.name,
    plan: account.plan,
    special_plan: account.specialPlan,
    state: account.state,
    notes: account.notes,
    balance: formatMoney(account.balance),
    credit_limit: formatMoney(account.creditLimit),
    held: formatMoney(account.held),
    available: formatMoney(available(account)),
    live_calls: account.liveCalls,
    spent_today: formatMoney(account.spentToday),
    max_calls: account.maxCalls,
    max_calls_per_second: account.maxCallsPerSecond,
    max_per_minute: amountOrNull(account.maxPerMinute),
    max_spend_per_call: amountOrNull(account.maxSpendPerCall),
    max_spend_per_day: amountOrNull(account.maxSpendPerDay),
    longest_call_s: account.longestCallS,
    low_balance: amountOrNull(lowBalance),
    low: lowBalance !== null && account.balance < lowBalance,
    time_zone: account.timeZone,
    created_at: formatInstant(account.createdAt),
  }
}

function amountOrNull(amount: Money | null): string | null {
  return amount === null ? null : formatMoney(amount)
}
