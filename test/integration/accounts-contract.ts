/** What the books that people use must do, in every adapter; calls are in ledger-contract.ts. */
import type { Test } from 'tap'
import type { Accounts, NewEntry } from '../../src/ledger/books.js'
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
    code,
    name: '',
    plan: 'retail',
    creditLimit: 0n,
    credit: 0n,
    actor: 'operator',
    ...more,
  })

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
    await accounts.change('alice', { state: 'closed' })
    await accounts.post(posting(one, 'r2'))
  })

  t.test('an account is changed, but not below what it has spent', async t => {
    const { accounts, ledger } = await open(t)
    await create(accounts, 'alice', { credit: one, creditLimit: one })
    await ledger.hold(request('c1', one * 2n))
    await t.rejects(accounts.change('alice', { creditLimit: one - 1n, name: 'A' }), {
      code: 'no_credit',
    })
    await t.rejects(accounts.change('alice', { creditLimit: MONEY_MAX }), { code: 'too_much' })
    await t.rejects(accounts.change('nobody', {}), { code: 'unknown_account' })
    t.match(await accounts.find('alice'), { name: '', creditLimit: one })
    const changed = await accounts.change('alice', { name: 'A', plan: 'gold', state: 'closed' })
    t.match(changed, { name: 'A', plan: 'gold', state: 'closed', creditLimit: one })
    t.strictSame(await accounts.find('alice'), changed)
  })

  t.test('accounts are listed in the order of their codes', async t => {
    const { accounts } = await open(t)
    await create(accounts, 'c', { name: 'Ärzte' })
    await create(accounts, 'a', { plan: 'gold' })
    await create(accounts, 'b')
    await accounts.change('b', { state: 'closed' })
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
    await end('c3', 200, { outcome: 'refused' })
    await end('c4', 200)
    const ids = async (filter: object) =>
      (await cdrs.list({ limit: 9, ...filter })).map(cdr => cdr.callId).join(' ')
    t.equal(await ids({}), 'c2 c4 c3 c1')
    t.equal(await ids({ limit: 1 }), 'c2')
    t.equal(await ids({ account: 'alice' }), 'c2 c3 c1')
    t.equal(await ids({ outcome: 'refused' }), 'c3')
    t.equal(await ids({ writeOff: true }), 'c1')
    t.equal(await ids({ from: 200 }), 'c2 c4 c3')
    t.equal(await ids({ until: 200 }), 'c1')
    t.equal(await ids({ from: 200, until: 300, account: 'bob' }), 'c4')
    t.equal(await cdrs.find('c9'), undefined)
  })
}
