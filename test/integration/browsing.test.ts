/** The books as people look through them: pages in any order, totals, and the record of a call. */
import { join } from 'node:path'
import t from 'tap'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import { ACCOUNT_ORDERS } from '../../src/ledger/browsing.js'
import { parseMoney } from '../../src/money.js'
import { tariffOf } from '../../src/rating/tariff.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteAuditTrail } from '../../src/sqlite/audit-trail.js'
import { SqliteBrowsing } from '../../src/sqlite/browsing.js'
import { SqliteCdrs } from '../../src/sqlite/cdrs.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { RATE } from '../support/site.js'

const NOW = 1_795_000_000_000_000
const HOUR = 3_600_000_000

function openBooks(dir: string, now = () => NOW) {
  const path = join(dir, 'ledger.db')
  const file = new LedgerFile(path, { now })
  const beside = new LedgerFile(path, { readonly: true })
  const close = () => {
    beside.close()
    file.close()
  }
  const ledger = new SqliteLedger(file)
  return {
    file,
    ledger,
    accounts: new SqliteAccounts(file),
    browsing: new SqliteBrowsing(beside),
    close,
  }
}

t.test('accounts, a page at a time, in every order and both ways', async t => {
  const { accounts, browsing, close } = openBooks(t.testdir())
  t.teardown(close)
  const names = ['Zoë', 'ändern', 'Bee_100%', 'bee', 'Bee', 'last', '']
  for (const [i, name] of names.entries()) {
    // Several have the same balance: the code decides then.
    const terms = { ...DEFAULT_TERMS, plan: i % 2 ? 'retail' : 'business', name }
    const low = { lowBalance: i === 3 ? parseMoney('100') : null, creditLimit: BigInt(i % 3) }
    const credit = parseMoney(String(1 + (i % 3)))
    await accounts.create({ ...terms, ...low, code: `C${i}`, credit, actor: 'test' })
  }
  for (const order of ACCOUNT_ORDERS) {
    for (const descending of [false, true]) {
      const whole = await browsing.accounts({ order, descending, limit: 100 })
      const paged: string[] = []
      for (let after: string | undefined; ; ) {
        const page = await browsing.accounts({
          order,
          descending,
          limit: 2,
          ...(after && { after }),
        })
        if (page.length === 0) break
        paged.push(...page.map(({ code }) => code))
        after = page.at(-1)!.code
      }
      const codes = whole.map(({ code }) => code)
      t.strictSame(paged, codes, `${order}${descending ? ', turned round' : ''}`)
      t.equal(codes.length, names.length)
    }
  }
  const byBalance = await browsing.accounts({ order: 'balance', descending: true, limit: 3 })
  t.strictSame(
    byBalance.map(({ code }) => code),
    ['C5', 'C2', 'C4'],
  )
  const found = async (search: string) =>
    (await browsing.accounts({ search, order: 'code', descending: false, limit: 9 })).map(
      a => a.code,
    )
  t.strictSame(await found('BEE'), ['C2', 'C3', 'C4'], 'whatever the case')
  t.strictSame(await found('_100%'), ['C2'], 'signs that mean something to SQL mean themselves')
  t.strictSame(await found('ÄNDERN'), ['C1'], 'beyond ASCII, too')
  t.strictSame(await found('c5'), ['C5'], 'by code')
  t.strictSame(await found('\\'), [])
  const low = await browsing.accounts({ low: true, order: 'code', descending: false, limit: 9 })
  t.strictSame(
    low.map(({ code }) => code),
    ['C3'],
  )
  const plan = { plan: 'retail', order: 'code', descending: false, limit: 9 } as const
  t.strictSame(
    (await browsing.accounts(plan)).map(({ code }) => code),
    ['C1', 'C3', 'C5'],
  )
  t.equal(await browsing.accountCount(), names.length)
})

