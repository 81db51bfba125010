/** The controller, its timers and its books, with a ledger and a switch that may fail. */
import t from 'tap'
import { liveCalls } from '../../src/controller/live-calls.js'
import { legEvent } from '../support/leg-events.js'
import { oneRate } from '../support/one-rate.js'
import { CENT, LEG, RATE, RULES, s } from '../support/story.js'
import { supervise } from '../support/supervised.js'

const HUNG_UP = 'hang up b-leg CALL_REJECTED'
const CUT_OFF = 'hang up b-leg ALLOTTED_TIMEOUT'
const KILLED = 'hang up b-leg NORMAL_CLEARING'

const timer = (inS: number, generation: number, since: number, leg = 'b-leg') =>
  `hang up ${leg} in ${inS} s, timer ${generation} for ${since}, ALLOTTED_TIMEOUT`

t.test('a call from its creation to its CDR', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg' })
  t.strictSame(calls.said(), ['hang up b-leg 62 s after answer, ALLOTTED_TIMEOUT'])
  t.equal(await calls.held(), 60n * CENT)
  await calls.talk()
  t.strictSame(calls.said(), [timer(62, 1, 0)])
  await calls.at(53)
  t.strictSame(calls.said(), [timer(72, 2, 1)])
  t.equal(await calls.held(), 120n * CENT)
  t.strictSame(
    [...liveCalls(calls.parts.controller)],
    [
      {
        callId: 'b-leg',
        account: 'alice',
        number: '4930',
        switch: 'fs1',
        state: 'answered',
        seconds: 50,
        cost: 50n * CENT,
        held: 120n * CENT,
        fundedUntil: s(123),
        final: false,
      },
    ],
  )
  await calls.tell(80.54, 'CHANNEL_HANGUP_COMPLETE', { hangupAt: s(80.5) })
  t.match(calls.cdrs, [{ cost: '0.780000', held: '1.200000', duration_s: '77.500000' }])
  t.equal(await calls.held(), 0n)
  t.strictSame([...liveCalls(calls.parts.controller)], [])
  await calls.tell(81, 'CHANNEL_DESTROY', { hangupAt: s(80.5) })
  t.equal(calls.phase(), 'ended', 'kept, for late copies of its events')
  await calls.at(200)
  t.equal(calls.parts.controller.calls.size, 0, 'and then forgotten')
  t.strictSame(calls.said(), [])
  await calls.verify(t)
})

