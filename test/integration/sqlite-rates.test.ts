/** Plans and rates in SQLite, and the book in memory that calls are rated by. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { UNIT } from '../../src/money.js'
import type { Rate } from '../../src/rating/rate.js'
import { SqliteRateBook } from '../../src/sqlite/rate-book.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'
import { SortedRates } from '../../src/sqlite/sorted-rates.js'

const rate = (prefix: string, perMinute = 1n, more: Partial<Rate> = {}): Rate => ({
  prefix,
  description: '',
  perMinute,
  setup: 0n,
  minimum: 60,
  increment: 1,
  ...more,
})

/** As many different prefixes as that, in no order. */
const deck = (count: number, perMinute = 1n) =>
  Array.from({ length: count }, (_, i) => rate(`${(i * 7919) % 1_000_003}`, perMinute))

async function open(t: Test, path = join(t.testdir({}), 'rates.db')) {
  const file = new RatesFile(path)
  t.teardown(() => file.close())
  const rates = new SqliteRates(file)
  const count = (table: string) =>
    Number(file.database.prepare(`SELECT count(*) FROM ${table}`).pluck().get())
  return { file, path, rates, count }
}

/** With a plan of that name. */
async function openWith(t: Test, plan: string) {
  const opened = await open(t)
  await opened.rates.createPlan(plan)
  return { ...opened, book: await SqliteRateBook.open(opened.rates) }
}

const prefixes = (found: Rate[]) => found.map(one => one.prefix)

t.test('plans are created, listed and deleted', async t => {
  const { rates, count } = await open(t)
  t.strictSame(await rates.createPlan('retail'), { name: 'retail', rates: 0 })
  await rates.createPlan('a.b_c-9')
  await rates.addRate('retail', rate('44'))
  t.strictSame(await rates.plans(), [
    { name: 'a.b_c-9', rates: 0 },
    { name: 'retail', rates: 1 },
  ])
  await t.rejects(rates.createPlan('retail'), {
    name: 'BookError',
    code: 'plan_exists',
    message: 'There is already a plan retail',
  })
  for (const name of ['', '-x', 'a b', 'x'.repeat(65), 'ü']) {
    await t.rejects(rates.createPlan(name), { code: 'bad_input' }, name)
  }
  await rates.createPlan('x'.repeat(64))
  await rates.deletePlan('retail')
  await t.rejects(rates.deletePlan('retail'), { code: 'unknown_plan' })
  await t.rejects(rates.rates('retail', { limit: 1 }), {
    code: 'unknown_plan',
    message: 'There is no plan retail',
  })
  t.equal(count('rate'), 0, 'its rates are gone with it')
  t.equal(count('deck'), 2)
})

t.test('a rate is kept to the last digit', async t => {
  const { rates, path, file } = await open(t)
  await rates.createPlan('retail')
  const dear = rate('44', 1_000_000n * UNIT, {
    description: 'Großbritannien, "mobile"',
    setup: 1_000_000n * UNIT,
    minimum: 86_400,
    increment: 1,
  })
  await rates.addRate('retail', dear)
  await rates.addRate('retail', rate('', 0n))
  file.close()
  const again = await open(t, path)
  t.strictSame(await again.rates.rate('retail', '44'), dear)
  t.strictSame(await again.rates.rate('retail', ''), rate('', 0n))
  t.equal(await again.rates.rate('retail', '4'), undefined, 'not the longest: exactly this one')
  t.equal(await again.rates.rate('nobody', '44'), undefined)
})

