/**
 * The simulated switch against recordings of the real one: the same events in the same order with
 * the same headers in the same order, the same replies, the same awkward timers.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CallPlan, PlacedCall } from '../../src/simulator/call-plan.js'
import { SimulatedSwitch, type SwitchOptions } from '../../src/simulator/simulated-switch.js'
import { HeaderLine, latin1, SwitchEvent, urlEncode } from '../../src/simulator/switch-event.js'
import type { Cancellable, Timeline } from '../../src/simulator/timeline.js'

const CAPTURES = join(import.meta.dirname, '../replay/captures')

/** A quarter into a second, as the clock of the first recording was. */
const START_US = 1_795_398_154_260_000

class VirtualTimeline implements Timeline {
  #nowUs = START_US
  #turn = 0
  #agenda: { at: number; turn: number; happen: () => void }[] = []

  now() {
    return this.#nowUs
  }

  after(delayMs: number, happen: () => void): Cancellable {
    const entry = { at: this.#nowUs + delayMs * 1000, turn: this.#turn++, happen }
    this.#agenda.push(entry)
    return { cancel: () => (this.#agenda = this.#agenda.filter(other => other !== entry)) }
  }

  run(ms: number) {
    const end = this.#nowUs + ms * 1000
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#nowUs = next.at
      next.happen()
    }
    this.#nowUs = end
  }

  #next(end: number) {
    this.#agenda.sort((a, b) => a.at - b.at || a.turn - b.turn)
    return this.#agenda[0] && this.#agenda[0].at <= end ? this.#agenda.shift() : undefined
  }
}

function seeded(seed: number) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
}

function start(options: Partial<SwitchOptions> = {}) {
  const timeline = new VirtualTimeline()
  const freeswitch = new SimulatedSwitch({ timeline, random: seeded(7), ...options })
  const events: SwitchEvent[] = []
  freeswitch.onEvent(event => events.push(event))
  return { timeline, freeswitch, events }
}

type Header = readonly [name: string, value: string]

interface Recorded {
  readonly name: string
  readonly headers: readonly Header[]
  readonly text: string
}

/** The events of a capture: frames by Content-Length, headers as they were on the wire. */
function recorded(file: string): Recorded[] {
  const bytes = readFileSync(join(CAPTURES, file))
  const events: Recorded[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n\n', at)
    const head = bytes.subarray(at, end).toString('latin1')
    const length = Number(/Content-Length: (\d+)/.exec(head)?.[1] ?? 0)
    at = end + 2 + length
    if (!head.includes('text/event')) continue
    const text = bytes.subarray(end + 2, at).toString('latin1')
    const headers = text
      .split('\n\n')[0]!
      .split('\n')
      .map(line => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const)
    const name = headers.find(([each]) => each === 'Event-Name')?.[1] ?? ''
    events.push({ name, headers, text })
  }
  return events
}

const isChannelEvent = ({ name }: { name: string }) => name.startsWith('CHANNEL_')

const coreOf = (headers: readonly Header[]) =>
  headers.filter(([name]) => !name.startsWith('variable_'))

const variablesOf = (headers: readonly Header[]) =>
  headers.map(([name]) => name).filter(name => name.startsWith('variable_'))

const header = (headers: readonly Header[], wanted: string) =>
  headers.find(([name]) => name === wanted)?.[1]

const title = ({ name, headers }: { name: string; headers: readonly Header[] }) =>
  `${header(headers, 'Call-Direction')} ${name}`

