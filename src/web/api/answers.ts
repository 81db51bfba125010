/**
 * What the answers look like, for the description of the API. The compiler sees to it that no field
 * is missing here, and that none is here that is not answered.
 */
import type { CdrJson } from '../../call/cdr.js'
import type { AccountJson } from '../../ledger/account-fields.js'
import type { SipAccountJson } from '../../ledger/sip-accounts.js'
import type { AuditJson } from '../../provisioning/audit.js'
import type { LiveCallJson } from '../../provisioning/calls.js'
import type { CallStoryJson, CdrTotalsJson } from '../../provisioning/cdrs.js'
import type { EntryJson } from '../../provisioning/entries.js'
import type { QuoteJson } from '../../provisioning/quote.js'
import type { PlanJson, RateJson } from '../../provisioning/rate-fields.js'
import type { SipAccountWithPassword } from '../../provisioning/sip-accounts.js'
import type { StatsStepJson } from '../../provisioning/statistics.js'
import type { SwitchJson } from '../../provisioning/switches.js'
import type { TokenJson, TokenWithSecret } from '../../provisioning/tokens.js'
import type { UnseenJson } from '../../provisioning/unseen.js'
import type { UserJson, UserWithLink } from '../../provisioning/users.js'
import type { ServedName } from './permissions.js'

/** A `?` for what may be null. */
const KINDS = {
  text: { type: 'string' },
  'text?': { type: ['string', 'null'] },
  amount: { type: 'string', pattern: '^-?\\d+\\.\\d{6}$' },
  'amount?': { type: ['string', 'null'], pattern: '^-?\\d+\\.\\d{6}$' },
  time: { type: 'string', format: 'date-time' },
  'time?': { type: ['string', 'null'], format: 'date-time' },
  integer: { type: 'integer' },
  'integer?': { type: ['integer', 'null'] },
  'number?': { type: ['number', 'null'] },
  yes: { type: 'boolean' },
  'yes?': { type: ['boolean', 'null'] },
  texts: { type: 'array', items: { type: 'string' } },
  'fields?': { type: ['object', 'null'] },
  periods: {
    type: 'array',
    items: { type: 'object', properties: { name: { type: 'string' }, hours: { type: 'string' } } },
  },
  'timeline?': {
    type: ['array', 'null'],
    items: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['held', 'warned'] },
        at: { type: 'string', format: 'date-time' },
        held: { type: ['string', 'null'], pattern: '^-?\\d+\\.\\d{6}$' },
      },
    },
  },
} as const

type Kind = keyof typeof KINDS
type Shape<T> = Readonly<Record<keyof T, Kind>>

const ACCOUNT: Shape<AccountJson> = {
  ...{ code: 'text', name: 'text', plan: 'text', special_plan: 'text?', state: 'text' },
  ...{ notes: 'text', balance: 'amount', credit_limit: 'amount', held: 'amount' },
  ...{ available: 'amount', live_calls: 'integer', spent_today: 'amount', max_calls: 'integer?' },
  ...{ max_calls_per_second: 'integer?', max_per_minute: 'amount?', max_spend_per_call: 'amount?' },
  ...{ max_spend_per_day: 'amount?', longest_call_s: 'integer?', low_balance: 'amount?' },
  ...{ low: 'yes', time_zone: 'text', created_at: 'time' },
}

const ENTRY: Shape<EntryJson> = {
  ...{ id: 'integer', at: 'time', account: 'text?', kind: 'text', amount: 'amount' },
  ...{ balance: 'amount?', reference: 'text', call_id: 'text?', actor: 'text', reason: 'text' },
}

const LIVE_CALL: Shape<LiveCallJson> = {
  ...{ call_id: 'text', account: 'text', number: 'text', switch: 'text', state: 'text' },
  ...{ seconds: 'integer?', cost: 'amount?', held: 'amount', funded_until: 'time?' },
  ...{ final: 'yes?', supervised: 'yes' },
}

