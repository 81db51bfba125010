/** Plans and rates in SQLite, and the book in memory that calls are rated by. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { ImportTerms, PlanTerms } from '../../src/ledger/rates.js'
import { UNIT } from '../../src/money.js'
import { isInForce, type ListedRate } from '../../src/rating/listed-rate.js'
import { E164_NUMBERS } from '../../src/rating/number.js'
import { SqliteRateBook } from '../../src/sqlite/rate-book.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'

const SRC = join(import.meta.dirname, '../../src')

const WHO = 'cli:root'

const rate = (prefix: string, perMinute = 1n, more: Partial<ListedRate> = {}): ListedRate => ({
  prefix,
  description: '',
  perMinute,
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

/** As many different prefixes as that, in no order. */
const deck = (count: number, perMinute = 1n) =>
  Array.from({ length: count }, (_, i) => rate(`${(i * 7919) % 1_000_003}`, perMinute))

/** A few at a time, as a file is read. */
async function* inPieces(rates: Iterable<ListedRate>, length = 700) {
  let piece: ListedRate[] = []
  for (const one of rates) {
    piece.push(one)
    if (piece.length < length) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}

const terms = (more: Partial<ImportTerms> = {}): ImportTerms => ({
  ...{ mode: 'replace', effective: 0, dryRun: false, source: 'deck.csv' },
  ...more,
})

/** @param now microseconds since the epoch; our clock, where it does not matter */
async function open(t: Test, path = join(t.testdir({}), 'rates.db'), now?: () => number) {
  const file = new RatesFile(path)
  t.teardown(() => file.close())
  const rates = new SqliteRates(file, now)
  const count = (table: string) =>
    Number(file.database.prepare(`SELECT count(*) FROM ${table}`).pluck().get())
  const add = (plan: string, ...some: ListedRate[]) =>
    Promise.all(some.map(one => rates.addRate(plan, one, WHO)))
  const bring = (plan: string, some: Iterable<ListedRate>, more: Partial<ImportTerms> = {}) =>
    rates.importRates(plan, inPieces(some), terms(more), WHO)
  const all = (plan: string) => rates.rates(plan, { limit: 1_000_000 })
  const one = async (plan: string, prefix: string) =>
    (await rates.rates(plan, { prefix, limit: 99 })).find(found => found.prefix === prefix)
  return { file, path, rates, count, add, bring, all, one }
}

/** With a plan of that name. */
async function openWith(t: Test, plan: string, now?: () => number) {
  const opened = await open(t, undefined, now)
  await opened.rates.createPlan(plan, WHO)
  const book = await SqliteRateBook.open(opened.rates)
  const find = (name: string, digits: string, at = 1) => book.plan(name)?.find(digits, at)
  return { ...opened, book, find }
}

const prefixes = (found: readonly ListedRate[]) => found.map(one => one.prefix)

/** `44 peak 5-9:3`: prefix, period, from, until and price. */
const told = ({ prefix, period, from, until, perMinute }: ListedRate) =>
  `${prefix}${period && ` ${period}`} ${from}-${until ?? ''}:${perMinute}`

t.test('plans are created, listed and deleted', async t => {
  const { rates, count, add } = await open(t)
  const created = await rates.createPlan('retail', WHO)
  t.strictSame(created, {
    name: 'retail',
    rates: 0,
    zone: 'UTC',
    costPlan: null,
    refuseLoss: false,
    numbers: E164_NUMBERS,
    periods: [],
  })
  t.strictSame(await rates.plan('retail'), created)
  t.equal(await rates.plan('none'), undefined)
  await rates.createPlan('a.b_c-9', WHO)
  await add('retail', rate('44'))
  t.strictSame(
    (await rates.plans()).map(plan => [plan.name, plan.rates]),
    [
      ['a.b_c-9', 0],
      ['retail', 1],
    ],
  )
  await t.rejects(rates.createPlan('retail', WHO), {
    name: 'BookError',
    code: 'plan_exists',
    message: 'There is already a plan retail',
  })
  for (const name of ['', '-x', 'a b', 'x'.repeat(65), 'ü']) {
    await t.rejects(rates.createPlan(name, WHO), { code: 'bad_input' }, name)
  }
  await rates.createPlan('x'.repeat(64), WHO)
  await rates.deletePlan('retail', WHO)
  await t.rejects(rates.deletePlan('retail', WHO), { code: 'unknown_plan' })
  await t.rejects(rates.rates('retail', { limit: 1 }), {
    code: 'unknown_plan',
    message: 'There is no plan retail',
  })
  t.equal(count('rate'), 0, 'its rates are gone with it')
  t.equal(count('deck'), 2)
})

const ALL_TERMS: PlanTerms = {
  zone: 'Europe/Berlin',
  costPlan: 'carrier',
  refuseLoss: true,
  numbers: {
    techPrefix: '77#',
    international: ['00', '011'],
    countryCode: '49',
    trunkPrefix: '0',
    nationalDigits: 10,
  },
  periods: [
    { name: 'night', hours: 'mon-sun 20:00-08:00' },
    { name: 'peak', hours: 'mon-fri 08:00-20:00' },
  ],
}

t.test('what a plan says is kept, and changed piece by piece', async t => {
  const { rates, path, file } = await openWith(t, 'retail')
  await rates.createPlan('carrier', WHO)
  const { periods, ...rest } = ALL_TERMS
  await rates.changePlan('retail', rest, WHO)
  const changed = await rates.changePlan('retail', { periods: periods.toReversed() }, WHO)
  t.strictSame(changed, { name: 'retail', rates: 0, ...ALL_TERMS })
  file.close()
  const again = await open(t, path)
  t.strictSame(await again.rates.plan('retail'), changed)
  t.strictSame((await again.rates.plans())[1], changed)
  t.match((await again.rates.plans())[0], { name: 'carrier', periods: [] })
  const numbers = { ...ALL_TERMS.numbers, international: [], nationalDigits: null }
  const undone = { numbers, costPlan: null, refuseLoss: false, periods: [] }
  t.match(await again.rates.changePlan('retail', undone, WHO), { ...undone, zone: 'Europe/Berlin' })
  t.match(await again.rates.plan('retail'), undone)
})

t.test('what a plan cannot say is refused in a sentence', async t => {
  const { rates, add } = await openWith(t, 'retail')
  await rates.createPlan('carrier', WHO)
  await rates.changePlan('retail', ALL_TERMS, WHO)
  await add('retail', rate('44', 1n, { period: 'peak' }))
  const before = await rates.plan('retail')
  const numbers = (more: object) => ({ numbers: { ...E164_NUMBERS, ...more } })
  const peak = (hours: string) => ({ periods: [{ name: 'peak', hours }] })
  const cases: [Partial<PlanTerms>, string, RegExp][] = [
    [{ zone: 'Berlin' }, 'bad_input', /^"Berlin" is not a time zone: use a name like Europe/],
    [{ costPlan: 'none' }, 'unknown_plan', /^There is no plan none$/],
    [{ costPlan: 'retail' }, 'bad_input', /^The plan retail cannot be its own cost plan$/],
    [numbers({ techPrefix: '7 7' }), 'bad_input', /^"7 7" is not a tech prefix/],
    [numbers({ countryCode: '0' }), 'bad_input', /^"0" is not a country code/],
    [numbers({ countryCode: '1234' }), 'bad_input', /^"1234" is not a country code/],
    [numbers({ trunkPrefix: 'x' }), 'bad_input', /^"x" is not a trunk prefix/],
    [numbers({ international: ['00', ''] }), 'bad_input', /^"" is not an international prefix/],
    [numbers({ international: ['0,0'] }), 'bad_input', /^"0,0" is not an international prefix/],
    [numbers({ international: Array(11).fill('00') }), 'bad_input', /at most 10 international/],
    [numbers({ nationalDigits: 0 }), 'bad_input', /^The national digits must be a whole number/],
    [numbers({ nationalDigits: 9.5 }), 'bad_input', /^The national digits must be a whole number/],
    [peak('mon'), 'bad_input', /^The hours of the period peak are wrong: the last day has no/],
    [peak('x'.repeat(1001)), 'bad_input', /^The hours of the period peak are too long$/],
    [{ periods: [{ name: 'a b', hours: 'mon 08:00-09:00' }] }, 'bad_input', /cannot be a period/],
    [
      { periods: [...peak('mon 08:00-09:00').periods!, ...peak('tue 08:00-09:00').periods!] },
      'bad_input',
      /^There are two periods peak$/,
    ],
    [
      { periods: [...ALL_TERMS.periods, { name: 'third', hours: 'mon 07:59-08:00' }] },
      'bad_input',
      /^The periods night and third overlap: both have mon 07:59$/,
    ],
    [{ periods: [] }, 'bad_input', /^The period peak has rates: delete those first$/],
  ]
  for (const [changes, code, message] of cases) {
    const refused = { name: 'BookError', code, message }
    await t.rejects(rates.changePlan('retail', changes, WHO), refused, String(message))
  }
  await t.rejects(rates.changePlan('none', {}, WHO), { code: 'unknown_plan' })
  t.strictSame(await rates.plan('retail'), before, 'nothing has changed')
  await t.rejects(rates.deletePlan('carrier', WHO), {
    code: 'plan_in_use',
    message: 'The plan retail has carrier as its cost plan',
  })
  await rates.changePlan('retail', peak('mon 08:00-09:00'), WHO)
  await rates.deletePlan('retail', WHO)
  await rates.deletePlan('carrier', WHO)
})

t.test('the version changes with everything that the book reads', async t => {
  const { rates, add, bring } = await openWith(t, 'retail')
  await rates.createPlan('carrier', WHO)
  t.equal(await rates.version('none'), undefined)
  const seen = [await rates.version('retail')]
  const steps = [
    () => rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO),
    () => rates.changePlan('retail', { refuseLoss: true }, WHO),
    () => add('retail', rate('44')),
    () => rates.changeRate('retail', rate('44', 2n), WHO),
    () => rates.deleteRate('retail', rate('44'), WHO),
    () => bring('retail', []),
    () => rates.deletePlan('retail', WHO).then(() => rates.createPlan('retail', WHO)),
  ]
  for (const step of steps) {
    await step()
    seen.push(await rates.version('retail'))
  }
  t.equal(new Set(seen).size, steps.length + 1, seen.join(' '))
  await bring('retail', [rate('1')], { dryRun: true })
  await rates.changePlan('retail', { refuseLoss: false }, WHO)
  await rates.createPlan('other', WHO)
  t.equal(await rates.version('retail'), seen.at(-1), 'and with nothing else')
})

