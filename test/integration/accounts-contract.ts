/** What the books that people use must do, in every adapter; calls are in ledger-contract.ts. */
import { setTimeout } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Accounts, DEFAULT_TERMS, type NewEntry } from '../../src/ledger/books.js'
import { MONEY_MAX, parseMoney } from '../../src/money.js'
import { ENDING, leg, request, settlement } from '../support/requests.js'
import type { Books } from './ledger-contract.js'

const one = parseMoney('1')

const posting = (amount: bigint, reference: string, kind: NewEntry['kind'] = 'top_up') => ({
  account: 'alice',
  kind,
  amount,
  reference,
  actor: 'operator',
  reason: 'because',
})

const create = (accounts: Accounts, code: string, more = {}) =>
  accounts.create({
    ...DEFAULT_TERMS,
    code,
    plan: 'retail',
    credit: 0n,
    actor: 'operator',
    ...more,
  })

/** Entries have the time in milliseconds; two that are booked in the same one have no order in it. */
const nextMillisecond = () => setTimeout(2)

export async function accountsContract(t: Test, open: (t: Test) => Promise<Books>) {
  t.test('an account is created with its opening credit, once', async t => {
    const { accounts } = await open(t)
    const alice = await create(accounts, 'alice', { name: 'Alice', credit: one, creditLimit: 2n })
    t.match(alice, { code: 'alice', name: 'Alice', plan: 'retail', state: 'active' })
    t.match(alice, { balance: one, held: 0n, creditLimit: 2n, createdAt: Number })
    t.strictSame(await accounts.find('alice'), alice)
    t.equal(await accounts.find('Alice'), undefined)
    t.match(await accounts.entries('alice', {}), [
      { kind: 'top_up', amount: one, balance: one, reference: 'opening', actor: 'operator' },
    ])
    const again = create(accounts, 'alice', { credit: one })
    await t.rejects(again, { code: 'account_exists', message: 'There is already an account alice' })
    await create(accounts, 'ALICE')
    t.strictSame(await accounts.entries('ALICE', {}), [], 'no credit, no entry')
    await t.rejects(create(accounts, 'x', { credit: -1n }), { code: 'bad_input' })
    await t.rejects(create(accounts, 'x', { creditLimit: -1n }), { code: 'bad_input' })
    await t.rejects(create(accounts, 'x', { credit: MONEY_MAX + 1n }), { code: 'too_much' })
    await t.rejects(create(accounts, 'x', { credit: MONEY_MAX, creditLimit: 1n }), {
      code: 'too_much',
    })
    t.equal(await accounts.find('x'), undefined)
  })

  t.test('a posting is booked once for each reference', async t => {
    const { accounts, auditor } = await open(t)
    await create(accounts, 'alice')
    await create(accounts, 'bob')
    const first = await accounts.post(posting(one, 'r1'))
    t.match(first, {
      account: 'alice',
      kind: 'top_up',
      amount: one,
      balance: one,
      reason: 'because',
    })
    t.strictSame(await accounts.post({ ...posting(one, 'r1'), reason: 'again' }), first)
    await accounts.post({ ...posting(one, 'r1'), account: 'bob' })
    await t.rejects(accounts.post(posting(one * 2n, 'r1')), { code: 'reference_used' })
    await t.rejects(accounts.post(posting(one, 'r1', 'adjustment')), { code: 'reference_used' })
    await accounts.post(posting(-one, 'r2', 'adjustment'))
    t.match(await accounts.find('alice'), { balance: 0n })
    t.match(await accounts.find('bob'), { balance: one })
    t.match(await auditor.verify(), { problems: [], accounts: 2, entries: 3 })
  })

  t.test('a posting that cannot be is refused in a sentence', async t => {
    const { accounts, ledger } = await open(t)
    await create(accounts, 'alice', { credit: one * 2n })
    await ledger.hold(request('c1', one))
    const refused = (entry: NewEntry, error: { code: string; message?: string }) =>
      t.rejects(accounts.post(entry), error)
    await refused(posting(-one - 1n, 'r1', 'adjustment'), {
      code: 'no_credit',
      message: 'alice has only 1.000000 available',
    })
    await refused({ ...posting(one, 'r1'), account: 'nobody' }, { code: 'unknown_account' })
    await refused(posting(-one, 'r1'), { code: 'bad_input' })
    await refused(posting(0n, 'r1', 'adjustment'), { code: 'bad_input' })
    await refused(posting(one, ''), { code: 'bad_input' })
    await refused(posting(MONEY_MAX, 'r1'), { code: 'too_much' })
    t.match(await accounts.find('alice'), { balance: one * 2n, held: one })
    await accounts.post(posting(-one, 'r1', 'adjustment'))
    await accounts.change('alice', { state: 'closed' }, 'operator')
    await t.rejects(accounts.post(posting(one, 'r2')), {
      code: 'account_closed',
      message: 'alice is closed: reopen it first',
    })
    await accounts.post(posting(one, 'r2', 'adjustment'))
  })

  t.test('an account is changed, but not below what it has spent', async t => {
    const { accounts, ledger } = await open(t)
    await create(accounts, 'alice', { credit: one, creditLimit: one })
    await ledger.hold(request('c1', one * 2n))
    await t.rejects(accounts.change('alice', { creditLimit: one - 1n, name: 'A' }, 'operator'), {
      code: 'no_credit',
    })
    await t.rejects(accounts.change('alice', { creditLimit: MONEY_MAX }, 'operator'), {
      code: 'too_much',
    })
    await t.rejects(accounts.change('nobody', {}, 'operator'), { code: 'unknown_account' })
    t.match(await accounts.find('alice'), { name: '', creditLimit: one })
    const changed = await accounts.change(
      'alice',
      { name: 'A', plan: 'gold', state: 'closed' },
      'operator',
    )
    t.match(changed, { name: 'A', plan: 'gold', state: 'closed', creditLimit: one })
    t.strictSame(await accounts.find('alice'), changed)
  })

  t.test('accounts are listed in the order of their codes', async t => {
    const { accounts } = await open(t)
    await create(accounts, 'c', { name: 'Ärzte' })
    await create(accounts, 'a', { plan: 'gold' })
    await create(accounts, 'b')
    await accounts.change('b', { state: 'closed' }, 'operator')
    const codes = async (filter: object) =>
      (await accounts.list({ limit: 9, ...filter })).map(one => one.code).join('')
    t.equal(await codes({}), 'abc')
    t.equal(await codes({ limit: 2 }), 'ab')
    t.equal(await codes({ after: 'a' }), 'bc')
    t.equal(await codes({ state: 'closed' }), 'b')
    t.equal(await codes({ plan: 'gold' }), 'a')
    t.equal(await codes({ search: 'äR' }), 'c')
    t.equal(await codes({ search: 'B' }), 'b')
    t.equal(await codes({ search: '%' }), '')
  })

  t.test('a statement has the entries of a period, and no write-offs', async t => {
    const { accounts, ledger } = await open(t)
    await create(accounts, 'alice', { credit: one })
    await create(accounts, 'bob', { credit: one })
    await ledger.hold(request('c1', one))
    await ledger.settle(settlement('c1', one * 2n))
    await accounts.post(posting(one * 3n, 'r1'))
    const all = await accounts.entries('alice', {})
    t.strictSame(
      all.map(entry => [entry.kind, entry.amount, entry.balance]),
      [
        ['top_up', one, one],
        ['call', -one, 0n],
        ['top_up', one * 3n, one * 3n],
      ],
    )
    const { at } = all[1]!
    const from = await accounts.entries('alice', { from: at })
    t.strictSame(
      from,
      all.filter(entry => entry.at >= at),
    )
    const until = await accounts.entries('alice', { until: at })
    t.strictSame(
      until,
      all.filter(entry => entry.at < at),
    )
    t.strictSame(await accounts.entries('nobody', {}), [])
  })

  t.test('the balance before an instant', async t => {
    const { accounts } = await open(t)
    await create(accounts, 'alice', { credit: one })
    await nextMillisecond()
    await accounts.post(posting(one * 3n, 'r1'))
    const [, second] = await accounts.entries('alice', {})
    t.equal(await accounts.balanceBefore('alice', second!.at), one)
    t.equal(await accounts.balanceBefore('alice', undefined), one * 4n)
    t.equal(await accounts.balanceBefore('alice', 0), 0n)
  })

  t.test('a call is refunded once for each reference, and never beyond its cost', async t => {
    const { accounts, ledger, auditor } = await open(t)
    await create(accounts, 'alice', { credit: one * 5n })
    await ledger.hold(request('c1', one * 4n))
    await ledger.settle(settlement('c1', one * 6n))
    const refund = (amount: bigint | null, reference: string, callId = 'c1') =>
      accounts.refund({ callId, amount, reference, actor: 'operator', reason: 'no audio' })
    const first = await refund(one, 'r1')
    t.match(first, { account: 'alice', kind: 'refund', amount: one, balance: one * 2n })
    t.match(first, { callId: 'c1', reference: 'r1', actor: 'operator', reason: 'no audio' })
    t.strictSame(await refund(one, 'r1'), first, 'again is the first time')
    t.strictSame(await refund(null, 'r1'), first)
    await t.rejects(refund(one * 2n, 'r1'), { code: 'reference_used' })
    await t.rejects(refund(one, 'opening'), { code: 'reference_used' })
    await t.rejects(accounts.post(posting(one, 'r1')), { code: 'reference_used' })
    await t.rejects(refund(one * 3n + 1n, 'r2'), {
      code: 'too_much',
      message: 'Only 3.000000 of the call c1 can still be refunded',
    })
    t.match(await refund(null, 'r2'), { amount: one * 3n, balance: one * 5n })
    await t.rejects(refund(1n, 'r3'), {
      code: 'too_much',
      message: 'The call c1 cost nothing that is not refunded already',
    })
    await t.rejects(refund(0n, 'r3'), { code: 'bad_input' })
    await t.rejects(refund(one, 'r3', 'c2'), { code: 'unknown_call' })
    t.strictSame((await auditor.verify()).problems, [])
  })

  t.test('twenty refunds at once give back what the call cost', async t => {
    const { accounts, ledger } = await open(t)
    await create(accounts, 'alice', { credit: one * 5n })
    await ledger.hold(request('c1', one * 5n))
    await ledger.settle(settlement('c1', one * 5n))
    const asked = Array.from({ length: 20 }, (_, i) =>
      accounts.refund({ callId: 'c1', amount: one, reference: `r${i}`, actor: 'a', reason: '' }),
    )
    const answers = await Promise.allSettled(asked)
    t.equal(answers.filter(answer => answer.status === 'fulfilled').length, 5)
    t.match(await accounts.find('alice'), { balance: one * 5n })
  })

  t.test('a call of a code that is no account cannot be refunded', async t => {
    const { accounts, ledger } = await open(t)
    await ledger.settle(settlement('c1', one))
    const refund = { callId: 'c1', amount: null, reference: 'r', actor: 'a', reason: '' }
    await t.rejects(accounts.refund(refund), { code: 'unknown_call' })
  })

  t.test('a suspended account lets nothing new through, but takes credit', async t => {
    const { accounts, ledger } = await open(t)
    await create(accounts, 'alice', { credit: one * 5n })
    await ledger.hold(request('c1', one))
    await accounts.change('alice', { state: 'suspended' }, 'operator')
    t.match(await ledger.hold(request('c1', one * 2n)), { held: one, reason: 'account_suspended' })
    t.match(await ledger.hold(request('c2', 0n)), { raises: 0, reason: 'account_suspended' })
    await accounts.post(posting(one, 'r1'))
    await accounts.change('alice', { state: 'active' }, 'operator')
    t.match(await ledger.hold(request('c2', one)), { raises: 1 })
  })

  t.test('low balances are listed', async t => {
    const { accounts } = await open(t)
    await create(accounts, 'a', { credit: one, lowBalance: one })
    await create(accounts, 'b', { credit: one, lowBalance: one + 1n })
    await create(accounts, 'c')
    const low = await accounts.list({ low: true, limit: 9 })
    t.strictSame(
      low.map(account => account.code),
      ['b'],
    )
    await create(accounts, 'd', { specialPlan: 'deal' })
    t.match(await accounts.list({ specialPlan: 'deal', limit: 9 }), [{ code: 'd' }])
  })

  t.test('who changed what is recorded, with what it was before and after', async t => {
    const { accounts, trail, ledger } = await open(t)
    await create(accounts, 'alice', { credit: one })
    await accounts.change('alice', { name: 'Alice', maxCalls: 3, plan: 'retail' }, 'bob')
    await accounts.change('alice', { name: 'Alice' }, 'bob')
    await accounts.change('alice', { state: 'suspended' }, 'carol')
    await accounts.post(posting(one, 'r1'))
    await accounts.post(posting(one, 'r1'))
    await t.rejects(accounts.post(posting(-one * 9n, 'r2', 'adjustment')))
    await trail.record({ ...BY_BOB, action: 'call.kill', subject: 'call c1' })
    await ledger.settle(settlement('c1', 0n))
    const all = await trail.audit({ limit: 99 })
    t.strictSame(
      all.map(({ actor, action, subject }) => [actor, action, subject].join(', ')),
      [
        'bob, call.kill, call c1',
        'operator, account.top_up, account alice',
        'carol, account.suspend, account alice',
        'bob, account.set, account alice',
        'operator, account.create, account alice',
      ],
      'nothing for what changed nothing, was refused, or is a call',
    )
    t.match(all[1], {
      before: { balance: '1.000000' },
      after: { balance: '2.000000', amount: '1.000000', reference: 'r1', reason: 'because' },
      at: Number,
    })
    t.strictSame(all[3]!.before, { name: '', max_calls: null })
    t.strictSame(all[3]!.after, { name: 'Alice', max_calls: 3 })
    t.match(all[4], { before: null, after: { code: 'alice', balance: '1.000000' } })
    const actions = async (filter: object) =>
      (await trail.audit({ limit: 99, ...filter })).map(record => record.action).join(' ')
    t.equal(await actions({ actor: 'bob' }), 'call.kill account.set')
    t.equal(await actions({ subject: 'call c1' }), 'call.kill')
    t.equal(await actions({ limit: 1 }), 'call.kill')
    const { at } = all[4]!
    t.equal(await actions({ until: at }), '')
    t.match(await actions({ from: at }), /account\.create$/)
  })

  t.test('CDRs are listed, the last to end first', async t => {
    const { accounts, ledger, cdrs } = await open(t)
    await create(accounts, 'alice', { credit: one * 9n })
    await ledger.hold(request('c1', one))
    const end = (callId: string, endedAt: number, more = {}) =>
      ledger.settle(
        settlement(callId, callId === 'c1' ? one * 2n : 0n, {
          leg: leg(callId, callId === 'c4' ? 'bob' : 'alice'),
          ending: { ...ENDING, endedAt, ...more },
        }),
      )
    await end('c1', 100)
    await end('c2', 300)
    await end('c3', 200, { outcome: 'refused', reason: 'max_calls' })
    await end('c4', 200)
    const ids = async (filter: object) =>
      (await cdrs.list({ limit: 9, ...filter })).map(cdr => cdr.callId).join(' ')
    t.equal(await ids({}), 'c2 c4 c3 c1')
    t.equal(await ids({ limit: 1 }), 'c2')
    t.equal(await ids({ account: 'alice' }), 'c2 c3 c1')
    t.equal(await ids({ outcome: 'refused' }), 'c3')
    t.equal(await ids({ reason: 'max_calls' }), 'c3')
    t.equal(await ids({ writeOff: true }), 'c1')
    t.equal(await ids({ from: 200 }), 'c2 c4 c3')
    t.equal(await ids({ until: 200 }), 'c1')
    t.equal(await ids({ from: 200, until: 300, account: 'bob' }), 'c4')
    t.equal(await cdrs.find('c9'), undefined)
  })

  t.test('CDRs are added up', async t => {
    const { accounts, ledger, cdrs } = await open(t)
    await create(accounts, 'alice', { credit: one * 9n })
    const DAY_US = 86_400_000_000
    const end = async (callId: string, price: bigint, more = {}) => {
      await ledger.hold(request(callId, one))
      await ledger.settle(settlement(callId, price, { ending: { ...ENDING, ...more } }))
    }
    await end('c1', one * 2n)
    await end('c2', one, { carrierCost: one / 4n, endedAt: DAY_US })
    await end('c3', 0n, { answeredAt: null, carrierCost: 0n, billedS: 0, endedAt: DAY_US })
    const nothing = { answered: 0, billedS: 0, cost: 0n, carrierCost: 0n, writeOff: 0n }
    t.strictSame(await cdrs.totals({}, 'day'), [
      {
        ...{ ...nothing, key: '1970-01-01', calls: 1, answered: 1, billedS: 60 },
        ...{ cost: one, costWithCarrier: 0n, writeOff: one },
      },
      {
        ...{ ...nothing, key: '1970-01-02', calls: 2, answered: 1, billedS: 60 },
        ...{ cost: one, carrierCost: one / 4n, costWithCarrier: one },
      },
    ])
    t.match(await cdrs.totals({ until: DAY_US }, 'account'), [{ key: 'alice', calls: 1 }])
    t.match(await cdrs.totals({}, 'prefix'), [{ key: '44', calls: 3, cost: one * 2n }])
    t.match(await cdrs.totals({}, 'reason'), [{ key: null, calls: 3 }])
    t.strictSame(await cdrs.totals({ account: 'bob' }, 'plan'), [])
  })
}

const BY_BOB = { actor: 'bob', before: null, after: null }
