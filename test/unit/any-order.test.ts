/**
 * The rules under whatever may happen: events of every kind in any order, and calls with a ledger
 * that answers late, no, or not at all, alarms that go off late, and events that come twice.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Call, Command, Event } from '../../src/call/call.js'
import { durationUs } from '../../src/call/cdr.js'
import type { Settings } from '../../src/call/settings.js'
import { step } from '../../src/call/step.js'
import { smaller } from '../../src/money.js'
import { costOf, type Rate, wholeSeconds } from '../../src/rating/rate.js'
import * as story from '../support/story.js'
import { CENT, LEG, RATE, s, TARIFF } from '../support/story.js'

type Settle = Extract<Command, { type: 'settle' }>

/** Follows a call, and knows what must be true of it after every step. */
class Watched {
  call: Call = { phase: 'new' }
  settlement: Settle | null = null
  /** What the switch's own timer is set to. */
  timer: number | null = null
  alarm: number | null = null
  timerRaises = 0

  constructor(
    readonly settings: Settings,
    readonly rate: Rate,
  ) {}

  take(event: Event): readonly Command[] {
    const before = this.call
    if (event.type === 'woken') this.alarm = null
    const [call, commands] = step(before, event, this.settings)
    this.call = call
    for (const command of commands) this.#check(command, before, event)
    if (before.phase === 'ended') assert.deepEqual([call, commands], [before, []])
    return commands
  }

  #check(command: Command, before: Call, event: Event): void {
    if (this.settlement) assert.ok(['settle', 'wakeAt'].includes(command.type), command.type)
    if (command.type === 'wakeAt') this.alarm = command.at
    if (command.type === 'hold') {
      // What is held already is granted again, whatever the least.
      const held = 'held' in this.call ? this.call.held : 0n
      assert.ok(command.atLeast <= command.total || command.total <= held, 'can be granted')
      const most = costOf(this.rate, this.settings.longestCallS)
      assert.ok(command.total <= most, 'never more than for the longest call')
    }
    if (command.type === 'hangUpAt') {
      this.timer = command.at
      this.timerRaises = command.raises
    }
    if (command.type === 'hangUp' && command.why === 'cut_off') {
      assert.ok(this.call.phase === 'answered' && this.call.cutOff, 'it is known to be cut off')
      assert.ok(event.at >= this.call.fundedUntil || isCutOff(before), 'not before its time')
    }
    if (command.type === 'settle') this.#checkSettlement(command)
  }

  #checkSettlement(command: Settle): void {
    assert.ok(this.call.phase === 'settling', 'only a call that has ended is settled')
    if (this.settlement) assert.deepEqual(command, this.settlement, 'once, or the same again')
    this.settlement = command
    const { answeredAt, endedAt } = command.ending
    const seconds = wholeSeconds(durationUs(answeredAt, endedAt), this.settings.rounding)
    const price = this.call.tariff ? costOf(this.rate, seconds) : 0n
    assert.equal(command.price, price)
  }
}

const isCutOff = (call: Call) => call.phase === 'answered' && call.cutOff

const settingsOf = fc.record({
  chunkS: fc.integer({ min: 11, max: 90 }),
  leadS: fc.integer({ min: 1, max: 10 }),
  warnS: fc.constantFrom(0, 3, 10, 45),
  retryS: fc.constant(1),
  partialChunk: fc.boolean(),
  rounding: fc.constantFrom('up' as const, 'nearest' as const, 'down' as const),
  longestCallS: fc.constantFrom(100, 86_400),
  hangupGraceS: fc.constant(5),
})

const rateOf = fc
  .record({
    perMinute: fc.constantFrom(0n, 1n, 7n, 60n * CENT),
    setup: fc.constantFrom(0n, 3n * CENT),
    minimum: fc.constantFrom(1, 30, 60, 120),
    increment: fc.constantFrom(1, 6, 60),
  })
  .map(rate => ({ ...RATE, ...rate }))

const seconds = fc.integer({ min: 0, max: 3000 }).map(tenths => tenths / 10)
const heldAmount = fc.bigInt(0n, 400n * CENT)
const reasons = fc.constantFrom('no_credit' as const, 'account_closed' as const)

