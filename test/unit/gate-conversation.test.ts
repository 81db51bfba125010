/** The gate's words, against what a FreeSWITCH said on real outbound sockets; and against nonsense. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  CONVERSATION_BYTES_MAX,
  Conversation,
  type Finding,
  HELLO,
} from '../../src/gate/conversation.js'
import { type Admitted, variablesOf } from '../../src/gate/verdict.js'
import { LEG, TARIFF } from '../support/story.js'

const RECORDINGS = join(import.meta.dirname, '../recordings/gate')

const received = (name: string) => readFileSync(join(RECORDINGS, `${name}.raw`))
const sent = (name: string) => readFileSync(join(RECORDINGS, `${name}.sent`), 'latin1')

/** The A-leg, the answers to our two commands, and the goodbye, each by itself. */
function parts(name: string): [aLeg: Buffer, rest: Buffer] {
  const raw = received(name)
  const end = raw.indexOf('\n\n') + 2
  return [raw.subarray(0, end), raw.subarray(end)]
}

const ALLOW = new Map([['tollgate_result', 'allow']])

/** Plays the bytes in pieces; tells as soon as it is asked, as long as the switch may wait. */
function play(pieces: readonly Buffer[]): { findings: Finding[]; said: string } {
  const conversation = new Conversation()
  const findings: Finding[] = []
  let said = HELLO
  for (const piece of pieces) {
    for (const finding of conversation.receive(piece)) {
      findings.push(finding)
      if (finding.type !== 'asked' || conversation.state !== 'asked') continue
      said += conversation.tell(finding.question.aLeg, ALLOW)
    }
  }
  findings.push(...conversation.end())
  return { findings, said }
}

const bytewise = (raw: Buffer) => Array.from(raw, byte => Buffer.from([byte]))

const question = (
  aLeg: string,
  coreUuid: string,
  account: string,
  dialled: string,
  at: number,
) => ({
  type: 'asked',
  question: { aLeg, coreUuid, at, account, dialled, alternatives: 1 },
})

const CORE = '02031633-bd1a-43fe-b5e7-5c56d54a5c46'

const ACCEPTED = {
  'sync-accept': question(
    ...(['3b01dfbe-dfe6-40cc-882b-ba4e753b67e9', CORE, 'apiq', 'gz2-apiq-0105551234'] as const),
    1_795_403_038_473_699,
  ),
  accept: {
    type: 'asked',
    question: { aLeg: '402be862-a015-42cb-849e-faa79884c2ec', dialled: 'ga-apiq-0105551234' },
  },
  'gq-accept': {
    type: 'asked',
    question: { aLeg: '9467b032-7345-44e1-9a2b-fdc2a1c39390' },
  },
}

for (const [name, asked] of Object.entries(ACCEPTED)) {
  t.test(`${name}: whole, byte by byte, and with more behind it`, async t => {
    const raw = received(name)
    const whole = [raw]
    for (const pieces of [parts(name), bytewise(raw), [...parts(name), Buffer.from('more\n\n')]]) {
      const { findings, said } = play(pieces)
      t.match(findings, [asked, { type: 'told' }, { type: 'over', ending: 'done' }])
      t.equal(findings.length, 3)
      t.match(
        said,
        /^connect\n\napi uuid_setvar_multi [-0-9a-f]{36} tollgate_result=allow\n\nexit\n\n$/,
      )
    }
    t.match(play(whole).findings.at(-1), { ending: 'nonsense' }, 'answers before the question')
  })
}

t.test('what was sent on the recordings is what we send', async t => {
  for (const name of Object.keys(ACCEPTED)) {
    const [aLeg] = parts(name)
    const conversation = new Conversation()
    const [asked] = conversation.receive(aLeg)
    if (asked?.type !== 'asked') return t.fail(name)
    const [, command] = sent(name).split('\n\n')
    const pairs = command!.split(' ').at(-1)!.split(';')
    const variables = new Map(pairs.map(pair => pair.split('=') as [string, string]))
    t.equal(HELLO + conversation.tell(asked.question.aLeg, variables), sent(name))
  }
})

t.test('the code on the A-leg may go by our name, or by ac', async t => {
  t.match(play(parts('gq-accept')).findings[0], { question: { account: 'apiq' } })
  t.match(play(parts('accept')).findings[0], { question: { account: 'apiq' } })
  t.match(
    ask({ variable_tollgate_account: 'ours' }),
    { question: { account: 'ours' } },
    'ours first',
  )
})

