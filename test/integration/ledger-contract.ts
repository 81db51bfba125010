/** What every ledger must do. Each adapter's test file runs this against itself. */
import type { Test } from 'tap'
import type { Ending } from '../../src/call/call.js'
import {
  type Accounts,
  type Auditor,
  type AuditTrail,
  type Cdrs,
  DEFAULT_TERMS,
} from '../../src/ledger/books.js'
import type { Browsing } from '../../src/ledger/browsing.js'
import type { AccountState, Held, Ledger } from '../../src/ledger/ledger.js'
import { MONEY_MAX, parseMoney } from '../../src/money.js'
import { ENDING, leg, request, settlement, TARIFF } from '../support/requests.js'

export interface Books {
  readonly ledger: Ledger
  readonly accounts: Accounts
  readonly cdrs: Cdrs
  readonly auditor: Auditor
  readonly trail: AuditTrail
  readonly browsing: Browsing
}

const one = parseMoney('1')

export async function ledgerContract(t: Test, open: (t: Test) => Promise<Books>) {
  /** A scene with an account, alice; at its end the ledger must be sound. */
  const scene = (name: string, credit: bigint, play: (t: Test, books: Books) => Promise<void>) =>
    t.test(name, async t => {
      const books = await open(t)
      const account = { ...DEFAULT_TERMS, plan: 'retail', actor: 'test' }
      await books.accounts.create({ ...account, code: 'alice', credit })
      await play(t, books)
      t.strictSame((await books.auditor.verify()).problems, [], 'the audit finds nothing')
    })

  await holding(scene)
  await racing(scene)
  await settling(scene)
  await remembering(scene)
  await releasing(scene)
}

type Scene = (
  name: string,
  credit: bigint,
  play: (t: Test, books: Books) => Promise<void>,
) => Promise<unknown>

const held = (amount: bigint, raises: number, reason: Refusal = null): Held => ({
  status: 'held',
  held: amount,
  raises,
  reason,
})
const payer = (state: AccountState) => ({
  plan: 'retail',
  specialPlan: null,
  state,
  longestS: null,
})
type Refusal = Extract<Held, { status: 'held' }>['reason']

