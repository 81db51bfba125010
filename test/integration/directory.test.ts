/** What FreeSWITCH asks of the directory, over real sockets. */

import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import pino from 'pino'
import t, { type Test } from 'tap'
import { checkConfig } from '../../src/config.js'
import { Daemon } from '../../src/daemon.js'
import { domainInclude } from '../../src/directory-xml.js'
import { directoryRoute } from '../../src/freeswitch-http/directory.js'
import type { Route } from '../../src/freeswitch-http/route.js'
import { startFreeswitchHttp } from '../../src/freeswitch-http/server.js'
import { connectApi } from '../../src/http/client.js'
import { LedgerError } from '../../src/ledger/ledger.js'
import { EslServer } from '../../src/simulator/esl-server.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch } from '../../src/simulator/simulated-switch.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'
import { DIRECTORY, openBooks } from '../support/books.js'
import { shortDir, tollgate, words } from '../support/command-line.js'
import {
  ask,
  basic,
  letsIn,
  readDirectory,
  readInclude,
  recordings,
  SECRET,
} from '../support/directory.js'

const RECORDED = recordings()
const NOT_FOUND = RECORDED.find(({ file }) => file === 'cmd-reloadacl.txt')!.text

/** As the recordings have them. */
const HASHES = {
  2000: 'd3badaf2d38ddbd053462aeb197981ca',
  2008: 'a0d6039866694547e343ad750d86b951',
  2010: '879e941595373021d118ae9da343b1e8',
} as const

interface Wanted {
  readonly cacheS?: number
  readonly routes?: readonly Route[]
  readonly requestTimeoutMs?: number
}

/** The service, with the users of the recordings in its books. */
async function serving(t: Test, { cacheS = 0, routes, requestTimeoutMs }: Wanted = {}) {
  const books = openBooks(t.testdir({}))
  const { provisioning } = books
  const logged: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: line => logged.push(JSON.parse(line)) })
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  await provisioning.accountCreate({ code: 'SIPACC', plan: 'retail', actor: 'test' })
  for (const [user, a1_hash] of Object.entries(HASHES)) {
    const whose = { user, domain: '127.0.0.1', account: 'SIPACC' }
    await provisioning.sipAccountCreate({ ...whose, a1_hash, actor: 'test' })
  }
  const http = await startFreeswitchHttp({
    host: '127.0.0.1',
    port: 0,
    secret: SECRET,
    routes: routes ?? [directoryRoute(books.sipAccounts, { ...DIRECTORY, cacheS })],
    log,
    ...(requestTimeoutMs !== undefined && { requestTimeoutMs }),
  })
  t.teardown(async () => {
    await http.close()
    books.close()
  })
  const user = async (changed: Record<string, string> = {}, body = REGISTER.body) => {
    const fields = new URLSearchParams(body)
    for (const [name, value] of Object.entries(changed)) fields.set(name, value)
    const { status, text } = await ask(http.port, String(fields))
    t.equal(status, 200)
    return readDirectory(text)
  }
  return { books, provisioning, logged, http, port: http.port, user }
}

const REGISTER = RECORDED.find(({ file }) => file === 'register-a1-hash.txt')!
const USER_CALL = RECORDED.find(({ body }) => body.includes('user=2008'))!

t.test('what FreeSWITCH has asked is answered as it was when it worked', async t => {
  const { port } = await serving(t)
  const kinds = new Set<string>()
  for (const { file, body, fields, status, text: then } of RECORDED) {
    const { status: now, headers, text } = await ask(port, body)
    t.equal(now, 200, file)
    t.equal(headers['content-type'], 'text/xml; charset=utf-8')
    const [user, worked] = [readDirectory(text), status === 200 ? readDirectory(then) : null]
    t.equal(user?.id, worked?.id, `${file}: ${fields.get('action')} ${fields.get('purpose')}`)
    kinds.add([fields.get('action'), fields.get('sip_auth_method'), fields.get('purpose')].join())
    if (!user || !worked) {
      t.equal(text.replace(/^ +/gm, '').trimEnd(), NOT_FOUND, 'so that static XML is used')
      continue
    }
    t.equal(user.domain, worked.domain)
    t.strictSame(user.variables, worked.variables)
    t.equal(user.params['a1-hash'], worked.params['a1-hash'])
    t.equal(user.params['dial-string'], DIRECTORY.dialString)
    t.strictSame(Object.keys(user.params).sort(), ['a1-hash', 'dial-string'])
    t.equal(user.cacheable, undefined)
  }
  t.strictSame([...kinds].sort(), [
    ',,',
    ',,gateways',
    ',,network-list',
    'sip_auth,INVITE,',
    'sip_auth,REGISTER,',
    'user_call,,',
  ])
})