t.test('a rate is kept to the last digit', async t => {
  const { rates, path, file, add } = await openWith(t, 'retail')
  await rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO)
  const dear = rate('44', 1_000_000n * UNIT, {
    description: 'Großbritannien, "mobile"',
    setup: 1_000_000n * UNIT,
    minimum: 86_400,
    increment: 1,
    freeS: 86_400,
    period: 'peak',
    from: Number.MAX_SAFE_INTEGER - 1,
    until: Number.MAX_SAFE_INTEGER,
  })
  const blocked = rate('88', 0n, { blocked: true, description: 'too many complaints' })
  await add('retail', dear, rate('', 0n), blocked)
  file.close()
  const again = await open(t, path)
  t.strictSame(await again.all('retail'), [rate('', 0n), dear, blocked])
  const book = await SqliteRateBook.open(again.rates)
  t.strictSame(book.plan('retail')?.find('881', 5), blocked)
  t.strictSame(book.plan('retail')?.find('44', 5), rate('', 0n))
  await again.bring('retail', [dear, rate('', 0n), blocked])
  t.strictSame(await again.all('retail'), [rate('', 0n), dear, blocked], 'imported as well')
})

t.test('a rate that cannot be is refused in a sentence', async t => {
  const { count, add, bring } = await openWith(t, 'retail')
  const cases: [ListedRate, RegExp][] = [
    [rate('44a'), /^"44a" is not a prefix: 0 to 32 digits$/],
    [rate('1'.repeat(33)), /is not a prefix/],
    [rate('44', -1n), /^The price per minute of prefix 44 is -0\.000001: it must be from 0 to/],
    [rate('44', 1_000_000n * UNIT + 1n), /^The price per minute/],
    [rate('', 1n, { setup: -1n }), /^The setup cost of the empty prefix is -0\.000001/],
    [rate('44', 1n, { minimum: 0 }), /^The minimum of prefix 44 is 0: it must be whole seconds/],
    [rate('44', 1n, { increment: 1.5 }), /^The increment of prefix 44 is 1\.5/],
    [rate('44', 1n, { increment: 86_401 }), /^The increment/],
    [rate('44', 1n, { minimum: Number.NaN }), /^The minimum/],
    [rate('44', 1n, { freeS: -1 }), /^The free time of prefix 44 is -1: .* from 0 to 86400$/],
    [rate('44', 1n, { freeS: 86_401 }), /^The free time/],
    [rate('44', 1n, { description: 'x'.repeat(201) }), /^The description of prefix 44 must be/],
    [rate('44', 1n, { description: 'a\nb' }), /^The description/],
    [rate('44', 1n, { from: -1 }), /^The rate of prefix 44 begins or ends at a time that cannot/],
    [rate('44', 1n, { from: 2 ** 53 }), /^The rate of prefix 44 begins or ends/],
    [rate('44', 1n, { until: 0.5 }), /^The rate of prefix 44 begins or ends/],
    [rate('44', 1n, { from: 9, until: 9 }), /^The rate of prefix 44 ends before it begins$/],
    [
      rate('', 1n, { blocked: true }),
      /^The empty prefix is blocked, and has a price: it must be 0/,
    ],
    [rate('44', 0n, { blocked: true, setup: 1n }), /^Prefix 44 is blocked, and has a price/],
  ]
  for (const [bad, message] of cases) {
    await t.rejects(add('retail', bad), { name: 'BookError', code: 'bad_input', message })
    await t.rejects(bring('retail', [rate('1'), bad]), { code: 'bad_input', message })
  }
  const message = 'The plan retail has no period peak'
  const unknown = { code: 'unknown_period', message }
  await t.rejects(add('retail', rate('44', 1n, { period: 'peak' })), unknown)
  await t.rejects(bring('retail', [rate('44', 1n, { period: 'peak' })]), unknown)
  await t.rejects(bring('retail', [], { effective: -1 }), { code: 'bad_input' })
  t.equal(count('rate'), 0)
  t.equal(count('deck'), 1)
})

