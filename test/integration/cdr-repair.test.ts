/** Records of mod_json_cdr, as posted over real sockets, and what they do to the books. */
import t, { type Test } from 'tap'
import { cdrJson } from '../../src/call/cdr.js'
import { SqliteCdrs } from '../../src/sqlite/cdrs.js'
import { basic, SECRET } from '../support/directory.js'
import { legEvent } from '../support/leg-events.js'
import { recordedCdrs, recordOf, recordOfA } from '../support/records.js'
import { type RepairWanted, repaired } from '../support/repaired.js'
import { CENT, LEG, s } from '../support/story.js'

/** The record of the leg that talk() begins, which ends after 40 s. */
const RECORD = recordOf()

/** A call that is answered after 3 s, last seen alive after 20, and gone since. */
async function losing(t: Test, wanted: RepairWanted = {}) {
  const site = await repaired(t, wanted)
  const { calls } = site
  await calls.talk()
  await calls.tell(20, 'OTHER', { ac: 'alice', answeredAt: s(3) })
  calls.world.freeswitch.legs.clear()
  await calls.compare()
  await calls.beat(30)
  await calls.compare()
  t.match(await site.cdr(), { endedAt: s(20), cause: 'LOST', corrected: false })
  return site
}

t.test('every recording, in its own encoding', async t => {
  const site = await repaired(t, { startS: 5_000 })
  for (const { file, body } of recordedCdrs()) {
    t.match(await site.post(body), { status: 200, text: 'OK\n' }, file)
    t.match(await site.post(body), { status: 200, text: 'OK\n' }, `${file} again`)
  }
  const call = { account: 'ACCT1', dialled: '0105551234', switch: 'vm', state: 'waiting' }
  const kept = await site.repairs.unseen({ limit: 100 })
  t.match(
    kept.map(({ callId, ...rest }) => [callId.slice(0, 8), rest]),
    ['2db7a649', 'c205b610', '85cb32d1', '81ba8adb', '81e1fa4c', '299039f7'].map(id => [id, call]),
    'outbound legs that were answered have to pay: the last to end come first',
  )
  t.match(kept.at(-1), {
    callId: '299039f7-4f6c-4fad-9ab1-e9ad0a85eb38',
    coreUuid: '80b97c54-0d63-4b7f-882b-b984ac11d8a2',
    otherLeg: '77a2bd09-8201-41f7-a105-f2f99c6c54c9',
    createdAt: 1795402611072617,
    answeredAt: 1795402611092627,
    endedAt: 1795402613192673,
    cause: 'NORMAL_CLEARING',
  })
  t.match(kept[4], { cause: 'ALLOTTED_TIMEOUT' })
  await site.verify()
})

t.test('whatever the Content-Type says', async t => {
  const types = ['application/json', 'application/x-www-form-urlencoded', 'text/plain', undefined]
  for (const type of types) {
    const site = await repaired(t, { startS: 60 })
    const authorization = basic('freeswitch', SECRET)
    const headers = { authorization, ...(type !== undefined && { 'content-type': type }) }
    const url = `http://127.0.0.1:${site.port}/freeswitch/cdr?uuid=${LEG.callId}`
    const response = await fetch(url, { method: 'POST', headers, body: Buffer.from(RECORD) })
    t.equal(response.status, 200, String(type))
    t.match(await site.row(), { state: 'waiting' })
  }
})

