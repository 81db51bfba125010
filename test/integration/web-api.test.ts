/** The HTTP API, asked by inject() on real books. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { hashSecret } from '../../src/access/secrets.js'
import { SERVED, SERVED_NAMES } from '../../src/web/api/routes.js'
import { DECK_BYTES_MAX } from '../../src/web/deck-imports.js'
import { hold, settle } from '../support/books.js'
import { type Answer, type As, webOn } from '../support/web.js'

// Passwords are slow to hash, on purpose.
t.setTimeout(240_000)

type Web = Awaited<ReturnType<typeof webOn>>

const ACCOUNTS = '/api/v1/accounts'
const PLANS = '/api/v1/plans'

async function withPlan(web: Web): Promise<As> {
  const admin = await web.token('admin')
  await web.ask(admin, 'POST', PLANS, { name: 'retail' })
  return admin
}

async function withAccount(web: Web): Promise<As> {
  const admin = await withPlan(web)
  await web.ask(admin, 'POST', ACCOUNTS, { code: 'ALICE', plan: 'retail', credit: '5' })
  return admin
}

/** All pages of a list, by following `next`. */
async function pages({ ask }: Web, as: As, url: string): Promise<unknown[][]> {
  const found: unknown[][] = []
  let next: unknown = url
  while (typeof next === 'string') {
    const { json }: Answer = await ask(as, 'GET', next)
    found.push((json['items'] ?? json['entries']) as unknown[])
    next = json['next']
  }
  return found
}

t.test('who asks is the actor, and nobody can say otherwise', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withAccount(web)
  const topUp = { amount: '1', reference: 'r1' }
  const url = `${ACCOUNTS}/ALICE/top-ups`
  t.match(await ask(admin, 'POST', url, { ...topUp, actor: 'cli:root' }), {
    status: 400,
    json: { code: 'bad_input', detail: 'actor is not a known field' },
  })
  t.match(await ask(admin, 'POST', url, topUp), { status: 201, json: { actor: 'token:admin' } })
  t.match(await ask(admin, 'GET', '/api/v1/audit?limit=1'), {
    json: { items: [{ actor: 'token:admin', action: 'account.top_up' }] },
  })
})

t.test('the audit of one actor, or of one thing', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withAccount(web)
  const anna = await web.user('anna', 'operator')
  await ask(anna, 'PATCH', `${ACCOUNTS}/ALICE`, { name: 'A' })
  const actorsOf = async (query: string) => {
    const { json } = await ask(admin, 'GET', `/api/v1/audit?${query}`)
    return [...new Set((json['items'] as { actor: string }[]).map(({ actor }) => actor))].sort()
  }
  t.strictSame(await actorsOf('actor=user:anna'), ['user:anna'])
  t.strictSame(await actorsOf('subject=account%20ALICE'), ['token:admin', 'user:anna'])
  t.strictSame(await actorsOf(''), ['test', 'token:admin', 'user:anna'])
})