t.test('the database itself holds the limits', async t => {
  const { file, add } = await openWith(t, 'retail')
  await add('retail', rate('44', 1n, { from: 5, until: 9 }))
  const set = (change: string) => () => file.database.exec(`UPDATE rate SET ${change}`)
  for (const change of [
    "prefix = '4x'",
    `prefix = '${'1'.repeat(33)}'`,
    'per_minute = -1',
    'setup = 1000000000001',
    'minimum = 0',
    'increment = 86401',
    'free_s = -1',
    'effective_from = -1',
    'effective_until = 5',
    'blocked = 2',
    'blocked = 1',
    `description = '${'x'.repeat(201)}'`,
  ]) {
    t.throws(set(change), { code: 'SQLITE_CONSTRAINT_CHECK' }, change)
  }
  const plan = (change: string) => () => file.database.exec(`UPDATE plan SET ${change}`)
  for (const change of ['refuse_loss = 2', "cost_plan = 'retail'", "country_code = 'x'"]) {
    t.throws(plan(change), { code: 'SQLITE_CONSTRAINT_CHECK' }, change)
  }
  t.throws(plan("cost_plan = 'none'"), { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
})

t.test('the same prefix is in two plans, but not twice in one', async t => {
  const { rates, count, add, one } = await openWith(t, 'retail')
  await rates.createPlan('gold', WHO)
  await add('retail', rate('44', 1n))
  await add('gold', rate('44', 2n))
  await t.rejects(add('retail', rate('44', 3n)), {
    code: 'rate_exists',
    message: 'The plan retail has a rate for prefix 44 at the same time already',
  })
  await t.rejects(add('none', rate('44')), { code: 'unknown_plan' })
  await t.rejects(rates.deleteRate('retail', rate('4'), WHO), {
    code: 'unknown_rate',
    message: 'The plan retail has no rate for exactly prefix 4',
  })
  await t.rejects(rates.deleteRate('none', rate('44'), WHO), { code: 'unknown_plan' })
  await t.rejects(rates.deleteRate('retail', rate('44', 1n, { from: 5 }), WHO), {
    code: 'unknown_rate',
  })
  await t.rejects(rates.changeRate('retail', rate('44', 1n, { period: 'peak' }), WHO), {
    code: 'unknown_rate',
    message: 'The plan retail has no rate for exactly prefix 44 in the period peak',
  })
  await rates.deleteRate('retail', rate('44'), WHO)
  t.match(await one('gold', '44'), { perMinute: 2n })
  t.strictSame(
    (await rates.plans()).map(plan => plan.rates),
    [1, 0],
  )
  t.equal(count('rate'), 1)
})

t.test('single rates follow each other in time', async t => {
  const { rates, add, all } = await openWith(t, 'retail')
  await rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO)
  const list = async () => (await all('retail')).map(told)
  await add('retail', rate('44', 1n), rate('44', 9n, { period: 'peak' }))
  await add('retail', rate('44', 3n, { from: 30 }))
  t.strictSame(await list(), ['44 0-30:1', '44 30-:3', '44 peak 0-:9'], 'the first one gives way')
  await t.rejects(add('retail', rate('44', 2n, { from: 20 })), { code: 'rate_exists' })
  await rates.changeRate('retail', rate('44', 4n, { until: 10 }), WHO)
  await add('retail', rate('44', 2n, { from: 20 }))
  t.strictSame(await list(), ['44 0-10:4', '44 20-30:2', '44 30-:3', '44 peak 0-:9'])
  await t.rejects(add('retail', rate('44', 5n, { from: 9, until: 15 })), { code: 'rate_exists' })
  await t.rejects(add('retail', rate('44', 5n, { from: 10, until: 21 })), { code: 'rate_exists' })
  await add('retail', rate('44', 5n, { from: 10, until: 20 }))
  await t.rejects(rates.changeRate('retail', rate('44', 4n, { until: 11 }), WHO), {
    code: 'rate_exists',
  })
  await rates.changeRate('retail', rate('44', 4n), WHO)
  t.strictSame((await list())[0], '44 0-10:4', 'without an end, it ends where the next one begins')
  await rates.deleteRate('retail', rate('44', 0n, { from: 20 }), WHO)
  t.strictSame(await list(), ['44 0-10:4', '44 10-20:5', '44 30-:3', '44 peak 0-:9'])
  t.equal((await rates.plan('retail'))?.rates, 4)
})

t.test('rates are listed in order, in pages, and found by the digits that are dialled', async t => {
  const { rates, add } = await openWith(t, 'retail')
  await rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO)
  const uk = { description: 'United Kingdom' }
  await add('retail', rate('49'), rate('44', 1n, uk), rate(''), rate('447', 1n, uk), rate('5'))
  await add('retail', rate('44', 2n, { period: 'peak' }), rate('44', 3n, { from: 5 }))
  const list = async (filter: object) =>
    (await rates.rates('retail', { limit: 9, ...filter })).map(told)
  const all = await list({})
  t.strictSame(all, [
    ...[' 0-:1', '44 0-5:1', '44 5-:3', '44 peak 0-:2', '447 0-:1', '49 0-:1', '5 0-:1'],
  ])
  t.strictSame(await list({ limit: 2 }), all.slice(0, 2))
  for (const [i, after] of (await rates.rates('retail', { limit: 9 })).entries()) {
    t.strictSame(await list({ after, limit: 2 }), all.slice(i + 1, i + 3))
  }
  t.strictSame(await list({ after: rate('45') }), all.slice(5), 'a key that is not there')
  t.strictSame(await list({ prefix: '4' }), all.slice(1, 6))
  t.strictSame(await list({ prefix: '44', after: rate('44', 1n, { period: 'peak' }) }), [all[4]])
  t.strictSame(await list({ search: 'KINGdom' }), [all[1], all[4]])
  t.strictSame(await list({ search: '4' }), all.slice(1, 6))
  t.strictSame(await list({ search: '%' }), [])
  t.strictSame((await rates.ratesFor('retail', '4471')).map(told), all.slice(0, 5))
  t.strictSame((await rates.ratesFor('retail', '')).map(told), [all[0]])
  await t.rejects(rates.ratesFor('none', '44'), { code: 'unknown_plan' })
})

