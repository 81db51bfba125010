/** Plans: their terms, the way they read numbers, and their periods. */
import { z } from 'zod'
import { BookError } from '../ledger/books.js'
import type { PlanTerms } from '../ledger/rates.js'
import { E164_NUMBERS, type NumberRules } from '../rating/number.js'
import { ifMatch } from './edit-version.js'
import { actor, given, planName, quoted, timeZone, whole, words } from './fields.js'
import { yesNo } from './rate-fields.js'

/** No number begins with so many digits that mean nothing. */
const LEADING_DIGITS_MAX = 16
const LEADS_MAX = 20

/** Digits that numbers begin with; null for none. */
const digits = (what: string) =>
  z
    .custom<string>(value => typeof value === 'string' && isLead(value), {
      error: issue =>
        `${what} must be up to ${LEADING_DIGITS_MAX} digits, not ${quoted(issue.input)}`,
    })
    .meta({ type: 'string', pattern: `^\\d{1,${LEADING_DIGITS_MAX}}$`, description: what })
    .nullable()
    .optional()

const isLead = (text: string) => /^\d+$/.test(text) && text.length <= LEADING_DIGITS_MAX

/** Tech prefixes may have a sign in them: they are taken off before anything else is looked at. */
const techPrefix = z
  .custom<string>(value => typeof value === 'string' && /^[0-9A-Za-z*#+]{1,16}$/.test(value), {
    error: issue =>
      `The tech prefix must be up to 16 digits, letters, "*", "#" or "+", not ${quoted(issue.input)}`,
  })
  .meta({ type: 'string', maxLength: 16, description: 'Taken off numbers that begin with it' })
  .nullable()
  .optional()

/** `00,011`, or an array of them. */
const international = z
  .unknown()
  .transform((value, context): string[] => {
    const leads = typeof value === 'string' ? value.split(',').map(lead => lead.trim()) : value
    if (value === null) return []
    if (Array.isArray(leads) && leads.length <= LEADS_MAX && leads.every(isLeadText)) return leads
    const message = `International prefixes must be digits, like 00,011, not ${quoted(value)}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .meta({
    type: 'array',
    items: { type: 'string' },
    description: 'Ways to dial abroad besides the +',
    example: ['00', '011'],
  })
  .optional()

const isLeadText = (lead: unknown) => typeof lead === 'string' && isLead(lead)

export const planInput = z.strictObject({ name: planName })
export const planEditInput = z.strictObject({ name: planName, actor })
export const planSetInput = z.strictObject({
  name: planName,
  zone: timeZone.optional(),
  cost_plan: planName.nullable().optional(),
  refuse_loss: yesNo('Whether calls that lose money are refused').optional(),
  tech_prefix: techPrefix,
  international: international,
  country_code: digits('The country code'),
  trunk_prefix: digits('The trunk prefix'),
  national_digits: whole('The national digits', 1, 20).nullable().optional(),
  if_match: ifMatch,
  actor,
})
export const periodInput = z.strictObject({ plan: planName, name: planName, actor })
export const periodHoursInput = periodInput.extend({ hours: words('The hours', 1_000) })

/** The terms that are asked for, beside those that the plan has. @throws BookError bad_input */
export function changedTerms(
  plan: PlanTerms,
  input: z.output<typeof planSetInput>,
): Partial<PlanTerms> {
  const { name: _, if_match: _match, actor: _actor, ...terms } = input
  const { zone, cost_plan, refuse_loss, ...numbers } = terms
  const changes = given({ zone, costPlan: cost_plan, refuseLoss: refuse_loss })
  const ofNumbers = given(numbers)
  if (Object.keys(ofNumbers).length > 0) {
    return { ...changes, numbers: changedNumbers(plan.numbers, ofNumbers) }
  }
  if (Object.keys(changes).length > 0) return changes
  throw new BookError('bad_input', 'Nothing to set: give what is to be changed')
}

type NumberInput = {
  [F in
    | 'tech_prefix'
    | 'international'
    | 'country_code'
    | 'trunk_prefix'
    | 'national_digits']?: Exclude<z.output<typeof planSetInput>[F], undefined>
}

/**
 * A country code brings the ways to dial that are usual there, unless others are named, now or before.
 */
function changedNumbers(rules: NumberRules, input: NumberInput): NumberRules {
  const countryCode =
    input.country_code === undefined ? rules.countryCode : (input.country_code ?? '')
  const before = usualDialling(rules.countryCode)
  const usual = usualDialling(countryCode)
  const wereUsual = rules.international.join() === before.international.join()
  const kept = wereUsual ? usual.international : rules.international
  const keptTrunk = rules.trunkPrefix === before.trunkPrefix ? usual.trunkPrefix : rules.trunkPrefix
  return {
    techPrefix: input.tech_prefix === undefined ? rules.techPrefix : (input.tech_prefix ?? ''),
    international: input.international ?? kept,
    countryCode,
    trunkPrefix: input.trunk_prefix === undefined ? keptTrunk : (input.trunk_prefix ?? ''),
    nationalDigits:
      input.national_digits === undefined ? rules.nationalDigits : input.national_digits,
  }
}

/** 011… is a number in Leeds, and 00… none in America: only one of them can be meant in a country. */
function usualDialling(countryCode: string) {
  if (countryCode === '') return E164_NUMBERS
  return countryCode === '1'
    ? { international: ['011'], trunkPrefix: '1' }
    : { international: ['00'], trunkPrefix: '0' }
}