t.test('instead of a bare hangup the caller goes to an extension that tells him why', async t => {
  const announcements = {
    ...{ warnSound: 'say:en number pronounced {seconds}' },
    ...{ cutOffTo: 'topup XML default', refusedTo: 'sorry' },
  }
  const calls = await supervise(t, { credit: '0.90', announcements, rules: { warnS: 20 } })
  await calls.talk()
  await calls.at(72)
  calls.said()
  await calls.at(92.9)
  t.strictSame(calls.said(), ['play say:en number pronounced 20 to a-leg'])
  await calls.at(93)
  t.strictSame(calls.said(), ['transfer a-leg to topup XML default, no_credit', CUT_OFF])
  await calls.at(98)
  t.strictSame(calls.said(), [CUT_OFF], 'he is not sent twice')
  const broke = await supervise(t, { credit: '0', announcements })
  await broke.tell(0, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg' })
  t.strictSame(broke.said(), ['transfer a-leg to sorry, no_credit', HUNG_UP])
  broke.parts.controller.kill('b-leg')
  await broke.rest()
  t.strictSame(broke.said(), [], 'it is being ended already')
  const killed = await supervise(t, { announcements })
  await killed.talk()
  killed.said()
  killed.parts.controller.kill('b-leg')
  await killed.rest()
  t.strictSame(killed.said(), [KILLED], 'an operator ends it as it is')
})

t.test('a leg without a caller is hung up, whatever cannot be announced', async t => {
  const announcements = { refusedTo: 'sorry' }
  const alone = await supervise(t, { credit: '0', announcements })
  await alone.tell(0, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: null })
  t.strictSame(alone.said(), [HUNG_UP])
  const failing = await supervise(t, { credit: '0', announcements })
  failing.world.freeswitch.failing.add('transfer')
  await failing.tell(0, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg' })
  t.strictSame(failing.said(), ['transfer a-leg to sorry, no_credit', HUNG_UP])
})

t.test('a caller who pays by his own leg hears it there, and nobody else does', async t => {
  const announcements = { cutOffTo: 'topup XML default' }
  const calls = await supervise(t, { credit: '0.90', announcements })
  const own = { legId: 'a-leg', direction: 'inbound', acLeg: 'a', ac: 'alice' } as const
  // Its answer comes with that of the far end, which it names.
  await calls.tell(3, 'CHANNEL_ANSWER', { ...own, answeredAt: s(3), otherLeg: 'b-leg' })
  await calls.at(53)
  calls.said()
  await calls.at(92.9)
  t.strictSame(calls.said(), ['play beep to a-leg'])
  await calls.at(93)
  t.strictSame(calls.said(), ['hang up a-leg ALLOTTED_TIMEOUT'], 'who is ended goes nowhere')
})

t.test('credit that runs out: warned, tried again, cut off to the moment', async t => {
  const calls = await supervise(t, { credit: '0.90' })
  await calls.talk()
  await calls.at(53)
  calls.said()
  await calls.at(92.9)
  t.strictSame(calls.said(), ['play beep to a-leg'])
  await calls.at(93)
  t.strictSame(calls.said(), [CUT_OFF])
  await calls.at(98)
  t.strictSame(calls.said(), [CUT_OFF], 'again, if nothing is heard')
  await calls.hangUp(98.01, { cause: 'ALLOTTED_TIMEOUT' })
  t.match(calls.cdrs, [{ cost: '0.900000', write_off: '0.060000', outcome: 'cut_off' }])
  t.strictSame(await calls.timeline('b-leg'), [
    [0, 60n * CENT],
    [53, 90n * CENT],
    [83, 'warned'],
  ])
  await calls.verify(t)
})

t.test('a caller who was not warned is not said to have been', async t => {
  for (const announcements of [{ warnSound: null }, { warnSound: 'gong' }]) {
    const calls = await supervise(t, { credit: '0.90', announcements })
    calls.world.freeswitch.failing.add('play')
    await calls.talk()
    await calls.at(93)
    await calls.hangUp(93.01, { cause: 'ALLOTTED_TIMEOUT' })
    t.strictSame(await calls.timeline('b-leg'), [
      [0, 60n * CENT],
      [53, 90n * CENT],
    ])
  }
  const calls = await supervise(t, { credit: '0.90' })
  calls.world.failing.add('warned')
  await calls.talk()
  await calls.at(92.9)
  calls.said()
  await calls.at(93)
  t.strictSame(calls.said(), [CUT_OFF], 'what could not be written down changes nothing')
})

t.test('a top-up reaches the calls of its account', async t => {
  const calls = await supervise(t, { credit: '0.60' })
  await calls.talk()
  await calls.at(60)
  calls.said()
  const credit = { amount: 60n * CENT, reference: 'r', actor: 't', reason: '' }
  await calls.world.accounts.post({ account: 'alice', kind: 'top_up', ...credit })
  calls.parts.controller.toppedUp('bob')
  await calls.rest()
  t.strictSame(calls.said(), [])
  calls.parts.controller.toppedUp('alice')
  await calls.rest()
  t.strictSame(calls.said(), [timer(65, 2, 1)])
})

t.test('each reason to refuse', async t => {
  for (const [reason, account, number] of [
    ['unknown_account', 'nobody', '4930'],
    ['malformed_number', 'alice', 'anonymous'],
    ['no_rate', 'alice', '33'],
  ] as const) {
    const calls = await supervise(t)
    await calls.tell(0, 'CHANNEL_CREATE', { ac: account, number })
    t.strictSame(calls.said(), [HUNG_UP], reason)
    await calls.hangUp(0.1, { ac: account, cause: 'CALL_REJECTED' })
    t.match(calls.cdrs, [{ outcome: 'refused', reason, number, cost: '0.000000' }])
  }
  const closed = await supervise(t)
  await closed.world.accounts.change('alice', { state: 'closed' }, 'test')
  await closed.tell(0, 'CHANNEL_CREATE', { ac: 'alice', number: '33' })
  await closed.hangUp(0.1)
  t.match(closed.cdrs, [{ reason: 'account_closed', plan: 'retail', number: '33' }])
  const broke = await supervise(t, { credit: '0' })
  await broke.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  await broke.hangUp(0.1)
  t.match(broke.cdrs, [{ reason: 'no_credit', prefix: '49' }])
  for (const verb of ['payer', 'hold'] as const) {
    const down = await supervise(t)
    down.world.failing.add(verb)
    await down.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
    t.strictSame(down.said(), [HUNG_UP], `no ledger (${verb}), no call`)
    await down.hangUp(0.1)
    t.match(down.cdrs, [{ reason: 'ledger_unavailable', number: '4930' }])
  }
})

t.test('a leg whose answer becomes known late is charged by the rate of its answer', async t => {
  const plan = oneRate(RATE).plan('retail')!
  const dear = { ...plan.find('4930', 0)!, perMinute: 2n * RATE.perMinute }
  const changes = (_: string, at: number) => (at < s(5) ? [s(5)] : [])
  const find = (digits: string, at: number) => (at < s(5) ? plan.find(digits, at) : dear)
  const calls = await supervise(t, { rateBook: { plan: () => ({ ...plan, find, changes }) } })
  await calls.tell(6, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg', createdAt: s(1) })
  await calls.tell(7, 'CHANNEL_ANSWER', { answeredAt: s(3) })
  await calls.tell(13.1, 'CHANNEL_HANGUP_COMPLETE', { answeredAt: s(3), hangupAt: s(13) })
  t.match(calls.cdrs, [{ cost: '0.100000', billed_s: 10 }])
})

t.test('ac_number is rated in place of what was dialled', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice', number: 'x', acNumber: '+4989' })
  await calls.hangUp(1)
  t.match(calls.cdrs, [{ number: '4989', outcome: 'unanswered' }])
})

t.test('a ledger that is away for a while: the call goes on, and is renewed', async t => {
  const calls = await supervise(t)
  await calls.talk()
  calls.world.failing.add('hold')
  await calls.at(58.5)
  calls.said()
  calls.world.failing.clear()
  await calls.at(59.5)
  t.strictSame(calls.said(), [timer(66, 2, 1)])
  calls.world.failing.add('settle').add('note')
  await calls.hangUp(60)
  await calls.at(65)
  t.equal(calls.phase(), 'settling')
  calls.world.failing.clear()
  await calls.at(67)
  t.match(calls.cdrs, [{ cost: '0.570000' }])
  await calls.verify(t)
})

t.test('a ledger that says nothing: cut off when the hold is used up', async t => {
  const calls = await supervise(t)
  await calls.talk()
  calls.world.hanging.add('hold')
  calls.said()
  await calls.at(62.9)
  t.strictSame(calls.said(), [])
  await calls.at(63)
  t.strictSame(calls.said(), [CUT_OFF])
  calls.world.hanging.clear()
  await calls.at(66)
  calls.world.freeswitch.failing.add('hangUp')
  await calls.at(68)
  t.strictSame(calls.said(), [CUT_OFF], 'its answer comes too late to matter')
  await calls.at(69)
  t.strictSame(calls.said(), [CUT_OFF], 'a switch that does not obey is told every second')
})

t.test('an answer that comes before the hold is on record survives a crash', async t => {
  const calls = await supervise(t)
  calls.world.hanging.add('hold').add('note')
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  calls.parts.link.onEvent(legEvent('CHANNEL_ANSWER', { at: s(0.1), answeredAt: s(0.1) }))
  calls.world.hanging.clear()
  await calls.rest()
  t.match(await calls.world.ledger.openCalls('fs1'), [{ answeredAt: s(0.1), held: 60n * CENT }])
})

t.test('an operator ends a call', async t => {
  const calls = await supervise(t)
  await calls.talk()
  calls.said()
  t.equal(calls.parts.controller.kill('nobody'), false)
  t.equal(calls.parts.controller.kill('b-leg'), true)
  await calls.rest()
  t.strictSame(calls.said(), [KILLED])
  await calls.hangUp(4)
  t.equal(calls.parts.controller.kill('b-leg'), false)
  t.match(calls.cdrs, [{ reason: 'killed', outcome: 'completed' }])
})

t.test('the answer is learned from whatever event shows it', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  await calls.tell(3.1, 'OTHER', { answeredAt: s(3) })
  t.equal(calls.phase(), 'answered')
})

