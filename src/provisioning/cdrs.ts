/** The records of ended calls. */
import { z } from 'zod'
import type { Outcome, Reason } from '../call/call.js'
import { type CdrJson, cdrJson, type MilestoneJson, milestoneJson } from '../call/cdr.js'
import { BookError, type CdrGroup, type Cdrs, type CdrTotals } from '../ledger/books.js'
import { formatMoney } from '../money.js'
import { parseInstant } from '../rating/instants.js'
import { accountCode, callId, given, instant, oneOf, quoted, whole } from './fields.js'

export const OUTCOMES = [
  'completed',
  'unanswered',
  'refused',
  'cut_off',
] as const satisfies Outcome[]

/** A record, so that the compiler misses none. */
export const REASONS: Readonly<Record<Reason, true>> = {
  unknown_account: true,
  account_suspended: true,
  account_closed: true,
  malformed_number: true,
  no_rate: true,
  destination_blocked: true,
  no_cost_rate: true,
  would_lose_money: true,
  no_credit: true,
  max_calls: true,
  max_calls_per_second: true,
  max_per_minute: true,
  max_spend_per_call: true,
  max_spend_per_day: true,
  ledger_unavailable: true,
  longest_call: true,
  not_renewed: true,
  killed: true,
  lost: true,
}

const GROUPS = [
  'day',
  'account',
  'plan',
  'prefix',
  'reason',
  'switch',
] as const satisfies CdrGroup[]

const LEADING_DIGITS = /^\d{1,32}$/

const leadingDigits = z
  .custom<string>(value => typeof value === 'string' && LEADING_DIGITS.test(value), {
    error: issue => `${quoted(issue.input)} is not what a number begins with: it must be digits`,
  })
  .meta({ type: 'string', pattern: LEADING_DIGITS.source, description: 'What it begins with' })

const filters = {
  account: accountCode.optional(),
  outcome: oneOf('The outcome', OUTCOMES).optional(),
  reason: oneOf('The reason', Object.keys(REASONS) as Reason[]).optional(),
  /** What the number begins with. */
  number: leadingDigits.optional(),
  /** Calls that ended at this time or later. */
  from: instant('The start').optional(),
  /** Calls that ended before this time. */
  to: instant('The end').optional(),
  /** Only calls that outlived their hold. */
  write_off: oneOf('The choice of write-offs', ['true']).optional(),
}

export const cdrTotalsInput = z.strictObject({
  ...filters,
  /** By what they are added up; days are those of UTC. */
  by: oneOf('The group', GROUPS),
})

/** Calls after this one, by its end and its id: the last of the page before. */
export const afterCall = z.unknown().transform(readKey).meta({ type: 'string' })

export const cdrListInput = z.strictObject({
  ...filters,
  after: afterCall.optional(),
  limit: whole('The limit', 1, 1_000_000).optional(),
})

export const cdrShowInput = z.strictObject({ call_id: callId })

/** How many CDRs are listed where no limit is asked for. */
const CDRS_LISTED = 100

/** The last to end come first. */
export async function listCdrs(
  cdrs: Cdrs,
  input: z.output<typeof cdrListInput>,
): Promise<CdrJson[]> {
  const { limit = CDRS_LISTED, ...filter } = input
  return (await cdrs.list({ ...chosen(filter), limit })).map(cdrJson)
}

/** The timeline is null where the call is older than timelines. */
export type CallStoryJson = CdrJson & { readonly timeline: readonly MilestoneJson[] | null }

/** A call that has ended, with what was done for it while it was live. @throws BookError unknown_call */
export async function showCdr(
  cdrs: Cdrs,
  { call_id }: z.output<typeof cdrShowInput>,
): Promise<CallStoryJson> {
  const cdr = await cdrs.find(call_id)
  if (!cdr) throw new BookError('unknown_call', `There is no ended call ${quoted(call_id)}`)
  const timeline = await cdrs.timeline(call_id)
  return { ...cdrJson(cdr), timeline: timeline?.map(milestoneJson) ?? null }
}

export type CdrTotalsJson = ReturnType<typeof totalsJson>

/** What the CDRs add up to, group by group. */
export async function addUpCdrs(
  cdrs: Cdrs,
  { by, ...filter }: z.output<typeof cdrTotalsInput>,
): Promise<CdrTotalsJson[]> {
  return (await cdrs.totals(chosen(filter), by)).map(totalsJson)
}

/** `2026-11-23T01:42:35.293145Z/5fe0…`, by which the list goes on. */
export function cdrKey({ ended_at, call_id }: Pick<CdrJson, 'ended_at' | 'call_id'>): string {
  return `${ended_at}/${call_id}`
}

function readKey(value: unknown, context: z.RefinementCtx) {
  const [end = '', ...id] = String(value).split('/')
  const endedAt = parseInstant(end)
  if (endedAt !== undefined && id.length > 0) return { endedAt, callId: id.join('/') }
  context.addIssue({ code: 'custom', message: `${quoted(value)} is not the key of a call` })
  return z.NEVER
}

/** A filter as the ledger takes it. */
export function chosen({ to, write_off, ...filter }: Omit<z.output<typeof cdrTotalsInput>, 'by'>) {
  return given({ ...filter, until: to, writeOff: write_off && true })
}

/** The margin is that of the calls whose carrier's price is known; null where none is. */
export function totalsJson(totals: CdrTotals) {
  const { carrierCost, costWithCarrier } = totals
  const isKnown = carrierCost !== 0n || costWithCarrier !== 0n
  return {
    key: totals.key,
    calls: totals.calls,
    answered: totals.answered,
    billed_s: totals.billedS,
    cost: formatMoney(totals.cost),
    carrier_cost: isKnown ? formatMoney(carrierCost) : null,
    margin: isKnown ? formatMoney(costWithCarrier - carrierCost) : null,
    write_off: formatMoney(totals.writeOff),
  }
}
