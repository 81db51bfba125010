/**
 * How long `tollgate account show` takes, the whole process, with and without a daemon, beside a Node
 * that does nothing.
 *
 *   node --import=tsx bench/cli.ts [RUNS]
 */
import { spawnSync } from 'node:child_process'
import { accountCode } from './load/recorded-events.js'
import { machine, PLENTY, quantile, Rig, say } from './load/rig.js'

const RUNS = Number(process.argv[2] ?? 20)

const rig = new Rig()
say(machine())
await rig.open({ accounts: 1000, credit: PLENTY })
const [node, ...program] = rig.program.command
const show = [...program, 'account', 'show', accountCode(7), '--data', rig.dataDir]

/** The quickest of all is the one that the fewest others were in the way of. */
function measure(what: string, args: readonly string[], peer?: number): number {
  const ms: number[] = []
  for (let i = 0; i < RUNS; i++) {
    const startedAt = performance.now()
    const { status, stderr } = spawnSync(node!, args)
    if (status !== 0) throw new Error(String(stderr))
    ms.push(performance.now() - startedAt)
  }
  const least = quantile(ms, 0)
  const ratio = peer ? `, ${(least / peer).toFixed(1)} times Node itself` : ''
  say(`${what}: least ${least.toFixed(0)}, p50 ${quantile(ms, 0.5).toFixed(0)} ms${ratio}`)
  return least
}

const peer = measure('node -e 0', ['-e', '0'])
measure('account show, from the files', show, peer)
await rig.startSwitch()
await rig.startDaemon()
measure('account show, from the daemon', show, peer)
say(machine())
await rig.close()