t.test('an import replaces a deck, all of it or nothing', async t => {
  const { rates, count, book, find, add, bring, one } = await openWith(t, 'retail')
  await add('retail', rate('44', 7n))
  t.match(await bring('retail', deck(4500)), { rates: 4500, changes: { added: 4500, removed: 1 } })
  t.match(await rates.plans(), [{ name: 'retail', rates: 4500 }])
  t.equal(await one('retail', '44'), undefined)
  t.equal(count('rate'), 4500)
  await book.reload('retail')
  t.equal(find('retail', '7919')?.prefix, '7919')

  await t.rejects(bring('retail', [...deck(4500, 2n), rate('7919', 3n)]), {
    code: 'rate_exists',
    message: 'The deck has prefix 7919 twice at the same time',
  })
  async function* breaking() {
    yield deck(2500, 2n)
    throw new Error('line 2501 is no rate')
  }
  await t.rejects(rates.importRates('retail', breaking(), terms(), WHO), { message: /line 2501/ })
  await t.rejects(bring('none', deck(1)), { code: 'unknown_plan' })
  t.match(await one('retail', '7919'), { perMinute: 1n })
  t.equal(count('rate'), 4500, 'nothing is left of what was refused')
  t.equal(count('deck'), 1)

  t.match(await bring('retail', []), { rates: 0, changes: { removed: 4500 } })
  t.equal(count('rate'), 0)
})

t.test('a deck is refused that has a prefix twice at the same time', async t => {
  const { rates, bring, all } = await openWith(t, 'retail')
  await rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO)
  const peak = { period: 'peak' }
  const twice: [ListedRate, ListedRate][] = [
    [rate('44'), rate('44')],
    [rate('44', 1n, peak), rate('44', 2n, peak)],
    [rate('44', 1n, { from: 5 }), rate('44', 2n, { from: 5, until: 6 })],
    [rate('44', 1n, { until: 6 }), rate('44', 2n, { from: 5 })],
  ]
  for (const some of twice) {
    for (const dryRun of [false, true]) {
      await t.rejects(bring('retail', some, { dryRun }), { code: 'rate_exists' })
      await t.rejects(bring('retail', some.toReversed(), { dryRun }), { code: 'rate_exists' })
    }
  }
  await t.rejects(bring('retail', twice[1]!), {
    message: 'The deck has prefix 44 for the period peak twice at the same time',
  })
  const once = [rate('44'), rate('44', 2n, peak), rate('44', 3n, { from: 5, until: 6 })]
  await bring('retail', [...once, rate('44', 4n, { from: 6 })].toReversed())
  t.strictSame((await all('retail')).map(told), ['44 0-5:1', '44 5-6:3', '44 6-:4', '44 peak 0-:2'])
})

t.test('an import is merged', async t => {
  const { rates, count, bring, one, all } = await openWith(t, 'retail')
  await bring('retail', [rate('', 1n), ...deck(4500, 1n)])
  const news = [rate('7919', 2n), rate('9999999', 2n), rate('12345678', 2n)]
  t.match(await bring('retail', news, { mode: 'merge' }), {
    rates: 3,
    changes: { added: 2, removed: 0, dearer: 1, same: 0 },
  })
  t.match(await one('retail', '7919'), { perMinute: 2n })
  t.match(await one('retail', '9999999'), { perMinute: 2n })
  t.match(await one('retail', ''), { perMinute: 1n })
  t.match(await rates.plans(), [{ name: 'retail', rates: 4503 }])
  t.equal(count('rate'), 4503)

  await bring('retail', [rate('')])
  await bring('retail', [rate('1')], { mode: 'merge' })
  t.strictSame(prefixes(await all('retail')), ['', '1'])
})

/** What the plan has, what comes and how, and what it has then. */
const IMPORTS: [string, ListedRate[], ListedRate[], Partial<ImportTerms>, string[]][] = [
  [
    'replaced at once',
    [rate('44'), rate('49')],
    [rate('44', 2n), rate('1', 2n)],
    {},
    ['1 0-:2', '44 0-:2'],
  ],
  [
    'merged at once',
    [rate('44'), rate('49')],
    [rate('44', 2n), rate('1', 2n)],
    { mode: 'merge' },
    ['1 0-:2', '44 0-:2', '49 0-:1'],
  ],
  [
    'replaced from an instant on',
    [rate('44'), rate('49'), rate('50', 1n, { until: 8 })],
    [rate('44', 2n, { from: 10 }), rate('1', 2n, { from: 10 })],
    { effective: 10 },
    ['1 10-:2', '44 0-10:1', '44 10-:2', '49 0-10:1', '50 0-8:1'],
  ],
  [
    'what would have begun by then never does',
    [rate('49', 1n, { until: 5 }), rate('49', 2n, { from: 10 }), rate('5', 1n, { from: 12 })],
    [],
    { effective: 10 },
    ['49 0-5:1'],
  ],
  [
    'merged from an instant on',
    [rate('44'), rate('49')],
    [rate('44', 2n, { from: 10 }), rate('1', 2n, { from: 10 })],
    { mode: 'merge', effective: 10 },
    ['1 10-:2', '44 0-10:1', '44 10-:2', '49 0-:1'],
  ],
  [
    'later ones go, also beyond the end of the new one',
    [rate('44', 1n, { until: 5 }), rate('44', 3n, { from: 15 }), rate('44', 4n, { from: 20 })],
    [rate('44', 2n, { from: 10, until: 12 })],
    { mode: 'merge' },
    ['44 0-5:1', '44 10-12:2'],
  ],
  [
    'the first of several decides',
    [rate('44', 1n)],
    [rate('44', 3n, { from: 20 }), rate('44', 2n, { from: 10 })],
    { mode: 'merge' },
    ['44 0-10:1', '44 10-20:2', '44 20-:3'],
  ],
  [
    'a period is apart from the base',
    [rate('44', 1n), rate('44', 2n, { period: 'peak' }), rate('44', 5n, { period: 'night' })],
    [rate('44', 3n, { period: 'peak' })],
    { mode: 'merge' },
    ['44 0-:1', '44 night 0-:5', '44 peak 0-:3'],
  ],
  [
    'what the deck has from later on stays until then, also when it replaces',
    [rate('44', 1n), rate('49', 1n)],
    [rate('44', 2n, { from: 10 })],
    {},
    ['44 0-10:1', '44 10-:2'],
  ],
]

t.test('from which instant a deck is in force', async t => {
  for (const [what, old, news, more, expected] of IMPORTS) {
    const { rates, bring, all, count } = await openWith(t, 'retail', () => 0)
    await rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO)
    await bring('retail', old)
    const before = await all('retail')
    const dry = await bring('retail', news, { ...more, dryRun: true })
    t.strictSame(await all('retail'), before, 'a dry run changes nothing')
    t.equal(count('deck'), 1)
    t.strictSame(await bring('retail', news, more), dry, 'and tells what will be')
    t.strictSame((await all('retail')).map(told), expected, what)
    t.equal((await rates.plan('retail'))?.rates, expected.length)
  }
})

/** Few prefixes, periods and instants, so that rates meet. */
const somewhere = fc
  .record({
    prefix: fc.constantFrom('', '4', '44', '49'),
    period: fc.constantFrom('', '', 'peak'),
    from: fc.nat(9),
    lasts: fc.option(fc.integer({ min: 1, max: 6 })),
  })
  .map(({ from, lasts, ...where }) => ({
    ...where,
    from,
    until: lasts === null ? null : from + lasts,
  }))

