import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Sqlite from 'better-sqlite3'
import pino from 'pino'
import t from 'tap'
import { startApi } from '../../src/http/server.js'
import { type Books, hold, openBooks, SaidToBeLive, settle } from '../support/books.js'
import { type Ran, shortDir, tollgate, words } from '../support/command-line.js'

const DECK = `prefix,description,per_minute,setup,minimum,increment,free_s,period,from,until,blocked
1,"North America, all",0.010000,0.000000,6,6,0,,,,
33,France,0.050000,0.002000,1,1,0,,,,
44,United Kingdom,0.020000,0.000000,60,60,0,,,,
`

/** An operator's day; and what is typed into it. */
const DAY: readonly (readonly [line: string, code: number, stdin?: string])[] = [
  ['account list', 1],
  ['plan create retail', 0],
  ['plan create retail', 1],
  ['plan create wholesale --json', 0],
  ['rate import - --plan retail', 0, DECK],
  ['rate import - --plan wholesale --json', 0, DECK],
  ['rate import - --plan wholesale --replace --yes', 0, DECK.slice(0, DECK.indexOf('33,'))],
  ['rate import - --plan retail', 1, `${DECK}45,DK,1e-2,0,1,1,0,,,,\n46,SE,0.1\n`],
  ['rate import none.csv --plan retail', 1],
  ['rate import . --plan retail', 1],
  ['rate add 4420 --plan retail --per-minute 0.015 --description London', 0],
  ['rate add 4420 --plan retail --per-minute 0.015', 1],
  ['rate add 45 --plan retail', 1],
  ['rate add 4 --plan none --per-minute 0.015', 1],
  ['rate list --plan retail', 0],
  ['rate list --plan retail --limit 2 --json', 0],
  ['rate find +442079460000 --plan retail', 0],
  ['rate find 99 --plan retail --json', 1],
  ['rate add 4420 --plan retail --per-minute 0.01 --from 2199-01-01 --free-seconds 3', 0],
  ['rate show 4420 --plan retail', 0],
  ['rate set 4420 --plan retail --per-minute 0.02', 1],
  ['rate set 4420 --plan retail --from 2199-01-01 --until 2199-02-01 --json', 0],
  ['rate delete 4420 --plan retail --from 2199-01-01 --yes', 0],
  ['rate set 4420 --plan retail --per-minute 0.016', 0],
  ['rate add 99 --plan retail --blocked yes --description "<script>alert(1)</script>"', 0],
  ['quote 99 --plan retail --json', 1],
  ['rate delete 99 --plan retail --yes', 0],
  ['plan set retail --cost-plan wholesale --zone Europe/London --refuse-loss no', 0],
  ['plan set retail --cost-plan retal', 1],
  ['plan set-period retail peak "mon-fri 08:00-20:00"', 0],
  ['plan set-period retail lunch "mon-fri 12:00-13:00"', 1],
  ['plan set-period retail x "always"', 1],
  ['rate add 44 --plan retail --period peak --per-minute 0.03', 0],
  ['quote 442079460000 --plan retail --at 2026-12-01T12:00Z', 0],
  ['plan delete-period retail peak --yes', 1],
  ['rate delete 44 --plan retail --period peak --yes', 0],
  ['plan delete-period retail peak --yes', 0],
  ['plan delete wholesale --yes', 1],
  ['plan set retail --cost-plan none --json', 0],
  ['rate import - --plan retail --dry-run', 0, DECK.replace('0.05', '0.06')],
  ['rate import - --plan retail --dry-run --json', 0, DECK],
  ['rate delete 4420 --plan retail --yes', 0],
  ['rate delete 4420 --plan retail --yes', 1],
  ['rate export --plan retail', 0],
  ['plan list', 0],
  ['plan show retail --json', 0],
  ['account create ALICE --plan retail --name "Alice Müller" --credit 25', 0],
  ['account create BOB --plan wholesale --credit-limit 10 --json', 0],
  ['account create ALICE --plan retail', 1],
  ['account create EVE --plan none', 1],
  ['account create EVE --plan retail --credit 1,5', 1],
  ['account create a"b --plan retail', 1],
  ['account create "\'; DROP TABLE account; --" --plan retail', 1],
  ['account show ALICE', 0],
  ['account show EVE', 1],
  [`account show ${'x'.repeat(10_240)}`, 1],
  ['account top-up ALICE 5 --reference r-1 --reason "cash, at the desk"', 0],
  ['account top-up ALICE 5 --reference r-1 --json', 0],
  ['account top-up ALICE 6 --reference r-1', 1],
  ['account top-up ALICE -5 --reference r-2', 1],
  ['account top-up ALICE -0 --reference r-2', 1],
  ['account top-up ALICE 1e9 --reference r-2', 1],
  ['account top-up ALICE NaN --reference r-2', 1],
  ['account top-up ALICE 0.0000001 --reference r-2', 1],
  ['account top-up EVE 5 --reference r-2', 1],
  ['account adjust ALICE -1.5 --reference r-3 --reason "charged twice" --actor auditor', 0],
  ['account adjust ALICE -1000 --reference r-4', 1],
  ['account set ALICE --plan wholesale --credit-limit 2', 0],
  ['account set ALICE --plan none', 1],
  ['account set ALICE', 1],
  ['account set ALICE --plan retail --json', 0],
  ['account close BOB --yes', 0],
  ['account list', 0],
  ['account list --state closed --json', 0],
  ['account list --search müller --limit 1', 0],
  ['account list --state open', 1],
  ['account reopen BOB', 0],
  ['account statement ALICE', 0],
  ['account statement ALICE --json', 0],
  ['account statement ALICE --to 2000-01-01', 0],
  ['account statement ALICE --from tomorrow', 1],
  ['plan delete retail --yes', 1],
  ['plan create spare', 0],
  ['plan delete spare --yes', 0],
  ['quote 442079460000 --account ALICE --seconds 125', 0],
  ['quote 0033123 --plan retail --seconds 0 --json', 0],
  ['quote 99 --plan retail', 1],
  ['quote 44', 1],
  ['quote - --plan retail', 1, '\uFEFF442079460000,125\r\n\r\n99,1\nx,1\n44\n"33 ",1.5\n331, 7\n'],
  ['quote - --account ALICE --json', 0, '442079460000,125\n"331",1'],
  ['quote - --account EVE --json', 1, '442079460000,125\n'],
  ['call kill no-such-call --yes', 1],
  ['cdr list', 0],
  ['cdr list --outcome lost', 1],
  ['cdr show no-such-call', 1],
  ['verify', 0],
  ['verify --json', 0],
]

