/** The story of a call, as the portal tells it from what the books have. */
import t from 'tap'
import type { Cdr } from '../../src/call/cdr.js'
import type { Entry } from '../../src/ledger/books.js'
import type { CallRecord } from '../../src/ledger/browsing.js'
import { happeningsOf } from '../../src/web/portal/call-story.js'
import { CENT, LEG, RATE, s } from '../support/story.js'

const CDR: Cdr = {
  ...LEG,
  ...{ plan: 'retail', number: '4930', prefix: '49', description: 'Germany' },
  ...{ answeredAt: s(3), endedAt: s(93), billedS: 90, carrierCost: null, corrected: false },
  ...{ outcome: 'cut_off' as const, reason: 'no_credit' as const, cause: 'ALLOTTED_TIMEOUT' },
  ...{ cost: 90n * CENT, held: 90n * CENT, writeOff: CENT },
}

const ENTRY: Entry = {
  ...{ id: 7, account: 'alice', kind: 'call', amount: -90n * CENT, balance: 0n },
  ...{ at: s(93.1), reference: LEG.callId, callId: null, actor: 'tollgate', reason: '' },
}

const RECORD: CallRecord = {
  ...{ cdr: CDR, rate: RATE, settled: ENTRY, refunds: [], correction: null, audit: [] },
  timeline: [
    { type: 'held', at: s(0.004), held: 60n * CENT },
    { type: 'held', at: s(53), held: 90n * CENT },
    { type: 'warned', at: s(83) },
  ],
}

const told = (record: Partial<CallRecord>) =>
  happeningsOf({ ...RECORD, ...record }).map(({ title, text }) => `${title}: ${text}`)

t.test('each hold and each warning is in its place', async t => {
  t.strictSame(told({}), [
    'Created: 4930, on fs1',
    'Held: 0.600000, which pays for 1:00 of talk',
    'Answered: ',
    'Held more: 0.900000, which pays for 1:30 of talk',
    'Warned: The caller heard that the credit is about to end',
    'Cut off: no credit, ALLOTTED_TIMEOUT, after 1:30 of talk',
    'Settled: 0.900000 for 90 billed seconds; 0.010000 more is written off',
  ])
  const spans = happeningsOf(RECORD).map(({ after }) => after)
  t.strictSame(spans, [
    undefined,
    '+ 0.004 s',
    '+ 3.00 s',
    '+ 50.00 s',
    '+ 30.00 s',
    '+ 10.00 s',
    '+ 0.100 s',
  ])
})

t.test('of a call that is older than timelines only the most that was held is known', async t => {
  const titles = told({ timeline: null })
  t.strictSame(titles.slice(0, 3), [
    'Created: 4930, on fs1',
    'Held: At the most 0.900000, which pays for 1:30 of talk',
    'Answered: ',
  ])
  const cdr = { ...CDR, held: 0n, cost: 0n, writeOff: 0n }
  t.notMatch(told({ cdr, timeline: null }).join(), /Held/)
})

t.test('what people do to it stands where it belongs, whatever their clock says', async t => {
  const about = { id: 1, actor: 'user:anna', subject: 'call b-leg', before: null, after: null }
  const kill = { ...about, at: s(500), action: 'call.kill' }
  const charge = { ...about, at: s(1), action: 'cdr.charge' }
  t.strictSame(told({ audit: [kill, charge], timeline: [] }), [
    'Created: 4930, on fs1',
    'Answered: ',
    'Told to end: by user:anna',
    'Cut off: no credit, ALLOTTED_TIMEOUT, after 1:30 of talk',
    'Charged: by user:anna',
    'Settled: 0.900000 for 90 billed seconds; 0.010000 more is written off',
  ])
})

t.test('a charge for which there was no credit is told as what it came to', async t => {
  const about = { id: 1, actor: 'user:anna', subject: 'call b-leg', before: null, after: null }
  const charge = { ...about, at: s(500), action: 'cdr.charge' }
  const cdr = { ...CDR, held: 0n, cost: 0n, writeOff: 90n * CENT }
  const story = happeningsOf({ ...RECORD, cdr, settled: null, audit: [charge], timeline: [] })
  t.match(story.slice(-2), [
    { title: 'Charged', text: 'by user:anna' },
    { title: 'Written off', text: '0.900000: there was no credit', after: undefined },
  ])
})
