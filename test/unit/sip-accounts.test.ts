/** SIP accounts: what operators may ask, what they are told, and what nobody is told. */
import { createHash } from 'node:crypto'
import pino from 'pino'
import t, { type Test } from 'tap'
import { checkConfig } from '../../src/config.js'
import { Doorkeeper } from '../../src/freeswitch-http/doorkeeper.js'
import { exportDomain } from '../../src/provisioning/sip-accounts.js'
import { forgetUserCommand } from '../../src/switch/encode.js'
import { DIRECTORY, openBooks } from '../support/books.js'
import { shortDir, tollgate, words } from '../support/command-line.js'
import { basic, readInclude } from '../support/directory.js'

const actor = 'test'
const DOMAIN = 'sip.example.com'
const md5 = (text: string) => createHash('md5').update(text).digest('hex')

async function withBooks(t: Test) {
  const told: string[] = []
  const caches = {
    forget: ({ user, domain }: { user: string; domain: string }) =>
      void told.push(`${user}@${domain}`),
  }
  const books = openBooks(t.testdir({}), undefined, caches)
  t.teardown(() => books.close())
  await books.rates.planCreate({ name: 'retail', actor })
  for (const code of ['ALICE', 'BOB']) {
    await books.provisioning.accountCreate({ code, plan: 'retail', actor })
  }
  const secretOf = async (user: string, domain = DOMAIN) =>
    (await books.sipAccounts.credentials({ user, domain }))?.a1Hash
  return { ...books, told, secretOf }
}

const anna = { user: 'anna', domain: DOMAIN, account: 'ALICE', actor }
const { account: _, ...whose } = anna