/** Times differ from run to run; whatever else does is a fault. */
const timeless = (text: string) =>
  text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/g, '<instant>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '<time>')
    .replaceAll(/\/\S*tollgate-test-\w+/g, '<data>')

const given = (input: string | undefined) => (input === undefined ? {} : { input })

const silent = pino({ level: 'silent' })

t.test('an operator cannot tell whether a daemon is running', async t => {
  const without = shortDir(t)
  const alone: Ran[] = []
  for (const [line, code, input] of DAY) {
    const ran = await tollgate(without, words(line), given(input))
    t.equal(ran.code, code, `${line.slice(0, 80)}: ${ran.err}`)
    t.equal(ran.err === '', code === 0 && !line.includes('--limit 2'), 'says what is wrong')
    t.notMatch(ran.err, /\n\s+at |mistake in Tollgate/, 'without a stack')
    alone.push(ran)
  }

  const dir = shortDir(t)
  const [first] = DAY
  t.match(await tollgate(dir, words(first![0])), { code: 1, err: /There are no books in/ })
  const live = new SaidToBeLive()
  const books = openBooks(dir, live)
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log: silent })
  t.teardown(() => books.close())
  t.teardown(() => api.close())
  for (const [i, [line, , input]] of DAY.entries()) {
    if (i === 0) continue
    const ran = await tollgate(dir, words(line), given(input))
    // The one difference that there is: without a daemon nobody could end a call.
    if (line.startsWith('call kill')) {
      t.match(ran.err, /There is no live call "no-such-call"/)
      continue
    }
    const expected = alone[i]!
    t.equal(timeless(ran.out), timeless(expected.out), line.slice(0, 80))
    t.equal(timeless(ran.err), timeless(expected.err), line.slice(0, 80))
    t.equal(ran.code, expected.code, line.slice(0, 80))
  }
  t.ok(live.told.includes('rates retail'), 'the daemon heard of the rates')
  t.ok(live.told.includes('topped up ALICE'), 'and of the credit')
})

