/** The rates of a plan in memory, beside a list that is looked through from end to end. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { isInForce, type ListedRate } from '../../src/rating/listed-rate.js'
import { E164_NUMBERS } from '../../src/rating/number.js'
import { TablePlan } from '../../src/rating/rate-book.js'
import { RateTable } from '../../src/rating/rate-table.js'
import { Schedule } from '../../src/rating/schedule.js'

const listed = (prefix: string, more: Partial<ListedRate> = {}): ListedRate => ({
  prefix,
  description: '',
  perMinute: 1n,
  setup: 0n,
  minimum: 60,
  increment: 1,
  freeS: 0,
  period: '',
  from: 0,
  until: null,
  blocked: false,
  ...more,
})

function tableOf(...rates: ListedRate[]): RateTable {
  const table = new RateTable()
  for (const rate of rates) assert.equal(table.add(rate), null)
  return table
}

/** All that is in force, and then the best of it: as the rule is written. */
function found(rates: readonly ListedRate[], digits: string, at: number, period: string) {
  return rates
    .filter(rate => digits.startsWith(rate.prefix) && isInForce(rate, at))
    .filter(rate => rate.period === '' || rate.period === period)
    .sort((a, b) => b.prefix.length - a.prefix.length || (a.period < b.period ? 1 : -1))[0]
}

const inOrder = (a: ListedRate, b: ListedRate) => {
  const [one, other] = [a, b].map(({ prefix, period }) => `${prefix} ${period}`) as [string, string]
  return one < other ? -1 : one > other ? 1 : a.from - b.from
}

t.test('the longest prefix wins', async t => {
  const table = new RateTable()
  const find = (digits: string) => table.find(digits, 5, '')?.prefix
  t.equal(find('49'), undefined)
  for (const prefix of ['49', '4930', '1']) table.add(listed(prefix))
  t.equal(find('493012'), '4930')
  t.equal(find('4930'), '4930')
  t.equal(find('493'), '49')
  t.equal(find('49'), '49')
  t.equal(find('4'), undefined)
  t.equal(find(''), undefined)
  t.equal(find('5'), undefined)
  table.add(listed(''))
  t.equal(find('5'), '')
  t.equal(find(''), '')
  t.equal(find('4'), '', 'the way to 49 is no prefix of its own')
  t.equal(find('1'.repeat(100)), '1')
  t.equal(table.size, 4)
  t.throws(() => table.find('49x', 5, ''), RangeError)
  t.throws(() => table.find('٤٩', 5, ''), RangeError)
  t.throws(() => table.add(listed('4/9')), RangeError)
  t.throws(() => table.add(listed('4:9')), RangeError)
})

t.test('a rate comes back to the last digit', async t => {
  const rate = listed('44', {
    description: 'Großbritannien',
    perMinute: 10n ** 12n,
    setup: 10n ** 12n - 1n,
    minimum: 86_400,
    increment: 86_399,
    freeS: 86_398,
    period: 'peak',
    from: 2 ** 53 - 3,
    until: 2 ** 53 - 1,
  })
  const blocked = listed('449', { perMinute: 0n, description: 'fraud', blocked: true })
  const table = tableOf(rate, blocked)
  t.strictSame([...table.rates()], [rate, blocked])
  t.strictSame(table.find('4412', 2 ** 53 - 2, 'peak'), rate)
  t.strictSame(table.find('4490', 0, ''), blocked)
  t.strictSame(table.periods, ['peak'])
})

t.test(
  'a rate of the period in force comes before the base, a longer prefix before both',
  async t => {
    const table = tableOf(
      listed('44'),
      listed('44', { period: 'peak' }),
      listed('44', { period: 'night' }),
      listed('447'),
      listed('49', { period: 'peak' }),
    )
    const find = (digits: string, period: string) => {
      const rate = table.find(digits, 5, period)
      return rate && `${rate.prefix} ${rate.period}`
    }
    t.equal(find('442', ''), '44 ')
    t.equal(find('442', 'peak'), '44 peak')
    t.equal(find('442', 'night'), '44 night')
    t.equal(find('442', 'weekend'), '44 ', 'a period without rates')
    t.equal(find('447', 'peak'), '447 ')
    t.equal(find('49', ''), undefined)
    t.equal(find('49', 'night'), undefined)
    t.equal(find('49', 'peak'), '49 peak')
  },
)