const ends = fc
  .record({ at: seconds, answered: fc.option(seconds), exact: fc.boolean(), lost: fc.boolean() })
  .map(({ at, answered, ...how }) =>
    story.hungUp(at, { answeredAt: answered === null ? null : s(answered), ...how }),
  )

const anyEvent = (rate: Rate): fc.Arbitrary<Event> => {
  const tariff = { ...TARIFF, rate }
  const heldNow = fc.tuple(seconds, heldAmount, fc.option(reasons))
  const known = fc.tuple(seconds, fc.option(seconds), heldAmount)
  return fc.oneof(
    fc.tuple(seconds, fc.option(seconds)).map(args => story.created(...args)),
    fc.tuple(seconds, reasons).map(args => story.unpriced(...args)),
    { arbitrary: seconds.map(at => story.priced(at, rate)), weight: 3 },
    {
      arbitrary: heldNow.map(([at, held, why]) => story.held(at, held, held > 0n ? 1 : 0, why)),
      weight: 4,
    },
    known.map(([at, answered, held]) =>
      story.resumed(at, { tariff, answeredAt: answered === null ? null : s(answered), held }),
    ),
    fc
      .tuple(
        fc.constantFrom(
          ...[story.answered, story.answered, story.answered, story.woken, story.woken],
          ...[story.holdFailed, story.toppedUp, story.killed, story.hangUpFailed],
          ...[story.settled, story.settleFailed],
        ),
        seconds,
      )
      .map(([happened, at]) => happened(at)),
    ends,
  )
}

t.test('any events in any order: nothing breaks, and it is settled once', async t => {
  let settlements = 0
  const run = fc
    .tuple(settingsOf, rateOf)
    .chain(([settings, rate]) =>
      fc.tuple(fc.constant(settings), fc.constant(rate), fc.array(anyEvent(rate), { size: '+1' })),
    )
  fc.assert(
    fc.property(run, ([settings, rate, events]) => {
      const watched = new Watched(settings, rate)
      // Without a beginning, hardly any sequence would come to anything.
      for (const event of [story.created(), ...events]) watched.take(event)
      if (watched.settlement) settlements += 1
    }),
    { numRuns: 3000 },
  )
  t.ok(settlements > 300, `${settlements} came to their end`)
})

/** What may happen next in the life of a call, and after how many tenths of a second. */
const HAPPENINGS = [
  ...['replied', 'replied', 'replied', 'alarm', 'alarm', 'alarm', 'answered', 'failed'],
  ...['toppedUp', 'spentElsewhere', 'hangUpFailed', 'repeated', 'killed', 'hungUp', 'exact'],
] as const

type Happening = (typeof HAPPENINGS)[number]

const happenings = fc.array(
  fc.tuple(fc.constantFrom(...HAPPENINGS), fc.oneof(fc.nat(3), fc.nat(100), fc.nat(900))),
  { minLength: 20, maxLength: 80 },
)

/** One call, its ledger and its switch. */
class World {
  now = 0
  available: bigint
  held = 0n
  raises = 0
  readonly asked: Extract<Command, { type: 'hold' }>[] = []
  readonly past: Event[] = []
  answeredAt: number | null = null
  endedAt: number | null = null
  readonly watched: Watched

  constructor(
    settings: Settings,
    readonly rate: Rate,
    credit: bigint,
  ) {
    this.watched = new Watched(settings, rate)
    this.available = credit
    this.take(story.created())
  }

  take(event: Event): void {
    this.past.push(event)
    for (const command of this.watched.take(event)) {
      if (command.type === 'price') this.take(story.priced(this.now, this.rate))
      if (command.type === 'hold') this.asked.push(command)
    }
    this.#check()
  }

