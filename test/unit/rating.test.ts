/** Money, rates and numbers: what a call costs, to the last micro-unit. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import t from 'tap'
import {
  divideUp,
  formatMoney,
  larger,
  MONEY_MAX,
  MoneyError,
  parseMoney,
  smaller,
} from '../../src/money.js'
import { E164_NUMBERS, type NumberRules, normaliseNumber } from '../../src/rating/number.js'
import {
  affordableSeconds,
  billedSeconds,
  costOf,
  leastCost,
  type Rate,
  wholeSeconds,
} from '../../src/rating/rate.js'

const VECTORS = join(import.meta.dirname, 'rating-vectors.csv')

const DAY = 86_400

const rateOf = (rate: Partial<Rate>): Rate => ({
  prefix: '',
  description: '',
  perMinute: 0n,
  setup: 0n,
  minimum: 1,
  increment: 1,
  freeS: 0,
  ...rate,
})

const amounts = fc.bigInt(0n, 1_000_000_000_000n)

/** Prices that people set, prices at the edge of what can be written down, and none at all. */
const prices = fc.oneof(amounts, fc.bigInt(0n, 100n), fc.constant(0n))

const steps = fc.oneof(fc.constantFrom(1, 6, 30, 60, 120, 300), fc.integer({ min: 1, max: DAY }))

const freeSeconds = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 90 }))

const rates = fc
  .record({
    perMinute: prices,
    setup: prices,
    minimum: steps,
    increment: steps,
    freeS: freeSeconds,
  })
  .map(rateOf)

const talk = fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: DAY }))

t.test('an amount is written as it was read', async t => {
  for (const [text, amount] of [
    ['0', 0n],
    ['12', 12_000_000n],
    ['+12', 12_000_000n],
    ['-0.5', -500_000n],
    ['0.000001', 1n],
    ['-0.000001', -1n],
    ['0.10', 100_000n],
    ['00012.5', 12_500_000n],
    ['9007199254.740991', MONEY_MAX],
    ['-9007199254.740991', -MONEY_MAX],
  ] as const) {
    t.equal(parseMoney(text), amount, text)
  }
  t.equal(formatMoney(0n), '0.000000')
  t.equal(formatMoney(-500_000n), '-0.500000')
  t.equal(formatMoney(-1n), '-0.000001')
  t.equal(formatMoney(12_345_678n), '12.345678')
  t.equal(formatMoney(MONEY_MAX), '9007199254.740991')
  fc.assert(
    fc.property(fc.bigInt(-MONEY_MAX, MONEY_MAX), amount => {
      const text = formatMoney(amount)
      return parseMoney(text) === amount && /^-?\d+\.\d{6}$/.test(text)
    }),
  )
})

t.test('what is not an amount is refused in a sentence', async t => {
  for (const text of [
    ...['', ' ', '1 ', ' 1', '.5', '1.', '1,5', '1e3', '0x10', '١٢', '1.2345678', '--1', '+-1'],
    ...['NaN', 'Infinity', '1.000.000', '12345678901', '1\n', '9007199254.740992', '-9007199254.8'],
    'x'.repeat(10_000),
  ]) {
    const refused = t.throws(() => parseMoney(text), MoneyError) as MoneyError
    t.equal(refused.code, 'bad_amount')
    t.ok(refused.message.length < 160, 'the message is short, however long the text')
  }
  t.match(
    t.throws(() => parseMoney('1,5')),
    {
      message: '"1,5" is not an amount: write it like 12 or 0.25, with at most six decimal places',
    },
  )
})

t.test('the larger, the smaller, and division in nobody’s favour but the payee’s', async t => {
  t.equal(smaller(1n, 2n), 1n)
  t.equal(smaller(2n, 1n), 1n)
  t.equal(larger(1n, 2n), 2n)
  t.equal(larger(2n, 1n), 2n)
  t.strictSame(
    [0n, 1n, 59n, 60n, 61n].map(amount => divideUp(amount, 60n)),
    [0n, 1n, 1n, 1n, 2n],
  )
})

interface Vector {
  what: string
  setup: string
  per_minute: string
  minimum_s: string
  increment_s: string
  seconds: string
  billed_s: string
  cost: string
}

t.test('the vectors that other engines have been measured with', async t => {
  const vectors: Vector[] = parse(readFileSync(VECTORS), { columns: true })
  t.ok(vectors.length >= 26)
  for (const vector of vectors) {
    const rate = rateOf({
      perMinute: parseMoney(vector.per_minute),
      setup: parseMoney(vector.setup),
      minimum: Number(vector.minimum_s),
      increment: Number(vector.increment_s),
    })
    const seconds = Number(vector.seconds)
    t.equal(billedSeconds(rate, seconds), Number(vector.billed_s), `${vector.what}: billed`)
    t.equal(formatMoney(costOf(rate, seconds)), vector.cost, vector.what)
  }
})