async function holding(scene: Scene) {
  await scene('a hold takes from what is available', one * 5n, async (t, { ledger, accounts }) => {
    t.strictSame(await ledger.hold(request('c1', one * 2n)), held(one * 2n, 1))
    t.match(await accounts.find('alice'), { balance: one * 5n, held: one * 2n })
  })

  await scene('a hold grants what is left, and says why', one * 3n, async (t, { ledger }) => {
    await ledger.hold(request('c1', one * 2n))
    t.strictSame(await ledger.hold(request('c2', one * 2n)), held(one, 1, 'no_credit'))
    t.strictSame(await ledger.hold(request('c3', one)), held(0n, 1, 'no_credit'))
  })

  await scene(
    'a hold is raised to a total, not by it',
    one * 9n,
    async (t, { ledger, accounts }) => {
      await ledger.hold(request('c1', one * 2n))
      t.strictSame(await ledger.hold(request('c1', one * 3n)), held(one * 3n, 2))
      t.match(await accounts.find('alice'), { held: one * 3n })
    },
  )

  await scene('a hold is never lowered', one * 9n, async (t, { ledger, accounts }) => {
    await ledger.hold(request('c1', one * 3n))
    t.strictSame(await ledger.hold(request('c1', one)), held(one * 3n, 1))
    t.match(await accounts.find('alice'), { held: one * 3n })
  })

  await scene('a raise is capped by what is available', one * 5n, async (t, { ledger }) => {
    await ledger.hold(request('c1', one * 2n))
    await ledger.hold(request('c2', one * 2n))
    t.strictSame(await ledger.hold(request('c1', one * 4n)), held(one * 3n, 2, 'no_credit'))
    t.strictSame(await ledger.hold(request('c1', one * 4n)), held(one * 3n, 2, 'no_credit'))
  })

  await scene('a hold below atLeast is not made', one, async (t, { ledger, accounts }) => {
    const atLeast = one + 1n
    const first = await ledger.hold(request('c1', one * 2n, { atLeast }))
    t.strictSame(first, held(0n, 0, 'no_credit'))
    t.strictSame(await ledger.openCalls('fs1'), [], 'no call is recorded')
    t.match(await accounts.find('alice'), { held: 0n })
    t.strictSame(
      await ledger.hold(request('c1', one * 2n, { atLeast: one })),
      held(one, 1, 'no_credit'),
      'exactly atLeast is enough',
    )
  })

  await scene('a raise below atLeast is not made', one * 3n, async (t, { ledger, accounts }) => {
    await ledger.hold(request('c1', one * 2n))
    const refused = await ledger.hold(request('c1', one * 4n, { atLeast: one * 4n }))
    t.strictSame(refused, held(one * 2n, 1, 'no_credit'))
    t.match(await accounts.find('alice'), { held: one * 2n })
  })

  await scene('a hold of nothing needs no credit', 0n, async (t, { ledger }) => {
    t.strictSame(await ledger.hold(request('c1', 0n)), held(0n, 1))
    t.strictSame(await ledger.hold(request('c1', 0n)), held(0n, 1), 'and may be repeated')
    t.equal((await ledger.openCalls('fs1')).length, 1, 'the call is recorded')
  })

  await scene('the credit limit may be held', one, async (t, { ledger, accounts }) => {
    await accounts.change('alice', { creditLimit: one * 2n }, 'operator')
    t.strictSame(await ledger.hold(request('c1', one * 5n)), held(one * 3n, 1, 'no_credit'))
    await ledger.settle(settlement('c1', one * 3n))
    t.match(await accounts.find('alice'), { balance: one * -2n, held: 0n })
  })

  await scene('an unknown account holds nothing', one, async (t, { ledger }) => {
    t.strictSame(
      await ledger.hold(request('c1', 0n, { account: 'Alice' })),
      held(0n, 0, 'unknown_account'),
      'codes are case-sensitive',
    )
    t.strictSame(await ledger.openCalls('fs1'), [])
    t.equal(await ledger.payer('Alice'), undefined)
    t.strictSame(await ledger.payer('alice'), payer('active'))
  })

  await scene('a closed account holds no more than it does', one * 9n, async (t, books) => {
    const { ledger, accounts } = books
    await ledger.hold(request('c1', one))
    await accounts.change('alice', { state: 'closed' }, 'operator')
    t.strictSame(await ledger.hold(request('c1', one * 2n)), held(one, 1, 'account_closed'))
    t.strictSame(await ledger.hold(request('c1', one)), held(one, 1), 'it has what it asks for')
    t.strictSame(await ledger.hold(request('c2', 0n)), held(0n, 0, 'account_closed'))
    t.equal((await ledger.openCalls('fs1')).length, 1)
    t.strictSame(await ledger.payer('alice'), payer('closed'))
    await accounts.change('alice', { state: 'active' }, 'operator')
    t.strictSame(await ledger.hold(request('c1', one * 2n)), held(one * 2n, 2))
  })

  await scene('credit that comes later can be held', one, async (t, { ledger, accounts }) => {
    await ledger.hold(request('c1', one * 2n))
    const posting = { account: 'alice', actor: 'test', reason: '' }
    await accounts.post({ ...posting, kind: 'top_up', amount: one * 5n, reference: 'r1' })
    t.strictSame(await ledger.hold(request('c1', one * 2n)), held(one * 2n, 2))
  })

  await scene('the largest amount there is', MONEY_MAX, async (t, { ledger, accounts }) => {
    t.strictSame(await ledger.hold(request('c1', MONEY_MAX)), held(MONEY_MAX, 1))
    t.match(await accounts.find('alice'), { balance: MONEY_MAX, held: MONEY_MAX })
    t.match(await ledger.settle(settlement('c1', MONEY_MAX - 1n)), { cost: MONEY_MAX - 1n })
    t.match(await accounts.find('alice'), { balance: 1n, held: 0n })
  })

  await scene('a negative hold is our fault, and undoes nothing else', one, async (t, books) => {
    const { ledger } = books
    const good = ledger.hold(request('c1', one))
    await t.rejects(ledger.hold(request('c2', -1n)), { name: 'AssertionError' })
    await t.rejects(ledger.settle(settlement('c1', -1n)), { name: 'AssertionError' })
    t.strictSame(await good, held(one, 1))
  })
}