t.test('strangers, and what is no record', async t => {
  const site = await repaired(t, { startS: 100, unseen: 'charge' })
  for (const authorization of [undefined, basic('freeswitch', 'x'), basic('x', SECRET), SECRET]) {
    t.match(await site.post(RECORD, { authorization }), { status: 401, text: '' })
  }
  const times = (start: string | number, answer: string | number, end: string | number) =>
    recordOf({
      variables: {
        ...{ start_uepoch: String(start), answer_uepoch: String(answer) },
        end_uepoch: String(end),
      },
    })
  const year = 366 * 86_400
  const refused: [string, string, RegExp][] = [
    ['nothing', '', /not JSON/],
    ['prose', 'hello', /not JSON/],
    ['half a record', RECORD.slice(0, 200), /not JSON/],
    ['a list', '[]', /^It is no record of mod_json_cdr: the record is not an object/],
    ['null', 'null', /not an object/],
    ['no variables', '{}', /its variables is not an object/],
    ['very deep', `{"a":${'['.repeat(300_000)}`, /not JSON/],
    ['no callflow', JSON.stringify({ ...JSON.parse(RECORD), callflow: [] }), /last callflow/],
    ['no id', recordOf({ variables: { uuid: null } }), /^uuid is missing, or is not an id/],
    ['a bad id', recordOf({ variables: { uuid: 'a\nb' } }), /^uuid is missing, or is not an id/],
    ['no direction', recordOf({ variables: { direction: 'up' } }), /^The direction is neither/],
    ['no stamp', recordOf({ variables: { end_uepoch: null } }), /^end_uepoch is not a time/],
    ['no number', times('soon', s(3), s(40)), /^start_uepoch is not a time in microseconds/],
    ['a fraction', times(s(0), '3.5', s(40)), /^answer_uepoch is not a time/],
    ['negative', times(-5, s(3), s(40)), /^start_uepoch is not a time/],
    ['never began', times(0, s(3), s(40)), /^start_uepoch is 0/],
    ['not ended', times(s(0), s(3), 0), /^end_uepoch is 0: the leg has not ended/],
    ['backwards', times(s(50), 0, s(40)), /b-leg makes no sense: it ended before it began/],
    ['answered early', times(s(5), s(3), s(40)), /answered before it began/],
    ['ended early', times(s(0), s(41), s(40)), /ended before it was answered/],
    ['to come', times(s(0), s(3), s(100 + 3_601)), /it ends in the future/],
    ['old', times(s(-year), s(3), s(40)), /more than a year old/],
    ['endless', times(s(-5 * 86_400), s(-5 * 86_400), s(1)), /lasted for more than five days/],
  ]
  for (const [what, body, sentence] of refused) {
    t.match(await site.post(body), { status: 400, text: sentence }, what)
  }
  const other = await site.post(RECORD, { uuid: 'another-leg' })
  t.match(other, { status: 400, text: /^This is the record of b-leg, and not of the leg in the/ })
  t.match(await site.post(`{"a":"${'x'.repeat(1_048_577)}"}`), { status: 413 })
  t.match(await site.post('', { method: 'GET' }), { status: 404 })
  await site.repair.decideDue()
  t.strictSame(await site.repairs.unseen({ limit: 10 }), [])
  t.strictSame(await site.cdrs(), [])
  t.match(await site.post(RECORD), { status: 200 }, 'it need not be in the address')
  t.ok(await site.row())
})

t.test('a healthy switch: the record comes just before HANGUP_COMPLETE', async t => {
  for (const hangsUpFirst of [true, false]) {
    const { calls, ...site } = await repaired(t)
    await calls.talk()
    await calls.at(40)
    // Whose own stamp is early.
    if (hangsUpFirst) await calls.tell(39.98, 'CHANNEL_HANGUP', { cause: 'NORMAL_CLEARING' })
    calls.world.asked.length = 0
    t.match(await site.post(RECORD, { uuid: LEG.callId }), { status: 200 })
    const settled = await site.cdr()
    t.match(settled, { answeredAt: s(3), endedAt: s(40), billedS: 37, cost: 37n * CENT })
    t.match(settled, { outcome: 'completed', reason: null, corrected: false })
    t.strictSame([calls.phase(), calls.world.asked], ['ended', ['settle']])
    await calls.hangUp(40)
    t.strictSame(await site.cdrs(), [settled], 'the event changes nothing')
    t.equal(await site.row(), undefined)
    t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'known')
    t.match(await site.alice(), { held: 0n, liveCalls: 0 })
    t.strictSame(site.logged.slice(1), [])
    await site.verify()
  }
})

t.test('the record of a call that is known to have ended', async t => {
  const { calls, ...site } = await repaired(t)
  await calls.talk()
  await calls.hangUp(40)
  const settled = await site.cdrs()
  t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'known')
  t.match(await site.post(recordOf({ ended: 50 })), { status: 200 }, 'it says something else')
  t.strictSame(await site.cdrs(), settled)
  const said = site.logged.filter(({ msg }) => /contradicts/.test(`${msg}`))
  t.match(said, [{ level: 40, callId: LEG.callId, recorded: { endedAt: /T01:43:24/ } }])
  t.equal((await site.entries()).length, 1)
  await site.verify()
})

