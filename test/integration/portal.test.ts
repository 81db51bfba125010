/**
 * The portal in a real Chromium, before the program as it is shipped: `tollgate run` in a process of
 * its own, with a simulated switch that places the calls.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { connectApi } from '../../src/http/client.js'
import { Dice } from '../../src/simulation/dice.js'
import { seriousFaults } from '../support/axe.js'
import { openBrowser } from '../support/browser.js'
import { type DaemonProcess, Program } from '../support/program.js'
import { recordOf } from '../support/records.js'
import { Site } from '../support/site.js'
import { s } from '../support/story.js'

const PASSWORD = 'correct horse battery'
const NASTY = `<img src=x onerror="document.title='owned'">'; DROP TABLE account; --`

const browser = await openBrowser()
if (typeof browser === 'string') {
  const loudly = `NO BROWSER STARTS HERE, SO THE PORTAL IS NOT TESTED: ${browser}`
  // Reporters keep quiet about what is skipped.
  process.stderr.write(`${loudly}\n`)
  t.plan(0, loudly)
} else {
  t.setTimeout(290_000)
  t.test('the portal', { timeout: 280_000 }, async t => {
    t.teardown(() => browser.close())
    const place = await openPlace(browser, t.testdir())
    t.teardown(() => place.close())
    await tests(t, place)
  })
}

interface Place {
  readonly site: Site
  readonly setUpLink: string
  readonly url: string
  /** A browser in which nobody has logged in. */
  context(options?: object): Promise<BrowserContext>
  close(): Promise<void>
}

async function openPlace(browser: Browser, dir: string): Promise<Place> {
  const site = new Site(join(dir, 'data'), new Dice(11))
  await site.open({}, { ALICE: '25', BOB: '5' })
  // What nobody saw is to be decided on before the tests are over.
  appendFileSync(join(site.dataDir, 'tollgate.toml'), '[cdr_repair]\ngrace_s = 10\n')
  const env = { ...process.env, TOLLGATE_WEB_LISTEN: '127.0.0.1:0' }
  const program = Program.built(join(dir, 'program'))
  const daemon: DaemonProcess = program.daemon(['--data', site.dataDir], { env })
  const { port } = await daemon.says('serving the web')
  const { link } = await daemon.says('nobody can log in yet: open the link within the hour')
  const url = `http://127.0.0.1:${port}`
  await writeUnseen(site)
  return {
    site,
    url,
    setUpLink: new URL(String(link)).pathname,
    async context(options) {
      const context = await browser.newContext({ baseURL: url, locale: 'en-GB', ...options })
      context.setDefaultTimeout(20_000)
      return context
    },
    async close() {
      await daemon.kill('SIGTERM')
      await site.close()
    },
  }
}

/** Three calls of 37 seconds that the events never told of, and a telephone. */
async function writeUnseen({ dataDir }: Site): Promise<void> {
  const api = (await connectApi(dataDir))!
  const ago = Date.now() / 1000 - s(0) / 1e6 - 3600
  for (const [uuid, ac] of Object.entries({ stays: 'ALICE', pays: 'BOB', tried: 'BOB' })) {
    const times = { created: ago, answered: ago + 3, ended: ago + 40 }
    const record = recordOf({ number: '442079460000', variables: { uuid, ac }, ...times })
    await api.recordImport({ record })
  }
  const password = 'not to be guessed'
  const sip = { user: '1000', domain: 'sip.test', account: 'ALICE', password, actor: 'test' }
  await api.sipAccountCreate(sip)
}

async function logIn(place: Place, name: string, options?: object): Promise<Page> {
  const page = await (await place.context(options)).newPage()
  await page.goto('/log-in')
  await page.fill('[name=name]', name)
  await page.fill('[name=password]', PASSWORD)
  await page.click('main button')
  return page
}

const amounts = (page: Page, selector: string) =>
  page.locator(selector).evaluateAll(all => all.map(one => one.getAttribute('value')))

