/** Who may what over the web, and everything that somebody might try who may not. */
import t from 'tap'
import type { Role } from '../../src/access/scopes.js'
import type { ServedName } from '../../src/web/api/permissions.js'
import { SERVED, SERVED_NAMES } from '../../src/web/api/routes.js'
import { hold, settle } from '../support/books.js'
import { type As, logIn, NOBODY, PASSWORD, webOn } from '../support/web.js'

// Passwords are slow to hash, on purpose.
t.setTimeout(240_000)

/** Admin, operator, read-only, account holder (of his own account). */
const MAY: Readonly<Record<ServedName, string>> = {
  accountCreate: 'AO',
  accountList: 'AOR',
  accountShow: 'AORH',
  accountSet: 'AO',
  accountSuspend: 'AO',
  accountClose: 'AO',
  accountReopen: 'AO',
  topUp: 'AO',
  adjust: 'AO',
  refund: 'AO',
  statement: 'AORH',
  callList: 'AORH',
  callKill: 'AO',
  cdrList: 'AORH',
  cdrShow: 'AOR',
  cdrTotals: 'AORH',
  recordImport: 'AO',
  unseenList: 'AOR',
  unseenCharge: 'AO',
  unseenDismiss: 'AO',
  auditList: 'AOR',
  switchList: 'AOR',
  sipAccountCreate: 'AO',
  sipAccountList: 'AOR',
  sipAccountShow: 'AOR',
  sipAccountSet: 'AO',
  sipAccountDelete: 'AO',
  planCreate: 'AO',
  planList: 'AOR',
  planShow: 'AOR',
  planSet: 'AO',
  planDelete: 'AO',
  periodSet: 'AO',
  periodDelete: 'AO',
  rateList: 'AOR',
  rateShow: 'AOR',
  rateAdd: 'AO',
  rateSet: 'AO',
  rateDelete: 'AO',
  accountRates: 'AORH',
  quote: 'AORH',
  statsSteps: 'AOR',
  userCreate: 'A',
  userList: 'A',
  userShow: 'A',
  userSet: 'A',
  userDelete: 'A',
  userPasswordLink: 'A',
  tokenCreate: 'A',
  tokenList: 'A',
  tokenRevoke: 'A',
  pinSet: 'AO',
  pinDelete: 'AO',
  cardVerify: 'AO',
}

/** What is not in the table of operations. */
const FILES: Readonly<Record<string, string>> = {
  'GET /api/v1/cdrs.csv': 'AORH',
  'POST /api/v1/plans/retail/imports': 'AO',
  'GET /api/v1/imports/x': 'AO',
  'GET /api/v1/imports/x/events': 'AO',
  'POST /api/v1/imports/x/apply': 'AO',
  'GET /api/v1/plans/retail/deck.csv': 'AOR',
}

const ROLES: Readonly<Record<string, Role>> = {
  A: 'admin',
  O: 'operator',
  R: 'read_only',
  H: 'account_holder',
}

type Web = Awaited<ReturnType<typeof webOn>>

async function withAccounts(web: Web): Promise<As> {
  const admin = await web.token('admin')
  await web.ask(admin, 'POST', '/api/v1/plans', { name: 'retail' })
  for (const code of ['MINE', 'OTHER']) {
    const account = { code, plan: 'retail', credit: '50', notes: 'pays late' }
    await web.ask(admin, 'POST', '/api/v1/accounts', account)
  }
  return admin
}

t.test('every role, and every operation', async t => {
  const web = await webOn(t)
  await withAccounts(web)
  const as: Record<string, As> = {}
  for (const [letter, role] of Object.entries(ROLES)) {
    as[letter] = await web.user(`u-${role}`, role, letter === 'H' ? 'MINE' : undefined)
  }
  const asked = [
    ...SERVED_NAMES.map(name => [name, SERVED[name].method, filled(name), MAY[name]] as const),
    ...Object.entries(FILES).map(([route, may]) => {
      const [method, url] = route.split(' ') as ['GET' | 'POST', string]
      return [route, method, url, may] as const
    }),
  ]
  for (const [name, method, url, may] of asked) {
    const body = method === 'POST' || method === 'PATCH' ? {} : undefined
    const type: Record<string, string> = url.endsWith('/imports')
      ? { 'content-type': 'text/csv' }
      : {}
    const content = url.endsWith('/imports') ? 'prefix' : body
    const statusOf = async (who: As) => (await web.ask(who, method, url, content, type)).status
    t.equal(await statusOf(NOBODY), 401, `${name} is for nobody unknown`)
    // What is asked for need not be there: only what is refused counts.
    for (const letter of 'HROA') {
      const isRefused = (await statusOf(as[letter]!)) === 403
      t.equal(isRefused, !may.includes(letter), `${name} by ${ROLES[letter]}`)
    }
  }
})