/** Headers whose values are the same in every run, times and uuids apart. */
const STEADY = [
  'Event-Name',
  'Event-Calling-File',
  'Event-Calling-Function',
  'Event-Calling-Line-Number',
  'Channel-State',
  'Channel-Call-State',
  'Channel-State-Number',
  'Channel-HIT-Dialplan',
  'Answer-State',
  'Hangup-Cause',
  'Channel-Read-Codec-Name',
  'Caller-Logical-Direction',
  'Caller-Caller-ID-Name',
  'Caller-Callee-ID-Name',
  'Caller-Source',
  'Other-Type',
  'Other-Leg-Direction',
  'variable_ac',
  'variable_direction',
  'variable_hangup_cause',
  'variable_hangup_cause_q850',
  'variable_sip_hangup_disposition',
  'variable_proto_specific_hangup_cause',
  'variable_last_bridge_hangup_cause',
  'variable_originate_disposition',
  'variable_DIALSTATUS',
  'variable_originate_failed_cause',
]

const steadyOf = (headers: readonly Header[]) => STEADY.map(name => [name, header(headers, name)])

type Script = (freeswitch: SimulatedSwitch, ids: PlacedCall, timeline: VirtualTimeline) => void

interface Scenario {
  readonly file: string
  readonly plan: CallPlan
  readonly script?: Script
  /** Variables that this recording has and the simulation leaves out. */
  readonly without?: RegExp
  /**
   * In this recording the threads of the two legs raced with another result than in the one that
   * the simulation follows: from the bridge on, events and variables are compared regardless of
   * order.
   */
  readonly endsOtherwise?: boolean
}

const BRIDGED: CallPlan = {
  aLeg: true,
  number: '442071234567',
  ac: 'ACCT1',
  ringMs: 1000,
  talkMs: null,
  answer: true,
}

const PARKED: CallPlan = { ...BRIDGED, aLeg: false }

const kill =
  (leg: 'a' | 'b', afterMs: number, cause: string): Script =>
  (freeswitch, ids, timeline) => {
    timeline.run(afterMs)
    freeswitch.api(`uuid_kill ${ids[leg]} ${cause}`)
  }

const SCENARIOS: Scenario[] = [
  {
    file: '01-gateway-bleg-ac-normal-hangup-by-A.plain.raw',
    plan: { ...BRIDGED, talkMs: 20_000 },
  },
  {
    file: '02a-gateway-bleg-ac-uuid_kill-B.plain.raw',
    plan: BRIDGED,
    script: kill('b', 9000, ''),
  },
  {
    file: '02b-gateway-bleg-ac-uuid_kill-A.plain.raw',
    plan: BRIDGED,
    script: kill('a', 5000, 'alLOTTED_TIMEOUT'),
  },
  {
    file: '02c-gateway-bleg-ac-uuid_kill-B-while-ringing.plain.raw',
    plan: { ...BRIDGED, number: '18000000' },
    script: kill('b', 60, 'CALL_REJECTED'),
  },
  {
    file: '03a-never-answered-originate_timeout.plain.raw',
    plan: { ...BRIDGED, number: '18000000', ringMs: 6000, answer: false },
    without: /originate_timeout/,
  },
  {
    file: '03b-never-answered-A-cancels.plain.raw',
    plan: { ...BRIDGED, number: '18000000', ringMs: 60_000 },
    script: (freeswitch, ids, timeline) => {
      timeline.run(3000)
      freeswitch.hangUp(ids.a!)
    },
  },
  {
    file: '04a-busy-486.plain.raw',
    plan: { ...BRIDGED, number: '48600000', ringMs: 0, answer: false, busyCause: 'USER_BUSY' },
  },
  {
    file: '05-ac-exported-both-legs.plain.raw',
    endsOtherwise: true,
    plan: { ...BRIDGED, acOn: 'export', talkMs: 6000 },
  },
  {
    file: '07-forked-dial-one-winner.plain.raw',
    endsOtherwise: true,
    without: /sip_cseq/,
    plan: {
      ...BRIDGED,
      number: '1111',
      talkMs: 6000,
      forkOf: [{ number: '2222', ac: 'ACCT1', ringMs: 9000, answer: true }],
    },
  },
  {
    file: '13a-set-on-A-then-bridge.plain.raw',
    endsOtherwise: true,
    without: /absolute_codec_string/,
    plan: { ...BRIDGED, ac: 'T-SET', acOn: 'a-set', talkMs: 5000 },
  },
  {
    file: '13c-directory-ac-caller-to-gateway.plain.raw',
    endsOtherwise: true,
    without: /absolute_codec_string/,
    plan: { ...BRIDGED, ac: 'DIR-ANY', acOn: 'directory', callerNumber: '1010', talkMs: 5000 },
  },
  {
    file: '10a-fsctl-shutdown.plain.raw',
    endsOtherwise: true,
    plan: BRIDGED,
    without: /absolute_codec_string/,
    script: (freeswitch, _, timeline) => {
      timeline.run(4000)
      freeswitch.shutdown()
    },
  },
  {
    file: '11d-sched_hangup-fires.plain.raw',
    plan: PARKED,
    script: (freeswitch, ids, timeline) => {
      timeline.run(1000)
      freeswitch.api(`sched_hangup +5 ${ids.b} alloted_timeout`)
    },
  },
]