t.test('the life of a SIP account', async t => {
  const { provisioning, told, secretOf, sipAccounts } = await withBooks(t)
  const password = 'correct horse: battery'
  const made = await provisioning.sipAccountCreate({ ...anna, password, name: 'Anna' })
  t.match(made.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  const shown = {
    ...{ user: 'anna', domain: DOMAIN, account: 'ALICE', enabled: true, name: 'Anna' },
    ...{ has_password: true, created_at: made.created_at },
  }
  t.strictSame(made, { ...shown, generated_password: null })
  t.strictSame(await provisioning.sipAccountShow({ user: 'anna', domain: DOMAIN }), shown)
  t.equal(await secretOf('anna'), md5(`anna:${DOMAIN}:${password}`))

  const moved = { ...whose, account: 'BOB', enabled: 'false', name: '' }
  t.strictSame(await provisioning.sipAccountSet(moved), {
    ...{ ...shown, account: 'BOB', enabled: false, name: '' },
    generated_password: null,
  })
  t.equal(await secretOf('anna'), md5(`anna:${DOMAIN}:${password}`), 'the password is as it was')
  const other = { ...whose, password: 'another password' }
  t.match(await provisioning.sipAccountSet(other), { enabled: false, account: 'BOB' })
  t.equal(await secretOf('anna'), md5(`anna:${DOMAIN}:another password`))
  const a1_hash = md5(`anna:${DOMAIN}:from elsewhere`)
  await provisioning.sipAccountSet({ ...whose, a1_hash: a1_hash.toUpperCase(), enabled: true })
  t.equal(await secretOf('anna'), a1_hash)
  const changed = await sipAccounts.change(whose, { name: 'Anna' }, actor)
  t.strictSame(Object.keys(changed), Object.keys((await sipAccounts.find(whose))!))
  t.notOk('a1Hash' in changed)
  await sipAccounts.change(whose, { name: '' }, actor)
  const renewed = await provisioning.sipAccountSet({ ...whose, generate_password: true })
  t.equal(await secretOf('anna'), md5(`anna:${DOMAIN}:${renewed.generated_password}`))

  const deleted = await provisioning.sipAccountDelete(whose)
  t.strictSame(deleted, { ...shown, account: 'BOB', name: '' })
  t.equal(await sipAccounts.find(whose), undefined)
  t.strictSame(told, Array(6).fill(`anna@${DOMAIN}`), 'switches are told of each change')
})

t.test('a generated password is told once, and cannot be guessed', async t => {
  const { provisioning, secretOf } = await withBooks(t)
  const passwords: string[] = []
  for (let i = 0; i < 50; i++) {
    const made = await provisioning.sipAccountCreate({ ...anna, user: `u${i}` })
    const password = made.generated_password!
    t.equal(await secretOf(`u${i}`), md5(`u${i}:${DOMAIN}:${password}`))
    passwords.push(password)
  }
  t.equal(new Set(passwords).size, 50)
  t.ok(passwords.every(password => /^[2-9A-HJ-NP-Za-km-z]{16}$/.test(password)))
  t.ok(new Set(passwords.join('')).size > 50, 'all letters are used')
})

t.test('neither password nor hash is in any answer, list or record', async t => {
  const { provisioning, sipAccounts } = await withBooks(t)
  const password = 'correct horse'
  const seen: unknown[] = [
    await provisioning.sipAccountCreate({ ...anna, password }),
    await provisioning.sipAccountSet({ ...whose, password: 'battery staple', name: 'A' }),
    await provisioning.sipAccountShow({ user: 'anna', domain: DOMAIN }),
    await provisioning.sipAccountList({}),
  ]
  const hashes = [password, 'battery staple'].map(text => md5(`anna:${DOMAIN}:${text}`))
  const xml = await exportDomain(sipAccounts, DIRECTORY, { domain: DOMAIN })
  t.ok(xml.includes(hashes[1]!), 'but for what FreeSWITCH reads')
  const { generated_password } = await provisioning.sipAccountSet({
    ...whose,
    generate_password: true,
  })
  await provisioning.sipAccountDelete(whose)
  seen.push(await provisioning.auditList({}))
  const refused = [
    { ...anna, password: 'short' },
    { ...anna, password: 'with a line\nend in it' },
    { ...anna, a1_hash: `${hashes[0]}00` },
    { ...anna, password, a1_hash: hashes[0] },
  ]
  for (const input of refused) {
    const error = await provisioning.sipAccountCreate(input).catch(error => error)
    t.match(error, { code: 'bad_input' })
    seen.push(error.message)
    t.notMatch(error.message, /short|with a line/)
  }
  const everything = JSON.stringify(seen)
  const secrets = [password, 'battery staple', ...hashes, generated_password!]
  for (const secret of secrets) t.notOk(everything.includes(secret), secret)
})

t.test('each change is on record, with who made it', async t => {
  const { provisioning } = await withBooks(t)
  await provisioning.sipAccountCreate({ ...anna, actor: 'one' })
  const by = { ...whose, actor: 'two' }
  await provisioning.sipAccountSet({ ...by, account: 'BOB', password: 'battery staple' })
  await provisioning.sipAccountSet({ ...by, account: 'BOB', enabled: true })
  await provisioning.sipAccountDelete({ ...whose, actor: 'three' })
  const subject = `sip-account anna@${DOMAIN}`
  const records = await provisioning.auditList({ subject })
  t.match(records, [
    { actor: 'three', action: 'sip-account.delete', before: { account: 'BOB' }, after: null },
    {
      actor: 'two',
      action: 'sip-account.set',
      before: { account: 'ALICE', password: null },
      after: { account: 'BOB', password: 'changed' },
    },
    { actor: 'one', action: 'sip-account.create', before: null, after: { account: 'ALICE' } },
  ])
  t.equal(records.length, 3, 'what changes nothing is not on record')
})

t.test('names that differ by case alone are one', async t => {
  const { provisioning, secretOf } = await withBooks(t)
  const made = await provisioning.sipAccountCreate({
    ...{ ...anna, user: 'Anna', domain: 'SIP.Example.COM', password: 'correct horse' },
  })
  t.match(made, { user: 'Anna', domain: DOMAIN })
  t.equal(await secretOf('ANNA'), md5(`Anna:${DOMAIN}:correct horse`))
  await t.rejects(provisioning.sipAccountCreate(anna), {
    code: 'sip_account_exists',
    message: `There is already a SIP account Anna@${DOMAIN}`,
  })
  await provisioning.sipAccountSet({ ...whose, domain: 'sip.EXAMPLE.com', password: 'new secret' })
  t.equal(await secretOf('anna'), md5(`Anna:${DOMAIN}:new secret`), 'as it was created')
  const elsewhere = { ...anna, domain: 'other.example.com' }
  t.match(await provisioning.sipAccountCreate(elsewhere), { user: 'anna' })
})

t.test('what is not there', async t => {
  const { provisioning, sipAccounts, told } = await withBooks(t)
  const absent = { code: 'unknown_sip_account', message: `There is no SIP account anna@${DOMAIN}` }
  await t.rejects(provisioning.sipAccountShow({ user: 'anna', domain: DOMAIN }), absent)
  await t.rejects(provisioning.sipAccountSet({ ...whose, enabled: true }), absent)
  await t.rejects(provisioning.sipAccountSet({ ...whose, password: 'battery staple' }), absent)
  await t.rejects(provisioning.sipAccountDelete(whose), absent)
  const noAccount = { code: 'unknown_account', message: 'There is no account EVE' }
  await t.rejects(provisioning.sipAccountCreate({ ...anna, account: 'EVE' }), noAccount)
  t.strictSame(told, [])
  await provisioning.sipAccountCreate(anna)
  await t.rejects(provisioning.sipAccountSet({ ...whose, account: 'EVE', name: 'x' }), noAccount)
  t.match(await provisioning.sipAccountShow({ user: 'anna', domain: DOMAIN }), { name: '' })
  t.strictSame(told, [`anna@${DOMAIN}`])
  await t.rejects(provisioning.sipAccountSet(whose), { code: 'bad_input', message: /^Nothing to/ })
  await t.rejects(exportDomain(sipAccounts, DIRECTORY, { domain: 'elsewhere.example.com' }), {
    code: 'unknown_sip_account',
    message: 'There are no enabled SIP accounts in elsewhere.example.com',
  })
})

t.test('what names may look like', async t => {
  const { provisioning } = await withBooks(t)
  const refuses = async (fields: object, message: RegExp) =>
    t.rejects(provisioning.sipAccountCreate({ ...anna, ...fields }), { code: 'bad_input', message })
  const users = ['1000', '+442079460000', 'a.b_c-d+e', 'x'.repeat(64)]
  const domains = ['localhost', '127.0.0.1', 'a-b.example', '::1', '[2001:db8::1]', '7.example']
  for (const user of users) {
    t.match(await provisioning.sipAccountCreate({ ...anna, user }), { user })
  }
  for (const domain of domains) {
    t.match(await provisioning.sipAccountCreate({ ...anna, domain }), { domain })
  }
  const badUsers = ['', '-x', '.x', 'a b', 'a@b', 'a"/><param', 'a&b', "a'b", 'a\nb', 'a\u0000']
  for (const user of [...badUsers, 'ü', '$x', '%', 'x'.repeat(65), 7, null, undefined]) {
    await refuses({ user }, /SIP user/)
  }
  const badDomains = ['', '-a.b', 'a..b', 'a.b.', 'a_b', 'a b', '1.2.3', '1.2.3.256', 'fe80::1%lo']
  for (const domain of [
    ...badDomains,
    '[::1',
    'a:5060',
    '"/>',
    'ü.de',
    `${'x'.repeat(64)}.de`,
    7,
  ]) {
    await refuses({ domain }, /SIP domain/)
  }
  await refuses({ domain: Array(70).fill('abc').join('.') }, /SIP domain/)
  for (const name of ['a"b', '<a', 'b>', 'a\\b', 'a$', '$$b', 'a\nb', 'x'.repeat(81)]) {
    await refuses({ name }, /^The name must/)
  }
  await refuses({ enabled: 'yes' }, /^Enabled must be true or false$/)
  await refuses({ password: 'é'.repeat(8) }, /^The password must have 8 to 128/)
  await refuses({ password: 'x'.repeat(129) }, /^The password must have 8 to 128/)
  await refuses({ a1_hash: 'x'.repeat(32) }, /^The a1-hash must be/)
  const both = /one of them$/
  await refuses({ password: 'long enough', a1_hash: md5('x') }, both)
  for (const secret of [{ password: 'long enough' }, { a1_hash: md5('x') }]) {
    const input = { ...whose, generate_password: true, ...secret }
    await t.rejects(provisioning.sipAccountSet(input), { code: 'bad_input', message: both })
  }
})

t.test('lists, a page at a time', async t => {
  const { provisioning } = await withBooks(t)
  for (const [user, domain, account, name] of [
    ['b', 'b.example', 'ALICE', 'Zoë'],
    ['a', 'b.example', 'BOB', ''],
    ['C', 'b.example', 'BOB', ''],
    ['z', 'a.example', 'BOB', ''],
  ]) {
    await provisioning.sipAccountCreate({ user, domain, account, name, actor })
  }
  const listed = async (filter: object) =>
    (await provisioning.sipAccountList(filter)).map(({ user, domain }) => `${user}@${domain}`)
  const all = ['z@a.example', 'a@b.example', 'b@b.example', 'C@b.example']
  t.strictSame(await listed({}), all)
  t.strictSame(await listed({ limit: 2 }), all.slice(0, 2))
  for (const [i, after] of all.entries()) t.strictSame(await listed({ after }), all.slice(i + 1))
  t.strictSame(await listed({ domain: 'B.example' }), all.slice(1))
  t.strictSame(await listed({ account: 'BOB' }), [all[0], all[1], all[3]])
  t.strictSame(await listed({ search: 'ZOË' }), ['b@b.example'])
  t.strictSame(await listed({ search: 'c' }), ['C@b.example'])
  await t.rejects(listed({ after: 'a@b@c' }), { code: 'bad_input', message: /like 1000@example/ })
  await t.rejects(listed({ after: 'b.example' }), { code: 'bad_input' })
})

t.test('a domain as static XML', async t => {
  const { provisioning, sipAccounts } = await withBooks(t)
  await provisioning.sipAccountCreate({ ...anna, password: 'correct horse', name: "O'Hara & Co" })
  await provisioning.sipAccountCreate({ ...anna, user: 'bob', account: 'BOB', a1_hash: md5('b') })
  await provisioning.sipAccountCreate({ ...anna, user: 'carl', enabled: false })
  await provisioning.sipAccountCreate({ ...anna, domain: 'other.example' })
  const xml = await exportDomain(sipAccounts, DIRECTORY, { domain: DOMAIN.toUpperCase() })
  const bad = exportDomain(sipAccounts, DIRECTORY, { domain: '"/>' })
  await t.rejects(bad, { code: 'bad_input' })
  t.match(xml, /^<\?xml version="1.0" encoding="UTF-8" standalone="no"\?>\n<include>\n {2}<domain /)
  const about = { domain: DOMAIN, cacheable: undefined }
  const common = { 'dial-string': DIRECTORY.dialString }
  t.strictSame(readInclude(xml), [
    {
      ...{ id: 'anna', ...about },
      params: { ...common, 'a1-hash': md5(`anna:${DOMAIN}:correct horse`) },
      variables: {
        ...{ user_context: 'default', ac: 'ALICE' },
        effective_caller_id_name: "O'Hara & Co",
      },
    },
    {
      ...{ id: 'bob', ...about },
      params: { ...common, 'a1-hash': md5('b') },
      variables: { user_context: 'default', ac: 'BOB' },
    },
  ])
})

t.test('on the command line', async t => {
  const dir = shortDir(t)
  const type = (line: string, setting = {}) => tollgate(dir, words(line), setting)
  await type('plan create retail')
  await type('account create ALICE --plan retail')
  const at = `--domain ${DOMAIN}`
  const made = await type(`sip-account create anna ${at} --account ALICE --name "Anna A"`)
  t.match(made, { code: 0, err: '', out: /password {2}\w{16} \(it is not shown again\)/ })
  const shown = await type(`sip-account show anna ${at}`)
  t.match(shown, {
    code: 0,
    out: /^user {5}anna\ndomain {3}sip.example.com\naccount {2}ALICE\nstate/,
  })
  t.notMatch(shown.out, /password/)
  const typed = `sip-account create bob ${at} --account ALICE --disabled --password -`
  t.match(await type(typed, { input: 'correct horse\r\n' }), { code: 0, out: /state +disabled/ })
  const hash = md5(`bob:${DOMAIN}:correct horse`)
  t.match(await type(`sip-account export ${at} --json`), { code: 1, err: /XML is no JSON/ })
  t.notOk((await type(`sip-account export ${at}`)).out.includes(hash), 'disabled')
  const json = JSON.parse((await type(`sip-account set bob ${at} --enable --json`)).out)
  t.match(json, { user: 'bob', enabled: true, generated_password: null, has_password: true })
  const { out: xml } = await type(`sip-account export ${at}`)
  t.strictSame(
    readInclude(xml).map(({ id, params }) => [id, params['a1-hash'] === hash]),
    [
      ['anna', false],
      ['bob', true],
    ],
  )
  t.ok(xml.endsWith('</include>\n'))
  t.match(await type('sip-account list --account ALICE'), {
    out: /^user {2}domain +account {2}state +name\nanna .* enabled +Anna A\nbob .* enabled\n$/,
  })
  const both = await type(`sip-account set bob ${at} --enable --disable`)
  t.match(both, { code: 2, err: /'--disable' cannot be used with option '--enable'/ })
  t.match(await type(`sip-account set bob ${at} --disable`), { code: 0, out: /state +disabled/ })
  const renewed = await type(`sip-account set bob ${at} --new-password`)
  t.match(renewed, { code: 0, out: /password {2}\w{16} / })
  const meant = await type(`sip-account set bob ${at} --account ALIEC`)
  t.match(meant, { code: 1, err: 'error: There is no account ALIEC; did you mean ALICE?\n' })

  const question = `Delete the SIP account bob@${DOMAIN} of ALICE?`
  const asked = await type(`sip-account delete bob ${at}`, { input: 'y\n' })
  t.match(asked, { code: 1, out: '', err: new RegExp(question.replace('?', '\\?')) })
  t.match(await type(`sip-account show bob ${at}`), { code: 0 })
  t.match(await type(`sip-account delete bob ${at} --yes`), { code: 0 })
  t.match(await type(`sip-account show bob ${at}`), {
    code: 1,
    err: /There is no SIP account bob@/,
  })
})

t.test('more of them than a page', async t => {
  const dir = shortDir(t)
  const books = openBooks(dir)
  await books.rates.planCreate({ name: 'retail', actor })
  await books.provisioning.accountCreate({ code: 'ALICE', plan: 'retail', actor })
  const users = Array.from({ length: 2_001 }, (_, i) => String(10_000 + i))
  const fresh = { ...anna, enabled: true, name: '', a1Hash: md5('x') }
  await Promise.all(users.map(user => books.sipAccounts.create({ ...fresh, user })))
  books.close()
  const { out } = await tollgate(dir, words('sip-account list --json'))
  const listed = (JSON.parse(out) as { user: string }[]).map(({ user }) => user)
  t.strictSame(listed, users)
  t.equal(
    JSON.parse((await tollgate(dir, words('sip-account list --json --limit 5'))).out).length,
    5,
  )
})

t.test('the settings', async t => {
  const check = (table: Record<string, unknown>) => checkConfig(table, {}, 'x.toml')
  const secret = 'x'.repeat(16)
  const nowhere = check({})
  t.equal(nowhere.freeswitchHttp, null)
  t.match(nowhere.directory, { context: 'default', dialString: /^\{.*\}\$\{sofia/, cacheS: 0 })
  const http = (listen: string) => check({ freeswitch_http: { listen, secret } })
  t.strictSame(http('127.0.0.1:8085').freeswitchHttp, { host: '127.0.0.1', port: 8085, secret })
  t.match(http('[::1]:80').freeswitchHttp, { host: '::1', port: 80 })
  const open = /who reads the network between FreeSWITCH and 10\.0\.0\.1/
  t.match(http('10.0.0.1:8085').warnings[1], open)
  for (const near of ['127.0.0.1:1', '[::1]:1', 'localhost:1'])
    t.equal(http(near).warnings.length, 1)
  for (const bad of [
    '8085',
    ':8085',
    '127.0.0.1',
    '127.0.0.1:',
    'a:65536',
    'a b:1',
    '::1:80',
    'a:-1',
  ]) {
    t.throws(
      () => http(bad),
      { message: /^x.toml: freeswitch_http.listen must be an address/ },
      bad,
    )
  }
  const short = { listen: '127.0.0.1:1', secret: 'x'.repeat(15) }
  t.throws(() => check({ freeswitch_http: short }), {
    message: 'x.toml: freeswitch_http.secret must have at least 16 characters',
  })
  for (const bad of ['with a blank in it', 'line\nend in the middle', 'é'.repeat(20)]) {
    const error = /^x.toml: freeswitch_http.secret must be letters, digits and signs of ASCII/
    t.throws(() => check({ freeswitch_http: { secret: bad } }), { message: error })
  }
  t.throws(() => check({ sip_accounts: { cache_s: 2001 } }), { message: /from 0 to 2000$/ })
  t.throws(() => check({ sip_accounts: { cach_s: 1 } }), { message: /did you mean cache_s\?/ })
  t.throws(() => check({ freeswitch_http: 7 }), {
    message: 'x.toml: freeswitch_http must be written as [freeswitch_http]',
  })
})

t.test('a user to forget goes into one command, or into none', async t => {
  t.equal(forgetUserCommand('+1.a_b-c', '[::1]'), 'api xml_flush_cache id +1.a_b-c [::1]')
  for (const [user, domain] of [
    ['a b', 'c'],
    ['a\n\nexit', 'c'],
    ['', 'c'],
    ['a', ''],
    ['a', 'b\r\n\r\nexit'],
    ['a', 'b c'],
  ]) {
    t.throws(() => forgetUserCommand(user!, domain!), { code: 'refused' })
  }
})

t.test('strangers are told of once a minute', async t => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: line => lines.push(JSON.parse(line)) })
  let now = 5
  const doorkeeper = new Doorkeeper('the secret', log, () => now)
  const right = basic('freeswitch', 'the secret')
  t.ok(doorkeeper.admits(right, '10.0.0.1'))
  t.notOk(doorkeeper.admits(`${right}A`, '10.0.0.1'))
  for (let i = 0; i < 100; i++) t.notOk(doorkeeper.admits(undefined, '10.0.0.2'))
  now += 60_000
  t.notOk(doorkeeper.admits(undefined, '10.0.0.3'))
  t.match(lines, [
    { from: '10.0.0.1', why: 'its secret is not ours', requests: 1 },
    { from: '10.0.0.3', why: 'it showed no secret', requests: 101 },
  ])
  t.equal(lines.length, 2)
})