t.test('settings are changed for the calls that live', async t => {
  const calls = await supervise(t)
  await calls.talk()
  const { controller } = calls.parts
  controller.reconfigure({ ...controller.rules, settings: { ...RULES, chunkS: 30 } })
  t.equal(controller.settings.chunkS, 30)
  await calls.at(53)
  t.equal(await calls.held(), 90n * CENT)
})

t.test('so are causes, the margin of timers, and what callers get to hear', async t => {
  const calls = await supervise(t, { credit: '0.90' })
  await calls.talk()
  calls.said()
  calls.parts.controller.reconfigure({
    settings: { ...RULES, warnS: 20 },
    causes: {
      refused: 'CALL_REJECTED',
      cut_off: 'OUTGOING_CALL_BARRED',
      killed: 'NORMAL_CLEARING',
    },
    timerMarginS: 5,
    announcements: { warnSound: 'gong', refusedTo: null, cutOffTo: 'top_up XML default' },
  })
  await calls.at(94)
  t.strictSame(calls.said(), [
    'hang up b-leg in 45 s, timer 2 for 1, OUTGOING_CALL_BARRED',
    'play gong to a-leg',
    'transfer a-leg to top_up XML default, no_credit',
    'hang up b-leg OUTGOING_CALL_BARRED',
  ])
})

