/**
 * A ledger in a few lines, for comparison: random operations, several in one turn, must have the
 * same answers here and in the adapter, and leave accounts the same.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Milestone } from '../../src/call/cdr.js'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import type { AccountState } from '../../src/ledger/ledger.js'
import { leg, request, settlement } from '../support/requests.js'
import type { Books } from './ledger-contract.js'

type Operation =
  | { type: 'hold'; at: number; call: string; account: string; total: bigint; atLeast: bigint }
  | { type: 'settle'; call: string; price: bigint }
  | { type: 'warned'; call: string; at: number }
  | { type: 'release'; call: string }
  | { type: 'rename'; call: string; to: string }
  | { type: 'post'; account: string; amount: bigint; reference: string }
  | { type: 'limit'; account: string; limit: bigint }
  | { type: 'limits'; account: string; limits: ModelLimits }
  | { type: 'refund'; call: string; amount: bigint | null; reference: string }
  | { type: 'state'; account: string; state: AccountState }

const ACCOUNTS = ['a', 'b']

interface ModelLimits {
  maxCalls: number | null
  maxSpendPerCall: bigint | null
  maxSpendPerDay: bigint | null
}

interface ModelAccount extends ModelLimits {
  balance: bigint
  held: bigint
  creditLimit: bigint
  liveCalls: number
  spentToday: bigint
  state: AccountState
}

interface ModelCall {
  account: string
  held: bigint
  raises: number
  timeline: Milestone[]
}

class Model {
  readonly accounts = new Map<string, ModelAccount>()
  readonly #calls = new Map<string, ModelCall>()
  readonly #ended = new Map<string, { cost: bigint; held: bigint; writeOff: bigint }>()
  /** Of the ended calls. */
  readonly timelines = new Map<string, readonly Milestone[]>()
  readonly #paidBy = new Map<string, string>()
  readonly #refunds = new Map<string, { call: string; amount: bigint }>()
  readonly #posted = new Map<string, bigint>()

  constructor(credit: bigint) {
    for (const code of ACCOUNTS) {
      this.accounts.set(code, {
        ...{ balance: credit, held: 0n, creditLimit: 0n, liveCalls: 0, spentToday: 0n },
        ...{ maxCalls: null, maxSpendPerCall: null, maxSpendPerDay: null, state: 'active' },
      })
    }
  }

  get openCalls() {
    return new Set(this.#calls.keys())
  }

  /** What the adapter must answer, reduced to what can be compared. */
  apply(operation: Operation): unknown {
    switch (operation.type) {
      case 'hold':
        return this.#hold(operation)
      case 'settle':
        return this.#settle(operation.call, operation.price)
      case 'warned': {
        const { type, at } = operation
        const timeline = this.#calls.get(operation.call)?.timeline
        if (!timeline?.some(mark => mark.type === type && mark.at === at))
          timeline?.push({ type, at })
        return null
      }
      case 'release': {
        const call = this.#calls.get(operation.call)
        if (!call) return null
        const account = this.accounts.get(call.account)!
        account.held -= call.held
        account.liveCalls -= 1
        this.#calls.delete(operation.call)
        return null
      }
      case 'rename': {
        const call = this.#calls.get(operation.call)
        if (!call || this.#calls.has(operation.to) || this.#ended.has(operation.to)) return null
        this.#calls.delete(operation.call)
        this.#calls.set(operation.to, call)
        return null
      }
      case 'post':
        return this.#post(operation.account, operation.amount, operation.reference)
      case 'limit': {
        const account = this.accounts.get(operation.account)!
        if (account.balance + operation.limit < account.held) return 'no_credit'
        account.creditLimit = operation.limit
        return null
      }
      case 'limits':
        Object.assign(this.accounts.get(operation.account)!, operation.limits)
        return null
      case 'refund':
        return this.#refund(operation.call, operation.amount, operation.reference)
      case 'state':
        this.accounts.get(operation.account)!.state = operation.state
        return null
    }
  }

  #hold({ at, call: id, account: code, total, atLeast }: Extract<Operation, { type: 'hold' }>) {
    if (this.#ended.has(id)) return 'settled'
    const known = this.#calls.get(id)
    const call = known ?? { account: code, held: 0n, raises: 0, timeline: [] }
    const account = this.accounts.get(call.account)
    if (!account) return [0n, 0, 'unknown_account']
    if (known && total <= call.held) return [call.held, call.raises, null]
    if (account.state !== 'active') {
      return [call.held, call.raises, `account_${account.state}`]
    }
    if (!known && account.maxCalls !== null && account.liveCalls >= account.maxCalls) {
      return [0n, 0, 'max_calls']
    }
    let most = call.held + account.balance + account.creditLimit - account.held
    let why = 'no_credit'
    if (account.maxSpendPerCall !== null && account.maxSpendPerCall < most) {
      most = account.maxSpendPerCall
      why = 'max_spend_per_call'
    }
    if (account.maxSpendPerDay !== null) {
      const left = account.maxSpendPerDay - account.spentToday - account.held + call.held
      if ((left > 0n ? left : 0n) < most) {
        most = left > 0n ? left : 0n
        why = 'max_spend_per_day'
      }
    }
    const target = total < most ? total : most
    const refused = target < atLeast || (known && target <= call.held)
    if (refused) return [call.held, call.raises, why]
    account.held += target - call.held
    if (!known) account.liveCalls += 1
    call.timeline.push({ type: 'held', at, held: target })
    this.#calls.set(id, { ...call, held: target, raises: call.raises + 1 })
    return [target, call.raises + 1, target < total ? why : null]
  }

  #settle(id: string, price: bigint) {
    const earlier = this.#ended.get(id)
    if (earlier) return earlier
    const call = this.#calls.get(id)
    const held = call?.held ?? 0n
    const cost = price < held ? price : held
    if (call) {
      const account = this.accounts.get(call.account)!
      account.held -= held
      account.balance -= cost
      account.liveCalls -= 1
      account.spentToday += cost
      this.#paidBy.set(id, call.account)
      this.#calls.delete(id)
    }
    const cdr = { cost, held, writeOff: price - cost }
    this.#ended.set(id, cdr)
    this.timelines.set(id, call?.timeline ?? [])
    return cdr
  }

  #post(code: string, amount: bigint, reference: string) {
    const account = this.accounts.get(code)!
    const key = `${code} ${reference}`
    const earlier = this.#posted.get(key)
    if (earlier !== undefined) return earlier === amount ? null : 'reference_used'
    if (account.balance + amount + account.creditLimit < account.held) return 'no_credit'
    account.balance += amount
    this.#posted.set(key, amount)
    return null
  }

  #refund(call: string, amount: bigint | null, reference: string) {
    const ended = this.#ended.get(call)
    if (!ended) return 'unknown_call'
    const code = this.#paidBy.get(call) ?? 'whoever'
    const account = this.accounts.get(code)
    if (!account) return 'unknown_call'
    const key = `${code} ${reference}`
    const earlier = this.#refunds.get(key)
    if (earlier) {
      const same = earlier.call === call && (amount === null || amount === earlier.amount)
      return same ? null : 'reference_used'
    }
    if (this.#posted.has(key)) return 'reference_used'
    const given = [...this.#refunds.values()].filter(refund => refund.call === call)
    const left = given.reduce((sum, refund) => sum - refund.amount, ended.cost)
    if (left === 0n || (amount ?? left) > left) return 'too_much'
    account.balance += amount ?? left
    this.#refunds.set(key, { call, amount: amount ?? left })
    this.#posted.set(key, -1_000_000n)
    return null
  }
}

