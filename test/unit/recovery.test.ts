/** What must not go wrong under load: events are late, legs fail to tell, two things come at once. */
import pino from 'pino'
import t, { type Test } from 'tap'
import type { LegEvent } from '../../src/call/leg-event.js'
import { Sweeper } from '../../src/controller/sweeper.js'
import { SwitchLink } from '../../src/controller/switch-link.js'
import { inbound, legEvent } from '../support/leg-events.js'
import { CENT, LEG, s, TARIFF } from '../support/story.js'
import { FakeSwitch, restart, supervise } from '../support/supervised.js'

const KILLED = 'hang up b-leg NORMAL_CLEARING'
const REFUSED = 'hang up b-leg CALL_REJECTED'

const timer = (inS: number, generation: number, since: number, leg = 'b-leg') =>
  `hang up ${leg} in ${inS} s, timer ${generation} for ${since}, ALLOTTED_TIMEOUT`

/** What is alive, and what the switch says of it. */
const alive = (more: Partial<LegEvent> = {}) =>
  legEvent('CHANNEL_DATA', { ac: 'alice', answeredAt: s(3), ...more })

t.test('a call whose HANGUP is still under way is not lost', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.at(60)
  calls.world.freeswitch.legs.clear()
  for (const seconds of [60, 65, 70, 75]) {
    await calls.at(seconds)
    t.equal(await calls.compare(), false, 'nothing has been heard since')
  }
  calls.parts.link.onEvent(legEvent('OTHER', { legId: 'other', at: s(59.9) }))
  t.equal(await calls.compare(), false, 'what has come late is from before')
  calls.world.freeswitch.legs.set('x-leg', legEvent('CHANNEL_DATA', { legId: 'x-leg' }))
  await calls.at(90)
  t.equal(await calls.compare(), false, 'the answer to a command has overtaken it')
  await calls.hangUp(59.5)
  t.match(calls.cdrs, [{ reason: null, cost: '0.570000', duration_s: '56.500000' }])
  t.equal(await calls.compare(), true)
})

t.test('the exact end of a call is waited for while events are late', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.at(60)
  // Its own stamp is early; HANGUP_COMPLETE is somewhere in the queue.
  await calls.tell(60, 'CHANNEL_HANGUP', { at: s(39.99), cause: 'NORMAL_CLEARING' })
  await calls.at(70)
  calls.parts.link.onEvent(legEvent('OTHER', { legId: 'other', at: s(44.98) }))
  await calls.at(80)
  t.equal(calls.phase(), 'settling')
  t.strictSame(calls.cdrs, [])
  await calls.hangUp(40.01)
  t.match(calls.cdrs, [{ reason: null, cost: '0.380000', duration_s: '37.010000' }])
})

t.test('but not once it cannot come any more', async t => {
  for (const [why, go] of [
    ['later events have come', calls => calls.beat(44.99)],
    ['the connection is lost', async calls => calls.parts.link.onDown()],
    ['there is another one', async calls => calls.parts.link.onUp()],
  ] as [string, (calls: Awaited<ReturnType<typeof supervise>>) => Promise<void>][]) {
    const calls = await supervise(t)
    await calls.talk()
    await calls.tell(39.99, 'CHANNEL_HANGUP', { cause: 'NORMAL_CLEARING' })
    await go(calls)
    await calls.at(46)
    t.match(calls.cdrs, [{ cost: '0.370000', duration_s: '36.990000' }], why)
  }
})

t.test('what was heard on a connection that is lost proves nothing', async t => {
  for (const up of [true, false]) {
    const calls = await supervise(t)
    const { link } = calls.parts
    await calls.talk()
    calls.world.freeswitch.legs.clear()
    await calls.compare()
    await calls.beat(20)
    if (up) link.onUp()
    else link.onDown()
    t.equal(await calls.compare(), false)
    await calls.beat(21)
    t.equal(await calls.compare(), true)
    t.match(calls.cdrs, [{ reason: 'lost' }])
  }
})