t.test('a rate that cannot be is refused in a sentence', async t => {
  const { rates, count } = await openWith(t, 'retail')
  const cases: [Rate, RegExp][] = [
    [rate('44a'), /^"44a" is not a prefix: 0 to 32 digits$/],
    [rate('1'.repeat(33)), /is not a prefix/],
    [rate('44', -1n), /^The price per minute of prefix 44 is -0\.000001: it must be from 0 to/],
    [rate('44', 1_000_000n * UNIT + 1n), /^The price per minute/],
    [rate('', 1n, { setup: -1n }), /^The setup cost of the empty prefix is -0\.000001/],
    [rate('44', 1n, { minimum: 0 }), /^The minimum of prefix 44 is 0: it must be whole seconds/],
    [rate('44', 1n, { increment: 1.5 }), /^The increment of prefix 44 is 1\.5/],
    [rate('44', 1n, { increment: 86_401 }), /^The increment/],
    [rate('44', 1n, { minimum: Number.NaN }), /^The minimum/],
  ]
  for (const [bad, message] of cases) {
    await t.rejects(rates.addRate('retail', bad), { name: 'BookError', code: 'bad_input', message })
    await t.rejects(rates.importRates('retail', [rate('1'), bad], 'replace'), { message })
  }
  t.equal(count('rate'), 0)
  t.equal(count('deck'), 1)
})

t.test('the same prefix is in two plans, but not twice in one', async t => {
  const { rates, count } = await openWith(t, 'retail')
  await rates.createPlan('gold')
  await rates.addRate('retail', rate('44', 1n))
  await rates.addRate('gold', rate('44', 2n))
  await t.rejects(rates.addRate('retail', rate('44', 3n)), {
    code: 'rate_exists',
    message: 'The plan retail has a rate for prefix 44 already',
  })
  await t.rejects(rates.addRate('none', rate('44')), { code: 'unknown_plan' })
  await t.rejects(rates.deleteRate('retail', '4'), {
    code: 'unknown_rate',
    message: 'The plan retail has no rate for exactly prefix 4',
  })
  await t.rejects(rates.deleteRate('none', '44'), { code: 'unknown_plan' })
  await rates.deleteRate('retail', '44')
  t.match(await rates.rate('gold', '44'), { perMinute: 2n })
  t.strictSame(
    (await rates.plans()).map(plan => plan.rates),
    [1, 0],
  )
  t.equal(count('rate'), 1)
})

t.test('rates are listed in the order of prefixes, in pages', async t => {
  const { rates } = await openWith(t, 'retail')
  const uk = { description: 'United Kingdom' }
  for (const one of [rate('49'), rate('44', 1n, uk), rate(''), rate('447', 1n, uk), rate('5')]) {
    await rates.addRate('retail', one)
  }
  const list = async (filter: object) =>
    prefixes(await rates.rates('retail', { limit: 9, ...filter })).join(' ')
  t.equal(await list({}), ' 44 447 49 5')
  t.equal(await list({ limit: 2 }), ' 44')
  t.equal(await list({ after: '44', limit: 2 }), '447 49')
  t.equal(await list({ prefix: '4' }), '44 447 49')
  t.equal(await list({ prefix: '44', after: '44' }), '447')
  t.equal(await list({ search: 'KINGdom' }), '44 447')
  t.equal(await list({ search: '4' }), '44 447 49')
  t.equal(await list({ search: '%' }), '')
})

t.test('an import replaces a deck, all of it or nothing', async t => {
  const { rates, count, book } = await openWith(t, 'retail')
  await rates.addRate('retail', rate('44', 7n))
  t.equal(await rates.importRates('retail', deck(4500), 'replace'), 4500)
  t.strictSame(await rates.plans(), [{ name: 'retail', rates: 4500 }])
  t.equal(await rates.rate('retail', '44'), undefined)
  t.equal(count('rate'), 4500)
  await book.reload('retail')
  t.equal(book.find('retail', '7919')?.prefix, '7919')

  const twice = [...deck(4500, 2n), rate('7919', 3n)]
  await t.rejects(rates.importRates('retail', twice, 'replace'), {
    code: 'rate_exists',
    message: 'The deck has prefix 7919 twice',
  })
  async function* breaking() {
    yield* deck(2500, 2n)
    throw new Error('line 2501 is no rate')
  }
  await t.rejects(rates.importRates('retail', breaking(), 'replace'), { message: /line 2501/ })
  await t.rejects(rates.importRates('none', deck(1), 'replace'), { code: 'unknown_plan' })
  t.match(await rates.rate('retail', '7919'), { perMinute: 1n })
  t.equal(count('rate'), 4500, 'nothing is left of what was refused')
  t.equal(count('deck'), 1)

  t.equal(await rates.importRates('retail', [], 'replace'), 0)
  t.equal(count('rate'), 0)
})