async function tests(t: Test, place: Place): Promise<void> {
  await t.test('the first admin is made by the link of the log', async t => {
    const page = await (await place.context()).newPage()
    await page.goto(place.setUpLink)
    await page.fill('[name=name]', 'anna')
    await page.fill('[name=password]', PASSWORD)
    await page.fill('[name=again]', PASSWORD)
    await page.click('main button')
    await page.waitForURL('/')
    t.equal(await page.textContent('h1'), 'Dashboard')
    t.equal((await page.goto(place.setUpLink))?.status(), 410, 'the link is good once')
    await page.click('text=Log out')
    await page.fill('[name=name]', 'anna')
    await page.fill('[name=password]', 'wrong horse battery')
    await page.click('main button')
    t.match(await page.textContent('[role=alert]'), 'The name or the password is wrong')
    await page.fill('[name=name]', 'anna')
    await page.fill('[name=password]', PASSWORD)
    await page.click('main button')
    t.match(await page.textContent('.who'), /anna\s*Admin/)
  })
  const page = await logIn(place, 'anna')
  await t.test('a top-up is booked once, however often it is clicked', t => topUps(t, page))
  await t.test('the API tells what the dashboard draws', t => sameFigures(t, page))
  await t.test('what is typed is shown as text', t => nastyTexts(t, page))
  await t.test('a deck is looked at, then imported', t => decks(t, page))
  await t.test('a rate is edited in its row', t => rateEdits(t, page))
  await t.test('which rate, and why', t => quotes(t, page))
  await t.test('a live call counts up, and is ended', t => liveCalls(t, page, place))
  await t.test('an unseen call is charged, another is dismissed', t => unseen(t, page, place))
  await t.test('the PIN of a card', t => pins(t, page))
  await t.test('who may not, is not offered it, and is refused', t => roles(t, page, place))
  await t.test('an account holder sees his own account', t => holders(t, page, place))
  await t.test('axe finds nothing serious', t => axe(t, place))
}

async function topUps(t: Test, page: Page) {
  await page.goto('/accounts/ALICE')
  await page.fill('#top-up [name=amount]', '1e9')
  await page.click('#top-up button')
  t.match(await page.textContent('#top-up [role=alert]'), '"1e9" is not an amount')
  t.equal(await page.inputValue('#top-up [name=amount]'), '1e9', 'what was typed is still there')
  await page.fill('#top-up [name=amount]', '12.34')
  await page.dblclick('#top-up button')
  await page.waitForURL(/said=top_up/)
  const booked = await amounts(page, '[data-entries] .money')
  t.equal(booked.filter(amount => amount === '12.340000').length, 1)
  t.equal((await amounts(page, '.tile .value .money'))[0], '37.340000')
  // The same form again, as a browser without scripts would send it.
  const again = await page.evaluate(`(async () => {
    const form = document.querySelector('#top-up')
    const body = new URLSearchParams([...new FormData(form)])
    body.set('amount', '1')
    const send = () => fetch(form.action, { method: 'POST', body })
    return (await Promise.all([send(), send(), send()])).map(answer => answer.status)
  })()`)
  t.strictSame(again, [200, 200, 200])
  await page.goto('/accounts/ALICE')
  t.equal((await amounts(page, '.tile .value .money'))[0], '38.340000', 'and once more only once')
}

async function sameFigures(t: Test, page: Page) {
  await page.goto('/')
  const [toppedUp] = await amounts(page, '[data-tile=topped_up] .value .money')
  t.equal(toppedUp, '43.340000', 'with the credit that the accounts were opened with')
  const { points, steps } = (await page.evaluate(`(async () => {
    const ask = async path => (await fetch(path)).json()
    const { points, point_s } = await ask('/dashboard/figures?range=24h')
    const iso = seconds => new Date(seconds * 1000).toISOString()
    const times = 'from=' + iso(points[0].at) + '&to=' + iso(points.at(-1).at + point_s)
    return { points, steps: await ask('/api/v1/stats?' + times + '&step_s=' + point_s) }
  })()`)) as Record<'points' | 'steps', Record<string, unknown>[]>
  t.equal(points.length, 96)
  t.strictSame(
    points.map(({ taken, topped_up, refused, cut_off }) => [taken, topped_up, refused, cut_off]),
    steps.map(({ cost, top_ups, refused, cut_off }) => [cost, top_ups, refused, cut_off]),
  )
  await page.locator('[data-chart=topped_up] .u-over').hover()
  await page.locator('[data-reading=topped_up]', { hasText: /: \d+\.\d\d$/ }).waitFor()
}

