/** Whatever changes anything is on record, with who did it, and what was there before and after. */
import t, { type Test } from 'tap'
import {
  OPERATIONS,
  type OperationName,
  type Provisioning,
} from '../../src/provisioning/operations.js'
import type { RateProvisioning } from '../../src/provisioning/rates.js'
import { SqliteRepairs } from '../../src/sqlite/repairs.js'
import { hold, openBooks, SaidToBeLive, settle, T0 } from '../support/books.js'

const SIP = { domain: 'sip.test', user: '100' }

/** In an order in which each finds what it is about. */
const CHANGES: readonly [OperationName, object][] = [
  ['accountCreate', { code: 'A', plan: 'retail', credit: '9' }],
  ['accountSet', { code: 'A', max_calls: 3 }],
  ['accountSuspend', { code: 'A' }],
  ['accountReopen', { code: 'A' }],
  ['topUp', { code: 'A', amount: '1', reference: 'r1' }],
  ['adjust', { code: 'A', amount: '-1', reference: 'r2' }],
  ['refund', { call_id: 'ended', reference: 'r3' }],
  ['callKill', { call_id: 'live' }],
  ['unseenCharge', { call_id: 'unseen-1' }],
  ['unseenDismiss', { call_id: 'unseen-2', reason: 'a test call' }],
  ['sipAccountCreate', { ...SIP, account: 'A' }],
  ['sipAccountSet', { ...SIP, name: 'Zoë' }],
  ['sipAccountSet', { ...SIP, password: 'another-secret-1' }],
  ['sipAccountDelete', SIP],
  ['accountClose', { code: 'A' }],
]

/** A switch hands in records, and nobody decides anything; a daemon reads what was changed elsewhere. */
const NO_CHANGE: readonly OperationName[] = ['recordImport', 'ratesReload']

const RATE_CHANGES: readonly [keyof RateProvisioning, object][] = [
  ['planCreate', { name: 'other' }],
  ['planSet', { name: 'other', zone: 'Europe/Berlin' }],
  ['periodSet', { plan: 'other', name: 'peak', hours: 'mon-fri 08:00-20:00' }],
  ['periodDelete', { plan: 'other', name: 'peak' }],
  ['rateAdd', { plan: 'other', prefix: '44', per_minute: '1' }],
  ['rateSet', { plan: 'other', prefix: '44', per_minute: '2' }],
  ['rateDelete', { plan: 'other', prefix: '44' }],
  ['planDelete', { name: 'other' }],
]

type Perform = (input: object) => Promise<unknown>

async function records(provisioning: Provisioning) {
  return provisioning.auditList({ limit: 1000 })
}

/** Does it, and returns what that has put on record. */
async function done(
  t: Test,
  provisioning: Provisioning,
  name: string,
  perform: Perform,
  of: object,
) {
  const before = await records(provisioning)
  await perform({ ...of, actor: 'somebody' })
  const after = await records(provisioning)
  const added = after.slice(0, after.length - before.length)
  t.ok(added.length > 0, `${name} is on record`)
  for (const { actor, before, after } of added) {
    t.equal(actor, 'somebody', `${name}: who`)
    t.ok(before !== null || after !== null, `${name}: what`)
  }
  return added
}

async function withCalls(t: Test) {
  const live = new SaidToBeLive()
  const books = openBooks(t.testdir(), live)
  t.teardown(() => books.close())
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  await books.rates.rateAdd({ plan: 'retail', prefix: '44', per_minute: '0.6', actor: 'test' })
  live.calls.push({
    ...{ callId: 'live', account: 'A', number: '44', switch: 'fs1', state: 'answered' },
    ...{ seconds: 61, cost: 1_200_000n, held: 1_800_000n, fundedUntil: T0, final: false },
  })
  const repairs = new SqliteRepairs(books.ledgerFile, books.ledger)
  const happen = async () => {
    await hold(books, 'ended', 'A')
    await settle(books, 'ended', 'A', 60)
    for (const callId of ['unseen-1', 'unseen-2']) {
      await repairs.keep({
        ...{ callId, account: 'A', switch: 'fs1', coreUuid: 'core-1', dialled: '4420' },
        ...{ otherLeg: null, createdAt: T0, cause: 'NORMAL_CLEARING' },
        ...{ answeredAt: T0 + 1_000_000, endedAt: T0 + 3_000_000 },
      })
      await repairs.list(callId)
    }
  }
  return { books, happen }
}

t.test('all operations that change the ledger', async t => {
  const { books, happen } = await withCalls(t)
  const { provisioning } = books
  const names = new Set(CHANGES.map(([name]) => name))
  const changing = (Object.keys(OPERATIONS) as OperationName[]).filter(
    name => OPERATIONS[name].method !== 'GET' && !NO_CHANGE.includes(name),
  )
  t.strictSame([...names].sort(), changing.sort(), 'none is missing here')
  for (const [name, input] of CHANGES) {
    const added = await done(t, provisioning, name, provisioning[name] as Perform, input)
    if (name === 'accountCreate') await happen()
    if (name !== 'callKill') continue
    t.match(added, [
      {
        ...{ action: 'call.kill', subject: 'call live' },
        before: { account: 'A', number: '44', state: 'answered', seconds: 61, cost: '1.200000' },
        after: { reason: 'killed' },
      },
    ])
  }
})

t.test('all that changes plans and rates', async t => {
  const { books } = await withCalls(t)
  const { provisioning, rates } = books
  for (const [name, input] of RATE_CHANGES) {
    const perform = (rates[name] as Perform).bind(rates)
    await done(t, provisioning, name, perform, input)
  }
})