t.test('a switch that starts anew is asked twice in its new run', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { freeswitch } = calls.world
  const leg = freeswitch.legs.get('b-leg')!
  freeswitch.legs.clear()
  t.equal(await calls.compare(), false)
  freeswitch.coreUuid = 'core-2'
  await calls.beat(20)
  t.equal(await calls.compare(), false, 'what the old run said is no word on the new one')
  freeswitch.legs.set('b-leg', { ...leg, coreUuid: 'core-2' })
  t.equal(await calls.compare(), true, 'brought back late')
  t.equal(calls.phase(), 'answered')
})

t.test('and twice is enough', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { freeswitch } = calls.world
  freeswitch.legs.clear()
  t.equal(await calls.compare(), false)
  freeswitch.coreUuid = 'core-2'
  await calls.beat(20)
  t.equal(await calls.compare(), false)
  await calls.beat(25)
  t.equal(await calls.compare(), true)
  t.match(calls.cdrs, [{ reason: 'lost' }])
})

t.test('the stamps of two runs are not compared', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.beat(90)
  const { freeswitch } = calls.world
  freeswitch.legs.clear()
  freeswitch.coreUuid = 'core-2'
  // This run's clock is behind that of the old one, of which an event has come last.
  freeswitch.legs.set('x-leg', legEvent('CHANNEL_DATA', { legId: 'x-leg', coreUuid: 'core-2' }))
  const describe = freeswitch.describe.bind(freeswitch)
  t.intercept(freeswitch, 'describe', {
    value: async (legId: string) => {
      const leg = await describe(legId)
      return leg && { ...leg, at: leg.at - 60e6 }
    },
  })
  for (let i = 0; i < 3; i++) t.equal(await calls.compare(), false)
  t.equal(calls.phase(), 'answered')
})

t.test('of a run that nothing is heard of yet, the time is not recorded', async t => {
  const calls = await supervise(t)
  await calls.beat(10)
  calls.world.freeswitch.coreUuid = 'core-2'
  await calls.at(20)
  await calls.compare()
  t.equal(await calls.world.ledger.lastHeard('fs1', 'core-2'), 0)
})

t.test('a leg that is found again, and then missing again, starts anew', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { legs, unlisted } = calls.world.freeswitch
  const leg = legs.get('b-leg')!
  unlisted.add('b-leg')
  legs.clear()
  t.equal(await calls.compare(), false)
  legs.set('b-leg', leg)
  await calls.beat(20)
  t.equal(await calls.compare(), true)
  legs.clear()
  t.equal(await calls.compare(), false)
  t.equal(calls.phase(), 'answered')
})

t.test('a HANGUP that comes while the session is asked for the last time', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { hanging, legs } = calls.world.freeswitch
  legs.clear()
  await calls.compare()
  await calls.beat(20)
  hanging.add('describe')
  const compared = calls.parts.sweeper.compare(calls.parts.link)
  await calls.tell(20, 'CHANNEL_HANGUP', { at: s(14.99), cause: 'NORMAL_CLEARING' })
  hanging.clear()
  t.equal(await compared, true)
  await calls.hangUp(15)
  t.match(calls.cdrs, [{ reason: null, duration_s: '12.000000' }])
})

t.test('in a new run the session itself has the last word, too', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { freeswitch } = calls.world
  freeswitch.coreUuid = 'core-2'
  freeswitch.legs.set('b-leg', alive({ coreUuid: 'core-2' }))
  freeswitch.unlisted.add('b-leg')
  await calls.beat(20)
  t.equal(await calls.compare(), false)
  await calls.beat(25)
  calls.said()
  t.equal(await calls.compare(), true)
  t.equal(calls.phase(), 'answered')
  t.strictSame(calls.said(), [timer(40, 1, 0)], 'without a timer in this run')
})

t.test('so has the session of a call on record', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  const { freeswitch } = after.world
  freeswitch.coreUuid = 'core-2'
  freeswitch.legs.set('b-leg', alive({ coreUuid: 'core-2' }))
  freeswitch.unlisted.add('b-leg')
  await after.beat(20)
  t.equal(await after.compare(), false)
  t.equal(await after.compare(), false, 'nothing has been heard since')
  await after.beat(25)
  t.equal(await after.compare(), true)
  t.equal(after.phase(), 'answered')
})

