/**
 * Takes the pictures of the portal that are in docs/: every page, at the width of a desk and of a
 * telephone, some of them in the dark. `npm run screenshots`; names of pages as arguments take only those.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import { openBrowser } from '../support/browser.js'
import { carrierDeck } from './demo-rates.js'
import { type DemoSite, openDemoSite, PASSWORD_OF_ALL } from './demo-site.js'

const FOLDER = join(import.meta.dirname, '../../docs/screenshots')
const SIZES = { desk: { width: 1280, height: 720 }, phone: { width: 390, height: 780 } }

interface Picture {
  readonly name: string
  readonly path: string | ((page: Page) => Promise<string>)
  readonly user?: string
  readonly dark?: boolean
  /** Of the desk, where it is not the usual one. */
  readonly height?: number
  /** What is done before it is taken. */
  readonly before?: (page: Page) => Promise<unknown>
}

const callOf = (outcome: string) => async (page: Page) => {
  await page.goto(`/calls?outcome=${outcome}&from=`)
  return (await page.locator('tbody a[href^="/calls/"]').first().getAttribute('href'))!
}

const firstUnseen = async (page: Page) => {
  await page.goto('/unseen-calls')
  return (await page.locator('tbody a[href^="/unseen-calls/"]').first().getAttribute('href'))!
}

const drawn = (page: Page) => page.locator('.u-over').nth(4).waitFor({ state: 'attached' })

const liveCalls = (page: Page) => page.locator('tbody tr').nth(3).waitFor()

async function importDeck(page: Page): Promise<void> {
  const deck = {
    name: 'carrier-december.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(carrierDeck()),
  }
  await page.selectOption('#deck-mode', 'replace')
  await page.setInputFiles('[data-deck-file]', deck)
  await page.locator('[data-deck-result]:not([hidden])').waitFor()
  await page.locator('[data-deck-confirm]').scrollIntoViewIfNeeded()
  await page.mouse.move(600, 400)
  await page.mouse.wheel(0, 260)
}

const PICTURES: readonly Picture[] = [
  { name: 'log-in', path: '/log-in', user: '' },
  { name: 'dashboard', path: '/?range=24h', before: drawn },
  { name: 'dashboard-dark', path: '/?range=7d', dark: true, before: drawn },
  { name: 'accounts', path: '/accounts?order=balance&way=down' },
  { name: 'account', path: '/accounts/EASTGATE', before: liveCalls },
  { name: 'account-edit', path: '/accounts/AURORA/edit' },
  { name: 'statement', path: '/accounts/MERIDIAN/statement', height: 520 },
  { name: 'rates', path: '/rates' },
  { name: 'plan', path: '/rates/retail?search=44' },
  { name: 'plan-edit', path: '/rates/retail?search=33&edit=336' },
  { name: 'plan-terms', path: '/rates/retail/terms' },
  { name: 'quote', path: '/quote?number=02079460958&account=CEDAR&seconds=125' },
  { name: 'deck', path: '/rates/carrier/import', before: importDeck },
  { name: 'live', path: '/live', before: liveCalls },
  { name: 'live-dark', path: '/live', dark: true, before: liveCalls },
  { name: 'calls', path: '/calls', height: 640 },
  { name: 'call', path: callOf('cut_off') },
  { name: 'unseen-calls', path: '/unseen-calls', height: 520 },
  { name: 'unseen-call', path: firstUnseen },
  { name: 'sip-accounts', path: '/sip-accounts', height: 640 },
  { name: 'switches', path: '/switches' },
  { name: 'users', path: '/users' },
  { name: 'audit', path: '/audit' },
  { name: 'own', path: '/own', user: 'aurora' },
]

async function pageFor(
  browser: Browser,
  site: DemoSite,
  picture: Picture,
  size: keyof typeof SIZES,
) {
  const { height } = picture
  const context = await browser.newContext({
    baseURL: site.url,
    viewport: { ...SIZES[size], ...(size === 'desk' && height && { height }) },
    locale: 'en-GB',
    timezoneId: 'Europe/London',
    colorScheme: picture.dark ? 'dark' : 'light',
  })
  const page = await context.newPage()
  page.on('pageerror', error => process.stdout.write(`${picture.name}: ${error.message}\n`))
  page.on('response', answer => {
    if (answer.status() >= 400) process.stdout.write(`${answer.status()} ${answer.url()}\n`)
  })
  const { user = 'maria' } = picture
  if (user !== '') {
    await page.goto('/log-in')
    await page.fill('[name=name]', user)
    await page.fill('[name=password]', PASSWORD_OF_ALL)
    await page.click('button:has-text("Log in")')
    await page.waitForURL(url => url.pathname !== '/log-in')
  }
  return page
}

async function take(browser: Browser, site: DemoSite, picture: Picture): Promise<void> {
  for (const size of ['desk', 'phone'] as const) {
    const page = await pageFor(browser, site, picture, size)
    page.setDefaultTimeout(15_000)
    const { path } = picture
    await page.goto(typeof path === 'string' ? path : await path(page))
    await picture.before?.(page).catch(error => {
      process.stdout.write(`${picture.name}: ${String(error).split('\n')[0]}\n`)
    })
    await delay(1_200)
    const file = join(FOLDER, `${picture.name}-${size}.png`)
    writeFileSync(file, await page.screenshot())
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
    const kB = Math.round(statSync(file).size / 1024)
    process.stdout.write(
      `${picture.name} ${size}: ${kB} kB${Number(overflow) > 0 ? `, ${overflow} px too wide` : ''}\n`,
    )
    await page.context().close()
  }
}

const browser = await openBrowser()
if (typeof browser === 'string') throw new Error(`no browser starts: ${browser}`)
const folder = mkdtempSync(join(tmpdir(), 'tollgate-pictures-'))
const site = await openDemoSite({ dataDir: folder, days: 31, busiest: 220 })
try {
  mkdirSync(FOLDER, { recursive: true })
  site.call(42)
  await delay(12_000)
  const wanted = process.argv.slice(2)
  for (const picture of PICTURES) {
    if (wanted.length === 0 || wanted.includes(picture.name)) await take(browser, site, picture)
  }
} finally {
  await browser.close()
  await site.close()
  rmSync(folder, { recursive: true, force: true })
}