/** Those that can be in one plan. */
function consistent(some: ListedRate[]): ListedRate[] {
  const kept: ListedRate[] = []
  for (const one of some) {
    const others = kept.filter(
      ({ prefix, period }) => prefix === one.prefix && period === one.period,
    )
    const apart = others.every(({ from, until }) => {
      const end = until ?? Number.POSITIVE_INFINITY
      return end <= one.from || (one.until ?? Number.POSITIVE_INFINITY) <= from
    })
    if (apart) kept.push(one)
  }
  return kept
}

t.test('at every instant, an import leaves in force what it should', async t => {
  const { rates, bring, all, count } = await openWith(t, 'retail', () => 0)
  await rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO)
  const old = fc.array(somewhere, { maxLength: 12 })
  const how = fc.record({ mode: fc.constantFrom('merge', 'replace'), effective: fc.nat(9) })
  await fc.assert(
    fc.asyncProperty(old, old, how, async (before, after, { mode, effective }) => {
      const live = consistent(before.map((one, i) => rate(one.prefix, BigInt(i), one)))
      const news = consistent(after.map((one, i) => rate(one.prefix, BigInt(100 + i), one)))
      await bring('retail', [])
      await bring('retail', live)
      const dry = await bring('retail', news, { mode, effective, dryRun: true })
      assert.deepEqual(await bring('retail', news, { mode, effective }), dry)
      const now = await all('retail')
      assert.equal((await rates.plan('retail'))?.rates, now.length)
      assert.equal(count('rate'), now.length)
      for (const prefix of ['', '4', '44', '49']) {
        for (const period of ['', 'peak']) {
          const own = (some: ListedRate[]) =>
            some.filter(one => one.prefix === prefix && one.period === period)
          const first = Math.min(...own(news).map(one => one.from))
          for (let at = 0; at < 20; at++) {
            const kept = mode === 'merge' || first !== Number.POSITIVE_INFINITY || at < effective
            const due = at >= first ? own(news) : kept ? own(live) : []
            assert.deepEqual(
              own(now)
                .filter(one => isInForce(one, at))
                .map(one => one.perMinute),
              due.filter(one => isInForce(one, at)).map(one => one.perMinute),
            )
          }
        }
      }
    }),
    { numRuns: 60 },
  )
})

t.test('a deck that replaces another leaves the past behind', async t => {
  const old = [
    rate('1', 1n, { until: 9 }),
    rate('1', 2n, { from: 9 }),
    rate('2', 1n, { until: 10 }),
    rate('3', 1n, { until: 11 }),
    rate('4'),
  ]
  const merged = ['1 0-8:1', '1 8-:3', '2 0-10:1', '3 0-11:1', '4 0-:1']
  const cases: [ListedRate, Partial<ImportTerms>, string[], number][] = [
    [rate('1', 3n, { from: 8 }), {}, ['1 8-:3'], 2],
    [rate('1', 3n, { from: 10 }), {}, ['1 10-:3'], 2],
    [rate('1', 3n, { from: 20 }), {}, ['1 9-20:2', '1 20-:3'], 2],
    [rate('1', 3n), { effective: 10 }, ['1 0-:3'], 2],
    [rate('1', 3n), { effective: 11 }, ['1 0-:3', '3 0-11:1', '4 0-11:1'], 1],
    [rate('1', 3n, { from: 8 }), { mode: 'merge' }, merged, 0],
  ]
  for (const [one, more, expected, removed] of cases) {
    let now = 0
    const { bring, all } = await openWith(t, 'retail', () => now)
    await bring('retail', old)
    now = 10
    const { changes } = await bring('retail', [one], more)
    t.strictSame((await all('retail')).map(told), expected)
    t.match(changes, { dearer: 1, added: 0, removed }, 'it is compared with what is in force now')
  }
})

t.test('an import tells what it changes', async t => {
  const { bring } = await openWith(t, 'retail', () => 0)
  const old = [
    rate('1', 10n),
    rate('2', 10n),
    rate('3', 10n),
    rate('4', 10n, { description: 'four' }),
    rate('5', 0n, { blocked: true }),
    rate('6', 10n),
    rate('7', 10n, { from: 7 }),
    rate('8', 10n, { until: 5 }),
  ]
  await bring('retail', old)
  const news = [
    rate('1', 11n),
    rate('2', 2n),
    rate('3', 10n),
    rate('4', 10n, { description: 'vier' }),
    rate('5', 10n),
    rate('7', 10n),
    rate('8', 12n, { from: 6 }),
    rate('9', 10n),
  ]
  const { rates, changes } = await bring('retail', news, { dryRun: true })
  t.equal(rates, 8)
  const { largest, ...counts } = changes
  t.strictSame(counts, { added: 2, removed: 1, dearer: 1, cheaper: 1, otherwise: 3, same: 1 })
  t.strictSame(
    largest.map(({ before, after, difference }) => [
      before?.prefix ?? null,
      after?.prefix ?? null,
      difference,
    ]),
    [
      ['2', '2', -8n],
      ['1', '1', 1n],
      ['5', '5', null],
      ['6', null, null],
      [null, '8', null],
      [null, '9', null],
    ],
    'the largest changes of the price come first',
  )
  const merged = await bring('retail', [rate('3', 10n, { from: 9 }), rate('8', 10n, { from: 3 })], {
    ...{ mode: 'merge', dryRun: true },
  })
  t.match(merged.changes, { removed: 0, same: 1, otherwise: 1 })
  t.match(merged.changes.largest, [])
})

t.test('removed is what nothing takes the place of', async t => {
  const { bring } = await openWith(t, 'retail', () => 0)
  await bring('retail', [
    rate('1', 1n, { until: 5 }),
    rate('1', 2n, { from: 5 }),
    rate('2', 1n, { until: 5 }),
    rate('2', 2n, { from: 5, until: 9 }),
    rate('2', 3n, { from: 9 }),
  ])
  const counts = async (news: ListedRate[], more: Partial<ImportTerms>) => {
    const { changes } = await bring('retail', news, { ...more, dryRun: true })
    const { added, removed, dearer, cheaper, otherwise, same } = changes
    return { added, removed, dearer, cheaper, otherwise, same }
  }
  const none = { added: 0, removed: 0, dearer: 0, cheaper: 0, otherwise: 0, same: 0 }
  t.strictSame(await counts([], {}), { ...none, removed: 5 })
  t.strictSame(await counts([], { effective: 5 }), { ...none, removed: 3 })
  t.strictSame(await counts([], { mode: 'merge' }), none)
  const one = [rate('1', 5n, { from: 6 })]
  t.strictSame(await counts(one, { mode: 'merge' }), { ...none, dearer: 1 })
  t.strictSame(await counts(one, { effective: 9 }), { ...none, dearer: 1, removed: 1 })
  const all = [rate('1', 1n, { until: 5 }), rate('1', 1n, { from: 5 }), rate('2', 3n)]
  t.strictSame(await counts(all, {}), { ...none, same: 1, cheaper: 1, dearer: 1, removed: 2 })
})

