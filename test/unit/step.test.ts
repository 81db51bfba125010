/** The rules of a prepaid call, each as: given these events, then these commands. */
import t from 'tap'
import {
  after,
  answered,
  by,
  CENT,
  created,
  cutOff,
  hangUpAt,
  hangUpFailed,
  hangup,
  held,
  hold,
  holdFailed,
  hungUp,
  kill,
  killed,
  note,
  priced,
  RINGING,
  refuse,
  resumed,
  Story,
  s,
  settled,
  TALKING,
  toppedUp,
  unpriced,
  wakeAt,
  warn,
  woken,
} from '../support/story.js'

const FULL = 60n * CENT

t.test('created: the price is asked for, then setup and first chunk are held', async t => {
  t.strictSame(after(created()).commands, [{ type: 'price' }])
  t.strictSame(after(created(), priced(0.1)).commands, [hold(60, 1, null)])
  const setup = after(created(), priced(0.1, { setup: 7n })).commands
  t.strictSame(setup, [{ type: 'hold', total: 7n + FULL, atLeast: 7n + CENT, answeredAt: null }])
  const whole = by({ partialChunk: false }).and(created(), priced(0.1))
  t.strictSame(whole.commands, [hold(60, 60, null)], 'a whole chunk or nothing')
  const short = by({ longestCallS: 20 }).and(created(), priced(0.1))
  t.strictSame(short.commands, [hold(20, 1, null)], 'never more than the longest call')
  const longMinimum = after(created(), priced(0.1, { minimum: 300 })).commands
  t.strictSame(longMinimum, [hold(300, 300, null)], 'the first step of the rate is held')
})

t.test('held: it rings, and the switch will end it by itself after the answer', async t => {
  const { call, commands } = after(...RINGING)
  t.equal(call.phase, 'ringing')
  t.strictSame(commands, [{ type: 'hangUpAfterAnswer', talkS: 60 }])
  const partial = after(created(), priced(0.1), held(0.2, 25n * CENT, 1, 'no_credit'))
  t.equal(partial.call.phase, 'ringing', 'less than a chunk will do')
  t.strictSame(partial.commands, [{ type: 'hangUpAfterAnswer', talkS: 25 }])
})

t.test('refused, for each reason there is', async t => {
  const reasons = ['unknown_account', 'account_closed', 'malformed_number', 'no_rate'] as const
  for (const reason of [...reasons, 'ledger_unavailable'] as const) {
    const story = after(created(), unpriced(0.1, reason))
    t.strictSame(story.commands, [refuse, wakeAt(5.1)], reason)
    story.and(hungUp(0.5, { cause: 'CALL_REJECTED' }))
    t.match(story.settlement, { price: 0n, outcome: 'refused', reason, cause: 'CALL_REJECTED' })
    t.match(story.settlement, { billedS: 0, answeredAt: null, endedAt: s(0.5) })
  }
  for (const reason of ['no_credit', 'account_closed'] as const) {
    const story = after(created(), priced(0.1), held(0.2, 0n, 0, reason))
    t.strictSame(story.commands, [refuse, wakeAt(5.2)], reason)
    t.match(story.and(hungUp(0.5)).settlement, { price: 0n, outcome: 'refused', reason })
  }
  const failed = after(created(), priced(0.1), holdFailed(0.2))
  t.strictSame(failed.commands, [refuse, wakeAt(5.2)], 'no ledger, no new call')
  t.match(failed.and(hungUp(0.5)).settlement, { reason: 'ledger_unavailable' })
})

t.test('what the ledger did not grant is refused, even where it is free', async t => {
  const free = { perMinute: 0n }
  const closed = after(created(), priced(0.1, free), held(0.2, 0n, 0, 'account_closed'))
  t.strictSame(closed.commands, [refuse, wakeAt(5.2)], 'the account was closed meanwhile')
  const late = after(created(), priced(0.1, free), answered(0.15), held(0.2, 0n, 0, 'no_credit'))
  t.strictSame(late.commands, [refuse, wakeAt(5.2)])
  const open = after(created(), priced(0.1, free), held(0.2, 0n, 1))
  t.strictSame(open.commands, [{ type: 'hangUpAfterAnswer', talkS: 86_400 }], 'no credit is needed')
})

