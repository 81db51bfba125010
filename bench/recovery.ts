/**
 * How long it takes from the start of a daemon until it supervises all calls that were alive
 * before: those on its books, on a simulated switch that lists them.
 *
 *   node --import=tsx bench/recovery.ts [CALLS]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { costOf } from '../src/rating/rate.js'
import { tariffOf } from '../src/rating/tariff.js'
import { Dice } from '../src/simulation/dice.js'
import type { LegRecord } from '../src/simulator/history.js'
import { SqliteLedger } from '../src/sqlite/ledger.js'
import { LedgerFile } from '../src/sqlite/ledger-file.js'
import { Program } from '../test/support/program.js'
import { RATE, Site } from '../test/support/site.js'
import { usageOf } from './load/rig.js'

const CALLS = Number(process.argv[2] ?? 50_000)

const HELD_S = 600

/** As FreeSWITCH has it. */
const HEARTBEAT_S = 20

const SHOW = 'show channels as json'

const say = (line: string) => process.stdout.write(`${line}\n`)

const scratch = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))
const program = Program.built(join(scratch, 'build'))

/** Writes down the calls, each with its hold, as a daemon had that was killed. */
async function record(site: Site, legs: readonly LegRecord[]): Promise<void> {
  const file = new LedgerFile(join(site.dataDir, 'ledger.db'))
  const ledger = new SqliteLedger(file)
  const total = costOf(RATE, HELD_S)
  const { coreUuid } = site.freeswitch
  await Promise.all(
    legs.map(({ uuid, number, createdAt, answeredAt, originator }) =>
      ledger.hold({
        leg: {
          callId: uuid,
          switch: 'sim',
          coreUuid,
          account: 'RICH',
          dialled: number,
          createdAt,
          otherLeg: originator ?? null,
        },
        at: createdAt,
        tariff: tariffOf('retail', number, RATE),
        answeredAt: answeredAt!,
        total,
        atLeast: 0n,
      }),
    ),
  )
  file.close()
}

/**
 * What the switch lists, made beforehand: how long the simulated one takes for it, in the process that
 * answers all else, says nothing of FreeSWITCH.
 */
function list({ freeswitch }: Site): string {
  const startedAt = performance.now()
  const listing = freeswitch.api(SHOW)
  const [tookS, mb] = [(performance.now() - startedAt) / 1000, listing.length / 1e6]
  say(`the list has ${mb.toFixed(0)} MB; to make it, which is not counted: ${tookS.toFixed(1)} s`)
  return listing
}

async function measure(aLeg: boolean): Promise<void> {
  const site = new Site(join(scratch, aLeg ? 'bridged' : 'outbound'), new Dice(1), HEARTBEAT_S)
  await site.open({}, { RICH: '100000000' })
  for (let i = 0; i < CALLS; i++) {
    const call = { number: '442079460000', ac: 'RICH', ringMs: 0, answer: true, instant: true }
    site.freeswitch.placeCall({ ...call, aLeg, talkMs: null })
  }
  const up = () => site.paying().filter(leg => leg.answeredAt !== undefined).length
  while (up() < CALLS) await setTimeout(200)
  await record(site, site.paying())

  const listing = list(site)
  const commands = new Map<string, number>()
  let lastTimerAt = 0
  const startedAt = performance.now()
  site.server.faults.api = line => {
    const verb = line.slice(0, line.indexOf(' '))
    commands.set(verb, (commands.get(verb) ?? 0) + 1)
    if (verb === 'sched_api') lastTimerAt = performance.now()
    return line === SHOW ? { reply: listing } : undefined
  }
  const daemon = program.daemon(['--data', site.dataDir])
  const seconds = (at = performance.now()) => `${((at - startedAt) / 1000).toFixed(1)} s`
  const line = await daemon.says('all live calls are supervised')
  const { cpuS } = usageOf(daemon.pid)
  const legs = site.freeswitch.legs().length
  say(`${line['calls']} calls, ${legs} legs: supervised ${seconds()}, ${cpuS.toFixed(1)} s of CPU`)
  while ((commands.get('sched_api') ?? 0) < CALLS) await setTimeout(100)
  say(`  the last timer of the switch is moved after ${seconds(lastTimerAt)}`)
  while ((commands.get('uuid_getvar') ?? 0) < (aLeg ? CALLS : 0)) await setTimeout(100)
  say(`  the last A-leg is asked after ${seconds()}`)
  say(`  ${[...commands].map(([verb, count]) => `${count} ${verb}`).join(', ')}`)
  await daemon.kill()
  await site.close()
}

await measure(false)
await measure(true)
rmSync(scratch, { recursive: true })