t.test('a rate is in force from its first instant to just before its last', async t => {
  const table = tableOf(
    listed('4'),
    listed('44', { from: 10, until: 20 }),
    listed('44', { from: 30 }),
    listed('44', { from: 40, until: 50 }),
  )
  const from = (at: number) => {
    const rate = table.find('44', at, '')
    return rate && `${rate.prefix} ${rate.from}`
  }
  t.strictSame([9, 10, 19, 20, 29, 30, 39, 40, 49, 50].map(from), [
    '4 0',
    '44 10',
    '44 10',
    '4 0',
    '4 0',
    '44 30',
    '44 30',
    '44 40',
    '44 40',
    '4 0',
  ])
  t.strictSame(table.find('44', 35, ''), listed('44', { from: 30, until: 40 }), 'it gives way')
  t.strictSame(table.changes('441', 0, 100), [10, 20, 30, 40, 50])
  t.strictSame(table.changes('441', 10, 40), [20, 30, 40], 'after the one, up to the other')
  t.strictSame(table.changes('41', 0, 100), [])
})

t.test('two rates of a prefix are not in force at the same time', async t => {
  const cases: [Partial<ListedRate>[], Partial<ListedRate>, number | null][] = [
    [[{}], {}, 1],
    [[{}], { period: 'peak' }, null],
    [[{ period: 'peak' }], { period: 'peak' }, 1],
    [[{}, { period: 'peak' }], { period: 'peak', until: 5 }, 2],
    [[{ from: 10 }], { from: 10 }, 1],
    [[{ from: 10 }], { from: 10, until: 20 }, 1],
    [[{ from: 10 }], { from: 20 }, null],
    [[{ from: 20 }], { from: 10 }, null],
    [[{ from: 20 }], { from: 10, until: 20 }, null],
    [[{ from: 20 }], { from: 10, until: 21 }, 1],
    [[{ from: 10, until: 20 }], { from: 20 }, null],
    [[{ from: 10, until: 21 }], { from: 20 }, 1],
    [[{ from: 10 }, { from: 30 }], { from: 20 }, null],
    [[{ from: 10 }, { from: 30 }], { from: 20, until: 31 }, 2],
    [[{ from: 10 }, { from: 30, period: 'peak' }], { from: 20, until: 31 }, null],
  ]
  for (const [some, more, collides] of cases) {
    const table = tableOf(...some.map(one => listed('44', one)))
    t.equal(table.add(listed('44', more)), collides, JSON.stringify([some, more]))
    t.equal(table.size, some.length + (collides === null ? 1 : 0))
  }
  const table = tableOf(listed('4'), listed('44'), listed('447'))
  t.equal(table.add(listed('44')), 2, 'they are numbered as they came')
})

t.test('rates come out in the order of prefix as text, period, from', async t => {
  const table = tableOf(
    listed('9'),
    listed('10', { period: 'peak', from: 9 }),
    listed('10', { period: 'peak', from: 5 }),
    listed('10', { period: 'night', from: 7 }),
    listed('10', { from: 8 }),
    listed('1'),
    listed(''),
  )
  t.strictSame(
    [...table.rates()].map(({ prefix, period, from }) => `${prefix} ${period} ${from}`),
    ['  0', '1  0', '10  8', '10 night 7', '10 peak 5', '10 peak 9', '9  0'],
  )
})

t.test('a table that has had to grow has lost nothing', async t => {
  const count = 40_000
  const rates = Array.from({ length: count }, (_, i) =>
    listed(`${(i + 1) ** 2}`, {
      perMinute: BigInt(i),
      description: `destination ${i % 25_000}`,
    }),
  )
  const table = tableOf(...rates)
  t.equal(table.size, count)
  const lost = rates.filter(rate => {
    const one = table.find(rate.prefix, 1, '')
    return one?.perMinute !== rate.perMinute || one.description !== rate.description
  })
  t.equal(lost.length, 0)
  // A difference of so many would take minutes to write down.
  t.ok(isDeepStrictEqual([...table.rates()], rates.toSorted(inOrder)))
})