/** Variables that depend on whether the partner's thread was faster. */
const RACED = /^variable_(call_uuid|bridge_to|bridge_hangup_cause|sip_cseq)$/

for (const { file, plan, script, without, endsOtherwise } of SCENARIOS) {
  t.test(`a call as in ${file}`, async t => {
    const { timeline, freeswitch, events } = start()
    const ids = freeswitch.placeCall(plan)
    script?.(freeswitch, ids, timeline)
    timeline.run(60_000)
    const ours = events.filter(isChannelEvent)
    const theirs = recorded(file).filter(isChannelEvent)
    const order = (titles: string[]) => (endsOtherwise ? titles.sort() : titles)
    t.strictSame(order(ours.map(title)), order(theirs.map(title)), 'the same events in order')
    let ending = false
    const left = [...ours]
    for (const their of theirs) {
      const at = left.findIndex(our => title(our) === title(their))
      const our = left.splice(at, 1)[0]!
      const names = (headers: readonly Header[]) => coreOf(headers).map(([name]) => name)
      t.strictSame(names(our.headers), names(their.headers), `${title(their)}: core headers`)
      ending ||= their.name === 'CHANNEL_BRIDGE'
      const variables = (headers: readonly Header[]) => {
        const names = variablesOf(headers).filter(name => !without?.test(name))
        return ending && endsOtherwise ? names.filter(name => !RACED.test(name)).sort() : names
      }
      const expected = variables(their.headers)
      t.strictSame(variables(our.headers), expected, `${title(their)}: variables`)
      const encoded = our.headers.map(([name, value]) => [name, urlEncode(value)] as const)
      t.strictSame(steadyOf(encoded), steadyOf(their.headers), `${title(their)}: values`)
    }
  })
}

t.test('an answer at once comes right behind the creation, with no PROGRESS', async t => {
  const { timeline, freeswitch, events } = start()
  freeswitch.placeCall({ ...PARKED, instant: true, talkMs: 2000 })
  timeline.run(5000)
  const theirs = recorded('12c-burst-40-calls.plain.raw').filter(isChannelEvent)
  const answered = theirs.find(
    ({ name, headers }) =>
      name === 'CHANNEL_ANSWER' && header(headers, 'Channel-Call-State') === 'DOWN',
  )!
  const id = header(answered.headers, 'Unique-ID')
  const same = theirs.filter(({ headers }) => header(headers, 'Unique-ID') === id)
  const ours = events.filter(isChannelEvent)
  t.strictSame(ours.map(title), same.map(title))
  t.equal(header(ours[0]!.headers, 'Event-Date-Timestamp'), ours[1]!.value('Event-Date-Timestamp'))
  t.equal(ours[1]!.value('Channel-Call-State'), 'DOWN')
})