/** An address that the operation is asked at. */
function filled(name: ServedName): string {
  const own: Record<string, string> = { code: 'MINE', name: 'nobody', plan: 'retail' }
  return SERVED[name].path.replace(/:(\w+)/g, (_, field: string) => own[field] ?? 'x')
}

t.test('an account holder sees his own account, and not all of it', async t => {
  const web = await webOn(t)
  const admin = await withAccounts(web)
  const { ask, books, live } = web
  for (const code of ['MINE', 'OTHER']) {
    await hold(books, `c-${code}`, code)
    await settle(books, `c-${code}`, code, 60)
    const call = { callId: `l-${code}`, account: code, number: '44', switch: 'fs1' } as const
    const state = { state: 'answered', seconds: 1, cost: 1n, held: 1n } as const
    live.calls.push({ ...call, ...state, fundedUntil: null, final: false })
  }
  await ask(admin, 'POST', '/api/v1/plans', { name: 'carrier' })
  await ask(admin, 'PATCH', '/api/v1/plans/retail', { cost_plan: 'carrier', refuse_loss: true })
  for (const plan of ['retail', 'carrier']) {
    await ask(admin, 'POST', `/api/v1/plans/${plan}/rates`, { prefix: '44', per_minute: '0.6' })
  }
  const mine = await web.user('mia', 'account_holder', 'MINE')
  const urls = [
    '/api/v1/accounts/MINE',
    '/api/v1/accounts/MINE/statement',
    '/api/v1/accounts/MINE/rates',
    '/api/v1/calls',
    '/api/v1/calls?account=MINE',
    '/api/v1/cdrs',
    '/api/v1/cdrs.csv',
    '/api/v1/cdrs/totals?by=account',
    '/api/v1/quote?number=442071234567&seconds=60',
    '/api/v1/quote?number=99&seconds=60',
  ]
  for (const url of urls) {
    const { status, text } = await ask(mine, 'GET', url)
    t.equal(status, 200, url)
    t.notMatch(text, /OTHER|pays late|carrier|margin|write_off|fs1|token:admin|would_lose/, url)
  }
  const forbidden = [
    '/api/v1/accounts/OTHER',
    '/api/v1/accounts/OTHER/statement',
    '/api/v1/accounts/OTHER/rates',
    '/api/v1/accounts/mine',
    '/api/v1/accounts/MINE%20',
    '/api/v1/calls?account=OTHER',
    '/api/v1/calls?account=MINE&account=OTHER',
    '/api/v1/cdrs?account=OTHER',
    '/api/v1/cdrs.csv?account=OTHER',
    '/api/v1/cdrs/totals?by=day&account=OTHER',
    '/api/v1/quote?account=OTHER&number=44&seconds=1',
    '/api/v1/quote?plan=carrier&number=44&seconds=1',
    '/api/v1/quote?plan=carrier&account=MINE&number=44&seconds=1',
  ]
  for (const url of forbidden) t.match(await ask(mine, 'GET', url), { status: 403 }, url)
  const page = await ask(admin, 'GET', '/api/v1/cdrs?limit=1')
  const theirs = await ask(mine, 'GET', String(page.json['next']))
  t.notMatch(theirs.text, /OTHER/, 'nor by the cursor of somebody else')
})

