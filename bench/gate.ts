/**
 * How long the gate takes: from the connection of a switch to the last word of the answer, by a daemon
 * in a process of its own, with its ledger on the disk.
 *
 *   node --import=tsx bench/gate.ts [SECONDS] [CALLS-A-SECOND…]
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Dice } from '../src/simulation/dice.js'
import { described } from '../test/support/gate-caller.js'
import { Program } from '../test/support/program.js'
import { Site } from '../test/support/site.js'

const SECONDS = Number(process.argv[2] ?? 20)
const RATES = process.argv.length > 3 ? process.argv.slice(3).map(Number) : [10, 100, 500]

const say = (line: string) => process.stdout.write(`${line}\n`)

const scratch = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))
const site = new Site(join(scratch, 'data'), new Dice(1))
await site.open({}, { RICH: '1000000000' })
const file = join(site.dataDir, 'tollgate.toml')
writeFileSync(file, `${readFileSync(file, 'utf8')}[gate]\nlisten = "127.0.0.1:0"\n`)
const daemon = Program.built(join(scratch, 'build')).daemon(['--data', site.dataDir])
const { port } = (await daemon.says('the gate is open')) as unknown as { port: number }
await daemon.says('all live calls are supervised')
// A heartbeat tells the daemon which run of the switch it is.
await setTimeout(1500)

const { freeswitch } = site
const NOBODY = 'an-a-leg'
const headers = { variable_tollgate_number: '442079460000' }
const at = freeswitch.options.timeline.now()
const who = { port, aLeg: NOBODY, coreUuid: freeswitch.coreUuid, at, account: 'RICH', headers }
const [start, ...rest] = described(who).split(NOBODY)
const GOODBYE = 'Content-Type: api/response\nContent-Length: 4\n\n+OK\n'
let refused = 0

/** One A-leg asks. What is held for its leg stays held: no leg comes. */
function timed(): Promise<number> {
  return new Promise((resolve, reject) => {
    const aLeg = randomUUID()
    const startedAt = performance.now()
    const socket = connect(port, '127.0.0.1').setNoDelay(true)
    let heard = ''
    socket.on('error', reject)
    socket.on('data', chunk => {
      heard += chunk.toString('latin1')
      if (heard === 'connect\n\n') socket.write([start, ...rest].join(aLeg))
      if (!heard.endsWith('exit\n\n')) return
      if (!heard.includes('tollgate_result=allow')) refused += 1
      resolve(performance.now() - startedAt)
      socket.end(GOODBYE)
    })
  })
}

for (const perS of RATES) {
  const startedAt = performance.now()
  const asked: Promise<number>[] = []
  while (asked.length < SECONDS * perS) {
    const due = ((performance.now() - startedAt) / 1000) * perS
    while (asked.length < due && asked.length < SECONDS * perS) asked.push(timed())
    await setTimeout(1)
  }
  const tookMs = (await Promise.all(asked)).sort((a, b) => a - b)
  const quantile = (share: number) =>
    tookMs[Math.min(tookMs.length - 1, Math.floor(tookMs.length * share))]!.toFixed(1)
  const figures = `p50 ${quantile(0.5)}  p99 ${quantile(0.99)}  max ${quantile(1)} ms`
  say(
    `${String(perS).padStart(5)} a second: ${figures}, ${refused} of ${asked.length} not let through`,
  )
}
await daemon.kill('SIGTERM')
await site.close()
rmSync(scratch, { recursive: true })
