/**
 * Live calls: as many at once as asked for, each renewed every 60 s, a tenth of them on accounts whose
 * credit ends after 75 s. How late renewals and cut-offs reach the switch, by its own stamps, which step
 * in 20 ms; the memory of a call; the CPU that it takes to keep them.
 *
 *   node --import=tsx bench/live.ts [CALLS] [CALLS-A-SECOND]
 */
import { setTimeout } from 'node:timers/promises'
import { costOf } from '../src/rating/rate.js'
import { RATE } from '../test/support/site.js'
import { machine, PLENTY, quantile, Rig, say } from './load/rig.js'

const CALLS = Number(process.argv[2] ?? 100_000)
const PER_S = Number(process.argv[3] ?? 1500)

const ACCOUNTS = 1000
const POOR = CALLS / 10
const POOR_S = 75

/** The rules as they come: chunks of a minute, the next asked for ten seconds before. */
const CHUNK_S = 60
const LEAD_S = 10
const TALK_MS = 130_000

const rig = new Rig()
say(machine())
await rig.open({ accounts: ACCOUNTS, credit: PLENTY })
await rig.addAccounts(ACCOUNTS, POOR, costOf(RATE, POOR_S))
await rig.startSwitch()
await rig.startDaemon()
const before = rig.usage
const about = {
  accounts: ACCOUNTS,
  poor: POOR,
  firstPoor: ACCOUNTS,
  bridged: false,
  talkMs: TALK_MS,
}
const placing = rig.place({ ...about, calls: CALLS, window: 400, perS: PER_S })
await setTimeout((CALLS / PER_S) * 1000 + 5000)
const up = rig.usage
const seconds = 20
await setTimeout(seconds * 1000)
const later = rig.usage
const { raisedMs, killedMs, commands, cpuS, tookS, ownDelayMs } = await placing

const perCall = ((up.residentMb - before.residentMb) * 1024) / CALLS
const cores = ((later.cpuS - up.cpuS) / (later.atMs - up.atMs)) * 1000
say(`${CALLS} calls, ${PER_S} more a second: ${perCall.toFixed(1)} kB a call, with garbage`)
say(`kept for ${seconds} s: ${cores.toFixed(2)} cores`)

/** Since the latest instant at which a renewal was due. */
const late = raisedMs.map(ms => (ms + LEAD_S * 1000) % (CHUNK_S * 1000)).filter(ms => ms < 30_000)
const cutOff = killedMs.map(ms => ms - POOR_S * 1000)
for (const [what, values] of Object.entries({ 'renewals late': late, 'cut-offs late': cutOff })) {
  const at = (share: number) => quantile(values, share).toFixed(0)
  say(`${what}: p50 ${at(0.5)}  p99 ${at(0.99)}  max ${at(1)} ms, of ${values.length}`)
}
say(
  Object.entries(commands)
    .map(([verb, count]) => `${count} ${verb}`)
    .join(', '),
)
const { p99, max } = ownDelayMs
say(
  `the switch itself: ${(cpuS / tookS).toFixed(2)} cores; late by ${p99.toFixed(0)} ms in 99 of 100 turns, ${max.toFixed(0)} ms at most`,
)
say(machine())
await rig.close()