t.test('a refused leg is told to hang up until it does', async t => {
  const story = after(created(), unpriced(0.1, 'no_rate'))
  t.strictSame(story.and(hangUpFailed(0.2)).commands, [wakeAt(1.2)])
  t.strictSame(story.and(woken(1.2)).commands, [refuse, wakeAt(6.2)])
  t.strictSame(story.and(woken(6.2)).commands, [refuse, wakeAt(11.2)])
})

t.test('a refused leg that answered first costs the operator, not the account', async t => {
  const story = after(created(), priced(0.1), held(0.2, 0n, 0, 'no_credit'), answered(0.3))
  story.and(hungUp(1.5, { answeredAt: s(0.3) }))
  t.match(story.settlement, { price: 2n * CENT, outcome: 'refused', billedS: 0 })
  t.match(story.settlement, { answeredAt: s(0.3), reason: 'no_credit' })
})

t.test('answered: funded until the hold is used up, with an alarm a lead time before', async t => {
  const { answered: call, commands } = after(...TALKING)
  t.equal(call.fundedUntil, s(63))
  t.strictSame(commands, [note(3), hangUpAt(63, 1), wakeAt(53)])
})

t.test('answered before the hold is granted', async t => {
  const story = after(created(), priced(0.1), answered(0.15))
  t.strictSame(story.commands, [note(0.15)], 'a crash must not forget the answer')
  story.and(held(0.2, FULL, 1))
  t.strictSame(story.commands, [hangUpAt(60.15, 1), wakeAt(50.15)])
  t.equal(story.answered.fundedUntil, s(60.15))
  const sooner = after(created(), answered(0.05), priced(0.1))
  t.strictSame(sooner.commands, [hold(60 + 1, 1, 0.05)], 'the hold itself takes it along')
})

t.test('woken at the lead time: the hold is raised to talk so far and a chunk', async t => {
  const story = after(...TALKING, woken(53))
  t.strictSame(story.commands, [hold(120, 61, 3), wakeAt(63)])
  story.and(held(53.1, 2n * FULL, 2))
  t.strictSame(story.commands, [hangUpAt(123, 2), wakeAt(113)])
  story.and(woken(113))
  t.strictSame(story.commands, [hold(180, 121, 3), wakeAt(123)])
  const whole = by({ partialChunk: false }).and(...TALKING, woken(53))
  t.strictSame(whole.commands, [hold(120, 120, 3), wakeAt(63)])
})

t.test('woken too early, it sleeps on', async t => {
  t.strictSame(after(...TALKING, woken(20)).commands, [wakeAt(53)])
  t.strictSame(after(...TALKING, woken(53), woken(55)).commands, [wakeAt(63)])
})

