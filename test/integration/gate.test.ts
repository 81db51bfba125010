/**
 * The gate over real sockets, on the real ledger: what A-legs are told, what is held for the legs to
 * come, and that nothing stays held for one that never comes.
 */
import { connect } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import pino from 'pino'
import t, { type Test } from 'tap'
import { SwitchLink } from '../../src/controller/switch-link.js'
import { CONNECTIONS_MAX, Gate } from '../../src/gate/server.js'
import type { VisitLimits } from '../../src/gate/visit.js'
import { SqliteCdrs } from '../../src/sqlite/cdrs.js'
import { ask, described, type Script } from '../support/gate-caller.js'
import { legEvent } from '../support/leg-events.js'
import { Live } from '../support/live.js'
import { CENT, LEG, s } from '../support/story.js'
import { FakeSwitch, restart, supervise, type Wanted } from '../support/supervised.js'

t.setTimeout(60_000)

type Calls = Awaited<ReturnType<typeof supervise>>

const CHUNK = 60n * CENT
const LIMITS = { introductionMs: 300, decisionMs: 200, answerMs: 300 }

/** A gate in front of one switch; account alice has credit. */
async function open(t: Test, wanted: Wanted = {}, limits: Partial<VisitLimits> = {}) {
  const calls = await supervise(t, wanted)
  await calls.beat(1)
  return behind(t, calls, { ...LIMITS, ...limits })
}

async function behind(
  t: Test,
  calls: Calls,
  limits: VisitLimits = LIMITS,
  links: readonly SwitchLink[] = [calls.parts.link],
) {
  const { controller, link } = calls.parts
  const logged: Record<string, unknown>[] = []
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) })
  let ids = 0
  const gate = await Gate.open({
    ...{ host: '127.0.0.1', port: 0, controller, log, appearS: 60, limits },
    links: () => links,
    newId: () => `leg-${++ids}`,
  })
  t.teardown(() => gate.close())
  const { port } = gate.address
  let aLegs = 0
  return {
    ...{ calls, gate, link, logged },
    /** Asks for a new A-leg, a-1 and so on. */
    ask: (headers: Record<string, string> = {}, script: Script = {}) => {
      const aLeg = `a-${++aLegs}`
      const asked = { port, aLeg, coreUuid: LEG.coreUuid, at: s(1) }
      return ask({ ...asked, account: 'alice', headers }, script)
    },
    held: () => calls.held(),
    messages: () => logged.map(line => line['msg']),
    refusals: () => new SqliteCdrs(calls.world.file).list({ limit: 100 }),
    rest: async () => {
      await setTimeout(20)
      await calls.rest()
    },
  }
}

/** The switch tells of a leg that the gate has let through. */
const leg = (callId: string, more: Parameters<typeof legEvent>[1] = {}) => ({
  legId: callId,
  otherLeg: 'a-1',
  number: '4930',
  ...more,
})

t.test('a call that is let through has its first chunk held under its own id', async t => {
  const { calls, ask, held, gate } = await open(t)
  t.strictSame(await ask(), {
    tollgate_result: 'allow',
    tollgate_leg_uuid: 'leg-1',
    tollgate_seconds: '62',
  })
  t.equal(await held(), CHUNK)
  calls.said()
  calls.world.asked.length = 0
  await calls.tell(2, 'CHANNEL_CREATE', leg('leg-1', { createdAt: s(2) }))
  t.equal(calls.phase('leg-1'), 'ringing', 'without a code of its own')
  t.notOk(calls.world.asked.includes('payer'), 'it is not priced again')
  t.notOk(calls.world.asked.includes('hold'), 'nor held for')
  await calls.tell(5, 'CHANNEL_ANSWER', leg('leg-1', { createdAt: s(2), answeredAt: s(5) }))
  t.match(calls.said().slice(-1), ['hang up leg-1 in 62 s, timer 1 for 0, ALLOTTED_TIMEOUT'])
  t.equal(await held(), CHUNK)
  await gate.close()
  const end = { answeredAt: s(5), hangupAt: s(15), cause: 'NORMAL_CLEARING' }
  await calls.tell(15, 'CHANNEL_HANGUP_COMPLETE', leg('leg-1', end))
  t.match(calls.cdrs, [{ call_id: 'leg-1', cost: '0.100000', held: '0.600000', account: 'alice' }])
  t.equal(await held(), 0n)
  await calls.verify(t)
})

