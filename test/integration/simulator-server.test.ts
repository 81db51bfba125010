/**
 * The simulated switch on a socket: its replies against the recorded bytes of the real one, its
 * manners, and the faults that it can be told to have.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { CallPlan } from '../../src/simulator/call-plan.js'
import { EslServer, type EslServerOptions } from '../../src/simulator/esl-server.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch, type SwitchOptions } from '../../src/simulator/simulated-switch.js'

const CAPTURES = join(import.meta.dirname, '../replay/captures')

const captured = (file: string) => readFileSync(join(CAPTURES, file), 'latin1')

const PARKED: CallPlan = {
  aLeg: false,
  number: '442071234567',
  ac: 'ACCT1',
  ringMs: 0,
  instant: true,
  talkMs: null,
  answer: true,
}

type Options = Partial<SwitchOptions> & Partial<EslServerOptions>

async function start(t: Test, options: Options = {}) {
  const timeline = new RealTimeline()
  const freeswitch = new SimulatedSwitch({ timeline, random: Math.random, ...options })
  const server = new EslServer({ ...options, freeswitch })
  await server.listen()
  const clients: RawClient[] = []
  t.teardown(async () => {
    freeswitch.stop()
    for (const client of clients) client.socket.destroy()
    await server.close()
  })
  const client = async () => {
    const made = await RawClient.connect(server.port)
    clients.push(made)
    return made
  }
  return { freeswitch, server, client }
}

/** A client that knows nothing of the protocol but bytes. */
class RawClient {
  received = ''
  ended = false
  error: string | undefined

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.received += text
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code
    })
    socket.on('close', () => {
      this.ended = true
    })
  }

  static async connect(port: number): Promise<RawClient> {
    const client = new RawClient(connect(port, '127.0.0.1'))
    await new Promise<void>((resolve, reject) => {
      client.socket.once('connect', resolve)
      client.socket.once('error', reject)
    })
    return client
  }

  send(...commands: string[]) {
    for (const command of commands) this.socket.write(`${command}\n\n`, 'utf8')
  }

  async until(happened: () => boolean, what: string) {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(5)) {
      if (happened()) return
    }
    throw new Error(`waited in vain for ${what}; received: ${this.received.slice(-500)}`)
  }

  sees(text: string, times = 1) {
    return this.until(() => this.received.split(text).length > times, `${times} × ${text}`)
  }

  end() {
    return this.until(() => this.ended, 'the end of the connection')
  }

  async login() {
    this.send('auth ClueCon')
    await this.sees('+OK accepted')
    return this
  }

  /** Sends an `api` command and returns the body of its reply. */
  async api(command: string): Promise<string> {
    const from = this.received.length
    this.send(`api ${command}`)
    await this.until(() => this.received.slice(from).includes('api/response'), command)
    const head = /Content-Type: api\/response\nContent-Length: (\d+)\n\n/
    const { index, 0: matched, 1: length } = head.exec(this.received.slice(from))!
    const start = from + index + matched.length
    await this.until(() => this.received.length >= start + Number(length), 'a whole reply')
    return this.received.slice(start, start + Number(length))
  }

  events(): string[] {
    return [...this.received.matchAll(/^Event-Name: (\w+)$/gm)].map(([, name]) => name!)
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/** Frames of a stream, without events: their heads and bodies, with ids and figures made alike. */
function frames(stream: string): string[] {
  const found: string[] = []
  for (let at = 0; at < stream.length; ) {
    const end = stream.indexOf('\n\n', at)
    const head = stream.slice(at, end)
    const length = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0)
    const body = stream.slice(end + 2, end + 2 + length)
    at = end + 2 + length
    if (head.includes('text/event')) continue
    found.push(`${head.replace(/Content-Length: \d+/, 'Content-Length: N')}\n\n${alike(body)}`)
  }
  return found.map(frame => frame.replace(UUID, 'UUID'))
}

