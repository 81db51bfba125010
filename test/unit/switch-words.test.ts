/** What frames mean, and what commands look like: the words of the event socket. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { LegEvent } from '../../src/call/leg-event.js'
import { PAUSE_MS_MAX, pauseMs } from '../../src/switch/backoff.js'
import { decode, decodeDump, eventName, headersOf, timeOf } from '../../src/switch/decode.js'
import {
  armCommand,
  armOnAnswerCommand,
  authCommand,
  disarmCommands,
  dumpCommand,
  eventCommand,
  expectOk,
  globalCommand,
  killCommand,
  LIST_COMMAND,
  parseAdded,
  parseDeleted,
  parseReply,
  parseRun,
  parseVariable,
  playCommand,
  saysGone,
  setCommand,
  setVariableCommand,
  timerGroup,
  transferCommand,
  variableCommand,
} from '../../src/switch/encode.js'
import { type Frame, Framer, textOf } from '../../src/switch/frames.js'
import { plainHeaders } from '../../src/switch/headers.js'
import { ListingReader } from '../../src/switch/listing.js'

const REPLAY = join(import.meta.dirname, '../replay')

const files = readdirSync(join(REPLAY, 'captures')).filter(file => file.endsWith('.raw'))

const framesOf = (file: string) => [
  ...new Framer().push(readFileSync(join(REPLAY, 'captures', file))),
]

const eventsOf = (file: string) =>
  framesOf(file).flatMap(frame => {
    const event = decode(frame)
    return event ? [event] : []
  })

const legEventsOf = (file: string) =>
  eventsOf(file).filter((event): event is LegEvent => event.name !== 'HEARTBEAT')

const frame = (type: string | null, body: string | Buffer, head = ''): Frame => ({
  head,
  contentType: type,
  body: Buffer.from(body),
  left: 0,
})

t.test('what is kept of an event does not hold on to all of it', async t => {
  const text = framesOf('01-gateway-bleg-ac-normal-hangup-by-A.plain.raw')
    .map(({ body }) => body?.toString('latin1') ?? '')
    .find(each => each.includes('CHANNEL_HANGUP_COMPLETE'))!
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const kept: unknown[] = []
  collect()
  const before = process.memoryUsage().heapUsed
  const EVENTS = 1000
  for (let i = 0; i < EVENTS; i++) kept.push(decode(frame('text/event-plain', text)))
  collect()
  const bytes = (process.memoryUsage().heapUsed - before) / EVENTS
  t.equal(kept.length, EVENTS)
  t.ok(bytes < text.length / 4, `${bytes} bytes of an event of ${text.length}`)
})

t.test('the first header of a name counts, and none of the body', async t => {
  const lines = ['Event-Name: CHANNEL_CREATE', 'X: 1', 'no header', 'X: 2', 'Unique-ID: own', '']
  const body = ['Unique-ID: other', 'variable_ac: x', 'Y: 1']
  for (const end of ['\n', '\r\n']) {
    const headers = plainHeaders([...lines, ...body].join(end))
    t.equal(headers.get('Event-Name'), 'CHANNEL_CREATE')
    t.equal(headers.get('X'), '1')
    t.equal(headers.get('Unique-ID'), 'own')
    t.equal(headers.get('variable_ac'), null)
    t.equal(headers.get('Y'), null)
    t.equal(headers.get('Unique'), null, 'not the beginning of a name')
    t.notOk(headers.hasVariables())
  }
  t.equal(plainHeaders('variable_ac: x').get('variable_ac'), 'x', 'without a line end')
  t.ok(plainHeaders('variable_ac: x').hasVariables())
  t.equal(plainHeaders('a\n'.repeat(200_000)).get('Event-Name'), null, 'in no time')
})

t.test('a name is not the beginning, nor the end, of another', async t => {
  const lines = [
    'variable_ac_number: 44',
    'variable_ac_leg: a',
    'xvariable_ac: 1',
    'variable_acx: 2',
  ]
  const headers = plainHeaders(`${lines.join('\n')}\nvariable_ac: René%20%C3%A9\n`)
  t.equal(headers.get('variable_ac'), 'René é')
  t.equal(headers.get('variable_ac_leg'), 'a')
  t.equal(headers.get('variable_ac_number'), '44')
  t.equal(plainHeaders(lines.join('\n')).get('variable_ac'), null)
})

t.test('what a plain dump has beyond Latin-1 ends no header', async t => {
  // U+010A and U+0176 have the low bytes of a line end and of a v.
  const headers = plainHeaders('Ċ\nX: Ċ\nŶariable_ac: x\nUnique-ID: own\n')
  t.equal(headers.get('Unique-ID'), 'own')
  t.equal(headers.get('variable_ac'), null)
  t.notOk(headers.hasVariables())
})

t.test('plain and json tell the same', async t => {
  const pairs = files.filter(file => file.endsWith('.plain.raw'))
  t.ok(pairs.length >= 38)
  for (const file of pairs) {
    const plain = eventsOf(file)
    t.ok(plain.length > 0, file)
    t.same(plain, eventsOf(file.replace('.plain.', '.json.')), file)
  }
})

/** `2026-11-23T01:42:34.273152Z` as microseconds since the epoch. */
const instant = (iso: string | null) =>
  iso && Date.parse(`${iso.slice(0, 19)}Z`) * 1000 + Number(iso.slice(20, 26))