t.test('the timer of the dial string gives way to ours at the answer', async t => {
  const { calls, ask } = await open(t)
  await ask()
  await calls.tell(2, 'CHANNEL_CREATE', leg('leg-1', { ac: 'alice' }))
  calls.said()
  await calls.tell(4, 'CHANNEL_ANSWER', leg('leg-1', { ac: 'alice', answeredAt: s(4) }))
  // For 0: generation 0 is what the answer armed, in the group of the leg.
  t.strictSame(calls.said(), ['hang up leg-1 in 62 s, timer 1 for 0, ALLOTTED_TIMEOUT'])
  await calls.at(54)
  t.match(calls.said(), ['hang up leg-1 in 72 s, timer 2 for 1, ALLOTTED_TIMEOUT'])
})

t.test('its events may come in any order', async t => {
  for (const order of [
    ['CHANNEL_ANSWER', 'CHANNEL_CREATE'],
    ['CHANNEL_ANSWER'],
    ['CHANNEL_HANGUP_COMPLETE'],
    ['CHANNEL_DESTROY'],
  ] as const) {
    const { calls, ask, held } = await open(t)
    await ask()
    for (const name of order) {
      const ended = name === 'CHANNEL_HANGUP_COMPLETE' || name === 'CHANNEL_DESTROY'
      const end = { hangupAt: s(7), cause: 'USER_BUSY' }
      const answeredAt = name === 'CHANNEL_ANSWER' ? s(2) : null
      await calls.tell(7, name, leg('leg-1', { answeredAt, ...(ended ? end : {}) }))
    }
    if (order[0] === 'CHANNEL_ANSWER') t.equal(calls.phase('leg-1'), 'answered')
    else {
      t.match(calls.cdrs, [{ outcome: 'unanswered', cost: '0.000000', cause: 'USER_BUSY' }])
      t.notMatch(calls.said().join(), /hang up/, 'nothing is armed on a leg that is gone')
    }
    t.equal(await held(), order[0] === 'CHANNEL_ANSWER' ? CHUNK : 0n)
    await calls.verify(t)
  }
})

t.test('a call that is denied is told why, and is on record', async t => {
  const { ask, refusals, held, calls, rest } = await open(t, { credit: '0' })
  const deny = (reason: string) => ({ tollgate_result: 'deny', tollgate_reason: reason })
  t.strictSame(await ask(), deny('no_credit'))
  t.strictSame(await ask({ variable_ac: 'nobody' }), deny('unknown_account'))
  t.strictSame(await ask({ variable_tollgate_number: '33123' }), deny('no_rate'))
  t.strictSame(await ask({ variable_tollgate_number: 'sip%3Abob' }), deny('malformed_number'))
  await calls.world.accounts.change('alice', { state: 'suspended' }, 'test')
  t.strictSame(await ask(), deny('account_suspended'))
  await rest()
  t.match(await refusals(), [
    { outcome: 'refused', reason: 'account_suspended', account: 'alice', otherLeg: 'a-5' },
    { outcome: 'refused', reason: 'malformed_number', dialled: 'sip:bob' },
    { outcome: 'refused', reason: 'no_rate', number: '33123' },
    { outcome: 'refused', reason: 'unknown_account', account: 'nobody' },
    { outcome: 'refused', reason: 'no_credit', cause: 'CALL_REJECTED', cost: 0n, held: 0n },
  ])
  t.strictSame(await ask({ variable_ac: '' }), deny('no_account'))
  t.strictSame(await ask({ 'Core-UUID': 'another' }), deny('switch_unknown'))
  await rest()
  t.equal((await refusals()).length, 5, 'who is not known has no record')
  t.equal(await held(), 0n)
  await calls.verify(t)
})