t.test('a lost call is corrected once', async t => {
  const site = await losing(t)
  const { cdr } = site
  const before = (await cdr())!
  t.match(before, { cost: 17n * CENT, outcome: 'completed', reason: 'lost' })
  const answers = await Promise.all(Array.from({ length: 20 }, () => site.post(RECORD)))
  t.ok(answers.every(({ status }) => status === 200))
  t.match(cdrJson((await cdr())!), {
    ...{ ended_at: '2026-11-23T01:43:14.260000Z', billed_s: 37, cost: '0.370000' },
    ...{ outcome: 'completed', reason: null, cause: 'NORMAL_CLEARING', corrected: true },
    ...{ duration_s: '37.000000', held: '0.600000', write_off: '0.000000', margin: null },
  })
  t.match(await site.entries(), [
    { kind: 'call', amount: -17n * CENT, reference: 'b-leg' },
    { kind: 'adjustment', amount: -20n * CENT, reference: 'correction-b-leg', actor: 'tollgate' },
  ])
  t.equal(site.logged.filter(({ msg }) => msg === 'the lost end of a call is known').length, 1)
  t.equal(await site.repair.takeBody(Buffer.from(recordOf({ ended: 60 }))), 'contradicts')
  t.match(
    await cdr(),
    { endedAt: s(40), cost: 37n * CENT },
    'a corrected call is not touched again',
  )

  const filed = site.world.file.database.prepare('SELECT * FROM cdr').all()
  t.match(filed, [{ cost: 17n * CENT, cause: 'LOST', ended_at: BigInt(s(20)) }], 'the CDR stays')
  const [all, byReason] = [{ limit: 9 }, { limit: 9, reason: 'lost' as const }]
  const lists = new SqliteCdrs(site.world.file)
  t.match(await lists.list(all), [{ callId: 'b-leg', cost: 37n * CENT, corrected: true }])
  t.strictSame(await lists.list(byReason), [])
  t.match(await lists.totals({}, 'account'), [{ calls: 1, billedS: 37, cost: 37n * CENT }])
  await site.verify()
})

t.test('what a lost call is corrected by is bounded by the credit of that moment', async t => {
  // The credit, and so the hold; what was charged; then what is, and what is written off.
  const cases: [string, bigint, bigint][] = [
    ['0.30', 13n, 7n],
    ['0.17', 0n, 20n],
    ['0.37', 20n, 0n],
    ['0.36', 19n, 1n],
  ]
  for (const [credit, more, writeOff] of cases) {
    const site = await losing(t, { credit })
    t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'corrected')
    t.match(await site.cdr(), { cost: (17n + more) * CENT, writeOff: writeOff * CENT }, credit)
    t.match(await site.cdr(), { outcome: 'cut_off', reason: 'not_renewed' })
    t.equal((await site.entries()).length, more > 0n ? 2 : 1)
    t.ok((await site.alice()).balance >= 0n)
    await site.verify()
  }
})

t.test('what was refunded is not given back once more', async t => {
  // What was refunded of the 17; then what is given back, of the 12 that the call costs less.
  for (const [refunded, back] of [
    [0n, 12n],
    [10n, 2n],
    [12n, 0n],
    [17n, 0n],
  ] as const) {
    const site = await losing(t)
    const refund = { callId: LEG.callId, reference: 'r', actor: 'op', reason: '' }
    if (refunded > 0n) await site.world.accounts.refund({ ...refund, amount: refunded * CENT })
    // It ended earlier than it was thought to have been alive.
    t.equal(await site.repair.takeBody(Buffer.from(recordOf({ ended: 8 }))), 'corrected')
    t.match(await site.cdr(), { billedS: 5, cost: (17n - back) * CENT, writeOff: 0n })
    const adjustments = (await site.entries()).filter(({ kind }) => kind === 'adjustment')
    t.strictSame(
      adjustments.map(({ amount }) => amount),
      back > 0n ? [back * CENT] : [],
    )
    const left = 17n - back - refunded
    const more = { ...refund, reference: 'q', amount: left * CENT + 1n }
    await t.rejects(site.world.accounts.refund(more), { code: 'too_much' })
    await site.verify()
  }
})