t.test('lists go page by page', async t => {
  const web = await webOn(t)
  const admin = await withPlan(web)
  const { books, ask } = web
  const codes = ['A', 'B', 'C', 'D', 'E']
  for (const code of codes) {
    await books.provisioning.accountCreate({ code, plan: 'retail', credit: '100', actor: 'test' })
    await web.ask(admin, 'POST', `${PLANS}/retail/rates`, {
      prefix: `4${code.charCodeAt(0)}`,
      per_minute: '1',
    })
    await hold(books, `call-${code}`, 'A')
    await settle(books, `call-${code}`, 'A', 60)
  }
  const lists: Record<string, string> = {
    [ACCOUNTS]: 'code',
    '/api/v1/cdrs': 'call_id',
    '/api/v1/audit': 'id',
    [`${PLANS}/retail/rates`]: 'prefix',
    [`${ACCOUNTS}/A/rates`]: 'prefix',
    [`${ACCOUNTS}/A/statement`]: 'id',
  }
  for (const [url, key] of Object.entries(lists)) {
    const keysOf = (items: unknown[]) => items.map(item => (item as Record<string, unknown>)[key])
    const [whole] = await pages(web, admin, url)
    const byTwo = await pages(web, admin, `${url}?limit=2`)
    t.ok(whole!.length >= 5 && byTwo.length >= 3, url)
    t.strictSame(byTwo.flatMap(keysOf), keysOf(whole!), `${url} by twos`)
    t.ok(
      byTwo.slice(0, -1).every(page => page.length === 2),
      'full pages',
    )
  }
  for (const url of [
    ...Object.keys(lists),
    '/api/v1/calls',
    '/api/v1/users',
    '/api/v1/sip-accounts',
  ]) {
    t.match(await ask(admin, 'GET', `${url}?limit=500`), { status: 200 }, `${url}: all of a page`)
  }
  const { json, headers } = await ask(admin, 'GET', `${ACCOUNTS}?limit=5`)
  t.equal(json['next'], null, 'a page that is just full is the last')
  t.notOk(headers['link'])
  const first = await ask(admin, 'GET', `${ACCOUNTS}?limit=2&search=`)
  t.equal(first.headers['link'], `<${first.json['next']}>; rel="next"`)
  t.match(first.json['next'], /search=/, 'with its filters')

  const cursor = /cursor=([^&]+)/.exec(String(first.json['next']))![1]
  const refused: Record<string, string> = {
    [`/api/v1/cdrs?cursor=${cursor}`]: 'bad_cursor',
    [`${ACCOUNTS}?cursor=nonsense`]: 'bad_cursor',
    [`${ACCOUNTS}?limit=0`]: 'bad_input',
    [`${ACCOUNTS}?limit=501`]: 'bad_input',
    [`${ACCOUNTS}?limit=all`]: 'bad_input',
  }
  for (const [url, code] of Object.entries(refused)) {
    t.match(await ask(admin, 'GET', url), { status: 400, json: { code } }, url)
  }
})

t.test('a page of a statement adds up', async t => {
  const web = await webOn(t)
  const admin = await withAccount(web)
  for (const n of [1, 2, 3]) {
    const topUp = { code: 'ALICE', amount: '1', reference: `r${n}`, actor: 'test' }
    await web.books.provisioning.topUp(topUp)
  }
  const first = await web.ask(admin, 'GET', `${ACCOUNTS}/ALICE/statement?limit=2`)
  t.match(first.json, { opening_balance: '0.000000', closing_balance: '6.000000' })
  const second = await web.ask(admin, 'GET', String(first.json['next']))
  t.match(second.json, { opening_balance: '6.000000', closing_balance: '8.000000', next: null })
})

t.test('of two who edit, the second is told', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withAccount(web)
  const sip = '/api/v1/sip-accounts'
  await ask(admin, 'POST', sip, { user: '1000', domain: 'sip.test', account: 'ALICE' })
  await ask(admin, 'POST', '/api/v1/users', { name: 'anna', role: 'operator' })
  const edits: readonly (readonly [string, object, object])[] = [
    [`${ACCOUNTS}/ALICE`, { name: 'one' }, { name: 'two' }],
    [`${sip}/sip.test/1000`, { name: 'one' }, { name: 'two' }],
    [`${PLANS}/retail`, { zone: 'Europe/Berlin' }, { zone: 'Europe/London' }],
    ['/api/v1/users/anna', { role: 'read_only' }, { role: 'operator' }],
  ]
  for (const [url, one, two] of edits) {
    const etag = String((await ask(admin, 'GET', url)).headers['etag'])
    t.match(etag, /^"[\w-]{22}"$/, url)
    const match = { 'if-match': etag }
    t.match(await ask(admin, 'PATCH', url, one, match), { status: 200, json: one })
    const late = await ask(admin, 'PATCH', url, two, match)
    t.match(late, { status: 412, json: { code: 'changed_meanwhile' } }, 'the second')
    t.match((await ask(admin, 'GET', url)).json, one, 'has changed nothing')
    const now = String((await ask(admin, 'GET', url)).headers['etag'])
    t.match(await ask(admin, 'PATCH', url, two, { 'if-match': `"x", ${now}` }), { status: 200 })
    t.match(await ask(admin, 'PATCH', url, one, { 'if-match': '*' }), { status: 200 })
    t.match(await ask(admin, 'PATCH', url, two, { 'if-match': `W/${now}` }), { status: 412 })
  }
  const before = (await ask(admin, 'GET', `${ACCOUNTS}/ALICE`)).headers['etag']
  await ask(admin, 'POST', `${ACCOUNTS}/ALICE/top-ups`, { amount: '1', reference: 'r' })
  const after = (await ask(admin, 'GET', `${ACCOUNTS}/ALICE`)).headers['etag']
  t.equal(after, before, 'credit that comes in is no edit')
  t.match(await ask(admin, 'DELETE', `${PLANS}/retail`, undefined, { 'if-match': '"x"' }), {
    status: 400,
  })
})