const CDR: Shape<CdrJson> = {
  ...{ call_id: 'text', account: 'text', number: 'text', prefix: 'text?', description: 'text?' },
  ...{ plan: 'text?', created_at: 'time', answered_at: 'time?', ended_at: 'time' },
  ...{ duration_s: 'text', billed_s: 'integer', cost: 'amount', held: 'amount' },
  ...{ write_off: 'amount', carrier_cost: 'amount?', margin: 'amount?', outcome: 'text' },
  ...{ reason: 'text?', cause: 'text', switch: 'text', corrected: 'yes' },
}

const CALL_STORY: Shape<CallStoryJson> = { ...CDR, timeline: 'timeline?' }

const TOTALS: Shape<CdrTotalsJson> = {
  ...{ key: 'text?', calls: 'integer', answered: 'integer', billed_s: 'integer', cost: 'amount' },
  ...{ carrier_cost: 'amount?', margin: 'amount?', write_off: 'amount' },
}

const UNSEEN: Shape<UnseenJson> = {
  ...{ call_id: 'text', account: 'text?', number: 'text', answered_at: 'time?', ended_at: 'time' },
  ...{ duration_s: 'text', cause: 'text', switch: 'text', state: 'text', received_at: 'time' },
  ...{ decided_at: 'time?', decided_by: 'text?', reason: 'text' },
}

const AUDIT: Shape<AuditJson> = {
  ...{ id: 'text', at: 'time', actor: 'text', action: 'text', subject: 'text' },
  ...{ before: 'fields?', after: 'fields?' },
}

const SWITCH: Shape<SwitchJson> = {
  ...{ name: 'text', host: 'text', port: 'integer', state: 'text', since: 'time?', why: 'text?' },
  ...{ version: 'text?', core_uuid: 'text?', lag_ms: 'number?', clock_offset_ms: 'number?' },
  ...{ heartbeat_age_s: 'number?', calls: 'integer?', sessions: 'integer?', lease_until: 'time?' },
  ...{ gate_allowed: 'integer?', gate_denied: 'integer?', gate_expected: 'integer?' },
}

const SIP_ACCOUNT: Shape<SipAccountJson> = {
  ...{ user: 'text', domain: 'text', account: 'text', enabled: 'yes', name: 'text' },
  ...{ has_password: 'yes', created_at: 'time' },
}
const SIP_SECRET: Shape<SipAccountWithPassword> = { ...SIP_ACCOUNT, generated_password: 'text?' }

const PLAN: Shape<PlanJson> = {
  ...{ name: 'text', rates: 'integer', zone: 'text', cost_plan: 'text?', refuse_loss: 'yes' },
  ...{ tech_prefix: 'text?', international: 'texts', country_code: 'text?' },
  ...{ trunk_prefix: 'text?', national_digits: 'integer?', periods: 'periods' },
}

const RATE: Shape<RateJson> = {
  ...{ plan: 'text', prefix: 'text', description: 'text', per_minute: 'amount', setup: 'amount' },
  ...{ minimum: 'integer', increment: 'integer', free_s: 'integer', period: 'text' },
  ...{ from: 'time?', until: 'time?', blocked: 'yes' },
}

const QUOTE: Shape<QuoteJson> = {
  ...{ dialled: 'text', number: 'text?', steps: 'texts', at: 'time', seconds: 'integer' },
  ...{ plan: 'text', decided_by: 'text?', period_in_force: 'text', prefix: 'text?' },
  ...{ description: 'text?', per_minute: 'amount?', setup: 'amount?', minimum: 'integer?' },
  ...{ increment: 'integer?', free_s: 'integer?', period: 'text?', from: 'time?', until: 'time?' },
  ...{ blocked: 'yes?', billed_s: 'integer?', talk_cost: 'amount?', cost: 'amount?' },
  ...{ cost_plan: 'text?', carrier_per_minute: 'amount?', carrier_cost: 'amount?' },
  ...{ margin: 'amount?', refused: 'text?', reason: 'text?' },
}

const STEP: Shape<StatsStepJson> = {
  ...{ at: 'time', calls: 'integer', answered: 'integer', refused: 'integer', cut_off: 'integer' },
  ...{ billed_s: 'integer', cost: 'amount', write_off: 'amount', top_ups: 'amount' },
  ...{ talk_s: 'text' },
}