async function nastyTexts(t: Test, page: Page) {
  await page.goto('/accounts/new')
  await page.fill('[name=code]', 'NASTY')
  await page.fill('[name=name]', NASTY)
  await page.fill('[name=notes]', `${NASTY}\nand more`)
  await page.click('main .form button.main')
  await page.waitForURL(/said=account_created/)
  t.equal(await page.textContent('h1'), NASTY)
  t.match(await page.textContent('.notes'), NASTY)
  await page.goto(`/accounts?${new URLSearchParams({ search: NASTY })}`)
  t.equal(await page.inputValue('[name=search]'), NASTY)
  t.match(await page.textContent('tbody'), NASTY)
  await page.goto('/audit')
  t.match(await page.textContent('tbody'), '<img')
  t.not(await page.title(), 'owned')
  t.equal(await page.locator('img').count(), 0)
  for (const path of [
    '/accounts',
    '/rates/retail',
    '/calls',
    '/sip-accounts',
    '/users',
    '/audit',
  ]) {
    const nasty = new URLSearchParams({
      search: NASTY,
      account: NASTY,
      number: NASTY,
      actor: NASTY,
    })
    const answer = await page.goto(`${path}?${nasty}&order=${NASTY}&after=${NASTY}&said=${NASTY}`)
    t.ok([200, 400].includes(answer!.status()), `${path}: ${answer!.status()}`)
  }
}

async function decks(t: Test, page: Page) {
  await page.goto('/rates/retail/import')
  const deck = (text: string) => ({
    ...{ name: 'deck.csv', mimeType: 'text/csv' },
    buffer: Buffer.from(`prefix,description,per_minute,minimum,increment\n${text}`),
  })
  await page.setInputFiles('[data-deck-file]', deck('49,Germany,NaN,1,1\n44,UK,0.7,1,1\n'))
  await page.locator('[data-deck-bad]:not([hidden])').waitFor()
  t.match(await page.textContent('[data-deck-problem]'), '1 line is bad')
  await page.setInputFiles('[data-deck-file]', deck('49,Germany,0.05,60,1\n44,UK,0.7,1,1\n'))
  await page.locator('[data-deck-result]:not([hidden])').waitFor()
  t.equal(await page.textContent('[data-deck-count=added]'), '1')
  t.equal(await page.textContent('[data-deck-count=dearer]'), '1')
  t.match(
    await page.textContent('[data-deck-result] tbody'),
    /44\s*UK\s*dearer\s*0.60\s*0.70\s*\+0.10 \(16.7 %\)/,
  )
  const before = await page.context().newPage()
  await before.goto('/rates/retail?search=49')
  t.match(await before.textContent('main'), 'No rate is like that', 'nothing is imported yet')
  await page.click('[data-deck-apply]')
  await page.locator('text=Imported: 2 rates').waitFor()
  await before.reload()
  t.match(await before.textContent('tbody'), 'Germany')
  await before.close()
}

async function rateEdits(t: Test, page: Page) {
  await page.goto('/rates/retail?search=49')
  await page.click('tbody >> text=Edit')
  await page.fill('#edit [name=per_minute]', '-1')
  await page.click('#edit button.main')
  t.match(await page.textContent('#edit [role=alert]'), 'must not be negative')
  await page.fill('#edit [name=per_minute]', '0.06')
  await page.click('#edit button.main')
  await page.waitForURL(/said=rate_saved/)
  t.strictSame((await amounts(page, 'tbody .money'))[0], '0.060000')
}

async function quotes(t: Test, page: Page) {
  await page.goto('/rates')
  await page.fill('[name=number]', '+44 20 7946 0000')
  await page.fill('[name=account]', 'ALICE')
  await page.fill('[name=seconds]', '61')
  await page.click('text=Ask')
  // A click does not wait for the page that it leads to.
  await page.waitForURL(/number=%2B44/)
  t.equal((await amounts(page, '[data-quote] h2 .money'))[0], '0.711667')
  t.match(
    await page.textContent('.steps'),
    '44 is the longest prefix that 442079460000 begins with',
  )
  await page.fill('[name=number]', '999')
  await page.click('text=Ask')
  await page.waitForURL(/number=999/)
  t.match(await page.textContent('[data-quote]'), 'The plan retail has no rate for 999')
}

async function liveCalls(t: Test, page: Page, { site }: Place) {
  await page.goto('/live')
  await page.locator('text=No live calls').waitFor()
  const kept = site.call('ALICE', null)
  const ended = site.call('BOB', null)
  const row = page.locator('tr', { hasText: 'BOB' })
  const cost = row.locator('[data-cell=cost]')
  await row.locator('text=answered').waitFor()
  const first = await cost.textContent()
  await row.locator(`[data-cell=cost]:not(:text-is("${first}"))`).waitFor()
  t.match(await row.locator('[data-cell=held]').textContent(), /^\d+\.\d{6}$/)
  await row.locator('[data-kill]').click()
  t.match(await page.textContent('#confirm-text'), 'End the call of BOB to 442079460000?')
  await page.keyboard.press('Escape')
  t.ok(site.freeswitch.legs().includes(ended), 'who does not confirm ends nothing')
  await row.locator('[data-kill]').click()
  await page.click('#confirm [value=yes]')
  await row.waitFor({ state: 'detached' })
  t.notOk(site.freeswitch.legs().includes(ended))
  t.ok(site.freeswitch.legs().includes(kept), 'the other call goes on')
  await page.goto('/calls')
  await page.click('tbody a[href^="/calls/"]')
  const story = (await page.textContent('.timeline'))!
  const told = ['Created', 'Held', 'Answered', 'Told to end', 'by user:anna', 'killed', 'Settled']
  for (const part of told) {
    t.match(story, part)
  }
  site.freeswitch.hangUp(kept)
}