t.test('a rate is edited in place, by its version', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withPlan(web)
  const rates = `${PLANS}/retail/rates`
  const rate = { prefix: '44', per_minute: '0.5', description: 'UK' }
  t.match(await ask(admin, 'POST', rates, rate), { status: 201, json: { per_minute: '0.500000' } })
  const set = (price: string, etag?: string) =>
    ask(
      admin,
      'PATCH',
      rates,
      { prefix: '44', per_minute: price },
      etag ? { 'if-match': etag } : {},
    )
  const etag = String((await set('0.6')).headers['etag'])
  t.match(await set('0.7', etag), { status: 200, json: { per_minute: '0.700000' } })
  t.match(await set('0.8', etag), { status: 412 })
  t.match(await ask(admin, 'GET', `${rates}/44`), { json: [{ per_minute: '0.700000' }] })
  t.match(await ask(admin, 'DELETE', `${rates}?prefix=44`), { status: 200, json: { prefix: '44' } })
  t.match(await ask(admin, 'GET', `${rates}/44`), { status: 404, json: { code: 'unknown_rate' } })
})

t.test('a POST with a key is done once', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withAccount(web)
  const other = await web.token('operator')
  const url = `${ACCOUNTS}/ALICE/adjustments`
  const adjust = (reference: string, key: string, as = admin) =>
    ask(as, 'POST', url, { amount: '1', reference }, { 'idempotency-key': key })

  const [one, two] = await Promise.all([adjust('r1', 'k1'), adjust('r1', 'k1')])
  t.strictSame([one.status, two.status], [201, 201], 'a double click')
  t.equal(two.text, one.text)
  const again = await adjust('r1', 'k1')
  t.equal(again.text, one.text)
  t.equal(again.headers['idempotency-replayed'], 'true')
  t.match(await adjust('r2', 'k1'), { status: 422, json: { code: 'idempotency_key_reused' } })
  t.match(await adjust('r3', 'k1', other), { status: 201 }, 'everybody has keys of his own')
  t.match(await adjust('r4', 'a key with blanks'), { status: 400 })

  const account = { plan: 'retail' }
  const key = { 'idempotency-key': 'k2' }
  const made = await ask(admin, 'POST', ACCOUNTS, account, key)
  t.equal((await ask(admin, 'POST', ACCOUNTS, account, key)).json['code'], made.json['code'])
  const create = () => ask(admin, 'POST', ACCOUNTS, account, { 'idempotency-key': 'k4' })
  const [left, right] = await Promise.all([create(), create()])
  t.strictSame([left.status, right.status], [201, 201], 'also of what has no reference')
  t.equal(right.json['code'], left.json['code'])
  const wrong = { 'idempotency-key': 'k3' }
  const refused = await ask(admin, 'POST', ACCOUNTS, { plan: 'none' }, wrong)
  t.match(refused, { status: 404, json: { code: 'unknown_plan' } })
  t.equal((await ask(admin, 'POST', ACCOUNTS, { plan: 'none' }, wrong)).text, refused.text)
})

