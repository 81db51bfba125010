/** The limits of an account, in every ledger: each by itself, and each under a race. */
import fc from 'fast-check'
import type { Test } from 'tap'
import { type AccountChanges, DEFAULT_TERMS } from '../../src/ledger/books.js'
import type { Held } from '../../src/ledger/ledger.js'
import { parseMoney } from '../../src/money.js'
import { tariffOf } from '../../src/rating/tariff.js'
import { ENDING, leg, request, settlement, TARIFF } from '../support/requests.js'
import type { Books } from './ledger-contract.js'

const one = parseMoney('1')

/** 2026-11-23T12:00Z, a Monday. */
const NOON = Date.UTC(2026, 10, 23, 12) * 1000
const HOUR = 3_600_000_000

export type OpenAt = (t: Test, now: () => number) => Promise<Books>

/** Books in which alice has 1000 and some limits, and a clock that can be moved. */
async function withLimits(t: Test, open: OpenAt, limits: AccountChanges) {
  const clock = { now: NOON }
  const books = await open(t, () => clock.now)
  const account = { ...DEFAULT_TERMS, ...limits, code: 'alice', plan: 'retail', actor: 'test' }
  await books.accounts.create({ ...account, credit: one * 1000n })
  return { ...books, clock }
}

type Limited = Awaited<ReturnType<typeof withLimits>>

/** So many calls at once, each for `total`; the answers, and what was asked is answered again alike. */
async function race({ ledger }: Limited, calls: number, total: bigint, atLeast = total) {
  const asked = Array.from({ length: calls }, (_, i) => request(`c${i}`, total, { atLeast }))
  const answers = await Promise.all(asked.map(one => ledger.hold(one)))
  const through = answers.filter(answer => raises(answer) > 0)
  const refused = answers.filter(answer => raises(answer) === 0)
  return { through, reasons: new Set(refused.map(reason)), refused: refused.length }
}

const raises = (answer: Held) => (answer.status === 'held' ? answer.raises : 0)
const reason = (answer: Held) => (answer.status === 'held' ? answer.reason : answer.status)
const amount = (answer: Held) => (answer.status === 'held' ? answer.held : 0n)

export async function limitsContract(t: Test, open: OpenAt) {
  await admission(t, open)
  await spending(t, open)
  await days(t, open)
}

