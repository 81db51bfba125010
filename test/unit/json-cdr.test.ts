/** Records of mod_json_cdr, in all its encodings. */
import t from 'tap'
import { decodeJsonCdr } from '../../src/switch/json-cdr.js'
import { recordedCdrs, recordOf } from '../support/records.js'
import { LEG, s } from '../support/story.js'

const decoded = (text: string) => decodeJsonCdr(Buffer.from(text))

t.test('the recordings', async t => {
  const legs = recordedCdrs().map(({ file, body }) => {
    const { event, switchName, originated } = decodeJsonCdr(body)
    const { legId, direction, ac, answeredAt, hangupAt, number, cause } = event
    t.equal(event.name, 'CHANNEL_HANGUP_COMPLETE')
    t.equal(event.coreUuid, '80b97c54-0d63-4b7f-882b-b984ac11d8a2')
    t.equal(switchName, 'vm')
    t.strictSame([event.at, event.loopback, event.dialledUser], [hangupAt, false, false])
    t.ok(event.createdAt <= hangupAt)
    t.equal(event.otherLeg !== null, direction === 'outbound')
    t.equal(originated.length, direction === 'outbound' ? 0 : 1)
    const talkS = answeredAt === null ? null : (hangupAt - answeredAt) / 1e6
    const billed = /billusec"(?::|%3A)"(\d+)/.exec(decodeURIComponent(String(body)))?.[1]
    t.equal(Math.round((talkS ?? 0) * 1e6), Number(billed), 'as the switch has counted it itself')
    return [file.slice(0, 24), legId.slice(0, 4), direction, ac, number, talkS, cause].join(' ')
  })
  t.strictSame(legs, [
    'answered-0.txt 2990 outbound ACCT1 0105551234 2.100046 NORMAL_CLEARING',
    'answered-1.txt 77a2 inbound  tb-ACCT1-0105551234 2.080047 NORMAL_CLEARING',
    'busy-0.txt 889a outbound ACCT1 48600000  USER_BUSY',
    'busy-1.txt ae5b inbound  tb-ACCT1-48600000  USER_BUSY',
    'encode-true-0.txt 85cb outbound ACCT1 0105551234 2.079946 NORMAL_CLEARING',
    'encode-values-true-0.txt 81ba outbound ACCT1 0105551234 2.09996 NORMAL_CLEARING',
    'spool-4668160b-a03a-4ed5 4668 inbound  tb-ACCT1-0105551234 2.099982 NORMAL_CLEARING',
    'spool-c205b610-1021-4638 c205 outbound ACCT1 0105551234 2.099982 NORMAL_CLEARING',
    'spool-encode-true-1c7ae1 1c7a inbound  tb-ACCT1-0105551234 2.080033 NORMAL_CLEARING',
    'spool-encode-true-2db7a6 2db7 outbound ACCT1 0105551234 2.10002 NORMAL_CLEARING',
    'unanswered-0.txt 32c8 inbound  tb-ACCT1-18000000  ORIGINATOR_CANCEL',
    'unanswered-1.txt c815 outbound ACCT1 18000000  ORIGINATOR_CANCEL',
    'uuid_kill-0.txt 22cf inbound  tb-ACCT1-0105551234 2.08004 NORMAL_CLEARING',
    'uuid_kill-1.txt 81e1 outbound ACCT1 0105551234 2.119985 ALLOTTED_TIMEOUT',
  ])
})