t.test('the caller hangs up at any moment', async t => {
  const raw = received('A-cancels')
  const [aLeg] = parts('A-cancels')
  const { findings } = play([aLeg])
  t.match(findings, [{ type: 'asked' }, { type: 'over', ending: 'cut_short' }])
  const notice = raw.subarray(raw.lastIndexOf('Content-Type: text/disconnect-notice'))
  t.match(play([notice]).findings, [{ type: 'over', ending: 'gone' }], 'before it is described')
  t.match(play([aLeg, notice]).findings.at(-1), { ending: 'gone' }, 'before it is told')
  const early = new Conversation()
  early.receive(aLeg)
  t.match(early.receive(notice), [{ type: 'over', ending: 'gone' }], 'while it is decided')
  t.strictSame(early.receive(aLeg), [], 'and no more is heard')
  t.strictSame(early.end(), [])
})

t.test('a recording that ends early is cut short', async t => {
  const [aLeg] = parts('controller-dies')
  t.match(play([aLeg]).findings, [{ type: 'asked' }, { type: 'over', ending: 'cut_short' }])
  t.match(play([aLeg.subarray(0, -1)]).findings, [{ type: 'over', ending: 'cut_short' }])
  const silent = new Conversation()
  t.match(silent.end('silent'), [{ type: 'over', ending: 'silent' }])
  t.match(new Conversation().end(), [{ type: 'over', ending: 'looked' }], 'nothing was asked')
})

/** The A-leg of a recording, some lines of which read differently. */
function altered(changes: Readonly<Record<string, string>>, name = 'sync-accept'): Buffer {
  let head = parts(name)[0].toString('latin1').trimEnd()
  for (const [header, value] of Object.entries(changes)) {
    const line = new RegExp(`^${header}: .*$`, 'm')
    head = line.test(head)
      ? head.replace(line, `${header}: ${value}`)
      : `${head}\n${header}: ${value}`
  }
  return Buffer.from(`${head}\n\n`, 'latin1')
}

const ask = (changes: Readonly<Record<string, string>>) => play([altered(changes)]).findings[0]

t.test('what the dialplan asks for', async t => {
  const asked = (question: object) => ({ type: 'asked', question })
  t.match(ask({ variable_tollgate_number: '%2B44%20207' }), asked({ dialled: '+44 207' }))
  t.match(ask({ variable_ac: '_undef_' }), asked({ account: null }))
  t.match(ask({ variable_ac: '' }), asked({ account: null }))
  const counts: [string, number][] = [
    ['1', 1],
    ['2', 2],
    ['10', 10],
    ['11', 10],
    ['999999', 10],
    ['0', 1],
    ['-1', 1],
    ['1e9', 1],
    ['2.5', 1],
    ['99999999999999999999', 1],
    ['two', 1],
  ]
  for (const [text, alternatives] of counts) {
    t.match(ask({ variable_tollgate_alternatives: text }), asked({ alternatives }), text)
  }
})

const NOTHING = { type: 'over', ending: 'nonsense' }

t.test('nothing that a header says becomes a command', async t => {
  const evil = [
    '%0A%0Aapi%20fsctl%20shutdown',
    'x;tollgate_result=allow',
    'x%0D%0A',
    'a%20b',
    '%00',
  ]
  for (const value of evil) {
    const { said } = play([altered({ variable_tollgate_account: value, variable_ac: value })])
    t.equal(said.split('\n\n').length, 4, 'two commands and a greeting')
    t.notMatch(said, /shutdown|;/)
    t.match(ask({ 'Unique-ID': value }), NOTHING, `an id like ${value}`)
  }
  t.match(ask({ 'Unique-ID': 'a'.repeat(256) }), NOTHING, 'an id that is too long')
  t.match(ask({ 'Caller-Unique-ID': 'x;y' }), { type: 'asked' }, 'what we do not read')
  const long = ask({ variable_ac: 'a'.repeat(10_000) })
  t.match(long, { question: { account: `${'a'.repeat(64)}…` } }, 'a code is never cut to another')
})

