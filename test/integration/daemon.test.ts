/** The daemon as a process: how it stops, reloads and finds its calls again. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { CdrJson } from '../../src/call/cdr.js'
import { connectApi } from '../../src/http/client.js'
import { parseMoney } from '../../src/money.js'
import type { Provisioning } from '../../src/provisioning/operations.js'
import { costOf, wholeSeconds } from '../../src/rating/rate.js'
import { Dice } from '../../src/simulation/dice.js'
import { type DaemonProcess, Program } from '../support/program.js'
import { talkUs } from '../support/reckoning.js'
import { QUICK_RULES, RATE, Site } from '../support/site.js'

t.setTimeout(240_000)

const program = Program.built(join(t.testdir(), 'build'))
/** Calls outlast the start of a daemon that is given no time, and their ends are waited for. */
const CALM_RULES = { ...QUICK_RULES, chunk_s: 60, lead_s: 5, hangup_grace_s: 5 }

/** So many hang up together: the events of more might take longer than QUICK_RULES waits for them. */
const AT_ONCE = 100

const SUPERVISED = 'all live calls are supervised'

/** A site with its first daemon. */
async function start(t: Test, rules: Record<string, unknown> = QUICK_RULES) {
  const site = new Site(join(t.testdir(), 'data'), new Dice(1))
  t.teardown(() => site.close())
  await site.open(rules, { RICH: '100000', POOR: '1' })
  return { site, daemon: await run(t, site) }
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

async function api(site: Site): Promise<Provisioning> {
  return (await connectApi(site.dataDir))!
}

const answered = async (site: Site) =>
  (await (await api(site)).callList({})).filter(call => call.state === 'answered')

async function callsUp(site: Site, count: number, account = 'RICH'): Promise<string[]> {
  const ids = Array.from({ length: count }, () => site.call(account, null))
  await until('all are answered', async () => (await answered(site)).length >= count)
  return ids
}

async function cdrs(site: Site): Promise<Map<string, CdrJson>> {
  const list = await (await api(site)).cdrList({ limit: 1_000_000 })
  return new Map(list.map(cdr => [cdr.call_id, cdr]))
}

const costOfTalk = (site: Site, id: string) =>
  costOf(RATE, wholeSeconds(talkUs(site.freeswitch.history.get(id)!), 'up'))

async function verified(t: Test, site: Site, openCalls = 0): Promise<void> {
  const { code, out, err } = await program.run(['verify', '--json', '--data', site.dataDir])
  t.equal(code, 0, err)
  t.match(JSON.parse(out), { ok: true, problems: [], open_calls: openCalls })
}

/** Hangs everything up, and checks that each call costs what was talked: its end has been seen. */
async function endAll(t: Test, site: Site, ids: readonly string[]): Promise<void> {
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    const some = ids.slice(i, i + AT_ONCE)
    for (const id of some) site.freeswitch.hangUp(id)
    await until('all are settled', async () => {
      const open = await site.audit(auditor => auditor.allOpenCalls())
      return !open.some(({ leg }) => some.includes(leg.callId))
    })
  }
  const filed = await cdrs(site)
  const wrong = ids.filter(id => {
    const { cost, write_off, cause } = filed.get(id)!
    return cause === 'LOST' || parseMoney(cost) + parseMoney(write_off) !== costOfTalk(site, id)
  })
  t.strictSame(wrong, [], 'each costs what was talked')
}

