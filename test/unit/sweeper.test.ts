/** What is alive and what is gone: after a gap in the events, a restart of the switch, or of us. */
import t from 'tap'
import { inLanes } from '../../src/controller/lanes.js'
import { lostAt } from '../../src/controller/sweeper.js'
import { inbound, legEvent } from '../support/leg-events.js'
import { CENT, LEG, s } from '../support/story.js'
import { restart, supervise } from '../support/supervised.js'

const REFUSED = 'hang up b-leg CALL_REJECTED'

const timer = (inS: number, generation: number, since: number) =>
  `hang up b-leg in ${inS} s, timer ${generation} for ${since}, ALLOTTED_TIMEOUT`

t.test('a call is lost when two complete answers are without it, and not before', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.at(10)
  t.equal(await calls.compare(), true)
  calls.world.freeswitch.legs.clear()
  await calls.at(40)
  t.equal(await calls.compare(), false, 'to be looked at again')
  t.equal(calls.phase(), 'answered')
  await calls.beat(45)
  t.equal(await calls.compare(), true)
  const { cdrs } = calls
  t.match(cdrs, [{ reason: 'lost', cause: 'LOST', outcome: 'completed', cost: '0.050000' }])
  t.match(cdrs, [{ duration_s: '5.000000' }], 'until it was last proven alive: the list lags')
  await calls.verify(t)
})

t.test('its hangup may come between the two answers', async t => {
  const calls = await supervise(t)
  await calls.talk()
  calls.world.freeswitch.legs.clear()
  await calls.at(40)
  await calls.compare()
  await calls.hangUp(39.5)
  t.match(calls.cdrs, [{ reason: null, cost: '0.370000' }])
  t.equal(await calls.compare(), true)
  t.equal(calls.cdrs.length, 1)
})

t.test('one that is found again is not missing any more', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { legs } = calls.world.freeswitch
  const leg = legs.get('b-leg')!
  legs.clear()
  t.equal(await calls.compare(), false)
  legs.set('b-leg', leg)
  t.equal(await calls.compare(), true)
  legs.clear()
  t.equal(await calls.compare(), false)
  t.equal(calls.phase(), 'answered', 'so it takes two answers again')
})

t.test('no answer is not "no calls"', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { failing, legs } = calls.world.freeswitch
  legs.clear()
  for (const verb of ['listLegs', 'describe'] as const) {
    failing.add(verb)
    for (let i = 0; i < 3; i++) await t.rejects(calls.compare(), { code: 'timeout' }, verb)
    failing.clear()
  }
  t.equal(calls.phase(), 'answered')
  t.equal(await calls.compare(), false, 'nor has any of it counted')
})

t.test('the list lags behind: the leg itself is asked', async t => {
  const calls = await supervise(t)
  await calls.talk()
  calls.world.freeswitch.unlisted.add('b-leg')
  for (let i = 0; i < 3; i++) t.equal(await calls.compare(), true)
  t.equal(calls.phase(), 'answered')
})

t.test('an answer that nobody heard is learned from the leg', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  const leg = legEvent('CHANNEL_DATA', { ac: 'alice', answeredAt: s(3) })
  calls.world.freeswitch.legs.set('b-leg', leg)
  await calls.at(40)
  calls.said()
  await calls.compare()
  t.equal(calls.phase(), 'answered')
  t.strictSame(calls.said(), [timer(25, 1, 0)])
  t.match(await calls.world.ledger.openCalls('fs1'), [{ answeredAt: s(3) }])
})

t.test('a new run of the switch: a leg may be brought back, with its timer', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.at(20)
  calls.said()
  const { freeswitch } = calls.world
  const leg = freeswitch.legs.get('b-leg')!
  freeswitch.legs.clear()
  freeswitch.coreUuid = 'core-2'
  t.equal(await calls.compare(), false, 'not lost at once')
  freeswitch.legs.set('b-leg', { ...leg, coreUuid: 'core-2' })
  t.equal(await calls.compare(), true)
  t.strictSame(calls.said(), [timer(45, 1, 0)], 'the new run has no timer of the old one')
  t.equal(calls.phase(), 'answered')
})

t.test('a new run of the switch without the leg: lost', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.at(20)
  calls.world.freeswitch.legs.clear()
  calls.world.freeswitch.coreUuid = 'core-2'
  t.equal(await calls.compare(), false)
  await calls.at(25)
  t.equal(await calls.compare(), false, 'the time of the new run is not known yet')
  await calls.beat(30)
  t.equal(await calls.compare(), false)
  await calls.beat(35)
  t.equal(await calls.compare(), true)
  t.match(calls.cdrs, [{ reason: 'lost', duration_s: '0.000000', answered_at: /37.260000Z$/ }])
})

