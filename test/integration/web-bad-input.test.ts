/** Everything that somebody may type or send: it is refused in a sentence, or kept as it is. */
import t from 'tap'
import { openApi } from '../../src/web/api/openapi.js'
import { webOn } from '../support/web.js'

// Passwords are slow to hash, on purpose.
t.setTimeout(240_000)

const NASTY = [
  `'; DROP TABLE account; --`,
  `" OR 1=1 --`,
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '../../../etc/passwd',
  '%00',
  '\u0000',
  '\r\nset-cookie: a=b',
  '{{7*7}}<%= 7*7 %>',
  '𝕏'.repeat(5_000),
  '{"$gt":""}',
  '__proto__',
  '=HYPERLINK("http://evil.test")',
]

/** Of a JSON body: text is not the only thing that is no text. */
const NO_TEXT: readonly unknown[] = [null, true, 1e9, -0, [], {}, ['x'], { toString: 1 }]

const BAD_AMOUNTS = [
  ...['1e9', '-0', '-0.00', 'NaN', 'Infinity', '0.0000001', '1,5', '1.', '.5', '', ' 1', '++1'],
  ...['0x10', '١', '1_000', '99999999999999999999', '1'.repeat(400)],
  ...[1, 1e9, -0, null, true, [], {}, ['1']],
]

interface Field {
  readonly type?: unknown
  readonly pattern?: string
  readonly description?: string
}

interface Described {
  readonly operationId: string
  readonly parameters?: readonly { name: string; in: string; schema: Field }[]
  readonly requestBody?: {
    readonly content: Record<string, { schema: { properties?: Record<string, Field> } }>
  }
}

interface Asked {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly fields: Readonly<Record<string, Field & { readonly in: string }>>
}

const OPERATIONS: readonly Asked[] = Object.entries(
  openApi('0')['paths'] as Record<string, Record<string, Described>>,
).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, { operationId }]) => !/Events$|^import|openApi/.test(operationId))
    .map(([method, described]) => ({
      name: described.operationId,
      method: method.toUpperCase() as Asked['method'],
      path,
      fields: fieldsOf(described),
    })),
)

function fieldsOf({ parameters = [], requestBody }: Described): Asked['fields'] {
  const body = requestBody?.content['application/json']?.schema.properties ?? {}
  return Object.fromEntries([
    ...parameters
      .filter(one => one.in !== 'header')
      .map(one => [one.name, { ...one.schema, in: one.in }] as const),
    ...Object.entries(body).map(([name, field]) => [name, { ...field, in: 'body' }] as const),
  ])
}

/** What makes a good request of each, as far as fields have to be there at all. */
const GOOD: Readonly<Record<string, unknown>> = {
  ...{ code: 'ALICE', account: 'ALICE', plan: 'retail', name: 'retail', call_id: 'c1' },
  ...{ amount: '1', reference: 'r', reason: 'x', prefix: '44', per_minute: '1', by: 'day' },
  ...{ user: '1000', domain: 'sip.test', number: '44', seconds: '1', pin: '1234' },
  ...{ role: 'operator', hours: 'mon-fri 08:00-20:00', record: '{}' },
  ...{ from: '2026-11-01', to: '2026-11-02', step_s: '3600' },
}
const NEEDED = [
  ...[
    'code',
    'amount',
    'reference',
    'plan',
    'name',
    'prefix',
    'per_minute',
    'role',
    'by',
    'number',
  ],
  ...['user', 'domain', 'account', 'seconds', 'pin', 'hours', 'record', 'step_s'],
]

t.test('in every field of every operation', async t => {
  const web = await webOn(t)
  const admin = await web.token('admin')
  await web.ask(admin, 'POST', '/api/v1/plans', { name: 'retail' })
  await web.ask(admin, 'POST', '/api/v1/accounts', { code: 'ALICE', plan: 'retail', credit: '5' })
  const tables = () =>
    web.books.ledgerFile.database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  const before = tables()
  let asked = 0
  const send = async (one: Asked, field: string, value: unknown) => {
    const input: Record<string, unknown> = { [field]: value }
    for (const name of Object.keys(one.fields)) {
      if (name !== field && NEEDED.includes(name)) input[name] = GOOD[name]
    }
    const place = (name: string) => one.fields[name]!.in
    const path = one.path.replace(/\{(\w+)\}/g, (_, name) =>
      encodeURIComponent(String(input[name] ?? GOOD[name] ?? 'x')),
    )
    const names = Object.keys(input)
    const inQuery = names.filter(name => place(name) === 'query')
    const query = new URLSearchParams(
      Object.fromEntries(inQuery.map(name => [name, String(input[name])])),
    ).toString()
    const inBody = Object.fromEntries(
      names.filter(name => place(name) === 'body').map(name => [name, input[name]]),
    )
    const body = one.method === 'POST' || one.method === 'PATCH' ? inBody : undefined
    asked += 1
    return web.ask(admin, one.method, `${path}?${query}`, body)
  }
  for (const one of OPERATIONS) {
    for (const [field, told] of Object.entries(one.fields)) {
      const values = told.in === 'body' ? [...NASTY, ...NO_TEXT] : NASTY
      for (const value of values) {
        const { status, json, headers, text } = await send(one, field, value)
        const what = `${one.name} ${field} ${JSON.stringify(value).slice(0, 40)}: ${status} ${text.slice(0, 200)}`
        if (status >= 500) t.fail(what)
        if (status >= 400 && typeof json['detail'] !== 'string') t.fail(`no sentence: ${what}`)
        if (/html/.test(String(headers['content-type']))) t.fail(`HTML: ${what}`)
        if (headers['set-cookie']) t.fail(`a cookie: ${what}`)
      }
    }
  }
  t.ok(asked > 1_500, `${asked} requests`)
  t.equal(tables(), before)
  t.strictSame((await web.books.auditor.verify()).problems, [])
  const mistakes = web.lines.filter(line => line.includes('a web request failed'))
  t.strictSame(mistakes.slice(0, 2), [])
})

