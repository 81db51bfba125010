/**
 * A switch over its event socket: against the simulated one, and against a script where it is to
 * do what no switch should.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import t, { type Test } from 'tap'
import type { Heartbeat, LegEvent } from '../../src/call/leg-event.js'
import type { CallPlan } from '../../src/simulator/call-plan.js'
import { EslServer } from '../../src/simulator/esl-server.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch } from '../../src/simulator/simulated-switch.js'
import { latin1 } from '../../src/simulator/switch-event.js'
import { record } from '../../src/switch/capture.js'
import { decode } from '../../src/switch/decode.js'
import { EslSwitch, type EslSwitchOptions } from '../../src/switch/esl-switch.js'
import { Framer } from '../../src/switch/frames.js'

const PASSWORD = 'quite-secret'

const CALL: CallPlan = {
  aLeg: false,
  number: '442071234567',
  ac: 'ACCT1',
  ringMs: 0,
  instant: true,
  talkMs: null,
  answer: true,
}

const RINGING: CallPlan = { ...CALL, instant: false, ringMs: 60_000 }

interface Line {
  level: number
  msg: string
  why?: string
}

async function until(condition: () => boolean) {
  const deadline = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it never came to: ${condition}`)
    await sleep(2)
  }
}

/** An EslSwitch, what it told its listener, and what it logged. */
function open(t: Test, port: number, options: Partial<EslSwitchOptions> = {}) {
  const told: string[] = []
  const events: (LegEvent | Heartbeat)[] = []
  const lines: Line[] = []
  const log = pino(
    { level: 'debug' },
    {
      write(text: string) {
        if (text.includes(PASSWORD)) t.fail('the password is in the log')
        lines.push(JSON.parse(text))
      },
    },
  )
  const freeswitch = new EslSwitch({
    name: 'berlin',
    host: '127.0.0.1',
    port,
    password: PASSWORD,
    timeoutMs: 400,
    heartbeatS: 20,
    log,
    random: () => 0.02,
    listener: {
      onUp: () => told.push('up'),
      onDown: () => told.push('down'),
      onEvent: event => {
        told.push(event.name)
        events.push(event)
      },
    },
    ...options,
  })
  freeswitch.start()
  t.teardown(() => freeswitch.stop())
  const warnings = () => lines.filter(({ level }) => level === 40).map(({ why }) => why)
  const attempts = () => lines.filter(({ msg }) => msg === 'switch not connected').length
  return { esl: freeswitch, told, events, lines, warnings, attempts }
}

/** The simulated switch. */
async function simulate(t: Test, heartbeatS = 20) {
  const freeswitch = new SimulatedSwitch({
    timeline: new RealTimeline(),
    random: Math.random,
    heartbeatS,
  })
  const server = new EslServer({ freeswitch, password: PASSWORD })
  const port = await server.listen()
  t.teardown(async () => {
    freeswitch.stop()
    await server.close()
  })
  return { freeswitch, server, port }
}

const reply = (text: string) => `Content-Type: command/reply\nReply-Text: ${text}\n\n`

const answer = (body: string) =>
  `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(body)}\n\n${body}`

const HEARTBEAT = 'Event-Name: HEARTBEAT\nCore-UUID: c\nEvent-Date-Timestamp: 7\n\n'

const heartbeat = `Content-Length: ${HEARTBEAT.length}\nContent-Type: text/event-plain\n\n${HEARTBEAT}`