t.test('of many changes the largest hundred are told', async t => {
  const { bring } = await openWith(t, 'retail')
  const some = (price: (i: number) => number) =>
    Array.from({ length: 5000 }, (_, i) => rate(`${10_000 + i}`, BigInt(price(i))))
  await bring(
    'retail',
    some(() => 100_000),
  )
  const shuffled = (i: number) => (i * 7919) % 5003
  const { changes } = await bring(
    'retail',
    some(i => 100_000 + (shuffled(i) % 2 === 0 ? 1 : -1) * shuffled(i)),
  )
  const told = changes.largest.map(({ difference }) => difference)
  const all = Array.from({ length: 5000 }, (_, i) => shuffled(i)).sort((a, b) => b - a)
  t.strictSame(
    told.map(one => Math.abs(Number(one))),
    all.slice(0, 100),
  )
  t.equal(changes.dearer + changes.cheaper + changes.same, 5000)
})

t.test('a merge reads only what lies near, and misses nothing', async t => {
  const { bring, rates } = await openWith(t, 'retail', () => 0)
  const live = Array.from({ length: 12_000 }, (_, i) => rate(`${100_000 + i}`, 5n))
  const many = Array.from({ length: 150 }, (_, i) =>
    rate('15', 5n, { from: i * 10, until: i * 10 + 9 }),
  )
  await bring('retail', [...live, ...many])
  for (const places of [[0], [11_999], [50, 99, 100, 101, 5000], [1, 2, 3, 2600, 11_000]]) {
    const news = places.map(i => rate(`${100_000 + i}`, 6n))
    const { changes } = await bring('retail', news, { mode: 'merge', dryRun: true })
    t.match(changes, { dearer: places.length, added: 0, removed: 0 }, places.join())
  }
  const { changes } = await bring('retail', [rate('15', 6n), rate('9', 6n)], {
    mode: 'merge',
  })
  t.match(changes, { added: 1, dearer: 1, removed: 149 })
  t.equal((await rates.plan('retail'))?.rates, 12_002)
})

t.test('while a deck comes in, the plan is edited, rated by and deleted', async t => {
  const { rates, count, book, find, add, bring, all } = await openWith(t, 'retail')
  await add('retail', rate('44', 7n))
  await book.reload()
  let finish = () => {}
  const finished = new Promise<void>(resolve => {
    finish = resolve
  })
  async function* slow() {
    yield [rate('1', 2n)]
    await finished
    yield [rate('2', 2n)]
  }
  const importing = rates.importRates('retail', slow(), terms({ mode: 'merge' }), WHO)
  await setImmediate()
  await add('retail', rate('45', 7n))
  await book.reload('retail')
  t.equal(find('retail', '1'), undefined)
  t.match(find('retail', '45'), { perMinute: 7n })
  await rates.createPlan('gold', WHO)
  await bring('gold', deck(3))
  finish()
  await importing
  await rates.deletePlan('gold', WHO)
  t.strictSame(prefixes(await all('retail')), ['1', '2', '44', '45'])

  const doomed = rates.importRates('retail', slow(), terms(), WHO)
  await rates.deletePlan('retail', WHO)
  await t.rejects(doomed, { code: 'unknown_plan' })
  t.equal(count('rate') + count('deck') + count('plan'), 0)
})

t.test('a period that goes while its rates come in', async t => {
  const { rates, count } = await openWith(t, 'retail')
  await rates.changePlan('retail', { periods: ALL_TERMS.periods }, WHO)
  async function* slow() {
    yield [rate('1', 2n, { period: 'peak' })]
    await rates.changePlan('retail', { periods: [] }, WHO)
  }
  await t.rejects(rates.importRates('retail', slow(), terms(), WHO), { code: 'unknown_period' })
  t.equal(count('rate'), 0)
  t.equal(count('deck'), 1)
})

t.test(
  'what a crash left of an import goes with the next one, but for what is coming in',
  async t => {
    const { bring, count, file } = await openWith(t, 'retail')
    const leave = (id: number, filledAt: number) => {
      file.database.exec(`INSERT INTO deck VALUES (${id}, 1, 0, ${filledAt}, 0)`)
      file.database.exec(`INSERT INTO rate VALUES (${id}, '44', '', 0, NULL, '', 1, 0, 1, 1, 0, 0)`)
    }
    const minutesAgo = (minutes: number) => (Date.now() - minutes * 60_000) * 1000
    leave(77, minutesAgo(11))
    leave(78, minutesAgo(9))
    await bring('retail', deck(3))
    t.equal(count('rate'), 4)
    t.strictSame(file.database.prepare('SELECT id FROM deck WHERE id < 79').pluck().all(), [78n])
  },
)

t.test('a process that is killed in the middle of an import leaves the old deck', async t => {
  const { path, bring, all, file, count, rates } = await openWith(t, 'retail')
  await bring('retail', deck(10, 7n))
  const before = await all('retail')
  const script = `
    const { RatesFile } = await import(${JSON.stringify(join(SRC, 'sqlite/rates-file.ts'))})
    const { SqliteRates } = await import(${JSON.stringify(join(SRC, 'sqlite/rates.ts'))})
    const rates = new SqliteRates(new RatesFile(${JSON.stringify(path)}))
    const one = ${JSON.stringify({ ...rate('1'), perMinute: 0, setup: 0 })}
    const deck = Array.from({ length: 300_000 }, (_, i) =>
      ({ ...one, prefix: String(1_000_000 + i), perMinute: 9n, setup: 0n }))
    async function* pieces() { yield deck }
    const terms = ${JSON.stringify(terms({ mode: 'merge' }))}
    await rates.importRates('retail', pieces(), terms, 'test')
    console.log('done')`
  const args = ['--import=tsx', '--input-type=module', '-e', script]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', text => {
    output += text
  })
  const gone = new Promise(resolve => child.once('close', resolve))
  const halfway = file.database.prepare('SELECT max(rates) FROM deck').pluck()
  while (child.exitCode === null && Number(halfway.get()) < 20_000) await setImmediate()
  child.kill('SIGKILL')
  await gone
  t.equal(output, '', 'it was not done')
  t.strictSame(await all('retail'), before)
  t.equal(count('deck'), 2)
  const book = await SqliteRateBook.open(rates)
  t.match(book.plan('retail')?.find('7919', 1), { perMinute: 7n })
  file.database.exec('UPDATE deck SET filled_at = 1')
  await bring('retail', deck(5, 8n), { mode: 'merge' })
  t.equal(count('rate'), 10)
  t.equal(count('deck'), 1)
})

