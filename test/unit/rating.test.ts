/** Money, rates, numbers and prefixes: what a call costs, to the last micro-unit. */
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
import { normaliseNumber } from '../../src/rating/number.js'
import { PrefixTable } from '../../src/rating/prefix-table.js'
import {
  affordableSeconds,
  billedSeconds,
  costOf,
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
  ...rate,
})

const amounts = fc.bigInt(0n, 1_000_000_000_000n)

/** Prices that people set, prices at the edge of what can be written down, and none at all. */
const prices = fc.oneof(amounts, fc.bigInt(0n, 100n), fc.constant(0n))

const steps = fc.oneof(fc.constantFrom(1, 6, 30, 60, 120, 300), fc.integer({ min: 1, max: DAY }))

const rates = fc
  .record({ perMinute: prices, setup: prices, minimum: steps, increment: steps })
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
      assert.ok(billed >= seconds, 'all talk is billed')
      assert.equal(billedSeconds(rate, billed), billed, 'what is billed is billed as it is')
      if (seconds > rate.minimum) assert.ok(billed - seconds < rate.increment, 'one step')
      // The same rule in fractions: 60 × (cost − setup) is perMinute × billed, or just above it.
      const over = (costOf(rate, seconds) - rate.setup) * 60n - rate.perMinute * BigInt(billed)
      assert.ok(seconds === 0 || (over >= 0n && over < 60n), 'rounded up once')
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
    ['1'.repeat(32), '1'.repeat(32)],
    ['1'.repeat(33), null],
    [`+${'1'.repeat(32)}`, '1'.repeat(32)],
    ['', null],
    ['+', null],
    ['00', null],
    ['011', null],
    ['++49', null],
    ['49 30', null],
    ['49-30', null],
    ['sip:49@host', null],
    ['anonymous', null],
    ['٤٩', null],
    ['49\n', null],
  ] as const) {
    t.equal(normaliseNumber(dialled), digits, JSON.stringify(dialled))
  }
})

t.test('the longest prefix wins', async t => {
  const table = new PrefixTable<string>()
  t.equal(table.find('49'), undefined)
  table.set('49', 'Germany')
  table.set('4930', 'Berlin')
  table.set('1', 'North America')
  t.equal(table.find('493012'), 'Berlin')
  t.equal(table.find('4930'), 'Berlin')
  t.equal(table.find('493'), 'Germany')
  t.equal(table.find('49'), 'Germany')
  t.equal(table.find('4'), undefined)
  t.equal(table.find(''), undefined)
  t.equal(table.find('5'), undefined)
  table.set('', 'anywhere')
  t.equal(table.find('5'), 'anywhere')
  t.equal(table.find(''), 'anywhere')
  t.equal(table.find('4'), 'anywhere', 'the way to 49 is no prefix of its own')
  table.set('49', 'Deutschland')
  t.equal(table.find('493'), 'Deutschland')
  t.equal(table.size, 4)
  t.throws(() => table.find('49x'), RangeError)
  t.throws(() => table.set('4/9', 'x'), RangeError)
  t.throws(() => table.set('4:9', 'x'), RangeError)
})

t.test('a table that has had to grow has lost nothing', async t => {
  const table = new PrefixTable<number>()
  for (let i = 1; i < 20_000; i++) table.set(`${i * i}`, i)
  t.equal(table.size, 19_999)
  const found = Array.from({ length: 19_999 }, (_, i) => table.find(`${(i + 1) ** 2}`))
  t.ok(found.every((value, i) => value === i + 1))
})

t.test('the table finds what a search through all prefixes finds', async () => {
  // Few digits, so that prefixes share beginnings.
  const digits = (max: number) =>
    fc.array(fc.constantFrom('0', '1', '9'), { maxLength: max }).map(some => some.join(''))
  const prefixes = fc.array(digits(9), { maxLength: 200 })
  fc.assert(
    fc.property(prefixes, fc.array(digits(12), { maxLength: 40 }), (prefixes, numbers) => {
      const table = new PrefixTable<string>()
      for (const prefix of prefixes) table.set(prefix, prefix)
      assert.equal(table.size, new Set(prefixes).size)
      for (const number of [...numbers, ...prefixes]) {
        const fits = prefixes.filter(prefix => number.startsWith(prefix))
        const longest = fits.sort((a, b) => b.length - a.length)[0]
        assert.equal(table.find(number), longest)
      }
    }),
  )
})
