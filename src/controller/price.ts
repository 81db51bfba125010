/** From an account code and a number to a tariff, or to why there is none: for a leg, and for the gate. */
import type { Instant, Refusal } from '../call/call.js'
import type { Ledger } from '../ledger/ledger.js'
import { E164_NUMBERS, normaliseNumber } from '../rating/number.js'
import { priceCall } from '../rating/pricing.js'
import type { RateBook } from '../rating/rate-book.js'
import type { Tariff } from '../rating/tariff.js'

export type Price =
  | { readonly type: 'priced'; readonly tariff: Tariff }
  | {
      readonly type: 'unpriced'
      readonly reason: Refusal
      readonly plan: string | null
      readonly number: string | null
      readonly tariff: Tariff | null
    }

/**
 * @param at when the leg was answered, or else created; asked for once the account is known
 * @throws LedgerError `unavailable`
 */
export async function priceFor(
  { ledger, rateBook }: { readonly ledger: Ledger; readonly rateBook: RateBook },
  account: string,
  dialled: string,
  at: () => Instant,
): Promise<Price> {
  const payer = await ledger.payer(account)
  if (!payer) return unpriced('unknown_account', null, dialled)
  if (payer.state === 'suspended') return unpriced('account_suspended', payer.plan, dialled)
  if (payer.state === 'closed') return unpriced('account_closed', payer.plan, dialled)
  const found = priceCall(rateBook, payer, dialled, at())
  if (found.status === 'priced') return { type: 'priced', tariff: found.tariff }
  const { reason, plan, number, tariff } = found
  return { type: 'unpriced', reason, plan, number, tariff }
}

/** No tariff was looked for. */
export function unpriced(reason: Refusal, plan: string | null, dialled: string): Price {
  const number = normaliseNumber(dialled, E164_NUMBERS)?.digits ?? null
  return { type: 'unpriced', reason, plan, number, tariff: null }
}
