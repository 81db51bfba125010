/** A rate book in which every plan has the same single rate, at all times. */
import { listedAlways } from '../../src/rating/listed-rate.js'
import { E164_NUMBERS } from '../../src/rating/number.js'
import type { Rate } from '../../src/rating/rate.js'
import type { RateBook } from '../../src/rating/rate-book.js'

export function oneRate(rate: Rate): RateBook {
  const listed = listedAlways(rate)
  return {
    plan: name => ({
      ...{ name, numbers: E164_NUMBERS, costPlan: null, refuseLoss: false },
      find: digits => (digits.startsWith(rate.prefix) ? listed : undefined),
      changes: () => [],
      periodAt: () => '',
    }),
  }
}