t.test('a daemon of another version is asked for what only it can read', async t => {
  const dir = shortDir(t)
  const books = openBooks(dir)
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  await books.provisioning.accountCreate({ code: 'ALICE', plan: 'retail', actor: 'test' })
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log: silent })
  t.teardown(() => books.close())
  t.teardown(() => api.close())
  books.ledgerFile.database.pragma('user_version = 1000')
  t.match(await tollgate(dir, words('account show ALICE')), { code: 0, out: /^code +ALICE\n/ })
  const unknown = { code: 1, err: 'error: There is no account EVE\n' }
  t.match(await tollgate(dir, words('account show EVE')), unknown)
})

t.test('what is printed', async t => {
  const dir = shortDir(t)
  for (const [line, , input] of DAY) await tollgate(dir, words(line), given(input))
  const prints = async (line: string, wanted: string, input?: string) => {
    const { out } = await tollgate(dir, words(line), given(input))
    t.equal(timeless(out), wanted, line)
  }
  await prints('rate export --plan retail', DECK)
  await prints(
    'account list',
    `code   name          plan       state     balance  credit limit      held  available
ALICE  Alice Müller  retail     active  28.500000      2.000000  0.000000  30.500000
BOB                  wholesale  active   0.000000     10.000000  0.000000  10.000000
`,
  )
  await prints(
    'account statement ALICE',
    `time (UTC)           entry          amount    balance  reference  reason             actor
                     opening                 0.000000
<time>  top_up      25.000000  25.000000  opening    opening credit     cli:root
<time>  top_up       5.000000  30.000000  r-1        cash, at the desk  cli:root
<time>  adjustment  -1.500000  28.500000  r-3        charged twice      auditor
                     closing                28.500000
`.replaceAll('cli:root', `cli:${userInfo().username}`),
  )
  await prints(
    'quote +442079460000 --account ALICE --seconds 125',
    `number   442079460000
dialled  +442079460000: international prefix + taken off
prefix   44 (United Kingdom) of plan retail
rate     0.020000 a minute in steps of 60/60 s, setup 0.000000
talk     125 s, billed as 180 s: 0.060000
setup    0.000000
cost     0.060000
`,
  )
  const quotes = await tollgate(dir, words('quote - --plan retail --json'), {
    input: '442079460000,125\n99,1\n"331",7\n',
  })
  t.equal(quotes.code, 1)
  t.strictSame(JSON.parse(quotes.err), {
    line: 2,
    text: '99,1',
    reason: 'The plan retail has no rate for 99',
  })
  t.match(
    quotes.out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
    [
      { number: '442079460000', seconds: 125, prefix: '44', billed_s: 180, cost: '0.060000' },
      { number: '331', seconds: 7, prefix: '33', billed_s: 7, cost: '0.007834' },
    ],
  )
  const bad = await tollgate(dir, words('rate import - --plan retail'), {
    input: `${DECK}45,DK,1e-2,0,1,1,0,,,,\n`,
  })
  t.equal(
    bad.err,
    'line 5: "45,DK,1e-2,0,1,1,0,,,,": the price per minute "1e-2" is in scientific notation: ' +
      'write it out, like 0.01\nerror: Nothing was imported: 1 line is bad\n',
  )
  const made = await tollgate(dir, words('account create --plan retail --json'))
  t.match(JSON.parse(made.out).code, /^[2-9A-HJKMNP-Z]{12}$/)
  const toppedUp = await tollgate(dir, words('account top-up ALICE 1 --json'))
  t.match(JSON.parse(toppedUp.out).reference, /^cli-[0-9a-f-]{36}$/)
})