t.test('events say what was read off the captures by hand', async t => {
  let calls = 0
  for (const name of readdirSync(join(REPLAY, 'expected'))) {
    const { cdrs, open } = JSON.parse(readFileSync(join(REPLAY, 'expected', name), 'utf8'))
    const raw = files.find(file => file.startsWith(name.replace('.json', '.')))!
    const events = legEventsOf(raw)
    for (const cdr of [...cdrs, ...open]) {
      calls++
      const own = events.filter(event => event.legId === cdr.call_id)
      const created = own.find(event => event.name === 'CHANNEL_CREATE')!
      const codes = events.filter(event => event.legId === created.otherLeg).map(({ ac }) => ac)
      t.match(created, {
        direction: 'outbound',
        hasVariables: true,
        number: cdr.number,
        dialledUser: false,
        loopback: false,
        acLeg: null,
        acNumber: null,
        hangupAt: null,
      })
      t.ok([created.ac, ...(created.ac ? [] : codes)].includes(cdr.account), `${raw}: the account`)
      const end = own.find(event => event.name === 'CHANNEL_HANGUP_COMPLETE')
      t.equal(end?.cause, cdr.cause)
      t.equal(end?.hangupAt ?? null, instant(cdr.ended_at ?? null))
      t.equal(own.at(-1)?.answeredAt ?? null, instant(cdr.answered_at))
      if (cdr.created_at) t.equal(created.createdAt, instant(cdr.created_at))
    }
  }
  t.equal(calls, 58)
})

t.test('one event, field by field', async t => {
  const [first] = eventsOf('01-gateway-bleg-ac-normal-hangup-by-A.plain.raw')
  t.strictSame(first, {
    name: 'CHANNEL_CREATE',
    at: 1795398154273152,
    coreUuid: '2e64f9f9-c38d-459d-9edc-02a3bc386439',
    legId: 'a9ddab3c-c10a-4ee7-b9f1-4e95541ec6a1',
    oldLegId: null,
    direction: 'inbound',
    hasVariables: true,
    ac: null,
    acLeg: null,
    acNumber: null,
    otherLeg: null,
    dialledUser: false,
    loopback: false,
    number: 'tb-ACCT1-442071234567',
    createdAt: 1795398154273152,
    answeredAt: null,
    hangupAt: null,
    cause: null,
  })
})