t.test('a token has what its role has, or less', async t => {
  const web = await webOn(t)
  const admin = await withAccounts(web)
  const { ask } = web
  const make = (body: object, as = admin) => ask(as, 'POST', '/api/v1/tokens', body)
  const scopes = ['accounts:read', 'accounts:write']
  const made = await make({ name: 'crm', role: 'operator', scopes })
  t.match(made, { status: 201, json: { token: /^tollgate_[\w-]{43}$/, scopes } })
  const crm = { authorization: `Bearer ${made.json['token']}` }
  t.match(await ask(crm, 'GET', '/api/v1/accounts/MINE'), { status: 200 })
  t.match(await ask(crm, 'PATCH', '/api/v1/accounts/MINE', { name: 'x' }), { status: 200 })
  const needMoney: readonly (readonly ['POST' | 'PATCH', string, object])[] = [
    ['POST', '/api/v1/accounts/MINE/top-ups', { amount: '1', reference: 'r' }],
    ['POST', '/api/v1/accounts', { code: 'NEW', plan: 'retail', credit: '1' }],
    ['POST', '/api/v1/accounts', { code: 'NEW', plan: 'retail', credit_limit: '1' }],
    ['PATCH', '/api/v1/accounts/MINE', { credit_limit: '1000' }],
  ]
  for (const [method, url, body] of needMoney) {
    t.match(await ask(crm, method, url, body), {
      status: 403,
      json: { code: 'forbidden', detail: /money:write/ },
    })
  }
  t.match(await make({ name: 'x', role: 'operator', scopes: 'users:write' }), { status: 400 })
  t.match(await make({ name: 'x', role: 'account_holder' }), { status: 400 })
  t.match(await make({ name: 'x', role: 'operator', scopes: 'money' }), { status: 400 })
  t.match(await make({ name: 'x', role: 'operator', expires: '2020-01-01' }), { status: 400 })

  const list = await ask(admin, 'GET', '/api/v1/tokens')
  t.match(list.json['items'], [{}, { name: 'crm', state: 'active', last_used_at: /./ }])
  t.notMatch(list.text, /tollgate_/)
  t.match(await ask(admin, 'POST', '/api/v1/tokens/crm/revoke'), { json: { state: 'revoked' } })
  t.match(await ask(crm, 'GET', '/api/v1/accounts/MINE'), {
    status: 401,
    json: { code: 'bad_token' },
  })
})

t.test('nobody gives others more than he has himself', async t => {
  const web = await webOn(t)
  await withAccounts(web)
  await web.user('root', 'admin')
  const { ask } = web
  const clerk = await web.token('admin', 'users:read users:write accounts:read', 'clerk')
  const forbidden: readonly (readonly ['POST' | 'PATCH' | 'DELETE', string, object?])[] = [
    ['POST', '/api/v1/users', { name: 'eve', role: 'admin', password: PASSWORD }],
    ['POST', '/api/v1/users', { name: 'eve', role: 'operator' }],
    ['POST', '/api/v1/users/root/password-link', {}],
    ['PATCH', '/api/v1/users/root', { role: 'account_holder', account: 'MINE' }],
    ['DELETE', '/api/v1/users/root'],
    ['POST', '/api/v1/tokens', { name: 'eve', role: 'admin' }],
    ['POST', '/api/v1/tokens', { name: 'eve', role: 'admin', scopes: ['money:write'] }],
    ['POST', '/api/v1/tokens', { name: 'eve', role: 'admin', scopes: 'money:write' }],
    ['POST', '/api/v1/tokens', { name: 'eve', role: 'admin', scopes: 'users:read,money:write' }],
  ]
  for (const [method, url, body] of forbidden) {
    t.match(await ask(clerk, method, url, body), { status: 403 }, `${method} ${url}`)
  }
  const holder = { name: 'mia', role: 'account_holder', account: 'MINE' }
  t.match(await ask(clerk, 'POST', '/api/v1/users', holder), { status: 201 })
  t.match(await ask(clerk, 'PATCH', '/api/v1/users/mia', { role: 'admin' }), { status: 403 })
  const token = { name: 'less', role: 'read_only', scopes: 'accounts:read' }
  t.match(await ask(clerk, 'POST', '/api/v1/tokens', token), { status: 201 })
})

t.test('the last admin stays', async t => {
  const web = await webOn(t)
  const { ask } = web
  await withAccounts(web)
  const root = await web.user('root', 'admin')
  const attempts: readonly (readonly ['PATCH' | 'DELETE', object?])[] = [
    ['PATCH', { role: 'operator' }],
    ['PATCH', { enabled: false }],
    ['DELETE'],
  ]
  for (const [method, body] of attempts) {
    t.match(await ask(root, method, '/api/v1/users/root', body), {
      status: 409,
      json: { code: 'last_admin' },
    })
  }
  await web.user('second', 'admin')
  t.match(await ask(root, 'PATCH', '/api/v1/users/root', { role: 'operator' }), { status: 200 })
  t.match(await ask(root, 'GET', '/api/v1/users'), { status: 401 }, 'and that ends his session')
})

