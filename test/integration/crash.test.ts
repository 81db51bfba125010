/**
 * The daemon as a process, killed with SIGKILL at random moments under load, and started again each
 * time. What it has on its books is compared with the switch's own record. One seed again:
 * CRASH_SEED=123; more kills: CRASH_KILLS=500.
 */
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { CdrJson } from '../../src/call/cdr.js'
import { connectApi } from '../../src/http/client.js'
import { parseMoney } from '../../src/money.js'
import { Dice } from '../../src/simulation/dice.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { type DaemonProcess, Program } from '../support/program.js'
import { Reckoning, type Stretch } from '../support/reckoning.js'
import { QUICK_RULES, Site } from '../support/site.js'

const SEED = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 1e9))
const KILLS = Number(process.env['CRASH_KILLS'] ?? 50)

/** Live calls with an account, at every kill. */
const LIVE_MIN = 200

/** How many of them live until the end, unless we or the switch cut them. */
const ENDLESS = 60

const RICH = Array.from({ length: 8 }, (_, i) => `RICH${i}`)
const POOR = Array.from({ length: 12 }, (_, i) => `POOR${i}`)
const CREDIT = Object.fromEntries([
  ...RICH.map(code => [code, '1000']),
  ...POOR.map((code, i) => [code, `0.${10 + i}`]),
])

const { chunk_s: CHUNK_S, lead_s: LEAD_S, timer_margin_s: MARGIN_S } = QUICK_RULES

/** Everything that is up at a kill has been ended by a timer after this: see hangUpAt in step.ts. */
const ALL_TIMERS_MS = (CHUNK_S + LEAD_S + MARGIN_S + 1) * 1000

const dice = new Dice(SEED)
const supervised: Stretch[] = []
const recorded = new Set<string>()
const topUps = new Map<string, bigint>()

/** Commands at whose arrival the daemon may be killed: between any two of its statements. */
const MOMENTS = ['sched_api', 'sched_del', 'uuid_kill', 'uuid_dump', 'uuid_setvar', 'show']

t.setTimeout(240_000)
t.comment(`CRASH_SEED=${SEED}`)

t.test('killed again and again, it loses, doubles and overspends nothing', async t => {
  const dir = t.testdir()
  const program = Program.built(join(dir, 'build'))
  const site = new Site(join(dir, 'data'), dice)
  t.teardown(() => site.close())
  const stalls = monitorEventLoopDelay()
  stalls.enable()
  await site.open(QUICK_RULES, CREDIT)
  const callers = new Callers(site)
  const stopPaying = keepToppingUp(site)
  const adopted = await killAgainAndAgain(t, program, callers)
  const daemon = await lastDaemon(t, program, site)
  await stopPaying()
  callers.stop()
  for (const id of site.freeswitch.legs()) site.freeswitch.hangUp(id)
  await untilAllIsSettled(site)
  const beside = await program.run(['verify', '--json', '--data', site.dataDir])
  t.equal(beside.code, 0, `verify beside the daemon: ${beside.out}${beside.err}`)
  const { out } = await program.run([
    'cdr',
    'list',
    '--limit',
    '1000000',
    '--json',
    '--data',
    site.dataDir,
  ])
  t.match(await daemon.kill('SIGTERM'), { code: 0 })
  const verified = await program.run(['verify', '--json', '--data', site.dataDir])
  t.match(JSON.parse(verified.out), { ok: true, problems: [], open_calls: 0 }, 'tollgate verify')
  const cdrs: CdrJson[] = JSON.parse(out)
  t.equal(JSON.parse(verified.out).cdrs, cdrs.length)
  const reckoning = new Reckoning({
    legs: site.paying(),
    cdrs,
    rules: QUICK_RULES,
    supervised,
    stalledUs: stalls.max / 1000,
  })
  t.strictSame(reckoning.filing(recorded), [], 'each leg has one CDR, or nobody heard of it')
  t.strictSame(reckoning.prices(), [], 'each costs what was talked')
  t.strictSame(reckoning.overruns(), [], 'none outlives what was held for it')
  t.strictSame(
    reckoning.cuts(leg => RICH.includes(leg.ac!)),
    [],
    'none with credit is cut',
  )
  t.strictSame(
    await balances(site, cdrs),
    [],
    'each balance is what was paid in less what calls cost',
  )
  t.ok(adopted > KILLS, `${adopted} times a live call went on after a restart`)
  t.comment(reckoning.summary())
})

/** Callers who keep LIVE_MIN calls and some more up, whether anybody listens or not. */
class Callers {
  readonly #chance = dice.for('callers')
  readonly #filling: NodeJS.Timeout

  constructor(readonly site: Site) {
    for (let i = 0; i < ENDLESS; i++) site.call(RICH[i % RICH.length]!, null)
    this.#filling = setInterval(() => this.fill(), 50)
  }

  fill(): void {
    const chance = this.#chance
    for (let missing = LIVE_MIN + 25 - this.site.livePaying().length; missing > 0; missing--) {
      const account = chance.weigh([
        [70, chance.pick(RICH)],
        [29, chance.pick(POOR)],
        [1, 'NOBODY'],
      ])
      const acOn = chance.pick(['b', 'export', 'a-set', 'directory'] as const)
      this.site.call(account, chance.between(500, 12_000), acOn)
    }
  }