t.test('a lost call that outlived its hold costs no more than the hold', async t => {
  const site = await losing(t)
  t.match(await site.cdr(), { cost: 17n * CENT, held: 60n * CENT })
  t.equal(await site.repair.takeBody(Buffer.from(recordOf({ ended: 65 }))), 'corrected')
  t.match(await site.cdr(), { billedS: 62, cost: 60n * CENT, writeOff: 2n * CENT })
  t.match(await site.cdr(), { outcome: 'cut_off', reason: 'not_renewed' })
  await site.verify()
})

t.test('a lost call that was refused costs nothing, though there is credit by now', async t => {
  const site = await repaired(t, { credit: '0' })
  const { calls } = site
  await calls.talk()
  calls.world.freeswitch.legs.clear()
  await calls.compare()
  await calls.beat(30)
  await calls.compare()
  await site.world.accounts.post({
    ...{ account: 'alice', kind: 'top_up', amount: 100n * CENT, reference: 'later' },
    ...{ actor: 'op', reason: '' },
  })
  t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'corrected')
  t.match(await site.cdr(), { outcome: 'refused', cost: 0n, writeOff: 37n * CENT })
  t.equal((await site.alice()).balance, 100n * CENT)
})

t.test('an entry of an operator cannot keep a call from being corrected', async t => {
  const site = await losing(t)
  const entry = {
    ...{ account: 'alice', amount: 5n * CENT, reference: `correction-${LEG.callId}` },
    ...{ actor: 'op', reason: '' },
  }
  for (const kind of ['top_up', 'adjustment'] as const) {
    await t.rejects(site.world.accounts.post({ ...entry, kind }), { code: 'reference_used' })
  }
  const refund = { ...entry, callId: LEG.callId }
  await t.rejects(site.world.accounts.refund(refund), { code: 'reference_used' })
  t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'corrected')
  await site.verify()
})

t.test('a call that was lost while it rang', async t => {
  for (const [record, cdr] of [
    [RECORD, { outcome: 'completed', cost: 37n * CENT, billedS: 37, answeredAt: s(3) }],
    [recordOf({ answered: null }), { outcome: 'unanswered', cost: 0n, answeredAt: null }],
  ] as const) {
    const site = await repaired(t)
    const { calls } = site
    await calls.tell(0, 'CHANNEL_CREATE', { ac: 'alice' })
    await calls.compare()
    await calls.beat(30)
    await calls.compare()
    t.match(await site.cdr(), { outcome: 'unanswered', cause: 'LOST' })
    t.equal(await site.repair.takeBody(Buffer.from(record)), 'corrected')
    t.match(await site.cdr(), { ...cdr, reason: null, cause: 'NORMAL_CLEARING', corrected: true })
    await site.verify()
  }
})

t.test('calls that were refused, or killed, before their end was lost', async t => {
  for (const [credit, outcome, reason, writeOff] of [
    ['0', 'refused', 'no_credit', 37n * CENT],
    ['1', 'completed', 'killed', 0n],
  ] as const) {
    const site = await repaired(t, { credit })
    const { calls } = site
    await calls.talk()
    if (credit === '1') calls.parts.controller.kill(LEG.callId)
    calls.world.freeswitch.legs.clear()
    await calls.compare()
    await calls.beat(30)
    await calls.compare()
    t.match(await site.cdr(), { outcome, reason, cause: 'LOST' })
    t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'corrected')
    t.match(await site.cdr(), { outcome, reason, endedAt: s(40), writeOff, corrected: true })
    await site.verify()
  }
})