t.test('the timer of the switch is tried again until it is set', async t => {
  const calls = await supervise(t)
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  calls.world.freeswitch.failing.add('hangUpAfter')
  await calls.talk()
  calls.said()
  await calls.at(5)
  t.strictSame(calls.said(), [timer(61, 1, 0), timer(60, 1, 0)])
  calls.world.freeswitch.failing.clear()
  await calls.at(6)
  t.strictSame(calls.said(), [timer(59, 1, 0)])
  await calls.at(20)
  t.strictSame(calls.said(), [])
  await calls.at(53)
  t.strictSame(calls.said(), [timer(72, 2, 1)], 'the next one replaces the one that was set')
})

t.test('a timer that could not be set does not come back once a newer one is set', async t => {
  const calls = await supervise(t)
  const { failing, hanging } = calls.world.freeswitch
  failing.add('hangUpAfter')
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  await calls.tell(3.3, 'CHANNEL_ANSWER', { answeredAt: s(3) })
  await calls.at(52)
  hanging.add('hangUpAfter')
  await calls.at(52.5)
  calls.said()
  await calls.at(53)
  t.strictSame(calls.said(), [], 'the newer one waits until the older has failed')
  failing.clear()
  hanging.clear()
  await calls.rest()
  t.strictSame(calls.said(), [timer(72, 2, 0)])
  await calls.at(60)
  t.strictSame(calls.said(), [], 'or else the call would be cut off too early')
})

t.test('nor when it was to be tried again after the newer one', async t => {
  const calls = await supervise(t)
  const { failing } = calls.world.freeswitch
  failing.add('hangUpAfter')
  await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
  await calls.tell(3.3, 'CHANNEL_ANSWER', { answeredAt: s(3) })
  await calls.at(52.9)
  failing.clear()
  calls.said()
  await calls.at(53)
  t.strictSame(calls.said(), [timer(72, 2, 0)])
  await calls.at(60)
  t.strictSame(calls.said(), [])
})

