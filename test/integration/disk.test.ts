/**
 * The daemon as a process, and what happens to its files: the disk is full, or the write-ahead log
 * is deleted. Each time calls go on until what is held for them is used up,
 * new ones are refused, and nothing is lost.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { CdrJson } from '../../src/call/cdr.js'
import { connectApi } from '../../src/http/client.js'
import { parseMoney } from '../../src/money.js'
import { costOf, wholeSeconds } from '../../src/rating/rate.js'
import { Dice } from '../../src/simulation/dice.js'
import { type DaemonProcess, Program } from '../support/program.js'
import { talkUs } from '../support/reckoning.js'
import { QUICK_RULES, RATE, Site } from '../support/site.js'

t.setTimeout(240_000)

const program = Program.built(join(t.testdir(), 'build'))
const SUPERVISED = 'all live calls are supervised'
const CALLS = 10

/** How much longer than funded-until a call may last that we end, on a busy machine. */
const CUT_OFF_WITHIN_US = 1e6

/** A folder with a short name, so that the socket of the daemon is in it. */
function shortDir(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-test-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

async function openSite(t: Test, dataDir = shortDir(t)): Promise<Site> {
  const site = new Site(dataDir, new Dice(1))
  t.teardown(() => site.close())
  await site.open(QUICK_RULES, { RICH: '1000' })
  return site
}

async function run(t: Test, site: Site): Promise<DaemonProcess> {
  const daemon = program.daemon(['--data', site.dataDir])
  t.teardown(() => daemon.kill())
  await daemon.says(SUPERVISED)
  return daemon
}

async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await is())) {
    if (performance.now() > deadline) throw new Error(`it did not come to this: ${what}`)
    await setTimeout(50)
  }
}

async function callsUp(site: Site): Promise<string[]> {
  const ids = Array.from({ length: CALLS }, () => site.call('RICH', null))
  const api = (await connectApi(site.dataDir))!
  const up = async () => (await api.callList({})).filter(call => call.state === 'answered').length
  await until('all are answered', async () => (await up()) === CALLS)
  return ids
}

const ended = (site: Site, ids: readonly string[]) => () =>
  ids.every(id => site.freeswitch.history.get(id)?.hangupAt !== undefined)

async function cdrs(site: Site): Promise<Map<string, CdrJson>> {
  const { out } = await program.run(['cdr', 'list', '--json', '--data', site.dataDir])
  return new Map((JSON.parse(out) as CdrJson[]).map(cdr => [cdr.call_id, cdr]))
}

async function settled(site: Site, count: number): Promise<Map<string, CdrJson>> {
  await until(`${count} CDRs`, async () => (await cdrs(site)).size >= count)
  return cdrs(site)
}

/** Calls that were not ended by `by` soon after what was held for them was used up. */
function unbound(site: Site, filed: Map<string, CdrJson>, by: 'api' | 'timer', withinUs: number) {
  return [...filed.values()].filter(({ call_id, held }) => {
    const leg = site.freeswitch.history.get(call_id)!
    const seconds = Number((parseMoney(held) - RATE.setup) / 10_000n)
    const over = leg.hangupAt! - (leg.answeredAt! + seconds * 1e6)
    return leg.endedBy !== by || over > withinUs || (by === 'api' && over < -20_000)
  })
}

/** CDRs that are not worth what was talked, as the switch has it. */
function mispriced(site: Site, filed: Map<string, CdrJson>) {
  return [...filed.values()].filter(({ call_id, outcome, cause, cost, write_off }) => {
    const price = costOf(RATE, wholeSeconds(talkUs(site.freeswitch.history.get(call_id)!), 'up'))
    const charged = parseMoney(cost) + parseMoney(write_off)
    if (outcome === 'refused') return cost !== '0.000000'
    return cause === 'LOST' ? charged > price : charged !== price
  })
}

async function booksAddUp(t: Test, site: Site): Promise<void> {
  const { code, out, err } = await program.run(['verify', '--json', '--data', site.dataDir])
  t.equal(code, 0, err)
  t.match(JSON.parse(out), { ok: true, problems: [], open_calls: 0 })
  const spent = [...(await cdrs(site)).values()].reduce(
    (sum, { cost }) => sum + parseMoney(cost),
    0n,
  )
  const shown = await program.run(['account', 'show', 'RICH', '--json', '--data', site.dataDir])
  const { balance, held } = JSON.parse(shown.out)
  t.equal(parseMoney(balance), parseMoney('1000') - spent)
  t.equal(held, '0.000000')
}

