/** The pages of unseen calls and of calling cards, asked by inject() on real books. */
import t, { type Test } from 'tap'
import { recordOf } from '../support/records.js'
import { s } from '../support/story.js'
import { type Answer, type As, webOn } from '../support/web.js'

// Passwords are slow to hash, on purpose.
t.setTimeout(240_000)

type Web = Awaited<ReturnType<typeof webOn>>

const PAGE = '/unseen-calls'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/** 0.6 a minute, by the second. */
async function withRates(t: Test): Promise<Web> {
  const web = await webOn(t)
  const actor = 'test'
  const { rates, ledger } = web.services
  await rates.planCreate({ name: 'retail', actor })
  const steps = { minimum: '1', increment: '1' }
  await rates.rateAdd({ plan: 'retail', prefix: '44', per_minute: '0.6', ...steps, actor })
  for (const [code, credit] of [
    ['ALICE', '5'],
    ['BOB', '0.25'],
  ]) {
    await ledger.accountCreate({ code, plan: 'retail', credit, actor })
  }
  return web
}

/** Of the switch's clock, in seconds as in story.ts. */
const AN_HOUR_AGO = Date.now() / 1000 - s(0) / 1e6 - 3600

/** A call of an hour ago, which talked for 37 seconds and lasted `laterS` longer. */
function unseen(web: Web, uuid: string, ac: string | null, laterS = 0, number = '442079460000') {
  const ago = AN_HOUR_AGO + laterS
  const variables = { uuid, ac }
  const times = { created: ago, answered: ago + 3, ended: ago + 40 }
  const record = recordOf({ variables, number, ...times })
  return web.books.provisioning.recordImport({ record })
}

function send(web: Web, as: As, path: string, fields: Record<string, string> = {}) {
  return web.ask(as, 'POST', path, new URLSearchParams(fields).toString(), FORM)
}

const rowsOf = ({ text }: Answer) => [...text.matchAll(/<tr>(.*?)<\/tr>/gs)].length - 1
const alertOf = ({ text }: Answer) => /role="alert">([^<]*)</.exec(text)?.[1]
const balanceOf = async (web: Web, code: string) =>
  (await web.books.provisioning.accountShow({ code })).balance

t.test('an unseen call is seen, priced, and charged once', async t => {
  const web = await withRates(t)
  const olga = await web.user('olga', 'operator')
  t.notMatch((await web.ask(olga, 'GET', '/')).text, /nobody saw/)
  await unseen(web, 'call-1', 'ALICE')
  await unseen(web, 'call-2', 'BOB')
  const home = (await web.ask(olga, 'GET', '/')).text
  t.match(home, '<a href="/unseen-calls">2 calls that nobody saw</a> wait to be')
  const list = await web.ask(olga, 'GET', PAGE)
  t.equal(rowsOf(list), 2)
  t.match(list.text, 'To be decided (2)')
  t.match(list.text, 'Charge ALICE for 37.000000 s to 442079460000?', 'which is asked first')
  t.equal(list.text.split('value="0.370000"').length, 3, 'what each would cost')
  t.match(list.text, '0:37')
  const one = await web.ask(olga, 'GET', `${PAGE}/call-2`)
  for (const part of ['value="0.370000"', 'value="0.250000"', 'NORMAL_CLEARING', 'pbx']) {
    t.match(one.text, part)
  }

  const charge = () => send(web, olga, `${PAGE}/call-1/charge`, { reason: 'was down' })
  const clicks = await Promise.all([charge(), charge(), charge()])
  clicks.push(await charge())
  for (const { status, headers } of clicks) {
    t.match({ status, to: headers['location'] }, { status: 303, to: `${PAGE}?said=unseen_charged` })
  }
  t.equal(await balanceOf(web, 'ALICE'), '4.630000', 'once')
  for (const click of ['one', 'another']) {
    const { headers } = await send(web, olga, `${PAGE}/call-2/charge`)
    t.equal(headers['location'], `${PAGE}?said=unseen_charged_in_part`, click)
  }
  t.equal(await balanceOf(web, 'BOB'), '0.000000', 'and the rest is written off')
  const audit = await web.books.provisioning.auditList({ actor: 'user:olga' })
  t.match(audit, [
    { action: 'cdr.charge', subject: 'call call-2', after: { price: '0.370000' } },
    { action: 'cdr.charge', subject: 'call call-1', after: { reason: 'was down' } },
  ])
  t.equal(audit.length, 2)
  t.equal(rowsOf(await web.ask(olga, 'GET', `${PAGE}?state=charged`)), 2)
  const charged = await web.ask(olga, 'GET', `${PAGE}/call-1`)
  t.match(charged.text, 'href="/calls/call-1"')
  t.match(charged.text, 'user:olga')
  t.notMatch(charged.text, 'action="/unseen-calls/')
  t.notMatch((await web.ask(olga, 'GET', '/')).text, /nobody saw/)
  const story = (await web.ask(olga, 'GET', '/calls/call-1')).text
  const titles = [...story.matchAll(/<div class="what"><strong>([^<]*)</g)].map(
    ([, title]) => title,
  )
  t.strictSame(titles, ['Created', 'Answered', 'Hung up', 'Charged', 'Settled'])
})