t.test('one record in every encoding', async t => {
  const plain = recordOf({
    variables: { ac: 'a&b+c=d', originated_legs: 'ARRAY::x;y z;1|:w;;|:x;;' },
  })
  const { variables, ...rest } = JSON.parse(plain)
  const byOne = Object.entries(variables).map(([k, v]) => [k, encodeURIComponent(String(v))])
  const encoded = JSON.stringify({ ...rest, variables: Object.fromEntries(byOne) })
  const expected = decoded(plain)
  t.match(expected, { event: { ac: 'a&b+c=d', hangupAt: s(40) }, originated: ['x', 'w'] })
  for (const text of [plain, encoded]) {
    const whole = encodeURIComponent(text)
    const base64 = Buffer.from(text).toString('base64').replace(/.{72}/g, '$&\n')
    const bodies = [text, `\n ${text}\n`, whole, `cdr=${whole}`, `${whole}\n`, `cdr=${text}`]
    for (const body of [...bodies, base64, `cdr=${base64}`, `${base64}\n`]) {
      t.strictSame(decoded(body), expected, body.slice(0, 40))
    }
  }
  t.equal(decoded(recordOf({ variables: { ac: '100%41' } })).event.ac, '100%41', 'not encoded')
})

t.test('names in Latin-1', async t => {
  const record = recordOf({ variables: { caller_id: 'Caf\u00e9' } })
  t.equal(decodeJsonCdr(Buffer.from(record, 'latin1')).event.legId, LEG.callId)
  const form = `cdr=${encodeURIComponent(record).replace('%C3%A9', '%E9')}`
  t.equal(decoded(form).event.legId, LEG.callId)
})

t.test('what a leg was when it began', async t => {
  const profile = (destination_number: string) => ({ caller_profile: { destination_number } })
  const transferred = {
    ...JSON.parse(recordOf()),
    callflow: [profile('milliwatt'), profile('second'), profile('4930')],
  }
  t.equal(decoded(JSON.stringify(transferred)).event.number, '4930')
})

t.test('variables', async t => {
  const cases: [Record<string, string | null>, object][] = [
    [{ ac: '' }, { ac: null }],
    [{ ac: '_undef_' }, { ac: null }],
    [{ ac: 'x'.repeat(70) }, { ac: `${'x'.repeat(64)}…` }],
    [
      { ac_leg: 'a', ac_number: '4911' },
      { acLeg: 'a', acNumber: '4911' },
    ],
    [{ is_loopback: 'true' }, { loopback: true }],
    [{ channel_name: 'loopback/49-a' }, { loopback: true }],
    [{ dialed_user: '1010' }, { dialledUser: true }],
    [{ originating_leg_uuid: null, originator: 'o' }, { otherLeg: 'o' }],
    [{ originating_leg_uuid: 'a b' }, { otherLeg: null }],
    [{ answer_uepoch: '0' }, { answeredAt: null }],
    [{ hangup_cause: 'ALLOTTED_TIMEOUT' }, { cause: 'ALLOTTED_TIMEOUT' }],
    [{ hangup_cause: 'NO SUCH\n' }, { cause: null }],
    [{ hangup_cause: null }, { cause: null }],
    [{ direction: 'inbound' }, { direction: 'inbound' }],
  ]
  for (const [variables, event] of cases) {
    t.match(decoded(recordOf({ variables })), { event }, JSON.stringify(variables))
  }
  const polluted = recordOf().replace('"variables":{', '"variables":{"__proto__":{"ac":"x"},')
  t.equal(decoded(polluted).event.ac, 'alice')
  const record = JSON.parse(recordOf({ variables: { ac: null } }))
  record.variables.ac = { a: 1 }
  t.equal(decoded(JSON.stringify(record)).event.ac, null, 'text, or nothing')
})

t.test('what is no record', async t => {
  for (const body of [
    '',
    '{',
    'cdr=',
    'cdr=%',
    '%7B',
    '[]',
    '"x"',
    '7',
    'null',
    '{}',
    '\0',
    'eyJ',
    'eyJ%',
  ]) {
    t.throws(() => decoded(body), { name: 'RecordError', code: 'bad_record' }, body)
  }
  const core = { ...JSON.parse(recordOf()), 'core-uuid': 7 }
  t.throws(() => decoded(JSON.stringify(core)), { message: /^core-uuid is missing/ })
  for (const callflow of [null, {}, [], [7], [{}], [{ caller_profile: [] }]]) {
    const record = { ...JSON.parse(recordOf()), callflow }
    t.throws(() => decoded(JSON.stringify(record)), { name: 'RecordError' })
  }
})