t.test('HEARTBEAT has the headers of the real one and comes every 20 s', async t => {
  const { timeline, events } = start()
  timeline.run(61_000)
  const beats = events.filter(({ name }) => name === 'HEARTBEAT')
  const their = recorded('12c-burst-40-calls.plain.raw').find(({ name }) => name === 'HEARTBEAT')!
  t.equal(beats.length, 3)
  const names = (headers: readonly Header[]) => headers.map(([name]) => name)
  t.strictSame(names(beats[0]!.headers), names(their.headers))
  t.match(
    beats[0]!.value('Up-Time'),
    /^0 years, 0 days, 0 hours, 0 minutes, (19|20) seconds, \d+ milli/,
  )
})

t.test('values are spelt as in the recordings', async t => {
  const files = [
    '01-gateway-bleg-ac-normal-hangup-by-A',
    '07-forked-dial-one-winner',
    '09-unicode-caller-id-name',
  ]
  for (const file of files) {
    const plain = recorded(`${file}.plain.raw`)
    const json = recorded(`${file}.json.raw`)
    for (const [i, { headers, text }] of plain.entries()) {
      const lines = headers.map(([name, value]) => new HeaderLine(name, decodeURIComponent(value)))
      const event = new SwitchEvent(plain[i]!.name, lines)
      t.equal(event.plain(), Buffer.from(text, 'latin1').toString(), 'plain')
      // The two clients' events differ in nothing: one call, one numbering.
      t.equal(event.json(), Buffer.from(json[i]!.text, 'latin1').toString(), 'json')
    }
  }
})

t.test('a Latin-1 caller is one byte, percent-encoded in plain and bare in JSON', async t => {
  const { freeswitch, events } = start()
  freeswitch.placeCall({ ...BRIDGED, callerName: latin1('Ren\u00e9') })
  t.match(events[0]!.plain(), 'Caller-Caller-ID-Name: Ren%E9\n')
  const frame = events[0]!.frame('json')
  t.ok(frame.includes(Buffer.from('"Caller-Caller-ID-Name":"Ren\xe9"', 'latin1')))
  const [head, ...body] = frame.toString('latin1').split('\n\n')
  t.match(head, `Content-Length: ${body.join('\n\n').length}\n`)
  t.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(frame))
})

t.test('the unsafe characters of FreeSWITCH are encoded, and no others', async t => {
  t.equal(urlEncode("!$'()*,-./09AZ_az~"), "!$'()*,-./09AZ_az~")
  t.equal(
    urlEncode(' "#%&+:;<=>?@[\\]^`{|}\r\n'),
    Buffer.from(' "#%&+:;<=>?@[\\]^`{|}\r\n').toString('hex').toUpperCase().replace(/../g, '%$&'),
  )
  t.equal(urlEncode('Zo\u00eb'), 'Zo%C3%AB')
})

const SECOND_US = 1_000_000

/**
 * Seconds from the arming of a timer to the end of its leg. Another task is added meanwhile, as on
 * a busy switch: it makes the scheduler look, and the half seconds count from there.
 */
function firedAfter(command: (leg: string) => string, startUs: number, otherMs: number): number {
  const { timeline, freeswitch } = start()
  const { b } = freeswitch.placeCall({ ...PARKED, instant: true })
  timeline.run(startUs / 1000)
  const armedAt = timeline.now()
  t.match(freeswitch.api(command(b)), /^\+OK/)
  timeline.run(otherMs)
  freeswitch.api('sched_api +3600 other status')
  timeline.run(10_000)
  const record = freeswitch.history.get(b)!
  t.equal(record.endedBy, 'timer')
  t.equal(record.cause, 'ALLOTTED_TIMEOUT')
  return (record.hangupAt! - armedAt) / SECOND_US
}

t.test('timers count whole seconds and look every half: up to a second early', async t => {
  const commands = [
    (leg: string) => `sched_api +5 tg-1-${leg} uuid_kill ${leg} ALLOTTED_TIMEOUT`,
    (leg: string) => `sched_hangup +5 ${leg}`,
  ]
  for (const command of commands) {
    const times = Array.from({ length: 100 }, (_, i) =>
      firedAfter(command, 2_000_000 + i * 20_000, 1000 + i * 37),
    )
    t.ok(Math.min(...times) < 4.2, `as early as ${Math.min(...times)} s`)
    t.ok(Math.min(...times) > 4, 'and not earlier')
    t.ok(Math.max(...times) > 5, `as late as ${Math.max(...times)} s`)
    t.ok(Math.max(...times) < 5.6, 'and not later')
  }
})