t.test('an answer that nobody heard, of a leg that is not listed yet', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  calls.world.freeswitch.legs.set('b-leg', alive())
  calls.world.freeswitch.unlisted.add('b-leg')
  await calls.at(20)
  t.equal(await calls.compare(), true)
  t.equal(calls.phase(), 'answered')
})

t.test('a call is gone on with by the time of the switch, not by ours', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  after.world.freeswitch.unlisted.add('b-leg')
  await after.at(30)
  t.equal(await after.compare(), true)
  t.strictSame(after.said(), [timer(35, 1, 0)], 'though nothing told the time but this leg')
  await after.at(53)
  t.strictSame(after.said(), [timer(72, 2, 1)], 'and it is renewed')
})

t.test('without the time of the switch no call is gone on with', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  const { freeswitch } = after.world
  freeswitch.failing.add('describe')
  await after.at(30)
  await t.rejects(after.compare(), { code: 'unexpected' })
  t.strictSame(after.said(), [])
  t.equal(after.parts.link.remembered.size, 1)
  freeswitch.failing.clear()
  t.equal(await after.compare(), true)
  t.strictSame(after.said(), [timer(35, 1, 0)])
})

t.test('the time is asked of another leg where one is gone or does not tell', async t => {
  const calls = await supervise(t)
  const { freeswitch } = calls.world
  freeswitch.legs.set('b-leg', alive())
  const legs = [alive({ legId: 'gone' }), alive({ legId: 'mute' }), alive()]
  t.intercept(freeswitch, 'listLegs', { value: async () => ({ coreUuid: LEG.coreUuid, legs }) })
  const describe = freeswitch.describe.bind(freeswitch)
  t.intercept(freeswitch, 'describe', {
    value: async (legId: string) => {
      if (legId === 'mute') throw new Error('no')
      return describe(legId)
    },
  })
  await calls.at(30)
  await t.rejects(calls.compare(), { message: 'no' })
  await calls.rest()
  t.equal(calls.phase(), 'answered')
})

t.test('a call on record tells the time before the list does', async t => {
  for (const isAlive of [true, false]) {
    const before = await supervise(t)
    await before.talk()
    const after = await restart(t, before)
    const { freeswitch } = after.world
    freeswitch.legs.set('x-leg', alive({ legId: 'x-leg', ac: null }))
    if (!isAlive) freeswitch.legs.delete('b-leg')
    let lists = 0
    const listLegs = freeswitch.listLegs.bind(freeswitch)
    t.intercept(freeswitch, 'listLegs', {
      value: () => {
        lists += 1
        return listLegs()
      },
    })
    await after.at(30)
    await after.compare()
    t.equal(lists, isAlive ? 1 : 2, 'which may be long, and need not be asked for twice')
  }
})

t.test('what was alive before the time was learnt may be over since', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  const { freeswitch } = after.world
  const { legs } = freeswitch
  legs.set('x-leg', alive({ legId: 'x-leg', ac: null }))
  const describe = freeswitch.describe.bind(freeswitch)
  let told = false
  t.intercept(freeswitch, 'describe', {
    value: async (legId: string) => {
      if (legId === 'b-leg' && !told) throw new Error('only the other leg tells the time')
      told = true
      return describe(legId)
    },
  })
  const listLegs = freeswitch.listLegs.bind(freeswitch)
  t.intercept(freeswitch, 'listLegs', {
    value: async () => {
      const listing = await listLegs()
      legs.delete('b-leg')
      return listing
    },
  })
  await after.at(30)
  t.equal(await after.compare(), false)
  t.equal(after.phase(), undefined)
})

t.test('a settlement that fails is tried again once a second', async t => {
  const before = await supervise(t)
  await before.talk()
  before.world.freeswitch.legs.clear()
  const after = await restart(t, before)
  after.world.failing.add('settle')
  const settlements = () => after.world.asked.filter(verb => verb === 'settle').length
  await after.hangUp(30)
  await after.at(40)
  t.equal(settlements(), 11)
  after.world.failing.clear()
  await after.at(41)
  t.match(after.cdrs, [{ cost: '0.270000' }])
  t.equal(settlements(), 12)
})