t.test('an import is merged', async t => {
  const { rates, count } = await openWith(t, 'retail')
  await rates.importRates('retail', [rate('', 1n), ...deck(4500, 1n)], 'replace')
  const news = [rate('7919', 2n), rate('9999999', 2n), rate('12345678', 2n)]
  t.equal(await rates.importRates('retail', news, 'merge'), 3)
  t.match(await rates.rate('retail', '7919'), { perMinute: 2n })
  t.match(await rates.rate('retail', '9999999'), { perMinute: 2n })
  t.match(await rates.rate('retail', ''), { perMinute: 1n })
  t.strictSame(await rates.plans(), [{ name: 'retail', rates: 4503 }])
  t.equal(count('rate'), 4503)

  await rates.importRates('retail', [rate('')], 'replace')
  await rates.importRates('retail', [rate('1')], 'merge')
  t.strictSame(prefixes(await rates.rates('retail', { limit: 9 })), ['', '1'])
})

t.test('while a deck comes in, the plan is edited, rated by and deleted', async t => {
  const { rates, count, book } = await openWith(t, 'retail')
  await rates.addRate('retail', rate('44', 7n))
  await book.reload()
  let finish = () => {}
  const finished = new Promise<void>(resolve => {
    finish = resolve
  })
  async function* slow() {
    yield rate('1', 2n)
    await finished
    yield rate('2', 2n)
  }
  const importing = rates.importRates('retail', slow(), 'merge')
  await setImmediate()
  await rates.addRate('retail', rate('45', 7n))
  await book.reload('retail')
  t.equal(book.find('retail', '1'), undefined)
  t.match(book.find('retail', '45'), { perMinute: 7n })
  await rates.createPlan('gold')
  await rates.importRates('gold', deck(3), 'replace')
  t.equal(count('deck'), 3, 'the one that comes in is not swept away')
  finish()
  await importing
  await rates.deletePlan('gold')
  t.strictSame(prefixes(await rates.rates('retail', { limit: 9 })), ['1', '2', '44', '45'])

  const doomed = rates.importRates('retail', slow(), 'replace')
  await rates.deletePlan('retail')
  await t.rejects(doomed, { code: 'unknown_plan' })
  t.equal(count('rate') + count('deck') + count('plan'), 0)
})

t.test('what a crash left of an import goes with the next one', async t => {
  const { rates, count, file } = await openWith(t, 'retail')
  file.database.exec('INSERT INTO deck (id, rates, changes) VALUES (77, 0, 0)')
  file.database.exec("INSERT INTO rate VALUES (77, '44', '', 1, 0, 1, 1)")
  await rates.importRates('retail', deck(3), 'replace')
  t.equal(count('deck'), 1)
  t.equal(count('rate'), 3)
})

t.test('the event loop goes on during an import and a reload', async t => {
  const { rates, book } = await openWith(t, 'retail')
  let longest = 0
  let last = performance.now()
  const ticking = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 1)
  const rows = deck(100_000)
  last = performance.now()
  await rates.importRates('retail', rows, 'replace')
  await book.reload('retail')
  await setImmediate()
  clearInterval(ticking)
  t.match(await rates.plans(), [{ rates: 100_000 }])
  t.ok(longest < 400, `nothing else waited for more than ${Math.round(longest)} ms`)
})

t.test('the book finds the longest prefix, as of the last reload', async t => {
  const { rates, book } = await openWith(t, 'retail')
  await rates.createPlan('gold')
  for (const one of [rate('', 1n), rate('44', 2n), rate('447', 3n)]) {
    await rates.addRate('retail', one)
  }
  t.equal(book.find('retail', '4479'), undefined, 'not before it is reloaded')
  await book.reload('retail')
  t.strictSame(book.find('retail', '4479'), rate('447', 3n))
  t.strictSame(book.find('retail', '4489'), rate('44', 2n))
  t.strictSame(book.find('retail', '1'), rate('', 1n))
  t.equal(book.find('gold', '4479'), undefined)
  t.equal(book.find('none', '4479'), undefined)
  await rates.deleteRate('retail', '447')
  await rates.addRate('gold', rate('4', 9n))
  t.equal(book.find('retail', '4479')?.prefix, '447')
  await book.reload()
  t.equal(book.find('retail', '4479')?.prefix, '44')
  t.match(book.find('gold', '4479'), { perMinute: 9n })
  await rates.deletePlan('gold')
  await book.reload('gold')
  t.equal(book.find('gold', '4479'), undefined)
  await rates.deletePlan('retail')
  await book.reload()
  t.equal(book.find('retail', '4479'), undefined)
})