t.test('+0 fires at once, and a time in the past never', async t => {
  const { timeline, freeswitch, events } = start()
  const [one, two, three] = [1, 2, 3].map(
    () => freeswitch.placeCall({ ...PARKED, instant: true }).b,
  )
  timeline.run(100)
  t.equal(freeswitch.api(`sched_hangup +0 ${one}`), '+OK\n')
  t.equal(events.at(-1)!.name, 'CHANNEL_HANGUP', 'sched_hangup +0 hangs up before it answers')
  t.match(freeswitch.api(`sched_api +0 none uuid_kill ${two}`), /^\+OK Added: \d+\n$/)
  t.match(freeswitch.api(`sched_api 1795398000 none uuid_kill ${three}`), /^\+OK Added: \d+\n$/)
  timeline.run(40)
  t.ok(freeswitch.history.get(two!)!.hangupAt)
  timeline.run(86_400_000)
  t.strictSame(freeswitch.legs(), [three])
})

t.test('a timer is moved by adding the new one and deleting the old group', async t => {
  const { timeline, freeswitch, events } = start()
  const { b } = freeswitch.placeCall({
    ...PARKED,
    instant: true,
    extraVariables: { execute_on_answer: 'sched_hangup +60 ALLOTTED_TIMEOUT' },
  })
  timeline.run(1000)
  t.match(freeswitch.api('show tasks'), `switch_ivr_schedule_hangup,${b},`)
  const kill = (group: string) => `${group}-${b} uuid_kill ${b} ALLOTTED_TIMEOUT`
  t.match(freeswitch.api(`sched_api +30 ${kill('tgA')}`), /^\+OK Added: 5\n$/)
  t.equal(freeswitch.api(`sched_del ${b}`), '+OK Deleted: 1\n')
  t.equal(freeswitch.api(`sched_del ${b}`), '+OK Deleted: 0\n')
  t.match(freeswitch.api(`sched_api +6 ${kill('tgB')}`), /^\+OK Added: 6\n$/)
  t.equal(freeswitch.api('sched_del 5'), '+OK Deleted: 1\n', 'by id')
  t.match(freeswitch.api('show tasks as json'), '"row_count":2')
  timeline.run(7000)
  t.match(freeswitch.history.get(b), { cause: 'ALLOTTED_TIMEOUT', endedBy: 'timer' })
  const tasks = events.filter(({ name }) => name.endsWith('_SCHEDULE') && name !== 'RE_SCHEDULE')
  const their = recorded('40-gate-deadman-moved-by-group.plain.raw').find(
    ({ name }) => name === 'ADD_SCHEDULE',
  )!
  const names = (headers: readonly Header[]) => headers.map(([name]) => name)
  t.strictSame(names(tasks.at(-1)!.headers), names(their.headers))
})

t.test('timers die harmlessly with their leg', async t => {
  const { timeline, freeswitch } = start()
  const { b } = freeswitch.placeCall({ ...PARKED, instant: true, talkMs: 1000 })
  timeline.run(100)
  freeswitch.api(`sched_hangup +60 ${b}`)
  freeswitch.api(`sched_api +2 tg-${b} uuid_kill ${b}`)
  timeline.run(1500)
  t.notMatch(freeswitch.api('show tasks'), 'switch_ivr_schedule_hangup', 'its own group is gone')
  t.match(freeswitch.api('show tasks'), 'sched_api_function', 'another is not')
  timeline.run(3000)
  t.match(freeswitch.history.get(b), { endedBy: 'callee', cause: 'NORMAL_CLEARING' })
})