t.test('the right password is let in, and no other', async t => {
  const { port } = await serving(t)
  const asked = RECORDED.filter(({ fields }) => fields.get('action') === 'sip_auth')
  const let_in = async ({ body, fields }: (typeof asked)[number]) => {
    const user = readDirectory((await ask(port, body)).text)
    return user ? letsIn(user.params['a1-hash'], fields) : 'static XML'
  }
  const results = new Map<string, unknown>()
  for (const one of asked) results.set(one.file, await let_in(one))
  t.strictSame(Object.fromEntries(results), {
    'call-user-ac.txt': true,
    'call-user-not-found.txt': true,
    'invite-auth-outbound-ac-bracket.txt': true,
    'register-500.txt': 'static XML',
    'register-a1-hash.txt': true,
    'register-in-group.txt': true,
    'register-not-found.txt': 'static XML',
    'register-wrong-password.txt': false,
  })
})

t.test('a disabled one is let in nowhere and cannot be called', async t => {
  const { provisioning, user } = await serving(t)
  const whose = { user: '2000', domain: '127.0.0.1', actor: 'test' }
  await provisioning.sipAccountSet({ ...whose, enabled: false })
  const [first, second] = [await user(), await user({}, USER_CALL.body.replace('2008', '2000'))]
  t.ok(first, 'it is there: static XML must not let in a namesake')
  t.notOk(letsIn(first?.params['a1-hash'], REGISTER.fields))
  t.match(first?.params['a1-hash'], /^[0-9a-f]{32}$/)
  t.not(first?.params['a1-hash'], second?.params['a1-hash'], 'nobody can know it')
  t.equal(second?.params['dial-string'], 'error/USER_NOT_REGISTERED')
  await provisioning.sipAccountSet({ ...whose, enabled: true })
  const again = await user()
  t.ok(letsIn(again?.params['a1-hash'], REGISTER.fields))
  t.equal(again?.params['dial-string'], DIRECTORY.dialString)
  await provisioning.sipAccountDelete(whose)
  t.equal(await user(), null)
})

t.test('the account of a SIP account', async t => {
  const { provisioning, user } = await serving(t)
  await provisioning.accountClose({ code: 'SIPACC', actor: 'test' })
  t.equal((await user())?.variables['ac'], 'SIPACC', 'of a closed account: it can still be called')
  t.ok(letsIn((await user())?.params['a1-hash'], REGISTER.fields))
  await provisioning.accountCreate({ code: 'OTHER', plan: 'retail', actor: 'test' })
  const named = { name: "Zoë & O'Hara", account: 'OTHER' }
  const whose = { user: '2000', domain: '127.0.0.1', actor: 'test' }
  await provisioning.sipAccountSet({ ...whose, ...named })
  t.strictSame((await user())?.variables, {
    user_context: 'default',
    ac: 'OTHER',
    effective_caller_id_name: "Zoë & O'Hara",
  })
})

t.test('what a switch may keep', async t => {
  const { provisioning, user } = await serving(t, { cacheS: 60 })
  t.equal((await user())?.cacheable, '60000')
  const whose = { account: 'SIPACC', password: 'long enough', actor: 'test' }
  await provisioning.sipAccountCreate({ ...whose, user: 'Anna', domain: 'SIP.Example.com' })
  const asked = async (name: string, domain: string) => {
    const { id, domain: found, cacheable } = (await user({ user: name, domain }))!
    return [id, found, cacheable]
  }
  t.strictSame(await asked('Anna', 'sip.example.com'), ['Anna', 'sip.example.com', '60000'])
  const notKept = ['Anna', 'sip.example.com', undefined]
  t.strictSame(await asked('ANNA', 'sip.example.com'), notKept, 'it would not be forgotten')
  t.strictSame(await asked('Anna', 'sip.EXAMPLE.com'), notKept)
})

