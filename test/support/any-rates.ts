/** Sets of rates that a plan may have, of all kinds, for properties. */
import fc from 'fast-check'
import type { ListedRate } from '../../src/rating/listed-rate.js'

const description = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter(text => !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text))

const prices = fc.bigInt(0n, 1_000_000_000_000n)
const steps = fc.integer({ min: 1, max: 86_400 })
/** A rate may still end after this, and before 2200, which is read as no end. */
const LATEST = 7_258_118_399_999_998

/** 2030: when these tests run, it has not come yet. */
export const FUTURE = 1_893_456_000_000_000

const kindsFrom = (earliest: number) =>
  fc.record(
    {
      prefix: fc.oneof(fc.stringMatching(/^\d{0,32}$/), fc.stringMatching(/^[1-3]{0,2}$/)),
      description: fc.oneof(
        description,
        fc.constantFrom('a,b', '"', ' x ', '""', '\',"', '\uFEFF', '<b>', '=1+1', ';', '\u00a0'),
      ),
      perMinute: prices,
      setup: prices,
      minimum: steps,
      increment: steps,
      freeS: fc.integer({ min: 0, max: 86_400 }),
      period: fc.constantFrom('', 'peak', 'night'),
      moments: fc.uniqueArray(fc.integer({ min: earliest, max: LATEST }), { maxLength: 3 }),
      always: fc.boolean(),
      open: fc.boolean(),
      blocked: fc.boolean(),
    },
    { noNullPrototype: true },
  )

type Kind = ReturnType<typeof kindsFrom> extends fc.Arbitrary<infer K> ? K : never

/** In the order of prefix, period and from; each ends where the next one of its prefix and period begins, or before. */
export function anyRates(earliest = 1): fc.Arbitrary<ListedRate[]> {
  const keyed = fc.uniqueArray(kindsFrom(earliest), {
    selector: one => `${one.prefix}/${one.period}`,
    maxLength: 20,
  })
  return keyed.map(all => all.flatMap(inTurn).sort(byKey))
}

/** One rate after the other, for one prefix and period. */
function inTurn({ moments, always, open, ...kind }: Kind) {
  const sorted = [...moments].sort((a, b) => a - b)
  const starts = always || sorted.length === 0 ? [0, ...sorted] : sorted
  return starts.map((from, i): ListedRate => {
    const next = starts[i + 1] ?? null
    const until = next ?? (open || from === 0 ? null : from + 1)
    const blocked = kind.blocked && i % 2 === 0
    const prices = blocked ? { perMinute: 0n, setup: 0n } : {}
    return { ...kind, ...prices, from, until, blocked }
  })
}

function byKey(a: ListedRate, b: ListedRate): number {
  if (a.prefix !== b.prefix) return a.prefix < b.prefix ? -1 : 1
  if (a.period !== b.period) return a.period < b.period ? -1 : 1
  return a.from - b.from
}