t.test('secrets are told once, and kept nowhere', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withAccount(web)
  const asked: readonly (readonly [string, object, string])[] = [
    ['/api/v1/tokens', { name: 'ivr', role: 'operator', scopes: 'cards:verify' }, 'token'],
    ['/api/v1/users', { name: 'ben', role: 'operator' }, 'password_link'],
    [
      '/api/v1/sip-accounts',
      { user: '1', domain: 'sip.test', account: 'ALICE' },
      'generated_password',
    ],
    [`${ACCOUNTS}/ALICE/pin`, {}, 'generated_pin'],
  ]
  for (const [url, body, field] of asked) {
    const key = { 'idempotency-key': field }
    const first = await ask(admin, 'POST', url, body, key)
    const secret = String(first.json[field])
    t.ok(secret.length >= 6, field)
    const second = await ask(admin, 'POST', url, body, key)
    t.strictSame({ ...first.json, [field]: null }, second.json, `${field} is not told again`)
    const bare = secret.replace(/.*\//, '')
    if (field === 'generated_pin') continue
    for (const file of ['web.db', 'web.db-wal', 'ledger.db', 'ledger.db-wal']) {
      t.notOk(readFileSync(join(web.dir, file)).includes(bare), `${field} is not in ${file}`)
    }
    t.notOk(
      web.lines.some(line => line.includes(bare)),
      `${field} is not in the log`,
    )
  }
})

t.test('what died half way is not done twice', async t => {
  const web = await webOn(t)
  const { ask, services } = web
  const admin = await withAccount(web)
  // As the service that died had left it.
  const asHash = async (url: string, body: object, key: string) => {
    const request = hashSecret(JSON.stringify(['POST', url, body]))
    await services.answers.take('token:admin', key, request)
    return ask(admin, 'POST', url, body, { 'idempotency-key': key })
  }
  t.match(await asHash(ACCOUNTS, { plan: 'retail' }, 'k1'), {
    status: 409,
    json: { code: 'outcome_unknown' },
  })
  const topUp = { amount: '1', reference: 'r1' }
  t.match(await asHash(`${ACCOUNTS}/ALICE/top-ups`, topUp, 'k2'), { status: 201 })
})

t.test('CDRs as CSV', async t => {
  const web = await webOn(t)
  const admin = await withAccount(web)
  const ids = Array.from({ length: 1_002 }, (_, n) => `c${n}`)
  await web.books.provisioning.topUp({
    code: 'ALICE',
    amount: '9999',
    reference: 'x',
    actor: 'test',
  })
  await Promise.all(ids.map(id => hold(web.books, id, 'ALICE')))
  await Promise.all(ids.map(id => settle(web.books, id, 'ALICE', 60)))
  const { status, text, headers } = await web.ask(admin, 'GET', '/api/v1/cdrs.csv?account=ALICE')
  t.equal(status, 200)
  t.match(headers['content-type'], /^text\/csv/)
  const [head, ...lines] = text.trim().split('\n')
  t.match(head, /^call_id,account,number,.*,corrected$/)
  t.strictSame(lines.map(line => line.split(',')[0]).sort(), [...ids].sort(), 'each once')
  const wrong = await web.ask(admin, 'GET', '/api/v1/cdrs.csv?outcome=lost')
  t.match(wrong, { status: 400, json: { code: 'bad_input' } })
})

