/**
 * What strangers and callers can write into a call, against the daemon as shipped: nothing of it becomes
 * a command to the switch, and whoever asks too much is answered. Other doors have theirs in
 * directory.test.ts (XML, strangers), cdr-repair.test.ts (posted records), gate.test.ts (connections that
 * are silent, or talk nonsense) and unit/switch-words.test.ts (every command by itself).
 */
import t from 'tap'
import { CONNECTIONS_MAX } from '../../src/gate/server.js'
import { ask } from '../support/gate-caller.js'
import { Live } from '../support/live.js'

t.setTimeout(120_000)

const EVIL = '\n\napi fsctl shutdown\n\n'

const UUID = '[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{12}'

/** All that may be said to a switch about legs with ids of its own. */
const COMMANDS = new RegExp(
  `^(${[
    'global_getvar core_uuid',
    'show channels as json',
    `uuid_dump ${UUID} json`,
    `uuid_getvar ${UUID} (ac|ac_leg)`,
    `uuid_setvar ${UUID} tollgate_reason (no_credit|unknown_account|malformed_number)`,
    `uuid_setvar ${UUID} execute_on_answer_tollgate sched_hangup \\+\\d+ ALLOTTED_TIMEOUT`,
    `uuid_transfer ${UUID} no_credit XML default`,
    `uuid_broadcast ${UUID} tone_stream://%\\(200,0,800\\) aleg`,
    `uuid_kill ${UUID} (CALL_REJECTED|ALLOTTED_TIMEOUT)`,
    `sched_api \\+\\d+ tg-\\d+-${UUID} uuid_kill ${UUID} ALLOTTED_TIMEOUT`,
    `sched_del (tg-\\d+-)?${UUID}`,
  ].join('|')})$`,
)

/** With credit for four seconds, and everything that a caller can be told. */
async function start(t: Parameters<typeof Live.start>[0], gate: Record<string, unknown> = {}) {
  const sentTo = 'no_credit XML default'
  const heard = { warn_s: 2, warn_sound: 'tone_stream://%(200,0,800)' }
  const rules = { chunk_s: 2, lead_s: 1, ...heard, refused_to: sentTo, cut_off_to: sentTo }
  const live = await Live.start(t, { credit: { A: '0.06' }, rules, gate })
  const said: string[] = []
  const { freeswitch } = live
  const api = freeswitch.api.bind(freeswitch)
  freeswitch.api = line => {
    said.push(line)
    return api(line)
  }
  const told = (msg: string) => live.logged.filter(line => line['msg'] === msg)
  return { live, said, told }
}

t.test('a code, a number or a name that would be a command', async t => {
  const { live, said, told } = await start(t)
  const talkMs = 1_000
  const outcomes = [
    [live.call(`A${EVIL}`, { talkMs }), 'unknown_account'],
    [live.call('"/><param name="password" value="x', { talkMs }), 'unknown_account'],
    [live.call(EVIL, { acOn: 'a-set', talkMs }), 'unknown_account'],
    [live.call('A', { number: `44${EVIL}`, talkMs }), 'malformed_number'],
    [live.call('A', { extraVariables: { ac_number: `44${EVIL}` }, talkMs }), 'malformed_number'],
    [live.call('A', { callerName: EVIL, callerNumber: EVIL, talkMs: 9_000 }), 'no_credit'],
  ] as const
  for (const [callId, reason] of outcomes) t.match(await live.cdr(callId), { reason })
  t.strictSame(
    said.filter(line => !COMMANDS.test(line)),
    [],
  )
  t.ok(
    said.some(line => line.startsWith('uuid_broadcast ')),
    'the last one was warned',
  )
  t.equal(said.filter(line => line.startsWith('uuid_transfer ')).length, outcomes.length)
  t.equal(said.filter(line => line.startsWith('uuid_kill ')).length, outcomes.length)
  t.strictSame(told('a call broke the rules'), [])
  t.match(await live.verify(), { problems: [], open_calls: 0 })
})

t.test('an id that would be a command', async t => {
  const { live, said, told } = await start(t)
  const talkMs = 6_000
  const uuid = `b${EVIL}`
  live.call('A', { uuid, aUuid: `a${EVIL}`, talkMs })
  const other = live.call('A', { aUuid: 'a b', talkMs, number: '44' })
  t.match(await live.cdr(uuid), { outcome: 'cut_off', cost: '0.060000' }, 'it costs no more')
  t.strictSame(
    said.filter(line => !COMMANDS.test(line)),
    [],
    'nothing is said of it, and so nothing ends it',
  )
  t.match(told('the switch did not end a leg')[0], {
    callId: uuid,
    error: { message: /^"b\\n\\napi fsctl shutdown\\n\\n" is not an id that can be sent/ },
  })
  t.ok(told('the switch did not end a leg').length <= 10, 'which is told once a second, no more')
  t.match(await live.cdr(other), { reason: 'no_credit' }, 'its neighbour is judged as ever')
  t.match(await live.verify(), { problems: [], open_calls: 0 })
})

t.test('a thousand ask the gate at once, on credit for one', async t => {
  const { live, told } = await start(t, { listen: '127.0.0.1:0' })
  const { coreUuid, options } = live.freeswitch
  const [{ port } = {}] = told('the gate is open')
  const answers = await Promise.all(
    Array.from({ length: CONNECTIONS_MAX }, (_, i) =>
      ask({
        ...{ port: Number(port), aLeg: `a-${i}`, coreUuid, at: options.timeline.now() },
        ...{ account: 'A', headers: { variable_tollgate_number: '44' } },
      }),
    ),
  )
  t.notOk(answers.includes(null), 'everybody is answered')
  const allowed = answers.filter(answer => answer?.['tollgate_result'] === 'allow')
  t.ok(allowed.length <= 1, 'nobody calls on credit that another has')
  // On a slow machine some are denied because the ledger, or a heartbeat, was late: never let through.
  const denied = answers.filter(answer => answer?.['tollgate_result'] === 'deny')
  t.equal(denied.length, CONNECTIONS_MAX - allowed.length)
  t.notOk(told('a call broke the rules').length)
  t.match(await live.verify(), { problems: [] })
})
