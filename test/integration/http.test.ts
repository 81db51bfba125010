import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { connectApi } from '../../src/http/client.js'
import { createServer, startApi } from '../../src/http/server.js'
import { socketPath } from '../../src/http/socket-path.js'
import { LedgerError } from '../../src/ledger/ledger.js'
import { OPERATIONS, type Provisioning } from '../../src/provisioning/operations.js'
import { openBooks, SaidToBeLive } from '../support/books.js'

const log = pino({ level: 'silent' })

/** A directory whose path has room for a socket in it: t.testdir's have not. */
function shortDir(t: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  return dir
}

async function running(t: Test, dir = shortDir(t)) {
  const live = new SaidToBeLive()
  const books = openBooks(dir, live)
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log })
  t.teardown(async () => {
    await api.close()
    books.close()
  })
  const remote = (await connectApi(dir))!
  return { dir, live, books, api, remote }
}

t.test('the client answers, and refuses, as the operations themselves do', async t => {
  const { books, remote, live } = await running(t)
  const local = books.provisioning
  t.strictSame(Object.keys(remote), Object.keys(OPERATIONS), 'there is a route for every operation')
  const name = 'Zoë “Z” & Söhne / 50 % ? # + ="'
  const account = { code: 'ZOE', name, plan: 'retail', credit: '9', actor: 'test' }
  const made = await remote.accountCreate(account)
  t.strictSame(made, await local.accountShow({ code: 'ZOE' }))
  const topUp = { code: 'ZOE', amount: '1', reference: 'a b/ü', reason: '<b>', actor: 'test' }
  t.strictSame(await remote.topUp(topUp), await local.topUp(topUp))
  t.strictSame(live.told.slice(-2), ['topped up ZOE', 'topped up ZOE'])

  const asked: (readonly [keyof Provisioning, object])[] = [
    ['accountShow', { code: 'ZOE' }],
    ['accountShow', { code: 'NOBODY' }],
    ['accountShow', { code: '../accounts' }],
    ['accountShow', { code: 'x'.repeat(10_240) }],
    ['accountShow', {}],
    ['accountList', {}],
    ['accountList', { search: name, limit: 5, state: undefined }],
    ['accountList', { search: '%_"; DROP TABLE account' }],
    ['accountList', { limit: 'all' }],
    ['accountCreate', account],
    ['accountCreate', { ...account, code: 'NEW', plan: 'none' }],
    ['accountCreate', { ...account, code: 'NEW', nonsense: 1 }],
    ['accountSet', { actor: 'test', code: 'ZOE', name: 'Zoë', credit_limit: '3' }],
    ['accountClose', { actor: 'test', code: 'ZOE' }],
    ['accountReopen', { actor: 'test', code: 'ZOE' }],
    ['topUp', { ...topUp, amount: '1e9' }],
    ['topUp', { ...topUp, amount: '2' }],
    ['topUp', { ...topUp, amount: 2 }],
    ['adjust', { code: 'ZOE', amount: '-1000', reference: 'x', actor: 'test' }],
    ['statement', { code: 'ZOE', from: '2026-11-01', to: '2999-01-01' }],
    ['statement', { code: 'ZOE', to: 'never' }],
    ['callList', { account: 'ZOE' }],
    ['callKill', { actor: 'test', call_id: 'no/such call?' }],
    ['cdrList', { outcome: 'refused', limit: 3 }],
    ['ratesReload', { plan: 'retail' }],
    ['ratesReload', {}],
  ]
  for (const [operation, input] of asked) {
    const answer = (origin: Provisioning) =>
      (origin[operation] as (input: object) => Promise<unknown>)(input).then(
        value => ({ value }),
        ({ name, code, message }) => ({ name, code, message }),
      )
    t.strictSame(await answer(remote), await answer(local), `${operation} ${JSON.stringify(input)}`)
  }
})

t.test('what the ledger cannot do is told as it is', async t => {
  const { books, remote } = await running(t)
  const trouble = async () => {
    throw new LedgerError('unavailable', 'The disk is full')
  }
  books.provisioning.accountList = trouble
  const answer = await createServer(books.provisioning, log).inject('/api/v1/accounts')
  t.equal(answer.statusCode, 503)
  t.match(answer.headers['content-type'], /^application\/problem\+json/)
  t.strictSame(answer.json(), {
    title: 'Service Unavailable',
    status: 503,
    code: 'unavailable',
    detail: 'The disk is full',
  })
  const told = { name: 'LedgerError', code: 'unavailable', message: 'The disk is full' }
  await t.rejects(remote.accountList({}), told)
})