t.test('the totals of a filter are those of the list', async t => {
  const { file, browsing, close } = openBooks(t.testdir())
  t.teardown(close)
  const insert =
    file.database.prepare(`INSERT INTO cdr (leg_id, account, switch, core_uuid, dialled, number,
      created_at, answered_at, ended_at, billed_s, outcome, cause, cost, held, write_off, carrier_cost)
    VALUES (@id, @account, 's', 'c', '44', @number, 0, @answered, @ended, 60, @outcome, 'X', @cost, @cost, 1, 2)`)
  // Over months, with hours and weeks in which there are none.
  for (let i = 0; i < 300; i++) {
    const answered = i % 4 === 0 ? null : NOW + i
    const outcome = i % 5 === 0 ? 'refused' : 'completed'
    const ended = NOW + Math.floor(i ** 2.2) * 60_000_000
    const account = i % 3 === 0 ? 'A' : 'B'
    const number = i % 2 ? '4420' : '491'
    insert.run({ id: `leg-${i}`, account, number, answered, ended, outcome, cost: i })
  }
  const cdrs = new SqliteCdrs(file)
  for (const filter of [
    {},
    { account: 'A' },
    { outcome: 'refused' },
    { number: '44' },
    { from: NOW + 3 * HOUR },
    { until: NOW + 40 * HOUR + 1 },
    { account: 'B', from: NOW + HOUR, until: NOW + 900 * HOUR, number: '4' },
    { account: 'nobody' },
  ] as const) {
    const listed = await cdrs.list({ ...filter, limit: 1_000 })
    const { calls, answered, cost, billedS, writeOff, carrierCost } =
      await browsing.cdrTotals(filter)
    t.strictSame(
      { calls, answered, cost, billedS, writeOff, carrierCost },
      {
        calls: listed.length,
        answered: listed.filter(cdr => cdr.answeredAt !== null).length,
        cost: listed.reduce((sum, cdr) => sum + cdr.cost, 0n),
        billedS: listed.length * 60,
        writeOff: BigInt(listed.length),
        carrierCost: BigInt(listed.length) * 2n,
      },
      JSON.stringify(filter),
    )
  }
})

t.test('all that the books have of a call', async t => {
  const { file, ledger, accounts, browsing, close } = openBooks(t.testdir())
  t.teardown(close)
  const terms = { ...DEFAULT_TERMS, plan: 'retail', actor: 'test' }
  await accounts.create({ ...terms, code: 'A', credit: parseMoney('10') })
  const about = { switch: 's', coreUuid: 'c', account: 'A', dialled: '+44', otherLeg: null }
  const leg = { ...about, callId: 'leg/1', createdAt: NOW }
  const tariff = tariffOf('retail', '44', RATE)
  const held = parseMoney('1')
  const request = { leg, tariff, answeredAt: null, total: held, atLeast: 1n }
  await ledger.hold({ at: NOW + 1, ...request })
  t.strictSame(await browsing.live(), { ringing: 1, answered: 0, held })
  await ledger.note(leg.callId, NOW + 5)
  t.strictSame(await browsing.live(), { ringing: 0, answered: 1, held })
  t.equal(await browsing.call(leg.callId), undefined, 'a live call has no record yet')
  const trail = new SqliteAuditTrail(file)
  const kill = { actor: 'user:anna', action: 'call.kill', subject: 'call leg/1' }
  await trail.record({ ...kill, before: null, after: null })
  const ending = { answeredAt: NOW + 5, endedAt: NOW + 30_000_005, billedS: 30, carrierCost: null }
  const price = parseMoney('0.32')
  await ledger.settle({
    ...{ leg, tariff, plan: 'retail', number: '44', price },
    ending: { ...ending, outcome: 'completed', reason: 'killed', cause: 'NORMAL_CLEARING' },
  })
  const refund = { callId: leg.callId, reference: 'sorry', actor: 'user:anna', reason: 'echo' }
  await accounts.refund({ ...refund, amount: parseMoney('0.1') })
  const record = (await browsing.call(leg.callId))!
  t.match(record, {
    cdr: { callId: 'leg/1', cost: price, held },
    rate: RATE,
    timeline: [{ type: 'held', at: NOW + 1, held }],
    settled: { kind: 'call', amount: -price, reference: 'leg/1', at: NOW },
    refunds: [{ amount: parseMoney('0.1'), reason: 'echo' }],
    correction: null,
    audit: [{ actor: 'user:anna', action: 'call.kill' }],
  })
  const entries = await browsing.entries('A', { limit: 2 })
  t.strictSame(
    entries.map(({ kind }) => kind),
    ['refund', 'call'],
    'the newest come first',
  )
  const older = await browsing.entries('A', { limit: 2, before: entries[1]!.id })
  t.strictSame(
    older.map(({ kind }) => kind),
    ['top_up'],
  )
  file.database
    .prepare(`INSERT INTO correction VALUES ('leg/1', ?, ?, 60, 'completed', NULL, 'X', ?, 0, ?)`)
    .run(NOW + 5, NOW + 60_000_000, parseMoney('0.62'), NOW + HOUR)
  t.match(await browsing.call(leg.callId), {
    cdr: { corrected: true, cost: parseMoney('0.62') },
    correction: { at: NOW + HOUR, first: { endedAt: NOW + 30_000_005, cost: price } },
  })
})