t.test('sessions', async t => {
  const web = await webOn(t)
  const { ask, app } = web
  const anna = await web.user('anna', 'operator')
  const cookies = { cookie: anna['cookie']! }
  t.match(await ask(cookies, 'GET', '/api/v1/accounts'), { status: 200 })

  const bare = await app.inject({ method: 'POST', url: '/log-in', payload: {} })
  t.notOk(bare.headers['set-cookie'], 'nothing is set for who is not let in')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const payload = `name=ANNA&password=${encodeURIComponent(PASSWORD)}`
  const planted = { ...form, cookie: 'tollgate_session=planted' }
  const plain = await app.inject({ method: 'POST', url: '/log-in', payload, headers: planted })
  t.match(plain.cookies, [{ httpOnly: true, sameSite: 'Lax', path: '/' }])
  t.notMatch(plain.cookies[0]!.value, 'planted', 'the session is a new one')
  t.notOk(plain.cookies[0]!.secure)
  const secure = await app.inject({
    ...{ method: 'POST', url: '/log-in', payload },
    headers: { ...form, 'x-forwarded-proto': 'https' },
  })
  t.ok(secure.cookies[0]!.secure, 'behind a proxy that speaks https')

  const account = { plan: 'none' }
  const post = (headers: As) => ask(headers, 'POST', '/api/v1/accounts', account)
  t.match(await post(cookies), { status: 403, json: { code: 'bad_csrf_token' } })
  t.match(await post({ ...cookies, 'x-csrf-token': 'x'.repeat(43) }), { status: 403 })
  t.match(await post(anna), { status: 404, json: { code: 'unknown_plan' } })
  t.match(await post({ ...anna, 'sec-fetch-site': 'cross-site' }), { status: 403 })
  t.match(await post({ ...anna, origin: 'http://evil.test' }), { status: 403 })
  t.match(await post({ ...anna, 'content-type': 'text/plain' }), { status: 415 })
  const foreign = await web.user('ben', 'operator')
  t.match(await post({ ...cookies, 'x-csrf-token': foreign['x-csrf-token']! }), { status: 403 })
  const forged = { cookie: `${anna['cookie']}x` }
  t.match(await ask(forged, 'GET', '/api/v1/accounts'), { status: 401 })

  t.match(await ask(cookies, 'GET', '/log-out'), { status: 404 }, 'no GET changes anything')
  t.match(await ask(cookies, 'POST', '/log-out'), { status: 403 })
  t.match(await ask(anna, 'POST', '/log-out'), { status: 303 })
  t.match(await ask(cookies, 'GET', '/api/v1/accounts'), { status: 401 }, 'its cookie is dead')
})

t.test('a session ends by itself', async t => {
  const web = await webOn(t)
  const { ask, clock } = web
  const anna = await web.user('anna', 'read_only')
  const isIn = async () => (await ask(anna, 'GET', '/api/v1/accounts')).status === 200
  const HOUR_US = 3_600_000_000
  clock.us += 1.9 * HOUR_US
  t.ok(await isIn())
  clock.us += 1.9 * HOUR_US
  t.ok(await isIn(), 'whoever works stays in')
  clock.us += 2.1 * HOUR_US
  t.notOk(await isIn(), 'idle for two hours')
  const again = await logIn(web.app, 'anna')
  for (let hours = 0; hours < 12; hours += 1.5) {
    t.match(await ask(again, 'GET', '/api/v1/accounts'), { status: 200 })
    clock.us += 1.5 * HOUR_US
  }
  clock.us += HOUR_US / 10
  t.match(await ask(again, 'GET', '/api/v1/accounts'), { status: 401 }, 'half a day is enough')
})

t.test('passwords', async t => {
  const web = await webOn(t)
  const { ask, app, services } = web
  const anna = await web.user('anna', 'operator')
  const other = await logIn(app, 'anna')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const change = (fields: Record<string, string>) =>
    ask(anna, 'POST', '/password', new URLSearchParams(fields).toString(), form)
  const fresh = 'another long password'
  t.match(await change({ old: 'wrong password', password: fresh, again: fresh }), {
    status: 400,
    text: /old password is not right/,
  })
  t.match(await change({ old: PASSWORD, password: fresh, again: 'x' }), { text: /not the same/ })
  t.match(await change({ old: PASSWORD, password: 'short', again: 'short' }), { text: /10 to 200/ })
  t.match(await change({ old: PASSWORD, password: fresh, again: fresh }), { status: 200 })
  t.match(await ask(anna, 'GET', '/api/v1/accounts'), { status: 200 })
  t.match(await ask(other, 'GET', '/api/v1/accounts'), { status: 401 }, 'other sessions are ended')
  await t.rejects(logIn(app, 'anna'), 'the old one is good no more')
  await logIn(app, 'anna', fresh)

  const { password_link } = await services.users.passwordLink({ name: 'anna', actor: 'test' })
  const path = new URL(password_link!).pathname
  const chosen = new URLSearchParams({ password: PASSWORD, again: PASSWORD }).toString()
  t.match(await ask(NOBODY, 'GET', path), { status: 200, text: /anna/ })
  t.match(await ask(NOBODY, 'POST', path, chosen, form), { status: 303 })
  t.match(await ask(NOBODY, 'POST', path, chosen, form), { status: 410 }, 'good once')
  t.match(await ask(NOBODY, 'GET', path), { status: 410 })
  const late = await services.users.passwordLink({ name: 'anna', actor: 'test' })
  web.clock.us += 25 * 3_600_000_000
  t.match(await ask(NOBODY, 'GET', new URL(late.password_link!).pathname), { status: 410 })
})