t.test('less than a chunk is enough where the rules say so', async t => {
  const { ask, held } = await open(t, { credit: '0.05' })
  t.match(await ask(), { tollgate_result: 'allow', tollgate_seconds: '7' })
  t.equal(await held(), 5n * CENT)
  const strict = await open(t, { credit: '0.05', rules: { partialChunk: false } })
  t.match(await strict.ask(), { tollgate_result: 'deny', tollgate_reason: 'no_credit' })
  t.equal(await strict.held(), 0n)
})

t.test('one id for each alternative, as far as the credit goes', async t => {
  const { ask, held, calls } = await open(t, { credit: '1.50' })
  const wanted = { variable_tollgate_alternatives: '4' }
  t.strictSame(await ask(wanted), {
    tollgate_result: 'allow',
    tollgate_leg_uuid: 'leg-1',
    tollgate_seconds: '62',
    tollgate_leg_uuid_2: 'leg-2',
    tollgate_seconds_2: '62',
    tollgate_leg_uuid_3: 'leg-3',
    tollgate_seconds_3: '32',
    tollgate_seconds_4: '62',
  })
  t.equal(await held(), 150n * CENT)
  await calls.tell(2, 'CHANNEL_CREATE', leg('leg-1'))
  await calls.tell(
    3,
    'CHANNEL_HANGUP_COMPLETE',
    leg('leg-1', { hangupAt: s(3), cause: 'USER_BUSY' }),
  )
  await calls.tell(4, 'CHANNEL_CREATE', leg('leg-2'))
  t.equal(calls.phase('leg-2'), 'ringing')
  t.equal(await held(), 90n * CENT)
  await calls.tell(6, 'CHANNEL_ANSWER', leg('leg-2', { answeredAt: s(6) }))
  t.equal(await held(), CHUNK, 'the third will not be dialled any more')
  await calls.verify(t)
})

t.test('a fork whose legs come after the answer of the first of them', async t => {
  const { ask, held, calls } = await open(t)
  await ask({ variable_tollgate_alternatives: '2' })
  const second = legEvent('CHANNEL_DATA', leg('leg-2'))
  calls.world.freeswitch.legs.set('leg-2', second)
  await calls.tell(2, 'CHANNEL_ANSWER', leg('leg-1', { answeredAt: s(2) }))
  t.equal(calls.phase('leg-2'), 'ringing', 'the switch said that it is there')
  t.equal(await held(), 2n * CHUNK)
})

t.test('what is held for a leg that never comes is given back', async t => {
  for (const ends of ['CHANNEL_HANGUP', 'CHANNEL_HANGUP_COMPLETE', 'CHANNEL_DESTROY'] as const) {
    const { ask, held, calls, link } = await open(t)
    await ask({ variable_tollgate_alternatives: '2' })
    t.equal(await held(), 2n * CHUNK)
    await calls.tell(5, ends, { legId: 'a-1', direction: 'inbound', hangupAt: s(5) })
    t.equal(await held(), 0n, ends)
    t.equal(link.expected.size, 0)
    t.strictSame(calls.cdrs, [], 'and leaves no record')
  }
  const { ask, held, calls } = await open(t)
  await ask()
  await calls.at(60)
  t.equal(await held(), CHUNK)
  await calls.at(62)
  t.equal(await held(), 0n, 'it took too long')
  await calls.verify(t)
})