t.test('SIGTERM: it lets go at once, and the next one takes over', async t => {
  const { site, daemon } = await start(t, CALM_RULES)
  const ids = await callsUp(site, 50)
  const ringing = site.freeswitch.placeCall({
    ...{ aLeg: false, number: '442079460000', ac: 'RICH', answer: true, ringMs: 2000 },
    talkMs: null,
  }).b
  await until('it rings', async () => (await (await api(site)).callList({})).length > ids.length)
  const ending = ids.splice(0, 5)
  for (const id of ending) site.freeswitch.hangUp(id)
  t.match(await daemon.kill('SIGTERM'), { code: 0 }, 'it does not wait for calls that do not end')
  t.equal(daemon.said, '')
  t.equal(daemon.logged.at(-1)?.msg, 'stopped')
  t.notOk(existsSync(join(site.dataDir, 'ledger.db-wal')), 'all is in the one file')
  t.ok(
    ids.every(id => site.freeswitch.leg(id)),
    'calls live on',
  )
  const tasks = site.freeswitch.api('show tasks')
  t.ok(
    ids.every(id => tasks.includes(`uuid_kill ${id}`) || tasks.includes(id)),
    'each with a timer',
  )
  await site.audit(async auditor => {
    const open = new Set((await auditor.allOpenCalls()).map(call => call.leg.callId))
    t.ok(
      ids.every(id => open.has(id)),
      'and its hold',
    )
    t.strictSame((await auditor.verify()).problems, [])
  })
  const next = await run(t, site)
  t.notOk(next.logged.some(line => line.msg === 'a live leg with a code was not known'))
  t.ok(
    ids.every(id => site.freeswitch.leg(id)),
    'none was cut',
  )
  await until(
    'it is answered',
    () => site.freeswitch.history.get(ringing)?.answeredAt !== undefined,
  )
  await endAll(t, site, [...ids, ringing])
  await until('those that ended just then are settled', async () => {
    const filed = await cdrs(site)
    return ending.every(id => filed.has(id))
  })
  t.match(await next.kill('SIGINT'), { code: 0 })
  await verified(t, site)
})

t.test('a long log of the ledger is copied meanwhile', async t => {
  const { site, daemon } = await start(t)
  const path = join(site.dataDir, 'ledger.db')
  const beside = new Sqlite(path)
  t.teardown(() => beside.close())
  const length = beside.prepare<[], { log: number; checkpointed: number }>(
    'PRAGMA wal_checkpoint(NOOP)',
  )
  beside.pragma('wal_autocheckpoint = 0')
  // A page each, more than the daemon lets be and less than it would copy by itself.
  beside.exec(`CREATE TABLE probe (a BLOB) STRICT;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
    INSERT INTO probe SELECT randomblob(3000) FROM n`)
  t.ok(length.get()!.log > 25_000)
  await until('it is copied', () => length.get()!.checkpointed > 25_000)
  const { log } = length.get()!
  const id = site.call('RICH', 100)
  await until('a CDR', async () => (await cdrs(site)).has(id))
  t.ok(length.get()!.log < log, 'and begun anew')
  beside.close()
  t.match(await daemon.kill('SIGTERM'), { code: 0 })
  t.notOk(existsSync(`${path}-wal`))
  t.notOk(daemon.logged.some(line => /^the log of the ledger/.test(line.msg ?? '')))
})

t.test('SIGHUP: rules and log level are read again, a file with mistakes is not', async t => {
  const { site, daemon } = await start(t)
  const rings = { aLeg: false, number: '442079460000', ac: 'RICH', answer: true, ringMs: 60_000 }
  const held = async () => {
    const id = site.freeswitch.placeCall({ ...rings, talkMs: null }).b
    let now: string | undefined
    await until('it is held for', async () => {
      now = (await (await api(site)).callList({})).find(call => call.call_id === id)?.held
      return now !== undefined && parseMoney(now) > 0n
    })
    site.freeswitch.hangUp(id)
    return now
  }
  t.equal(await held(), '0.040000')
  const changed = { ...QUICK_RULES, chunk_s: 7, refuse_cause: 'OUTGOING_CALL_BARRED' }
  site.configure(changed, site.server.port, 'debug')
  daemon.child.kill('SIGHUP')
  await daemon.says('the rules and the log level have been read again; the rest needs a restart')
  t.equal(await held(), '0.090000')
  const refused = site.call('NOBODY', null)
  const ended = () => site.freeswitch.history.get(refused)?.cause
  await until('it is refused', () => ended() !== undefined)
  t.equal(ended(), 'OUTGOING_CALL_BARRED')
  const from = daemon.logged.length
  daemon.child.kill('SIGHUP')
  await daemon.says(
    'the rules and the log level have been read again; the rest needs a restart',
    from,
  )
  for (const [content, sentence] of [
    ['[rules]\nchunk_s = 0\n', /rules\.chunk_s must be a whole number from 2 to 86400/],
    ['[rules\n', /line 1 is not TOML/],
  ] as const) {
    const before = daemon.logged.length
    writeFileSync(join(site.dataDir, 'tollgate.toml'), content)
    daemon.child.kill('SIGHUP')
    const line = await daemon.says(
      'the configuration has mistakes: nothing has been changed',
      before,
    )
    t.match(line['error'], { message: sentence })
    t.equal(await held(), '0.090000')
  }
  rmSync(join(site.dataDir, 'tollgate.toml'))
  t.match(await daemon.kill('SIGTERM'), { code: 0 })
})