t.test('a leg gets a new Unique-ID: its call goes on under it', async t => {
  const calls = await supervise(t)
  await calls.talk()
  calls.said()
  calls.world.hanging.add('hold').add('rename')
  await calls.at(53)
  await calls.tell(54, 'CHANNEL_UUID', { legId: 'c-leg', oldLegId: 'b-leg' })
  await calls.tell(55, 'CHANNEL_UUID', { legId: 'd-leg', oldLegId: 'c-leg' })
  t.equal(calls.phase('d-leg'), 'answered')
  t.equal(calls.phase('b-leg'), undefined)
  calls.said()
  calls.world.hanging.clear()
  await calls.rest()
  t.strictSame(calls.said(), [timer(70, 2, 1, 'd-leg')], 'the answer to an old question finds it')
  await calls.tell(80, 'CHANNEL_HANGUP_COMPLETE', { legId: 'd-leg', hangupAt: s(80) })
  t.match(calls.cdrs, [{ call_id: 'd-leg', cost: '0.770000' }])
  t.equal(await calls.held(), 0n)
  await calls.at(200)
  t.equal(calls.parts.controller.calls.size, 0)
  await calls.verify(t)
})

t.test('a leg that is renamed while it hangs up is settled as one', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.tell(10, 'CHANNEL_HANGUP', { cause: 'NORMAL_CLEARING' })
  t.equal(calls.phase(), 'settling')
  await calls.tell(10.01, 'CHANNEL_UUID', { legId: 'c-leg', oldLegId: 'b-leg' })
  await calls.tell(10.02, 'CHANNEL_HANGUP_COMPLETE', { legId: 'c-leg', hangupAt: s(10) })
  await calls.at(20)
  t.match(calls.cdrs, [{ call_id: 'c-leg', cost: '0.070000', write_off: '0.000000' }])
  t.equal(await calls.held(), 0n)
  await calls.verify(t)
})

t.test('a leg whose id is that of another call keeps to its own', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.tell(4, 'CHANNEL_CREATE', { legId: 'c-leg', ac: 'alice' })
  await calls.tell(5, 'CHANNEL_UUID', { legId: 'c-leg', oldLegId: 'b-leg' })
  await calls.tell(6, 'CHANNEL_UUID', { legId: 'e-leg', oldLegId: 'nobody' })
  t.equal(calls.phase('b-leg'), 'answered')
  t.equal(calls.phase('c-leg'), 'ringing')
})

t.test('a bug of ours ends one call, and its hold is settled all the same', async t => {
  const calls = await supervise(t)
  await calls.talk()
  await calls.tell(4, 'CHANNEL_CREATE', { legId: 'c-leg', ac: 'alice' })
  calls.said()
  calls.parts.controller.accept('b-leg', { type: 'resumed', at: s(5) } as never)
  t.equal(calls.phase('b-leg'), 'answered', 'what it cannot use it ignores')
  calls.parts.controller.accept('b-leg', { type: 'hungUp', at: 'x' as never } as never)
  await calls.rest()
  t.strictSame(calls.said(), [HUNG_UP])
  t.equal(calls.phase('b-leg'), undefined)
  t.equal(calls.phase('c-leg'), 'ringing')
  await calls.hangUp(6, { answeredAt: s(3) })
  t.match(calls.cdrs, [{ call_id: 'b-leg', cost: '0.030000', outcome: 'completed' }])
  t.equal(await calls.held(), 60n * CENT, 'that of the other call')
  await calls.verify(t)
})

t.test('an A-leg that pays for itself does not pay for its B-leg', async t => {
  const calls = await supervise(t)
  calls.world.freeswitch.variables.set('a-leg ac', 'alice').set('a-leg ac_leg', 'a')
  await calls.tell(0, 'CHANNEL_CREATE', { otherLeg: 'a-leg' })
  t.strictSame(calls.said(), ['ac of a-leg', 'ac_leg of a-leg'])
  t.equal(calls.phase(), undefined)
  calls.world.freeswitch.variables.delete('a-leg ac_leg')
  await calls.tell(1, 'CHANNEL_CREATE', { legId: 'c-leg', otherLeg: 'a-leg' })
  t.equal(calls.phase('c-leg'), 'ringing')
})

t.test('a switch that does not tell the code of an A-leg is asked again', async t => {
  const calls = await supervise(t)
  const { failing, variables } = calls.world.freeswitch
  variables.set('a-leg ac', 'alice')
  failing.add('variable')
  await calls.tell(0, 'CHANNEL_CREATE', { otherLeg: 'a-leg' })
  t.equal(calls.phase(), undefined)
  failing.clear()
  await calls.at(1)
  t.equal(calls.phase(), 'ringing')
  t.equal(LEG.callId, 'b-leg')
})