t.test("a third of the hangups are a step older than the leg's end", async t => {
  const { timeline, freeswitch, events } = start({ slim: true })
  const legs = Array.from(
    { length: 300 },
    () => freeswitch.placeCall({ ...PARKED, instant: true }).b,
  )
  timeline.run(1000)
  for (const leg of legs) freeswitch.api(`uuid_kill ${leg}`)
  timeline.run(1000)
  const hangups = events.filter(({ name }) => name === 'CHANNEL_HANGUP')
  const steps = hangups.map(event => {
    t.equal(event.value('Caller-Channel-Hangup-Time'), '0')
    const { hangupAt } = freeswitch.history.get(event.value('Unique-ID')!)!
    return Math.round((hangupAt! - Number(event.value('Event-Date-Timestamp'))) / 20_000)
  })
  const late = steps.filter(step => step === 1).length
  t.ok(late > 70 && late < 130, `${late} of 300`)
  for (const event of events.filter(({ name }) => name === 'CHANNEL_HANGUP_COMPLETE')) {
    const record = freeswitch.history.get(event.value('Unique-ID')!)!
    t.equal(event.value('Caller-Channel-Hangup-Time'), String(record.hangupAt))
    t.equal(event.value('variable_billusec'), String(record.hangupAt! - record.answeredAt!))
  }
})

t.test('a crash and a recovery: the same legs, the same answer, a new Core-UUID', async t => {
  const { timeline, freeswitch, events } = start()
  const talking = freeswitch.placeCall({ ...BRIDGED, talkMs: 60_000 })
  timeline.run(3000)
  const ringing = freeswitch.placeCall({ ...BRIDGED, ringMs: 60_000 })
  timeline.run(1000)
  const before = freeswitch.coreUuid
  const seen = events.length
  freeswitch.crash()
  t.throws(() => freeswitch.api('status'))
  timeline.run(5000)
  t.equal(events.length, seen, 'no event tells')
  freeswitch.recover()
  t.not(freeswitch.coreUuid, before)
  t.strictSame(freeswitch.legs(), [talking.a, talking.b])
  const again = events.slice(seen).find(event => event.value('Unique-ID') === talking.b)!
  t.equal(again.name, 'CHANNEL_CREATE')
  t.equal(again.value('variable_recovered'), 'true')
  const { answeredAt } = freeswitch.history.get(talking.b)!
  t.equal(again.value('Caller-Channel-Answered-Time'), String(answeredAt))
  t.match(freeswitch.history.get(ringing.b), { cause: 'CRASH', answeredAt: undefined })
  timeline.run(60_000)
  t.match(freeswitch.history.get(talking.b), { endedBy: 'caller', cause: 'NORMAL_CLEARING' })
})

t.test('a restart: all legs are gone, and no event tells', async t => {
  const { timeline, freeswitch, events } = start()
  const { b } = freeswitch.placeCall(BRIDGED)
  timeline.run(3000)
  const seen = events.length
  freeswitch.api(`uuid_kill ${b}`)
  freeswitch.restart()
  timeline.run(5000)
  t.strictSame(
    events
      .slice(seen)
      .filter(isChannelEvent)
      .map(({ name }) => name),
    ['CHANNEL_HANGUP'],
  )
  t.strictSame(freeswitch.legs(), [])
  t.equal(freeswitch.api('show channels as json'), '{"row_count": 0}\n')
  t.type(freeswitch.history.get(b)!.hangupAt, 'number')
})

