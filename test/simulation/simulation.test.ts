/**
 * The promise, from many seeds: see src/simulation. SIM_SEEDS says how many, SIM_SEED=n runs that
 * one, SIM_HOURS how long each is.
 */
import t from 'tap'
import { describeReport } from '../../src/simulation/report.js'
import { simulate } from '../../src/simulation/simulation.js'

const { SIM_SEED, SIM_SEEDS = '50', SIM_HOURS = '0.5' } = process.env
const hours = Number(SIM_HOURS)
const seeds = SIM_SEED
  ? [Number(SIM_SEED)]
  : Array.from({ length: Number(SIM_SEEDS) }, (_, i) => i + 1)

const total = { legs: 0, cutOffs: 0, deaths: 0, lost: 0, refunds: 0 }
const reasons = new Set<string>()
let changed = 0

/** All that a call may be refused for, and how else it may end but by its parties. */
const REASONS = [
  ...['account_closed', 'account_suspended', 'unknown_account', 'malformed_number', 'no_rate'],
  ...['destination_blocked', 'no_cost_rate', 'would_lose_money', 'no_credit', 'max_calls'],
  ...['max_calls_per_second', 'max_per_minute', 'max_spend_per_call', 'max_spend_per_day'],
  ...['ledger_unavailable', 'longest_call', 'not_renewed', 'killed', 'lost'],
]

for (const seed of seeds) {
  t.test(`seed ${seed}`, async t => {
    const report = await simulate({ seed, hours })
    total.legs += report.legs
    total.cutOffs += report.cutOffs
    total.deaths += report.deaths
    total.lost += report.lost
    total.refunds += report.refunds
    changed += report.changed
    for (const { reason } of report.reasons) reasons.add(reason)
    if (report.problems.length > 0) t.comment(describeReport(report))
    t.same(report.problems, [], `run it again with SIM_SEED=${seed} SIM_HOURS=${hours}`)
  })
}

t.test('the same seed runs the same way', async t => {
  const first = await simulate({ seed: 5, hours: 0.1 })
  t.same(await simulate({ seed: 5, hours: 0.1 }), first)
})

// A simulation in which nothing happens proves nothing.
t.test('enough has happened', { skip: SIM_SEED !== undefined }, async t => {
  t.comment(JSON.stringify(total))
  for (const [what, times] of Object.entries(total)) t.ok(times > seeds.length, what)
  t.ok(changed > seeds.length / 2, 'legs rang while their terms changed')
  // A few seeds do not meet everything.
  if (seeds.length >= 30) t.strictSame([...reasons].sort(), REASONS.sort(), 'every reason')
})