t.test('over plain HTTP', async t => {
  const { books } = await running(t)
  const lines: string[] = []
  const server = createServer(
    books.provisioning,
    pino({ base: null }, { write: line => lines.push(line) }),
  )
  const ask = async (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: string | object) => {
    const headers = { 'content-type': 'application/json' }
    const { statusCode, body } = await server.inject(
      payload === undefined ? { method, url } : { method, url, payload, headers },
    )
    return [statusCode, JSON.parse(body)] as const
  }
  const accounts = '/api/v1/accounts'
  const account = { code: 'AMY', plan: 'retail', actor: 'test' }
  t.match(await ask('POST', accounts, account), [200, { code: 'AMY', balance: '0.000000' }])
  t.match(await ask('GET', `${accounts}?limit=1&search=am`), [200, [{ code: 'AMY' }]])
  t.match(
    await ask('POST', `${accounts}/AMY/top-ups`, { ...account, amount: '1', reference: 'r' }),
    [400, { code: 'bad_input', detail: 'plan is not a known field' }],
  )
  const refused: readonly (readonly [Parameters<typeof ask>, number, string, RegExp])[] = [
    [['POST', accounts, account], 409, 'account_exists', /already an account AMY/],
    [['GET', `${accounts}/NOBODY`], 404, 'unknown_account', /no account NOBODY/],
    [['GET', `${accounts}/${'x'.repeat(10_000)}`], 400, 'bad_input', /is not an account code/],
    [['GET', `${accounts}/a%22b`], 400, 'bad_input', /is not an account code/],
    [['GET', `${accounts}/%E0%A4%A`], 400, 'bad_request', /./],
    [['POST', accounts, '{"code":'], 400, 'bad_request', /JSON/],
    [['POST', accounts, '[1]'], 400, 'bad_input', /Give a plan name/],
    [['POST', accounts, '"x"'], 400, 'bad_input', /Give a plan name/],
    [['POST', accounts, '{"__proto__":{"plan":"retail"}}'], 400, 'bad_request', /./],
    [['POST', accounts, `{"name":"${'x'.repeat(2_000_000)}"}`], 413, 'bad_request', /too large/],
    [['PATCH', accounts, {}], 404, 'not_found', /There is no PATCH/],
    [['GET', '/'], 404, 'not_found', /There is no GET/],
  ]
  for (const [asked, status, code, detail] of refused) {
    t.match(await ask(...asked), [status, { status, code, detail }], `${asked[0]} ${code}`)
  }
  t.strictSame(lines, [], 'a refusal is no news for the log')

  books.provisioning.callList = async () => {
    throw new TypeError('secret: x is undefined')
  }
  t.match(await ask('GET', '/api/v1/calls'), [500, { code: 'internal', detail: /its log says/ }])
  t.match(lines, [/secret: x is undefined/])
  t.equal(lines.length, 1, 'a mistake of ours is, once')
})

t.test('the socket', async t => {
  const { dir, api } = await running(t)
  const path = socketPath(dir)
  t.equal(path, join(dir, 'tollgate.sock'))
  t.equal(statSync(path).mode & 0o777, 0o600, 'only its owner may connect')
  const link = join(shortDir(t), 'link')
  symlinkSync(dir, link)
  t.equal(socketPath(link), path, 'whichever way one comes to the directory')
  await api.close()
  t.notOk(existsSync(path))
  t.equal(await connectApi(dir), undefined)
})

t.test('a data directory with a long path has its socket elsewhere', async t => {
  const dir = join(t.testdir({}), 'x'.repeat(50), 'y'.repeat(50))
  mkdirSync(dir, { recursive: true })
  const { remote, api } = await running(t, dir)
  const path = socketPath(dir)
  t.ok(Buffer.byteLength(path) <= 100)
  t.equal(statSync(dirname(path)).mode & 0o777, 0o700)
  t.strictSame(await remote.accountList({}), [])
  await api.close()
  t.equal(await connectApi(dir), undefined)
  t.notOk(existsSync(dirname(path)), 'and leaves nothing there')

  mkdirSync(dirname(path), { mode: 0o777 })
  chmodSync(dirname(path), 0o777)
  writeFileSync(path, '')
  await t.rejects(connectApi(dir), { code: 'forbidden' }, 'a folder that anybody can write to')
  rmSync(dirname(path), { recursive: true })
})

t.test('a socket that a killed daemon left behind disturbs nobody', async t => {
  const dir = shortDir(t)
  writeFileSync(join(dir, 'tollgate.sock'), 'not even a socket')
  t.equal(await connectApi(dir), undefined)
  const { remote } = await running(t, dir)
  t.strictSame(await remote.accountList({}), [])
  t.equal(await connectApi(join(dir, 'none')), undefined)
})

t.test('a daemon that goes away, or is none', async t => {
  const dir = shortDir(t)
  const path = socketPath(dir)
  const answers: (string | null)[] = []
  const impostor = createSocket(socket => {
    socket.once('data', () => {
      const answer = answers.shift()
      if (answer) socket.end(answer)
      else socket.destroy()
    })
  })
  await new Promise<void>(resolve => impostor.listen(path, () => resolve()))
  t.teardown(() => impostor.close())
  const remote = (await connectApi(dir))!
  answers.push(
    null,
    'HTTP/1.1 200 OK\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[',
  )
  const gone = { code: 'gone', message: 'The daemon went away before it had answered' }
  await t.rejects(remote.accountList({}), gone)
  await t.rejects(remote.accountList({}), { code: 'unexpected' })
  await t.rejects(remote.accountList({}), gone)
})

t.test('closing answers first what has been asked', async t => {
  const { dir, api, books } = await running(t)
  const { accountList } = books.provisioning
  let asked = () => {}
  const arrived = new Promise<void>(resolve => {
    asked = resolve
  })
  books.provisioning.accountList = async input => {
    asked()
    await new Promise(resolve => setTimeout(resolve, 50))
    return accountList(input)
  }
  const answer = (await connectApi(dir))!.accountList({})
  await arrived
  await api.close()
  t.strictSame(await answer, [])
  const refused = new Promise(resolve => {
    request({ socketPath: socketPath(dir), path: '/' })
      .on('error', resolve)
      .end()
  })
  t.match(await refused, { code: 'ENOENT' })
})