t.test('the record overtakes the events of its leg', async t => {
  const site = await repaired(t, { unseen: 'charge' })
  const { calls } = site
  await calls.at(40)
  t.match(await site.post(RECORD), { status: 200 })
  t.match(await site.row(), { state: 'waiting', account: 'alice', receivedAt: s(40) })
  await calls.at(99)
  await site.repair.decideDue()
  t.match(await site.row(), { state: 'waiting' }, 'not yet')
  await calls.tell(99.5, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg' })
  await calls.at(110)
  await site.repair.decideDue()
  t.match(await site.row(), { state: 'waiting' }, 'the call is supervised')
  t.equal(await site.cdr(), undefined)
  const end = { ac: 'alice', answeredAt: s(3), hangupAt: s(40), cause: 'NORMAL_CLEARING' }
  await calls.tell(111, 'CHANNEL_HANGUP_COMPLETE', end)
  t.match(await site.cdrs(), [{ cost: 37n * CENT, corrected: false }])
  t.equal(await site.row(), undefined, 'it is an ordinary call')
  await site.repair.decideDue()
  t.equal((await site.entries()).length, 1)
  await site.verify()
})

t.test('a call that is not seen in time is charged, or listed', async t => {
  for (const unseen of ['charge', 'list'] as const) {
    const site = await repaired(t, { unseen })
    const { calls } = site
    await calls.at(40)
    await Promise.all(Array.from({ length: 20 }, () => site.post(RECORD)))
    site.repair.start()
    await calls.at(106)
    t.match(await site.row(), { state: unseen === 'charge' ? 'charged' : 'open' })
    const cdr = { cost: 37n * CENT, held: 37n * CENT, writeOff: 0n, switch: 'pbx', plan: 'retail' }
    if (unseen === 'list') {
      t.strictSame(await site.cdrs(), [])
      t.match(await site.repair.charge(LEG.callId, 'op', 'fair'), cdr)
    }
    t.match(await site.cdrs(), [{ ...cdr, outcome: 'completed', reason: null, corrected: false }])
    const by = unseen === 'charge' ? 'tollgate' : 'op'
    t.match(await site.row(), { state: 'charged', decidedBy: by })
    const decided = {
      code: 'call_decided',
      message: `The call b-leg has been charged already, by ${by}`,
    }
    await t.rejects(site.repair.charge(LEG.callId, 'op', ''), decided)
    const dismissal = { callId: LEG.callId, actor: 'op', reason: 'x' }
    await t.rejects(site.repairs.dismiss(dismissal), decided)
    t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'known')
    // Its events come all the same, as late as that.
    await calls.tell(107, 'CHANNEL_CREATE', { ac: 'alice', otherLeg: 'a-leg' })
    await calls.hangUp(108, { hangupAt: s(40), answeredAt: s(3) })
    t.match(await site.entries(), [{ kind: 'call', amount: -37n * CENT, actor: 'tollgate' }])
    t.match(await site.audit(), [
      { actor: by, action: 'cdr.charge', subject: 'call b-leg', after: { price: '0.370000' } },
    ])
    await site.verify()
  }
})

t.test('an unseen call costs no more than there is', async t => {
  for (const [credit, cost] of [
    ['0.30', 30n],
    ['0', 0n],
  ] as const) {
    const site = await repaired(t, { startS: 40, unseen: 'charge', credit })
    await site.post(RECORD)
    await site.calls.at(61)
    await site.repair.decideDue()
    t.match(await site.cdr(), { cost: cost * CENT, writeOff: (37n - cost) * CENT })
    t.match(await site.alice(), { balance: 0n, held: 0n, liveCalls: 0, spentToday: cost * CENT })
    await site.verify()
  }
})

t.test('what cannot be charged goes on the list, and can be dismissed', async t => {
  const cases: [string, Parameters<typeof recordOf>[0], string][] = [
    ['an unknown account', { variables: { ac: 'nobody' } }, 'unknown_account'],
    ['no rate', { number: '7' }, 'no_rate'],
    ['no number', { number: 'conference' }, 'no_rate'],
  ]
  for (const [what, record, code] of cases) {
    const site = await repaired(t, { startS: 40, unseen: 'charge' })
    await site.post(recordOf(record))
    await site.calls.at(61)
    await site.repair.decideDue()
    t.match(await site.row(), { state: 'open' }, what)
    await t.rejects(site.repair.charge(LEG.callId, 'op', ''), { code, name: 'BookError' })
    const by = { callId: LEG.callId, actor: 'op', reason: 'a test' }
    t.match(await site.repairs.dismiss(by), { state: 'dismissed', decidedBy: 'op' })
    await site.post(recordOf(record))
    await site.repair.decideDue()
    t.match(await site.row(), { state: 'dismissed', reason: 'a test' })
    t.match(await site.audit(), [{ actor: 'op', action: 'cdr.dismiss', before: { state: 'open' } }])
    await t.rejects(site.repair.charge(LEG.callId, 'op', ''), { code: 'call_decided' })
    t.strictSame(await site.cdrs(), [])
    await site.verify()
  }
  const closed = await repaired(t, { startS: 40 })
  await closed.world.accounts.change('alice', { state: 'closed' }, 'op')
  await closed.post(RECORD)
  await t.rejects(closed.repair.charge(LEG.callId, 'op', ''), { code: 'account_closed' })
})

