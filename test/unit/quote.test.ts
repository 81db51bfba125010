/** Quotes: what a call would cost, and each step of how that comes about. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import t, { type Test } from 'tap'
import { openBooks } from '../support/books.js'

const actor = 'test'

async function withPlan(t: Test) {
  const books = openBooks(t.testdir({}))
  t.teardown(() => books.close())
  await books.rates.planCreate({ name: 'retail', actor })
  const add = (prefix: string, per_minute: string | undefined, more: object = {}) =>
    books.rates.rateAdd({ plan: 'retail', prefix, per_minute, actor, ...more })
  return { ...books, add }
}

t.test('a quote says how the cost comes about', async t => {
  const { add, provisioning, quoter } = await withPlan(t)
  await add('44', '0.1', { setup: '0.05', description: 'UK', minimum: 30, increment: 6, free_s: 3 })
  await add('4420', '0.2')
  await provisioning.accountCreate({ code: 'ALICE', plan: 'retail', actor })
  const quotes = await quoter({ account: 'ALICE' })
  t.strictSame(
    await quotes.quote({ number: '+44 (7700) 900-000', seconds: '32', at: '2026-11-23T12:00Z' }),
    {
      dialled: '+44 (7700) 900-000',
      number: '447700900000',
      steps: ['international prefix + taken off'],
      at: '2026-11-23T12:00:00.000000Z',
      seconds: 32,
      plan: 'retail',
      decided_by: 'plan',
      period_in_force: '',
      prefix: '44',
      description: 'UK',
      per_minute: '0.100000',
      setup: '0.050000',
      minimum: 30,
      increment: 6,
      free_s: 3,
      period: '',
      from: null,
      until: null,
      blocked: false,
      billed_s: 36,
      talk_cost: '0.060000',
      cost: '0.110000',
      carrier_per_minute: null,
      carrier_cost: null,
      margin: null,
      cost_plan: null,
      refused: null,
      reason: null,
    },
  )
  for (const seconds of [0, 3]) {
    t.match(
      await quotes.quote({ number: '447700900000', seconds }),
      { billed_s: 0, talk_cost: '0.000000', cost: '0.000000' },
      'a call that is not answered, or within the free seconds, costs no setup',
    )
  }
  t.match(await quotes.quote({ number: '0044', seconds: 4 }), { number: '44', cost: '0.100000' })
  t.match(await quotes.find({ number: '442079460000' }), { prefix: '4420', per_minute: '0.200000' })

  const refused = async (number: string, reason: string, sentence: string) => {
    const quote = await quotes.quote({ number, seconds: 60 })
    t.match(quote, { refused: reason, reason: sentence, cost: null, prefix: null }, number)
  }
  await refused('331', 'no_rate', 'The plan retail has no rate for 331')
  await refused('44x', 'malformed_number', '"44x" is not a telephone number')
  await refused('', 'malformed_number', '"" is not a telephone number')
  const wrong = (input: object, message: RegExp) =>
    t.rejects(quotes.quote({ number: '44', seconds: 1, ...input }), { code: 'bad_input', message })
  await wrong({ number: undefined }, /^The number is missing/)
  for (const seconds of ['1.5', '-1', '1e3']) {
    await wrong({ seconds }, /^The seconds must be a whole number from 0/)
  }
  await wrong({ at: 'noon' }, /^The time must be a time like/)
  await t.rejects(quotes.find({ number: '331' }), { code: 'no_rate' })
  await t.rejects(quotes.find({ number: 'x' }), { code: 'bad_input' })
})

t.test('a number is read by the rules of the plan, step by step', async t => {
  const { add, rates, quoter } = await withPlan(t)
  await add('', '1')
  await rates.planSet({
    name: 'retail',
    country_code: '44',
    tech_prefix: '99#',
    national_digits: 8,
    actor,
  })
  const quotes = await quoter({ plan: 'retail' })
  const steps = async (number: string) => {
    const quote = await quotes.quote({ number, seconds: 1 })
    return [quote.number, ...quote.steps].join('; ')
  }
  const added = 'country code 44 put before it'
  t.equal(
    await steps('99#020 7946 0000'),
    `442079460000; tech prefix 99# taken off; trunk prefix 0 taken off; ${added}`,
  )
  t.equal(await steps('0049 30 1'), '49301; international prefix 00 taken off')
  t.equal(await steps('79460000'), `4479460000; ${added}`)
  t.equal(await steps('442079460000'), '442079460000')
})

t.test('the special plan decides where it has a rate', async t => {
  const { add, rates, provisioning, quoter } = await withPlan(t)
  await add('44', '0.1')
  await add('33', '0.1')
  await rates.planCreate({ name: 'own', actor })
  await rates.rateAdd({ plan: 'own', prefix: '44', per_minute: '0.05', actor })
  const account = { code: 'A', plan: 'retail', special_plan: 'own', actor }
  await provisioning.accountCreate(account)
  const quotes = await quoter({ account: 'A' })
  const at = { seconds: 60 }
  t.match(await quotes.quote({ number: '4420', ...at }), {
    plan: 'own',
    decided_by: 'special_plan',
    cost: '0.050000',
  })
  t.match(await quotes.quote({ number: '331', ...at }), {
    plan: 'retail',
    decided_by: 'plan',
    cost: '0.100000',
  })
  t.match(await quotes.quote({ number: '7', ...at }), {
    reason: 'The plan retail has no rate for 7, and neither has the special plan own',
    decided_by: null,
  })
  t.match(await quotes.find({ number: '4420' }), { plan: 'own' })
})

t.test('the period and the rate in force at that time', async t => {
  const { add, rates, quoter } = await withPlan(t)
  await rates.planSet({ name: 'retail', zone: 'Europe/Berlin', actor })
  await rates.periodSet({ plan: 'retail', name: 'peak', hours: 'mon-fri 08:00-20:00', actor })
  await add('44', '0.1')
  await add('44', '0.2', { period: 'peak' })
  await add('44', '0.3', { from: '2026-12-01' })
  await add('33', '0.4')
  const quotes = await quoter({ plan: 'retail' })
  const quote = (number: string, at: string) => quotes.quote({ number, seconds: 60, at })
  t.match(await quote('44', '2026-11-23T06:59:59Z'), {
    cost: '0.100000',
    period: '',
    period_in_force: '',
    until: '2026-12-01T00:00:00.000000Z',
  })
  t.match(await quote('44', '2026-11-23T07:00Z'), { cost: '0.200000', period: 'peak' })
  t.match(await quote('33', '2026-11-23T07:00Z'), {
    cost: '0.400000',
    period: '',
    period_in_force: 'peak',
  })
  t.match(await quote('44', '2026-12-05'), {
    cost: '0.300000',
    from: '2026-12-01T00:00:00.000000Z',
  })
})

t.test('what the carrier charges, and calls that would lose money', async t => {
  const { add, rates, quoter } = await withPlan(t)
  await rates.planCreate({ name: 'cost', actor })
  await rates.planSet({ name: 'retail', cost_plan: 'cost', actor })
  await rates.rateAdd({ plan: 'cost', prefix: '44', per_minute: '0.06', setup: '0.01', actor })
  await add('44', '0.12', { minimum: 60, increment: 60 })
  await add('447', '0.03')
  await add('33', '0.03')
  await add('881', undefined, { blocked: 'yes', description: 'fraud' })
  await add('882', undefined, { blocked: 'yes' })
  const quote = async (number: string) =>
    (await quoter({ plan: 'retail' })).quote({ number, seconds: 61 })
  t.match(await quote('441'), {
    cost: '0.240000',
    cost_plan: 'cost',
    carrier_per_minute: '0.060000',
    carrier_cost: '0.071000',
    margin: '0.169000',
    refused: null,
  })
  t.match(await quote('447'), { cost: '0.030500', margin: '-0.040500', refused: null })
  t.match(await quote('331'), { cost: '0.030500', carrier_cost: null, margin: null, refused: null })
  t.match(await quote('881'), {
    refused: 'destination_blocked',
    reason: 'Calls to prefix 881 are blocked: fraud',
    prefix: '881',
    blocked: true,
    cost: null,
  })
  t.match(await quote('882'), { reason: 'Calls to prefix 882 are blocked' })

  await rates.planSet({ name: 'retail', refuse_loss: 'yes', actor })
  t.match(await quote('441'), { refused: null })
  t.match(await quote('447'), {
    refused: 'would_lose_money',
    reason:
      'The carrier may charge more than the call brings, and calls on the plan retail must not lose money',
    margin: '-0.040500',
  })
  t.match(await quote('331'), {
    refused: 'no_cost_rate',
    reason:
      'What the carrier charges for 331 is not known to the cost plan cost, and calls on the plan retail must not lose money',
  })
})

t.test('quotes agree with the vectors', async t => {
  const { add, quoter } = await withPlan(t)
  const file = readFileSync(join(import.meta.dirname, 'rating-vectors.csv'))
  const vectors: Record<string, string>[] = parse(file, { columns: true })
  for (const [i, vector] of vectors.entries()) {
    const { setup, minimum_s: minimum, increment_s: increment } = vector
    await add(`${100 + i}`, vector['per_minute'], { setup, minimum, increment })
  }
  const quotes = await quoter({ plan: 'retail' })
  t.ok(vectors.length >= 26)
  for (const [i, vector] of vectors.entries()) {
    const question = { number: `${100 + i}55`, seconds: vector['seconds'] }
    const { billed_s, cost } = await quotes.quote(question)
    t.strictSame([`${billed_s}`, cost], [vector['billed_s'], vector['cost']], `${vector['what']}`)
  }
})