t.test('not while the switch cannot say that it is not there', async t => {
  const { ask, held, calls } = await open(t)
  await ask()
  const { freeswitch } = calls.world
  freeswitch.failing.add('describe')
  await calls.tell(5, 'CHANNEL_HANGUP', { legId: 'a-1', direction: 'inbound' })
  await calls.at(300)
  t.equal(await held(), CHUNK)
  freeswitch.failing.clear()
  freeswitch.legs.set('leg-1', legEvent('CHANNEL_DATA', leg('leg-1', { answeredAt: s(6) })))
  await calls.at(302)
  t.equal(calls.phase('leg-1'), 'answered', 'it is there: its events were missed')
  await calls.verify(t)
})

t.test('nor while the ledger cannot give it back; then it is tried again', async t => {
  const { ask, held, calls } = await open(t)
  await ask()
  calls.world.failing.add('release')
  await calls.tell(5, 'CHANNEL_HANGUP', { legId: 'a-1', direction: 'inbound' })
  await calls.at(20)
  t.equal(await held(), CHUNK)
  calls.world.failing.clear()
  await calls.at(22)
  t.equal(await held(), 0n)
})

t.test('a leg that comes although its hold is given back is judged anew', async t => {
  for (const failing of [false, true]) {
    const { ask, held, calls } = await open(t)
    await ask({ variable_tollgate_number: '49555' })
    if (failing) calls.world.failing.add('release')
    await calls.at(100)
    t.equal(await held(), failing ? CHUNK : 0n)
    await calls.tell(100, 'CHANNEL_CREATE', leg('leg-1', { createdAt: s(100), number: '33' }))
    t.equal(calls.phase('leg-1'), 'ringing', 'though it has no code')
    t.equal(await held(), CHUNK)
    calls.world.failing.clear()
    await calls.at(105)
    t.equal(await held(), CHUNK, 'and nothing takes it away again')
    const end = {
      createdAt: s(100),
      answeredAt: s(106),
      hangupAt: s(116),
      cause: 'NORMAL_CLEARING',
    }
    await calls.tell(116, 'CHANNEL_HANGUP_COMPLETE', leg('leg-1', end))
    t.match(calls.cdrs, [{ account: 'alice', number: '49555', cost: '0.100000' }])
    await calls.verify(t)
  }
  const slow = await open(t)
  await slow.ask()
  const { failing, hanging } = slow.calls.world
  failing.add('release')
  hanging.add('release')
  await slow.calls.at(100)
  await slow.calls.tell(100, 'CHANNEL_CREATE', leg('leg-1', { createdAt: s(100) }))
  hanging.clear()
  await slow.rest()
  failing.clear()
  await slow.calls.at(105)
  t.equal(await slow.held(), CHUNK, 'it is not given back once the leg is there')
  const late = await open(t)
  await late.ask()
  await late.calls.at(700)
  await late.calls.tell(701, 'CHANNEL_CREATE', leg('leg-1', { createdAt: s(701), otherLeg: null }))
  t.equal(late.calls.phase('leg-1'), undefined, 'an hour later it is any leg')
})

t.test('the caller hangs up before he is told', async t => {
  for (const cancels of ['before', 'undecided', 'untold'] as const) {
    const { ask, held, link, rest, calls } = await open(t)
    t.equal(await ask({ variable_tollgate_alternatives: '3' }, { cancels }), null, cancels)
    await rest()
    t.equal(await held(), 0n)
    t.equal(link.expected.size, 0)
    await calls.verify(t)
  }
})

t.test('while the ledger is slow, too', async t => {
  const { ask, held, rest, calls } = await open(t)
  calls.world.hanging.add('hold')
  const asked = ask({}, { cancels: 'undecided' })
  await setTimeout(30)
  calls.world.hanging.clear()
  t.equal(await asked, null)
  await rest()
  t.equal(await held(), 0n)
})