async function racing(scene: Scene) {
  await scene('two calls do not get the same credit', one * 3n, async (t, { ledger }) => {
    const both = [
      ledger.hold(request('c1', one * 2n, { atLeast: one * 2n })),
      ledger.hold(request('c2', one * 2n, { atLeast: one * 2n })),
    ]
    t.strictSame(await Promise.all(both), [held(one * 2n, 1), held(0n, 0, 'no_credit')])
  })

  await scene('200 calls at once, with credit for seven', one * 7n, async (t, books) => {
    const { ledger, accounts } = books
    const calls = Array.from({ length: 200 }, (_, i) => `c${i}`)
    const answers = await Promise.all(
      calls.map(id => ledger.hold(request(id, one, { atLeast: one }))),
    )
    const through = answers.filter(answer => answer.status === 'held' && answer.held === one)
    t.equal(through.length, 7)
    t.equal((await ledger.openCalls('fs1')).length, 7)
    t.match(await accounts.find('alice'), { balance: one * 7n, held: one * 7n })
  })

  await scene('what is asked in one turn is done in that order', one, async (t, books) => {
    const { ledger, accounts } = books
    const account = accounts.find('alice')
    const first = ledger.hold(request('c1', one))
    const between = accounts.find('alice')
    const open = ledger.openCalls('fs1')
    const settled = ledger.settle(settlement('c1', one))
    const second = ledger.hold(request('c2', one))
    t.match(await account, { balance: one, held: 0n })
    t.strictSame(await first, held(one, 1))
    t.match(await between, { balance: one, held: one })
    t.equal((await open).length, 1)
    t.match(await settled, { cost: one })
    t.strictSame(await second, held(0n, 1, 'no_credit'))
  })

  await scene('one that is refused does not undo its neighbours', one * 5n, async (t, books) => {
    const { ledger, accounts } = books
    const posting = { account: 'alice', kind: 'adjustment', actor: 'test', reason: '' } as const
    const before = ledger.hold(request('c1', one))
    const refused = accounts.post({ ...posting, amount: one * -5n, reference: 'too much' })
    const after = ledger.hold(request('c2', one))
    await t.rejects(refused, { name: 'BookError', code: 'no_credit' })
    t.strictSame(await Promise.all([before, after]), [held(one, 1), held(one, 1)])
    t.match(await accounts.find('alice'), { balance: one * 5n, held: one * 2n })
  })
}