t.test('what else there is to be asked is not found', async t => {
  const { port, user } = await serving(t)
  t.equal(await user({ key: 'number-alias' }), null)
  t.equal(await user({ section: 'dialplan' }), null)
  t.equal(await user({ domain: '127.0.0.2' }), null)
  t.equal(await user({ user: '' }), null)
  const bodies = [
    '',
    'section=directory&tag_name=domain&key_name=name&key_value=127.0.0.1',
    'section=directory&domain=127.0.0.1&group=default&action=group_call',
    'key=id&user=2000&domain=127.0.0.1',
    'section=directory&key=id&user=2000',
    '{"section":"directory","key":"id","user":"2000","domain":"127.0.0.1"}',
    '%',
    '&&&===&',
    '\0\xff',
  ]
  for (const body of bodies) t.equal(readDirectory((await ask(port, body)).text), null, body)
  const dialled = `${USER_CALL.body.replace('&action=', '&user=2000&domain=elsewhere&action=')}`
  const { text } = await ask(port, dialled)
  t.equal(readDirectory(text)?.id, '2008', 'a variable of the dial string is not the user')
})

const NASTY = [
  '"/><param name="password" value="x',
  "'/><!--",
  '&amp;&#0;]]>',
  '$${default_password}',
  '\u0000\u0001\u001b\u007f',
  '\r\n\r\nHTTP/1.1 200 OK',
  "2000' OR '1'='1",
  '\ufffe\uffff',
  'x'.repeat(20_000),
]

t.test('no field of a request can write into the answer', async t => {
  const { port } = await serving(t)
  const good = readDirectory((await ask(port, REGISTER.body)).text)
  const names = [...REGISTER.fields.keys(), 'X-Evil"/>', 'purpose']
  for (const name of names) {
    for (const nasty of NASTY) {
      const fields = new URLSearchParams(REGISTER.body)
      fields.set(name, nasty)
      const { status, text } = await ask(port, String(fields))
      const expected = ['section', 'key', 'user', 'domain'].includes(name) ? null : good
      const is = status === 200 && readDirectory(text)
      if (JSON.stringify(is) !== JSON.stringify(expected)) t.fail(`${name}: ${nasty} ${text}`)
    }
  }
  t.pass('all were answered as they should be')
})

/** No XML can hold them, however they are written. */
const ILLEGAL = ['\u0000', '\u0001', '\u001b', '\ufffe', '\uffff']

t.test('what is in the books comes out as it is, and as no markup', async t => {
  const { books, user } = await serving(t)
  const set = (table: string, column: string, value: string) =>
    books.ledgerFile.database.prepare(`UPDATE ${table} SET ${column} = ? WHERE id = 1`).run(value)
  for (const nasty of NASTY.slice(0, -1)) {
    const shown = [...nasty].map(c => (ILLEGAL.includes(c) ? '\ufffd' : c)).join('')
    set('sip_account', 'name', nasty)
    set('account', 'code', nasty)
    const read = await user()
    const variables = { user_context: 'default', ac: shown, effective_caller_id_name: shown }
    t.strictSame(read?.variables, variables)
    t.strictSame(Object.keys(read?.params ?? {}).sort(), ['a1-hash', 'dial-string'])
    if (shown !== nasty) continue
    set('sip_account', 'user', nasty)
    set('sip_account', 'domain', nasty.toLowerCase())
    const domain = nasty.toLowerCase()
    t.match(await user({ user: nasty, domain }), { id: nasty, domain, variables })
    const users = await books.sipAccounts.domainCredentials(domain)
    const include = domainInclude(domain, users, DIRECTORY)
    t.match(readInclude(include), [{ id: nasty, domain, variables }])
    set('sip_account', 'user', '2000')
    set('sip_account', 'domain', '127.0.0.1')
  }
})