t.test('a call that was settled long after its end', async t => {
  const { ledger, accounts, browsing, close } = openBooks(t.testdir())
  t.teardown(close)
  await accounts.create({
    ...{ ...DEFAULT_TERMS, plan: 'retail', actor: 'test' },
    ...{ code: 'A', credit: parseMoney('10') },
  })
  const tariff = tariffOf('retail', '44', RATE)
  for (const [callId, cost] of [
    ['paid', 5n],
    ['free', 0n],
  ] as const) {
    const about = { switch: 's', coreUuid: 'c', account: 'A', dialled: '44', otherLeg: null }
    const endedAt = NOW - 3 * 24 * HOUR
    const leg = { ...about, callId, createdAt: endedAt - 2 }
    await ledger.hold({ at: NOW, leg, tariff, answeredAt: null, total: 9n, atLeast: 1n })
    const ending = {
      answeredAt: endedAt - 1,
      endedAt,
      billedS: 1,
      carrierCost: null,
      cause: 'LOST',
    }
    await ledger.settle({
      ...{ leg, tariff, plan: 'retail', number: '44', price: cost },
      ending: { ...ending, outcome: 'completed', reason: null },
    })
  }
  t.match(await browsing.call('paid'), { settled: { amount: -5n, reference: 'paid', at: NOW } })
  t.match(await browsing.call('free'), { settled: null })
})

t.test(
  'a call whose entry is followed by earlier ones, because our clock was put back',
  async t => {
    let now = NOW
    const { ledger, accounts, browsing, close } = openBooks(t.testdir(), () => now)
    t.teardown(close)
    await accounts.create({
      ...DEFAULT_TERMS,
      code: 'A',
      plan: 'retail',
      actor: 'test',
      credit: 99n,
    })
    const tariff = tariffOf('retail', '44', RATE)
    for (const callId of ['last', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const about = { switch: 's', coreUuid: 'c', account: 'A', dialled: '44', otherLeg: null }
      const leg = { ...about, callId, createdAt: now }
      await ledger.hold({ at: now, leg, tariff, answeredAt: null, total: 9n, atLeast: 1n })
      const ended = { answeredAt: now, endedAt: now, billedS: 1, carrierCost: null, cause: 'X' }
      const ending = { ...ended, outcome: 'completed' as const, reason: null }
      await ledger.settle({ leg, tariff, plan: 'retail', number: '44', price: 5n, ending })
      now = NOW - 3 * 24 * HOUR
    }
    t.match(await browsing.call('last'), { settled: { reference: 'last', at: NOW } })
    t.match(await browsing.call('f'), { settled: { reference: 'f', at: now } })
  },
)