/** Few digits, periods and instants, so that rates meet. */
const digits = (max: number) => fc.stringMatching(new RegExp(`^[019]{0,${max}}$`))
const instants = fc.nat(12)
const somewhere = fc
  .record({
    prefix: digits(4),
    period: fc.constantFrom('', '', 'peak', 'night'),
    from: instants,
    lasts: fc.option(fc.integer({ min: 1, max: 8 })),
    perMinute: fc.bigInt(0n, 9n),
    blocked: fc.boolean(),
  })
  .map(({ from, lasts, ...rate }) =>
    listed(rate.prefix, { ...rate, from, until: lasts === null ? null : from + lasts }),
  )

/** Adds a rate as the rule says: an open one gives way, all else collides. */
function addTo(rates: ListedRate[], rate: ListedRate): boolean {
  const same = rates.filter(one => one.prefix === rate.prefix && one.period === rate.period)
  const meets = same.some(one => {
    const [first, second] = one.from < rate.from ? [one, rate] : [rate, one]
    return first.from === second.from || (first.until !== null && first.until > second.from)
  })
  if (!meets) rates.push(rate)
  return !meets
}

/** Each with the end that the next one gives it. */
function ended(rates: readonly ListedRate[]): ListedRate[] {
  return rates.toSorted(inOrder).map((rate, i, all) => {
    const next = all[i + 1]
    const gives = next && next.prefix === rate.prefix && next.period === rate.period
    return rate.until === null && gives ? { ...rate, until: next.from } : rate
  })
}

t.test('the table says what a search through all rates says', async () => {
  fc.assert(
    fc.property(
      fc.array(somewhere, { maxLength: 120 }),
      fc.array(fc.tuple(digits(6), fc.nat(22), fc.constantFrom('', 'peak', 'night', 'none')), {
        maxLength: 30,
      }),
      (some, questions) => {
        const table = new RateTable()
        const kept: ListedRate[] = []
        for (const rate of some) {
          const before = kept.length
          const collides = table.add(rate)
          assert.equal(collides === null, addTo(kept, rate))
          if (collides !== null) assert.ok(collides <= before)
          if (collides !== null) assert.equal(kept[collides - 1]!.prefix, rate.prefix)
        }
        const all = ended(kept)
        assert.equal(table.size, all.length)
        assert.deepEqual([...table.rates()], all)
        for (const [number, at, period] of questions) {
          assert.deepEqual(table.find(number, at, period), found(all, number, at, period))
          const own = all.filter(({ prefix }) => number.startsWith(prefix))
          const times = own.flatMap(({ from, until }) => (until === null ? [from] : [from, until]))
          const due = [...new Set(times)].filter(one => one > at && one <= at + 5)
          assert.deepEqual(
            table.changes(number, at, at + 5),
            due.sort((a, b) => a - b),
          )
        }
      },
    ),
    { numRuns: 300 },
  )
})

t.test('the prefixes of ordinary decks, long and short', async () => {
  const prefix = fc.stringMatching(/^[0-9]{0,32}$/)
  fc.assert(
    fc.property(fc.uniqueArray(prefix, { maxLength: 60 }), some => {
      const table = tableOf(...some.map(one => listed(one)))
      assert.deepEqual(
        [...table.rates()].map(rate => rate.prefix),
        some.toSorted(),
      )
      for (const one of some) assert.equal(table.find(one, 0, '')?.prefix, one)
    }),
  )
})

t.test('a plan asks its table in the period that is in force', async t => {
  const HOUR = 3_600_000_000
  const monday = Date.UTC(2026, 10, 23) * 1000
  const schedule = new Schedule('UTC', [{ name: 'peak', hours: 'mon 08:00-09:00' }])
  const table = tableOf(
    listed('44', { from: monday + 8.5 * HOUR }),
    listed('44', { period: 'peak', until: monday + 9 * HOUR }),
  )
  const terms = { name: 'retail', numbers: E164_NUMBERS, costPlan: 'carrier', refuseLoss: true }
  const plan = new TablePlan(terms, schedule, table)
  t.match(plan, terms)
  t.equal(plan.periodAt(monday + 8 * HOUR), 'peak')
  t.equal(plan.find('441', monday), undefined)
  t.equal(plan.find('441', monday + 8 * HOUR)?.period, 'peak')
  t.equal(plan.find('441', monday + 9 * HOUR)?.period, '')
  t.strictSame(
    plan.changes('441', monday, monday + 24 * HOUR),
    [8, 8.5, 9].map(hour => monday + hour * HOUR),
    'of the period and of the rates, each once',
  )
})