t.test('the switch does not take the answer', async t => {
  const reply = (text: string) => `Content-Type: command/reply\nReply-Text: ${text}\n\n`
  const gone = '-ERR No such channel!\n'
  const cases: [Script, string | undefined][] = [
    [
      { answers: reply('-ERR command not found') },
      "the dialplan's socket needs the word 'full': no call gets through the gate",
    ],
    [
      { answers: `Content-Type: api/response\nContent-Length: ${gone.length}\n\n${gone}` },
      undefined,
    ],
    [{ answers: reply('-ERR whatever') }, 'the switch did not take the answer of the gate'],
    [{ answers: null }, 'a connection to the gate says nothing'],
    [{ breaks: true }, 'a connection to the gate ended too early'],
  ]
  for (const [script, complaint] of cases) {
    const { ask, held, rest, messages } = await open(t)
    t.equal(await ask({}, script), null)
    await rest()
    t.equal(await held(), 0n, complaint ?? 'gone')
    t.strictSame(messages().slice(1), complaint === undefined ? [] : [complaint])
  }
})

t.test('an A-leg that may have been told keeps its hold for as long as its leg lives', async t => {
  const { ask, held, rest, calls } = await open(t)
  calls.world.freeswitch.legs.set('leg-1', legEvent('CHANNEL_DATA', leg('leg-1')))
  await ask({}, { breaks: true })
  await rest()
  t.equal(calls.phase('leg-1'), 'ringing')
  t.equal(await held(), CHUNK)
})

t.test('no ledger, no call', async t => {
  const deny = { tollgate_result: 'deny', tollgate_reason: 'ledger_unavailable' }
  for (const verb of ['payer', 'hold'] as const) {
    const { ask, held, calls, rest } = await open(t)
    calls.world.failing.add(verb)
    t.strictSame(await ask({ variable_tollgate_alternatives: '2' }), { ...deny }, verb)
    calls.world.failing.clear()
    calls.world.hanging.add(verb)
    t.strictSame(await ask(), deny, `${verb} is too slow`)
    calls.world.hanging.clear()
    await rest()
    t.equal(await held(), 0n, 'what was held too late is given back')
    await calls.verify(t)
  }
})

t.test('a hold that fails takes no other one with it', async t => {
  for (const failing of [1, 2]) {
    const { ask, held, calls, rest } = await open(t)
    let holds = 0
    calls.world.failing.has = verb => verb === 'hold' && ++holds === failing
    const told = await ask({ variable_tollgate_alternatives: '2' })
    await rest()
    if (failing === 1) {
      t.match(told, { tollgate_result: 'deny', tollgate_reason: 'ledger_unavailable' })
      t.equal(await held(), 0n, 'the second is of no use without the first')
    } else {
      t.match(told, { tollgate_result: 'allow', tollgate_leg_uuid: 'leg-1' })
      t.notOk(told?.['tollgate_leg_uuid_2'])
      t.equal(await held(), CHUNK)
    }
  }
})

t.test('a switch whose events do not reach us is unknown', async t => {
  const { ask, link } = await open(t)
  link.onDown()
  t.match(await ask(), { tollgate_reason: 'switch_unknown' })
  link.onUp()
  t.match(await ask(), { tollgate_result: 'allow' })
})

t.test('a switch that has said nothing yet is known by the A-leg', async t => {
  const calls = await supervise(t)
  const { ask } = await behind(t, calls)
  const { freeswitch } = calls.world
  t.match(await ask(), { tollgate_reason: 'switch_unknown' })
  freeswitch.legs.set('a-2', legEvent('CHANNEL_DATA', { legId: 'a-2', direction: 'inbound' }))
  t.match(await ask(), { tollgate_result: 'allow' })
})