t.test('the first admin', async t => {
  const web = await webOn(t)
  const { ask, services } = web
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const first = new URL((await services.users.setUpLink())!).pathname
  const link = new URL((await services.users.setUpLink())!).pathname
  t.match(await ask(NOBODY, 'GET', first), { status: 410 }, 'a new start takes the old one back')
  const chosen = (name: string, password = PASSWORD) =>
    new URLSearchParams({ name, password, again: password }).toString()
  t.match(await ask(NOBODY, 'POST', link, chosen('a b'), form), { text: /is not a user name/ })
  t.match(await ask(NOBODY, 'POST', link, chosen('root', 'short'), form), { status: 400 })
  const made = await ask(NOBODY, 'POST', link, chosen('root'), form)
  t.match(made, { status: 303, headers: { location: '/' } })
  t.match(await ask(NOBODY, 'POST', link, chosen('eve'), form), { status: 410 })
  t.equal(await services.users.setUpLink(), null, 'and there is no other')
  await logIn(web.app, 'root')
})

t.test('a thousand tries', async t => {
  const web = await webOn(t)
  const { app, ask } = web
  await web.user('anna', 'operator')
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const guess = (name: string, n: number, remoteAddress: string) =>
    app.inject({
      ...{ method: 'POST', url: '/log-in', headers, remoteAddress },
      payload: `name=${name}&password=guess-${n}`,
    })
  const began = performance.now()
  const tried = await Promise.all(
    Array.from({ length: 1_000 }, (_, n) => guess('anna', n, `10.0.${n % 250}.1`)),
  )
  const statuses = tried.map(({ statusCode }) => statusCode)
  t.equal(statuses.filter(status => status === 403).length, 10, 'were looked at')
  t.equal(statuses.filter(status => status === 429).length, 990)
  t.ok(performance.now() - began < 60_000)
  await t.rejects(logIn(app, 'anna'), 'the right one has to wait as well')
  t.match(web.lines.join(''), /a log-in was refused/)
  t.notMatch(web.lines.join(''), /guess-/, 'what was typed is not in the log')

  const tokens = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      ask({ authorization: `Bearer tollgate_${n}` }, 'GET', '/api/v1/accounts'),
    ),
  )
  t.equal(tokens.filter(({ status }) => status === 401).length, 30)
  t.equal(tokens.filter(({ status }) => status === 429).length, 70)
})

t.test('a program gone wild does not keep the others out', async t => {
  const web = await webOn(t)
  const reader = await web.token('read_only')
  const ask = (as: As) => web.ask(as, 'GET', '/api/v1/tokens')
  for (let n = 0; n < 6_000; n++) await ask(NOBODY)
  t.match(await ask(NOBODY), { status: 429, json: { code: 'too_many_requests' } })
  t.match(await ask(reader), { status: 403 }, 'a token at the same address')
})

t.test('a log-in leads to no other site', async t => {
  const web = await webOn(t)
  await web.user('anna', 'operator')
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const leads: Record<string, string> = {
    '/accounts?x=1': '/accounts?x=1',
    'https://evil.test/': '/',
    '//evil.test/': '/',
    '/\\evil.test': '/',
    'javascript:alert(1)': '/',
    '/\r\nset-cookie: a=b': '/',
  }
  for (const [next, location] of Object.entries(leads)) {
    const payload = new URLSearchParams({ name: 'anna', password: PASSWORD, next }).toString()
    const answer = await web.app.inject({ method: 'POST', url: '/log-in', payload, headers })
    t.equal(answer.headers.location, location, next)
  }
  const asked = await web.app.inject({ url: '/?x=%22%3E' })
  t.equal(asked.headers.location, '/log-in?next=%2F%3Fx%3D%2522%253E')
})

t.test('what the browser is told', async t => {
  const web = await webOn(t)
  for (const url of ['/log-in', '/api/v1/accounts', '/api/docs', '/nowhere']) {
    const { headers } = await web.ask(NOBODY, 'GET', url)
    const policy = String(headers['content-security-policy'])
    t.match(policy, /default-src 'none'/, url)
    t.notMatch(policy, /unsafe|https?:|\*/, url)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
  }
  const page = await web.ask(NOBODY, 'GET', '/log-in?next="><script>alert(1)</script>')
  t.notMatch(page.text, /<script>/, 'scripts are files of ours')
})