  stop(): void {
    clearInterval(this.#filling)
  }
}

/** Each amount counts once, however often it had to be sent. Returns how to stop. */
function keepToppingUp(site: Site): () => Promise<void> {
  const chance = dice.for('payer')
  let stopped = false
  let payments = 0
  const pay = async () => {
    while (!stopped) {
      const code = chance.pick(POOR)
      topUps.set(code, (topUps.get(code) ?? 0n) + parseMoney('0.07'))
      payments += 1
      await site.topUp(code, '0.07', `payment ${payments}`)
      await setTimeout(150)
    }
  }
  const payers = [pay(), pay(), pay()]
  return async () => {
    stopped = true
    await Promise.all(payers)
  }
}

async function killAgainAndAgain(t: Test, program: Program, callers: Callers): Promise<number> {
  const { site } = callers
  const chance = dice.for('kills')
  const args = ['--data', site.dataDir]
  const longPauses = new Set([Math.floor(KILLS / 3), Math.floor((2 * KILLS) / 3)])
  let adopted = 0
  let before = new Set<string>()
  let next = program.standby(args)
  for (let kill = 0; kill < KILLS; kill++) {
    const daemon = next
    t.teardown(() => daemon.kill())
    daemon.start()
    next = program.standby(args)
    const watched = watch(site, daemon)
    await momentToKill(site, daemon, chance)
    callers.fill()
    while (site.livePaying().length < LIVE_MIN) await setTimeout(10)
    const { signal } = await daemon.kill()
    t.equal(signal, 'SIGKILL', daemon.said)
    watched.end()
    adopted += watched.adopted(before)
    before = new Set(site.livePaying().map(leg => leg.uuid))
    await audit(t, site)
    if (longPauses.has(kill)) await setTimeout(ALL_TIMERS_MS)
    else if (chance.chance(0.2)) await setTimeout(chance.between(50, 1000))
  }
  t.teardown(() => next.kill())
  return adopted
}

/** Notes from when to when a daemon supervises all that is alive on the switch. */
function watch(site: Site, daemon: DaemonProcess) {
  const { freeswitch } = site
  let stretch: Stretch | null = null
  let over = false
  daemon.says('all live calls are supervised').then(
    () => {
      if (over) return
      stretch = { from: freeswitch.now(), to: Number.POSITIVE_INFINITY }
      supervised.push(stretch)
    },
    () => {},
  )
  return {
    end() {
      over = true
      if (stretch) stretch.to = freeswitch.now()
    },
    /** How many of these calls went on under this daemon. */
    adopted: (ids: ReadonlySet<string>) =>
      stretch ? site.livePaying().filter(leg => ids.has(leg.uuid)).length : 0,
  }
}

/** While it starts, at one of its commands, or when it has come to rest. */
function momentToKill(site: Site, daemon: DaemonProcess, chance: Dice): Promise<unknown> {
  const early = chance.between(0, 800)
  const moment = chance.pick(MOMENTS)
  const late = chance.between(0, 1200)
  const supervises = daemon.says('all live calls are supervised')
  supervises.catch(() => {})
  return chance.pick([
    () => setTimeout(early),
    () => atCommand(site, moment, early),
    () => supervises.then(() => setTimeout(late)),
  ])()
}

/** Resolves at the very arrival of such a command, some time from now; or when none has come. */
function atCommand(site: Site, command: string, afterMs: number): Promise<void> {
  const { faults } = site.server
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timeout)
      faults.api = undefined
      resolve()
    }
    const timeout = globalThis.setTimeout(done, afterMs + 1000)
    globalThis.setTimeout(() => {
      faults.api = line => {
        if (!line.startsWith(command)) return undefined
        done()
        return { silent: dice.chance(0.5) }
      }
    }, afterMs)
  })
}

/** The books add up after every crash. */
async function audit(t: Test, site: Site): Promise<void> {
  await site.audit(async auditor => {
    t.strictSame((await auditor.verify()).problems, [], 'the books add up')
    for (const call of await auditor.allOpenCalls()) recorded.add(call.leg.callId)
  })
}

async function lastDaemon(t: Test, program: Program, site: Site): Promise<DaemonProcess> {
  const daemon = program.daemon(['--data', site.dataDir])
  t.teardown(() => daemon.kill())
  watch(site, daemon)
  await daemon.says('all live calls are supervised')
  return daemon
}

/** Or until it has taken too long: what is open then is told by those who look. */
async function untilAllIsSettled(site: Site): Promise<void> {
  const deadline = performance.now() + 20_000
  const open = () => site.audit(auditor => auditor.allOpenCalls())
  const busy = async () => (await (await connectApi(site.dataDir))!.callList({})).length > 0
  while (performance.now() < deadline && ((await open()).length > 0 || (await busy()))) {
    await setTimeout(100)
  }
}

/** What does not add up, by account: all that was ever paid in, and all CDRs. */
async function balances(site: Site, cdrs: readonly CdrJson[]): Promise<string[]> {
  const accounts = await site.audit((_, file) => new SqliteAccounts(file).list({ limit: 1000 }))
  return accounts.flatMap(({ code, balance, held }) => {
    const paidIn = parseMoney(CREDIT[code]!) + (topUps.get(code) ?? 0n)
    const spent = cdrs
      .filter(cdr => cdr.account === code)
      .reduce((sum, cdr) => sum + parseMoney(cdr.cost), 0n)
    const problems: string[] = []
    if (balance !== paidIn - spent) problems.push(`${code}: ${balance}, not ${paidIn} - ${spent}`)
    if (held !== 0n) problems.push(`${code}: ${held} is held`)
    return problems
  })
}
