/**
 * Tollgate on a real FreeSWITCH, end to end: `npm run e2e`. CONTRIBUTING.md says how to point it at
 * one; `-g /gate/` runs one part. Each part has a daemon, books and phones of its own.
 */
import t, { type Test } from 'tap'
import { findInstallation } from './lab/installation.js'
import { Lab, type LabOptions } from './lab/lab.js'
import { calls } from './scenarios/calls.js'
import { gate } from './scenarios/gate.js'
import { legs } from './scenarios/legs.js'
import { restart } from './scenarios/restart.js'
import { sipAccounts } from './scenarios/sip-accounts.js'
import { trouble } from './scenarios/trouble.js'
import { warnings } from './scenarios/warnings.js'

const PART_MS = 20 * 60_000

type Part = readonly [name: string, options: LabOptions, scenarios: (t: Test, lab: Lab) => void]

const PARTS: readonly Part[] = [
  ['calls', {}, calls],
  ['legs', {}, legs],
  ['gate', {}, gate],
  ['sip accounts', { posts: true }, sipAccounts],
  ['warnings', {}, warnings],
  ['trouble', { posts: true }, trouble],
  ['restart', {}, restart],
]

const installation = findInstallation(process.env)
if (installation) {
  t.setTimeout(PARTS.length * PART_MS)
  for (const [name, options, scenarios] of PARTS) {
    t.test(name, { timeout: PART_MS }, async t => {
      const lab = await Lab.open(t, installation, options)
      t.comment(await lab.freeswitch.version)
      scenarios(t, lab)
      t.test('tollgate verify', async t => {
        t.match(JSON.parse(await lab.tollgate('verify', '--json')), { ok: true, problems: [] })
      })
    })
  }
} else {
  t.plan(
    0,
    'NOT TESTED on a real FreeSWITCH: set TOLLGATE_E2E_ESL=host:port and TOLLGATE_E2E_CONF=directory, as CONTRIBUTING.md explains',
  )
}
