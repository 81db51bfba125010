/** How calls end: what is settled, once, whatever comes when; and what the CDR says. */
import t from 'tap'
import type { Cdr } from '../../src/call/cdr.js'
import { cdrJson, durationUs, formatInstant } from '../../src/call/cdr.js'
import { NEXT } from '../../src/call/step.js'
import { costOf } from '../../src/rating/rate.js'
import {
  after,
  answered,
  by,
  CENT,
  created,
  hangUpAt,
  hangup,
  held,
  hold,
  holdFailed,
  hungUp,
  killed,
  LEG,
  note,
  priced,
  RATE,
  RINGING,
  refuse,
  resumed,
  s,
  settled,
  settleFailed,
  TALKING,
  TARIFF,
  toppedUp,
  unpriced,
  wakeAt,
  woken,
} from '../support/story.js'

const FULL = 60n * CENT

t.test('hung up: the real duration is settled', async t => {
  const story = after(...TALKING, hungUp(30.5, { answeredAt: s(3) }))
  t.equal(story.call.phase, 'settling')
  t.strictSame(story.commands, [
    {
      type: 'settle',
      price: 28n * CENT,
      ending: {
        answeredAt: s(3),
        endedAt: s(30.5),
        billedS: 28,
        carrierCost: null,
        outcome: 'completed',
        reason: null,
        cause: 'NORMAL_CLEARING',
      },
    },
  ])
  t.strictSame(story.and(settled(30.6)).call.phase, 'ended')
  const down = by({ rounding: 'down' }).and(...TALKING, hungUp(30.5))
  t.equal(down.settlement.price, 27n * CENT)
  const nearest = by({ rounding: 'nearest' }).and(...TALKING, hungUp(30.4))
  t.equal(nearest.settlement.price, 27n * CENT)
})

t.test('hung up before it was answered: free, setup cost included', async t => {
  for (const before of [RINGING, [created(), priced(0.1, { setup: FULL })]]) {
    const story = after(...before, hungUp(9, { cause: 'USER_BUSY' }))
    t.match(story.settlement, { price: 0n, outcome: 'unanswered', reason: null, billedS: 0 })
    t.match(story.settlement, { answeredAt: null, endedAt: s(9), cause: 'USER_BUSY' })
  }
})

t.test('the answer was lost: the hangup tells it', async t => {
  const story = after(...RINGING, hungUp(30.5, { answeredAt: s(3) }))
  t.match(story.settlement, { price: 28n * CENT, answeredAt: s(3), outcome: 'completed' })
  const instant = after(...RINGING, hungUp(3, { answeredAt: s(3) }))
  t.match(instant.settlement, { price: 0n, outcome: 'completed', billedS: 0 }, 'for no time at all')
})

t.test('settling is tried again until the ledger has done it', async t => {
  const story = after(...TALKING, hungUp(30))
  const { commands: first } = story
  t.strictSame(story.and(settleFailed(30.1)).commands, [wakeAt(31.1)])
  t.strictSame(story.and(woken(31.1)).commands, first)
  t.equal(story.and(settled(31.2)).call.phase, 'ended')
  t.strictSame(story.and(woken(40), hungUp(41), held(42, 0n, 9), killed(43)).commands, [])
})

t.test('setup cost and increments, to the end', async t => {
  const rate = { setup: 7n, minimum: 30, increment: 6 }
  const total = costOf({ ...RATE, ...rate }, 60)
  const story = after(created(), priced(0.1, rate), held(0.2, total, 1), answered(3))
  t.strictSame(story.commands, [note(3), hangUpAt(63, 1), wakeAt(53)])
  t.match(story.and(hungUp(4)).settlement, { price: 7n + 30n * CENT, billedS: 30 })
})

t.test('HANGUP first, its exact stamp 20 ms later', async t => {
  const story = after(...TALKING, hangup(30.98, { answeredAt: s(3) }))
  t.strictSame(story.commands, [wakeAt(35.98)], 'not settled yet')
  t.equal(story.call.phase, 'settling')
  story.and(hungUp(31.01, { answeredAt: s(3) }))
  t.match(story.settlement, { price: 29n * CENT, endedAt: s(31.01) })
  t.strictSame(story.and(woken(35.98)).commands, [story.all.at(-1)], 'settled again, the same')
})

t.test('HANGUP only: settled by its own stamp after the grace', async t => {
  const story = after(...TALKING, hangup(30.98))
  t.strictSame(story.and(woken(35.98)).count('settle'), 1)
  t.match(story.settlement, { price: 28n * CENT, endedAt: s(30.98), answeredAt: s(3) })
  const { commands } = story
  t.strictSame(story.and(hungUp(31.01)).commands, [], 'now it is too late for a better one')
  t.strictSame(story.and(settleFailed(36), woken(37)).commands, commands)
  const twice = after(...TALKING, hangup(30), hangup(40), woken(35))
  t.equal(twice.settlement.endedAt, s(30), 'the first of several')
})