async function unseen(t: Test, page: Page, place: Place) {
  const home = page.locator('.notice:has-text("3 calls that nobody saw wait")')
  while ((await page.goto('/')) && (await home.count()) === 0) await page.waitForTimeout(500)
  await page.click('main >> text=3 calls that nobody saw')
  await page.waitForURL('/unseen-calls')
  t.equal(await page.textContent('h1'), 'Unseen calls')
  const row = page.locator('tr:has(a[href="/unseen-calls/pays"])')
  t.match(await row.textContent(), /442079460000\s*BOB\s*0:37\s*pbx\s*0\.431667/)
  await row.locator('button').click()
  t.match(await page.textContent('#confirm-text'), 'Charge BOB for 37.000000 s to 442079460000?')
  await page.keyboard.press('Escape')
  await page.reload()
  t.equal(await row.count(), 1, 'who does not confirm charges nothing')
  // By the keyboard alone.
  await row.locator('button').focus()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForURL(/said=unseen_charged$/)
  t.match(await page.textContent('.notice'), 'The call is charged.')
  await page.click('tr:has(a[href="/unseen-calls/tried"]) >> text=Dismiss')
  await page.click('#dismiss button')
  t.notOk(await page.isVisible('#confirm'), 'nothing is dismissed without a reason')
  await page.fill('#dismiss [name=reason]', NASTY)
  await page.click('#dismiss button')
  await page.click('#confirm [value=yes]')
  await page.waitForURL(/said=unseen_dismissed$/)
  t.equal(await page.locator('tbody tr').count(), 1)
  await page.goto('/unseen-calls?state=dismissed')
  t.match(await page.textContent('tbody'), NASTY)
  await page.goto('/calls/pays')
  t.match(await page.textContent('main'), 'user:anna')
  t.equal((await amounts(page, '.facts .money'))[2], '0.431667', 'the price that was shown')
  const phone = await logIn(place, 'anna', { viewport: { width: 390, height: 780 } })
  await phone.waitForURL('/')
  for (const path of ['/unseen-calls', '/unseen-calls/stays', '/unseen-calls?state=dismissed']) {
    await phone.goto(path)
    const tooWide = await phone.evaluate('document.documentElement.scrollWidth - innerWidth')
    t.equal(tooWide, 0, `${path} on a telephone`)
  }
  await phone.context().close()
}

async function pins(t: Test, page: Page) {
  await page.goto('/accounts/ALICE')
  await page.click('text=Set a PIN')
  await page.fill('#pin [name=pin]', '12x')
  await page.click('#pin button')
  t.match(await page.textContent('#pin [role=alert]'), 'A PIN must have 4 to 12 digits')
  await page.fill('#pin [name=pin]', '')
  await page.click('#pin button')
  t.match(await page.textContent('#secret'), /^\d{6}$/)
  await page.click('text=Take the PIN away')
  await page.click('#confirm [value=yes]')
  await page.waitForURL(/said=pin_deleted/)
  t.match(await page.textContent('main'), 'It has no PIN')
}

/** Makes a user through the pages, and lets him choose his password by the link. */
async function invite(page: Page, place: Place, name: string, role: string, account = '') {
  await page.goto('/users')
  await page.click('text=New user')
  await page.fill('#main form:has([name=account]) [name=name]', name)
  await page.selectOption('[name=role] >> nth=0', role)
  await page.fill('[name=account]', account)
  await page.click('text=Make the user')
  const link = (await page.textContent('#secret'))!
  const guest = await (await place.context()).newPage()
  await guest.goto(new URL(link).pathname)
  await guest.fill('[name=password]', PASSWORD)
  await guest.fill('[name=again]', PASSWORD)
  await guest.click('main button')
  return guest
}