  /** What must be true of an answered call at any time. */
  #check(): void {
    const { call, timer, timerRaises, alarm } = this.watched
    if (call.phase === 'answered' || call.phase === 'refused') {
      assert.notEqual(alarm, null, 'a call is never left without an alarm')
    }
    if (call.phase !== 'answered' || call.cutOff || s(this.now) >= call.fundedUntil) return
    const { leadS, warnS } = this.watched.settings
    assert.equal(timer, call.fundedUntil, 'the switch’s timer is where the hold ends')
    assert.equal(timerRaises, call.raises, 'and counted up with each raise')
    const funded = costOf(this.rate, (call.fundedUntil - call.answeredAt) / 1e6)
    assert.ok(funded <= this.held, 'what it may run for is held')
    // One that an operator has ended is told so again and again, whatever its hold.
    const latest = Math.max(call.fundedUntil, s(this.now) + Math.max(leadS, warnS) * 1e6)
    assert.ok(call.killed || alarm! <= latest, 'woken in time')
  }

  /** The ledger's answer to what was asked first, by the promises of its port. */
  reply(): void {
    const asked = this.asked.shift()
    if (!asked) return
    const total = smaller(asked.total, this.held + this.available)
    const grants = this.raises === 0 ? total >= asked.atLeast : total > this.held
    if (grants && total >= asked.atLeast) {
      this.available -= total - this.held
      this.held = total
      this.raises += 1
    }
    const reason = this.held < asked.total || this.raises === 0 ? 'no_credit' : null
    this.take(story.held(this.now, this.held, this.raises, reason))
  }

  happen(what: Happening, tenths: number): void {
    this.now += tenths / 10
    const { now, watched } = this
    switch (what) {
      case 'replied':
        return this.reply()
      case 'failed':
        return this.asked.shift() && this.take(story.holdFailed(now))
      case 'alarm': {
        if (watched.alarm === null) return
        this.now = Math.max(now, (watched.alarm - s(0)) / 1e6)
        return this.take(story.woken(this.now))
      }
      case 'answered': {
        if (this.endedAt !== null) return
        this.answeredAt ??= now
        return this.take(story.answered(this.answeredAt))
      }
      case 'toppedUp':
        this.available += 50n * CENT
        return this.take(story.toppedUp(now))
      case 'spentElsewhere':
        this.available /= 2n
        return
      case 'repeated':
        return this.take(this.past[tenths % this.past.length]!)
      default:
        return this.end(what)
    }
  }

  /** Ends that come now and then, not all the time. */
  end(what: Happening): void {
    const { now } = this
    if (what === 'hangUpFailed') return this.take(story.hangUpFailed(now))
    if (Math.round(now * 10) % 4 > 0) return
    if (what === 'killed') return this.take(story.killed(now))
    this.endedAt ??= now
    const answeredAt = this.answeredAt === null ? null : s(this.answeredAt)
    this.take(story.hungUp(this.endedAt, { answeredAt, exact: what === 'exact' }))
  }
}

t.test('calls with a ledger that does as it likes', async t => {
  const seen = { renewed: 0, cutOff: 0 }
  fc.assert(
    fc.property(settingsOf, rateOf, fc.bigInt(0n, 500n * CENT), happenings, (...given) => {
      const [settings, rate, credit, life] = given
      const world = new World(settings, rate, credit)
      for (const [what, tenths] of life) {
        // A repeated answer of the ledger is no event of its own: it is asked each time.
        if (what === 'repeated' && !mayRepeat(world, tenths)) continue
        world.happen(what, tenths)
      }
      if (world.raises > 1) seen.renewed += 1
      if (isCutOff(world.watched.call)) seen.cutOff += 1
      world.endedAt ??= world.now
      world.now += 10
      const answeredAt = world.answeredAt === null ? null : s(world.answeredAt)
      world.take(story.hungUp(world.endedAt, { answeredAt }))
      while (world.asked.length > 0) world.reply()
      const { settlement, call } = world.watched
      assert.ok(settlement && call.phase === 'settling', 'it comes to its end')
      assert.equal(call.leg, LEG)
      world.take(story.settled(world.now))
      assert.equal(world.watched.call.phase, 'ended')
    }),
    { numRuns: 2000 },
  )
  t.ok(
    seen.renewed > 100 && seen.cutOff > 100,
    `these lives are worth watching: ${JSON.stringify(seen)}`,
  )
})

/** The socket repeats what the switch said; alarms and the ledger's answers come once. */
function mayRepeat(world: World, tenths: number): boolean {
  const { type } = world.past[tenths % world.past.length]!
  return ['created', 'answered', 'hungUp'].includes(type)
}