t.test('kinds of legs and of events', async t => {
  const b = legEventsOf('12b-loopback-to-gateway-three-legs.plain.raw')
  const created = b.filter(event => event.name === 'CHANNEL_CREATE')
  t.same(created.map(event => [event.direction, event.ac, event.loopback]).sort(), [
    ['inbound', 'ACCT1', true],
    ['outbound', 'ACCT1', false],
    ['outbound', 'ACCT1', true],
  ])
  const user = legEventsOf('12a-code-of-called-user-appears-after-answer.plain.raw')
  t.ok(user.every(event => event.dialledUser))
  t.same(user.find(event => event.name === 'CHANNEL_CREATE')?.ac, null)
  t.same(user.at(-1)?.ac, 'DIR-ANY')
  const held = legEventsOf('08b-hold-unhold-by-uuid_hold.plain.raw')
  const names = new Set(held.map(event => event.name))
  t.ok(names.has('OTHER'))
  t.ok(held.some(event => event.name === 'OTHER' && !event.hasVariables && event.ac === null))
  t.notOk(held.some(event => event.name !== 'OTHER' && !event.hasVariables))
  const moved = legEventsOf('06b-uuid_transfer-bleg-to-milliwatt.plain.raw')
  t.ok(
    moved.every(event => event.direction === 'inbound' || event.otherLeg),
    'of the originator',
  )
})

t.test('time and name of any event', async t => {
  const [custom] = framesOf('22-custom-event.raw').filter(each => eventName(each))
  t.equal(eventName(custom!), 'CUSTOM')
  t.equal(timeOf(custom!), 1795398801453157)
  t.equal(decode(custom!), null)
  const replies = framesOf('20-api-replies.raw')
  const dump = replies.find(each => textOf(each.body ?? Buffer.alloc(0)).startsWith('Event-Name'))
  t.equal(dump?.contentType, 'api/response')
  t.equal(eventName(dump!), null, 'an answer is no event, whatever it looks like')
  t.equal(timeOf(dump!), null)
  t.equal(decode(dump!), null)
})

t.test('a name in Latin-1 (09c)', async t => {
  for (const format of ['plain', 'json']) {
    const frames = framesOf(`09c-latin1-bytes-from-SIP.${format}.raw`)
    const names = frames.map(each => headersOf(each)?.get('Caller-Orig-Caller-ID-Name'))
    t.ok(names.includes('Zoë Müller'), format)
  }
  const utf8 = framesOf('09-unicode-caller-id-name.plain.raw')
  t.ok(utf8.some(each => headersOf(each)?.get('variable_sip_from_display') === 'Zoë Müller'))
})

const EVENT = {
  'Event-Name': 'CHANNEL_CREATE',
  'Core-UUID': 'core',
  'Event-Date-Timestamp': '7',
  'Unique-ID': 'leg',
  'Call-Direction': 'outbound',
  'Caller-Channel-Created-Time': '6',
}

const plain = (headers: Record<string, string>) =>
  decode(
    frame(
      'text/event-plain',
      `${Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join('')}\n`,
    ),
  )

const json = (headers: object) => decode(frame('text/event-json', JSON.stringify(headers)))