t.test('a better stamp corrects all that follows from it', async t => {
  const ringing = after(...RINGING, hangup(30), hungUp(30.5, { answeredAt: s(3) }))
  t.match(ringing.settlement, { price: 28n * CENT, outcome: 'completed', answeredAt: s(3) })
  const final = [woken(53), held(53.1, FULL, 1, 'no_credit')]
  const cut = after(...TALKING, ...final, hangup(62.99), hungUp(63, { cause: 'ALLOTTED_TIMEOUT' }))
  t.match(cut.settlement, { outcome: 'cut_off', reason: 'no_credit', price: FULL })
  const before = after(...TALKING, ...final, hangup(62.99), hungUp(62.999999))
  t.match(before.settlement, { outcome: 'completed', reason: null, price: FULL })
  const ours = after(...TALKING, ...final, woken(63), hungUp(62.99))
  t.match(ours.settlement, { outcome: 'cut_off', reason: 'no_credit' }, 'stamps step in 20 ms')
  const refused = after(created(), unpriced(0.1, 'no_rate'), hangup(0.2), hungUp(0.22))
  t.match(refused.settlement, { outcome: 'refused', endedAt: s(0.22) })
})

t.test('hung up while the price is looked up', async t => {
  const silent = after(created(), hungUp(0.05), priced(0.1))
  t.equal(silent.count('hold'), 0, 'never answered: nothing to hold')
  t.match(silent.settlement, { price: 0n, outcome: 'unanswered', endedAt: s(0.05) })
  const talked = after(created(), answered(0.01), hungUp(1.5), priced(1.6))
  t.strictSame(talked.commands[0], hold(62, 0, 0.01), 'what it owes is held, then settled')
  t.match(talked.settlement, { price: 2n * CENT, outcome: 'completed', answeredAt: s(0.01) })
  const told = after(created(), hungUp(1.5, { answeredAt: s(0.01) }), priced(1.6))
  t.match(told.settlement, { price: 2n * CENT, answeredAt: s(0.01) })
  t.equal(told.count('hold'), 1)
  const refused = after(created(), hungUp(0.05), unpriced(0.1, 'no_rate'))
  t.match(refused.settlement, { outcome: 'refused', reason: 'no_rate', endedAt: s(0.05) })
  t.notMatch(refused.all, [refuse])
})

t.test('the first hangup counts, until the exact one comes', async t => {
  const inexact = after(created(), hangup(1), hangup(2), priced(3))
  t.strictSame(inexact.commands, [wakeAt(6)])
  t.equal(inexact.and(woken(6)).settlement.endedAt, s(1))
  const exact = after(created(), hangup(1), hungUp(1.02), hangup(2), hungUp(3), priced(3))
  t.equal(exact.settlement.endedAt, s(1.02))
  const late = after(created(), hangup(1), answered(0.5), hungUp(1.02), priced(3))
  t.match(late.settlement, { answeredAt: s(0.5), endedAt: s(1.02), price: CENT })
})

t.test('hung up before the hold is granted: what was asked for is settled after it', async t => {
  const story = after(created(), priced(0.1), hungUp(0.15))
  t.match(story.settlement, { price: 0n, outcome: 'unanswered' })
  t.strictSame(story.and(held(0.2, FULL, 1)).commands, [], 'its answer changes nothing')
  const talked = after(created(), priced(0.1), answered(0.11), hungUp(0.15))
  t.match(talked.settlement, { price: CENT, answeredAt: s(0.11) })
  t.strictSame(talked.and(holdFailed(0.2)).commands, [])
})

t.test('a call whose end was never seen', async t => {
  const lost = hungUp(50, { lost: true, cause: 'LOST' })
  t.match(after(...TALKING, lost).settlement, {
    price: 47n * CENT,
    outcome: 'completed',
    reason: 'lost',
    cause: 'LOST',
  })
  t.match(after(...RINGING, lost).settlement, { price: 0n, outcome: 'unanswered', reason: 'lost' })
  const past = hungUp(90, { lost: true })
  t.match(after(...TALKING, past).settlement, { outcome: 'completed', reason: 'lost' })
})

t.test('ended by the switch’s own timer, while we were away', async t => {
  const story = after(resumed(65.4, { answeredAt: s(3) }), hungUp(65.4))
  t.match(story.settlement, { outcome: 'cut_off', reason: 'not_renewed', price: 63n * CENT })
})