t.test('a call is dismissed for a reason, and what others have decided stays', async t => {
  const web = await withRates(t)
  const olga = await web.user('olga', 'operator')
  const otto = await web.user('otto', 'operator')
  for (const call of ['call-1', 'call-2']) await unseen(web, call, 'ALICE')
  const path = `${PAGE}/call-1`
  for (const reason of ['', ' ']) {
    const refused = await send(web, olga, `${path}/dismiss`, { reason })
    t.match(refused, { status: 400, text: /<form[^>]*id="dismiss"/ })
    t.match(alertOf(refused), /^The reason/)
  }
  const long = await send(web, olga, `${path}/dismiss`, { reason: `<b>${'x'.repeat(500)}` })
  t.match(alertOf(long), 'The reason must be text of at most 500 characters')
  t.match(long.text, 'value="&lt;b&gt;xxx', 'what was typed is still there')
  const dismissal = { reason: 'a <b>test</b>' }
  const said = { status: 303, headers: { location: `${PAGE}?said=unseen_dismissed` } }
  t.match(await send(web, olga, `${path}/dismiss`, dismissal), said)
  t.match(await send(web, olga, `${path}/dismiss`, dismissal), said, 'another click')

  const late = { charged: await send(web, otto, `${path}/charge`), dismissed: {} as Answer }
  late.dismissed = await send(web, otto, `${path}/dismiss`, dismissal)
  for (const answer of Object.values(late)) {
    t.equal(answer.status, 409)
    t.equal(alertOf(answer), 'The call call-1 has been dismissed already, by user:olga')
    t.match(answer.text, 'a &lt;b&gt;test&lt;/b&gt;')
    t.equal(answer.text.split('role="alert"').length, 2, 'one sentence')
  }
  t.match(await send(web, olga, `${path}/charge`), { status: 409 }, 'nor does she herself')
  const other = await send(web, olga, `${path}/dismiss`, { reason: 'another' })
  t.equal(other.status, 409, 'nor for another reason')
  t.equal(await balanceOf(web, 'ALICE'), '5.000000')
  t.match(await web.ask(olga, 'GET', '/calls/call-1'), { status: 303, headers: { location: path } })
  t.match(await send(web, olga, `${PAGE}/call-2/charge`, { account: 'ALICE' }), {
    headers: { location: `${PAGE}?account=ALICE&said=unseen_charged` },
  })
})

t.test('what cannot be charged says why', async t => {
  const web = await withRates(t)
  const olga = await web.user('olga', 'operator')
  await unseen(web, 'nobodys', 'GHOST')
  await unseen(web, 'closed', 'BOB')
  await web.books.provisioning.accountClose({ code: 'BOB', actor: 'test' })
  const ghost = await web.ask(olga, 'GET', `${PAGE}/nobodys`)
  t.match(ghost.text, 'There is no account GHOST')
  t.match((await web.ask(olga, 'GET', PAGE)).text, 'unknown account')
  const refused = await send(web, olga, `${PAGE}/nobodys/charge`, { reason: 'fair' })
  t.match(refused, { status: 404, text: /<form[^>]*id="charge"/ })
  t.match(alertOf(refused), 'The call nobodys cannot be charged: there is no account GHOST')
  t.match(refused.text, 'value="fair"')
  const closed = await send(web, olga, `${PAGE}/closed/charge`)
  t.equal(closed.status, 409)
  t.match(alertOf(closed), 'BOB is not active; reopen it first')
  await unseen(web, 'numberless', 'ALICE', 0, '')
  const numberless = await web.ask(olga, 'GET', `${PAGE}/numberless`)
  t.match(numberless.text, '<h1>no number</h1>')
  t.match(numberless.text, 'malformed number')
  // Its A-leg has not told yet who pays.
  await unseen(web, 'early', null)
  const waiting = await web.ask(olga, 'GET', `${PAGE}?state=waiting`)
  t.equal(rowsOf(waiting), 1)
  t.match(waiting.text, 'not known yet')
  t.notMatch(waiting.text, '/charge"')
  t.notMatch((await web.ask(olga, 'GET', `${PAGE}/early`)).text, 'action="/unseen-calls/')
  t.match(alertOf(await send(web, olga, `${PAGE}/early/charge`)), 'it waits for its A-leg')
  t.match(await web.ask(olga, 'GET', `${PAGE}?account=CAROL`), { text: /None of this account/ })
  t.match(await web.ask(olga, 'GET', `${PAGE}/nowhere`), { status: 404 })
  t.match(await send(web, olga, `${PAGE}/nowhere/charge`), { status: 404 })
})

