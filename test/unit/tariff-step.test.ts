/** What a tariff adds to the rules of a call: the answer decides, free seconds, the longest call. */
import t from 'tap'
import type { Event } from '../../src/call/call.js'
import type { Rate } from '../../src/rating/rate.js'
import type { Tariff } from '../../src/rating/tariff.js'
import {
  after,
  answered,
  CENT,
  created,
  hangUpAt,
  held,
  hold,
  hungUp,
  note,
  RATE,
  refuse,
  resumed,
  s,
  TARIFF,
  wakeAt,
  woken,
} from '../support/story.js'

const priced = (at: number, tariff: Partial<Tariff>): Event => ({
  type: 'priced',
  at: s(at),
  tariff: { ...TARIFF, ...tariff },
})

const costing = (cents: bigint, more: Partial<Rate> = {}): Rate => ({
  ...RATE,
  perMinute: 60n * cents * CENT,
  ...more,
})

/** A cent a second; two from the second 10 on, and three from the second 20 on. */
const RISING: Partial<Tariff> = {
  carrier: costing(1n),
  later: [
    { from: s(10), rate: costing(2n), carrier: costing(5n) },
    { from: s(20), rate: costing(3n), carrier: null },
  ],
}

t.test('the first hold is enough whenever the leg is answered', async t => {
  const story = after(created(), priced(0.1, RISING))
  t.strictSame(story.commands, [hold(3 * 60, 3, null)])
  story.and(held(0.2, 90n * CENT, 1, 'no_credit'))
  t.strictSame(story.commands, [{ type: 'hangUpAfterAnswer', talkS: 30 }])
})

t.test('the rate in force at the answer holds for the whole call', async t => {
  const ringing = [created(), priced(0.1, RISING), held(0.2, 180n * CENT, 1)]
  const early = after(...ringing, answered(9.9))
  t.equal(early.answered.fundedUntil, s(9.9 + 180))
  t.match(early.and(hungUp(29.9)).settlement, { price: 20n * CENT, carrierCost: 20n * CENT })
  const late = after(...ringing, answered(10))
  t.strictSame(late.commands, [note(10), hangUpAt(100, 1), wakeAt(90)])
  t.match(late.and(woken(90)).commands, [{ type: 'hold', total: 2n * 150n * CENT }])
  t.match(late.and(hungUp(30)).settlement, { price: 40n * CENT, carrierCost: 100n * CENT })
  const later = after(...ringing, answered(25), hungUp(35))
  t.match(later.settlement, { price: 30n * CENT, carrierCost: null })
})

t.test('an answer that comes before the hold is granted decides as well', async t => {
  const story = after(created(), priced(0.1, RISING), answered(11), held(11.1, 180n * CENT, 1))
  t.equal(story.answered.fundedUntil, s(11 + 90))
  const hung = after(created(), priced(0.1, RISING), answered(11), hungUp(12))
  t.match(hung.settlement, { price: 2n * CENT })
  const never = after(created(), priced(0.1, RISING), hungUp(12))
  t.match(never.settlement, { price: 0n, carrierCost: 0n })
})

t.test('a leg that is found answered needs no credit for what comes later', async t => {
  const dear = { from: s(30), rate: costing(9n), carrier: null }
  const tariff = { later: [...RISING.later!, dear] }
  const story = after(created(5, 1), priced(5.5, tariff))
  t.strictSame(story.commands, [hold(5 + 60, 0, 1)])
  const meanwhile = after(created(), answered(12), priced(12.5, tariff))
  t.strictSame(meanwhile.commands, [hold(2 * 61, 2, 12)], 'by the rate of its answer')
})

t.test('what is found again is charged as it was answered', async t => {
  const tariff = { ...TARIFF, ...RISING }
  const ringing = after(resumed(5, { tariff, held: 180n * CENT }))
  t.strictSame(ringing.commands, [{ type: 'hangUpAfterAnswer', talkS: 60 }])
  t.equal(ringing.and(answered(12)).answered.fundedUntil, s(12 + 90))
  const talking = after(resumed(30, { tariff, held: 180n * CENT, answeredAt: s(12) }))
  t.equal(talking.answered.fundedUntil, s(12 + 90))
})

t.test('free seconds need credit for the first second after them', async t => {
  const rate = { ...RATE, freeS: 6 }
  const story = after(created(), priced(0.1, { rate }))
  t.strictSame(story.commands, [hold(60, 7, null)])
  const broke = after(created(), priced(0.1, { rate }), held(0.2, 0n, 0, 'no_credit'))
  t.strictSame(broke.commands[0], refuse)
  const ringing = [created(), priced(0.1, { rate }), held(0.2, 60n * CENT, 1), answered(3)]
  t.match(after(...ringing, hungUp(9)).settlement, { price: 0n, billedS: 0 })
  t.match(after(...ringing, hungUp(9.000_001)).settlement, { price: 7n * CENT, billedS: 7 })
  const long = after(created(), priced(0.1, { rate: { ...RATE, freeS: 90 } }))
  t.strictSame(long.commands, [hold(91, 91, null)], 'a chunk of free seconds is not free')
})

t.test('the account may allow shorter calls than the rules', async t => {
  const short = after(created(), priced(0.1, { longestS: 45 }))
  t.strictSame(short.commands, [hold(45, 1, null)])
  short.and(held(0.2, 45n * CENT, 1), answered(3))
  t.strictSame(short.commands, [note(3), hangUpAt(48, 1), wakeAt(38)])
  t.equal(short.final, 'longest_call')
  short.and(woken(48))
  t.match(short.and(hungUp(48.1)).settlement, { outcome: 'cut_off', reason: 'longest_call' })
  const known = { tariff: { ...TARIFF, longestS: 45 }, held: 90n * CENT, answeredAt: s(0) }
  t.equal(after(resumed(5, known)).answered.fundedUntil, s(45))
})