const MAY_NOT = [
  ['/accounts/ALICE/top-ups', { amount: '1', reference: 'x' }],
  ['/accounts/ALICE/close', {}],
  ['/accounts/ALICE/edit', { name: 'x', plan: 'retail' }],
  ['/live/some-call/kill', {}],
  ['/accounts/ALICE/pin', { pin: '2468' }],
  ['/unseen-calls/stays/charge', {}],
  ['/unseen-calls/stays/dismiss', { reason: 'x' }],
  ['/rates/retail/set', { key: '49', per_minute: '0' }],
  ['/users', { name: 'eve', role: 'admin' }],
  ['/tokens', { name: 'eve', role: 'admin' }],
] as const

/** What the server says to a form that was never shown. */
function send(page: Page, path: string, fields: object, withToken = true): Promise<number> {
  return page.evaluate<number>(`(async () => {
    const body = new URLSearchParams(${JSON.stringify(fields)})
    const csrf = document.querySelector('meta[name=csrf]').content
    if (${withToken}) body.set('csrf', csrf)
    return (await fetch(${JSON.stringify(path)}, { method: 'POST', body })).status
  })()`)
}

async function roles(t: Test, page: Page, place: Place) {
  const reader = await invite(page, place, 'rita', 'read_only')
  t.notMatch(await reader.textContent('.menu'), 'Users and tokens')
  await reader.goto('/accounts/ALICE')
  t.equal(await reader.locator('main form').count(), 0, 'nothing to change an account with')
  await reader.goto('/rates/retail')
  t.equal(await reader.locator('main form[method=post]').count(), 0)
  t.equal((await reader.goto('/users'))?.status(), 403)
  await reader.goto('/')
  for (const [path, fields] of MAY_NOT) t.equal(await send(reader, path, fields), 403, path)
  const entry = { amount: '1', reference: 'forged' }
  const forged = await send(page, '/accounts/ALICE/top-ups', entry, false)
  t.equal(forged, 403, 'nor does an admin without the token of his session')
}

async function holders(t: Test, page: Page, place: Place) {
  const holder = await invite(page, place, 'alice', 'account_holder', 'ALICE')
  await holder.waitForURL('/own')
  t.equal((await amounts(holder, '.tile .value .money'))[0]?.slice(0, 3), '38.')
  await holder.goto('/own/rates?number=442079460000')
  t.match(await holder.textContent('[data-quote]'), 'It would cost')
  t.notMatch(await holder.textContent('main'), /carrier|margin|retail/i)
  await holder.goto('/own/calls')
  t.equal(await holder.locator('tbody tr').count(), 1, 'his own call, and not that of BOB')
  for (const path of [
    '/accounts',
    '/accounts/ALICE',
    '/accounts/BOB',
    '/live',
    '/calls',
    '/calls/pays',
    '/unseen-calls',
    '/unseen-calls/stays',
    '/audit',
  ]) {
    t.equal((await holder.goto(path))?.status(), 403, path)
  }
  await holder.goto('/own')
  for (const [path, fields] of MAY_NOT) t.equal(await send(holder, path, fields), 403, path)
  t.equal((await page.goto('/own'))?.status(), 403, 'an operator has no account of his own')
}

const PATHS = [
  ...['/', '/accounts', '/accounts/new', '/accounts/ALICE', '/accounts/ALICE/statement'],
  ...['/accounts/ALICE/edit', '/accounts/ALICE/calls?from=', '/rates', '/rates/retail'],
  ...['/rates/retail?edit=49', '/rates/retail/terms'],
  ...['/rates/retail/import', '/quote?number=442079460000&plan=retail', '/live', '/calls'],
  ...['/calls/pays', '/unseen-calls', '/unseen-calls/stays', '/unseen-calls/tried'],
  ...['/unseen-calls?state=charged', '/sip-accounts', '/sip-accounts/sip.test/1000', '/switches'],
  ...['/users', '/users/anna', '/audit', '/password'],
]

const OWN_PATHS = ['/own', '/own/rates', '/own/rates?number=442079460000', '/own/calls']

async function axe(t: Test, place: Place) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [name, first, paths] of [
      ['anna', '/', PATHS],
      ['alice', '/own', OWN_PATHS],
    ] as const) {
      const page = await logIn(place, name, { colorScheme })
      await page.waitForURL(first)
      for (const path of paths) {
        const answer = await page.goto(path)
        t.equal(answer?.status(), 200, path)
        // What is folded away is looked at as well.
        await page.evaluate(
          'document.querySelectorAll("details").forEach(one => (one.open = true))',
        )
        t.strictSame(await seriousFaults(page), [], `${path} in ${colorScheme}`)
      }
      await page.context().close()
    }
    const outside = await (await place.context({ colorScheme })).newPage()
    await outside.goto('/log-in')
    t.strictSame(await seriousFaults(outside), [], `log-in in ${colorScheme}`)
    await outside.context().close()
  }
}