t.test('who pays is judged as of any leg', async t => {
  const free: [string, Parameters<typeof recordOf>[0]][] = [
    ['an inbound leg', { variables: { direction: 'inbound' } }],
    ['half a loopback', { variables: { is_loopback: 'true' } }],
    ['the other half', { variables: { channel_name: 'loopback/49-b' } }],
    ['a user, whose own code it may be', { variables: { dialed_user: '1010' } }],
    ['not answered', { answered: null }],
    ['without a code, or an A-leg', { variables: { ac: null, originating_leg_uuid: null } }],
  ]
  for (const [what, record] of free) {
    const site = await repaired(t, { startS: 100 })
    t.match(await site.post(recordOf(record)), { status: 200 })
    t.strictSame(await site.repairs.unseen({ limit: 9 }), [], what)
  }
  const forA = await repaired(t, { startS: 100 })
  const aLeg = { direction: 'inbound', ac_leg: 'a', ac_number: '4911', originator: null }
  await forA.post(recordOf({ variables: { ...aLeg, originating_leg_uuid: null } }))
  t.match(await forA.row(), { account: 'alice', dialled: '4911', otherLeg: null }, 'ac_leg=a')
})

t.test('the code of the A-leg, whose record comes before or after', async t => {
  const b = recordOf({ variables: { ac: null } })
  const bOther = recordOf({
    variables: { ac: null, originating_leg_uuid: null, originator: 'a-leg' },
  })
  const a = recordOfA({ ac: 'alice' })
  const unlisted = recordOfA({ ac: 'alice', originated_legs: null })
  for (const [what, ...records] of [
    ['before', a, b],
    ['after', b, a],
    ['before, and without its legs', unlisted, b],
    ['as the originator', bOther, a],
  ] as const) {
    const site = await repaired(t, { startS: 100, unseen: 'charge' })
    for (const record of records) await site.post(record)
    await site.calls.at(61)
    await site.repair.decideDue()
    t.match(await site.cdrs(), [{ account: 'alice', cost: 37n * CENT }], what)
    await site.verify()
  }
  for (const [what, ...records] of [
    ['none, before', recordOfA(), b],
    ['none, after', b, recordOfA()],
    ['its own, before', recordOfA({ ac: 'alice', ac_leg: 'a' }), b],
  ] as const) {
    const site = await repaired(t, { startS: 100, unseen: 'charge' })
    for (const record of records) await site.post(record)
    t.equal(await site.row(), undefined, what)
  }
})

t.test('an A-leg that never tells is waited for, but not for ever', async t => {
  const site = await repaired(t, { startS: 100, unseen: 'charge' })
  await site.post(recordOf({ variables: { ac: null } }))
  await site.calls.at(6 * 86_400)
  await site.repair.decideDue()
  t.match(await site.row(), { state: 'waiting', account: null })
  const nobody = { code: 'unknown_account', message: /b-leg is not known yet/ }
  await t.rejects(site.repair.charge(LEG.callId, 'op', ''), nobody)
  const dismissal = { callId: LEG.callId, actor: 'op', reason: 'x' }
  await t.rejects(site.repairs.dismiss(dismissal), nobody, 'and the constraint is not broken')
  await site.calls.at(8 * 86_400)
  await site.repair.decideDue()
  t.equal(await site.row(), undefined)
})

t.test('on a healthy switch nothing is kept of A-legs', async t => {
  const site = await repaired(t)
  await site.calls.talk()
  const kept = () => site.world.file.database.prepare('SELECT * FROM a_leg').all()
  await site.post(recordOfA({ ac: 'alice' }))
  t.strictSame(kept(), [])
  await site.post(RECORD)
  await site.post(recordOfA({ ac: 'alice' }))
  t.strictSame(kept(), [])
  await site.post(recordOfA({ ac: 'alice', uuid: 'a-2', originated_legs: 'b-leg;x;1|:b-2;x;2' }))
  t.match(kept(), [{ leg_id: 'a-2', code: 'alice' }], 'one of its legs is not known')
})

