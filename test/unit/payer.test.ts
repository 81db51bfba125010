/** Which leg pays, and from whose credit: design by table, case by case. */
import t from 'tap'
import type { LegEvent } from '../../src/call/leg-event.js'
import { type Finding, Payers } from '../../src/call/payer.js'
import { inbound, legEvent } from '../support/leg-events.js'

/** What comes of these events: the accounts that pay, for which leg; and the A-legs to ask. */
function observe(payers: Payers, ...events: LegEvent[]): string[] {
  return events.flatMap(event => words(payers.observe(event)))
}

const words = (findings: Finding[]) =>
  findings.map(finding =>
    finding.type === 'ask'
      ? `ask ${finding.aLeg}`
      : `${finding.account} pays ${finding.events[0]!.legId}`,
  )

const findings = (...events: LegEvent[]) => observe(new Payers(false), ...events)

t.test('a leg with a code of its own pays, once', async t => {
  const create = legEvent('CHANNEL_CREATE', { ac: 'alice' })
  const answer = legEvent('CHANNEL_ANSWER', { ac: 'alice' })
  t.strictSame(findings(create, create, answer), ['alice pays b-leg'])
  t.strictSame(findings(answer, create), ['alice pays b-leg'], 'ANSWER may come before CREATE')
  const changed = legEvent('CHANNEL_ANSWER', { ac: 'bob' })
  t.strictSame(findings(create, changed), ['alice pays b-leg'], 'as it was when it was created')
  const [finding] = new Payers(false).observe(create)
  t.strictSame(finding, { type: 'pays', account: 'alice', events: [create] })
})

t.test('what proves a leg', async t => {
  const code = { ac: 'alice' }
  for (const name of [
    'CHANNEL_CREATE',
    'CHANNEL_ANSWER',
    'CHANNEL_DATA',
    'CHANNEL_HANGUP',
    'CHANNEL_HANGUP_COMPLETE',
  ] as const) {
    t.strictSame(findings(legEvent(name, code)), ['alice pays b-leg'], name)
    t.strictSame(findings(legEvent(name, { ...code, hasVariables: false })), [], name)
  }
  for (const name of ['CHANNEL_DESTROY', 'CHANNEL_UUID', 'OTHER'] as const) {
    t.strictSame(findings(legEvent(name, code)), [], name)
  }
})

t.test('a code that shows up later is no reason to charge', async t => {
  const create = legEvent('CHANNEL_CREATE', { dialledUser: true, otherLeg: 'a-leg' })
  const hangup = legEvent('CHANNEL_HANGUP', { dialledUser: true, ac: 'called' })
  t.strictSame(findings(create, hangup), [])
  t.strictSame(findings(hangup), [], 'nor where CREATE and ANSWER were missed')
  t.strictSame(findings({ ...hangup, name: 'CHANNEL_DATA' }), [])
  const own = legEvent('CHANNEL_CREATE', { dialledUser: true, ac: 'alice' })
  t.strictSame(findings(own), ['alice pays b-leg'], 'but one in the dial string is')
  t.strictSame(findings({ ...own, name: 'CHANNEL_ANSWER' }), ['alice pays b-leg'])
})

t.test('an inbound leg never pays by itself', async t => {
  const create = inbound('CHANNEL_CREATE', { ac: 'alice' })
  t.strictSame(findings(create), [])
  const exported = legEvent('CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg' })
  t.strictSame(findings(create, exported), ['alice pays b-leg'], 'an exported code pays once')
})

t.test('an inbound leg pays where it says so, when it says so, and then alone', async t => {
  const premium = { ac: 'alice', acLeg: 'a' }
  const create = inbound('CHANNEL_CREATE')
  const answer = inbound('CHANNEL_ANSWER', premium)
  const bLeg = legEvent('CHANNEL_CREATE', { otherLeg: 'a-leg' })
  t.strictSame(findings(create, answer, answer, bLeg), ['alice pays a-leg'])
  t.strictSame(findings(inbound('CHANNEL_CREATE', { acLeg: 'a' })), [], 'without a code, nobody')
  t.strictSame(findings(inbound('CHANNEL_CREATE', { ...premium, acLeg: 'b' })), [])
  const waiting = new Payers(false)
  t.strictSame(observe(waiting, bLeg, answer), ['ask a-leg', 'alice pays a-leg'])
  t.strictSame(words(waiting.answer('a-leg', 'alice', 'a')), [])
})