/** A switch by script: `respond` says what comes for a line; undefined for the usual answer. */
async function script(
  t: Test,
  respond: (line: string, socket: Socket) => string | undefined = () => undefined,
) {
  const sent: string[] = []
  const sockets: Socket[] = []
  const server: Server = createServer(socket => {
    sockets.push(socket)
    let rest = ''
    socket.on('error', () => {})
    socket.on('data', bytes => {
      const commands = `${rest}${bytes}`.split('\n\n')
      rest = commands.pop()!
      for (const line of commands) {
        sent.push(line)
        const usual = line.startsWith('api') ? answer('+OK\n') : reply('+OK accepted')
        socket.write(respond(line, socket) ?? usual)
      }
    })
    socket.write('Content-Type: auth/request\n\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return { port, sent, sockets, server }
}

t.test('events come from a call that is placed', async t => {
  const { freeswitch, port } = await simulate(t, 1)
  const { esl, told, events, warnings } = open(t, port)
  await t.rejects(esl.listLegs(), { code: 'not_connected' }, 'not yet')
  await until(() => told.includes('up'))
  const { b } = freeswitch.placeCall({ ...CALL, callerName: latin1('René\n') })
  await until(() => told.includes('CHANNEL_ANSWER'))
  freeswitch.hangUp(b)
  await until(() => told.includes('CHANNEL_DESTROY') && told.includes('HEARTBEAT'))
  t.same(
    told.filter(word => word !== 'HEARTBEAT'),
    [
      'up',
      'CHANNEL_CREATE',
      'CHANNEL_ANSWER',
      'CHANNEL_HANGUP',
      'CHANNEL_HANGUP_COMPLETE',
      'CHANNEL_DESTROY',
    ],
  )
  t.match(
    events.find(event => event.name === 'CHANNEL_CREATE'),
    { legId: b, ac: 'ACCT1', number: '442071234567', coreUuid: freeswitch.coreUuid },
  )
  t.same(warnings(), [])
})

t.test('it asks for what it needs, and for nothing else', async t => {
  const { port, sent } = await script(t, line =>
    line.startsWith('event')
      ? `${reply('+OK event listener enabled plain')}${heartbeat}`
      : undefined,
  )
  const { told } = open(t, port)
  await until(() => told.length === 2)
  t.same(told, ['up', 'HEARTBEAT'], 'up comes first, be the event in the same packet')
  const names = 'CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE'
  t.same(sent, [
    `auth ${PASSWORD}`,
    `auth ${PASSWORD}`,
    `auth ${PASSWORD}`,
    `event plain ${names} CHANNEL_DESTROY CHANNEL_UUID HEARTBEAT`,
  ])
})

t.test('every command', async t => {
  const { freeswitch, port } = await simulate(t)
  const { esl, told } = open(t, port)
  await until(() => told.includes('up'))
  t.same(await esl.listLegs(), { coreUuid: freeswitch.coreUuid, legs: [] })

  const { a, b } = freeswitch.placeCall({ ...RINGING, aLeg: true })
  await until(() => told.filter(word => word === 'CHANNEL_CREATE').length === 2)
  t.equal(await esl.variable(b, 'ac'), 'ACCT1')
  t.equal(await esl.variable(b, 'no_such'), null)
  t.equal(await esl.variable('no-leg', 'ac'), null)
  freeswitch.api(`uuid_setvar ${b} ac ${'x'.repeat(10_000)}`)
  t.equal(await esl.variable(b, 'ac'), `${'x'.repeat(64)}…`)
  const { legs } = await esl.listLegs()
  t.same(
    new Set(legs),
    new Set([
      { legId: a, direction: 'inbound' },
      { legId: b, direction: 'outbound' },
    ]),
  )
  t.match(await esl.describe(b), { name: 'CHANNEL_DATA', legId: b, otherLeg: a, answeredAt: null })
  t.equal(await esl.describe('no-leg'), null)
  await esl.hangUpAfterAnswer(b, 61, 'ALLOTTED_TIMEOUT')
  const action = await esl.variable(b, 'execute_on_answer_tollgate')
  t.equal(action, 'sched_hangup +61 ALLOTTED_TIMEOUT')
  await esl.hangUpAfterAnswer('no-leg', 61, 'ALLOTTED_TIMEOUT')
  await t.rejects(esl.play('no-leg', 'a.wav'), { name: 'SwitchError', code: 'refused' })

  await esl.hangUp(b, 'CALL_REJECTED')
  await until(() => told.includes('CHANNEL_DESTROY'))
  t.match(freeswitch.history.get(b), { cause: 'CALL_REJECTED' })
  await esl.hangUp(b, 'CALL_REJECTED')
  t.pass('a leg that is gone is hung up')
  await t.rejects(esl.hangUp('x\n\napi shutdown', 'CALL_REJECTED'), { code: 'refused' })
  t.ok(freeswitch.up)
})

t.test("the switch's own timer is armed, moved, and fires", async t => {
  const { freeswitch, port } = await simulate(t)
  const { esl, told } = open(t, port)
  await until(() => told.includes('up'))
  const { b } = freeswitch.placeCall(CALL)
  await until(() => told.includes('CHANNEL_ANSWER'))
  const tasks = () => freeswitch.api('show tasks').match(/\n\d+,.*/g) ?? []
  const own = () =>
    tasks()
      .filter(task => task.includes(b))
      .map(task => task.split(',')[2])
  freeswitch.api(`sched_hangup +60 ${b} ALLOTTED_TIMEOUT`)
  await esl.hangUpAfter(b, 60, 1, 0, 'ALLOTTED_TIMEOUT')
  await until(() => own().length === 1)
  t.same(own(), [`tg-1-${b}`])
  await esl.hangUpAfter(b, 60, 2, 1, 'ALLOTTED_TIMEOUT')
  await until(() => own().length === 1)
  t.same(own(), [`tg-2-${b}`])
  await esl.hangUpAfter(b, 1, 3, 1, 'ALLOTTED_TIMEOUT')
  await until(() => told.includes('CHANNEL_DESTROY'))
  t.match(freeswitch.history.get(b), { cause: 'ALLOTTED_TIMEOUT' })
})

t.test('the switch arms a timer by itself when the leg is answered', async t => {
  const { freeswitch, port } = await simulate(t)
  const { esl, told } = open(t, port)
  await until(() => told.includes('up'))
  const { b } = freeswitch.placeCall({ ...RINGING, ringMs: 150 })
  await esl.hangUpAfterAnswer(b, 1, 'ALLOTTED_TIMEOUT')
  esl.stop()
  await until(() => !freeswitch.legs().includes(b))
  t.match(freeswitch.history.get(b), { cause: 'ALLOTTED_TIMEOUT' })
})

t.test('no timer is deleted before its successor is armed', async t => {
  let refuse = true
  const { port, sent, sockets } = await script(t, (line, socket) => {
    if (refuse && line.startsWith('api sched_api')) return answer('-ERR Invalid syntax\n')
    if (!line.startsWith('api sched')) return undefined
    // The answer to sched_api is late: whoever does not wait for it is found out.
    const text = line.startsWith('api sched_api') ? '+OK Added: 7\n' : '+OK Deleted: 1\n'
    setTimeout(() => socket.write(answer(text)), 20)
    return ''
  })
  const { esl, told } = open(t, port)
  await until(() => told.includes('up'))
  await t.rejects(esl.hangUpAfter('leg', 60, 1, 0, 'X'), { code: 'refused' })
  t.notOk(sent.some(line => line.includes('sched_del')))
  refuse = false
  const done = esl.hangUpAfter('leg', 60, 2, 0, 'X')
  await until(() => sent.filter(line => line.includes('sched_api')).length === 2)
  t.notOk(sent.some(line => line.includes('sched_del')))
  await done
  t.same(
    sent.filter(line => line.includes('sched_del')),
    ['api sched_del leg', 'api sched_del tg-1-leg'],
  )
  t.equal(sockets.length, 3)
})

t.test('a wrong password: one line, and it keeps trying', async t => {
  const { port } = await simulate(t)
  const { told, warnings, attempts } = open(t, port, { password: 'wrong' })
  await until(() => attempts() >= 3)
  t.same(warnings(), ['the switch refuses the password'])
  t.same(told, [])
  t.throws(() => open(t, port, { password: 'two\nlines' }), { code: 'refused' })
})

t.test('nobody listens: one line, and up as soon as somebody does', async t => {
  const { server, port } = await simulate(t)
  await server.refuseConnections()
  const { told, warnings, attempts, lines } = open(t, port)
  await until(() => attempts() >= 3)
  t.same(warnings(), ['the connection was refused: nothing listens at that address and port'])
  await server.refuseConnections(false)
  await until(() => told.includes('up'))
  t.match(lines.at(-1), { level: 30, msg: 'switch connected', switch: 'berlin', port })
})

t.test('turned away by the access list', async t => {
  const { server, port } = await simulate(t)
  server.rejectsByAcl = true
  const { warnings, attempts, told } = open(t, port)
  await until(() => attempts() >= 3)
  t.match(warnings(), [/turns our address away/])
  t.equal(warnings().length, 1)
  server.rejectsByAcl = false
  await until(() => told.includes('up'))
})

t.test('a switch that takes the connection and says nothing', async t => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const { warnings, attempts } = open(t, port, { timeoutMs: 10 })
  await until(() => attempts() >= 2)
  t.same(warnings(), ['the switch did not let us log in within 50 ms'])
})

t.test('a subscription that is refused, or never acknowledged', async t => {
  for (const said of [reply('-ERR no keywords supplied'), '']) {
    const { port } = await script(t, line => (line.startsWith('event') ? said : undefined))
    const { told, warnings, attempts } = open(t, port, { timeoutMs: 100 })
    await until(() => attempts() >= 2)
    t.match(warnings(), [/^the subscription failed: the switch (says|did not answer)/])
    t.same(told, [])
  }
})

t.test('a half-open connection is noticed by its silence', async t => {
  const { server, port } = await simulate(t)
  const { told, warnings } = open(t, port, { heartbeatS: 0.08 })
  await until(() => told.includes('up'))
  server.freeze()
  const frozen = performance.now()
  await until(() => told.includes('down'))
  const tookMs = performance.now() - frozen
  t.ok(tookMs > 100, `after ${tookMs} ms`)
  t.same(warnings(), ['nothing was heard from the switch for 0.2 s'])
  server.thaw()
  await until(() => told.filter(word => word === 'up').length === 2)
})

t.test('any event puts silence off', async t => {
  const { freeswitch, port } = await simulate(t)
  const { told } = open(t, port, { heartbeatS: 0.2 })
  await until(() => told.includes('up'))
  for (let i = 0; i < 14; i++) {
    const { b } = freeswitch.placeCall(RINGING)
    await sleep(50)
    freeswitch.hangUp(b)
  }
  t.notOk(told.includes('down'))
})

t.test('a command connection that does not answer is given up', async t => {
  for (const asked of [true, false]) {
    const { server, port } = await simulate(t)
    const heartbeatS = asked ? 20 : 0.2
    const { esl, told, warnings } = open(t, port, { timeoutMs: 60, heartbeatS })
    await until(() => told.includes('up'))
    server.faults.api = () => ({ silent: true })
    const beats = setInterval(() => server.options.freeswitch.placeCall(RINGING), 20)
    t.teardown(() => clearInterval(beats))
    if (asked) await t.rejects(esl.hangUp('leg', 'X'), { code: 'timeout' })
    await until(() => told.includes('down'))
    t.match(warnings(), [/^the switch does not answer commands/])
    server.faults.api = undefined
    await until(() => told.filter(word => word === 'up').length === 2)
  }
})

t.test('a user who may not ask for the run of the switch is not given up', async t => {
  const { port, sent } = await script(t, (line, socket) => {
    if (line.startsWith('event')) setInterval(() => socket.write(heartbeat), 10).unref()
    return line.includes('core_uuid') ? reply('-ERR permission denied') : undefined
  })
  const { told } = open(t, port, { heartbeatS: 0.1 })
  await until(() => sent.filter(line => line.includes('core_uuid')).length >= 3)
  t.notOk(told.includes('down'))
})

t.test('up means that all connections are', async t => {
  for (const late of [1, 2, 3]) {
    let logins = 0
    const { port, sent } = await script(t, (line, socket) => {
      if (!line.startsWith('auth') || ++logins !== late) return undefined
      setTimeout(() => socket.write(reply('+OK accepted')), 60)
      return ''
    })
    const { told } = open(t, port)
    await until(() => logins === 3)
    await sleep(30)
    t.same(told, [])
    t.notOk(
      sent.some(line => line.startsWith('event')),
      'nothing is heard before it can be acted on',
    )
    await until(() => told.includes('up'))
  }
})

t.test('answers stay in order when one comes late', async t => {
  const { freeswitch, server, port } = await simulate(t)
  const { esl, told, warnings } = open(t, port, { timeoutMs: 250 })
  await until(() => told.includes('up'))
  const { b } = freeswitch.placeCall(CALL)
  for (const name of ['one', 'two', 'three']) freeswitch.api(`uuid_setvar ${b} ${name} is-${name}`)
  server.faults.api = line => (line.endsWith(' one') ? { delayMs: 350 } : undefined)
  await t.rejects(esl.variable(b, 'one'), { name: 'SwitchError', code: 'timeout' })
  const answers = await Promise.all([esl.variable(b, 'two'), esl.variable(b, 'three')])
  t.same(answers, ['is-two', 'is-three'])
  t.same(warnings(), [], 'slow is not dead')
})

t.test('answers stay in order when one is refused as a command/reply', async t => {
  const { port } = await script(t, line => {
    if (line.includes('denied')) return reply('-ERR permission denied 100%')
    const name = /uuid_getvar leg (\w+)/.exec(line)?.[1]
    return name ? answer(`%E9 of ${name}`) : undefined
  })
  const { esl, told } = open(t, port)
  await until(() => told.includes('up'))
  const all = await Promise.allSettled([
    esl.variable('leg', 'first'),
    esl.hangUp('denied', 'X'),
    esl.variable('leg', 'second'),
  ])
  t.match(all, [
    { value: '%E9 of first' },
    { reason: { code: 'refused', message: 'the switch says: permission denied 100%' } },
    { value: '%E9 of second' },
  ])
})

t.test('a list that comes too late is none', async t => {
  const lists: Socket[] = []
  const list = (count: number) => {
    const rows = Array.from({ length: count }, (_, i) => ({
      uuid: `leg ${i}`,
      direction: 'outbound',
      cid_name: 'x'.repeat(900),
    }))
    return answer(JSON.stringify({ row_count: count, rows }))
  }
  const long = list(2000)
  const half = long.length / 2
  let isSending = false
  const { port, sent } = await script(t, (line, socket) => {
    if (line.includes('global_getvar')) return isSending ? '' : answer('run')
    if (!line.includes('show channels')) return undefined
    lists.push(socket)
    isSending = lists.length === 1
    return isSending ? long.slice(0, half) : list(1)
  })
  const { esl, told } = open(t, port, { timeoutMs: 60 })
  await until(() => told.includes('up'))
  await t.rejects(esl.listLegs(), { code: 'timeout' }, 'a part of a list is none')
  // It is asked whether it is alive, which is answered behind the list.
  await until(() => sent.filter(line => line.includes('global_getvar')).length === 2)
  isSending = false
  lists[0]!.write(`${long.slice(half)}${answer('run')}`)
  t.strictSame(await esl.listLegs(), {
    coreUuid: 'run',
    legs: [{ legId: 'leg 0', direction: 'outbound' }],
  })
  t.notOk(told.includes('down'), 'slow is not dead')
})

t.test('while a list is on its way, commands are answered', async t => {
  const lists: Socket[] = []
  const rows = [{ uuid: 'a', direction: 'inbound' }]
  const list = answer(JSON.stringify({ row_count: 1, rows }))
  const { port } = await script(t, (line, socket) => {
    if (line.includes('global_getvar')) return answer('run')
    if (!line.includes('show channels')) return undefined
    lists.push(socket)
    return list.slice(0, -10)
  })
  const { esl, told } = open(t, port)
  await until(() => told.includes('up'))
  const listed = esl.listLegs()
  await until(() => lists.length === 1)
  await esl.hangUp('leg', 'X')
  lists[0]!.write(list.slice(-10))
  t.strictSame(await listed, { coreUuid: 'run', legs: [{ legId: 'a', direction: 'inbound' }] })
  const torn = esl.listLegs()
  await until(() => lists.length === 2)
  lists[1]!.destroy()
  await t.rejects(torn, { code: 'not_connected' }, 'a part of a list is none')
})

t.test('answers that make no sense', async t => {
  const { port } = await script(t, line =>
    line.includes('uuid_dump') ? answer('{"Event-Name":"CHANNEL_DATA"}') : undefined,
  )
  const { esl, told } = open(t, port)
  await until(() => told.includes('up'))
  await t.rejects(esl.describe('leg'), { code: 'unexpected' })
  await t.rejects(esl.listLegs(), { code: 'unexpected' })
  await t.rejects(esl.hangUpAfter('leg', 1, 1, 0, 'X'), { code: 'unexpected' })
})

t.test('what ends a connection', async t => {
  const { freeswitch, server, port } = await simulate(t)
  const { esl, told, warnings } = open(t, port)
  const count = (word: string) => told.filter(each => each === word).length
  const ends: [string, () => void][] = [
    ['a reset', () => server.reset()],
    ['a reload of the module', () => server.disconnectAll()],
    ['a crash', () => freeswitch.crash()],
    ['a shutdown within a frame', () => freeswitch.shutdown('torn frame')],
  ]
  for (const [i, [what, end]] of ends.entries()) {
    await until(() => count('up') === i + 1)
    server.faults.api = () => ({ silent: true })
    const pending = [esl.hangUp('leg', 'X'), esl.listLegs(), esl.variable('leg', 'ac')]
    await sleep(5)
    end()
    for (const result of await Promise.allSettled(pending)) {
      t.match(result, { status: 'rejected', reason: { code: 'not_connected' } }, what)
    }
    t.equal(count('down'), i + 1, `${what} is told once`)
    await t.rejects(esl.hangUp('leg', 'X'), { code: 'not_connected' })
    server.faults.api = undefined
    if (!freeswitch.up) freeswitch.restart()
  }
  await until(() => count('up') === 5)
  t.ok(warnings().includes('the switch closed the connection'))
  t.equal(server.clientCount, 3)
})

t.test('each connection takes the others with it', async t => {
  for (const which of [0, 1, 2]) {
    const { port, sockets } = await script(t)
    const { told } = open(t, port)
    await until(() => told.includes('up'))
    sockets[which]!.destroy()
    await until(() => sockets.length === 6 && sockets.slice(0, 3).every(each => each.destroyed))
    await until(() => told.length === 3)
    t.same(told, ['up', 'down', 'up'])
  }
})

t.test('a frame of 50 MB costs the connection, and nothing else', async t => {
  let evil = true
  const { port } = await script(t, line => {
    if (!line.startsWith('event') || !evil) return undefined
    evil = false
    return `${reply('+OK')}${heartbeat}Content-Length: 52428800\n\n${'x'.repeat(1000)}`
  })
  const { told, warnings } = open(t, port)
  await until(() => told.at(-1) === 'up' && !evil)
  t.match(warnings(), [/^a frame of 52428800 bytes is announced/])
})

t.test('after stop() there is nothing more', async t => {
  const { server, port } = await simulate(t)
  const { esl, told, lines } = open(t, port)
  await until(() => told.includes('up'))
  server.faults.api = () => ({ silent: true })
  const pending = esl.hangUp('leg', 'X')
  const rejected = t.rejects(pending, { code: 'not_connected' })
  esl.start()
  esl.stop()
  await rejected
  await until(() => server.clientCount === 0)
  await sleep(30)
  t.equal(server.clientCount, 0)
  t.same(told, ['up', 'down'])
  t.equal(lines.length, 1)
  server.faults.api = undefined
  esl.start()
  await until(() => told.length === 3)
  t.same(told, ['up', 'down', 'up'], 'it can be started again')
})

/** A recording that is under way. */
function tape(port: number, options: Partial<Parameters<typeof record>[0]> = {}) {
  const chunks: Buffer[] = []
  const stop = new AbortController()
  const sink = new Writable({
    write(chunk, _, done) {
      chunks.push(chunk)
      done()
    },
  })
  const address = { host: '127.0.0.1', port, password: PASSWORD, format: 'plain' as const }
  const done = record({ ...address, ...options }, sink, stop.signal)
  return { done, sink, stop, bytes: () => Buffer.concat(chunks) }
}

t.test('a recording is what a client received', async t => {
  for (const format of ['plain', 'json'] as const) {
    const { freeswitch, port } = await simulate(t)
    const { done, stop, bytes } = tape(port, { format })
    await until(() => bytes().includes('event listener enabled'))
    const { b } = freeswitch.placeCall({ ...CALL, aLeg: true })
    await until(() => bytes().includes('CHANNEL_BRIDGE'))
    freeswitch.hangUp(b)
    await until(() => bytes().toString().split('CHANNEL_DESTROY').length === 3)
    stop.abort()
    t.equal(await done, bytes().length)
    const greeting =
      'Content-Type: auth/request\n\nContent-Type: command/reply\nReply-Text: +OK accepted'
    t.ok(bytes().toString().startsWith(greeting))
    const framer = new Framer()
    const own = [...framer.push(bytes())].flatMap(frame => decode(frame) ?? [])
    t.equal(framer.end(), null)
    t.match(
      own.filter(event => event.name !== 'HEARTBEAT' && event.legId === b),
      ['CREATE', 'ANSWER', 'HANGUP', 'HANGUP_COMPLETE', 'DESTROY'].map(name => ({
        name: `CHANNEL_${name}`,
        ac: 'ACCT1',
      })),
    )
    t.ok(
      own.some(event => event.name === 'OTHER'),
      'more than the rules need',
    )
  }
})

t.test('a recording goes on whatever comes, until the switch ends it', async t => {
  const noise = `Content-Length: 52428800\n\n${'x'.repeat(100_000)}`
  const { port, sockets } = await script(t, line =>
    line.startsWith('event') ? `${reply('+OK event listener enabled plain')}${noise}` : undefined,
  )
  const { done, bytes } = tape(port)
  await until(() => bytes().includes('x'.repeat(100_000)))
  sockets[0]!.write('more')
  await until(() => bytes().includes('more'))
  sockets[0]!.resetAndDestroy()
  t.equal(await done, bytes().length)
})

t.test('a recording that does not begin', async t => {
  const { server, port } = await simulate(t)
  const refused = (message: RegExp | string) => ({ code: 'not_connected', message })
  await t.rejects(tape(port, { password: 'wrong' }).done, refused(/refuses the password/))
  await t.rejects(tape(port, { password: 'a\nb' }).done, { code: 'refused' })
  server.rejectsByAcl = true
  await t.rejects(tape(port).done, refused(/turns our address away/))
  await server.refuseConnections()
  await t.rejects(tape(port).done, refused(/nothing listens/))

  const silent = await script(t, () => '')
  await t.rejects(tape(silent.port, { loginTimeoutMs: 30 }).done, refused(/log in within 30 ms/))
  const deaf = await script(t, line =>
    line.startsWith('event') ? reply('-ERR no keywords supplied') : undefined,
  )
  await t.rejects(tape(deaf.port).done, refused(/subscription failed: -ERR no keywords/))
  const gone = await script(t, (_, socket) => {
    socket.end()
    return ''
  })
  await t.rejects(tape(gone.port).done, refused('the switch closed the connection'))
  const mad = await script(t, () => 'Content-Length: 52428800\n\n')
  await t.rejects(tape(mad.port).done, refused(/^a frame of 52428800 bytes/))
})

t.test('a recording that is stopped early, or cannot be written', async t => {
  const { port } = await script(t)
  const early = tape(port)
  early.stop.abort()
  t.equal(await early.done, 0)
  const full = tape(port)
  const error = Object.assign(new Error('no space left on device'), { syscall: 'write' })
  await until(() => full.bytes().length > 0)
  full.sink.destroy(error)
  await t.rejects(full.done, error)
})