/** Only what differs from run to run: times, counts of sessions, ids of tasks. */
function alike(body: string): string {
  if (body.includes('"Event-Name"')) return [...body.matchAll(/"([\w-]+)":/g)].join(' ')
  if (body.startsWith('Event-Name')) return [...body.matchAll(/^[\w-]+(?=: )/gm)].join(' ')
  if (/^(UP |\d+\n?$|\+OK Added|task_id)/.test(body)) {
    // 1 microsecond is one without an s.
    return body.replace(/\b1 (\w*(?:year|day|hour|minute|second))\b/g, '1 $1s').replace(/\d+/g, 'N')
  }
  return body
    .replace(UUID, 'UUID')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
    .replace(/\b\d{10}\b(?=",)|(?<=TIME,)\d{10}/g, 'EPOCH')
}

t.test('the session of transcript 20: every api reply as the real switch gave it', async t => {
  const { freeswitch, client } = await start(t, { listingLagMs: 50 })
  const name = 'Zo\u00eb M\u00fcller'
  const talking = freeswitch.placeCall({
    ...PARKED,
    callerName: name,
    extraVariables: { origination_caller_id_name: name },
  }).b
  const { ac: _, ...without } = PARKED
  const ringing = freeswitch.placeCall({ ...without, instant: false, ringMs: 60_000 }).b
  await sleep(100)
  const { received } = await replay(await client(), [
    'show channels as json',
    'show channels',
    'show channels count',
    'show channels count as json',
    `uuid_dump ${talking} json`,
    `uuid_dump ${talking}`,
    'uuid_dump nonexistent json',
    `uuid_getvar ${talking} ac`,
    `uuid_getvar ${talking} nosuchvar`,
    'uuid_getvar nonexistent ac',
    `uuid_exists ${talking}`,
    'uuid_exists nonexistent',
    `uuid_setvar ${talking} ac2 x y`,
    `uuid_getvar ${talking} ac2`,
    `sched_hangup +60 ${talking} alloted_timeout`,
    `sched_hangup +60 ${talking} ALLOTTED_TIMEOUT`,
    'sched_hangup +60 nonexistent alloted_timeout',
    'sched_hangup',
    'show tasks',
    `sched_del ${talking}`,
    `sched_del ${talking}`,
    'show tasks',
    `bgapi uuid_kill ${talking}`,
    'event plain BACKGROUND_JOB',
    `bgapi uuid_kill ${ringing} NORMAL_CLEARING\nJob-UUID: my-own-job-id-1`,
    'uuid_kill nonexistent',
    'bgapi uuid_kill nonexistent',
    'uuid_kill',
    `uuid_kill ${talking}`,
    'nosuchcommand',
    'bgapi nosuchcommand x',
    'api',
    'nosuch',
    'status',
    'version',
    'global_getvar core_uuid',
    'uptime',
    'uptime s',
    'strepoch',
    'sessions_nosuch',
    'hupall NORMAL_CLEARING ac NOBODY',
    'fsctl max_sessions',
    'fsctl sps',
    'uuid_transfer nonexistent 9196',
    'sched_api +60 none uuid_kill x',
    'sched_del none',
    'create_uuid',
  ])
  // Two listings of calls are not simulated.
  const theirs = frames(captured('20-api-replies.raw')).filter(
    frame => !frame.includes('b_uuid') && !frame.includes('{"row_count": 0}'),
  )
  const ours = frames(received)
  for (const [i, their] of theirs.entries()) t.equal(ours[i], their, their.slice(0, 90))
  t.equal(ours.length, theirs.length)
})

/** Sends each command when the one before was answered, as `api` where it is not one itself. */
async function replay(client: RawClient, commands: string[]) {
  await client.login()
  for (const command of commands) {
    const from = client.received.length
    client.send(/^(bgapi|event|nosuch$|api$)/.test(command) ? command : `api ${command}`)
    await client.until(
      () => /api\/response|command\/reply/.test(client.received.slice(from)),
      command,
    )
    await sleep(2)
    // What a bgapi has killed is a moment later really gone.
    if (command.startsWith('bgapi')) await sleep(60)
  }
  return client
}

t.test('the session of transcript 21: every reply to event commands, byte for byte', async t => {
  const { client } = await start(t)
  const raw = await client()
  raw.send(
    'auth ClueCon',
    'event plain ALL',
    'nixevent HEARTBEAT',
    'nixevent ALL',
    'event plain CUSTOM',
    'event plain CUSTOM sofia::gateway_state sofia::register',
    'event json CHANNEL_CREATE',
    'event plain NOSUCHEVENT',
    'event plain CHANNEL_CREATE NOSUCHEVENT',
    'event plain',
    'event CHANNEL_CREATE',
    'event xml CHANNEL_CREATE',
    'event json',
    'noevents',
    'noevents',
    'divert_events on',
    'divert_events off',
    'myevents nonexistent',
    'filter variable_ac ACCT1',
    'filter delete variable_ac ACCT1',
    'filter delete all',
    'filter',
    'filter x',
    'log 7',
    'nolog',
    'linger',
    'sendevent CUSTOM\nEvent-Subclass: test::mine\nac: ACCT1',
    'auth ClueCon',
    'exit',
  )
  await raw.end()
  const normal = (text: string) => text.replace(UUID, 'UUID')
  t.equal(normal(raw.received), normal(captured('21-event-commands.raw')))
})

t.test('a CUSTOM event with a body', async t => {
  const { client } = await start(t)
  const raw = await (await client()).login()
  raw.send('event plain CUSTOM test::mine')
  await raw.sees('enabled plain')
  raw.socket.write(
    'sendevent CUSTOM\nEvent-Subclass: test::mine\nac: ACCT1\nContent-Length: 5\n\nhello',
  )
  await raw.sees('hello')
  const names = (text: string) =>
    [...text.split('text/event-plain\n\n')[1]!.matchAll(/^[\w-]+(?=: )/gm)].join(' ')
  t.match(names(raw.received), names(captured('22-custom-event.raw')))
  t.match(raw.received, /Content-Length: 5\n\nhello/)
})

t.test('logging in, and not', async t => {
  const { server, client } = await start(t)
  const wrong = await client()
  wrong.send('auth wrong')
  await wrong.end()
  t.equal(wrong.received, captured('23-bad-password.raw'))

  const early = await client()
  early.send('api status')
  await early.sees('command not found')
  t.equal(early.received, captured('24-command-before-auth.raw'))
  await early.login()

  server.rejectsByAcl = true
  const unwelcome = await client()
  await unwelcome.end()
  t.match(
    unwelcome.received,
    /^Content-Type: text\/rude-rejection\nContent-Length: 24\n\nAccess Den/,
  )
  server.rejectsByAcl = false

  await server.refuseConnections()
  await t.rejects(RawClient.connect(server.port), { code: 'ECONNREFUSED' })
  t.equal(await early.api('strepoch').then(text => text.length), 10, 'who was there stays')
  await server.refuseConnections(false)
  await (await client()).login()
})

t.test('filters are OR, and hide what lacks the header', async t => {
  const { freeswitch, client } = await start(t, { heartbeatS: 1 })
  const raw = await (await client()).login()
  raw.send(
    'event plain CHANNEL_CREATE CHANNEL_HANGUP_COMPLETE HEARTBEAT BACKGROUND_JOB',
    'filter variable_ac /.+/',
    'filter Event-Name HEARTBEAT',
  )
  await raw.sees('filter added', 2)
  freeswitch.placeCall({ ...PARKED, aLeg: true, talkMs: 200 })
  raw.send('bgapi status')
  await raw.sees('CHANNEL_HANGUP_COMPLETE')
  await raw.sees('HEARTBEAT')
  await sleep(1100)
  const events = raw.events().filter(name => name !== 'HEARTBEAT')
  t.strictSame(events, ['CHANNEL_CREATE', 'CHANNEL_HANGUP_COMPLETE'], 'of the leg with a code')
  t.ok(raw.events().includes('HEARTBEAT'))
  raw.send('filter variable_ac -ACCT1')
  await raw.sees('filter added', 3)
  freeswitch.placeCall({ ...PARKED, talkMs: 50 })
  freeswitch.placeCall({ ...PARKED, ac: 'ACCT2', talkMs: 50 })
  await raw.sees('variable_ac: ACCT2', 2)
  t.equal(raw.received.split('variable_ac: ACCT1').length - 1, 2, 'excluded since')
})

t.test('several clients, each with its format and its events', async t => {
  const { freeswitch, server, client } = await start(t, { deliveryDelayMs: 20 })
  const [plain, json, idle] = [await client(), await client(), await client()]
  for (const each of [plain, json, idle]) await each.login()
  plain.send('event plain CHANNEL_CREATE')
  json.send('event json ALL')
  await plain.sees('enabled plain')
  await json.sees('enabled json')
  t.equal(server.clientCount, 3)
  freeswitch.placeCall({ ...PARKED, talkMs: 50 })
  await json.sees('"Event-Name":"CHANNEL_DESTROY"')
  await plain.sees('Event-Name: CHANNEL_CREATE')
  t.strictSame(plain.events(), ['CHANNEL_CREATE'])
  t.notMatch(idle.received, 'Event-Name')
})

t.test('a reply comes before the events that its command caused', async t => {
  const { freeswitch, client } = await start(t)
  const raw = await (await client()).login()
  raw.send('event plain CHANNEL_HANGUP')
  await raw.sees('enabled plain')
  const { b } = freeswitch.placeCall(PARKED)
  t.equal(await raw.api(`uuid_kill ${b} ALLOTTED_TIMEOUT`), '+OK\n')
  await raw.sees('Hangup-Cause: ALLOTTED_TIMEOUT')
  t.ok(raw.received.indexOf('+OK\n') < raw.received.indexOf('CHANNEL_HANGUP\n'))
})

t.test('bgapi answers at once, and its result is an event', async t => {
  const { client } = await start(t)
  const raw = await (await client()).login()
  raw.send('event json BACKGROUND_JOB')
  await raw.sees('enabled json')
  raw.send('bgapi uuid_kill nobody ALLOTTED_TIMEOUT\nJob-UUID: my-job')
  await raw.sees('_body')
  const event = JSON.parse(raw.received.slice(raw.received.indexOf('{')))
  t.match(event, {
    'Event-Name': 'BACKGROUND_JOB',
    'Job-UUID': 'my-job',
    'Job-Command': 'uuid_kill',
    'Job-Command-Arg': 'nobody ALLOTTED_TIMEOUT',
    _body: '-ERR No such channel!\n',
  })
})

t.test('commands in pieces, in one piece, and with carriage returns', async t => {
  const { client } = await start(t)
  const raw = await client()
  for (const char of 'auth ClueCon\n\n') {
    raw.socket.write(char)
    await sleep(1)
  }
  await raw.sees('accepted')
  raw.socket.write('api strepoch\r\n\r\napi uuid_exists x\n\nnoevents\n\n')
  await raw.sees('-ERR not listening')
  t.match(raw.received, /\d{10}Content-Type: api\/response\nContent-Length: 5\n\nfalseContent-Type/)
})

t.test(
  'faults on the way: dropped, repeated, overtaken events; slow, false, missing replies',
  async t => {
    const { freeswitch, server, client } = await start(t)
    const raw = await (await client()).login()
    raw.send('event plain CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_DESTROY')
    await raw.sees('enabled plain')
    server.faults.event = event => {
      if (event.name === 'CHANNEL_ANSWER') return 'drop'
      if (event.name === 'CHANNEL_HANGUP') return 'duplicate'
      return event.name === 'CHANNEL_CREATE' ? { delayMs: 200 } : 'deliver'
    }
    freeswitch.placeCall({ ...PARKED, talkMs: 50 })
    await raw.sees('CHANNEL_CREATE')
    const expected = ['CHANNEL_HANGUP', 'CHANNEL_HANGUP', 'CHANNEL_DESTROY', 'CHANNEL_CREATE']
    t.strictSame(raw.events(), expected)
    server.faults.event = undefined

    server.faults.api = command => {
      if (command.startsWith('uuid_kill')) return { reply: '-ERR No such channel!\n' }
      if (command === 'show channels') return { silent: true }
      return command === 'strepoch' ? { delayMs: 500 } : undefined
    }
    const { b } = freeswitch.placeCall(PARKED)
    t.equal(await raw.api(`uuid_kill ${b}`), '-ERR No such channel!\n')
    t.equal(freeswitch.api(`uuid_exists ${b}`), 'true', 'it was not run')
    const seen = raw.events().length
    raw.send('api strepoch', 'api uuid_exists x')
    await sleep(20)
    freeswitch.hangUp(b)
    await sleep(50)
    t.equal(raw.events().length, seen, 'no event while an api runs')
    await raw.until(() => raw.events().length > seen, 'events after it')
    t.ok(raw.received.endsWith('\n'), 'whole frames')
    t.match(raw.received, 'false')
  },
)

t.test('a frozen connection is open, and says nothing until it thaws', async t => {
  const { freeswitch, server, client } = await start(t)
  const raw = await (await client()).login()
  raw.send('event plain ALL')
  await raw.sees('enabled plain')
  server.freeze()
  const before = raw.received.length
  freeswitch.placeCall(PARKED)
  raw.send('api strepoch')
  await sleep(100)
  t.equal(raw.received.length, before)
  t.notOk(raw.ended)
  const late = await client()
  await sleep(50)
  t.equal(late.received, '', 'who comes now is not greeted')
  server.thaw()
  await late.login()
  await raw.sees('CHANNEL_ANSWER')
  await raw.sees('api/response')
})

t.test('the ends of a connection', async t => {
  const { freeswitch, server, client } = await start(t)
  const ready = async (format = 'plain') => {
    const raw = await (await client()).login()
    raw.send(`event ${format} CHANNEL_HANGUP CHANNEL_DESTROY`)
    await raw.sees('enabled')
    return raw
  }
  const notice =
    /Content-Type: text\/disconnect-notice\nContent-Length: 31\n\nThe system is being shut down\.\n$/
  const one = await ready()
  freeswitch.placeCall(PARKED)
  server.disconnectAll()
  await one.end()
  t.match(one.received, notice)
  t.equal(freeswitch.legs().length, 1, 'calls live on')

  const two = await ready()
  server.reset()
  await two.end()
  t.equal(two.error, 'ECONNRESET')

  const three = await ready()
  freeswitch.shutdown()
  await three.end()
  t.strictSame(three.events(), ['CHANNEL_HANGUP', 'CHANNEL_DESTROY'])
  t.match(three.received, 'Hangup-Cause: SYSTEM_SHUTDOWN')
  t.match(three.received, notice)
  await t.rejects(RawClient.connect(server.port), { code: 'ECONNREFUSED' })
  freeswitch.restart()
  await sleep(20)

  const four = await ready('json')
  freeswitch.shutdown('torn frame')
  await four.end()
  t.ok(
    four.received.endsWith(
      'Content-Length: 642\nContent-Type: text/event-json\n\nThe system is being shut down.\n',
    ),
  )
  freeswitch.restart()
  await sleep(20)

  const five = await ready()
  const before = five.received
  freeswitch.crash()
  await five.end()
  t.equal(five.received, before, 'the stream just ends')
  freeswitch.recover()
  await sleep(20)
  await ready()
})