t.test('the process dies', async t => {
  const site = await repaired(t, { startS: 40 })
  t.match(await site.post(RECORD), { status: 200 })
  site.world.file.close()
  const again = await repaired(t, { dataDir: site.world.dataDir, startS: 101, unseen: 'charge' })
  t.match(await again.row(), { state: 'waiting', receivedAt: s(40) })
  await again.repair.decideDue()
  t.match(await again.cdrs(), [{ cost: 37n * CENT }])
  again.world.file.close()
  const third = await repaired(t, { dataDir: site.world.dataDir, startS: 300, unseen: 'charge' })
  await third.post(RECORD)
  await third.repair.decideDue()
  t.match(await third.cdrs(), [{ cost: 37n * CENT }])
  await third.verify()
})

t.test('the ledger cannot be written: the switch keeps the record', async t => {
  const site = await repaired(t, { startS: 40 })
  site.world.file.close()
  t.match(await site.post(RECORD), { status: 503, text: 'The ledger cannot be written now\n' })
})

t.test('calls on record that nobody supervises', async t => {
  const first = await repaired(t)
  await first.calls.talk()
  first.world.file.close()
  const { dataDir } = first.world
  const alone = await repaired(t, { dataDir, startS: 100, alone: true })
  t.equal(await alone.repair.takeBody(Buffer.from(RECORD)), 'settled')
  t.match(await alone.cdr(), { cost: 37n * CENT, cause: 'NORMAL_CLEARING', corrected: false })
  t.equal(await alone.repair.takeBody(Buffer.from(RECORD)), 'known')
  t.match(await alone.alice(), { held: 0n })
  await alone.verify()
})

t.test('a call of a switch that is not ours any more', async t => {
  const first = await repaired(t)
  await first.calls.talk()
  first.world.file.close()
  // Nobody has remembered its calls.
  const second = await repaired(t, { dataDir: first.world.dataDir, startS: 100 })
  t.equal(await second.repair.takeBody(Buffer.from(RECORD)), 'waiting')
  await second.calls.at(61)
  await second.repair.decideDue()
  t.match(await second.cdr(), { cost: 37n * CENT, cause: 'NORMAL_CLEARING' })
  t.equal(await second.row(), undefined)
  await second.verify()
})

t.test('calls that are remembered, and not yet found again', async t => {
  const first = await repaired(t)
  await first.calls.talk()
  const second = await first.restart({ startS: 100 })
  t.equal(second.calls.parts.link.remembered.size, 1)
  t.equal(await second.repair.takeBody(Buffer.from(RECORD)), 'known')
  t.match(await second.cdrs(), [{ cost: 37n * CENT, corrected: false }])
  t.equal(second.calls.parts.link.remembered.size, 0)
  await second.verify()
})

t.test('legs that the gate let through', async t => {
  const site = await repaired(t)
  const { calls } = site
  const { link } = calls.parts
  await calls.talk()
  const [known] = await calls.world.ledger.openCalls(LEG.switch)
  calls.parts.controller.calls.delete(LEG.callId)
  link.onEvent(legEvent('OTHER', { legId: 'x', at: s(4) }))
  link.expected.expect(known!, 60)
  t.equal(await site.repair.takeBody(Buffer.from(RECORD)), 'known')
  t.match(await site.cdrs(), [{ cost: 37n * CENT }])
  t.equal(link.expected.size, 0)
  await site.verify()
})

t.test('a list of CDRs reads as many as it shows', async t => {
  const { database } = (await repaired(t)).world.file
  const plan = (sql: string) =>
    database
      .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail)
  const newest = 'ORDER BY ended_at DESC, id DESC LIMIT 100'
  t.ok(plan(`SELECT * FROM ended_call ${newest}`).includes('SCAN cdr USING INDEX cdr_ended_at'))
  const one = plan(`SELECT * FROM ended_call WHERE account = 'alice' ${newest}`)
  t.ok(one.includes('SEARCH cdr USING INDEX cdr_account (account=?)'))
  t.notOk(plan('SELECT * FROM ended_call WHERE leg_id = 1').some(step => step === 'SCAN cdr'))
})