t.test('a deck is shown, then applied as it was shown', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withPlan(web)
  const csv = { 'content-type': 'text/csv' }
  const send = (deck: string, query: string, as = admin) =>
    ask(as, 'POST', `${PLANS}/retail/imports?${query}`, deck, csv)
  const over = async ({ json }: Answer) => {
    for (;;) {
      const { json: job } = await ask(admin, 'GET', `/api/v1/imports/${json['id']}`)
      if (job['state'] === 'done' || job['state'] === 'failed') return job
      await setTimeout(10)
    }
  }
  const deck = 'prefix,description,per_minute\n44,UK,0.01\n49,Germany,0.02\n'
  const shown = await send(deck, 'dry_run=true&mode=replace&source=deck.csv')
  t.match(shown, { status: 202, json: { plan: 'retail', dry_run: true } }, shown.text)
  t.match(await over(shown), { state: 'done', result: { rates: 2, added: 2, dry_run: true } })
  t.match((await ask(admin, 'GET', `${PLANS}/retail`)).json, { rates: 0 }, 'nothing is imported')
  const file = join(web.dir, 'uploads', String(shown.json['id']))
  t.equal(statSync(file).mode & 0o777, 0o600)

  const apply = () => ask(admin, 'POST', `/api/v1/imports/${shown.json['id']}/apply`)
  t.match(await apply(), { status: 202, json: { dry_run: false } })
  t.match(await over(shown), { state: 'done', result: { added: 2, dry_run: false } })
  t.match(await apply(), { status: 202, json: { state: 'done' } }, 'twice is once')
  t.throws(() => statSync(file), 'the upload is gone')
  t.match((await ask(admin, 'GET', `${PLANS}/retail`)).json, { rates: 2 })
  t.match(web.live.told.at(-1), 'rates retail', 'the daemon has been told')
  const exported = await ask(admin, 'GET', `${PLANS}/retail/deck.csv`)
  t.match(exported.text, /\n44,/)

  const late = await send('prefix,per_minute\n1,1\n', 'dry_run=true')
  await over(late)
  await ask(admin, 'POST', `${PLANS}/retail/rates`, { prefix: '7', per_minute: '1' })
  t.match(await ask(admin, 'POST', `/api/v1/imports/${late.json['id']}/apply`), {
    status: 412,
    json: { code: 'changed_meanwhile' },
  })
  t.match(await over(await send('prefix,per_minute\n33,oops\n34,1\n', '')), {
    state: 'failed',
    problem: { code: 'bad_input' },
    bad_line_count: 1,
    bad_lines: [{ line: 2 }],
  })
  t.match((await ask(admin, 'GET', `${PLANS}/retail`)).json, { rates: 3 }, 'all or nothing')
  t.match(await send('x', 'dry_run=maybe'), { status: 400 })
  t.match(await send('x', 'sheet=1'), { status: 400 })
  t.match(await ask(admin, 'POST', `${PLANS}/none/imports`, 'x', csv), { status: 404 })
  t.match(await ask(admin, 'GET', '/api/v1/imports/none'), { json: { code: 'unknown_import' } })
  const reader = await web.token('read_only')
  t.match(await send(deck, '', reader), { status: 403 })
})

t.test('a deck that is too large', async t => {
  const web = await webOn(t)
  const admin = await withPlan(web)
  const sentence = { status: 413, json: { code: 'too_large', detail: /at most 200 MB/ } }
  const url = `${PLANS}/retail/imports`
  const said = { 'content-type': 'text/csv', 'content-length': String(DECK_BYTES_MAX + 1) }
  t.match(await web.ask(admin, 'POST', url, 'x', said), sentence, 'as it says itself')
  const piece = Buffer.alloc(2 ** 20, 'x')
  let sent = 0
  const endless = Readable.from(
    (function* () {
      for (; sent < 250; sent++) yield piece
    })(),
  )
  const csv = { 'content-type': 'text/csv', 'transfer-encoding': 'chunked' }
  t.match(await web.ask(admin, 'POST', url, endless, csv), sentence, 'as it turns out')
  t.ok(sent < 250)
  t.strictSame(readdirSync(join(web.dir, 'uploads')), [])
})

t.test('calling cards', async t => {
  const web = await webOn(t)
  const { ask } = web
  const admin = await withAccount(web)
  const ivr = await web.token('operator', 'cards:verify', 'ivr')
  const verify = (code: string, pin: string) =>
    ask(ivr, 'POST', '/api/v1/calling-cards/verify', { code, pin })
  t.match(await verify('ALICE', '1234'), { status: 200, json: { valid: false } }, 'no PIN yet')
  t.match(await ask(admin, 'POST', `${ACCOUNTS}/ALICE/pin`, { pin: '1234' }), {
    json: { generated_pin: null },
  })
  const right = await verify('ALICE', '1234')
  t.strictSame(right.json, { valid: true, code: 'ALICE', state: 'active', available: '5.000000' })
  t.strictSame((await verify('NOBODY', '1234')).json, { valid: false })
  t.match(await verify('ALICE', '12'), { status: 400 })
  const guesses = await Promise.all(
    Array.from({ length: 20 }, (_, n) => verify('ALICE', `${2000 + n}`)),
  )
  const stopped = guesses.filter(({ status }) => status === 429)
  t.equal(stopped.length, 16, 'four more wrong ones, at the same time or not')
  t.match(stopped[0], { json: { code: 'too_many_tries' }, headers: { 'retry-after': /^\d+$/ } })
  t.match(await verify('ALICE', '1234'), { status: 429 }, 'and the right one has to wait')
  t.match(await ask(admin, 'DELETE', `${ACCOUNTS}/ALICE/pin`), { status: 200 })
  t.match(await ask(ivr, 'GET', `${ACCOUNTS}/ALICE`), { status: 403 }, 'and nothing else')
})