async function admission(t: Test, open: OpenAt) {
  t.test('no more calls at the same time than allowed, in a race', async t => {
    const books = await withLimits(t, open, { maxCalls: 7 })
    const { through, reasons } = await race(books, 200, one, 0n)
    t.equal(through.length, 7)
    t.strictSame(reasons, new Set(['max_calls']))
    t.match(await books.accounts.find('alice'), { liveCalls: 7, held: one * 7n })
    t.match(await books.ledger.hold(request('c0', one * 2n)), { raises: 2 }, 'those may go on')
    await books.ledger.settle(settlement('c0', one))
    t.match(await books.accounts.find('alice'), { liveCalls: 6 })
    t.match(await books.ledger.hold(request('next', one)), { raises: 1 }, 'and make room')
    t.match(await books.ledger.hold(request('over', one)), { raises: 0, reason: 'max_calls' })
    t.strictSame((await books.auditor.verify()).problems, [])
  })

  t.test('a free call is a call as well', async t => {
    const books = await withLimits(t, open, { maxCalls: 0 })
    t.match(await books.ledger.hold(request('c0', 0n)), { raises: 0, reason: 'max_calls' })
  })

  t.test('no more calls in a second than allowed, in a race', async t => {
    const books = await withLimits(t, open, { maxCallsPerSecond: 3 })
    const { through, reasons } = await race(books, 50, one)
    t.equal(through.length, 3)
    t.strictSame(reasons, new Set(['max_calls_per_second']))
    const at = (createdAt: number) => ({ leg: { ...leg(`at ${createdAt}`), createdAt } })
    const early = await books.ledger.hold(request('', one, at(1_499_999)))
    t.match(early, { raises: 0, reason: 'max_calls_per_second' })
    t.match(await books.ledger.hold(request('', one, at(1_500_000))), { raises: 1 })
    t.match(await books.ledger.hold(request('c0', one * 2n)), { raises: 2 }, 'a raise is no call')
  })

  t.test('no more calls in a second than allowed, where many are', async t => {
    const books = await withLimits(t, open, { maxCallsPerSecond: 1200 })
    const { through, reasons } = await race(books, 1500, 1n)
    t.equal(through.length, 1200)
    t.strictSame(reasons, new Set(['max_calls_per_second']))
  })

  t.test('no more calls in a second than allowed, in whatever order they are heard of', async t => {
    const { ledger } = await withLimits(t, open, { maxCallsPerSecond: 2 })
    const hold = (createdAt: number, name = 'fs1') => {
      const created = { ...leg(`${name} ${createdAt}`), switch: name, createdAt }
      return ledger.hold(request('', one, { leg: created }))
    }
    const none = { raises: 0, reason: 'max_calls_per_second' }
    t.match(await hold(30_400_000), { raises: 1 })
    t.match(await hold(30_600_000), { raises: 1 })
    t.match(await hold(29_700_000), none, 'late: with it there were three in the second to 30.6')
    t.match(await hold(29_600_000), { raises: 1 }, 'just before that second')
    t.match(await hold(90_000_000, 'fs2'), { raises: 1 }, 'a switch whose clock is ahead')
    t.match(await hold(30_500_000), none, 'does not make the other forget')
  })

  t.test('a call that is refused for another reason does not count as one', async t => {
    const books = await withLimits(t, open, { maxCallsPerSecond: 1 })
    const dear = request('c0', one * 2000n, { atLeast: one * 2000n })
    t.match(await books.ledger.hold(dear), { raises: 0, reason: 'no_credit' })
    t.match(await books.ledger.hold(request('c1', one)), { raises: 1 })
  })

  t.test('nothing dearer a minute than allowed', async t => {
    const books = await withLimits(t, open, { maxPerMinute: one })
    const at = (perMinute: bigint) => tariffOf('retail', '44', { ...TARIFF.rate, perMinute })
    const dear = request('c0', one, { tariff: at(one + 1n) })
    t.match(await books.ledger.hold(dear), { raises: 0, reason: 'max_per_minute' })
    t.match(await books.ledger.hold(request('c1', one, { tariff: at(one) })), { raises: 1 })
    const later = [{ ...at(one + 1n), from: NOON }]
    const soon = request('c2', one, { tariff: { ...at(one), later } })
    t.match(await books.ledger.hold(soon), { raises: 0, reason: 'max_per_minute' })
  })
}

async function spending(t: Test, open: OpenAt) {
  t.test('a call may not cost more than allowed', async t => {
    const books = await withLimits(t, open, { maxSpendPerCall: one * 3n })
    const { ledger } = books
    t.match(await ledger.hold(request('c0', one * 2n)), { held: one * 2n, reason: null })
    const limited = { held: one * 3n, raises: 2, reason: 'max_spend_per_call' }
    t.match(await ledger.hold(request('c0', one * 4n)), limited)
    t.match(await ledger.hold(request('c0', one * 5n)), limited)
    const more = request('c1', one * 4n, { atLeast: one * 4n })
    t.match(await ledger.hold(more), { raises: 0, reason: 'max_spend_per_call' })
    t.match(await ledger.hold(request('c2', one * 3n)), { raises: 1, reason: null })
  })

  t.test('calls together may not cost more than allowed on a day, in a race', async t => {
    const books = await withLimits(t, open, { maxSpendPerDay: one * 10n + 5n })
    const { through, reasons } = await race(books, 100, one * 3n, one)
    t.strictSame(
      through.map(amount),
      [one * 3n, one * 3n, one * 3n, one + 5n],
      'the last one gets what is left',
    )
    t.equal(reason(through.at(-1)!), 'max_spend_per_day')
    t.strictSame(reasons, new Set(['max_spend_per_day']))
    const raise = await books.ledger.hold(request('c0', one * 4n))
    t.match(raise, { held: one * 3n, raises: 1, reason: 'max_spend_per_day' })
    await books.ledger.settle(settlement('c0', one))
    t.match(await books.accounts.find('alice'), { spentToday: one, held: one * 7n + 5n })
    const rest = await books.ledger.hold(request('rest', one * 9n))
    t.match(rest, { held: one * 2n, reason: 'max_spend_per_day' }, 'what was released')
    t.strictSame((await books.auditor.verify()).problems, [])
  })

  t.test('the tightest limit says why', async t => {
    const limits = { maxSpendPerDay: one * 5n, maxSpendPerCall: one * 4n }
    const books = await withLimits(t, open, limits)
    const { ledger, accounts } = books
    t.match(await ledger.hold(request('c0', one * 9n)), { reason: 'max_spend_per_call' })
    t.match(await ledger.hold(request('c1', one * 9n)), { held: one, reason: 'max_spend_per_day' })
    await accounts.change('alice', { maxSpendPerDay: null }, 'test')
    await accounts.post({
      ...{ account: 'alice', kind: 'adjustment', amount: -one * 995n, reference: 'r' },
      ...{ actor: 'test', reason: '' },
    })
    t.match(await ledger.hold(request('c1', one * 9n)), { held: one, reason: 'no_credit' })
  })

  t.test('a limit that is lowered takes nothing away, and grants nothing', async t => {
    const books = await withLimits(t, open, {})
    const { ledger, accounts } = books
    await ledger.hold(request('c0', one * 9n))
    const lower = { maxSpendPerDay: one, maxSpendPerCall: one, maxCalls: 0 }
    await accounts.change('alice', lower, 'test')
    t.match(await ledger.hold(request('c0', one * 10n)), { held: one * 9n, raises: 1 })
    t.match(await ledger.hold(request('free', 0n)), { raises: 0, reason: 'max_calls' })
    await accounts.change('alice', { maxCalls: null }, 'test')
    t.match(await ledger.hold(request('free', 0n)), { raises: 1 }, 'a free call spends nothing')
    t.match(await ledger.settle(settlement('c0', one * 9n)), { cost: one * 9n })
    t.strictSame((await books.auditor.verify()).problems, [])
  })
}