async function settling(scene: Scene) {
  await scene('settling captures the cost, releases the rest', one * 5n, async (t, books) => {
    const { ledger, accounts, cdrs } = books
    await ledger.hold(request('c1', one * 2n))
    const cdr = await ledger.settle(settlement('c1', one))
    t.strictSame(cdr, {
      ...leg('c1'),
      ...ENDING,
      description: 'United Kingdom',
      plan: 'retail',
      number: '4420123',
      prefix: '44',
      cost: one,
      held: one * 2n,
      writeOff: 0n,
      corrected: false,
    })
    t.strictSame(await cdrs.find('c1'), cdr)
    t.match(await accounts.find('alice'), { balance: one * 4n, held: 0n })
    t.strictSame(await ledger.openCalls('fs1'), [])
    t.match((await accounts.entries('alice', {})).at(-1), {
      kind: 'call',
      amount: -one,
      balance: one * 4n,
      reference: 'c1',
    })
  })

  await scene(
    'a call costs at most its hold',
    one * 5n,
    async (t, { ledger, accounts, auditor }) => {
      await ledger.hold(request('c1', one * 2n))
      const cdr = await ledger.settle(settlement('c1', one * 3n))
      t.match(cdr, { cost: one * 2n, held: one * 2n, writeOff: one })
      t.match(await accounts.find('alice'), { balance: one * 3n, held: 0n })
      t.match(await auditor.verify(), { writeOffs: one, accounts: 1, entries: 3, cdrs: 1 })
    },
  )

  await scene('a call that costs nothing books nothing', one, async (t, { ledger, accounts }) => {
    await ledger.hold(request('c1', one))
    await ledger.settle(settlement('c1', 0n))
    t.equal((await accounts.entries('alice', {})).length, 1, 'only the opening credit')
    t.match(await accounts.find('alice'), { balance: one, held: 0n })
  })

  await scene('settling happens once', one * 5n, async (t, { ledger, accounts }) => {
    await ledger.hold(request('c1', one * 2n))
    const first = ledger.settle(settlement('c1', one))
    const second = ledger.settle(settlement('c1', one * 2n, { ending: { ...ENDING, cause: 'X' } }))
    t.strictSame(await second, await first, 'the second answers as the first did')
    t.match(await accounts.find('alice'), { balance: one * 4n, held: 0n })
    t.strictSame(await ledger.hold(request('c1', one * 4n)), { status: 'settled' })
    t.match(await accounts.find('alice'), { held: 0n })
  })

  await scene('a call that was never held costs its account nothing', one, async (t, books) => {
    const { ledger, accounts, auditor } = books
    const ending: Ending = { ...ENDING, outcome: 'refused', reason: 'no_rate', billedS: 0 }
    const unrated = { leg: leg('c1', 'nobody'), tariff: null, plan: 'retail', number: '7' }
    const cdr = await ledger.settle({ ...unrated, price: 0n, ending })
    const { prefix, plan, number, cost, held, writeOff, account } = cdr
    t.strictSame(
      { prefix, plan, number, cost, held, writeOff, account },
      {
        prefix: null,
        plan: 'retail',
        number: '7',
        cost: 0n,
        held: 0n,
        writeOff: 0n,
        account: 'nobody',
      },
    )
    t.match(await ledger.settle(settlement('c2', one)), { cost: 0n, writeOff: one })
    t.match(await accounts.find('alice'), { balance: one, held: 0n })
    t.match(await auditor.verify(), { writeOffs: one, cdrs: 2 })
  })

  await scene('the account of the first hold pays', one * 5n, async (t, { ledger, accounts }) => {
    const account = { ...DEFAULT_TERMS, code: 'bob', plan: 'retail', actor: 'test' }
    await accounts.create({ ...account, credit: one })
    await ledger.hold(request('c1', one))
    await ledger.hold(request('c1', one * 2n, { account: 'bob' }))
    const cdr = await ledger.settle(settlement('c1', one * 2n, { leg: leg('c1', 'bob') }))
    t.match(cdr, { account: 'alice', cost: one * 2n })
    t.match(await accounts.find('bob'), { balance: one, held: 0n })
  })
}