t.test('a listener may hang a leg up from within an event', async t => {
  for (const name of ['CHANNEL_CREATE', 'CHANNEL_PROGRESS', 'CHANNEL_ANSWER', 'CHANNEL_BRIDGE']) {
    for (const leg of ['a', 'b'] as const) {
      for (const forkOf of [[], [{ number: '2222', ringMs: 500, answer: false }]]) {
        const { timeline, freeswitch, events } = start()
        const uuids = { a: 'a-leg', b: 'b-leg' }
        freeswitch.onEvent(event => {
          if (event.name === name) freeswitch.api(`uuid_kill ${uuids[leg]}`)
        })
        freeswitch.placeCall({ ...BRIDGED, aUuid: 'a-leg', uuid: 'b-leg', talkMs: 2000, forkOf })
        timeline.run(10_000)
        t.strictSame(freeswitch.legs(), [], `${leg} killed at ${name}`)
        for (const uuid of freeswitch.history.all().map(record => record.uuid)) {
          const own = events.filter(event => event.value('Unique-ID') === uuid)
          const count = (wanted: string) => own.filter(event => event.name === wanted).length
          t.equal(count('CHANNEL_HANGUP_COMPLETE'), 1, `${uuid} completes once`)
          t.equal(own.at(-1)!.name, 'CHANNEL_DESTROY', 'and is destroyed at last')
          t.type(freeswitch.history.get(uuid)!.hangupAt, 'number')
        }
      }
    }
  }
})

t.test('a transferred leg goes on alone', async t => {
  const { timeline, freeswitch } = start()
  const { a, b } = freeswitch.placeCall({ ...BRIDGED, talkMs: 30_000 })
  timeline.run(5000)
  t.equal(freeswitch.api(`uuid_transfer ${a} topup XML default`), '+OK\n')
  timeline.run(1000)
  t.strictSame(freeswitch.legs(), [a])
  t.match(freeswitch.history.get(b), { endedBy: 'api', cause: 'NORMAL_CLEARING' })
  timeline.run(30_000)
  t.match(freeswitch.history.get(a!), { endedBy: 'caller' })
})

t.test('A ends with the cause of B where the dialplan says so', async t => {
  const { timeline, freeswitch } = start()
  const aVariables = { hangup_after_bridge: 'true' }
  const { a, b } = freeswitch.placeCall({ ...BRIDGED, aVariables })
  timeline.run(5000)
  freeswitch.api(`uuid_kill ${b} ALLOTTED_TIMEOUT`)
  timeline.run(1000)
  t.match(freeswitch.history.get(a!), { cause: 'ALLOTTED_TIMEOUT', endedBy: 'api' })
})

t.test('hupall by account, and values that are case-sensitive', async t => {
  const { timeline, freeswitch } = start()
  const legs = ['ACCT1', 'acct1', 'ACCT2'].map(ac => freeswitch.placeCall({ ...PARKED, ac }).b)
  timeline.run(2000)
  const reply = '+OK hangup all channels matching [ac]=[ACCT1] with cause: NORMAL_CLEARING\n'
  t.equal(freeswitch.api('hupall normal_clearing ac ACCT1'), reply)
  timeline.run(100)
  t.strictSame(freeswitch.legs(), legs.slice(1))
})

t.test('the same seed gives the same run', async t => {
  const run = () => {
    const { timeline, freeswitch, events } = start()
    for (let i = 0; i < 20; i++)
      freeswitch.placeCall({ ...BRIDGED, ringMs: 50 * i, talkMs: 333 * i })
    timeline.run(60_000)
    return events.map(event => event.plain()).join('')
  }
  t.equal(run(), run())
})

t.test('listings may lag behind', async t => {
  const { timeline, freeswitch } = start({ listingLagMs: 300 })
  const { b } = freeswitch.placeCall({ ...PARKED, instant: true })
  timeline.run(200)
  t.equal(freeswitch.api('show channels count'), '\n0 total.\n')
  timeline.run(200)
  t.equal(freeswitch.api('show channels count'), '\n1 total.\n')
  freeswitch.api(`uuid_kill ${b}`)
  timeline.run(100)
  t.equal(freeswitch.api('show channels count'), '\n1 total.\n', 'gone, and still listed')
  t.equal(freeswitch.api(`uuid_exists ${b}`), 'false')
  timeline.run(400)
  t.equal(freeswitch.api('show channels count'), '\n0 total.\n')
})