t.test('calls', async t => {
  const dir = shortDir(t)
  const live = new SaidToBeLive()
  let books: Books = openBooks(dir, live)
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  const account = { code: 'ALICE', plan: 'retail', credit: '5', actor: 'test' }
  await books.provisioning.accountCreate(account)
  await hold(books, 'leg-1', 'ALICE')
  await settle(books, 'leg-1', 'ALICE', 35)
  await hold(books, 'leg-2', 'ALICE')
  books.close()

  const cdrs = await tollgate(dir, words('cdr list --account ALICE --json'))
  t.strictSame(JSON.parse(cdrs.out), [
    {
      call_id: 'leg-1',
      account: 'ALICE',
      number: '442079460000',
      prefix: '44',
      description: 'UK',
      plan: 'retail',
      created_at: '2026-11-23T01:00:00.000000Z',
      answered_at: '2026-11-23T01:00:05.000000Z',
      ended_at: '2026-11-23T01:00:35.000000Z',
      duration_s: '30.000000',
      billed_s: 60,
      cost: '0.600000',
      held: '0.600000',
      write_off: '0.000000',
      carrier_cost: null,
      margin: null,
      outcome: 'completed',
      reason: null,
      cause: 'NORMAL_CLEARING',
      switch: 'fs1',
      corrected: false,
    },
  ])
  t.match((await tollgate(dir, ['cdr', 'list'])).out, /2026-11-23 01:00:35 {2}ALICE .* leg-1\n$/)
  const shown = await tollgate(dir, words('cdr show leg-1 --json'))
  const timeline = [{ type: 'held', at: '2026-11-23T01:00:00.000000Z', held: '0.600000' }]
  t.strictSame(JSON.parse(shown.out), { ...JSON.parse(cdrs.out)[0], timeline })
  const inWords = (await tollgate(dir, words('cdr show leg-1'))).out
  t.match(inWords, /^outcome +completed$/m)
  t.match(inWords, /^2026-11-23 01:00:00\.000000 {2}held {2}0\.600000$/m)
  const open = await tollgate(dir, ['call', 'list'])
  t.match(open.out, /leg-2 .*answered {8}- {5}- {2}0\.600000 {2}2026-11-23 01:01:05\n$/)
  t.match(open.err, /No daemon supervises these calls/)
  t.match(await tollgate(dir, words('call kill leg-2 --yes')), { code: 1, err: /no daemon runs/ })
  const config = join(dir, 'other.toml')
  writeFileSync(config, 'colour = "red"\n')
  const wrong = await tollgate(dir, ['call', 'list', '--config', config])
  t.match(wrong, { code: 1, err: `error: ${config}: colour is not a setting\n` })

  books = openBooks(dir, live)
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log: silent })
  t.teardown(() => books.close())
  t.teardown(() => api.close())
  live.calls.push({
    callId: 'leg-2',
    account: 'ALICE',
    number: '442079460000',
    switch: 'fs1',
    state: 'answered',
    seconds: 12,
    cost: 600_000n,
    held: 600_000n,
    fundedUntil: null,
    final: true,
  })
  const listed = await tollgate(dir, ['call', 'list'])
  t.match(listed, {
    err: '',
    out: /leg-2 .*answered, final {7}12 {2}0\.600000 {2}0\.600000 {2}-\n$/,
  })
  t.match(await tollgate(dir, words('call kill leg-2 --yes')), { code: 0, out: 'Ended leg-2\n' })
  t.match(await tollgate(dir, ['verify']), {
    code: 0,
    out: /open calls {2}1\n.*\nEverything adds up/,
  })
})

t.test('usage', async t => {
  const dir = shortDir(t)
  const usage: readonly (readonly [string, number, RegExp])[] = [
    ['', 2, /Usage: tollgate/],
    ['account', 2, /Usage: tollgate account/],
    ['acount list', 2, /unknown command 'acount'\n\(Did you mean account\?\)/],
    ['account lst', 2, /unknown command 'lst'\n\(Did you mean list\?\)/],
    ['account show', 2, /missing required argument 'code'/],
    ['account show A B', 2, /too many arguments/],
    ['account create X', 2, /required option '--plan <plan>' not specified/],
    ['account list --sort', 2, /unknown option '--sort'/],
    ['rate add --plan retail', 2, /missing required argument 'prefix'/],
    ['plan list --data', 2, /argument missing/],
  ]
  for (const [line, code, err] of usage) {
    t.match(await tollgate(dir, words(line)), { code, out: '', err }, line || 'nothing')
  }
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
  )
  t.match(await tollgate(dir, ['--version']), { code: 0, out: `${version}\n`, err: '' })
})