t.test('two daemons, and commands beside one', async t => {
  const { site, daemon } = await start(t)
  const ids = await callsUp(site, 20)
  const second = program.daemon(['--data', site.dataDir])
  t.match(await second.exited, { code: 1 })
  t.match(second.said, `in use by tollgate run, process ${daemon.pid}`)
  t.equal(second.said.trim().split('\n').length, 1, 'in one sentence')
  const at = ['--data', site.dataDir]
  const topUp = ['account', 'top-up', 'POOR', '5', '--reference', 'r1', ...at]
  t.match(await program.run(topUp), { code: 0, err: '' })
  t.match(await program.run(topUp), { code: 0 }, 'again: changes nothing')
  const { out } = await program.run(['account', 'show', 'POOR', '--json', ...at])
  t.match(JSON.parse(out), { balance: '6.000000' })
  const list = await program.run(['call', 'list', '--json', ...at])
  t.equal(JSON.parse(list.out).length, 20)
  await verified(t, site, 20)
  t.ok(
    ids.every(id => site.freeswitch.leg(id)),
    'calls are unaffected',
  )
  await endAll(t, site, ids)
  daemon.child.kill('SIGSTOP')
  for (const command of ['cdr totals', 'cdr list', 'account list', 'audit list']) {
    const read = await program.run([...command.split(' '), '--json', ...at])
    t.match(read, { code: 0, err: '' }, `${command}: needs nothing of the daemon`)
  }
  daemon.child.kill('SIGCONT')
})

t.test('ping: only a daemon that answers is well', async t => {
  const empty = await program.run(['ping', '--data', t.testdir()])
  t.match(empty, { code: 1, out: '', err: /^error: There are no books in / })
  const { site, daemon } = await start(t)
  const ping = (...more: string[]) => program.run(['ping', '--data', site.dataDir, ...more])
  t.match(await ping(), { code: 0, out: 'The daemon answers\n', err: '' })
  t.match(JSON.parse((await ping('--json')).out), { running: true })
  daemon.child.kill('SIGSTOP')
  const asked = ping()
  const soon = setTimeout(1_500, 'no answer')
  t.equal(await Promise.race([asked, soon]), 'no answer', 'that it takes connections is not enough')
  await daemon.kill()
  // On a machine that is busy enough it has not even asked by now.
  t.match(await asked, { code: 1, out: '', err: /^error: (The daemon went away|No daemon runs)/ })
  const gone = { code: 1, out: '', err: `error: No daemon runs on ${site.dataDir}\n` }
  t.match(await ping(), gone, 'whatever it has left behind')
})

t.test('two thousand calls are found again', async t => {
  const { site, daemon } = await start(t, CALM_RULES)
  const ids = await callsUp(site, 2000)
  const before = new Map((await answered(site)).map(call => [call.call_id, call]))
  await daemon.kill()
  const gone = ids.splice(0, 100)
  for (const id of gone) site.freeswitch.hangUp(id)
  const strangers = Array.from({ length: 20 }, () => site.call('RICH', null))
  await until('they are answered', () =>
    strangers.every(id => site.freeswitch.history.get(id)?.answeredAt !== undefined),
  )
  const next = await run(t, site)
  await until('those that are gone are settled', async () => (await cdrs(site)).size >= 100)
  const after = new Map((await answered(site)).map(call => [call.call_id, call]))
  t.ok(
    ids.every(id => after.get(id)?.held === before.get(id)?.held),
    'each with its hold',
  )
  t.ok(ids.every(id => after.get(id)?.funded_until === before.get(id)?.funded_until))
  t.ok(
    strangers.every(id => after.has(id)),
    'and those that came meanwhile',
  )
  t.equal(after.size, ids.length + strangers.length)
  const filed = await cdrs(site)
  const wrong = gone.filter(id => {
    const cdr = filed.get(id)
    return cdr?.reason !== 'lost' || parseMoney(cdr.cost) > costOfTalk(site, id)
  })
  t.strictSame(wrong, [], 'the others are lost, and cost no more than was talked')
  t.equal((await site.audit(auditor => auditor.allOpenCalls())).length, after.size)
  await endAll(t, site, [...ids, ...strangers])
  t.match(await next.kill('SIGTERM'), { code: 0 })
  await verified(t, site)
})
