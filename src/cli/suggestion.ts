/** "Did you mean" for accounts and plans: added here, where whoever mistyped it reads the answer. */
import { BookError } from '../ledger/books.js'
import type { Provisioning } from '../provisioning/operations.js'
import { didYouMean } from '../spelling.js'
import type { Session } from './session.js'

/** There may be a million accounts: only the neighbours of the mistyped code are looked at. */
const FIRST = 100
const NEIGHBOURS = 30
const BEGINNINGS_MAX = 12

/** The error, with the likeliest name in its sentence where it is about an unknown one. */
export async function withSuggestion(error: unknown, session: Session): Promise<unknown> {
  if (!(error instanceof BookError)) return error
  const look = LOOK[error.code]
  // The sentence ends with the name that is unknown.
  const mistyped = error.message.split(' ').at(-1)!
  if (!look) return error
  try {
    const known = await look(session, mistyped)
    return new BookError(error.code, error.message + didYouMean(mistyped, known))
  } catch {
    // A suggestion that cannot be had must not hide what went wrong.
    return error
  }
}

type Look = (session: Session, mistyped: string) => Promise<string[]>

const LOOK: Readonly<Record<string, Look>> = {
  unknown_account: async (session, mistyped) => neighbours(await session.ledger(), mistyped),
  unknown_plan: async session => (await (await session.rates()).planList()).map(({ name }) => name),
}

/**
 * Codes that may have been meant. A small book is looked through whole. In a large one, codes are
 * found from what they begin with, which is right up to the slip: so the codes that follow each
 * beginning are taken, of the code as it was typed, in capitals, and with two neighbours swapped.
 */
async function neighbours(ledger: Provisioning, mistyped: string): Promise<string[]> {
  const codes = new Set<string>()
  const take = async (limit: number, after?: string) => {
    for (const { code } of await ledger.accountList({ after, limit })) codes.add(code)
    return codes.size
  }
  if ((await take(FIRST)) < FIRST) return [...codes]
  for (const beginning of beginnings(mistyped)) await take(NEIGHBOURS, beginning)
  return [...codes]
}

/** The longest first: they are the likeliest to have few codes behind them. */
function beginnings(mistyped: string): string[] {
  const capitals = mistyped.toUpperCase()
  const all = new Set<string>()
  for (let end = mistyped.length - 1; end > 0; end--) {
    all.add(mistyped.slice(0, end))
    const swapped = `${mistyped.slice(0, end - 1)}${mistyped[end]}${mistyped[end - 1]}`
    all.add(swapped)
    all.add(capitals.slice(0, end))
  }
  return [...all].slice(0, BEGINNINGS_MAX)
}