t.test('a leg inherits the code of its A-leg', async t => {
  const bLeg = legEvent('CHANNEL_CREATE', { otherLeg: 'a-leg' })
  const aLeg = inbound('OTHER', { ac: 'alice' })
  t.strictSame(findings(aLeg, bLeg), ['alice pays b-leg'], 'known from any of its events')
  t.strictSame(findings(inbound('CHANNEL_CREATE'), bLeg), ['ask a-leg'])
  t.strictSame(findings(inbound('CHANNEL_CREATE'), bLeg, bLeg, bLeg), ['ask a-leg'], 'asked once')
  t.strictSame(findings(aLeg, { ...bLeg, dialledUser: true }), [], 'calls to users are free')
  t.strictSame(findings(aLeg, { ...bLeg, ac: 'bob' }), ['bob pays b-leg'], 'its own goes first')
  t.strictSame(findings(aLeg, { ...bLeg, otherLeg: null }), [])
  const mute = inbound('OTHER', { ac: null, hasVariables: false })
  t.strictSame(findings(aLeg, mute, bLeg), ['alice pays b-leg'], 'an event without variables')
})

t.test('the answer of the switch decides, with all that was seen meanwhile', async t => {
  const create = legEvent('CHANNEL_CREATE', { otherLeg: 'a-leg' })
  const answer = legEvent('CHANNEL_ANSWER', { otherLeg: 'a-leg' })
  const payers = new Payers(false)
  t.strictSame(observe(payers, create, answer), ['ask a-leg'])
  t.equal(payers.isAwaited('a-leg'), true)
  t.strictSame(payers.answer('a-leg', 'alice', null), [
    { type: 'pays', account: 'alice', events: [create, answer] },
  ])
  t.equal(payers.isAwaited('a-leg'), false)
  t.strictSame(payers.answer('a-leg', 'alice', null), [], 'once')
  t.strictSame(observe(payers, answer), [])
  const none = new Payers(false)
  observe(none, create)
  t.strictSame(none.answer('a-leg', null, null), [], 'no code, nobody pays')
  t.strictSame(observe(none, inbound('OTHER', { ac: 'alice' }), answer), [], 'and that is that')
  const itself = new Payers(false)
  observe(itself, create)
  t.strictSame(itself.answer('a-leg', 'alice', 'a'), [], 'it pays for itself alone')
})

t.test('the next event of the A-leg tells as well', async t => {
  const create = legEvent('CHANNEL_CREATE', { otherLeg: 'a-leg' })
  const payers = new Payers(false)
  const old = inbound('OTHER')
  t.strictSame(
    observe(payers, create, old),
    ['ask a-leg'],
    'one from before `set ac=` says nothing',
  )
  t.equal(payers.isAwaited('a-leg'), true)
  t.strictSame(observe(payers, inbound('OTHER', { ac: 'alice' })), ['alice pays b-leg'])
  t.equal(payers.isAwaited('a-leg'), false)
})

t.test('a forked dial: every leg pays, and the A-leg is asked for each', async t => {
  const payers = new Payers(false)
  const legs = ['b1', 'b2', 'b3'].map(legId =>
    legEvent('CHANNEL_CREATE', { legId, otherLeg: 'a-leg' }),
  )
  observe(payers, ...legs)
  const found = words(payers.answer('a-leg', 'alice', null))
  t.strictSame(found, ['alice pays b1', 'alice pays b2', 'alice pays b3'])
})

t.test('loopback legs do not pay, unless that is wanted', async t => {
  const half = legEvent('CHANNEL_CREATE', { loopback: true, ac: 'alice' })
  t.strictSame(findings(half), [])
  t.strictSame(observe(new Payers(true), half), ['alice pays b-leg'])
})

t.test('what is known and what is forgotten', async t => {
  const payers = new Payers(false)
  t.equal(payers.isKnown('b-leg'), false)
  observe(payers, legEvent('CHANNEL_CREATE', { ac: 'alice' }), inbound('CHANNEL_CREATE'))
  t.equal(payers.isKnown('b-leg'), true)
  t.strictSame([...payers.legIds()].sort(), ['a-leg', 'b-leg'])
  observe(payers, legEvent('CHANNEL_DESTROY'))
  t.equal(payers.isKnown('b-leg'), false)
  observe(payers, legEvent('CHANNEL_CREATE', { legId: 'b2', otherLeg: 'a-leg' }))
  payers.forget('a-leg')
  t.equal(payers.isAwaited('a-leg'), false, 'nobody waits for a leg that is gone')
  t.strictSame([...payers.legIds()], ['b2'])
})