t.test('what is no outbound socket is turned away at once', async t => {
  const strangers = [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'Content-Type: auth/request\n\n',
    'Content-Type: command/reply\nReply-Text: -ERR command not found\n\n',
    'Content-Type: text/event-plain\nContent-Length: 2\n\n\n\n',
    'Content-Type: command/reply\nContent-Length: many\n\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n\n',
  ]
  for (const stranger of strangers) {
    t.match(play([Buffer.from(stranger, 'latin1')]).findings, [NOTHING], JSON.stringify(stranger))
  }
  for (const header of ['Event-Name', 'Unique-ID', 'Core-UUID', 'Event-Date-Timestamp']) {
    t.match(ask({ [header]: '' }), NOTHING, `without ${header}`)
  }
  t.match(ask({ 'Event-Name': 'CHANNEL_CREATE' }), NOTHING)
})

t.test('it is not listened to for ever', async t => {
  const noise = Buffer.alloc(CONVERSATION_BYTES_MAX, 'x')
  const conversation = new Conversation()
  t.strictSame(conversation.receive(noise), [])
  t.match(conversation.receive(Buffer.from('x')), [NOTHING])
  const announced = new Conversation()
  announced.receive(Buffer.from('Content-Type: command/reply\nContent-Length: 9999999\n\n'))
  t.match(announced.receive(noise), [NOTHING], 'nor to a long body')
})

/** Up to where the variables have been sent. */
function telling(): Conversation {
  const conversation = new Conversation()
  conversation.receive(parts('sync-accept')[0])
  conversation.tell('a-leg', ALLOW)
  return conversation
}

const api = (body: string) =>
  Buffer.from(`Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}`)
const reply = (text: string) => Buffer.from(`Content-Type: command/reply\nReply-Text: ${text}\n\n`)

t.test('nothing but +OK is a yes', async t => {
  const answers: [Buffer, string][] = [
    [api('-ERR No such channel!\n'), 'gone'],
    [api('-ERR No variable specified\n'), 'refused'],
    [api(''), 'refused'],
    [api('+ok\n'), 'refused'],
    [reply('-ERR command not found'), 'not_full'],
    [reply('+OK'), 'refused'],
    [Buffer.from('Content-Type: text/event-plain\nContent-Length: 0\n\n'), 'nonsense'],
    [Buffer.from('+OK\n\n'), 'nonsense'],
  ]
  for (const [answer, ending] of answers) {
    t.match(telling().receive(answer), [{ type: 'over', ending }], answer.toString())
  }
  t.match(telling().receive(api('+OK\n')), [{ type: 'told' }])
  t.match(telling().end(), [{ ending: 'cut_short' }])
  t.match(telling().end('silent'), [{ ending: 'silent' }])
})

t.test('it is told once', async t => {
  const conversation = telling()
  t.throws(() => conversation.tell('a-leg', ALLOW), /told once/)
  t.throws(() => new Conversation().tell('a-leg', ALLOW), /told once/)
})

t.test('every variable is set, or deleted', async t => {
  const told = (...[verdict, alternatives]: Parameters<typeof variablesOf>) =>
    Object.fromEntries(variablesOf(verdict, alternatives))
  t.strictSame(told({ allow: false, reason: 'no_credit' }, 2), {
    tollgate_result: 'deny',
    tollgate_reason: 'no_credit',
    tollgate_leg_uuid: '',
    tollgate_seconds: '',
    tollgate_leg_uuid_2: '',
    tollgate_seconds_2: '',
  })
  const leg = (callId: string, seconds: number): Admitted => {
    const known = { tariff: TARIFF, answeredAt: null, held: 0n, raises: 1 }
    return { known: { ...known, leg: { ...LEG, callId } }, seconds }
  }
  t.strictSame(told({ allow: true, legs: [leg('one', 62), null, leg('three', 12)] }, 3), {
    tollgate_result: 'allow',
    tollgate_reason: '',
    tollgate_leg_uuid: 'one',
    tollgate_seconds: '62',
    tollgate_leg_uuid_2: '',
    tollgate_seconds_2: '62',
    tollgate_leg_uuid_3: 'three',
    tollgate_seconds_3: '12',
  })
})

t.test('every recording is played', async (t: Test) => {
  const names = readdirSync(RECORDINGS).filter(name => name.endsWith('.raw'))
  t.equal(names.length, 7)
  for (const name of names) {
    for (const raw of [[received(name.slice(0, -4))], bytewise(received(name.slice(0, -4)))]) {
      t.match(play(raw).findings.at(-1), { type: 'over' })
    }
  }
})
