/** The records of ended calls. */
import { z } from 'zod'
import { type CdrJson, cdrJson } from '../call/cdr.js'
import type { Cdrs } from '../ledger/books.js'
import { accountCode, given, instant, oneOf, whole } from './fields.js'

const OUTCOMES = ['completed', 'unanswered', 'refused', 'cut_off'] as const

export const cdrListInput = z.strictObject({
  account: accountCode.optional(),
  outcome: oneOf('The outcome', OUTCOMES).optional(),
  /** Calls that ended at this time or later. */
  from: instant('The start').optional(),
  /** Calls that ended before this time. */
  to: instant('The end').optional(),
  /** Only calls that outlived their hold. */
  write_off: oneOf('The choice of write-offs', ['true']).optional(),
  limit: whole('The limit', 1, 1_000_000).optional(),
})

/** How many CDRs are listed where no limit is asked for. */
const CDRS_LISTED = 100

/** The last to end come first. */
export async function listCdrs(
  cdrs: Cdrs,
  input: z.output<typeof cdrListInput>,
): Promise<CdrJson[]> {
  const { to, write_off, limit = CDRS_LISTED, ...filter } = input
  const writeOff = write_off && true
  const found = await cdrs.list({ ...given({ ...filter, until: to, writeOff }), limit })
  return found.map(cdrJson)
}
