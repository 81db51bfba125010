/**
 * The fields of what people ask for, and how each is checked. An input travels as it was typed (an
 * amount is text, over HTTP as well as in a terminal) and is read here, once, by whoever serves it.
 * What `meta` says of each is for the description of the API.
 */
import { z } from 'zod'
import { BookError } from '../ledger/books.js'
import { isTimeZone } from '../local-time.js'
import { formatMoney, type Money, MoneyError, parseMoney } from '../money.js'
import { parseInstant } from '../rating/instants.js'

/**
 * Reads an input.
 * @throws BookError bad_input, with a sentence for the first thing that is wrong
 */
export function checkInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw new BookError('bad_input', sentence(parsed.error.issues[0]!))
}

/** Issues of ours are whole sentences already; those of zod itself name no field. */
function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message
  if (issue.code === 'unrecognized_keys') return `${issue.keys.join(', ')} is not a known field`
  return `${issue.path.join('.') || 'The request'} is not what it should be: ${issue.message}`
}

/** What was typed, short enough for a sentence. */
export const quoted = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const NAME_RULE =
  'letters, digits, dots, dashes and underscores, at most 64, not starting with a sign'

function name(what: string, example: string) {
  return z
    .custom<string>(value => typeof value === 'string' && NAME.test(value), {
      error: issue =>
        issue.input === undefined
          ? `Give ${what}`
          : `${quoted(issue.input)} is not ${what}: it must be ${NAME_RULE}`,
    })
    .meta({ type: 'string', pattern: NAME.source, description: capital(what), example })
}

/** `An account code` */
const capital = (what: string) => what[0]!.toUpperCase() + what.slice(1)

/** What a leg carries in `ac`. */
export const accountCode = name('an account code', 'ALICE')
export const planName = name('a plan name', 'retail')

/** Text in one line, for people. */
export function words(what: string, max: number) {
  return z
    .custom<string>(
      value => typeof value === 'string' && value.length <= max && !/\p{Cc}/u.test(value),
      {
        error: issue =>
          issue.input === undefined
            ? `${what} is missing`
            : `${what} must be text of at most ${max} characters, in one line`,
      },
    )
    .meta({ type: 'string', maxLength: max, description: `${what}, in one line` })
}

/** The same, where it must not be left empty: actors and references. */
export const filledWords = (what: string, max: number) =>
  words(what, max)
    .refine(value => value.trim() !== '', `${what} must not be empty`)
    .meta({ type: 'string', minLength: 1, maxLength: max, description: `${what}, in one line` })

/** Text of several lines. */
export function paragraphs(what: string, max: number) {
  return z
    .custom<string>(
      value =>
        typeof value === 'string' &&
        value.length <= max &&
        !/\p{Cc}/u.test(value.replace(/\n/g, '')),
      `${what} must be text of at most ${max} characters`,
    )
    .meta({ type: 'string', maxLength: max, description: what })
}

/** Who does it, for the books. */
export const actor = filledWords('The actor', 100)

export const callId = filledWords('The call id', 255)

export const timeZone = z
  .custom<string>(value => typeof value === 'string' && isTimeZone(value), {
    error: issue => `${quoted(issue.input)} is not a time zone: write it like Europe/Berlin or UTC`,
  })
  .meta({ type: 'string', description: 'A time zone of the IANA', example: 'Europe/Berlin' })

/** Of amounts, in the description of the API. */
const AMOUNT = '^[+-]?\\d+(\\.\\d{1,6})?$'

/**
 * A decimal, as text. A negative zero is refused like any other slip: who writes it meant something.
 */
export function money(what: string) {
  return z
    .unknown()
    .transform((value, context): Money => {
      if (value === undefined) return fail(context, `${what} is missing`)
      if (typeof value !== 'string') return fail(context, `${what} must be written as text`)
      try {
        const amount = parseMoney(value)
        if (amount === 0n && value.startsWith('-')) {
          return fail(context, `${quoted(value)} is not an amount: zero has no sign`)
        }
        return amount
      } catch (error) {
        if (error instanceof MoneyError) return fail(context, error.message)
        throw error
      }
    })
    .meta({ type: 'string', pattern: AMOUNT, description: `${what}, a decimal`, example: '12.50' })
}

export const notNegative = (what: string) =>
  money(what).refine(amount => amount >= 0n, {
    error: issue => `${what} must not be negative, but is ${formatMoney(issue.input as Money)}`,
  })

/** A whole number, or its digits: a query string has no numbers. */
export function whole(what: string, min: number, max: number) {
  return z
    .unknown()
    .transform((value, context): number => {
      const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
      if (Number.isInteger(number) && Number(number) >= min && Number(number) <= max) {
        return Number(number)
      }
      return fail(
        context,
        `${what} must be a whole number from ${min} to ${max}, not ${quoted(value)}`,
      )
    })
    .meta({ type: 'integer', minimum: min, maximum: max, description: what })
}

export function oneOf<const T extends readonly string[]>(what: string, choices: T) {
  return z
    .custom<T[number]>(value => choices.includes(value as string), {
      error: issue => `${what} must be one of ${choices.join(', ')}, not ${quoted(issue.input)}`,
    })
    .meta({ type: 'string', enum: choices, description: what })
}

/**
 * A date, or a date and time, in ISO 8601; UTC unless an offset is given. Microseconds since the
 * epoch, as everywhere.
 */
export function instant(what: string) {
  return z
    .unknown()
    .transform((value, context): number => {
      const at = typeof value === 'string' ? parseInstant(value) : undefined
      if (at !== undefined) return at
      const like = '2026-11-23 or 2026-11-23T14:30:00Z'
      return fail(context, `${what} must be a time like ${like}, not ${quoted(value)}`)
    })
    .meta({ type: 'string', description: `${what}, ISO 8601`, example: '2026-11-23T14:30:00Z' })
}

function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}

/** Without the fields that were not given: to the ledger, absent and undefined differ. */
export function given<T extends object>(fields: T) {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