t.test('what is missing or garbled makes no event', async t => {
  t.match(plain(EVENT), { name: 'CHANNEL_CREATE', at: 7, createdAt: 6, number: '', otherLeg: null })
  t.strictSame(plain(EVENT), json(EVENT))
  for (const name of Object.keys(EVENT)) {
    for (const value of ['', '_undef_', undefined]) {
      const { [name as 'Unique-ID']: _, ...rest } = EVENT
      const headers = value === undefined ? rest : { ...EVENT, [name]: value }
      t.equal(plain(headers), null, `${name} is ${value}`)
      t.equal(json(headers), null, `${name} is ${value}`)
    }
  }
  for (const name of [
    'Event-Date-Timestamp',
    'Caller-Channel-Created-Time',
    'Caller-Channel-Answered-Time',
    'Caller-Channel-Hangup-Time',
  ]) {
    for (const value of [
      '-1',
      '1.5',
      '1e9',
      'NaN',
      '9'.repeat(16),
      '9'.repeat(400),
      '0x10',
      '７',
    ]) {
      t.equal(plain({ ...EVENT, [name]: value }), null, `${name} is ${value}`)
      t.equal(json({ ...EVENT, [name]: value }), null, `${name} is ${value}`)
    }
  }
  t.equal(plain({ ...EVENT, 'Call-Direction': 'sideways' }), null)
  for (const text of ['', '{', '[]', 'null', '7', '"x"', '{"Event-Name":{}}']) {
    t.equal(decode(frame('text/event-json', text)), null, text)
  }
  t.equal(decode({ head: '', contentType: 'text/event-plain', body: null, left: 0 }), null)
  t.equal(plain({ 'Event-Name': 'HEARTBEAT', 'Core-UUID': 'core' }), null)
})

t.test('an ac of any kind', async t => {
  const long = 'x'.repeat(10_000)
  for (const read of [plain, json]) {
    const ac = (value: string) => (read({ ...EVENT, variable_ac: value }) as LegEvent).ac
    t.equal(ac('ACCT1'), 'ACCT1')
    t.equal(ac(''), null)
    t.equal(ac('_undef_'), null)
    t.equal(ac(long), `${'x'.repeat(64)}…`)
    t.equal(ac('x'.repeat(64)), 'x'.repeat(64))
    t.equal(ac(`';DROP--"`), `';DROP--"`)
  }
  const event = (headers: object) => json({ ...EVENT, ...headers }) as LegEvent
  t.equal((plain({ ...EVENT, variable_ac: 'Ren%E9%' }) as LegEvent).ac, 'René%')
  t.equal((plain({ ...EVENT, variable_ac: 'Ren%C3%A9' }) as LegEvent).ac, 'René')
  t.equal((plain({ ...EVENT, variable_ac: 'a%20b' }) as LegEvent).ac, 'a b')
  t.equal(event({ variable_ac: ['a', 'b'] }).ac, 'ARRAY::a|:b')
  t.equal((plain({ ...EVENT, variable_ac: 'ARRAY::a|:b' }) as LegEvent).ac, 'ARRAY::a|:b')
  t.equal(event({ variable_ac: { toString: 1 } }).ac, null)
  t.equal(event({ ac: 'no', xvariable_ac: 'no' }).ac, null)
  t.match(event({ variable_ac_leg: 'a', variable_ac_number: long }), {
    hasVariables: true,
    acLeg: 'a',
    acNumber: `${'x'.repeat(64)}…`,
  })
  t.equal(event({ 'Caller-Destination-Number': long }).number.length, 65)
  t.equal(event({}).hasVariables, false)
})

t.test('headers that lie elsewhere', async t => {
  const body = 'Event-Name: X\nUnique-ID: inner\nvariable_ac: inner\n'
  const head = Object.entries(EVENT).map(([name, value]) => `${name}: ${value}\n`)
  const text = `${head.join('')}Content-Length: ${body.length}\n\n${body}`
  t.match(decode(frame('text/event-plain', text)), { legId: 'leg', ac: null, hasVariables: false })
  const crlf = decode(frame('text/event-plain', text.replaceAll('\n', '\r\n')))
  t.match(crlf, { legId: 'leg', ac: null, hasVariables: false })
  const second = decode(frame('text/event-plain', `${head.join('')}Unique-ID: other\n\n`))
  t.match(second, { legId: 'leg' })
  t.match(decode({ head: head.join('').trimEnd(), contentType: null, body: null, left: 0 }), {
    legId: 'leg',
    createdAt: 6,
  })
})