t.test('quotes, figures, live calls', async t => {
  const web = await webOn(t)
  const { ask, live } = web
  const admin = await withAccount(web)
  await ask(admin, 'POST', `${PLANS}/retail/rates`, { prefix: '44', per_minute: '0.6' })
  t.match(await ask(admin, 'GET', '/api/v1/quote?account=ALICE&number=442071234567&seconds=60'), {
    json: { prefix: '44', cost: '0.600000', decided_by: 'plan' },
  })
  const call = {
    account: 'ALICE',
    number: '44',
    switch: 'fs1',
    state: 'answered',
    seconds: 5,
  } as const
  const money = { cost: 1n, held: 2n, fundedUntil: null, final: false }
  live.calls.push({ ...call, ...money, callId: 'b' }, { ...call, ...money, callId: 'a' })
  t.match(await ask(admin, 'GET', '/api/v1/calls?limit=1'), { json: { items: [{ call_id: 'b' }] } })
  t.match(await ask(admin, 'POST', '/api/v1/calls/a/kill'), { status: 200 })
  t.ok(live.told.includes('kill a'))
  const today = new Date().toISOString().slice(0, 10)
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const stats = await ask(admin, 'GET', `/api/v1/stats?from=${today}&to=${tomorrow}&step_s=86400`)
  t.match(JSON.parse(stats.text), [
    { top_ups: '5.000000', calls: 0, cost: '0.000000', talk_s: '0.000000' },
  ])
  t.match(await ask(admin, 'GET', `/api/v1/stats?from=${today}&to=${tomorrow}&step_s=60`), {
    json: { code: 'bad_input' },
  })
})

t.test('the description of the API is that of its routes, and of no other', async t => {
  const web = await webOn(t)
  const { json } = await web.ask({}, 'GET', '/api/v1/openapi.json')
  const described = new Set<string>()
  const paths = json['paths'] as Record<string, Record<string, Described>>
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) described.add(`${method.toUpperCase()} ${path}`)
  }
  const served = routesOf(web.app.printRoutes({ commonPrefix: false })).filter(
    route => route.includes(' /api/v1/') && !/^(HEAD|OPTIONS)/.test(route),
  )
  const nameless = (routes: Iterable<string>) =>
    [...routes].map(route => route.replace(/\{[^}]*\}(\|\{[^}]*\})?/g, '{}')).sort()
  t.strictSame(nameless(described), nameless(served))
  for (const name of SERVED_NAMES) {
    const { method, path } = SERVED[name]
    const at = paths[path.replace(/:(\w+)/g, '{$1}')]![method.toLowerCase()]!
    const body = at.requestBody?.content['application/json']?.schema.properties ?? {}
    const fields = {
      ...Object.fromEntries(at.parameters.map(one => [one.name, one.schema])),
      ...body,
    }
    t.equal('actor' in fields, name === 'auditList', `${name} does not say who it is`)
    for (const [field, schema] of Object.entries(fields)) {
      const told = schema as Record<string, unknown>
      t.ok('type' in told || 'anyOf' in told || 'enum' in told, `${name}: ${field} has a type`)
    }
  }
  const page = await web.ask({}, 'GET', '/api/docs')
  t.match(page, { status: 200, text: /swagger-ui/ })
  t.notMatch(page.text, /https?:/, 'nothing comes from elsewhere')
  for (const [, file] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
    t.match(await web.ask({}, 'GET', file!), { status: 200 }, String(file))
  }
})