/** How to fill up the disk of a daemon, and to make room again. */
interface Disk {
  fill(daemon: DaemonProcess): void
  free(daemon: DaemonProcess): void
  readonly sentence: RegExp
}

/** A disk of its own. Only root may have one. */
function small(site: Site): Disk {
  const filler = join(site.dataDir, 'filler')
  return {
    fill: () => {
      for (let size = 1 << 20; size > 100; size >>= 1) {
        for (let full = false; !full; ) {
          try {
            writeFileSync(filler, Buffer.alloc(size), { flag: 'a' })
          } catch {
            full = true
          }
        }
      }
    },
    free: () => rmSync(filler),
    sentence: /ledger\.db cannot grow: the disk is full/,
  }
}

async function checkFullDisk(t: Test, site: Site, disk: Disk): Promise<void> {
  const daemon = await run(t, site)
  const ids = await callsUp(site)
  disk.fill(daemon)
  const refused = [site.call('RICH', 20_000), site.call('RICH', 20_000)]
  await until('all are ended', ended(site, [...ids, ...refused]))
  const said = daemon.logged.filter(line => line.msg === 'credit could not be held')
  t.ok(said.length > 0)
  t.ok(
    said.every(line => disk.sentence.test((line['error'] as Error).message)),
    'in a sentence',
  )
  t.ok(refused.every(id => site.freeswitch.history.get(id)?.endedBy === 'api'))
  disk.free(daemon)
  const filed = await settled(site, CALLS + 2)
  t.strictSame(
    refused.map(id => filed.get(id)?.reason),
    ['ledger_unavailable', 'ledger_unavailable'],
  )
  t.strictSame(mispriced(site, filed), [])
  for (const id of refused) filed.delete(id)
  t.strictSame(unbound(site, filed, 'api', CUT_OFF_WITHIN_US), [], 'each ran until its funds ended')
  const [next] = [site.call('RICH', 500)]
  t.match((await settled(site, CALLS + 3)).get(next!), { outcome: 'completed', reason: null })
  t.match(await daemon.kill('SIGTERM'), { code: 0, signal: null })
  await booksAddUp(t, site)
}

t.test('the disk is full: no space is left', async t => {
  const dir = join(shortDir(t), 'disk')
  mkdirSync(dir)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tollgate', dir]).status !== 0) {
    t.comment('skipped: nothing may be mounted')
    return
  }
  t.teardown(() => spawnSync('umount', ['-l', dir]))
  const site = await openSite(t, dir)
  await checkFullDisk(t, site, small(site))
})

t.test('the write-ahead log is deleted under a running daemon', async t => {
  const site = await openSite(t)
  const daemon = await run(t, site)
  const ids = await callsUp(site)
  rmSync(join(site.dataDir, 'ledger.db-wal'))
  const late = site.call('RICH', 20_000)
  await until('all are ended', ended(site, [...ids, late]))
  const sentence =
    /ledger\.db-wal has been deleted while it was in use: start Tollgate again, nothing is lost$/
  const said = daemon.logged.filter(line => line.msg === 'credit could not be held')
  t.ok(said.length > 0 && said.every(line => sentence.test((line['error'] as Error).message)))
  t.match(await daemon.kill('SIGTERM'), { code: 0 })
  const next = await run(t, site)
  const filed = await settled(site, CALLS)
  t.strictSame(mispriced(site, filed), [])
  t.ok(
    ids.every(id => filed.has(id)),
    'no call is lost',
  )
  t.strictSame(unbound(site, filed, 'api', CUT_OFF_WITHIN_US), [])
  t.match(await next.kill('SIGTERM'), { code: 0 })
  await booksAddUp(t, site)
})

t.test('the write-ahead log is deleted after a daemon was killed', async t => {
  const site = await openSite(t)
  const daemon = await run(t, site)
  const ids = await callsUp(site)
  await daemon.kill()
  const log = join(site.dataDir, 'ledger.db-wal')
  const files = () =>
    readdirSync(site.dataDir)
      .filter(name => !name.startsWith('lock.'))
      .sort()
  rmSync(log)
  const before = files()
  const refuses = program.daemon(['--data', site.dataDir])
  t.match(await refuses.exited, { code: 1 })
  t.match(refuses.said, /^error: .*ledger\.db-wal has been deleted, .*: put it back, or .*\n$/)
  t.strictSame(files(), before, 'nothing has been changed')
  await until('all are ended', ended(site, ids))
  t.ok(
    ids.every(id => site.freeswitch.history.get(id)?.endedBy === 'timer'),
    "by the switch's timers",
  )
})