t.test('the switch’s timer is armed for every raise, counting up', async t => {
  const story = after(...TALKING)
  for (let i = 2; i <= 20; i++) {
    const end = 3 + 60 * i
    story.and(woken(end - 70), held(end - 69.9, BigInt(i) * FULL, i))
    t.strictSame(story.commands, [hangUpAt(end, i), wakeAt(end - 10)])
  }
  const armed = story.all.flatMap(command => (command.type === 'hangUpAt' ? command.raises : []))
  t.strictSame(
    armed,
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
})

t.test('a partial raise is final: the end moves, is tried again, and announced', async t => {
  const story = after(...TALKING, woken(53), held(53.1, FULL + 30n * CENT, 2, 'no_credit'))
  t.strictSame(story.commands, [hangUpAt(93, 2), wakeAt(83)], 'too far away for a warning')
  t.equal(story.final, 'no_credit')
  t.strictSame(story.and(woken(83)).commands, [hold(150, 91, 3), wakeAt(93)])
  story.and(held(83.1, FULL + 30n * CENT, 2, 'no_credit'))
  t.strictSame(story.commands, [warn(93), wakeAt(92)], 'the timer is where it was')
  t.strictSame(story.and(woken(92)).commands, [hold(150, 91, 3), wakeAt(93)], 'the last try')
  story.and(held(92.01, FULL + 30n * CENT, 2, 'no_credit'))
  t.strictSame(story.commands, [wakeAt(93)], 'warned once')
  t.strictSame(story.and(woken(93)).commands, [cutOff, wakeAt(98)])
  story.and(hungUp(93.02, { cause: 'ALLOTTED_TIMEOUT' }))
  t.match(story.settlement, { price: 91n * CENT, outcome: 'cut_off', reason: 'no_credit' })
  t.match(story.settlement, { billedS: 91, cause: 'ALLOTTED_TIMEOUT', answeredAt: s(3) })
})

t.test('the last try makes use of what has become available', async t => {
  const story = after(...TALKING, woken(53), held(53.1, FULL, 1, 'no_credit'))
  t.strictSame(story.commands, [warn(63), wakeAt(62)])
  story.and(woken(62), held(62.1, 2n * FULL, 2))
  t.strictSame(story.commands, [hangUpAt(123, 2), wakeAt(113)])
  t.equal(story.final, null)
})

t.test('credit on a final call is used at once', async t => {
  const final = [...TALKING, woken(53), held(53.1, FULL, 1, 'no_credit')]
  const story = after(...final, toppedUp(55))
  t.strictSame(story.commands, [hold(120, 61, 3), wakeAt(63)])
  t.strictSame(story.and(held(55.1, 2n * FULL, 2)).commands, [hangUpAt(123, 2), wakeAt(113)])
  t.strictSame(after(...TALKING, toppedUp(20)).commands, [], 'others ask when it is time')
  t.strictSame(after(...RINGING, toppedUp(1)).commands, [])
  const over = after(...final, woken(63), toppedUp(63.01))
  t.strictSame(over.commands, [], 'too late')
})

t.test('credit that arrives early buys no more than it would in time', async t => {
  const partial = [...TALKING, woken(53), held(53.1, FULL + 30n * CENT, 2, 'no_credit')]
  const story = after(...partial, toppedUp(54))
  t.strictSame(story.commands, [hold(51 + 10 + 60, 91, 3), wakeAt(93)])
  const more = after(...TALKING, woken(53), held(53.1, FULL + 70n * CENT, 2, 'no_credit'))
  more.and(toppedUp(54), held(54.1, FULL + 70n * CENT, 2))
  t.strictSame(more.commands, [wakeAt(123)], 'nothing yet, but it is not final any more')
  t.strictSame(more.and(woken(123)).commands, [hold(190, 131, 3), wakeAt(133)])
})

t.test('credit that arrives while we ask is asked for again', async t => {
  const asking = [...TALKING, woken(53), toppedUp(53.05)]
  const story = after(...asking, held(53.1, FULL, 1, 'no_credit'))
  t.strictSame(story.commands, [warn(63), wakeAt(62), hold(120, 61, 3), wakeAt(63)])
  const enough = after(...asking, held(53.1, 2n * FULL, 2))
  t.strictSame(enough.commands, [hangUpAt(123, 2), wakeAt(113)], 'unless there was enough')
  const ended = after(...asking, killed(53.07), held(53.1, FULL, 1, 'no_credit'))
  t.strictSame(ended.commands, [warn(63), wakeAt(54.1)], 'nor for a call that is being ended')
})

t.test('a ledger that is unavailable is asked every second; the call runs to its end', async t => {
  const story = after(...TALKING, woken(53), holdFailed(53.1))
  t.strictSame(story.commands, [warn(63), wakeAt(54.1)])
  t.equal(story.final, 'ledger_unavailable')
  t.strictSame(story.and(woken(54.1)).commands, [hold(120, 61, 3), wakeAt(63)])
  t.strictSame(story.and(holdFailed(62.5)).commands, [wakeAt(63)])
  const back = after(...(story.all.length ? TALKING : []), woken(53), holdFailed(53.1), woken(54.1))
  t.strictSame(back.and(held(54.2, 2n * FULL, 2)).commands, [hangUpAt(123, 2), wakeAt(113)])
  t.equal(back.final, null)
  t.strictSame(story.and(woken(63)).commands, [cutOff, wakeAt(68)])
  t.match(story.and(hungUp(63.01)).settlement, { reason: 'ledger_unavailable' })
})

t.test('funded until is when it is cut off, and not before', async t => {
  const final = [...TALKING, woken(53), held(53.1, FULL, 1, 'no_credit'), woken(62)]
  const answer = held(62.1, FULL, 1, 'no_credit')
  t.equal(after(...final, answer, woken(62.999999)).count('hangUp'), 0)
  t.strictSame(after(...final, answer, woken(63)).commands, [cutOff, wakeAt(68)])
  const silent = after(...TALKING, woken(53), woken(63))
  t.strictSame(silent.commands, [cutOff, wakeAt(68)], 'a ledger that says nothing at all')
  t.match(silent.and(hungUp(63.02)).settlement, { outcome: 'cut_off', reason: 'not_renewed' })
})

t.test('a call that is cut off is told so until it ends', async t => {
  const story = after(...TALKING, woken(53), held(53.1, FULL, 1, 'no_credit'), woken(63))
  t.strictSame(story.and(hangUpFailed(63.1)).commands, [wakeAt(64.1)])
  t.strictSame(story.and(woken(64.1)).commands, [cutOff, wakeAt(69.1)])
  t.strictSame(story.and(woken(69.1)).commands, [cutOff, wakeAt(74.1)])
})

t.test('an answer of the ledger after the cut changes what is held, and nothing else', async t => {
  for (const reason of [null, 'no_credit'] as const) {
    const story = after(...TALKING, woken(53), woken(63), held(63.01, 2n * FULL, 2, reason))
    t.strictSame(story.commands, [])
    t.match(story.answered, { cutOff: true, held: 2n * FULL, raises: 2, fundedUntil: s(63) })
    t.strictSame(story.and(woken(68)).commands, [cutOff, wakeAt(73)])
    t.strictSame(story.and(hangUpFailed(68.1), woken(69.1)).commands, [cutOff, wakeAt(74.1)])
  }
})

t.test('woken late, because we were held up: it asks before it cuts', async t => {
  const story = after(...TALKING, woken(100))
  t.strictSame(story.commands, [hold(97 + 60, 61, 3), wakeAt(101)])
  t.strictSame(story.and(held(100.1, 157n * CENT, 2)).commands, [hangUpAt(160, 2), wakeAt(150)])
  const broke = after(...TALKING, woken(100), held(100.1, 80n * CENT, 2, 'no_credit'))
  t.strictSame(broke.commands, [cutOff, wakeAt(105.1)], 'not even what was talked is there')
  t.match(broke.and(hungUp(100.2)).settlement, { price: 98n * CENT, reason: 'no_credit' })
  const mute = after(...TALKING, woken(100), woken(101))
  t.strictSame(mute.commands, [cutOff, wakeAt(106)])
  const slow = after(...TALKING, woken(53), held(130, 2n * FULL, 2))
  t.strictSame(slow.commands, [cutOff, wakeAt(135)], 'granted in full, but used up by then')
  t.match(slow.and(hungUp(130.1)).settlement, { outcome: 'cut_off', reason: 'not_renewed' })
})

t.test('granted late but in time, with less than the lead left: asks on at once', async t => {
  const story = after(...TALKING, woken(100), held(155, 157n * CENT, 2))
  t.strictSame(story.commands, [hangUpAt(160, 2), wakeAt(155)])
  t.strictSame(story.and(woken(155)).commands, [hold(217, 158, 3), wakeAt(160)])
})

t.test('the longest call', async t => {
  const story = by({ longestCallS: 100 }).and(...TALKING, woken(53))
  t.strictSame(story.commands, [hold(100, 61, 3), wakeAt(63)])
  t.strictSame(story.and(held(53.1, 100n * CENT, 2)).commands, [hangUpAt(103, 2), wakeAt(93)])
  t.equal(story.final, 'longest_call')
  t.strictSame(story.and(toppedUp(60)).commands, [], 'no credit makes it longer')
  t.strictSame(story.and(woken(93)).commands, [warn(103), wakeAt(103)], 'nor is it asked for')
  t.strictSame(story.and(woken(103)).commands, [cutOff, wakeAt(108)])
  t.match(story.and(hungUp(103.02)).settlement, { reason: 'longest_call', outcome: 'cut_off' })
  const free = after(created(), priced(0.1, { perMinute: 0n }), held(0.2, 0n, 1), answered(3))
  t.strictSame(free.commands.slice(1), [hangUpAt(86_403, 1), wakeAt(86_393)])
})

t.test('the warning comes exactly when it is wanted, whatever the chunk', async t => {
  const early = by({ chunkS: 10, leadS: 2, warnS: 30 }).and(created(), priced(0.1))
  t.strictSame(early.commands, [hold(31, 1, null)], 'held far enough ahead to know in time')
  early.and(held(0.2, 31n * CENT, 1), answered(3))
  t.strictSame(early.commands.slice(1), [hangUpAt(34, 1), wakeAt(4)])
  t.strictSame(early.and(woken(4)).commands, [hold(41, 32, 3), wakeAt(34)])
  t.strictSame(early.and(held(4.01, 41n * CENT, 2)).commands, [hangUpAt(44, 2), wakeAt(14)])
  early.and(woken(14), held(14.01, 46n * CENT, 3, 'no_credit'))
  t.strictSame(early.commands, [hangUpAt(49, 3), wakeAt(19)], 'the end has moved a little')
  t.strictSame(
    early.and(woken(19)).commands,
    [hold(56, 47, 3), wakeAt(49)],
    'perhaps there is more',
  )
  t.strictSame(early.and(held(19.01, 46n * CENT, 3, 'no_credit')).commands, [warn(49), wakeAt(48)])

  const late = by({ warnS: 3 }).and(...TALKING, woken(53), held(53.1, FULL, 1, 'no_credit'))
  t.strictSame(late.commands, [wakeAt(60)], 'final, but not yet near enough')
  t.strictSame(late.and(woken(60)).commands, [hold(120, 61, 3), wakeAt(63)])
  t.strictSame(late.and(held(60.01, FULL, 1, 'no_credit')).commands, [warn(63), wakeAt(62)])

  const never = by({ warnS: 0 }).and(...TALKING, woken(53), held(53.1, FULL, 1, 'no_credit'))
  t.strictSame(never.commands, [wakeAt(62)])
})

t.test('a warning that credit has made needless is not given', async t => {
  const final = [...TALKING, woken(53), held(53.1, FULL, 1, 'no_credit')]
  const story = by({ warnS: 3 }).and(...final, toppedUp(58), held(58.01, 2n * FULL, 2))
  t.strictSame(story.commands, [hangUpAt(123, 2), wakeAt(113)])
  t.equal(story.count('warn'), 0)
  story.and(woken(113), held(113.01, 2n * FULL, 2, 'no_credit'), woken(120))
  t.strictSame(story.and(held(120.01, 2n * FULL, 2, 'no_credit')).commands, [
    warn(123),
    wakeAt(122),
  ])
})

t.test('an operator ends a call, in whatever phase', async t => {
  t.strictSame(after(...TALKING, killed(10)).commands, [kill, wakeAt(15)])
  t.strictSame(after(...TALKING, killed(10), hangUpFailed(11), woken(12)).commands, [
    kill,
    wakeAt(17),
  ])
  t.strictSame(after(...TALKING, killed(55), woken(60)).commands, [kill, wakeAt(65)], 'no hold')
  t.match(after(...TALKING, killed(10), hungUp(10.1)).settlement, {
    price: 8n * CENT,
    outcome: 'completed',
    reason: 'killed',
  })
  t.strictSame(after(...RINGING, killed(1)).commands, [kill, wakeAt(6)])
  t.strictSame(after(...RINGING, killed(1), hangUpFailed(1.1)).commands, [wakeAt(2.1)])
  t.strictSame(after(...RINGING, killed(1), woken(6)).commands, [kill, wakeAt(11)])
  const answersYet = after(...RINGING, killed(1), answered(3))
  t.strictSame(answersYet.commands, [note(3), hangUpAt(63, 1), wakeAt(4)])
  t.strictSame(answersYet.and(woken(4)).commands, [kill, wakeAt(9)])
  t.match(after(...RINGING, killed(1), hungUp(1.1)).settlement, {
    outcome: 'unanswered',
    reason: 'killed',
  })
  t.strictSame(after(created(), unpriced(0.1, 'no_rate'), killed(1)).commands, [])
})

t.test('a call that is ended while it is priced or authorized is told again', async t => {
  for (const early of [
    after(created(), killed(0.05), hangUpFailed(0.06), priced(0.1)),
    after(created(), priced(0.1), killed(0.15), hangUpFailed(0.16)),
  ]) {
    t.equal(early.count('hangUp'), 1)
    early.and(held(0.2, FULL, 1))
    t.strictSame(early.commands, [{ type: 'hangUpAfterAnswer', talkS: 60 }, kill, wakeAt(5.2)])
    t.match(early.and(hungUp(1)).settlement, { reason: 'killed' })
  }
  const talks = after(created(), priced(0.1), answered(0.1), killed(0.15), held(0.2, FULL, 1))
  t.strictSame(talks.commands, [hangUpAt(60.1, 1), wakeAt(1.2)])
  const story = new Story().and(created(), killed(0.05), unpriced(0.1, 'no_rate'))
  t.strictSame(story.commands, [refuse, wakeAt(5.1)])
})

t.test('a leg whose call is settled already must not talk on for nothing', async t => {
  // The switch crashed and recovered the leg after its call had been given up for lost.
  const story = after(created(0, -100), priced(0.1), settled(0.2))
  t.strictSame(story.commands, [refuse, wakeAt(5.2)])
  t.equal(story.and(hungUp(0.5), settled(0.6)).call.phase, 'ended')
  const renewing = after(...TALKING, woken(53), settled(53.1))
  t.strictSame(renewing.commands, [kill, wakeAt(58.1)])
  t.equal(renewing.and(hungUp(53.2), settled(53.3)).call.phase, 'ended')
  const over = after(created(), priced(0.1), hangup(0.2), settled(0.3))
  t.equal(over.call.phase, 'ended', 'where it has hung up there is nothing left to do')
})

t.test('resumed, ringing', async t => {
  const story = after(resumed(10, {}))
  t.strictSame(story.commands, [{ type: 'hangUpAfterAnswer', talkS: 60 }])
  t.strictSame(story.and(answered(12)).commands, [note(12), hangUpAt(72, 1), wakeAt(62)])
})

t.test('resumed, talking, in time', async t => {
  const story = after(resumed(70, { answeredAt: s(3), held: 2n * FULL, raises: 2 }))
  t.strictSame(story.commands, [hangUpAt(123, 2), wakeAt(113)])
  t.match(story.and(hungUp(80)).settlement, { price: 77n * CENT, outcome: 'completed' })
})

t.test(
  'resumed when its time is up, or nearly: the timer is armed and more is asked for',
  async t => {
    const soon = after(resumed(60, { answeredAt: s(3) }))
    t.strictSame(soon.commands, [hangUpAt(63, 1), hold(120, 61, 3), wakeAt(63)])
    const overdue = after(resumed(200, { answeredAt: s(3) }))
    t.strictSame(overdue.commands, [hangUpAt(63, 1), hold(197 + 60, 61, 3), wakeAt(201)])
    const goesOn = [held(200.1, 257n * CENT, 2)]
    t.strictSame(overdue.and(...goesOn).commands, [hangUpAt(260, 2), wakeAt(250)])
    const same = after(resumed(60, { answeredAt: s(3) }), held(60.1, FULL, 1, 'no_credit'))
    t.strictSame(same.commands, [warn(63), wakeAt(62)], 'not armed twice for the same hold')
    const over = by({ longestCallS: 60 }).and(resumed(200, { answeredAt: s(3) }))
    t.strictSame(over.commands, [cutOff, wakeAt(205)])
  },
)

t.test('adopted: a leg that talks already owes for that too', async t => {
  const story = after(created(100, 40), priced(100.1))
  t.strictSame(story.commands, [hold(61 + 60, 0, 40)], 'as much as there is')
  story.and(held(100.2, 121n * CENT, 1))
  t.strictSame(story.commands, [hangUpAt(161, 1), wakeAt(151)])
  const short = after(created(100, 40), priced(100.1), held(100.2, 65n * CENT, 1, 'no_credit'))
  t.strictSame(short.commands, [hangUpAt(105, 1), warn(105), wakeAt(104)])
  const broke = after(created(100, 40), priced(100.1), held(100.2, 30n * CENT, 1, 'no_credit'))
  t.strictSame(broke.commands, [cutOff, wakeAt(105.2)])
  t.match(broke.and(hungUp(100.3)).settlement, { price: 61n * CENT, outcome: 'cut_off' })
  const whole = by({ partialChunk: false }).and(created(100, 40), priced(100.1))
  t.strictSame(whole.commands, [hold(121, 0, 40)])
  const old = by({ longestCallS: 30 }).and(created(100, 40), priced(100.1))
  t.strictSame(old.commands, [hold(30, 0, 40)])
  t.strictSame(old.and(held(100.2, 30n * CENT, 1)).commands, [cutOff, wakeAt(105.2)])
  t.match(old.and(hungUp(100.3)).settlement, { reason: 'longest_call' })
})