t.test('a clock that was wrong costs nobody anything', async t => {
  const story = after(...TALKING, hungUp(2, { answeredAt: s(3) }))
  t.match(story.settlement, { price: 0n, billedS: 0, outcome: 'completed' })
})

t.test('repeated and late events change nothing, in every phase', async t => {
  const phases = {
    new: after(),
    pricing: after(created(), answered(0.05)),
    authorizing: after(created(), priced(0.1), answered(0.15)),
    ringing: after(...RINGING),
    answered: after(...TALKING),
    refused: after(created(), answered(0.05), unpriced(0.1, 'no_rate')),
    settling: after(...TALKING, hungUp(30)),
    ended: after(...TALKING, hungUp(30), settled(31)),
  }
  const late = [created(), unpriced(1, 'no_rate'), resumed(1, {}), answered(7), toppedUp(8)]
  const ignored: Record<keyof typeof phases, readonly Parameters<typeof after>[number][]> = {
    new: [answered(1), hungUp(2), woken(3), toppedUp(4), killed(5), settled(6), held(7, 1n, 1)],
    pricing: [created(), answered(7), toppedUp(1), woken(1), held(1, FULL, 1), settled(1)],
    authorizing: [...late, priced(1), woken(1), settleFailed(1)],
    ringing: [created(), priced(1), unpriced(1, 'no_rate'), held(1, 1n, 1), woken(1), toppedUp(1)],
    answered: [created(), priced(4), unpriced(4, 'no_rate'), answered(7), toppedUp(9)],
    refused: [...late, priced(1), held(1, FULL, 1), holdFailed(1), settled(2)],
    settling: [...late, priced(31), held(31, FULL, 1), holdFailed(31), hungUp(40), hangup(41)],
    ended: [...late, priced(31), held(31, FULL, 1), hungUp(40), hangup(41), woken(90), settled(91)],
  }
  for (const [phase, story] of Object.entries(phases)) {
    t.equal(story.call.phase, phase)
    for (const event of ignored[phase as keyof typeof phases]) {
      const before = story.call
      t.strictSame(story.and(event).commands, [], `${event.type} while ${phase}`)
      t.strictSame(story.call, before, `${event.type} while ${phase}`)
    }
  }
  const twice = after(created(), created(1), priced(2), priced(3), held(4, FULL, 1), answered(5))
  t.strictSame(twice.and(answered(6)).all.slice(2), [
    { type: 'hangUpAfterAnswer', talkS: 60 },
    note(5),
    hangUpAt(65, 1),
    wakeAt(55),
  ])
})

t.test('which phase may follow which', async t => {
  t.strictSame(NEXT, {
    new: ['new', 'pricing', 'ringing', 'answered'],
    pricing: ['pricing', 'authorizing', 'refused', 'settling'],
    authorizing: ['authorizing', 'ringing', 'answered', 'refused', 'settling'],
    ringing: ['ringing', 'answered', 'settling'],
    answered: ['answered', 'settling'],
    refused: ['refused', 'settling'],
    settling: ['settling', 'ended'],
    ended: ['ended'],
  })
})

t.test('a CDR as everybody reads it', async t => {
  const cdr: Cdr = {
    ...LEG,
    ...after(...TALKING, hungUp(30.560001)).settlement,
    number: TARIFF.number,
    prefix: RATE.prefix,
    description: RATE.description,
    plan: TARIFF.plan,
    cost: 28n * CENT,
    held: FULL,
    writeOff: 0n,
    corrected: false,
  }
  t.strictSame(cdrJson(cdr), {
    call_id: 'b-leg',
    account: 'alice',
    number: '4930',
    prefix: '49',
    description: 'Germany',
    plan: 'retail',
    created_at: '2026-11-23T01:42:34.260000Z',
    answered_at: '2026-11-23T01:42:37.260000Z',
    ended_at: '2026-11-23T01:43:04.820001Z',
    duration_s: '27.560001',
    billed_s: 28,
    cost: '0.280000',
    held: '0.600000',
    write_off: '0.000000',
    carrier_cost: null,
    margin: null,
    outcome: 'completed',
    reason: null,
    cause: 'NORMAL_CLEARING',
    switch: 'fs1',
    corrected: false,
  })
  const unanswered = cdrJson({ ...cdr, answeredAt: null, number: null, dialled: 'anonymous' })
  t.match(unanswered, { answered_at: null, duration_s: '0.000000', number: 'anonymous' })
  t.equal(formatInstant(0), '1970-01-01T00:00:00.000000Z')
  t.equal(formatInstant(-500_000), '1969-12-31T23:59:59.500000Z')
  t.equal(formatInstant(1_795_398_154_000_009), '2026-11-23T01:42:34.000009Z')
  t.equal(durationUs(5, 4), 0)
})
