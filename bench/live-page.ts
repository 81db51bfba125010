/**
 * What the page of live calls costs a browser with a thousand calls and more: how long its main thread is kept
 * at a time. `node --import=tsx bench/live-page.ts`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openDemoSite, PASSWORD_OF_ALL } from '../test/screenshots/demo-site.js'
import { openBrowser } from '../test/support/browser.js'

/** Some are refused: their accounts allow only so many. */
const CALLS = 2_200
const WATCHED_MS = 20_000

/** In the page: times the listeners of the stream, and what the browser itself calls long. */
const WATCH = `
  window.took = []
  window.long = []
  new PerformanceObserver(list => window.long.push(...list.getEntries().map(e => e.duration)))
    .observe({ type: 'longtask' })
  const add = EventSource.prototype.addEventListener
  EventSource.prototype.addEventListener = function (name, listener) {
    add.call(this, name, event => {
      const begin = performance.now()
      listener(event)
      document.body.getBoundingClientRect()
      window.took.push(performance.now() - begin)
    })
  }`

const browser = await openBrowser()
if (typeof browser === 'string') throw new Error(`no browser starts: ${browser}`)
const dataDir = mkdtempSync(join(tmpdir(), 'tollgate-live-page-'))
const site = await openDemoSite({ dataDir, days: 1, busiest: 20 })
const page = await (await browser.newContext({ baseURL: site.url, locale: 'en-GB' })).newPage()
await page.addInitScript(WATCH)
await page.goto('/log-in')
await page.fill('[name=name]', 'maria')
await page.fill('[name=password]', PASSWORD_OF_ALL)
await page.click('main button')
site.call(CALLS)
await delay(15_000)
await page.goto('/live')
await page.locator('tbody tr').first().waitFor()
await delay(3_000)
await page.evaluate('window.took.length = window.long.length = 0')
await delay(WATCHED_MS)
const took = (await page.evaluate<number[]>('window.took')).sort((a, b) => a - b)
const long = await page.evaluate<number[]>('window.long')
const rows = await page.locator('tbody tr').count()
const at = (part: number) => (took[Math.floor(part * (took.length - 1))] ?? 0).toFixed(1)
process.stdout.write(
  `${rows} calls, ${took.length} updates in ${WATCHED_MS / 1000} s: p50 ${at(0.5)} ms, max ${at(1)} ms; ` +
    `${long.length} long tasks${long.length > 0 ? `, up to ${Math.max(...long).toFixed(0)} ms` : ''}\n`,
)
await browser.close()
await site.close()
rmSync(dataDir, { recursive: true, force: true })
