/** What unseen calls would cost if they were charged, by the rates of the time when they were answered. */
import { BookError } from '../../ledger/books.js'
import type { UnseenJson } from '../../provisioning/unseen.js'
import type { Services } from '../parts.js'
import type { Visit } from './page.js'
import { type Cell, inWords } from './shown.js'

export type UnseenPrice =
  | { readonly cost: string }
  /** Why it cannot be charged: in a word or two, and in a sentence. */
  | { readonly refused: string; readonly sentence: string }

/** By call id; of nobody's calls for who may not see rates. */
export async function pricesOf(
  visit: Visit,
  { quoter }: Services,
  calls: readonly UnseenJson[],
): Promise<ReadonlyMap<string, UnseenPrice>> {
  const prices = new Map<string, UnseenPrice>()
  if (!visit.may('rates:read')) return prices
  const quoters = new Map<string, ReturnType<typeof quoter>>()
  for (const call of calls) {
    const { account } = call
    if (account === null) continue
    const found = quoters.get(account) ?? quoter({ account })
    quoters.set(account, found)
    prices.set(call.call_id, await priceOf(call, found))
  }
  return prices
}

async function priceOf(
  call: UnseenJson,
  quoter: ReturnType<Services['quoter']>,
): Promise<UnseenPrice> {
  const { number, answered_at, ended_at } = call
  try {
    const asked = { number, seconds: talkSeconds(call), at: answered_at ?? ended_at }
    const { cost, refused, reason } = await (await quoter).quote(asked)
    if (refused === null && cost !== null) return { cost }
    return { refused: inWords(refused ?? 'no_rate'), sentence: reason ?? '' }
  } catch (error) {
    if (!(error instanceof BookError)) throw error
    return { refused: inWords(error.code), sentence: error.message }
  }
}

export function priceCell(price: UnseenPrice): Cell {
  return 'cost' in price ? { money: price.cost } : { badge: price.refused, tone: 'warn' }
}

/** As calls are billed: whole seconds, rounded up where the rules do not say otherwise. */
export const talkSeconds = ({ duration_s }: UnseenJson) => Math.ceil(Number(duration_s))