t.test('more of a leg', async t => {
  const event = (headers: object) => json({ ...EVENT, ...headers }) as LegEvent
  t.match(event({ 'Event-Name': 'CHANNEL_UUID', 'Old-Unique-ID': 'old' }), { oldLegId: 'old' })
  t.match(event({ 'Event-Name': 'CALL_UPDATE', 'Old-Unique-ID': 'x' }), {
    name: 'OTHER',
    oldLegId: null,
  })
  t.equal(event({ variable_originator: 'a' }).otherLeg, 'a')
  t.equal(event({ variable_originator: 'a', variable_originating_leg_uuid: 'b' }).otherLeg, 'b')
  t.equal(event({ variable_originating_leg_uuid: 'b', 'Other-Leg-Unique-ID': 'c' }).otherLeg, 'c')
  t.equal(event({ 'Channel-Name': 'loopback/9196-a' }).loopback, true)
  t.equal(event({ 'Channel-Name': 'sofia/loopback/x' }).loopback, false)
  t.equal(event({ variable_is_loopback: 'true' }).loopback, true)
  const { 'Call-Direction': _, ...undirected } = EVENT
  t.match(json({ ...undirected, 'Caller-Direction': 'inbound' }), { direction: 'inbound' })
})

const answers = framesOf('20-api-replies.raw')
  .filter(each => each.contentType === 'api/response' || each.head.includes('Reply-Text'))
  .slice(1)
  .map(each => (each.body ? textOf(each.body) : (/Reply-Text: (.*)/.exec(each.head)?.[1] ?? '')))

/** The legs of a listing that comes in pieces of this length. */
function parseListing(answer: string, pieceChars = answer.length) {
  const reader = new ListingReader()
  for (let at = 0; at < answer.length; at += pieceChars) {
    reader.take(answer.slice(at, at + pieceChars))
  }
  return reader.end()
}

const LEG = '5399563f-2945-4f10-99e2-8bed744970ee'

t.test('the answers of a real switch (20)', async t => {
  t.same(parseListing(answers[0]!), [
    { legId: LEG, direction: 'outbound' },
    { legId: '76f0996b-22e0-4e1c-9035-31e1cc5e0051', direction: 'outbound' },
  ])
  t.throws(() => parseListing(answers[1]!), { code: 'unexpected' }, 'not JSON')
  t.throws(() => parseListing(answers[3]!), { code: 'unexpected' }, 'a count, and no rows')
  t.same(parseListing(answers[5]!), [], 'row_count 0 without rows')
  const dump = decodeDump(answers[6]!)
  t.match(dump, {
    name: 'CHANNEL_DATA',
    at: 1795398800133165,
    legId: LEG,
    ac: 'ACCT1',
    direction: 'outbound',
    hasVariables: true,
    number: '442071234567',
    answeredAt: 1795398799093158,
    hangupAt: null,
  })
  const { at, ...rest } = decodeDump(answers[7]!)!
  t.ok(at >= dump!.at)
  t.match(dump, rest, 'the plain one says the same')
  t.ok(saysGone(answers[8]!))
  t.equal(parseVariable(answers[9]!), 'ACCT1')
  t.equal(parseVariable(answers[10]!), null)
  t.equal(parseVariable(answers[11]!), null)
  t.equal(expectOk(answers[14]!), '')
  t.equal(parseVariable(answers[15]!), 'x y')
  t.same(parseReply(answers[19]!), { ok: false, text: '[+]<time> <uuid> [<cause>]' })
  t.equal(parseDeleted(answers[21]!), 2)
  t.equal(parseDeleted(answers[22]!), 0)
  t.ok(saysGone(answers[27]!))
  t.notOk(saysGone(answers[29]!))
  t.throws(() => expectOk(answers[31]!), {
    code: 'refused',
    message: 'the switch says: nosuchcommand Command not found!',
  })
  t.throws(() => expectOk(answers[33]!), { message: 'the switch says: command not found' })
  t.throws(() => parseListing(answers[33]!), { code: 'refused' })
  t.equal(parseRun(answers[37]!), '2e64f9f9-c38d-459d-9edc-02a3bc386439')
  t.equal(parseAdded(answers[46]!), 8)
  t.equal(parseDeleted(answers[47]!), 1)
  t.equal(answers.length, 49)
})