const USER: Shape<UserJson> = {
  ...{ name: 'text', role: 'text', account: 'text?', enabled: 'yes', has_password: 'yes' },
  ...{ created_at: 'time', last_login_at: 'time?' },
}
const USER_LINK: Shape<UserWithLink> = { ...USER, password_link: 'text?' }

const TOKEN: Shape<TokenJson> = {
  ...{ name: 'text', role: 'text', scopes: 'texts', state: 'text', created_at: 'time' },
  ...{ created_by: 'text', expires_at: 'time?', revoked_at: 'time?', last_used_at: 'time?' },
}
const TOKEN_SECRET: Shape<TokenWithSecret> = { ...TOKEN, token: 'text?' }

/** Of one thing, or of each item of a list. */
export const ANSWERS: Readonly<Record<ServedName, Readonly<Record<string, Kind>>>> = {
  accountCreate: ACCOUNT,
  accountList: ACCOUNT,
  accountShow: ACCOUNT,
  accountSet: ACCOUNT,
  accountSuspend: ACCOUNT,
  accountClose: ACCOUNT,
  accountReopen: ACCOUNT,
  topUp: ENTRY,
  adjust: ENTRY,
  refund: ENTRY,
  statement: { account: 'text', opening_balance: 'amount', closing_balance: 'amount' },
  callList: LIVE_CALL,
  callKill: { call_id: 'text' },
  cdrList: CDR,
  cdrShow: CALL_STORY,
  cdrTotals: TOTALS,
  recordImport: { outcome: 'text' },
  unseenList: UNSEEN,
  unseenCharge: CDR,
  unseenDismiss: UNSEEN,
  auditList: AUDIT,
  switchList: SWITCH,
  sipAccountCreate: SIP_SECRET,
  sipAccountList: SIP_ACCOUNT,
  sipAccountShow: SIP_ACCOUNT,
  sipAccountSet: SIP_SECRET,
  sipAccountDelete: SIP_ACCOUNT,
  planCreate: PLAN,
  planList: PLAN,
  planShow: PLAN,
  planSet: PLAN,
  planDelete: PLAN,
  periodSet: PLAN,
  periodDelete: PLAN,
  rateList: RATE,
  rateShow: RATE,
  rateAdd: RATE,
  rateSet: RATE,
  rateDelete: RATE,
  accountRates: RATE,
  quote: QUOTE,
  statsSteps: STEP,
  userCreate: USER_LINK,
  userList: USER,
  userShow: USER,
  userSet: USER,
  userDelete: USER,
  userPasswordLink: USER_LINK,
  tokenCreate: TOKEN_SECRET,
  tokenList: TOKEN,
  tokenRevoke: TOKEN,
  pinSet: { code: 'text', generated_pin: 'text?' },
  pinDelete: { code: 'text' },
  cardVerify: { valid: 'yes' },
}

/** What is there only sometimes. */
const SOMETIMES: { readonly [N in ServedName]?: Readonly<Record<string, Kind>> } = {
  cardVerify: { code: 'text', state: 'text', available: 'amount' },
}

/** Answers that are arrays, without pages. */
const ARRAYS: readonly ServedName[] = ['rateShow', 'statsSteps']

/** @param isList whether it comes in pages */
export function answerSchema(name: ServedName, isList: boolean): object {
  const item = objectOf(ANSWERS[name], SOMETIMES[name])
  if (ARRAYS.includes(name)) return { type: 'array', items: item }
  const next = { type: ['string', 'null'], description: 'Where the next page is' }
  if (name === 'statement') {
    const entries = { type: 'array', items: objectOf(ENTRY) }
    return { ...item, properties: { ...item.properties, entries, next } }
  }
  if (!isList) return item
  const properties = { items: { type: 'array', items: item }, next }
  return { type: 'object', required: ['items', 'next'], properties }
}

function objectOf(
  shape: Readonly<Record<string, Kind>>,
  more: Readonly<Record<string, Kind>> = {},
) {
  const fields = Object.entries({ ...shape, ...more }).map(([name, kind]) => [name, KINDS[kind]])
  // An account holder is not told all of it.
  return { type: 'object', properties: Object.fromEntries(fields) as object }
}