t.test('a duration becomes whole seconds', async t => {
  for (const [us, up, nearest, down] of [
    [-1, 0, 0, 0],
    [0, 0, 0, 0],
    [1, 1, 0, 0],
    [499_999, 1, 0, 0],
    [500_000, 1, 1, 0],
    [999_999, 1, 1, 0],
    [1_000_000, 1, 1, 1],
    [1_000_001, 2, 1, 1],
    [86_400_000_000, 86_400, 86_400, 86_400],
    [86_400_000_001, 86_401, 86_400, 86_400],
  ] as const) {
    t.equal(wholeSeconds(us, 'up'), up, `${us} up`)
    t.equal(wholeSeconds(us, 'nearest'), nearest, `${us} nearest`)
    t.equal(wholeSeconds(us, 'down'), down, `${us} down`)
  }
})

t.test('cost rises with time, in steps, from the setup cost', async t => {
  fc.assert(
    fc.property(rates, talk, talk, (rate, a, b) => {
      const [shorter, longer] = a < b ? [a, b] : [b, a]
      assert.ok(costOf(rate, shorter) <= costOf(rate, longer), 'longer is not cheaper')
    }),
  )
  fc.assert(
    fc.property(rates, talk, (rate, seconds) => {
      const billed = billedSeconds(rate, seconds)
      assert.ok(billed >= seconds || seconds <= rate.freeS, 'all talk is billed')
      if (billed > rate.freeS) assert.equal(billedSeconds(rate, billed), billed, 'as it is')
      if (seconds > rate.minimum && billed > 0)
        assert.ok(billed - seconds < rate.increment, 'one step')
      // The same rule in fractions: 60 × (cost − setup) is perMinute × billed, or just above it.
      const over = (costOf(rate, seconds) - rate.setup) * 60n - rate.perMinute * BigInt(billed)
      assert.ok(billed === 0 || (over >= 0n && over < 60n), 'rounded up once')
    }),
  )
  t.equal(costOf(rateOf({ setup: 7n, perMinute: 7n }), 0), 0n, 'not answered, nothing to pay')
  t.equal(costOf(rateOf({ setup: 7n, perMinute: 7n }), -1), 0n)
})

t.test('chunks add up to the whole, whatever the rate and the chunks', async () => {
  fc.assert(
    fc.property(
      rates,
      fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 40 }),
      (rate, by) => {
        let to = 0
        let sum = 0n
        for (const chunk of by) {
          const chunkCost = costOf(rate, to + chunk) - costOf(rate, to)
          assert.ok(chunkCost >= 0n, 'no chunk is paid back')
          sum += chunkCost
          to += chunk
        }
        assert.equal(sum, costOf(rate, to))
      },
    ),
  )
})

t.test('affordableSeconds is the inverse of costOf', async () => {
  const limits = fc.integer({ min: 0, max: DAY })
  const nearCost = fc
    .tuple(rates, talk, fc.bigInt(-2n, 2n))
    .map(([rate, seconds, off]) => [rate, larger(0n, costOf(rate, seconds) + off)] as const)
  const anyAmount = fc.tuple(rates, amounts)
  fc.assert(
    fc.property(fc.oneof(nearCost, anyAmount), limits, ([rate, amount], limitS) => {
      const seconds = affordableSeconds(rate, amount, limitS)
      assert.ok(Number.isSafeInteger(seconds) && seconds >= 0 && seconds <= limitS, 'in bounds')
      assert.ok(costOf(rate, seconds) <= amount, 'it is paid for')
      if (seconds < limitS)
        assert.ok(amount < costOf(rate, seconds + 1), 'and a second more is not')
    }),
    { numRuns: 1000 },
  )
})

t.test('what an amount affords, by hand', async t => {
  const perSecond = rateOf({ perMinute: 60n })
  t.equal(affordableSeconds(perSecond, 0n, DAY), 0)
  t.equal(affordableSeconds(perSecond, 59n, DAY), 59)
  t.equal(affordableSeconds(perSecond, 59n, 58), 58)
  t.equal(affordableSeconds(perSecond, 10n ** 15n, DAY), DAY)
  t.equal(affordableSeconds(rateOf({}), 0n, DAY), DAY, 'a free call is as long as calls may get')
  const setupOnly = rateOf({ setup: 5n })
  t.equal(affordableSeconds(setupOnly, 4n, DAY), 0)
  t.equal(affordableSeconds(setupOnly, 5n, DAY), DAY)
  const minute = rateOf({ perMinute: 60n, setup: 10n, minimum: 60, increment: 60 })
  t.equal(affordableSeconds(minute, 69n, DAY), 0)
  t.equal(affordableSeconds(minute, 70n, DAY), 60)
  t.equal(affordableSeconds(minute, 129n, DAY), 60)
  t.equal(affordableSeconds(minute, 130n, DAY), 120)
  t.equal(affordableSeconds(minute, 70n, 30), 30, 'the limit is below the minimum')
})