t.test('another switch that hangs does not keep one from being found', async t => {
  const calls = await supervise(t)
  const { controller, link } = calls.parts
  const { clock, freeswitch } = calls.world
  const hung = new FakeSwitch(clock)
  hung.hanging.add('describe')
  const log = pino({ level: 'silent' })
  const other = new SwitchLink('hung', { controller, clock, log, loopbackPays: false })
  other.attach(hung)
  other.onUp()
  const { ask } = await behind(t, calls, LIMITS, [other, link])
  freeswitch.legs.set('a-1', legEvent('CHANNEL_DATA', { legId: 'a-1', direction: 'inbound' }))
  t.match(await ask(), { tollgate_result: 'allow' })
  t.match(await ask({ 'Core-UUID': 'nobody' }), { tollgate_result: 'deny' })
  hung.hanging.clear()
})

t.test('a hundred at once, on credit for seven', async t => {
  const { ask, held, calls, refusals, rest } = await open(t, { credit: '4.20' })
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask()))
  const allowed = answers.filter(answer => answer?.['tollgate_result'] === 'allow')
  t.equal(allowed.length, 7)
  t.equal(new Set(allowed.map(answer => answer?.['tollgate_leg_uuid'])).size, 7)
  t.equal(answers.filter(answer => answer?.['tollgate_reason'] === 'no_credit').length, 93)
  t.equal(await held(), 7n * CHUNK)
  await rest()
  t.equal((await refusals()).length, 93)
  await calls.verify(t)
})

t.test('it stops while it is asked', async t => {
  const { ask, held, calls, gate, link, rest } = await open(t)
  calls.world.hanging.add('hold')
  const asked = Promise.all(Array.from({ length: 50 }, () => ask()))
  await setTimeout(50)
  const closed = gate.close()
  calls.world.hanging.clear()
  t.strictSame(await asked, Array(50).fill(null), 'they stay "down"')
  await closed
  t.equal(await held(), 0n, 'at once: nobody was told')
  t.equal(link.expected.size, 0)
  t.equal(await ask(), null, 'and nobody is let in any more')
  await rest()
})

t.test('an A-leg that is being told while it stops, is', async t => {
  const { gate, calls } = await open(t)
  const asked = { port: gate.address.port, aLeg: 'a-1', coreUuid: LEG.coreUuid, at: s(1) }
  const socket = connect(gate.address.port, '127.0.0.1')
  socket.write(described({ ...asked, account: 'alice' }))
  let said = ''
  socket.on('data', chunk => {
    said += chunk
  })
  while (!said.includes('exit')) await setImmediate()
  const closed = gate.close()
  await setTimeout(50)
  socket.end('Content-Type: api/response\nContent-Length: 4\n\n+OK\n')
  await closed
  t.equal(await calls.held(), CHUNK)
})

t.test('legs that are expected when it is started anew', async t => {
  const before = await open(t)
  await before.ask({ variable_tollgate_alternatives: '2' })
  await before.gate.close()
  const after = await restart(t, before.calls)
  t.equal(await after.held(), 2n * CHUNK)
  await after.tell(10, 'CHANNEL_CREATE', leg('leg-1'))
  t.equal(after.phase('leg-1'), 'ringing', 'one comes')
  after.world.freeswitch.legs.set('leg-1', legEvent('CHANNEL_DATA', leg('leg-1')))
  for (const seconds of [20, 26, 32]) {
    await after.beat(seconds)
    await after.compare()
  }
  t.equal(await after.held(), CHUNK, 'the other does not, and its hold is given back')
  t.match(after.cdrs, [
    { call_id: 'leg-2', outcome: 'unanswered', reason: 'lost', cost: '0.000000' },
  ])
  await after.verify(t)
})

t.test('who says nothing is not waited for', async t => {
  const { gate, messages } = await open(t)
  const socket = connect(gate.address.port, '127.0.0.1')
  socket.resume()
  await new Promise(resolve => socket.once('close', resolve))
  t.strictSame(messages().slice(1), ['a connection to the gate says nothing'])
})

t.test('who only looks whether it is there, as doctor does, is no trouble', async t => {
  const { gate, messages, ask } = await open(t)
  const socket = connect(gate.address.port, '127.0.0.1')
  await new Promise(resolve => socket.once('data', resolve))
  socket.destroy()
  await ask()
  t.strictSame(messages().slice(1), [])
})