t.test('a stranger learns nothing', async t => {
  const { port, logged } = await serving(t)
  const shown = [
    undefined,
    '',
    'Basic',
    'Basic ',
    basic('freeswitch', ''),
    basic('freeswitch', `${SECRET}x`),
    basic('freeswitch', SECRET.slice(0, -1)),
    basic('freeswitch', SECRET.toUpperCase()),
    basic('admin', SECRET),
    basic('', `freeswitch:${SECRET}`),
    basic('freeswitch', SECRET).replace('Basic', 'Bearer'),
    `Basic ${SECRET}`,
    'Basic \u00e9\u00e9\u00e9',
  ]
  const paths = ['/freeswitch/directory', '/', '/freeswitch/nothing', '/%', `/?secret=${SECRET}`]
  for (const authorization of shown) {
    for (const path of paths) {
      const { status, headers, text } = await ask(port, REGISTER.body, { authorization, path })
      t.strictSame({ status, text }, { status: path === '/%' ? 400 : 401, text: '' })
      t.notOk(headers['server'] ?? headers['x-powered-by'])
    }
    const get = await ask(port, '', { authorization, method: 'GET' })
    t.match(get, { status: 401, text: '', headers: { 'www-authenticate': /^Basic realm=/ } })
  }
  const long = 'x'.repeat(100_000)
  t.match(await ask(port, long, { authorization: undefined }), { status: 401, text: '' })
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /freeswitch/directory HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1.1 401 /, 'its body is not waited for')
  const told = logged.filter(({ msg }) => msg === 'a stranger was refused over HTTP')
  t.equal(told.length, 1, 'the log is not theirs to fill')
  t.match(told, [{ level: 40, from: '127.0.0.1', why: 'it showed no secret', requests: 1 }])
  const lower = basic('freeswitch', SECRET).replace('Basic', 'basic')
  t.equal((await ask(port, REGISTER.body, { authorization: lower })).status, 200)
  const everything = JSON.stringify(logged)
  for (const secret of [SECRET, basic('', '').slice(6), HASHES[2000]]) {
    if (secret) t.notOk(everything.includes(secret))
  }
})

t.test('who knows the secret and asks nonsense', async t => {
  const { port, logged } = await serving(t)
  t.match(await ask(port, '', { method: 'GET' }), { status: 404, text: '' })
  t.match(await ask(port, REGISTER.body, { path: '/freeswitch/nothing' }), {
    status: 404,
    text: '',
  })
  const exactly = `${REGISTER.body}&x=`.padEnd(65_536, 'x')
  t.equal(readDirectory((await ask(port, exactly)).text)?.id, '2000')
  t.match(await ask(port, `${exactly}x`), { status: 413, text: '' })
  t.match(logged.at(-1), { level: 40, path: '/freeswitch/directory', status: 413 })
})

t.test('trouble of ours is no answer', async t => {
  const credentials = async () => {
    throw new LedgerError('unavailable', 'ledger.db is locked')
  }
  const routes = [directoryRoute({ credentials }, DIRECTORY)]
  const { port, logged } = await serving(t, { routes })
  t.match(await ask(port, REGISTER.body), { status: 500, text: '' })
  t.match(logged.at(-1), { level: 50, msg: 'FreeSWITCH could not be answered' })
  t.notOk(JSON.stringify(logged).includes('sip_auth_response'), 'nor is the question logged')
})

t.test('other routes have bodies and queries of their own', async t => {
  const seen: unknown[] = []
  const route: Route = {
    path: '/freeswitch/cdr',
    bodyBytesMax: 10,
    async answer({ body, query }) {
      seen.push(String(body), query.get('uuid'))
      return { status: 202, type: 'text/plain', text: 'kept' }
    },
  }
  const { port } = await serving(t, { routes: [route] })
  const path = '/freeswitch/cdr?uuid=a%20b'
  const kept = { status: 202, text: 'kept', headers: { 'content-type': 'text/plain' } }
  t.match(await ask(port, '{"a": 1}', { path }), kept)
  t.strictSame(seen, ['{"a": 1}', 'a b'])
  t.equal((await ask(port, '{"a": 1234}', { path })).status, 413)
  t.equal((await ask(port, 'x', { path: '/freeswitch/directory' })).status, 404)
})

t.test('who is slow is cut off, and others are served meanwhile', async t => {
  const { port, http } = await serving(t, { requestTimeoutMs: 500 })
  const head = `POST /freeswitch/directory HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nAuthorization: ${basic('freeswitch', SECRET)}\r\n`
  const beginnings = ['', 'POST', head, `${head}\r\n`, `${head}\r\nsection=directory`]
  const began = performance.now()
  const slow = beginnings.map(async beginning => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(beginning)
    const answer = await text(socket)
    return { answer, ms: performance.now() - began }
  })
  t.equal(readDirectory((await ask(port, REGISTER.body)).text)?.id, '2000')
  for (const { answer, ms } of await Promise.all(slow)) {
    t.match(answer, /^(HTTP\/1.1 408 |$)/)
    t.ok(ms < 5_000, `after ${Math.round(ms)} ms`)
  }
  const silent = connect(port, '127.0.0.1')
  const gone = new Promise(resolve => silent.once('close', resolve))
  silent.on('error', () => {})
  await setTimeout(50)
  await http.close()
  await gone
  t.pass('a silent connection does not hold up the end')
})