/** Asks the adapter, and reduces its answer as Model.apply() does. */
async function ask(books: Books, operation: Operation): Promise<unknown> {
  const { ledger, accounts } = books
  switch (operation.type) {
    case 'hold': {
      const { at, call, account, total, atLeast } = operation
      const answer = await ledger.hold(request(call, total, { at, account, atLeast }))
      if (answer.status === 'settled') return 'settled'
      return [answer.held, answer.raises, answer.reason]
    }
    case 'settle': {
      const more = { leg: leg(operation.call, 'whoever') }
      const cdr = await ledger.settle(settlement(operation.call, operation.price, more))
      return { cost: cdr.cost, held: cdr.held, writeOff: cdr.writeOff }
    }
    case 'warned':
      await ledger.warned(operation.call, operation.at)
      return null
    case 'release':
      await ledger.release(operation.call)
      return null
    case 'rename':
      await ledger.rename(operation.call, operation.to)
      return null
    case 'post': {
      const { account, amount, reference } = operation
      const entry = { account, kind: 'adjustment', actor: 'operator', reason: '' } as const
      return codeOf(accounts.post({ ...entry, amount, reference }))
    }
    case 'limit':
      return codeOf(
        accounts.change(operation.account, { creditLimit: operation.limit }, 'operator'),
      )
    case 'limits':
      await accounts.change(operation.account, operation.limits, 'operator')
      return null
    case 'refund': {
      const { call, amount, reference } = operation
      const by = { actor: 'operator', reason: '' }
      return codeOf(accounts.refund({ callId: call, amount, reference, ...by }))
    }
    case 'state':
      await accounts.change(operation.account, { state: operation.state }, 'operator')
      return null
  }
}