async function remembering(scene: Scene) {
  await scene('an open call is remembered with its rate', one * 5n, async (t, books) => {
    const { ledger, auditor } = books
    await ledger.hold(request('c1', one, { leg: { ...leg('c1'), otherLeg: 'a1' } }))
    await ledger.hold(request('c1', one * 2n))
    await ledger.note('c1', 700_001)
    await ledger.note('c1', 900_000)
    await ledger.note('c9', 900_000)
    await ledger.hold(request('c2', one, { leg: { ...leg('c2'), switch: 'fs2' }, answeredAt: 8 }))
    const c1 = {
      leg: { ...leg('c1'), otherLeg: 'a1' },
      tariff: TARIFF,
      answeredAt: 700_001,
      held: one * 2n,
      raises: 2,
    }
    t.strictSame(await ledger.openCalls('fs1'), [c1])
    t.match(await ledger.openCalls('fs2'), [{ leg: { callId: 'c2' }, answeredAt: 8 }])
    t.strictSame(await ledger.openCalls('fs3'), [])
    t.equal((await auditor.allOpenCalls()).length, 2)
    t.strictSame((await auditor.allOpenCalls())[0], c1)
  })

  await scene('a record has the timeline of its call', one * 3n, async (t, books) => {
    const { ledger, browsing } = books
    const timeline = async (call: string) => (await browsing.call(call))?.timeline
    for (const at of [10, 11]) await ledger.hold(request('old', one, { at }))
    await ledger.hold(request('old', one * 2n, { at: 20 }))
    await ledger.rename('old', 'new')
    await ledger.hold(request('new', one * 9n, { at: 30 }))
    await ledger.hold(request('new', one * 9n, { at: 40 }))
    for (const at of [50, 50, 60]) await ledger.warned('new', at)
    await ledger.settle(settlement('new', one))
    await ledger.warned('new', 70)
    t.strictSame(await timeline('new'), [
      { type: 'held', at: 10, held: one },
      { type: 'held', at: 20, held: one * 2n },
      { type: 'held', at: 30, held: one * 3n },
      { type: 'warned', at: 50 },
      { type: 'warned', at: 60 },
    ])
    await ledger.settle(settlement('refused', 0n))
    t.strictSame(await timeline('refused'), [])
  })

  await scene('a raise tells of an answer that was missed', one, async (t, { ledger }) => {
    await ledger.hold(request('c1', one))
    await ledger.hold(request('c1', one, { answeredAt: 7 }))
    t.match(await ledger.openCalls('fs1'), [{ answeredAt: 7 }])
  })

  await scene('a call goes on under its new id', one * 5n, async (t, { ledger }) => {
    await ledger.hold(request('old', one))
    for (let i = 0; i < 2; i++) await ledger.rename('old', 'new')
    t.strictSame(await ledger.hold(request('new', one * 2n)), held(one * 2n, 2))
    t.match(await ledger.settle(settlement('new', one)), { callId: 'new', cost: one })
    await ledger.rename('nobody', 'knows')
    t.strictSame(await ledger.openCalls('fs1'), [])
  })

  await scene('a new id that is taken is not given', one * 5n, async (t, { ledger }) => {
    await ledger.hold(request('old', one))
    await ledger.hold(request('live', one))
    await ledger.settle(settlement('ended', 0n))
    await ledger.rename('old', 'live')
    await ledger.rename('old', 'ended')
    await ledger.rename('old', 'old')
    const ids = (await ledger.openCalls('fs1')).map(call => call.leg.callId)
    t.strictSame(ids, ['old', 'live'])
  })

  await scene('a switch is heard of, never earlier than before', 0n, async (t, { ledger }) => {
    t.equal(await ledger.lastHeard('fs1', 'run-1'), undefined)
    await ledger.heard('fs1', 'run-1', 5_000_000)
    await ledger.heard('fs1', 'run-1', 4_000_000)
    await ledger.heard('fs1', 'run-2', 9_000_000)
    await ledger.heard('fs2', 'run-1', 1_000_000)
    t.equal(await ledger.lastHeard('fs1', 'run-1'), 5_000_000)
    t.equal(await ledger.lastHeard('fs1', 'run-2'), 9_000_000)
    t.equal(await ledger.lastHeard('fs2', 'run-1'), 1_000_000)
  })
}

async function releasing(scene: Scene) {
  await scene('a hold is given back, and the call forgotten', one * 5n, async (t, books) => {
    const { ledger, accounts, cdrs } = books
    await ledger.hold(request('c1', one))
    await ledger.hold(request('c2', one))
    for (let i = 0; i < 2; i++) await ledger.release('c1')
    t.match(await accounts.find('alice'), { balance: one * 5n, held: one, liveCalls: 1 })
    t.match(await ledger.openCalls('fs1'), [{ leg: { callId: 'c2' } }])
    t.strictSame(await cdrs.list({ limit: 9 }), [])
    await ledger.release('nobody')
    t.strictSame(await ledger.hold(request('c1', one * 2n)), held(one * 2n, 1), 'its id is free')
  })

  await scene('not of a call that was answered, or has ended', one * 5n, async (t, books) => {
    const { ledger, accounts } = books
    await ledger.hold(request('c1', one))
    await ledger.note('c1', 700_000)
    await ledger.hold(request('c2', one, { answeredAt: 7 }))
    for (const callId of ['c1', 'c2']) await ledger.release(callId)
    t.match(await accounts.find('alice'), { held: one * 2n })
    await ledger.settle(settlement('c1', one))
    await ledger.release('c1')
    t.match(await ledger.settle(settlement('c1', 0n)), { cost: one })
    t.strictSame(await ledger.hold(request('c1', one)), { status: 'settled' })
  })

  await scene('a hold that follows in the same turn is a new one', one, async (t, { ledger }) => {
    await ledger.hold(request('c1', one))
    const [, second] = await Promise.all([ledger.release('c1'), ledger.hold(request('c2', one))])
    t.strictSame(second, held(one, 1))
  })
}
