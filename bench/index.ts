/**
 * `npm run bench [quick]`: one figure after the other, each in a process of its own. Quick takes a few
 * minutes and shows that all of them run; its figures are worth less.
 */
import { spawnSync } from 'node:child_process'
import { say } from './load/rig.js'

const quick = process.argv[2] === 'quick'

/** Each file, with its arguments in full and when it has to be quick. */
const FIGURES: readonly (readonly [file: string, full: string, quick: string])[] = [
  ['calls', '100000 outbound cpu-prof', '5000 outbound'],
  ['calls', '50000 bridged', '2500 bridged'],
  ['live', '100000 1500', '5000 500'],
  ['hot-account', '50000', '5000'],
  ['recovery', '50000', '2000'],
  ['rates', '', '50000'],
  ['growth', '50000 1000000 1000 100000 1000000', '5000 20000 1000 10000'],
  ['gate', '20 10 100 500', '3 10 100'],
  ['cli', '20', '5'],
  ['cut-off-latency', '10000 100', '500 50'],
  ['soak', '60 1000', '1 200'],
]

for (const [file, full, brief] of FIGURES) {
  const args = (quick ? brief : full).split(' ').filter(arg => arg !== '')
  say(`\n── ${file} ${args.join(' ')}`)
  const path = new URL(`./${file}.ts`, import.meta.url).pathname
  const { status } = spawnSync(process.execPath, ['--import=tsx', path, ...args], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}