t.test('one comparison at a time, and another for who came up meanwhile', async t => {
  const calls = await supervise(t)
  const { link, sweeper } = calls.parts
  const asked: number[] = []
  let slow = false
  let busy = 0
  let most = 0
  t.intercept(calls.world.freeswitch, 'listLegs', {
    value: async () => {
      asked.push(calls.world.clock.now() / 1000)
      busy += 1
      while (slow) await new Promise(resolve => setImmediate(resolve))
      most = Math.max(most, busy)
      for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
      busy -= 1
      return { coreUuid: LEG.coreUuid, legs: [] }
    },
  })
  await calls.beat(0)
  for (let i = 0; i < 3; i++) sweeper.start(link)
  t.equal(asked.length, 1)
  await calls.rest()
  t.strictSame(asked, [0, 0], 'the second, for all that came meanwhile')
  t.equal(most, 1)
  await calls.at(29)
  sweeper.start(link)
  await calls.rest()
  await calls.at(58)
  t.strictSame(asked, [0, 0, 29], 'it takes the place of the next one')
  await calls.at(59)
  t.strictSame(asked, [0, 0, 29, 59])
  await calls.at(88)
  slow = true
  sweeper.start(link)
  await calls.at(95)
  t.strictSame(asked, [0, 0, 29, 59, 88], 'which was due at 89')
  slow = false
  await calls.rest()
  t.equal(most, 1)
})

t.test('nobody waits for the ledger to record when a switch was heard of', async t => {
  const calls = await supervise(t)
  calls.world.hanging.add('heard')
  await calls.beat(0)
  t.equal(await calls.compare(), true)
  calls.world.hanging.clear()
  calls.world.failing.add('heard')
  t.equal(await calls.compare(), true)
})

t.test('legs that fail to tell do not keep the others from their turn', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  const { freeswitch } = after.world
  const strangers = Array.from({ length: 40 }, (_, i) => `x-${i}`)
  for (const legId of strangers) freeswitch.legs.set(legId, alive({ legId, ac: null }))
  freeswitch.legs.set('c-leg', alive({ legId: 'c-leg' }))
  const describe = freeswitch.describe.bind(freeswitch)
  t.intercept(freeswitch, 'describe', {
    value: async (legId: string) => {
      if (legId.startsWith('x-') || legId === 'ringing') throw new Error(legId)
      return describe(legId)
    },
  })
  await after.tell(1, 'CHANNEL_CREATE', { legId: 'd-leg', ac: 'alice' })
  await after.tell(1, 'CHANNEL_CREATE', { legId: 'ringing', ac: 'alice' })
  freeswitch.legs.set('ringing', alive({ legId: 'ringing' }))
  await after.at(10)
  await t.rejects(after.compare(), { message: 'ringing' })
  await after.rest()
  t.equal(after.phase('b-leg'), 'answered', 'a call on record is gone on with')
  t.equal(after.phase('c-leg'), 'answered', 'a leg is adopted')
  t.type(after.parts.controller.calls.get('d-leg')?.missing?.at, 'number', 'one is missing')
})

t.test('not adopted: nor is a leg whose code its A-leg has', async t => {
  const calls = await supervise(t, { adopt: false })
  const { freeswitch } = calls.world
  freeswitch.variables.set('a-leg ac', 'alice')
  freeswitch.legs.set('b-leg', alive({ ac: null, otherLeg: 'a-leg' }))
  await calls.at(100)
  await calls.compare()
  t.match(calls.said(), ['ac of a-leg', 'ac_leg of a-leg', KILLED])
})

t.test('nor one whose A-leg tells it before it answers', async t => {
  const calls = await supervise(t, { adopt: false })
  const { freeswitch } = calls.world
  freeswitch.hanging.add('variable')
  freeswitch.legs.set('b-leg', alive({ ac: null, otherLeg: 'a-leg' }))
  await calls.at(100)
  await calls.compare()
  calls.parts.link.onEvent(inbound('OTHER', { ac: 'alice', at: s(100) }))
  await calls.rest()
  t.strictSame(calls.said().slice(0, 2), ['ac of a-leg', KILLED])
  freeswitch.hanging.clear()
  await calls.rest()
  t.strictSame([...calls.parts.controller.calls.keys()], ['b-leg'])
})