t.test('the list goes page by page, and of one account', async t => {
  const web = await withRates(t)
  const olga = await web.user('olga', 'operator')
  // Several end at the same time.
  for (let i = 0; i < 60; i++) {
    await unseen(web, `call-${i}`, i % 6 ? 'ALICE' : 'BOB', Math.floor(i / 4))
  }
  const linked = (text: string) => [...text.matchAll(/href="\/unseen-calls\/(call-\d+)"/g)]
  const first = await web.ask(olga, 'GET', PAGE)
  const next = /href="([^"]+)" rel="next"/.exec(first.text)![1]!.replaceAll('&amp;', '&')
  const second = await web.ask(olga, 'GET', next)
  t.match(second.text, 'First page')
  const ids = [...linked(first.text), ...linked(second.text)].map(([, id]) => id)
  t.equal(ids.length, 60)
  t.equal(new Set(ids).size, 60)
  const bobs = await web.ask(olga, 'GET', `${PAGE}?account=BOB`)
  t.equal(linked(bobs.text).length, 10)
  t.match(bobs.text, 'name="account" value="BOB"', 'and one comes back to them')
  for (const query of ['account=%3Cb%3E', 'after=nonsense']) {
    t.match(await web.ask(olga, 'GET', `${PAGE}?${query}`), { status: 400, text: /role="alert"/ })
  }
  const token = await web.token('read_only')
  const pages: unknown[][] = []
  for (let url: unknown = '/api/v1/unseen-calls?limit=25'; typeof url === 'string'; ) {
    const { json } = await web.ask(token, 'GET', url)
    pages.push(json['items'] as unknown[])
    url = json['next']
  }
  t.strictSame(
    pages.map(({ length }) => length),
    [25, 25, 10],
    'as the API goes',
  )
  t.equal(new Set(pages.flat().map(call => (call as { call_id: string }).call_id)).size, 60)
})

t.test('who may decide, and set PINs', async t => {
  const web = await withRates(t)
  await unseen(web, 'call-1', 'ALICE')
  const rita = await web.user('rita', 'read_only')
  const alice = await web.user('alice', 'account_holder', 'ALICE')
  const pages = [PAGE, `${PAGE}/call-1`, '/accounts/ALICE']
  for (const path of pages) {
    const { status, text } = await web.ask(rita, 'GET', path)
    t.equal(status, 200, `${path} is looked at`)
    t.notMatch(text, /action="\/(unseen-calls|accounts)\/[^"]+" /, `${path} offers nothing`)
    t.match(await web.ask(alice, 'GET', path), { status: 403 }, `${path} is not for customers`)
  }
  const changes = [
    `${PAGE}/call-1/charge`,
    `${PAGE}/call-1/dismiss`,
    '/accounts/ALICE/pin',
    '/accounts/ALICE/pin/delete',
  ]
  const olga = await web.user('olga', 'operator')
  const { cookie } = olga
  for (const path of changes) {
    for (const who of [rita, alice]) {
      t.match(await send(web, who, path, { reason: 'x', pin: '2468' }), { status: 403 }, path)
    }
    const forged = await send(web, { cookie: cookie! }, path, { reason: 'x', pin: '2468' })
    t.equal(forged.status, 403, `${path} without the token of the session`)
  }
  t.equal(rowsOf(await web.ask(olga, 'GET', PAGE)), 1, 'nothing is decided')
  t.notOk(await web.services.cards.hasPin('ALICE'))
})

t.test('the PIN of a calling card', async t => {
  const web = await withRates(t)
  const olga = await web.user('olga', 'operator')
  // The audit is in the order of two clocks: of the ledger, and of web.db.
  web.clock.us = Date.now() * 1000
  const path = '/accounts/ALICE/pin'
  const says = async () => (await web.ask(olga, 'GET', '/accounts/ALICE')).text
  const isRight = async (pin: string) =>
    ((await web.services.cards.verify({ code: 'ALICE', pin })) as { valid: boolean }).valid
  t.match(await says(), 'It has no PIN')
  t.notMatch(await says(), '/pin/delete')
  const refused = await send(web, olga, path, { pin: '12x' })
  t.equal(refused.status, 400)
  t.equal(alertOf(refused), 'A PIN must have 4 to 12 digits')
  t.notMatch(refused.text, '12x', 'not even this is shown')
  t.match(await send(web, olga, path, { pin: '2468' }), {
    status: 303,
    headers: { location: '/accounts/ALICE?said=pin_set' },
  })
  t.ok(await isRight('2468'))
  t.match(await says(), 'It has a PIN')
  t.notMatch(await says(), '2468')
  const made = await send(web, olga, path)
  const pin = /<code id="secret">(\d{6})</.exec(made.text)![1]!
  t.ok(await isRight(pin), 'one that was made is shown this once')
  t.notOk(await isRight('2468'))
  t.notMatch(await says(), pin)
  t.match(await send(web, olga, `${path}/delete`), {
    headers: { location: '/accounts/ALICE?said=pin_deleted' },
  })
  t.notOk(await isRight(pin))
  t.match(await says(), 'It has no PIN')
  t.match(await send(web, olga, '/accounts/GHOST/pin'), { status: 404 })
  const audit = await web.services.ledger.auditList({ subject: 'account ALICE', limit: 3 })
  t.match(audit, [
    { action: 'pin.delete', actor: 'user:olga', before: null, after: null },
    { action: 'pin.set', actor: 'user:olga' },
    { action: 'pin.set', actor: 'user:olga', after: null },
  ])
  t.notMatch(web.lines.join(''), pin, 'nor does the log tell it')
})