t.test('reloads that overlap end with the last state', async t => {
  const { rates, book } = await openWith(t, 'retail')
  await rates.importRates('retail', deck(9000, 1n), 'replace')
  const first = book.reload('retail')
  await setImmediate()
  await rates.importRates('retail', deck(9000, 2n), 'replace')
  const second = book.reload('retail')
  const third = book.reload('retail')
  await second
  t.match(book.find('retail', '7919'), { perMinute: 2n })
  await rates.deletePlan('retail')
  const last = book.reload('retail')
  await Promise.all([first, third, last])
  t.equal(book.find('retail', '7919'), undefined)
})

t.test('a plan that changes while it is read is never seen mixed', async t => {
  const { rates, book } = await openWith(t, 'retail')
  const rows = Array.from({ length: 9000 }, (_, i) => rate(`${10_000 + i}`))
  await rates.importRates('retail', rows, 'replace')
  const reloaded = book.reload('retail')
  await setImmediate()
  await rates.deleteRate('retail', '10000')
  await rates.addRate('retail', rate('99999'))
  await reloaded
  const both = book.find('retail', '10000') && book.find('retail', '99999')
  t.equal(both, undefined, 'the one was gone before the other came')
  await book.reload('retail')
  t.equal(book.find('retail', '10000'), undefined)
  t.match(book.find('retail', '99999'), { perMinute: 1n })
})

t.test('what is added while a deck is merged is not lost', async t => {
  const { rates, count } = await openWith(t, 'retail')
  await rates.importRates('retail', deck(9000), 'replace')
  let merging = true
  const merged = rates.importRates('retail', deck(5), 'merge').finally(() => {
    merging = false
  })
  let added = 0
  while (merging) {
    await Promise.all([rates.addRate('retail', rate(`0${1e9 + added++}`)), setImmediate()])
  }
  await merged
  t.ok(added > 0)
  t.equal(count('rate'), 9000 + added)
})

t.test('sorting in buckets is sorting', async t => {
  const digits = fc.stringMatching(/^[0-2]{0,7}$/)
  fc.assert(
    fc.property(fc.uniqueArray(digits), fc.integer({ min: 1, max: 5 }), (some, length) => {
      const sorted = new SortedRates()
      for (const prefix of some) sorted.add(rate(prefix))
      const pieces = [...sorted.pieces(length)]
      const found = prefixes(pieces.flat())
      const even = pieces.slice(0, -1).every(piece => piece.length === length)
      return even && found.join() === [...some].sort().join()
    }),
  )
  t.pass('whatever the prefixes')
})

t.test('rates cannot be written: nothing changes, and it is said', async t => {
  const { rates, file, count } = await openWith(t, 'retail')
  await rates.addRate('retail', rate('44'))
  file.database.pragma('query_only = ON')
  const unavailable = { name: 'LedgerError', code: 'unavailable', message: /is read-only/ }
  await t.rejects(rates.addRate('retail', rate('45')), unavailable)
  await t.rejects(rates.importRates('retail', deck(3), 'replace'), unavailable)
  file.database.pragma('query_only = OFF')
  const pages = file.database.pragma('page_count', { simple: true })
  file.database.pragma(`max_page_count = ${pages}`)
  const full = { name: 'LedgerError', code: 'unavailable', message: /the disk is full/ }
  await t.rejects(rates.importRates('retail', deck(9000), 'replace'), full)
  t.strictSame(prefixes(await rates.rates('retail', { limit: 9 })), ['44'])
  file.database.pragma('max_page_count = 100000')
  await rates.importRates('retail', deck(9000), 'replace')
  t.equal(count('rate'), 9000)
  t.equal(count('deck'), 1)
})
