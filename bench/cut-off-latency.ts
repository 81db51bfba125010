/**
 * How long a call goes on after what was held for it is used up: by a daemon in a process of its
 * own, on the simulated switch. The times are those of the switch.
 *
 *   node --import=tsx bench/cut-off-latency.ts [CALLS] [CALLS-A-SECOND]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Cdr } from '../src/call/cdr.js'
import { DEFAULT_TERMS } from '../src/ledger/books.js'
import { formatMoney, parseMoney } from '../src/money.js'
import { costOf } from '../src/rating/rate.js'
import { Dice } from '../src/simulation/dice.js'
import { SqliteAccounts } from '../src/sqlite/accounts.js'
import { SqliteCdrs } from '../src/sqlite/cdrs.js'
import { LedgerFile } from '../src/sqlite/ledger-file.js'
import { Program } from '../test/support/program.js'
import { RATE, Site } from '../test/support/site.js'

const CALLS = Number(process.argv[2] ?? 10_000)
const CALLS_PER_S = Number(process.argv[3] ?? 100)

/** Every account has credit for one call of so many seconds. */
const FUNDED_S = 5

/** The default rules, but for what a call of five seconds needs. */
const RULES = { chunk_s: 3, lead_s: 1 }

const say = (line: string) => process.stdout.write(`${line}\n`)

const scratch = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))
const site = new Site(join(scratch, 'data'), new Dice(1))

/** When uuid_kill arrived, by leg: in microseconds of the switch's own clock, not stepped. */
const killedAt = new Map<string, number>()

async function createAccounts(): Promise<void> {
  const file = new LedgerFile(join(site.dataDir, 'ledger.db'))
  const accounts = new SqliteAccounts(file)
  const credit = costOf(RATE, FUNDED_S)
  const about = { ...DEFAULT_TERMS, plan: 'retail', credit, actor: 'bench' }
  await Promise.all(
    Array.from({ length: CALLS }, (_, i) => accounts.create({ ...about, code: `A${i}` })),
  )
  file.close()
}

async function placeCalls(): Promise<void> {
  const startedAt = performance.now()
  for (let placed = 0; placed < CALLS; ) {
    const due = Math.min(CALLS, Math.ceil(((performance.now() - startedAt) / 1000) * CALLS_PER_S))
    for (; placed < due; placed++) site.call(`A${placed}`, null)
    await setTimeout(5)
  }
}

async function readCdrs(): Promise<Cdr[]> {
  return site.audit((_, file) => new SqliteCdrs(file).list({ limit: CALLS }))
}

function print(what: string, values: number[], unit: string): void {
  values.sort((a, b) => a - b)
  const at = (share: number) =>
    values[Math.min(values.length - 1, Math.floor(values.length * share))]!.toFixed(1)
  const figures = `p50 ${at(0.5)}  p99 ${at(0.99)}  p99.9 ${at(0.999)}  max ${at(1)}`
  say(`${what.padEnd(44)} ${figures} ${unit}`)
}

await site.open(RULES, {})
await createAccounts()
site.server.faults.api = line => {
  const [verb, legId] = line.split(' ')
  if (verb === 'uuid_kill') killedAt.set(legId!, site.freeswitch.options.timeline.now())
  return undefined
}
const daemon = Program.built(join(scratch, 'build')).daemon(['--data', site.dataDir])
await daemon.says('all live calls are supervised')
await placeCalls()
// The switch lives in this process, and must not be held up while calls are being cut off.
while (site.freeswitch.legs().length > 0) await setTimeout(1000)
while ((await readCdrs()).length < CALLS) await setTimeout(1000)
await daemon.kill('SIGTERM')

const legs = site.paying().filter(leg => leg.endedBy === 'api')
const fundedUntil = (answeredAt: number) => answeredAt + FUNDED_S * 1e6
const kills = legs.map(leg => (killedAt.get(leg.uuid)! - fundedUntil(leg.answeredAt!)) / 1000)
const ends = legs.map(leg => (leg.hangupAt! - fundedUntil(leg.answeredAt!)) / 1000)
const writeOffs = (await readCdrs()).map(cdr => cdr.writeOff)
const largest = writeOffs.reduce((max, each) => (each > max ? each : max), 0n)
const second = parseMoney('0.01')
say(`${legs.length} of ${CALLS} calls cut off by uuid_kill, ${CALLS_PER_S} a second`)
print('from funded-until to uuid_kill at the switch:', kills, 'ms')
print('from funded-until to the stamp of the hangup:', ends, 'ms')
say(
  `largest write-off: ${formatMoney(largest)}, ${Number(largest) / Number(second)} s of the rate; ` +
    `calls with one: ${writeOffs.filter(each => each > 0n).length}`,
)
await site.close()
rmSync(scratch, { recursive: true })