async function days(t: Test, open: OpenAt) {
  const spend = async ({ ledger }: Limited, id: string, cost: bigint) => {
    await ledger.hold(request(id, cost))
    await ledger.settle(settlement(id, cost, { ending: ENDING }))
  }

  t.test('a day ends at midnight in the time zone of the account', async t => {
    const limits = { maxSpendPerDay: one * 5n, timeZone: 'Europe/Berlin' }
    const books = await withLimits(t, open, limits)
    await spend(books, 'c0', one * 4n)
    t.match(await books.ledger.hold(request('c1', one * 9n)), { held: one })
    books.clock.now = NOON + 11 * HOUR - 1
    t.match(await books.accounts.find('alice'), { spentToday: one * 4n }, 'a µs before midnight')
    const more = request('c2', one, { atLeast: 1n })
    t.match(await books.ledger.hold(more), { raises: 0, reason: 'max_spend_per_day' })
    books.clock.now = NOON + 11 * HOUR
    t.match(await books.accounts.find('alice'), { spentToday: 0n }, 'midnight in Berlin')
    t.match(await books.ledger.hold(request('c2', one * 9n)), { held: one * 4n }, 'c1 is live')
    await spend(books, 'c1', one)
    t.match(await books.accounts.find('alice'), { spentToday: one })
    t.strictSame((await books.auditor.verify()).problems, [])
  })

  t.test('a day that comes again, because our clock was put back, is not a new one', async t => {
    const books = await withLimits(t, open, { maxSpendPerDay: one * 5n })
    await spend(books, 'c0', one * 4n)
    books.clock.now = NOON + 12 * HOUR
    await spend(books, 'c1', one * 3n)
    books.clock.now = NOON + 12 * HOUR - 1
    t.match(await books.ledger.hold(request('c2', one * 5n)), { held: one }, 'of yesterday')
    t.match(await books.accounts.find('alice'), { spentToday: one * 4n })
    await books.ledger.settle(settlement('c2', one))
    books.clock.now = NOON + 13 * HOUR
    await spend(books, 'c3', one)
    t.match(await books.accounts.find('alice'), { spentToday: one * 4n }, 'of c1 and c3')
    t.match(await books.ledger.hold(request('c4', one * 5n)), { held: one })
    t.strictSame((await books.auditor.verify()).problems, [])
  })

  t.test('in another time zone it is another day', async t => {
    const books = await withLimits(t, open, { timeZone: 'UTC' })
    await spend(books, 'c0', one)
    books.clock.now = NOON + 6 * HOUR
    await spend(books, 'c1', one * 2n)
    const change = (timeZone: string) => books.accounts.change('alice', { timeZone }, 'test')
    t.match(await change('Asia/Tokyo'), { spentToday: one * 2n }, 'c0 was yesterday in Tokyo')
    t.match(await change('America/New_York'), { spentToday: one * 3n })
    t.strictSame((await books.auditor.verify()).problems, [])
  })

  t.test('whatever clocks and time zones do, a day is what its calls cost', async t => {
    const zones = ['UTC', 'Asia/Tokyo', 'America/New_York', 'Pacific/Kiritimati'] as const
    const steps = fc.oneof(
      fc.record({ hours: fc.constantFrom(-30, -7, -1, 1, 6, 26) }),
      fc.record({ timeZone: fc.constantFrom(...zones) }),
      fc.record({ cost: fc.bigInt(1n, 9n) }),
    )
    const property = fc.asyncProperty(fc.array(steps, { maxLength: 25 }), async all => {
      const books = await withLimits(t, open, { maxSpendPerDay: one })
      const calls: { at: number; cost: bigint }[] = []
      let timeZone: string = 'UTC'
      for (const [i, step] of all.entries()) {
        if ('hours' in step) books.clock.now += step.hours * HOUR
        else if ('timeZone' in step) {
          timeZone = step.timeZone
          await books.accounts.change('alice', { timeZone }, 'test')
        } else {
          await spend(books, `c${i}`, step.cost)
          calls.push({ at: books.clock.now, cost: step.cost })
        }
        const dateOf = (at: number) =>
          new Intl.DateTimeFormat('en-CA', { timeZone }).format(at / 1000)
        const ofToday = calls.filter(({ at }) => dateOf(at) === dateOf(books.clock.now))
        const spentToday = ofToday.reduce((sum, { cost }) => sum + cost, 0n)
        // It is only looked at where a call asks, or ends.
        const asked = await books.ledger.hold(request(`ask${i}`, one * 2n))
        const hold = one - spentToday
        if (asked.status !== 'held' || asked.held !== hold) throw new Error(`${hold} was left`)
        await books.ledger.release(`ask${i}`)
      }
      const { problems } = await books.auditor.verify()
      if (problems.length > 0) throw new Error(problems.join('; '))
    })
    await t.resolves(fc.assert(property, { numRuns: 60 }))
  })

  t.test('days on which clocks are changed have 23 and 25 hours', async t => {
    const books = await withLimits(t, open, { maxSpendPerDay: one * 5n, timeZone: 'Europe/Berlin' })
    const { clock, accounts, ledger } = books
    const spentToday = async () => (await accounts.find('alice'))!.spentToday
    const at = (iso: string) => {
      clock.now = Date.parse(iso) * 1000
    }
    at('2027-03-27T23:00Z')
    await spend(books, 'c0', one)
    at('2027-03-28T21:59Z')
    t.equal(await spentToday(), one, 'a minute before midnight')
    t.match(await ledger.hold(request('c1', one * 9n)), { held: one * 4n })
    await ledger.settle(settlement('c1', one))
    at('2027-03-28T22:00Z')
    t.equal(await spentToday(), 0n, 'a day of 23 hours')
    t.match(await ledger.hold(request('c2', one * 9n)), { held: one * 5n })
    await ledger.settle(settlement('c2', one))

    at('2027-10-30T22:00Z')
    await spend(books, 'c3', one * 2n)
    at('2027-10-31T22:59Z')
    t.equal(await spentToday(), one * 2n, 'a day of 25 hours, a minute before midnight')
    await accounts.change('alice', { timeZone: 'UTC' }, 'test')
    t.equal(await spentToday(), 0n)
    await accounts.change('alice', { timeZone: 'Europe/Berlin' }, 'test')
    t.equal(await spentToday(), one * 2n, 'added up anew, from its first hour on')
    t.match(await ledger.hold(request('c4', one * 9n)), { held: one * 3n })
    at('2027-10-31T23:00Z')
    t.equal(await spentToday(), 0n)
    t.strictSame((await books.auditor.verify()).problems, [])
  })

  t.test('a refund does not make room on the day', async t => {
    const books = await withLimits(t, open, { maxSpendPerDay: one })
    await spend(books, 'c0', one)
    const refund = { callId: 'c0', amount: null, reference: 'r', actor: 'test', reason: '' }
    await books.accounts.refund(refund)
    t.match(await books.ledger.hold(request('c1', one)), { reason: 'max_spend_per_day' })
  })
}
