/**
 * Mixed load for a long time: bridged and single legs, calls that end and calls that are cut off. Whether
 * memory stays flat, what the file grows by, and that the books are clean at the end.
 *
 *   node --import=tsx bench/soak.ts [MINUTES] [CALLS-A-SECOND]
 */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { costOf } from '../src/rating/rate.js'
import { SqliteAuditor } from '../src/sqlite/audit.js'
import { RATE } from '../test/support/site.js'
import { machine, PLENTY, Rig, say } from './load/rig.js'

const MINUTES = Number(process.argv[2] ?? 60)
const PER_S = Number(process.argv[3] ?? 1000)

const ACCOUNTS = 1000

/** Calls of a round: bridged, single, and on accounts whose credit ends while they talk. */
const ROUND_S = 30
const POOR_S = 5
const ROUNDS = Math.ceil((MINUTES * 60) / ROUND_S)
const POOR = Math.ceil((PER_S * ROUND_S) / 100)

const rig = new Rig()
say(`${machine()}; ${PER_S} calls/s for ${MINUTES} minutes`)
await rig.open({ accounts: ACCOUNTS, credit: PLENTY })
await rig.addAccounts(ACCOUNTS, POOR * ROUNDS, costOf(RATE, POOR_S))
await rig.startSwitch()
await rig.startDaemon()
rig.logLess()

const size = (name: string) => {
  const file = join(rig.dataDir, name)
  return existsSync(file) ? statSync(file).size / 1e6 : 0
}
const startedAt = rig.usage
let calls = 0
for (let round = 0; round < ROUNDS; round++) {
  const count = PER_S * ROUND_S
  const about = { accounts: ACCOUNTS, window: 400, perS: PER_S, calls: count }
  const talkMs = POOR_S * 1000 + 2000
  const firstPoor = ACCOUNTS + round * POOR
  await rig.place({ ...about, bridged: round % 2 === 0, talkMs, poor: POOR, firstPoor })
  calls += count
  const now = rig.usage
  const minutes = (now.atMs - startedAt.atMs) / 60_000
  const cores = (now.cpuS - startedAt.cpuS) / (minutes * 60)
  const file = size('ledger.db')
  say(
    `${minutes.toFixed(1)} min: ${calls} calls, ${now.residentMb.toFixed(0)} MB, ${cores.toFixed(2)} cores; ` +
      `ledger.db ${file.toFixed(0)} MB, ${((file * 1e6) / calls).toFixed(0)} bytes a call, ` +
      `its log ${size('ledger.db-wal').toFixed(0)} MB`,
  )
}
await rig.stopDaemon()
await rig.ledger(async file => {
  const { problems } = await new SqliteAuditor(file).verify()
  say(`verify: ${problems.length === 0 ? 'clean' : problems.join('; ')}`)
  const sizes = file.database
    .prepare('SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8')
    .all() as { name: string; bytes: bigint }[]
  for (const { name, bytes } of sizes) say(`  ${name}: ${Number(bytes) / calls} bytes a call`)
})
say(machine())
await rig.close()