t.test('an address that cannot be listened on', async t => {
  const { port } = await serving(t)
  const log = pino({ level: 'silent' })
  const options = { host: '127.0.0.1', port, secret: SECRET, routes: [], log }
  await t.rejects(startFreeswitchHttp(options), {
    code: 'cannot_listen',
    message: `FreeSWITCH cannot be served on 127.0.0.1, port ${port}: listen EADDRINUSE: address already in use 127.0.0.1:${port}`,
  })
})

t.test('the daemon serves it, and tells its switches of every change', async t => {
  const dataDir = shortDir(t)
  const freeswitch = new SimulatedSwitch({ timeline: new RealTimeline(), random: Math.random })
  const server = new EslServer({ freeswitch })
  const commands: string[] = []
  const api = freeswitch.api.bind(freeswitch)
  freeswitch.api = line => {
    if (!line.startsWith('xml_flush_cache ')) return api(line)
    commands.push(line)
    return '+OK cleared 1 entry\n'
  }
  const port = await server.listen()
  const logged: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: line => logged.push(JSON.parse(line)) })
  const table = {
    switch: [
      { name: 'one', port },
      { name: 'gone', port: 1 },
    ],
    freeswitch_http: { listen: '127.0.0.1:0', secret: SECRET },
    sip_accounts: { context: 'public', cache_s: 7 },
  }
  const daemon = new Daemon({ dataDir, config: checkConfig(table, {}, 'test'), log })
  await daemon.start()
  t.teardown(async () => {
    await daemon.stop()
    await server.close()
    freeswitch.stop()
  })
  const says = async (msg: string, count = 1) => {
    while (logged.filter(line => line['msg'] === msg).length < count) await setTimeout(5)
    return logged.filter(line => line['msg'] === msg)
  }
  await says('switch connected')
  const remote = (await connectApi(dataDir))!
  const ratesFile = new RatesFile(`${dataDir}/rates.db`)
  await new SqliteRates(ratesFile).createPlan('retail', 'test')
  ratesFile.close()
  const actor = 'test'
  await remote.accountCreate({ code: 'SIPACC', plan: 'retail', actor })
  const whose = { user: '2000', domain: '127.0.0.1', actor }
  await remote.sipAccountCreate({ ...whose, account: 'SIPACC', a1_hash: HASHES[2000] })
  const [{ port: http } = {}] = await says('serving FreeSWITCH over HTTP')
  const served = async () => readDirectory((await ask(http as number, REGISTER.body)).text)
  t.match(await served(), {
    id: '2000',
    cacheable: '7000',
    variables: { user_context: 'public', ac: 'SIPACC' },
    params: { 'a1-hash': HASHES[2000], 'dial-string': /^\{.*sofia_contact/ },
  })
  const exported = await tollgate(dataDir, words('sip-account export --domain 127.0.0.1'))
  t.match(exported, { code: 0, err: '' }, 'beside the daemon, which answers no secrets')
  t.equal(readInclude(exported.out)[0]?.params['a1-hash'], HASHES[2000])
  const odd = { user: '+4420', domain: '2001:db8::1' }
  await remote.sipAccountCreate({ ...odd, account: 'SIPACC', actor })
  t.match(await remote.sipAccountShow(odd), odd)
  t.match(await remote.sipAccountDelete({ ...odd, actor }), odd)
  await t.rejects(remote.sipAccountShow(odd), { name: 'BookError', code: 'unknown_sip_account' })
  commands.splice(0)
  await remote.sipAccountSet({ ...whose, enabled: 'false' })
  await remote.sipAccountSet({ ...whose, password: 'another password' })
  await remote.sipAccountDelete(whose)
  t.equal(await served(), null)
  await says('a switch was not told of a changed SIP account', 6)
  t.strictSame(commands, Array(3).fill('xml_flush_cache id 2000 127.0.0.1'))
  const everything = JSON.stringify(logged)
  for (const secret of [SECRET, HASHES[2000], 'another password']) {
    t.notOk(everything.includes(secret), 'no secret is in the log')
  }
})
