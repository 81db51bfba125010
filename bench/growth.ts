/**
 * Whether the daemon gets slower as its books grow: calls with few and many accounts, and with many CDRs
 * on file, as ratios to the first. The first comes again at the end: what a ratio of the machine to
 * itself is worth.
 *
 *   node --import=tsx bench/growth.ts [CALLS] [CDRS] [ACCOUNTS…]
 */
import { commitsAlone } from './load/limits.js'
import { machine, PLENTY, Rig, say } from './load/rig.js'

const CALLS = Number(process.argv[2] ?? 20_000)
const CDRS = Number(process.argv[3] ?? 1_000_000)
const given = process.argv.slice(4).map(Number)
const [few = 1000, ...more] = given.length > 0 ? given : [1000, 100_000, 1_000_000]

async function measure(accounts: number, cdrs: number): Promise<number> {
  const rig = new Rig()
  await rig.open({ accounts, credit: PLENTY })
  if (cdrs > 0) await commitsAlone(rig, Math.ceil(cdrs / 110), accounts)
  await rig.startSwitch()
  await rig.startDaemon()
  const order = { accounts, bridged: false, talkMs: 1000, window: 400 }
  const place = async (calls: number) => {
    await rig.place({ ...order, calls, perS: Number.POSITIVE_INFINITY })
    await rig.settled(calls)
  }
  await place(CALLS / 4)
  const before = rig.usage
  await place(CALLS)
  const { cpuS, atMs, residentMb } = rig.usage
  const perCpuS = CALLS / (cpuS - before.cpuS)
  const perS = (CALLS / (atMs - before.atMs)) * 1000
  say(
    `${accounts} accounts, ${cdrs} CDRs: ${perS.toFixed(0)} calls/s, ` +
      `${perCpuS.toFixed(0)} per second of CPU, ${residentMb.toFixed(0)} MB; load ${machine().split('load ')[1]}`,
  )
  await rig.close()
  return perCpuS
}

say(machine())
const first = await measure(few, 0)
for (const accounts of more) {
  say(`  ratio ${((await measure(accounts, 0)) / first).toFixed(2)}`)
}
say(`  ratio ${((await measure(few, CDRS)) / first).toFixed(2)}`)
say(`  ratio ${((await measure(few, 0)) / first).toFixed(2)}: the first again`)