function codeOf(asked: Promise<unknown>): Promise<string | null> {
  return asked.then(
    () => null,
    error => error.code,
  )
}

const amount = fc.bigInt({ min: 0n, max: 12n })
const call = fc.constantFrom('c1', 'c2', 'c3', 'c4', 'c5')
const account = fc.constantFrom(...ACCOUNTS)
const instant = fc.constantFrom(1_795_398_154_260_001, 1_795_398_154_260_002, 7)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('hold' as const),
      at: instant,
      call,
      account: fc.constantFrom(...ACCOUNTS, ...ACCOUNTS, 'nobody'),
      total: amount,
      atLeast: fc.bigInt({ min: 0n, max: 4n }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('settle' as const), call, price: amount }),
  },
  fc.record({ type: fc.constant('warned' as const), call, at: instant }),
  fc.record({ type: fc.constant('release' as const), call }),
  fc.record({ type: fc.constant('rename' as const), call, to: call }),
  fc.record({
    type: fc.constant('post' as const),
    account,
    amount: fc.bigInt({ min: -8n, max: 8n }).filter(value => value !== 0n),
    reference: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
  }),
  fc.record({ type: fc.constant('limit' as const), account, limit: amount }),
  fc.record({
    type: fc.constant('limits' as const),
    account,
    limits: fc.record({
      maxCalls: fc.option(fc.integer({ min: 0, max: 3 })),
      maxSpendPerCall: fc.option(amount),
      maxSpendPerDay: fc.option(amount),
    }),
  }),
  fc.record({
    type: fc.constant('refund' as const),
    call,
    amount: fc.option(fc.bigInt({ min: 1n, max: 6n })),
    reference: fc.constantFrom('r1', 'r5', 'r6'),
  }),
  fc.record({
    type: fc.constant('state' as const),
    account,
    state: fc.constantFrom<AccountState[]>('active', 'active', 'active', 'suspended', 'closed'),
  }),
)
/** Each inner array is asked in one turn of the event loop. */
const turns = fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { maxLength: 15 })

/** `open` makes new books, and how to close them, for each run. */
export async function agreesWithModel(open: () => { books: Books; close: () => void }) {
  const credit = fc.bigInt({ min: 1n, max: 20n })
  const property = fc.asyncProperty(credit, turns, async (credit, turns) => {
    const { books, close } = open()
    try {
      await play(books, credit, turns)
    } finally {
      close()
    }
  })
  await fc.assert(property, { numRuns: 300 })
}

async function play(books: Books, credit: bigint, turns: Operation[][]) {
  const model = new Model(credit)
  const opening = { ...DEFAULT_TERMS, plan: 'p', credit, actor: 'operator' }
  for (const code of ACCOUNTS) await books.accounts.create({ ...opening, code })
  for (const turn of turns) {
    const answers = await Promise.all(turn.map(one => ask(books, one)))
    assert.deepEqual(
      answers,
      turn.map(one => model.apply(one)),
    )
    for (const [code, due] of model.accounts) {
      const found = { ...(await books.accounts.find(code))! }
      const is = Object.fromEntries(
        Object.keys(due).map(name => [name, found[name as keyof ModelAccount]]),
      )
      assert.deepEqual(is, { ...due })
    }
    assert.deepEqual((await books.auditor.verify()).problems, [])
  }
  const open = await books.auditor.allOpenCalls()
  assert.deepEqual(new Set(open.map(call => call.leg.callId)), model.openCalls)
  for (const [call, timeline] of model.timelines) {
    assert.deepEqual((await books.browsing.call(call))?.timeline, timeline)
  }
}