t.test('two processes at the same file', async t => {
  const one = await openWith(t, 'retail')
  const other = await open(t, one.path)
  await one.bring('retail', deck(3000))

  const slowly = async function* (meanwhile: () => Promise<unknown>) {
    yield [rate('9999999', 5n)]
    await meanwhile()
  }
  const merged = one.rates.importRates(
    'retail',
    slowly(() => other.add('retail', rate('8888888', 5n))),
    terms({ mode: 'merge' }),
    WHO,
  )
  await merged
  t.equal((await one.rates.plan('retail'))?.rates, 3002, 'what came before its turn is kept')

  const read = one.file.committer.enqueue.bind(one.file.committer)
  let edited = 0
  one.file.committer.enqueue = run => {
    // As soon as the old rates are being copied, somebody else adds one.
    const add = `UPDATE deck SET changes = changes + 1 WHERE id = (SELECT deck_id FROM plan)`
    if (one.count('deck') === 2 && edited++ === 2) other.file.database.exec(add)
    return read(run)
  }
  await t.rejects(one.bring('retail', [rate('7777777')], { mode: 'merge' }), {
    name: 'LedgerError',
    code: 'unavailable',
    message: 'The plan retail was changed meanwhile: import again',
  })
  one.file.committer.enqueue = read
  t.equal(one.count('deck'), 1)
  t.equal((await one.rates.plan('retail'))?.rates, 3002)

  one.file.committer.enqueue = run => {
    other.file.database.exec(
      'UPDATE deck SET doomed = 1 WHERE id NOT IN (SELECT deck_id FROM plan)',
    )
    return read(run)
  }
  await t.rejects(one.bring('retail', deck(3)), {
    name: 'LedgerError',
    code: 'unavailable',
    message: 'The import took too long: start it again',
  })
  one.file.committer.enqueue = read
  t.equal((await one.rates.plan('retail'))?.rates, 3002, 'a deck that is swept is never taken')
})

t.test('fifty thousand rates go in and out', async t => {
  const { rates, book, find, bring } = await openWith(t, 'retail')
  const rows = deck(50_000)
  const turnsOf = async (work: () => Promise<unknown>) => {
    let turns = 0
    const ticking = setInterval(() => turns++, 0)
    await work()
    clearInterval(ticking)
    return turns
  }
  // Turns of the event loop: a part of that many rates has none in between.
  const turns = 50_000 / 2_000
  t.ok((await turnsOf(() => bring('retail', rows))) >= turns, 'others have their turn meanwhile')
  t.ok((await turnsOf(() => book.reload('retail'))) >= turns, 'here as well')
  t.match(await rates.plans(), [{ rates: 50_000 }])
  t.ok(rows.every(({ prefix }) => find('retail', prefix)?.prefix === prefix))
  t.strictSame(
    prefixes(await rates.rates('retail', { limit: 50_000 })),
    rows.map(({ prefix }) => prefix).sort(),
  )
})

t.test('the book finds the longest prefix, as of the last reload', async t => {
  const { rates, book, find, add } = await openWith(t, 'retail')
  await rates.createPlan('gold', WHO)
  await add('retail', rate('', 1n), rate('44', 2n), rate('447', 3n))
  t.equal(find('retail', '4479'), undefined, 'not before it is reloaded')
  await book.reload('retail')
  t.strictSame(find('retail', '4479'), rate('447', 3n))
  t.strictSame(find('retail', '4489'), rate('44', 2n))
  t.strictSame(find('retail', '1'), rate('', 1n))
  t.equal(find('gold', '4479'), undefined)
  t.equal(find('none', '4479'), undefined)
  await rates.deleteRate('retail', rate('447'), WHO)
  await add('gold', rate('4', 9n))
  t.equal(find('retail', '4479')?.prefix, '447')
  await book.reload()
  t.equal(find('retail', '4479')?.prefix, '44')
  t.match(find('gold', '4479'), { perMinute: 9n })
  await rates.deletePlan('gold', WHO)
  await book.reload('gold')
  t.equal(book.plan('gold'), undefined)
  await rates.deletePlan('retail', WHO)
  await book.reload()
  t.equal(book.plan('retail'), undefined)
})

t.test('the book has all that a plan says', async t => {
  const { rates, book, find, add } = await openWith(t, 'retail')
  await rates.createPlan('carrier', WHO)
  const untouched = book.plan('retail')
  await book.reload()
  t.equal(book.plan('retail'), untouched, 'what has not changed is not read')
  await rates.changePlan('retail', ALL_TERMS, WHO)
  await add('retail', rate('44', 1n), rate('44', 2n, { period: 'peak' }))
  await book.reload('retail')
  const { numbers, costPlan, refuseLoss } = ALL_TERMS
  t.match(book.plan('retail'), { name: 'retail', numbers, costPlan, refuseLoss })
  const monday = (time: string) => Date.parse(`2026-11-23T${time}+01:00`) * 1000
  t.equal(book.plan('retail')?.periodAt(monday('08:00')), 'peak')
  t.match(find('retail', '441', monday('07:59')), { perMinute: 1n })
  t.match(find('retail', '441', monday('08:00')), { perMinute: 2n })
  t.strictSame(book.plan('retail')?.changes('441', monday('07:30'), monday('08:30')), [
    monday('08:00'),
  ])
  await rates.changePlan('retail', { zone: 'UTC' }, WHO)
  await book.reload('retail')
  t.match(find('retail', '441', monday('08:59')), { perMinute: 1n })
})

t.test('reloads that overlap end with the last state', async t => {
  const { rates, book, find, bring } = await openWith(t, 'retail')
  await bring('retail', deck(9000, 1n))
  const first = book.reload('retail')
  await setImmediate()
  await bring('retail', deck(9000, 2n))
  const second = book.reload('retail')
  const third = book.reload('retail')
  await second
  t.match(find('retail', '7919'), { perMinute: 2n })
  await rates.deletePlan('retail', WHO)
  const last = book.reload('retail')
  await Promise.all([first, third, last])
  t.equal(find('retail', '7919'), undefined)
})

t.test('a call sees the old deck or the new one, whenever it looks', async t => {
  const { rates, book, find, bring } = await openWith(t, 'retail')
  const looked = ['7919', '15838', '23757', '712710'].map(String)
  const prices = () => new Set(looked.map(digits => find('retail', digits)?.perMinute))
  const rows = (price: bigint) => [...looked.map(one => rate(one, price)), rate('', price)]
  const more = Array.from({ length: 9000 }, (_, i) => `8${10_000 + i}`)
  const full = (price: bigint) => [...rows(price), ...more.map(one => rate(one, price))]
  await bring('retail', full(1n))
  await book.reload('retail')
  const mixed: unknown[] = []
  let looks = 0
  let over = false
  const calls = (async () => {
    while (!over) {
      if (prices().size !== 1) mixed.push([...prices()])
      looks += 1
      await setImmediate()
    }
  })()
  for (let price = 2n; price < 5n; price++) {
    await bring('retail', full(price), { mode: price === 3n ? 'merge' : 'replace' })
    await book.reload('retail')
    t.strictSame([...prices()], [price])
  }
  over = true
  await calls
  t.strictSame(mixed, [])
  t.ok(looks > 20, `${looks} looks`)
  t.equal((await rates.plan('retail'))?.rates, 9005)
})

t.test('a plan that changes while it is read is never seen mixed', async t => {
  const { rates, book, find, add, bring } = await openWith(t, 'retail')
  await bring(
    'retail',
    Array.from({ length: 9000 }, (_, i) => rate(`${10_000 + i}`)),
  )
  const reloaded = book.reload('retail')
  await setImmediate()
  await rates.deleteRate('retail', rate('10000'), WHO)
  await add('retail', rate('99999'))
  await reloaded
  const both = find('retail', '10000') && find('retail', '99999')
  t.equal(both, undefined, 'the one was gone before the other came')
  await book.reload('retail')
  t.equal(find('retail', '10000'), undefined)
  t.match(find('retail', '99999'), { perMinute: 1n })
})