t.test('a listing, however it is printed, and cut into pieces', async t => {
  const legs = [
    { legId: 'a', direction: 'inbound' },
    { legId: 'b"\u00eb', direction: 'outbound' },
  ]
  const [a, b] = legs.map(({ legId, direction }) => ({ uuid: legId, direction, dest: '44' }))
  const looksLikeOne = { ...b, cid_name: '{"uuid":"c","direction":"inbound"', dest: '"}]}' }
  const shuffled = [a, b].map(each => ({
    dest: '44',
    direction: each!.direction,
    uuid: each!.uuid,
  }))
  const long = { ...b, cid_name: 'x'.repeat(2000) }
  for (const [what, text] of Object.entries({
    'as FreeSWITCH does': JSON.stringify({ row_count: 2, rows: [a, b] }),
    'with a line end': `${JSON.stringify({ row_count: 2, rows: [a, b] })}\n`,
    'with a text that looks like a row': JSON.stringify({ row_count: 2, rows: [a, looksLikeOne] }),
    'with a long row': JSON.stringify({ row_count: 2, rows: [a, long] }),
    'in another order': JSON.stringify({ row_count: 2, rows: shuffled }),
    'with blanks': JSON.stringify({ row_count: 2, rows: [a, b] }, null, 1),
    'with an id that is escaped': JSON.stringify({ row_count: 2, rows: [a, b] }).replace(
      '"b',
      '"\\u0062',
    ),
  })) {
    t.strictSame(parseListing(text), legs, what)
    const lengths = Array.from(text, (_, i) => i + 1)
    const wrong = lengths.filter(chars => !isDeepStrictEqual(parseListing(text, chars), legs))
    t.strictSame(wrong, [], `${what}, in pieces`)
  }
  const whole = JSON.stringify({ row_count: 2, rows: [a, b] })
  for (let end = 1; end < whole.length; end++) {
    const cut = () => parseListing(whole.slice(0, end), 7)
    t.throws(cut, { code: 'unexpected' }, 'not cut off')
  }
})

t.test('a listing whose rows are not as many as it says', async t => {
  const row = (uuid: string) => ({ uuid, direction: 'inbound', dest: '44' })
  for (const [count, rows] of [
    [2, [row('a')]],
    [1, [row('a'), row('b')]],
    [2, [row('a'), { dest: '44' }]],
    [2, [row('a'), row('')]],
    [2, [row('a'), row('x'.repeat(5000))]],
  ] as const) {
    const text = JSON.stringify({ row_count: count, rows })
    t.throws(() => parseListing(text, 100), { code: 'unexpected' }, text.slice(0, 200))
  }
})

t.test('answers that prove nothing', async t => {
  for (const answer of [
    '',
    '{',
    '{"row_count":1,"rows":[]}',
    '{"row_count":0,"rows":[{"uuid":"a","direction":"inbound"}]}',
    '{"row_count":1}',
    '{"rows":[]}',
    '{"row_count":"0"}',
    '{"row_count":1,"rows":[null]}',
    '{"row_count":1,"rows":[{"uuid":7,"direction":"inbound"}]}',
    '{"row_count":1,"rows":[{"uuid":"a"}]}',
    '{"row_count":1,"rows":{"length":1}}',
    '0 total.',
  ]) {
    t.throws(() => parseListing(answer), { code: 'unexpected' }, answer)
  }
  t.throws(() => parseListing('-ERR no reply\n'), { code: 'refused' })
  t.throws(() => parseAdded('+OK\n'), { code: 'unexpected' })
  t.throws(() => parseAdded('-ERR Invalid syntax'), { code: 'refused' })
  t.throws(() => parseDeleted('+OK Deleted: many'), { code: 'unexpected' })
  t.throws(() => parseRun('two words'), { code: 'unexpected' })
  t.throws(() => parseVariable('-ERR permission denied'), { code: 'refused' })
  t.equal(parseVariable('-ERR no reply\n'), null)
  t.equal(parseVariable('100% +OK'), '100% +OK')
  t.equal(decodeDump('-ERR No such channel!'), null)
  t.equal(decodeDump('{"Event-Name":"HEARTBEAT","Core-UUID":"c","Event-Date-Timestamp":"1"}'), null)
  const shown = t.throws(() => parseRun(`x ${'y'.repeat(5_000)}`)) as Error
  t.ok(shown.message.length < 300, 'a message stays readable')
})