t.test('where the data is', async t => {
  const dir = shortDir(t)
  const other = join(dir, 'new/books')
  t.match(await tollgate(dir, ['--data', other, 'account', 'list']), {
    code: 1,
    err: `error: There are no books in ${other}: say where they are with --data, or begin with: tollgate plan create NAME\n`,
  })
  t.notOk(existsSync(other), 'reading makes nothing')
  t.match(await tollgate(dir, ['plan', 'create', 'p', '--data', other]), { code: 0 })
  t.ok(existsSync(join(other, 'rates.db')))
  t.match(await tollgate(dir, ['--data', other, 'account', 'list', '--json']), { out: '[]\n' })

  writeFileSync(join(other, 'tollgate.toml'), 'colour = "red"\n')
  t.match(await tollgate(other, ['account', 'list']), { code: 0 }, 'a list needs no configuration')

  writeFileSync(join(dir, 'ledger.db'), 'this is no database, however long one looks at it')
  t.match(await tollgate(dir, ['account', 'list']), { code: 1, err: /ledger.db is not a database/ })
  t.match(await tollgate(dir, ['verify']), { code: 1, err: /ledger.db is not a database/ })
})

t.test('books that do not add up', async t => {
  const dir = shortDir(t)
  await tollgate(dir, words('plan create retail'))
  await tollgate(dir, words('account create ALICE --plan retail --credit 5'))
  const database = new Sqlite(join(dir, 'ledger.db'))
  database.exec('UPDATE account SET balance = 6000000')
  database.close()
  const wrong = 'Account ALICE: the balance is 6.000000, but its entries add up to 5.000000'
  t.match(await tollgate(dir, ['verify']), { code: 1, out: wrong, err: '' })
  const { out } = await tollgate(dir, ['verify', '--json'])
  t.match(JSON.parse(out), { ok: false, problems: [wrong] })

  const books = openBooks(dir)
  t.teardown(() => books.close())
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log: silent })
  t.teardown(() => api.close())
  t.match(await tollgate(dir, ['verify']), { code: 1, out: wrong }, 'beside a daemon as well')
})

t.test('a command waits for another to be done with the ledger', async t => {
  const dir = shortDir(t)
  const books = openBooks(dir)
  setTimeout(() => books.close(), 200)
  t.match(await tollgate(dir, words('account list --json')), { code: 0, out: '[]\n', err: '' })
})

/** Runs a command as a process. */
function start(dir: string, args: readonly string[]) {
  const program = join(import.meta.dirname, '../support/tollgate.ts')
  return spawn(process.execPath, ['--import=tsx', program, '--data', dir, ...args])
}

async function ended(child: ChildProcess): Promise<Ran> {
  const [out, err, code] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    new Promise<number>(resolve => child.on('close', resolve)),
  ])
  return { code, out, err }
}

t.test('as processes', async t => {
  const busy = shortDir(t)
  const books = openBooks(busy)
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  t.teardown(() => books.close())
  const refused = tollgate(busy, ['account', 'list'])

  const dir = shortDir(t)
  t.match(await ended(start(dir, ['account', 'list'])), { code: 1, out: '', err: /no books/ })
  t.match(await ended(start(dir, ['plan', 'create', 'retail'])), { code: 0, err: '' })
  t.match(await ended(start(dir, ['acount'])), { code: 2, out: '', err: /Did you mean account/ })
  await tollgate(dir, words('account create ALICE --plan retail'))

  const both = ['same', 'same', 'a', 'b']
  const children = both.map(reference =>
    start(dir, words(`account top-up ALICE 1 --reference ${reference}`)),
  )
  for (const ran of await Promise.all(children.map(ended))) {
    t.match(ran, { code: 0, err: '' }, 'several at once wait for each other')
  }
  t.match(JSON.parse((await tollgate(dir, words('account show ALICE --json'))).out), {
    balance: '3.000000',
  })

  const lines = Array.from({ length: 20_000 }, (_, i) => `${10_000 + i},,1,0,1,1\n`)
  const deck = `${DECK.split('\n')[0]}\n${lines.join('')}`
  await tollgate(dir, words('rate import - --plan retail'), { input: deck })
  const child = start(dir, words('rate export --plan retail'))
  child.stdout.once('data', () => child.stdout.destroy())
  const code = new Promise(resolve => child.on('close', resolve))
  t.strictSame([await text(child.stderr), await code], ['', 0], '`| head` is not an error')
  t.match(await tollgate(busy, words('rate add 44 --plan retail --per-minute 1')), { code: 0 })
  t.match(await refused, {
    code: 1,
    err: `error: The data in ${busy} is in use by tollgate test, process ${process.pid}\n`,
  })
})
