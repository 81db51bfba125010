/** From an account's plans to the tariff of a call, and what of it holds once the leg is answered. */
import t from 'tap'
import { parseMoney } from '../../src/money.js'
import { type ListedRate, listedAlways } from '../../src/rating/listed-rate.js'
import { E164_NUMBERS } from '../../src/rating/number.js'
import { lossOf, priceCall, type RatedBy, RING_US_MAX } from '../../src/rating/pricing.js'
import { costOf, type Rate } from '../../src/rating/rate.js'
import { type RateBook, TablePlan } from '../../src/rating/rate-book.js'
import { RateTable } from '../../src/rating/rate-table.js'
import { Schedule } from '../../src/rating/schedule.js'
import {
  answeredTariff,
  carrierCost,
  highestCost,
  highestLeastCost,
  surelyAffordableSeconds,
  tariffOf,
} from '../../src/rating/tariff.js'

const MINUTE = 60_000_000

/** 2026-11-23T19:55Z, a Monday. */
const AT = Date.UTC(2026, 10, 23, 19, 55) * 1000

const rate = (prefix: string, perMinute: string, more: Partial<ListedRate> = {}): ListedRate => {
  const steps = { setup: 0n, minimum: 1, increment: 1, freeS: 0 }
  const plain = { prefix, description: prefix, perMinute: parseMoney(perMinute), ...steps }
  return { ...listedAlways(plain), ...more }
}

interface Said {
  readonly rates: readonly ListedRate[]
  readonly peak?: string
  readonly costPlan?: string
  readonly refuseLoss?: boolean
  readonly numbers?: Partial<typeof E164_NUMBERS>
}

/** A book with real tables and schedules. */
function bookOf(plans: Readonly<Record<string, Said>>): RateBook {
  const built = Object.entries(plans).map(([name, said]) => {
    const table = new RateTable()
    for (const one of said.rates) t.equal(table.add(one), null)
    const periods = said.peak ? [{ name: 'peak', hours: said.peak }] : []
    const { costPlan = null, refuseLoss = false } = said
    const numbers = { ...E164_NUMBERS, ...said.numbers }
    const terms = { name, numbers, costPlan, refuseLoss }
    return [name, new TablePlan(terms, new Schedule('UTC', periods), table)] as const
  })
  const byName = new Map(built)
  return { plan: name => byName.get(name) }
}

const RETAIL: RatedBy = { plan: 'retail', specialPlan: null, longestS: null }

function priced(book: RateBook, dialled: string, by: Partial<RatedBy> = {}, at = AT) {
  const found = priceCall(book, { ...RETAIL, ...by }, dialled, at)
  if (found.status !== 'priced') throw new Error(found.reason)
  return found.tariff
}

const euros = (amount: string) => ({ perMinute: parseMoney(amount) })

t.test('the rate of the longest prefix, as the plan reads the number', async t => {
  const book = bookOf({
    retail: {
      rates: [rate('49', '0.1'), rate('4930', '0.2')],
      numbers: { countryCode: '49', trunkPrefix: '0' },
    },
  })
  t.strictSame(priced(book, '030 123'), {
    ...tariffOf('retail', '4930123', { ...plain(rate('4930', '0.2')) }),
  })
  t.match(priced(book, '+49 89 1'), { number: '49891', rate: { prefix: '49' } })
  t.match(priced(book, '030 123', { longestS: 90 }), { longestS: 90 })
})

t.test('what is not let through, and why', async t => {
  const blocked = { blocked: true, description: 'premium numbers', perMinute: 0n }
  const book = bookOf({ retail: { rates: [rate('49', '0.1'), rate('49900', '0', blocked)] } })
  const refusal = (dialled: string, by = RETAIL) => priceCall(book, by, dialled, AT)
  const unpriced = { status: 'unpriced', plan: 'retail', tariff: null }
  t.strictSame(refusal('anonymous'), { ...unpriced, reason: 'malformed_number', number: null })
  t.strictSame(refusal('33'), { ...unpriced, reason: 'no_rate', number: '33' })
  t.strictSame(refusal('+49', { ...RETAIL, plan: 'gone' }), {
    ...{ ...unpriced, plan: 'gone', reason: 'no_rate', number: '49' },
  })
  t.match(refusal('499001'), {
    ...{ status: 'unpriced', reason: 'destination_blocked', plan: 'retail', number: '499001' },
    tariff: { rate: { prefix: '49900', description: 'premium numbers', perMinute: 0n } },
  })
})

t.test('a special plan comes in front, wherever it has a rate', async t => {
  const book = bookOf({
    retail: { rates: [rate('49', '0.1'), rate('4930', '0.2'), rate('33', '0.3')] },
    deal: { rates: [rate('49', '0.05'), rate('331', '0', { blocked: true })] },
  })
  const by = { specialPlan: 'deal' }
  t.match(priced(book, '4930', by), { plan: 'deal', rate: { prefix: '49', ...euros('0.05') } })
  t.match(priced(book, '332', by), { plan: 'retail', rate: euros('0.3') })
  const refused = priceCall(book, { ...RETAIL, ...by }, '3310', AT)
  t.match(refused, { reason: 'destination_blocked', plan: 'deal' })
  t.match(priced(book, '4930', { specialPlan: 'gone' }), { plan: 'retail' })
})