t.test('what is kept is kept as it was typed', async t => {
  const web = await webOn(t)
  const admin = await web.token('admin')
  await web.ask(admin, 'POST', '/api/v1/plans', { name: 'retail' })
  for (const [n, text] of NASTY.slice(0, 4).entries()) {
    const account = { code: `A${n}`, plan: 'retail', name: text, notes: text }
    t.match(await web.ask(admin, 'POST', '/api/v1/accounts', account), { status: 201 })
    const search = encodeURIComponent(text)
    const found = await web.ask(admin, 'GET', `/api/v1/accounts?search=${search}`)
    t.match(found.json, { items: [{ name: text, notes: text }] }, text)
    const topUp = { amount: '1', reference: text, reason: text }
    const posted = await web.ask(admin, 'POST', `/api/v1/accounts/A${n}/top-ups`, topUp)
    t.match(posted.json, { reference: text, reason: text })
  }
})

t.test('amounts that are none', async t => {
  const web = await webOn(t)
  const admin = await web.token('admin')
  await web.ask(admin, 'POST', '/api/v1/plans', { name: 'retail' })
  await web.ask(admin, 'POST', '/api/v1/accounts', { code: 'ALICE', plan: 'retail' })
  const ALICE = '/api/v1/accounts/ALICE'
  const fields: readonly (readonly ['POST' | 'PATCH', string, string, object])[] = [
    ['POST', `${ALICE}/top-ups`, 'amount', { reference: 'r' }],
    ['POST', `${ALICE}/adjustments`, 'amount', { reference: 'r' }],
    ['POST', '/api/v1/accounts', 'credit', { code: 'BOB', plan: 'retail' }],
    ['PATCH', ALICE, 'credit_limit', {}],
    ['POST', '/api/v1/plans/retail/rates', 'per_minute', { prefix: '44' }],
    ['POST', '/api/v1/plans/retail/rates', 'setup', { prefix: '44', per_minute: '1' }],
  ]
  for (const [method, url, field, rest] of fields) {
    for (const amount of BAD_AMOUNTS) {
      const { status, json } = await web.ask(admin, method, url, { ...rest, [field]: amount })
      const refused = status === 400 || (status === 409 && json['code'] === 'too_much')
      if (!refused) t.fail(`${field} ${JSON.stringify(amount)}: ${status}`)
    }
  }
  t.match((await web.ask(admin, 'GET', ALICE)).json, {
    balance: '0.000000',
    credit_limit: '0.000000',
  })
  t.match((await web.ask(admin, 'GET', '/api/v1/plans/retail')).json, { rates: 0 })
})

t.test('bodies that are none', async t => {
  const web = await webOn(t)
  const admin = await web.token('admin')
  const json = { 'content-type': 'application/json' }
  const bodies: readonly (readonly [string, number])[] = [
    ['{"code":', 400],
    ['{"__proto__":{"plan":"retail"}}', 400],
    ['[1]', 400],
    ['"x"', 400],
    [`{"name":"${'x'.repeat(2_000_000)}"}`, 413],
    ['[['.repeat(50_000), 400],
  ]
  for (const [body, status] of bodies) {
    t.match(
      await web.ask(admin, 'POST', '/api/v1/accounts', body, json),
      { status },
      body.slice(0, 40),
    )
  }
  const xml = { 'content-type': 'application/xml' }
  t.match(await web.ask(admin, 'POST', '/api/v1/accounts', '<a/>', xml), { status: 415 })
  t.match(await web.ask(admin, 'GET', '/api/v1/accounts/%E0%A4%A'), { status: 400 })
  t.match(await web.ask(admin, 'GET', '/api/v1/../../etc/passwd'), { status: 404 })
  t.match(await web.ask(admin, 'GET', '/assets/..%2f..%2fweb.ts'), { status: /^(403|404)$/ })
})
