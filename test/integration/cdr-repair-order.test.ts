/**
 * Events of a call, its records, the sweeper and the grace in any order: whatever comes first, and
 * whatever does not come at all, the call is charged once, by its exact end, as far as there is credit.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { type Money, parseMoney, smaller } from '../../src/money.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { legEvent } from '../support/leg-events.js'
import { recordOf, recordOfA } from '../support/records.js'
import { repaired } from '../support/repaired.js'
import { CENT, LEG, s } from '../support/story.js'

const HAPPENINGS = [
  ...['created', 'answered', 'hungUp', 'hangupComplete', 'destroyed', 'seenAlive'],
  ...['record', 'recordAgain', 'recordOfA', 'lost', 'anHour', 'aWhile', 'decided'],
] as const

type Happening = (typeof HAPPENINGS)[number]

interface Life {
  readonly order: readonly Happening[]
  readonly credit: string
  readonly endedS: number
  readonly unseen: 'list' | 'charge'
  /** Whether the code is that of the A-leg. */
  readonly inherited: boolean
}

/** Whatever tells the end is often missed. */
const ENDS: readonly Happening[] = ['hungUp', 'hangupComplete', 'destroyed']
const MISSED = HAPPENINGS.filter(what => !ENDS.includes(what))

const lives = fc.record({
  order: fc.oneof(
    fc.shuffledSubarray([...HAPPENINGS], { minLength: 3 }),
    fc.shuffledSubarray(MISSED),
    fc.shuffledSubarray(MISSED, { maxLength: 4 }),
  ),
  credit: fc.constantFrom('100', '0.30', '0.05', '0'),
  endedS: fc.constantFrom(40, 100),
  unseen: fc.constantFrom('list' as const, 'charge' as const),
  inherited: fc.boolean(),
})

const usual = { endedS: 40, unseen: 'charge', inherited: false } as const

/** One of each kind, whatever chance brings besides. */
const EXAMPLES: readonly Life[] = [
  { ...usual, credit: '100', order: ['created', 'answered', 'hangupComplete'] },
  { ...usual, credit: '100', order: ['created', 'answered', 'lost'] },
  { ...usual, credit: '100', order: [] },
  { ...usual, credit: '0.30', endedS: 100, order: ['created', 'answered', 'hangupComplete'] },
  { ...usual, credit: '0', order: ['created', 'answered', 'hangupComplete'] },
]

type Site = Awaited<ReturnType<typeof repaired>>

async function happen(site: Site, life: Life, what: Happening): Promise<void> {
  const { calls, repair } = site
  const { link } = calls.parts
  const now = () => site.world.clock.now() / 1000
  const ac = life.inherited ? null : 'alice'
  const end = { answeredAt: s(3), cause: 'NORMAL_CLEARING', otherLeg: 'a-leg' }
  const hangupAt = s(life.endedS)
  const tell = (...[name, more]: Parameters<typeof legEvent>) =>
    link.onEvent(legEvent(name, { ac, otherLeg: 'a-leg', ...more }))
  const record = recordOf({ ended: life.endedS, variables: { ac } })
  switch (what) {
    case 'created':
      tell('CHANNEL_CREATE', { at: s(0) })
      break
    case 'answered':
      tell('CHANNEL_ANSWER', { at: s(3), answeredAt: s(3) })
      break
    case 'seenAlive':
      tell('OTHER', { at: s(20), answeredAt: s(3) })
      break
    case 'hungUp':
      tell('CHANNEL_HANGUP', { ...end, at: hangupAt })
      break
    case 'hangupComplete':
      tell('CHANNEL_HANGUP_COMPLETE', { ...end, at: hangupAt, hangupAt })
      break
    case 'destroyed':
      tell('CHANNEL_DESTROY', { ...end, at: hangupAt, hangupAt })
      break
    case 'record':
    case 'recordAgain':
      await repair.takeBody(Buffer.from(record))
      break
    case 'recordOfA':
      await repair.takeBody(Buffer.from(recordOfA({ ac: 'alice' })))
      break
    case 'lost':
      await lose(site)
      break
    case 'anHour':
      await calls.at(now() + 3600)
      break
    case 'aWhile':
      await calls.at(now() + 30)
      break
    case 'decided':
      await repair.decideDue()
  }
  await calls.rest()
}

/** The switch has no such leg, and says so until it is believed. */
async function lose({ calls, world }: Site): Promise<void> {
  const now = () => world.clock.now() / 1000
  for (let i = 0; i < 3; i++) {
    await calls.compare()
    await calls.beat(now() + 10)
  }
}

async function live(t: Test, life: Life): Promise<Record<string, number>> {
  const { credit, unseen } = life
  const site = await repaired(t, { credit, unseen, startS: 0, served: false })
  const { calls, world, repair } = site
  // The A-leg shows its code, if that is where it is.
  if (life.inherited) world.freeswitch.variables.set('a-leg ac', 'alice')
  await calls.beat(200)
  for (const what of life.order) await happen(site, life, what)
  // Sooner or later the records come, of both legs, and all that is alive is looked for.
  for (const last of ['record', 'recordOfA', 'lost'] as const) await happen(site, life, last)
  await calls.at(world.clock.now() / 1000 + 61)
  await repair.decideDue()
  await calls.rest()
  if ((await site.row())?.state === 'open') await repair.charge(LEG.callId, 'op', '')

  const cdrs = await site.cdrs()
  assert.equal(cdrs.length, 1, 'one CDR')
  const cdr = cdrs[0]!
  const price = BigInt(life.endedS - 3) * CENT
  assert.equal(cdr.endedAt, s(life.endedS), 'its end is exact')
  assert.equal(cdr.answeredAt, s(3))
  assert.equal(cdr.cost + cdr.writeOff, price, 'the price is that of the exact end')
  const { balance, held } = await site.alice()
  assert.equal(balance, parseMoney(credit) - cdr.cost, 'that is all that was charged')
  assert.equal(held, 0n)
  checkCost(cdr.cost, price, parseMoney(credit), life.endedS)
  const { problems } = await new SqliteAuditor(world.file).verify()
  assert.deepEqual(problems, [])
  const row = await site.row()
  assert.ok(row === undefined || row.state === 'charged', `the row is ${row?.state}`)
  world.file.close()
  return {
    [cdr.corrected ? 'corrected' : row ? 'unseen' : 'ordinary']: 1,
    [cdr.outcome]: 1,
  }
}

/** What is within the first hold is paid for, unless there is no credit for it. */
function checkCost(cost: Money, price: Money, credit: Money, endedS: number): void {
  const most = smaller(price, credit)
  assert.ok(cost <= most)
  if (endedS === 40 && cost !== 0n) assert.equal(cost, most)
}

t.test('any order', { timeout: 600_000 }, async t => {
  const seen: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(lives, async life => {
      for (const [what, n] of Object.entries(await live(t, life)))
        seen[what] = (seen[what] ?? 0) + n
    }),
    {
      numRuns: Number(process.env['RUNS'] ?? 120),
      endOnFailure: false,
      examples: EXAMPLES.map(life => [life]),
    },
  )
  for (const what of ['corrected', 'unseen', 'ordinary', 'completed', 'cut_off', 'refused']) {
    t.ok((seen[what] ?? 0) > 0, `${what}: ${seen[what]}`)
  }
})