t.test('an A-leg is only described where it pays for itself', async t => {
  const calls = await supervise(t)
  const { freeswitch } = calls.world
  const described: string[] = []
  const describe = freeswitch.describe.bind(freeswitch)
  t.intercept(freeswitch, 'describe', {
    value: (legId: string) => {
      described.push(legId)
      return describe(legId)
    },
  })
  await calls.beat(100)
  const pays = { legId: 'ivr', ac: 'alice', acLeg: 'a', answeredAt: s(3) }
  const ivr = inbound('CHANNEL_DATA', pays)
  freeswitch.legs.set('a-leg', inbound('CHANNEL_DATA', { ac: 'alice' }))
  freeswitch.legs.set('ivr', ivr)
  freeswitch.variables.set('a-leg ac', 'alice').set('ivr ac_leg', 'a')
  await calls.compare()
  t.strictSame([...calls.parts.controller.calls.keys()], ['ivr'], 'and is adopted')
  t.equal(described.filter(legId => legId === 'ivr').length, 1)
  t.match(calls.said().slice(0, 2), ['ac_leg of a-leg', 'ac_leg of ivr'])
  described.length = 0
  await calls.compare()
  t.strictSame(described, ['a-leg'], 'once, for the time')
  t.strictSame(calls.said(), [], 'and nothing is asked again')
  await calls.tell(101, 'CHANNEL_CREATE', { ac: null, otherLeg: 'a-leg' })
  t.ok(calls.parts.controller.calls.has('b-leg'), 'its code is asked for when a B-leg needs it')
})

/** A call on record, whose A-leg is alive as well. */
async function restarted(t: Test) {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before)
  after.world.freeswitch.legs.set('a-leg', inbound('CHANNEL_DATA', {}))
  await after.at(30)
  return after
}

t.test('calls on record are supervised before their A-legs are asked', async t => {
  const after = await restarted(t)
  const { freeswitch } = after.world
  freeswitch.hanging.add('variable')
  let supervised = 0
  const { link, sweeper } = after.parts
  const compared = sweeper.compare(link, () => {
    supervised += 1
  })
  await after.rest()
  t.equal(supervised, 1)
  t.equal(after.phase(), 'answered')
  t.strictSame(after.said(), [timer(35, 1, 0), 'ac_leg of a-leg'])
  freeswitch.hanging.clear()
  t.equal(await compared, true)
  t.ok(link.payers.isKnown('a-leg'))
})

t.test('but not before any other leg is', async t => {
  const after = await restarted(t)
  const { freeswitch } = after.world
  freeswitch.legs.set('ivr', inbound('CHANNEL_DATA', { legId: 'ivr' }))
  freeswitch.hanging.add('variable')
  let supervised = false
  const compared = after.parts.sweeper.compare(after.parts.link, () => {
    supervised = true
  })
  await after.rest()
  t.equal(supervised, false)
  t.strictSame(after.said(), [timer(35, 1, 0), 'ac_leg of ivr'], 'which comes first')
  freeswitch.hanging.clear()
  await compared
  t.equal(supervised, true)
})

t.test('the A-leg of a call on record may pay for itself', async t => {
  const after = await restarted(t)
  const { freeswitch } = after.world
  const pays = { ac: 'alice', acLeg: 'a', answeredAt: s(3) }
  freeswitch.legs.set('a-leg', inbound('CHANNEL_DATA', pays))
  freeswitch.variables.set('a-leg ac_leg', 'a')
  t.equal(await after.compare(), true)
  t.equal(after.phase('a-leg'), 'answered')
  t.equal(after.phase('b-leg'), 'answered')
})