t.test('who talks nonsense is turned away', async t => {
  const { gate, messages, ask } = await open(t)
  const socket = connect(gate.address.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\n\r\n')
  socket.resume()
  await new Promise(resolve => socket.once('close', resolve))
  t.match(messages().slice(1), ['what has connected to the gate is no outbound socket of a switch'])
  const evil = '%0A%0Aapi%20fsctl%20shutdown'
  t.match(await ask({ variable_ac: evil }), { tollgate_reason: 'unknown_account' })
  t.equal(await ask({ 'Unique-ID': evil }), null)
})

t.test('a thousand at once, and then no more', async t => {
  const { gate, ask, messages } = await open(t, {}, { introductionMs: 4000 })
  const sockets = Array.from({ length: CONNECTIONS_MAX }, () => {
    const socket = connect(gate.address.port, '127.0.0.1')
    socket.on('error', () => {})
    return socket
  })
  const all = (event: string) =>
    Promise.all(sockets.map(socket => new Promise(resolve => socket.once(event, resolve))))
  const closed = all('close')
  await all('data')
  t.equal(await ask(), null, 'one too many is closed at once')
  t.ok(messages().includes('the gate is full'))
  await closed
  t.match(await ask(), { tollgate_result: 'allow' }, 'and room is made')
})

t.test('the daemon as shipped: gate, call, lease, stop', async t => {
  const gate = { listen: '127.0.0.1:0', lease_s: 30 }
  const live = await Live.start(t, { gate, credit: { A: '1' }, rules: { chunk_s: 60 } })
  const { freeswitch } = live
  const opened = () => live.logged.findLast(line => line['msg'] === 'the gate is open')
  const asked = (aLeg: string) => ({
    ...{ port: Number(opened()?.['port']), aLeg, coreUuid: freeswitch.coreUuid, account: 'A' },
    ...{ at: freeswitch.options.timeline.now(), headers: { variable_tollgate_number: '4420' } },
  })
  const leaseS = () => Number(freeswitch.api('global_getvar tollgate_lease'))
  await live.until(() => leaseS() > freeswitch.options.timeline.now() / 1e6 + 25, 'a lease')
  const told = await ask(asked('a-1'))
  t.match(told, { tollgate_result: 'allow', tollgate_seconds: '62' })
  const uuid = told!['tollgate_leg_uuid']!
  t.match(await live.api.accountShow({ code: 'A' }), { held: '0.620000' })
  t.match(await ask(asked('a-2')), { tollgate_result: 'allow' }, 'for what is left')
  t.match(await ask(asked('a-3')), { tollgate_reason: 'no_credit' })
  const extraVariables = { execute_on_answer: 'sched_hangup +62 ALLOTTED_TIMEOUT' }
  live.call('A', { uuid, aUuid: 'a-1', extraVariables, talkMs: 1500 })
  await live.until(
    async () => (await live.api.callList({})).some(call => call.state === 'answered'),
    'it is answered',
  )
  const tasks = () => freeswitch.api('show tasks')
  await live.until(() => tasks().includes(`uuid_kill ${uuid}`) || /tg-1-/.test(tasks()), 'armed')
  await live.until(() => !tasks().includes('hangup'), 'and the timer of the dial string is gone')
  t.match(await live.cdr(uuid), { outcome: 'completed', number: '4420', held: '0.620000' })
  const use = { gate_allowed: 2, gate_denied: 1, gate_expected: 1 }
  t.match(await live.api.switchList({}), [use], 'the switch list counts them')
  await live.daemon.stop()
  t.equal(leaseS(), 0)
  await live.startDaemon()
  await live.until(() => leaseS() > 0, 'a lease again')
  t.match(await live.verify(), { problems: [], open_calls: 1 }, 'the leg of a-2 may yet come')
})
