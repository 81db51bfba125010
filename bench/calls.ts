/**
 * Whole calls a second: created, held, answered, timed, hung up, settled, by the daemon in a process of
 * its own with its ledger on the disk; beside it, in the same run, what its two hardest parts can do alone.
 *
 *   node --import=tsx bench/calls.ts [CALLS] [outbound|bridged] [cpu-prof]
 *
 * With `cpu-prof` the profile of the daemon is summed up by file.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { commitsAlone, eventsAlone } from './load/limits.js'
import { printProfile } from './load/profile.js'
import { machine, PLENTY, quantile, Rig, say } from './load/rig.js'
import type { Order, Placed } from './load/switch-process.js'

const CALLS = Number(process.argv[2] ?? 50_000)
const bridged = process.argv[3] === 'bridged'
const profiled = process.argv.includes('cpu-prof')

const ACCOUNTS = 1000
const WINDOW = 400

const rig = new Rig()
const profiles = join(rig.scratch, 'profiles')

async function placed(what: string, order: Order): Promise<{ placed: Placed; perS: number }> {
  const before = rig.usage
  const startedAtMs = Date.now()
  const placed = await rig.place(order)
  const settled = await rig.settled(order.calls)
  const after = rig.usage
  const ends = placed.hungUp.map(([leg]) => settled.get(leg) ?? Number.NaN)
  const last = ends.reduce((latest, at) => Math.max(latest, at), 0)
  const perS = order.calls / ((last - startedAtMs) / 1000)
  const cpuS = after.cpuS - before.cpuS
  say(
    `${what}: ${perS.toFixed(0)} calls/s, ${(order.calls / cpuS).toFixed(0)} per second of CPU ` +
      `(${((cpuS / order.calls) * 1e6).toFixed(0)} µs a call), ${(cpuS / ((last - startedAtMs) / 1000)).toFixed(2)} cores; ` +
      `${after.residentMb.toFixed(0)} MB, ${after.peakMb.toFixed(0)} MB at most`,
  )
  const late = placed.hungUp.map(([, at], i) => ends[i]! - at)
  const both = (values: readonly number[]) => {
    const sorted = [...values]
    return `p50 ${quantile(sorted, 0.5).toFixed(1)}  p99 ${quantile(sorted, 0.99).toFixed(1)} ms`
  }
  say(`  CREATE to the command after the hold's commit: ${both(placed.heldMs)}`)
  say(`  ANSWER to sched_api:                           ${both(placed.armedMs)}`)
  say(`  HANGUP_COMPLETE to the commit of the CDR:      ${both(late)}`)
  const commands = Object.entries(placed.commands).map(([verb, count]) => `${count} ${verb}`)
  const megabytes = (placed.bytes / 1e6).toFixed(0)
  say(`  ${placed.events} events of ${megabytes} MB; ${commands.join(', ')}`)
  say(`  the switch itself: ${(placed.cpuS / placed.tookS).toFixed(2)} cores`)
  return { placed, perS }
}

say(machine())
await rig.open({ accounts: ACCOUNTS, credit: PLENTY })
const read = await eventsAlone(rig, 40, bridged)
const written = await commitsAlone(rig, 150, ACCOUNTS)
for (const [what, { perS, perCpuS }] of Object.entries({ events: read, commits: written })) {
  say(`${what} alone: ${perS.toFixed(0)} calls/s, ${perCpuS.toFixed(0)} per second of CPU`)
}
await rig.startSwitch()
mkdirSync(profiles)
await rig.startDaemon(profiled ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [])
const order = { accounts: ACCOUNTS, bridged, talkMs: 1000, window: WINDOW }
const all = { perS: Number.POSITIVE_INFINITY }
await placed('warming up', { ...order, ...all, calls: CALLS / 5 })
const { perS } = await placed('at full speed', { ...order, ...all, calls: CALLS })
const least = Math.min(read.perS, written.perS)
say(`  ${((perS / least) * 100).toFixed(0)} % of the slower of the two limits`)
await placed('at half of that', { ...order, perS: perS / 2, calls: CALLS / 5 })
await rig.stopDaemon()
if (profiled) printProfile(profiles)
say(machine())
await rig.close()