t.test('answers are what they are said to be', async t => {
  const web = await webOn(t)
  const { ask, books } = web
  const admin = await withAccount(web)
  await ask(admin, 'POST', `${PLANS}/retail/rates`, { prefix: '44', per_minute: '1' })
  await ask(admin, 'POST', `${PLANS}/retail/periods/peak`, { hours: 'mon-fri 08:00-20:00' })
  const sip = { user: '1', domain: 'sip.test', account: 'ALICE' }
  await ask(admin, 'POST', '/api/v1/sip-accounts', sip)
  await ask(admin, 'POST', '/api/v1/users', { name: 'anna', role: 'operator' })
  await hold(books, 'c1', 'ALICE')
  await settle(books, 'c1', 'ALICE', 60)
  const { json } = await ask({}, 'GET', '/api/v1/openapi.json')
  const paths = json['paths'] as Record<string, Record<string, Answered>>
  const asked: Record<string, string> = {
    [ACCOUNTS]: ACCOUNTS,
    [`${ACCOUNTS}/{code}`]: `${ACCOUNTS}/ALICE`,
    [`${ACCOUNTS}/{code}/statement`]: `${ACCOUNTS}/ALICE/statement`,
    '/api/v1/cdrs': '/api/v1/cdrs',
    '/api/v1/cdrs/{call_id}': '/api/v1/cdrs/c1',
    '/api/v1/cdrs/totals': '/api/v1/cdrs/totals?by=day',
    '/api/v1/audit': '/api/v1/audit',
    '/api/v1/sip-accounts': '/api/v1/sip-accounts',
    [PLANS]: PLANS,
    [`${PLANS}/{plan}/rates`]: `${PLANS}/retail/rates`,
    [`${PLANS}/{plan}/rates/{prefix}`]: `${PLANS}/retail/rates/44`,
    '/api/v1/quote': '/api/v1/quote?plan=retail&number=%2B44&seconds=1',
    '/api/v1/stats': '/api/v1/stats?from=2026-11-23&to=2026-11-24&step_s=3600',
    '/api/v1/users': '/api/v1/users',
    '/api/v1/tokens': '/api/v1/tokens',
  }
  for (const [path, url] of Object.entries(asked)) {
    const { schema } = paths[path]!['get']!.responses['200']!.content['application/json']!
    const answer = JSON.parse((await ask(admin, 'GET', url)).text)
    t.strictSame(wrongIn(schema, answer), [], path)
  }
})

interface Schema {
  readonly type: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly pattern?: string
}

interface Answered {
  readonly responses: Record<string, { readonly content: Record<string, { schema: Schema }> }>
}

/** Where a value is not what its schema says; a field that is there must be in the schema, and all of these there. */
function wrongIn(schema: Schema, value: unknown, at = ''): string[] {
  const is = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const types = [schema.type].flat().map(type => (type === 'integer' ? 'number' : type))
  if (!types.includes(is)) return [`${at} is ${is}, not ${types}`]
  if (schema.pattern && is === 'string' && !new RegExp(schema.pattern).test(String(value))) {
    return [`${at} is ${value}`]
  }
  if (is === 'array') {
    const items = value as unknown[]
    if (items.length === 0) return [`${at} is empty: nothing is shown`]
    return schema.items ? items.flatMap(item => wrongIn(schema.items!, item, `${at}[]`)) : []
  }
  if (is !== 'object' || !schema.properties) return []
  const fields = value as Record<string, unknown>
  const names = new Set([...Object.keys(schema.properties), ...Object.keys(fields)])
  return [...names].flatMap(name => {
    const known = schema.properties![name]
    if (!known) return [`${at}.${name} is not described`]
    return name in fields
      ? wrongIn(known, fields[name], `${at}.${name}`)
      : [`${at}.${name} is missing`]
  })
}

interface Described {
  readonly parameters: readonly { readonly name: string; readonly schema: unknown }[]
  readonly requestBody?: {
    readonly content: Record<string, { schema: { properties: Record<string, unknown> } }>
  }
}

/** `GET /api/v1/accounts/{code}`, out of the tree that fastify prints. */
function routesOf(tree: string): string[] {
  const found: string[] = []
  const above: string[] = []
  for (const line of tree.split('\n')) {
    const match = /^([│ ]*)[├└]── (\S+)(?: \(([^)]+)\))?/.exec(line)
    if (!match) continue
    const [, indent = '', piece = '', methods] = match
    const depth = indent.length / 4
    above.splice(depth)
    above.push(piece)
    const path = above.join('').replace(/:(\w+)/g, '{$1}')
    for (const method of methods?.split(', ') ?? []) found.push(`${method} ${path}`)
  }
  return found
}