t.test('A-legs that fail to tell are asked again, of supervised calls', async t => {
  const after = await restarted(t)
  const { freeswitch } = after.world
  const { link, sweeper } = after.parts
  const said: string[] = []
  t.intercept(sweeper, 'compare', {
    value: (...[its, onSupervised]: Parameters<Sweeper['compare']>) => {
      said.push('compared')
      return Sweeper.prototype.compare.call(sweeper, its, () => {
        said.push('supervised')
        onSupervised?.()
      })
    },
  })
  freeswitch.failing.add('variable')
  sweeper.start(link)
  await after.rest()
  t.strictSame(said, ['compared', 'supervised'])
  t.notOk(link.payers.isKnown('a-leg'))
  freeswitch.failing.clear()
  await after.at(32)
  t.strictSame(said, ['compared', 'supervised', 'compared', 'supervised'])
  t.ok(link.payers.isKnown('a-leg'))
})

t.test('not adopted does not mean that a leg whose CREATE is under way is ended', async t => {
  const calls = await supervise(t, { adopt: false })
  const { legs } = calls.world.freeswitch
  legs.set('b-leg', alive({ createdAt: s(100), answeredAt: null }))
  await calls.at(104.9)
  await calls.compare()
  t.strictSame(calls.said(), [], 'it is new')
  await calls.beat(104)
  await calls.at(120)
  await calls.compare()
  t.strictSame(calls.said(), [], 'events are late')
  await calls.beat(120)
  await calls.compare()
  t.strictSame(calls.said()[0], KILLED)
})

t.test('not adopted is not said of a call on record', async t => {
  const before = await supervise(t)
  await before.talk()
  const after = await restart(t, before, { adopt: false })
  await after.at(50)
  await after.compare()
  t.strictSame(after.said(), [timer(15, 1, 0)])
})

t.test('not even of one that is found only by and by', async t => {
  const before = await supervise(t)
  await before.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  const after = await restart(t, before, { adopt: false })
  const { freeswitch } = after.world
  freeswitch.legs.set('b-leg', alive())
  const describe = freeswitch.describe.bind(freeswitch)
  let asked = 0
  t.intercept(freeswitch, 'describe', {
    // The time is told twice, the call on record is not found, and then it is.
    value: async (legId: string) => (++asked === 3 ? null : describe(legId)),
  })
  await after.at(50)
  await after.compare()
  t.equal(asked, 4)
  t.equal(after.phase(), 'answered')
  t.notOk(after.said().includes(KILLED))
})

t.test('the code of an A-leg that is gone is in its last events', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { otherLeg: 'a-leg' })
  t.strictSame(calls.said(), ['ac of a-leg'])
  await calls.tell(2, 'CHANNEL_ANSWER', { answeredAt: s(2), otherLeg: 'a-leg' })
  const end = { hangupAt: s(4), cause: 'NORMAL_CLEARING', answeredAt: s(2) }
  await calls.tell(6, 'CHANNEL_HANGUP_COMPLETE', { ...end, otherLeg: 'a-leg' })
  t.equal(calls.phase(), undefined)
  const { link } = calls.parts
  link.onEvent(inbound('CHANNEL_HANGUP_COMPLETE', { ...end, at: s(4), ac: 'alice' }))
  await calls.rest()
  t.match(calls.cdrs, [{ account: 'alice', cost: '0.020000', outcome: 'completed' }])
})

t.test(
  'an A-leg that is gone, and whose last events show no code, is waited for in vain',
  async t => {
    const calls = await supervise(t)
    const { payers } = calls.parts.link
    await calls.tell(0, 'CHANNEL_CREATE', { otherLeg: 'a-leg' })
    await calls.beat(4)
    await calls.at(6)
    t.equal(payers.isAwaited('a-leg'), true)
    await calls.beat(6)
    await calls.at(8)
    t.equal(payers.isAwaited('a-leg'), false)
    t.strictSame(calls.said(), ['ac of a-leg'], 'asked once')
  },
)

t.test('an A-leg that is alive without a code does not make its B-leg wait', async t => {
  const calls = await supervise(t)
  calls.world.freeswitch.legs.set('a-leg', inbound('CHANNEL_DATA'))
  await calls.tell(0, 'CHANNEL_CREATE', { otherLeg: 'a-leg' })
  t.equal(calls.parts.link.payers.isAwaited('a-leg'), false)
})