t.test('a leg that comes back when its call is settled already is ended', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { legs } = calls.world.freeswitch
  const leg = legs.get('b-leg')!
  legs.clear()
  await calls.compare()
  await calls.beat(20)
  await calls.compare()
  t.equal(calls.cdrs.length, 1)
  legs.set('b-leg', leg)
  await calls.at(100)
  calls.said()
  await calls.compare()
  t.strictSame(calls.said(), [REFUSED], 'or it would talk on for nothing')
  await calls.hangUp(100.1)
  const [first, second] = calls.cdrs
  t.strictSame(second, first, 'one CDR')
  await calls.verify(t)
})

t.test('a live leg that nobody knew is adopted from its answer time', async t => {
  const calls = await supervise(t)
  const leg = legEvent('CHANNEL_DATA', { ac: 'alice', answeredAt: s(40) })
  calls.world.freeswitch.legs.set('b-leg', leg)
  await calls.at(100)
  await calls.compare()
  t.strictSame(calls.said(), [timer(62, 1, 0)])
  t.equal(await calls.held(), 120n * CENT)
  await calls.compare()
  t.strictSame(calls.said(), [], 'once')
})

t.test('or ended, where that is wanted', async t => {
  const calls = await supervise(t, { adopt: false })
  const { legs } = calls.world.freeswitch
  const own = { ac: 'alice', answeredAt: s(40) }
  legs.set('b-leg', legEvent('CHANNEL_DATA', own))
  legs.set('x-leg', legEvent('CHANNEL_DATA', { ...own, ac: null, legId: 'x-leg' }))
  await calls.at(100)
  await calls.compare()
  t.equal(calls.said()[0], 'hang up b-leg NORMAL_CLEARING')
  t.strictSame([...calls.parts.controller.calls.keys()], ['b-leg'], 'one without a code is free')
})

t.test('after a restart of ours, live calls go on', async t => {
  const before = await supervise(t)
  await before.talk()
  await before.at(55)
  const after = await restart(t, before)
  await after.at(70)
  // Without any event yet, the leg itself tells the time.
  t.equal(await after.compare(), true)
  t.strictSame(after.said(), [timer(55, 2, 0)])
  t.equal(await after.held(), 120n * CENT, 'no more than before')
  await after.hangUp(90)
  t.match(after.cdrs, [{ cost: '0.870000', held: '1.200000' }])
  await after.verify(t)
})

t.test('one that rang when we went, and talks when we come', async t => {
  const before = await supervise(t)
  await before.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  const after = await restart(t, before)
  const leg = legEvent('CHANNEL_DATA', { ac: 'alice', answeredAt: s(3) })
  after.world.freeswitch.legs.set('b-leg', leg)
  await after.at(30)
  await after.compare()
  t.strictSame(after.said(), [timer(35, 1, 0)])
})

t.test('one that rings on', async t => {
  const before = await supervise(t)
  await before.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  const after = await restart(t, before)
  after.world.freeswitch.legs.set('b-leg', legEvent('CHANNEL_DATA', { ac: 'alice' }))
  await after.at(5)
  await after.compare()
  t.strictSame(after.said(), ['hang up b-leg 62 s after answer, ALLOTTED_TIMEOUT'])
})

t.test(
  'one that ended while we were away: closed on proof, at the last time it was alive',
  async t => {
    const before = await supervise(t)
    await before.talk()
    await before.at(20)
    await before.compare()
    before.world.freeswitch.legs.clear()
    const after = await restart(t, before)
    await after.tell(80, 'CHANNEL_CREATE', { legId: 'other' })
    t.equal(await after.compare(), false)
    t.strictSame(after.cdrs, [], 'not by one answer')
    await after.beat(84.9)
    t.equal(await after.compare(), false, 'nor while its own events may be under way')
    await after.beat(85)
    t.equal(await after.compare(), true)
    t.match(after.cdrs, [{ reason: 'lost', duration_s: '15.000000', cost: '0.150000' }])
    t.equal(await after.held(), 0n)
    await after.verify(t)
  },
)

t.test('one whose end we hear first of all', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  await after.hangUp(30.5, { answeredAt: s(3) })
  t.match(after.cdrs, [{ cost: '0.280000', reason: null, outcome: 'completed' }])
  const overdue = await supervise(t)
  await overdue.talk()
  const late = await restart(t, overdue)
  await late.hangUp(64.2, { cause: 'ALLOTTED_TIMEOUT' })
  t.match(late.cdrs, [{ outcome: 'cut_off', reason: 'not_renewed', write_off: '0.020000' }])
})

