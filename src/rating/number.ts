/** From the number that was dialled to the digits that prefixes are matched with. */

/** What is taken off the front, the first that fits and only one: E.164's `+`, then the ways to dial it. */
const INTERNATIONAL = ['+', '00', '011']

/** E.164 allows 15 digits; carriers' tech prefixes and extensions make numbers somewhat longer. */
const DIGITS = /^\d{1,32}$/

/** The digits of a dialled number, or null where it is not a telephone number at all. */
export function normaliseNumber(dialled: string): string | null {
  const strip = INTERNATIONAL.find(lead => dialled.startsWith(lead)) ?? ''
  const digits = dialled.slice(strip.length)
  return DIGITS.test(digits) ? digits : null
}