t.test('a call on record that breaks the rules does not take the others with it', async t => {
  const before = await supervise(t)
  await before.talk()
  before.world.freeswitch.legs.clear()
  const after = await restart(t, before)
  const { link } = after.parts
  const on = link.remembered.get('b-leg')!
  link.remembered.set('b-leg', { ...on, known: { ...on.known, tariff: null as never } })
  await after.hangUp(30, { answeredAt: s(3) })
  t.strictSame(after.said(), [REFUSED])
  t.match(after.cdrs, [{ cost: '0.270000' }], 'it is judged anew')
  t.equal(await after.held(), 0n)
})

t.test('a switch that does not answer keeps no timer of another from being moved', async t => {
  const calls = await supervise(t, { credit: '1000' })
  const { controller } = calls.parts
  const { clock } = calls.world
  const log = pino({ level: 'silent' })
  const link = new SwitchLink('fs2', { controller, clock, log, loopbackPays: false })
  const frozen = new FakeSwitch(clock)
  frozen.hanging.add('hangUpAfter')
  link.attach(frozen)
  for (let i = 0; i < 136; i++) {
    const leg = { legId: `x-${i}`, ac: 'alice', answeredAt: s(0) }
    link.onEvent(legEvent('CHANNEL_ANSWER', leg))
  }
  await calls.rest()
  t.equal(frozen.said.length, 128, 'so many at a time')
  link.onEvent(legEvent('CHANNEL_HANGUP_COMPLETE', { legId: 'x-134', hangupAt: s(0) }))
  await calls.talk()
  t.match(calls.said(), ['hang up b-leg 62 s after answer, ALLOTTED_TIMEOUT', timer(62, 1, 0)])
  frozen.hanging.clear()
  await calls.rest()
  t.ok(frozen.said.includes(timer(59, 1, 0, 'x-135')), 'the others have their turn')
  t.notOk(frozen.said.includes(timer(59, 1, 0, 'x-134')), 'but not for a call that is over')
})

t.test('a call on record that is heard of under a new id is the same call', async t => {
  const before = await supervise(t)
  await before.talk()
  await before.at(20)
  const calls = await restart(t, before)
  await calls.tell(30, 'CHANNEL_UUID', { legId: 'c-leg', oldLegId: 'b-leg', ac: 'alice' })
  t.equal(calls.phase('c-leg'), 'answered')
  calls.world.freeswitch.legs.clear()
  calls.world.freeswitch.legs.set('c-leg', alive({ legId: 'c-leg' }))
  await calls.compare()
  await calls.beat(60)
  await calls.compare()
  await calls.tell(63, 'CHANNEL_HANGUP_COMPLETE', { legId: 'c-leg', ac: 'alice', hangupAt: s(63) })
  t.match(calls.cdrs, [{ call_id: 'c-leg', cost: '0.600000', reason: null }])
  t.equal(await calls.held(), 0n)
  await calls.verify(t)
})

t.test('so is a leg that the gate has let through', async t => {
  const calls = await supervise(t)
  const { link } = calls.parts
  const credit = { total: 60n * CENT, atLeast: 0n }
  const asked = { at: s(0), leg: LEG, tariff: TARIFF, answeredAt: null, ...credit }
  await calls.world.ledger.hold(asked)
  link.expected.expect({ ...asked, held: 60n * CENT, raises: 1 }, 30)
  await calls.tell(1, 'CHANNEL_UUID', { legId: 'c-leg', oldLegId: 'b-leg', ac: 'alice' })
  t.equal(link.expected.size, 0)
  t.equal(calls.phase('c-leg'), 'ringing')
  t.equal(await calls.held(), 60n * CENT)
  await calls.tell(5, 'CHANNEL_HANGUP_COMPLETE', { legId: 'c-leg', hangupAt: s(5) })
  t.match(calls.cdrs, [{ call_id: 'c-leg', outcome: 'unanswered' }])
  t.equal(await calls.held(), 0n)
})