t.test(
  'a leg that ends within the free seconds costs nothing, and a longer one all of it',
  async t => {
    const rate = rateOf({ perMinute: 60n, setup: 10n, minimum: 30, increment: 6, freeS: 3 })
    t.strictSame(
      [0, 1, 3, 4, 30, 31].map(seconds => [billedSeconds(rate, seconds), costOf(rate, seconds)]),
      [
        [0, 0n],
        [0, 0n],
        [0, 0n],
        [30, 40n],
        [30, 40n],
        [36, 46n],
      ],
    )
    t.equal(leastCost(rate), 40n)
    t.equal(affordableSeconds(rate, 39n, DAY), 3, 'the free seconds need no credit')
    t.equal(affordableSeconds(rate, 39n, 2), 2)
    t.equal(affordableSeconds(rate, 40n, DAY), 30)
    const free = rateOf({ freeS: 60, minimum: 1, perMinute: 60n })
    t.equal(affordableSeconds(free, 60n, DAY), 60)
    t.equal(affordableSeconds(free, 61n, DAY), 61)
  },
)

const digitsOf = (dialled: string, rules: Partial<NumberRules> = {}) =>
  normaliseNumber(dialled, { ...E164_NUMBERS, ...rules })?.digits ?? null

t.test('numbers are normalised by one rule', async t => {
  for (const [dialled, digits] of [
    ['4930123', '4930123'],
    ['+4930123', '4930123'],
    ['004930123', '4930123'],
    ['0114930123', '4930123'],
    ['0301234', '0301234'],
    ['+00491', '00491'],
    ['01149', '49'],
    ['0', '0'],
    ['49 30', '4930'],
    ['49-30', '4930'],
    ['+1 (212) 555.0100', '12125550100'],
    ['1'.repeat(32), '1'.repeat(32)],
    ['1'.repeat(33), null],
    [`+${'1'.repeat(32)}`, '1'.repeat(32)],
    ['', null],
    [' - ', null],
    ['+', null],
    ['00', null],
    ['011', null],
    ['++49', null],
    ['sip:49@host', null],
    ['anonymous', null],
    ['٤٩', null],
    ['49\n', null],
  ] as const) {
    t.equal(digitsOf(dialled), digits, JSON.stringify(dialled))
  }
})

t.test('a plan has rules of its own for numbers', async t => {
  const uk = { countryCode: '44', trunkPrefix: '0', international: ['00'] }
  const us = {
    countryCode: '1',
    trunkPrefix: '1',
    international: ['011'],
    nationalDigits: 10,
  }
  const cases: [string, Partial<NumberRules>, string | null][] = [
    ['020 7946 0000', uk, '442079460000'],
    ['0113 496 0000', uk, '441134960000'],
    ['+44 20 7946 0000', uk, '442079460000'],
    ['00 49 30 1234', uk, '49301234'],
    ['442079460000', uk, '442079460000'],
    ['2125550100', us, '12125550100'],
    ['12125550100', us, '12125550100'],
    ['011 44 20 7946 0000', us, '442079460000'],
    ['+442079460000', us, '442079460000'],
    ['212555', us, '212555'],
    ['77#0044', { techPrefix: '77#' }, '44'],
    ['7744', { techPrefix: '77' }, '44'],
    ['77', { techPrefix: '77' }, null],
    ['0044', { international: [] }, '0044'],
    ['0044', { international: ['0', '00'] }, '044'],
  ]
  for (const [dialled, rules, digits] of cases) t.equal(digitsOf(dialled, rules), digits, dialled)
  t.strictSame(normaliseNumber('77020 1', { ...E164_NUMBERS, ...uk, techPrefix: '77' }), {
    digits: '44201',
    steps: [
      'tech prefix 77 taken off',
      'trunk prefix 0 taken off',
      'country code 44 put before it',
    ],
  })
  t.strictSame(normaliseNumber('+49', E164_NUMBERS)?.steps, ['international prefix + taken off'])
  t.strictSame(normaliseNumber('49', E164_NUMBERS)?.steps, [])
})