t.test('commands', async t => {
  t.equal(authCommand('a b c'), 'auth a b c')
  t.equal(
    eventCommand('plain', ['CHANNEL_CREATE', 'HEARTBEAT']),
    'event plain CHANNEL_CREATE HEARTBEAT',
  )
  t.equal(killCommand(LEG, 'ALLOTTED_TIMEOUT'), `api uuid_kill ${LEG} ALLOTTED_TIMEOUT`)
  const group = timerGroup(LEG, 2)
  t.equal(group, `tg-2-${LEG}`)
  t.equal(
    armCommand(LEG, 61, group, 'ALLOTTED_TIMEOUT'),
    `api sched_api +61 tg-2-${LEG} uuid_kill ${LEG} ALLOTTED_TIMEOUT`,
  )
  t.equal(
    armOnAnswerCommand(LEG, 61, 'ALLOTTED_TIMEOUT'),
    `api uuid_setvar ${LEG} execute_on_answer_tollgate sched_hangup +61 ALLOTTED_TIMEOUT`,
  )
  t.same(disarmCommands(LEG, 1, 0), [`api sched_del ${LEG}`])
  t.same(disarmCommands(LEG, 2, 1), [`api sched_del tg-1-${LEG}`])
  t.same(disarmCommands(LEG, 3, 0), [
    `api sched_del ${LEG}`,
    `api sched_del tg-1-${LEG}`,
    `api sched_del tg-2-${LEG}`,
  ])
  t.same(disarmCommands(LEG, 3, 3), [])
  t.same(disarmCommands('42', 1, 0), [], 'that would be task 42')
  t.equal(variableCommand(LEG, 'ac'), `api uuid_getvar ${LEG} ac`)
  t.equal(dumpCommand(LEG), `api uuid_dump ${LEG} json`)
  t.equal(LIST_COMMAND, 'api show channels as json')
  t.equal(playCommand(LEG, '/a/low.wav'), `api uuid_displace ${LEG} start /a/low.wav 0 mux`)
  t.equal(
    playCommand(LEG, 'tone_stream://%(200,0,500);loops=2'),
    `api uuid_broadcast ${LEG} tone_stream://%(200,0,500);loops=2 aleg`,
  )
  t.equal(
    playCommand(LEG, 'say:en number pronounced 30'),
    `api uuid_broadcast ${LEG} say::en\\snumber\\spronounced\\s30 aleg`,
  )
  t.equal(transferCommand(LEG, 'no*1'), `api uuid_transfer ${LEG} no*1`)
  t.equal(transferCommand(LEG, '1 XML a.b'), `api uuid_transfer ${LEG} 1 XML a.b`)
  t.equal(setVariableCommand(LEG, 'a', 'b'), `api uuid_setvar ${LEG} a b`)
  t.equal(killCommand('gw+call_1.2:3@host/~=', 'NORMAL_CLEARING').split(' ').length, 4)
})