t.test('a switch that does not answer after a restart changes nothing', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  after.world.freeswitch.failing.add('listLegs')
  for (let i = 0; i < 3; i++) await t.rejects(after.compare())
  t.equal(after.parts.link.remembered.size, 1)
  t.equal(await after.held(), 60n * CENT)
})

t.test('it is compared when the switch comes up, and again and again while it is', async t => {
  const calls = await supervise(t)
  const { freeswitch } = calls.world
  const { link, sweeper } = calls.parts
  let asked: number[] = []
  t.intercept(freeswitch, 'listLegs', {
    value: async () => {
      asked.push(calls.world.clock.now() / 1000)
      if (freeswitch.failing.has('listLegs')) throw new Error('no')
      return { coreUuid: 'core-1', legs: [] }
    },
  })
  await calls.tell(0, 'CHANNEL_CREATE', { legId: 'other' })
  sweeper.start(link)
  await calls.rest()
  await calls.rest()
  await calls.at(61)
  t.strictSame(asked, [0, 30, 60])
  asked = []
  freeswitch.failing.add('listLegs')
  await calls.at(95)
  t.strictSame(asked, [90, 92, 94], 'a switch that does not answer is asked again soon')
  freeswitch.failing.clear()
  await calls.tell(96, 'CHANNEL_CREATE', { ac: 'alice' })
  asked = []
  await calls.at(132)
  t.strictSame(asked, [126, 131], 'so is one that may have lost a call')
  link.onDown()
  asked = []
  await calls.at(300)
  t.strictSame(asked, [])
})

t.test('legs whose end was never announced are not remembered for ever', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { legId: 'a-leg', direction: 'inbound', ac: 'alice' })
  const { payers } = calls.parts.link
  await calls.compare()
  t.equal(payers.isKnown('a-leg'), true)
  calls.world.freeswitch.legs.set('a-leg', inbound('CHANNEL_DATA'))
  await calls.compare()
  calls.world.freeswitch.legs.clear()
  await calls.beat(20)
  await calls.compare()
  await calls.beat(24)
  await calls.compare()
  t.equal(payers.isKnown('a-leg'), true, 'its last events may be under way')
  await calls.beat(25)
  await calls.compare()
  t.equal(payers.isKnown('a-leg'), false)
})

t.test('the end of a lost leg', async t => {
  const { answeredAt, exact, lost } = lostAt(LEG.createdAt)
  t.strictSame({ answeredAt, exact, lost }, { answeredAt: null, exact: true, lost: true })
})

t.test('how often it compares, and what it does with strangers, may change', async t => {
  const calls = await supervise(t)
  const { sweeper, link } = calls.parts
  const { legs } = calls.world.freeswitch
  const stranger = (legId: string) => {
    const leg = { legId, ac: 'alice', createdAt: s(1), answeredAt: s(2), at: s(20) }
    legs.set(legId, legEvent('CHANNEL_DATA', leg))
  }
  sweeper.start(link)
  await calls.rest()
  await calls.beat(20)
  sweeper.reconfigure({ sweepS: 7, graceS: 5, adopt: false })
  stranger('b-leg')
  await calls.at(31)
  t.strictSame(calls.said()[0], 'hang up b-leg NORMAL_CLEARING', 'at the next comparison')
  stranger('c-leg')
  await calls.at(36)
  t.notMatch(calls.said().join(), 'c-leg')
  await calls.at(38)
  t.match(calls.said().join(), 'hang up c-leg NORMAL_CLEARING', 'and sooner from then on')
})

/** How often others had their turn while the work was done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let next = setImmediate(function count() {
    turns += 1
    next = setImmediate(count)
  })
  await work()
  clearImmediate(next)
  return turns
}

t.test('a comparison of many legs gives way to the calls', async t => {
  const calls = await supervise(t)
  const { link } = calls.parts
  await calls.beat(0)
  for (let i = 0; i < 3000; i++) {
    const legId = `leg-${i}`
    calls.world.freeswitch.legs.set(legId, legEvent('CHANNEL_DATA', { legId }))
    link.payers.see(legId)
  }
  const turns = await turnsDuring(() => calls.parts.sweeper.compare(link))
  t.ok(turns >= 8, `${turns} turns`)
})

t.test('so does work in lanes that has nothing to wait for', async t => {
  const done: number[] = []
  const items = Array.from({ length: 2000 }, (_, i) => i)
  const turns = await turnsDuring(() => inLanes(items, async item => void done.push(item)))
  t.strictSame(
    done.sort((a, b) => a - b),
    items,
  )
  t.ok(turns >= 3, `${turns} turns`)
})