t.test('what is added while a deck is merged is not lost', async t => {
  const { count, add, bring } = await openWith(t, 'retail')
  await bring('retail', deck(9000))
  let merging = true
  const merged = bring('retail', deck(5), { mode: 'merge' }).finally(() => {
    merging = false
  })
  let added = 0
  while (merging) {
    await Promise.all([add('retail', rate(`0${1e9 + added++}`)), setImmediate()])
  }
  await merged
  t.ok(added > 0)
  t.equal(count('rate'), 9000 + added)
})

t.test('every change is on record, with who made it, and stays there', async t => {
  const { rates, add, bring, file } = await openWith(t, 'retail')
  const begin = Date.now() * 1000
  await rates.changePlan('retail', { zone: 'Europe/Berlin', refuseLoss: true }, 'portal:eve')
  await rates.changePlan('retail', { zone: 'Europe/Berlin' }, 'portal:eve')
  const later = Date.UTC(2026, 11, 1) * 1000
  await add('retail', rate('44', 500_000n))
  await add('retail', rate('44', 600_000n, { from: later, until: later + 250_000 }))
  await rates.changeRate('retail', rate('44', 700_000n), WHO)
  await rates.deleteRate('retail', rate('44'), WHO)
  const more = { mode: 'merge', effective: later, source: 'carrier.csv' } as const
  await bring('retail', [rate('1'), rate('44', 5n, { from: later })], more)
  await t.rejects(rates.createPlan('retail', WHO))
  await bring('retail', [], { dryRun: true })
  await rates.deletePlan('retail', WHO)
  const records = await rates.audit({ limit: 99 })
  t.strictSame(
    records.map(({ action }) => action).toReversed(),
    [
      'plan.create',
      'plan.set',
      'rate.add',
      'rate.set',
      'rate.add',
      'rate.set',
      'rate.delete',
      'rate.import',
      'plan.delete',
    ],
    'the newest first; nothing for what was refused, changed nothing or was a dry run',
  )
  t.ok(records.every(({ subject }) => subject === 'plan retail'))
  t.ok(records.slice(0, -1).every(({ at }) => at >= begin && at <= Date.now() * 1000))
  const [, imported, deleted, changed, second, ended, first, set, created] = records
  t.match(created, { before: null, after: { name: 'retail', zone: 'UTC', periods: [] } })
  t.strictSame(
    [set?.actor, set?.before, set?.after],
    [
      'portal:eve',
      { zone: 'UTC', refuse_loss: false },
      { zone: 'Europe/Berlin', refuse_loss: true },
    ],
  )
  t.strictSame(first?.after, {
    prefix: '44',
    description: '',
    per_minute: '0.500000',
    setup: '0.000000',
    minimum: 60,
    increment: 1,
    free_s: 0,
    period: '',
    from: null,
    until: null,
    blocked: false,
  })
  t.match(ended, { before: { until: null }, after: { until: '2026-12-01T00:00:00Z' } })
  t.match(second, {
    before: null,
    after: { from: '2026-12-01T00:00:00Z', until: '2026-12-01T00:00:00.250000Z' },
  })
  t.match(changed, { before: { per_minute: '0.500000' }, after: { per_minute: '0.700000' } })
  t.match(deleted, { before: { per_minute: '0.700000' }, after: null })
  t.strictSame(imported?.before, { rates: 1 })
  t.strictSame(imported?.after, {
    ...{ mode: 'merge', effective: '2026-12-01T00:00:00Z', source: 'carrier.csv', rates: 2 },
    ...{ added: 1, removed: 0, dearer: 0, cheaper: 1, otherwise: 0, same: 0 },
  })
  t.match(records[0], { before: { name: 'retail', rates: 2 }, after: null })
  t.strictSame(await rates.audit({ actor: 'portal:eve', limit: 9 }), [set])
  t.strictSame(await rates.audit({ subject: 'plan gold', limit: 9 }), [])
  t.strictSame(await rates.audit({ limit: 2 }), records.slice(0, 2))
  const edit = (sql: string) => () => file.database.exec(sql)
  t.throws(edit("UPDATE audit SET actor = 'nobody'"), { message: /is never changed/ })
  t.throws(edit('DELETE FROM audit'), { message: /is never deleted/ })
})

t.test('a file of the first version keeps its rates', async t => {
  const path = join(t.testdir({}), 'rates.db')
  const old = new Sqlite(path)
  old.exec(readFileSync(join(SRC, 'sqlite/migrations/rates/0001-rates.sql'), 'utf8'))
  old.pragma(`application_id = ${0x546f5261}`)
  old.pragma('user_version = 1')
  old.exec(`
    INSERT INTO deck VALUES (3, 2, 9), (4, 0, 0), (5, 1, 0);
    INSERT INTO plan VALUES ('retail', 3), ('gold', 4);
    INSERT INTO rate VALUES (3, '44', 'UK', 5, 6, 60, 30), (3, '', '', 1, 0, 1, 1), (5, '1', '', 1, 0, 1, 1);`)
  old.close()
  const { rates, all, bring, count } = await open(t, path)
  t.match(await rates.plans(), [
    { name: 'gold', rates: 0 },
    { name: 'retail', rates: 2, zone: 'UTC', costPlan: null, numbers: E164_NUMBERS, periods: [] },
  ])
  t.strictSame(await all('retail'), [
    rate('', 1n, { minimum: 1 }),
    rate('44', 5n, { description: 'UK', setup: 6n, increment: 30 }),
  ])
  t.strictSame(await rates.audit({ limit: 9 }), [])
  await bring('gold', [rate('7')])
  t.equal(count('rate'), 3, 'what a crash left is gone')
  t.equal(count('deck'), 2)
})

t.test('rates cannot be written: nothing changes, and it is said', async t => {
  const { rates, file, count, add, bring, all } = await openWith(t, 'retail')
  await add('retail', rate('44'))
  file.database.pragma('query_only = ON')
  const unavailable = { name: 'LedgerError', code: 'unavailable', message: /is read-only/ }
  await t.rejects(add('retail', rate('45')), unavailable)
  await t.rejects(bring('retail', deck(3)), unavailable)
  t.match(
    await bring('retail', deck(3), { dryRun: true }),
    { rates: 3 },
    'a dry run writes nothing',
  )
  file.database.pragma('query_only = OFF')
  const pages = file.database.pragma('page_count', { simple: true })
  file.database.pragma(`max_page_count = ${pages}`)
  const full = { name: 'LedgerError', code: 'unavailable', message: /the disk is full/ }
  await t.rejects(bring('retail', deck(9000)), full)
  t.strictSame(prefixes(await all('retail')), ['44'])
  file.database.pragma('max_page_count = 100000')
  await bring('retail', deck(9000))
  t.equal(count('rate'), 9000)
  t.equal(count('deck'), 1)
  t.equal((await rates.plan('retail'))?.rates, 9000)
})