t.test('nothing that would be another command, or another argument', async t => {
  const bad = [
    'x\n\napi shutdown',
    'x\r\n',
    'x\n',
    '\n',
    'x y',
    'x\ty',
    'x\0',
    '',
    'x&',
    "'x'",
    'x\\',
    `\${x}`,
    'é',
    'x\u2028',
    'x'.repeat(2_000),
  ]
  for (const [i, text] of bad.entries()) {
    const shown = `number ${i}`
    const refused = { name: 'SwitchError', code: 'refused' }
    t.throws(() => killCommand(text, 'NORMAL_CLEARING'), refused, shown)
    t.throws(() => killCommand(LEG, text), refused, shown)
    t.throws(() => timerGroup(text, 1), refused, shown)
    t.throws(() => armCommand(LEG, 1, text, 'NORMAL_CLEARING'), refused, shown)
    t.throws(() => armCommand(text, 1, 'g', 'NORMAL_CLEARING'), refused, shown)
    t.throws(() => armOnAnswerCommand(text, 1, 'NORMAL_CLEARING'), refused, shown)
    t.throws(() => armOnAnswerCommand(LEG, 1, text), refused, shown)
    t.throws(() => variableCommand(text, 'ac'), refused, shown)
    t.throws(() => variableCommand(LEG, text), refused, shown)
    t.throws(() => dumpCommand(text), refused, shown)
    t.throws(() => playCommand(text, 'a.wav'), refused, shown)
    t.throws(() => eventCommand('plain', [text]), refused, shown)
    t.throws(() => transferCommand(text, 'x'), refused, shown)
    t.throws(() => setCommand(text, new Map([['x', 'y']])), refused, shown)
    t.throws(() => setCommand(LEG, new Map([[text, 'y']])), refused, shown)
    t.throws(() => globalCommand(text, 'y'), refused, shown)
    if (text !== '') {
      t.throws(() => setCommand(LEG, new Map([['x', text]])), refused, shown)
      t.throws(() => globalCommand('x', text), refused, shown)
    }
    t.throws(() => setVariableCommand(LEG, text, 'x'), refused, shown)
    t.throws(() => setVariableCommand(LEG, 'x', text), refused, shown)
    if (text !== 'x y') t.throws(() => transferCommand(LEG, text), refused, shown)
    if (!['x&', 'é'].includes(text)) t.throws(() => playCommand(LEG, text), refused, shown)
    if (/\D/.test(text)) t.throws(() => disarmCommands(text, 1, 0), refused, shown)
  }
  for (const seconds of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
    t.throws(() => armCommand(LEG, seconds, 'g', 'X'), { code: 'refused' }, `${seconds} s`)
    t.throws(() => armOnAnswerCommand(LEG, seconds, 'X'), { code: 'refused' }, `${seconds} s`)
  }
  // What separates variables would set another one.
  for (const value of ['x;tollgate_result=allow', 'x=y', '^^:']) {
    t.throws(() => setCommand(LEG, new Map([['x', value]])), { code: 'refused' }, value)
    t.throws(() => globalCommand('x', value), { code: 'refused' }, value)
  }
  for (const sound of ["say:en number pronounced 10'", 'say:en a\n\napi x', 'say:a  b']) {
    t.throws(() => playCommand(LEG, sound), { code: 'refused' }, sound)
  }
  t.throws(() => timerGroup(LEG, 0), { code: 'refused' })
  t.throws(() => disarmCommands(LEG, 2, -1), { code: 'refused' })
  const refusal = t.throws(() => authCommand('top\nsecret')) as Error
  t.notMatch(refusal.message, /secret/)
})

t.test('pauses grow to a limit, and are never all the same', async t => {
  const longest = Array.from({ length: 10 }, (_, i) => pauseMs(i + 1, () => 1))
  t.same(longest.slice(0, 4), [250, 500, 1000, 2000])
  t.same(longest.slice(4), Array(6).fill(3_000), 'a switch that is back is not left alone for long')
  t.equal(PAUSE_MS_MAX, 3_000)
  t.equal(
    pauseMs(5_000, () => 1),
    3_000,
  )
  t.equal(
    pauseMs(3, () => 0),
    0,
  )
  t.equal(
    pauseMs(3, () => 0.5),
    500,
  )
})