t.test('what comes into force while the leg may ring is copied as well', async t => {
  const book = bookOf({
    retail: {
      peak: 'mon-fri 08:00-20:00',
      rates: [
        rate('49', '0.1'),
        rate('49', '0.3', { period: 'peak' }),
        rate('4930', '0.7', { from: AT + 8 * MINUTE }),
        rate('4930', '0.9', { from: AT + RING_US_MAX + 1 }),
      ],
    },
  })
  const tariff = priced(book, '4930')
  t.match(tariff, { rate: euros('0.3') }, 'five minutes before the peak is over')
  t.match(tariff.later, [
    { from: AT + 5 * MINUTE, rate: { prefix: '49', ...euros('0.1') } },
    { from: AT + 8 * MINUTE, rate: { prefix: '4930', ...euros('0.7') } },
  ])
  t.equal(tariff.later.length, 2, 'what comes after ten minutes is too late')
  const at = (answeredAt: number) => answeredTariff(tariff, answeredAt)
  t.match(at(AT + 5 * MINUTE - 1), { rate: euros('0.3'), later: [] })
  t.match(at(AT + 5 * MINUTE), { rate: euros('0.1'), later: [] }, 'the period at the answer')
  t.match(at(AT + 9 * MINUTE), { rate: euros('0.7') })
  t.equal(at(AT + 5 * MINUTE).later.length, 0)
  t.equal(highestCost(tariff, 60), parseMoney('0.7'), 'what must be held, whatever it will be')
  t.equal(highestLeastCost(tariff), costOf(rate('4930', '0.7'), 1))
  t.equal(surelyAffordableSeconds(tariff, parseMoney('0.7'), 999), 60)
})

t.test('a rate that ends while the leg rings: the last one stays', async t => {
  const until = AT + MINUTE
  const blocked = { blocked: true, from: AT + 2 * MINUTE }
  const book = bookOf({
    retail: { rates: [rate('33', '0.1', { until }), rate('44', '0.1', { until: null })] },
    barred: { rates: [rate('44', '0.1', { until: AT + 2 * MINUTE }), rate('44', '0', blocked)] },
  })
  t.strictSame(priced(book, '33').later, [])
  t.strictSame(priced(book, '44', { plan: 'barred' }).later, [])
})

t.test('what the carrier charges', async t => {
  const peak = 'mon-fri 08:00-20:00'
  const book = bookOf({
    retail: { costPlan: 'carrier', rates: [rate('49', '0.1'), rate('33', '1')] },
    carrier: {
      peak,
      rates: [
        rate('4930', '0.06', { minimum: 60, increment: 60 }),
        rate('4930', '0.08', { period: 'peak' }),
        rate('33', '0', { blocked: true }),
      ],
    },
  })
  const tariff = priced(book, '4930')
  t.match(tariff, { rate: euros('0.1'), carrier: { prefix: '4930', ...euros('0.08') } })
  t.equal(carrierCost(tariff, 90), parseMoney('0.12'))
  const answered = answeredTariff(tariff, AT + 6 * MINUTE)
  t.equal(carrierCost(answered, 90), parseMoney('0.12'), 'two whole minutes off-peak')
  t.match(answered, { rate: euros('0.1'), carrier: euros('0.06') })
  t.equal(priced(book, '33').carrier, null, 'what it does not connect has no price')
  t.equal(carrierCost(priced(book, '33'), 60), null)
})

t.test('a plan may refuse calls that lose money', async t => {
  const steps = { minimum: 60, increment: 60 }
  const book = bookOf({
    retail: {
      ...{ costPlan: 'carrier', refuseLoss: true },
      rates: [rate('1', '0.1'), rate('2', '0.1'), rate('3', '0.1'), rate('4', '0.1')],
    },
    carrier: {
      rates: [
        rate('1', '0.1', steps),
        rate('2', '0.100001'),
        rate('3', '0.05', { setup: 60_000n }),
      ],
    },
  })
  t.match(priced(book, '1'), { plan: 'retail' }, 'as much is not less')
  const reasonFor = (dialled: string) => {
    const found = priceCall(book, RETAIL, dialled, AT)
    return found.status === 'unpriced' ? found.reason : null
  }
  t.equal(reasonFor('2'), 'would_lose_money')
  t.equal(reasonFor('3'), 'would_lose_money', 'a call of a minute does')
  t.equal(reasonFor('4'), 'no_cost_rate')
  const tolerant = bookOf({ retail: { costPlan: 'carrier', rates: [rate('2', '0.1')] } })
  t.match(priced(tolerant, '2'), { carrier: null }, 'only where the plan says so')
  const dearerLong = { rate: rate('5', '0.1', { setup: 90_000n }), carrier: rate('5', '0.12') }
  t.equal(lossOf(dearerLong), 'would_lose_money', 'a call of an hour does')
})

function plain(listed: ListedRate): Rate {
  const { period: _period, from: _from, until: _until, blocked: _blocked, ...rest } = listed
  return rest
}
