import t, { type Test } from 'tap'
import { z } from 'zod'
import { formatInstant } from '../../src/call/cdr.js'
import { generateCode } from '../../src/provisioning/accounts.js'
import type { LiveCall } from '../../src/provisioning/calls.js'
import { checkInput, instant } from '../../src/provisioning/fields.js'
import { verify } from '../../src/provisioning/verify.js'
import { type Books, hold, openBooks, SaidToBeLive, settle, T0 } from '../support/books.js'

const actor = 'test'

async function withBooks(t: Test, live?: SaidToBeLive) {
  const books = openBooks(t.testdir({}), live)
  t.teardown(() => books.close())
  await books.rates.planCreate({ name: 'retail', actor })
  return books
}

/** What each refusal says, word for word where it matters. */
async function refuses(t: Test, code: string, what: Promise<unknown>, message: RegExp | string) {
  await t.rejects(what, { name: 'BookError', code, message })
}

t.test('accounts', async t => {
  const { provisioning, auditor } = await withBooks(t)
  const alice = await provisioning.accountCreate({
    code: 'ALICE',
    name: 'Alice “A” Müller',
    plan: 'retail',
    credit: '25',
    credit_limit: '2.5',
    actor,
  })
  t.match(alice.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  t.strictSame(alice, {
    code: 'ALICE',
    name: 'Alice “A” Müller',
    plan: 'retail',
    special_plan: null,
    notes: '',
    state: 'active',
    balance: '25.000000',
    credit_limit: '2.500000',
    held: '0.000000',
    available: '27.500000',
    live_calls: 0,
    spent_today: '0.000000',
    max_calls: null,
    max_calls_per_second: null,
    max_per_minute: null,
    max_spend_per_call: null,
    max_spend_per_day: null,
    longest_call_s: null,
    low_balance: null,
    low: false,
    time_zone: 'UTC',
    created_at: alice.created_at,
  })
  t.strictSame(await provisioning.accountShow({ code: 'ALICE' }), alice)
  const made = await provisioning.accountCreate({ plan: 'retail', actor })
  t.match(made.code, /^[2-9A-HJKMNP-Z]{12}$/)
  t.strictSame(
    (await provisioning.accountList({})).map(({ code }) => code),
    [made.code, 'ALICE'].sort(),
  )
  t.strictSame(await provisioning.accountList({ search: 'müller' }), [alice])
  t.strictSame(await provisioning.accountList({ after: 'ZZZ' }), [])
  t.equal((await provisioning.accountList({ limit: '1' })).length, 1, 'a limit may be text')

  t.equal((await provisioning.accountClose({ actor: 'test', code: 'ALICE' })).state, 'closed')
  t.strictSame(await provisioning.accountList({ state: 'closed', search: 'ali' }), [
    { ...alice, state: 'closed' },
  ])
  t.equal((await provisioning.accountReopen({ actor: 'test', code: 'ALICE' })).state, 'active')
  const changed = await provisioning.accountSet({
    actor: 'test',
    code: 'ALICE',
    name: '',
    credit_limit: '0',
  })
  t.match(changed, { name: '', credit_limit: '0.000000', available: '25.000000' })
  t.match(await verify(auditor), { ok: true, accounts: 2, entries: 1 })
})

t.test('a generated code cannot be guessed and can be typed', async t => {
  const codes = Array.from({ length: 1_000 }, generateCode)
  t.equal(new Set(codes).size, 1_000)
  t.equal(new Set(codes.join('')).size, 31, 'all 31 letters are used')
  t.notMatch(codes.join(''), /[01OIL]/)
})

t.test('entries', async t => {
  const { provisioning } = await withBooks(t)
  await provisioning.accountCreate({ code: 'BOB', plan: 'retail', actor })
  const topUp = { code: 'BOB', amount: '10.5', reference: 'r-1', reason: 'cash', actor }
  const entry = await provisioning.topUp(topUp)
  t.match(entry, { account: 'BOB', kind: 'top_up', amount: '10.500000', balance: '10.500000' })
  t.match(entry, { reference: 'r-1', reason: 'cash', actor: 'test' })
  t.strictSame(await provisioning.topUp(topUp), entry, 'again: the same entry, booked once')
  await refuses(t, 'reference_used', provisioning.topUp({ ...topUp, amount: '10' }), /r-1/)
  const down = { code: 'BOB', amount: '-0.5', reference: 'r-2', actor }
  t.match(await provisioning.adjust(down), { kind: 'adjustment', balance: '10.000000' })
  await refuses(
    t,
    'no_credit',
    provisioning.adjust({ ...down, amount: '-10.000001', reference: 'r-3' }),
    'BOB has only 10.000000 available',
  )

  const statement = await provisioning.statement({ code: 'BOB' })
  t.match(statement, {
    account: 'BOB',
    opening_balance: '0.000000',
    entries: [
      { amount: '10.500000', balance: '10.500000', reason: 'cash' },
      { amount: '-0.500000', balance: '10.000000', reason: '' },
    ],
    closing_balance: '10.000000',
  })
  const second = statement.entries[1]!.at
  const later = { code: 'BOB', from: second }
  const before = { code: 'BOB', to: entry.at }
  if (second > entry.at) {
    t.match(await provisioning.statement(later), {
      opening_balance: '10.500000',
      entries: [{ amount: '-0.500000' }],
      closing_balance: '10.000000',
    })
  }
  t.match(await provisioning.statement(before), {
    opening_balance: '0.000000',
    closing_balance: '0.000000',
  })
  t.strictSame(
    await provisioning.statement({ code: 'BOB', from: '2999-01-01' }),
    {
      account: 'BOB',
      opening_balance: '10.000000',
      entries: [],
      closing_balance: '10.000000',
    },
    'a period without entries still has its balance',
  )
})

t.test('live calls hear of new credit, after it is booked, and of nothing else', async t => {
  const live = new SaidToBeLive()
  const { provisioning, rates } = await withBooks(t, live)
  await provisioning.accountCreate({ code: 'EVE', plan: 'retail', credit: '1', actor })
  const told = async (what: Promise<unknown>) => {
    live.told.length = 0
    await what.catch(() => undefined)
    return [...live.told]
  }
  const entry = (amount: string, reference: string) => ({ code: 'EVE', amount, reference, actor })
  t.strictSame(await told(provisioning.topUp(entry('1', 'a'))), ['topped up EVE'])
  t.strictSame(await told(provisioning.adjust(entry('1', 'b'))), ['topped up EVE'])
  t.strictSame(await told(provisioning.adjust(entry('-1', 'c'))), [])
  t.strictSame(await told(provisioning.adjust(entry('-100', 'd'))), [])
  t.strictSame(
    await told(provisioning.accountSet({ actor: 'test', code: 'EVE', credit_limit: '1' })),
    ['topped up EVE'],
  )
  t.strictSame(await told(provisioning.accountSet({ actor: 'test', code: 'EVE', name: 'Eve' })), [])
  t.strictSame(await told(provisioning.accountReopen({ actor: 'test', code: 'EVE' })), [
    'topped up EVE',
  ])
  t.strictSame(await told(provisioning.accountClose({ actor: 'test', code: 'EVE' })), [])
  t.strictSame(
    await told(rates.rateAdd({ plan: 'retail', prefix: '1', per_minute: '1', actor })),
    ['rates retail'],
    'the daemon has read a new rate before the command is done',
  )
  t.strictSame(
    await told(rates.rateAdd({ plan: 'retail', prefix: '1', per_minute: '1', actor })),
    [],
  )
  t.strictSame(await told(rates.rateDelete({ plan: 'retail', prefix: '1', actor })), [
    'rates retail',
  ])
})

t.test('live calls, supervised or not', async t => {
  const live = new SaidToBeLive()
  const dir = t.testdir({})
  let books: Books = openBooks(dir)
  await books.rates.planCreate({ name: 'retail', actor })
  await books.provisioning.accountCreate({ code: 'ALICE', plan: 'retail', credit: '5', actor })
  await hold(books, 'leg-1', 'ALICE')
  t.strictSame(await books.provisioning.callList({}), [
    {
      call_id: 'leg-1',
      account: 'ALICE',
      number: '442079460000',
      switch: 'fs1',
      state: 'answered',
      seconds: null,
      cost: null,
      held: '0.600000',
      funded_until: '2026-11-23T01:01:05.000000Z',
      final: null,
      supervised: false,
    },
  ])
  t.strictSame(await books.provisioning.callList({ account: 'BOB' }), [])
  await refuses(
    t,
    'unknown_call',
    books.provisioning.callKill({ actor: 'test', call_id: 'leg-1' }),
    /no daemon/,
  )
  books.close()

  books = openBooks(dir, live)
  t.teardown(() => books.close())
  const call: LiveCall = {
    callId: 'leg-2',
    account: 'ALICE',
    number: '331',
    switch: 'fs1',
    state: 'answered',
    seconds: 61,
    cost: 1_200_000n,
    held: 1_800_000n,
    fundedUntil: T0,
    final: true,
  }
  live.calls.push(call, { ...call, callId: 'leg-3', fundedUntil: null, state: 'ringing' })
  t.match(await books.provisioning.callList({}), [
    { call_id: 'leg-2', seconds: 61, cost: '1.200000', final: true, supervised: true },
    { call_id: 'leg-3', state: 'ringing', funded_until: null },
  ])
  t.strictSame(await books.provisioning.callKill({ actor: 'test', call_id: 'leg-2' }), {
    call_id: 'leg-2',
  })
  await refuses(
    t,
    'unknown_call',
    books.provisioning.callKill({ actor: 'test', call_id: 'leg-9' }),
    'There is no live call "leg-9"',
  )
  t.strictSame(live.told, ['kill leg-2'])
})

t.test('ended calls', async t => {
  const books = await withBooks(t)
  const { provisioning } = books
  for (const code of ['ALICE', 'BOB']) {
    await provisioning.accountCreate({ code, plan: 'retail', credit: '5', actor })
  }
  await hold(books, 'leg-1', 'ALICE')
  await settle(books, 'leg-1', 'ALICE', 35)
  await hold(books, 'leg-2', 'BOB')
  await settle(books, 'leg-2', 'BOB', 65, 'cut_off')
  const ids = async (input: Parameters<typeof provisioning.cdrList>[0]) =>
    (await provisioning.cdrList(input)).map(cdr => cdr.call_id)
  t.strictSame(await ids({}), ['leg-2', 'leg-1'], 'the last to end comes first')
  t.strictSame(await ids({ limit: '1' }), ['leg-2'])
  t.strictSame(await ids({ account: 'ALICE' }), ['leg-1'])
  t.strictSame(await ids({ outcome: 'cut_off' }), ['leg-2'])
  t.strictSame(await ids({ from: '2026-11-23T01:01Z' }), ['leg-2'])
  t.strictSame(await ids({ to: '2026-11-23T02:01+01:00' }), ['leg-1'], 'offsets count')
  t.strictSame(await ids({ from: '2026-11-24' }), [])
  t.match(await provisioning.cdrList({ account: 'ALICE' }), [
    { cost: '0.600000', duration_s: '30.000000', billed_s: 60, prefix: '44', plan: 'retail' },
  ])
  t.match(await verify(books.auditor), { ok: true, cdrs: 2, open_calls: 0 })
})

t.test('input of every bad kind is refused in a sentence', async t => {
  const { provisioning, rates, quoter } = await withBooks(t)
  await provisioning.accountCreate({ code: 'ALICE', plan: 'retail', credit: '5', actor })
  const before = await provisioning.statement({ code: 'ALICE' })
  const topUp = (amount: unknown) =>
    provisioning.topUp({ code: 'ALICE', amount, reference: 'bad', actor })
  const create = (fields: object) =>
    provisioning.accountCreate({ code: 'NEW', plan: 'retail', actor, ...fields })

  const amounts: readonly (readonly [unknown, string])[] = [
    ['1e9', '"1e9" is not an amount: write it like 12 or 0.25, with at most six decimal places'],
    ['NaN', '"NaN" is not an amount'],
    ['0.0000001', '"0.0000001" is not an amount'],
    ['1,5', '"1,5" is not an amount'],
    [' 1', '" 1" is not an amount'],
    ['', '"" is not an amount'],
    ['0x10', '"0x10" is not an amount'],
    ['٣', '"٣" is not an amount'],
    ['-0', '"-0" is not an amount: zero has no sign'],
    ['-0.00', '"-0.00" is not an amount: zero has no sign'],
    ['0', 'A top-up must be more than 0, not 0.000000'],
    ['-5', 'A top-up must be more than 0, not -5.000000'],
    ['9999999999', '"9999999999" is more than can be booked'],
    [5, 'The amount must be written as text'],
    [null, 'The amount must be written as text'],
    [undefined, 'The amount is missing'],
  ]
  for (const [amount, sentence] of amounts) {
    await refuses(t, 'bad_input', topUp(amount), new RegExp(`^${escaped(sentence)}`))
  }
  await refuses(t, 'too_much', topUp('9007199254'), /holds at most/)

  const rule = 'it must be letters, digits, dots, dashes and underscores, at most 64'
  const injected = '"; DROP TABLE account; --'
  for (const code of [injected, '', '-a', 'a b', 'ä', 'x'.repeat(65), 'x\n', '<b>', '../x', 7]) {
    const sentence = new RegExp(`is not an account code: ${rule}`)
    await refuses(t, 'bad_input', create({ code }), sentence)
    await refuses(t, 'bad_input', provisioning.accountShow({ code }), sentence)
  }
  const long = 'x'.repeat(10_240)
  await refuses(
    t,
    'bad_input',
    create({ code: long }),
    new RegExp(`^"${'x'.repeat(40)}…" is not an account code`),
  )
  const others: readonly (readonly [() => Promise<unknown>, string, string])[] = [
    [() => create({ code: 'ALICE' }), 'account_exists', 'There is already an account ALICE'],
    [() => create({ plan: 'nowhere' }), 'unknown_plan', 'There is no plan nowhere'],
    [() => create({ plan: undefined }), 'bad_input', 'Give a plan name'],
    [
      () => create({ credit: '-1' }),
      'bad_input',
      'The credit must not be negative, but is -1.000000',
    ],
    [() => create({ credit_limit: '-1' }), 'bad_input', 'The credit limit must not be negative'],
    [
      () => create({ name: 'a\u0000b' }),
      'bad_input',
      'The name must be text of at most 200 characters',
    ],
    [() => create({ name: long }), 'bad_input', 'The name must be text of at most 200 characters'],
    [() => create({ actor: ' ' }), 'bad_input', 'The actor must not be empty'],
    [() => create({ colour: 'red' }), 'bad_input', 'colour is not a known field'],
    [
      () => provisioning.accountShow({ code: 'NOBODY' }),
      'unknown_account',
      'There is no account NOBODY',
    ],
    [
      () => provisioning.accountClose({ actor: 'test', code: 'NOBODY' }),
      'unknown_account',
      'There is no account',
    ],
    [
      () => provisioning.statement({ code: 'NOBODY' }),
      'unknown_account',
      'There is no account NOBODY',
    ],
    [
      () => provisioning.accountSet({ actor: 'test', code: 'ALICE' }),
      'bad_input',
      'Nothing to set',
    ],
    [
      () => provisioning.accountSet({ actor: 'test', code: 'ALICE', plan: 'x' }),
      'unknown_plan',
      'There is no plan x',
    ],
    [
      () => provisioning.accountList({ limit: '1e3' }),
      'bad_input',
      'The limit must be a whole number',
    ],
    [() => provisioning.accountList({ limit: 0 }), 'bad_input', 'The limit must be a whole number'],
    [
      () => provisioning.accountList({ state: 'open' }),
      'bad_input',
      'The state must be one of active',
    ],
    [
      () => provisioning.cdrList({ outcome: 'x' }),
      'bad_input',
      'The outcome must be one of completed',
    ],
    [
      () => provisioning.cdrList({ from: 'yesterday' }),
      'bad_input',
      'The start must be a time like',
    ],
    [() => provisioning.callKill({}), 'bad_input', 'The call id is missing'],
    [
      () => rates.planCreate({ name: 'retail', actor }),
      'plan_exists',
      'There is already a plan retail',
    ],
    [
      () => rates.planCreate({ name: injected, actor }),
      'bad_input',
      '"\\"; DROP TABLE account; --" is not a',
    ],
    [() => rates.planShow({ name: 'x' }), 'unknown_plan', 'There is no plan x'],
    [() => rates.planDelete({ name: 'x', actor }), 'unknown_plan', 'There is no plan x'],
    [
      () => rates.planDelete({ name: 'retail', actor }),
      'plan_in_use',
      'The account ALICE is on the plan retail',
    ],
    [
      () => rates.rateAdd({ plan: 'x', prefix: '1', per_minute: '1', actor }),
      'unknown_plan',
      'There is no plan',
    ],
    [
      () => rates.rateAdd({ plan: 'retail', prefix: '1a', per_minute: '1', actor }),
      'bad_input',
      '"1a" is not',
    ],
    [
      () => rates.rateAdd({ plan: 'retail', prefix: '1', actor }),
      'bad_input',
      'The price per minute is missing',
    ],
    [
      () => rates.rateAdd({ plan: 'retail', prefix: '1', per_minute: '1', increment: 0, actor }),
      'bad_input',
      'The increment must be a whole number from 1 to 86400, not "0"',
    ],
    [
      () => rates.rateDelete({ plan: 'retail', prefix: '1', actor }),
      'unknown_rate',
      'The plan retail has no',
    ],
    [() => rates.rateList({ plan: 'x' }), 'unknown_plan', 'There is no plan x'],
    [() => rates.rateList({}), 'bad_input', 'Say whose rates: those of a plan, or those of an'],
    [() => quoter({}), 'bad_input', 'Say whose rates to use: an account or a plan'],
    [() => quoter({ plan: 'retail', account: 'ALICE' }), 'bad_input', 'Say whose rates to use'],
    [() => quoter({ plan: 'x' }), 'unknown_plan', 'There is no plan x'],
    [() => quoter({ account: 'NOBODY' }), 'unknown_account', 'There is no account NOBODY'],
  ]
  for (const [what, code, sentence] of others) {
    await refuses(t, code, what(), new RegExp(`^${escaped(sentence)}`))
  }
  t.strictSame(await provisioning.statement({ code: 'ALICE' }), before, 'nothing was booked')
  t.match(await rates.planList(), [{ name: 'retail', rates: 0 }])
  t.equal((await provisioning.accountList({})).length, 1)
})

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

t.test('times', async t => {
  // UTC is meant, wherever the machine stands.
  const { TZ } = process.env
  process.env['TZ'] = 'America/New_York'
  t.teardown(() => {
    if (TZ === undefined) delete process.env['TZ']
    else process.env['TZ'] = TZ
  })
  const read = (text: string) =>
    formatInstant(checkInput(z.object({ at: instant('It') }), { at: text }).at)
  t.equal(read('2026-11-23'), '2026-11-23T00:00:00.000000Z')
  t.equal(read('2026-11-23T14:30'), '2026-11-23T14:30:00.000000Z')
  t.equal(read('2026-11-23 14:30:05.25Z'), '2026-11-23T14:30:05.250000Z')
  t.equal(read('2026-11-23T14:30:05.293145Z'), '2026-11-23T14:30:05.293145Z')
  t.equal(read('2026-11-23T00:30:00+01:00'), '2026-11-22T23:30:00.000000Z')
  t.equal(read('2024-02-29'), '2024-02-29T00:00:00.000000Z')
  for (const wrong of [
    '2026-02-29',
    '2026-13-01',
    '2026-11-31',
    '2026-11-23T25:00',
    '1',
    'now',
    '',
  ]) {
    t.throws(() => read(wrong), { code: 'bad_input', message: /^It must be a time like/ }, wrong)
  }
})
