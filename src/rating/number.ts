/**
 * From the number that was dialled to the digits that prefixes are matched with, by the rules of a
 * plan. Prefixes are meant to be E.164: country code first.
 */

export interface NumberRules {
  /** Taken off first, where the number begins with it. Empty: none. */
  readonly techPrefix: string
  /** Ways to dial abroad, besides the `+`: `00`, `011`. The first that fits is taken off. */
  readonly international: readonly string[]
  /** Put before the numbers of one's own country. Empty: every number has its country code. */
  readonly countryCode: string
  /** What a number of one's own country begins with, and loses: `0` in most. Empty: nothing. */
  readonly trunkPrefix: string
  /** A number of exactly so many digits is of one's own country even without a trunk prefix. */
  readonly nationalDigits: number | null
}

/** The rules of a plan that says nothing about numbers. */
export const E164_NUMBERS: NumberRules = {
  techPrefix: '',
  international: ['00', '011'],
  countryCode: '',
  trunkPrefix: '',
  nationalDigits: null,
}

export interface NormalisedNumber {
  readonly digits: string
  /** What was done to get there, in order, for people. */
  readonly steps: readonly string[]
}

/** What people put between digits (RFC 3966, visual separators), and spaces. */
const SEPARATORS = /[ ().-]/g

/** E.164 allows 15 digits; carriers' tech prefixes and extensions make numbers somewhat longer. */
const DIGITS = /^\d{1,32}$/

/** The digits of a dialled number, or null where it is not a telephone number at all. */
export function normaliseNumber(dialled: string, rules: NumberRules): NormalisedNumber | null {
  const steps: string[] = []
  let rest = dialled
  const { techPrefix } = rules
  if (techPrefix !== '' && rest.startsWith(techPrefix)) {
    rest = rest.slice(techPrefix.length)
    steps.push(`tech prefix ${techPrefix} taken off`)
  }
  rest = rest.replace(SEPARATORS, '')
  const international = ['+', ...rules.international].find(lead => rest.startsWith(lead))
  if (international !== undefined) {
    rest = rest.slice(international.length)
    steps.push(`international prefix ${international} taken off`)
  } else {
    rest = fromNational(rest, rules, steps)
  }
  return DIGITS.test(rest) ? { digits: rest, steps } : null
}

function fromNational(number: string, rules: NumberRules, steps: string[]): string {
  const { countryCode, trunkPrefix, nationalDigits } = rules
  if (countryCode === '') return number
  const added = `country code ${countryCode} put before it`
  if (trunkPrefix !== '' && number.startsWith(trunkPrefix)) {
    steps.push(`trunk prefix ${trunkPrefix} taken off`, added)
    return countryCode + number.slice(trunkPrefix.length)
  }
  if (number.length !== nationalDigits) return number
  steps.push(added)
  return countryCode + number
}
