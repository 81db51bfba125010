/** What calls and top-ups add up to, step by step: against books written by hand, and by chance. */
import { deepStrictEqual } from 'node:assert/strict'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { StepFigures, StepsWanted } from '../../src/ledger/statistics.js'
import { IN_MEMORY } from '../../src/sqlite/database.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SLOT_US } from '../../src/sqlite/slots.js'
import { SqliteStatistics } from '../../src/sqlite/statistics.js'
import { PlainBooks, type PlainCall } from '../support/plain-books.js'

const S = 1_000_000
const DAY = 86_400 * S
/** A slot begins here, but no hour. */
const BEGIN = 1_795_000_200 * S
const at = (slot: number, s = 0) => BEGIN + slot * SLOT_US + s * S
const slots = (first: number, end: number): StepsWanted => ({
  from: at(first),
  until: at(end),
  stepUs: SLOT_US,
})

/** So much later that nothing of the time is remembered. */
const LONG_AFTER = 40 * DAY

const NOTHING = {
  ...{ calls: 0, answered: 0, refused: 0, cutOff: 0, billedS: 0 },
  ...{ cost: 0n, writeOff: 0n, topUps: 0n, talkUs: 0n },
}

function openBooks(t: Test): PlainBooks {
  const books = new PlainBooks(IN_MEMORY)
  t.teardown(() => books.file.close())
  return books
}

t.setTimeout(60_000)

t.test('the calls and top-ups of each step, and the talk in it', async t => {
  const books = openBooks(t)
  const statistics = new SqliteStatistics(books.file)
  books.end({ answered: at(0, 10), ended: at(0, 70), billedS: 60, cost: 5 })
  // From the first slot into the third: 100 s, 300 s and 1 s.
  const cutOff = { outcome: 'cut_off', billedS: 402, cost: 7, writeOff: 2 } as const
  books.end({ answered: at(0, 200), ended: at(2, 1), ...cutOff })
  books.end({ ended: at(1), outcome: 'refused' })
  books.end({ ended: at(2) - 1, outcome: 'unanswered' })
  // Before the time, and after it: this one has talked in it.
  books.end({ ended: at(0) - 1, cost: 1000 })
  books.end({ answered: at(2, 290), ended: at(3, 40), cost: 100_000 })
  // The clock of the switch was put back: no talk, and none is taken away.
  books.end({ answered: at(1, 50), ended: at(1, 20), cost: 1 })
  books.topUp(at(1) - 1, 50)
  books.topUp(at(1), 20)
  books.topUp(at(1, 299), 3)
  books.adjust(at(1), 4_000)
  books.topUp(at(3), 70_000)
  const expected = [
    {
      ...{ ...NOTHING, at: at(0), calls: 1, answered: 1, billedS: 60, cost: 5n },
      ...{ topUps: 50n, talkUs: BigInt(160 * S) },
    },
    {
      ...{ ...NOTHING, at: at(1), calls: 3, answered: 1, refused: 1, cost: 1n },
      ...{ topUps: 23n, talkUs: BigInt(300 * S) },
    },
    {
      ...{ ...NOTHING, at: at(2), calls: 1, answered: 1, cutOff: 1, billedS: 402 },
      ...{ cost: 7n, writeOff: 2n, talkUs: BigInt(11 * S) },
    },
  ]
  t.strictSame(books.figures(slots(0, 3), at(4)), expected, 'the reckoning of the tests')
  t.strictSame(await statistics.steps(slots(0, 3), at(4)), expected, 'from slots')
  t.strictSame(await statistics.steps(slots(0, 3), at(4) + LONG_AFTER), expected, 'read anew')
  t.test('steps that are no whole slots are exact, and the last may be shorter', async t => {
    const wanted = { from: at(0, 60), until: at(2, 1), stepUs: 200 * S }
    const steps = await statistics.steps(wanted, at(4))
    t.strictSame(
      steps.map(({ calls, cost, talkUs }) => [calls, cost, Number(talkUs) / S]),
      [
        [1, 5n, 10 + 60],
        [2, 1n, 200],
        [1, 0n, 141],
      ],
    )
    const beginsLater = { ...slots(0, 3), from: at(0, 60) }
    t.strictSame(await statistics.steps(beginsLater, at(4)), books.figures(beginsLater, at(4)))
  })
  t.test('without calls there are steps, too', async t => {
    const nothing = [
      { ...NOTHING, at: at(9) },
      { ...NOTHING, at: at(10) },
    ]
    t.strictSame(await statistics.steps(slots(9, 11), at(11)), nothing)
    t.strictSame(await statistics.steps(slots(9, 11), at(11) + LONG_AFTER), nothing)
  })
})

t.test('what comes late is seen', async t => {
  const books = openBooks(t)
  const statistics = new SqliteStatistics(books.file)
  const told = async () =>
    (await statistics.steps(slots(0, 2), at(2))).map(({ cost, topUps }) => [cost, topUps])
  books.end({ answered: at(0), ended: at(0, 9), cost: 3 })
  t.strictSame(await told(), [
    [3n, 0n],
    [0n, 0n],
  ])
  books.end({ answered: at(0), ended: at(0, 5), cost: 4 })
  books.end({ answered: at(0), ended: at(1, 5), cost: 1 })
  const late = [
    [7n, 0n],
    [1n, 0n],
  ]
  t.strictSame(await told(), late, 'a CDR of a slot that is over')
  t.strictSame(await told(), late, 'and it is counted once')
  books.topUp(at(0, 7), 5)
  t.strictSame((await told())[0], [7n, 5n], 'a top-up of such a slot')
  const corrected = { answered: at(0), ended: at(1, 9), outcome: 'completed' } as const
  books.correct(0, { ...corrected, billedS: 300, cost: 10, writeOff: 0 })
  t.strictSame(
    await told(),
    [
      [4n, 5n],
      [11n, 0n],
    ],
    'a correction moves the call to when it really ended',
  )
})

t.test('live calls talk, and cost nothing yet', async t => {
  const books = openBooks(t)
  const statistics = new SqliteStatistics(books.file)
  books.begin(at(0, 100))
  books.begin(at(0, 200))
  books.begin(null)
  const talk = async (wanted: StepsWanted, now: number) =>
    (await statistics.steps(wanted, now)).map(({ talkUs, calls }) => [Number(talkUs) / S, calls])
  t.strictSame(await talk(slots(0, 2), at(1, 30)), [
    [300, 0],
    [60, 0],
  ])
  t.strictSame(await talk({ from: at(0, 150), until: at(1), stepUs: 90 * S }, at(9)), [
    [130, 0],
    [120, 0],
  ])
  t.strictSame(await talk(slots(2, 3), at(1, 30)), [[0, 0]], 'and not in what is to come')
})

t.test('a call is told once, whatever it does while the figures are read', async t => {
  // It ends in what is read first, or last, or after the time.
  for (const now of [at(10), at(99, 299), at(101)]) {
    for (const stepUs of [9 * SLOT_US, 9 * SLOT_US + 1]) {
      const books = openBooks(t)
      const statistics = new SqliteStatistics(books.file)
      // So many that they are read in several pieces, between which there is time.
      books.write(() => {
        for (let i = 0; i < 12_000; i++) books.end({ ended: at(i % 100) })
        books.end({ answered: at(99), ended: at(101) })
      })
      const wanted = { ...slots(0, 100), stepUs }
      for (let i = 0; i < 10; i++) books.begin(at(i))
      const talkOf = (steps: readonly StepFigures[]) => steps.map(({ talkUs }) => talkUs)
      const expected = talkOf(books.figures(wanted, now))
      let isRead = false
      const reading = statistics.steps(wanted, now).finally(() => {
        isRead = true
      })
      let settled = 0
      for (; !isRead && books.live.length > 0; settled++) {
        books.settle(now)
        await setImmediate()
      }
      t.strictSame(talkOf(await reading), expected, `${(now - BEGIN) / S} s, ${stepUs / S} s`)
      t.ok(settled > 2, `${settled} ended meanwhile`)
    }
  }
})

t.test('books of any size', async t => {
  const books = openBooks(t)
  const statistics = new SqliteStatistics(books.file)
  books.write(() => {
    for (let i = 0; i < 20_000; i++) {
      const ended = at(i % 40, (i * 7) % 300)
      const answered = i % 3 === 0 ? null : ended - (((i * 31) % 900) + 1) * S
      books.end({ answered, ended, cost: Math.max(0, (i % 50) - 40), billedS: i % 60 })
    }
    // More than are read at once, in one microsecond.
    for (let i = 0; i < 6_000; i++) books.end({ answered: at(3), ended: at(12, 1), cost: 1 })
    for (let i = 0; i < 6_000; i++) books.topUp(at(13, 1), 1)
    for (let i = 0; i < 6_000; i++) books.topUp(at(i % 40), 2)
    // The last to be filed, and alone in its hour.
    books.end({ answered: at(3), ended: at(500) })
  })
  for (const wanted of [
    slots(2, 35),
    { from: at(-300), until: at(12, 2), stepUs: DAY },
    { from: at(5, 1) + 1, until: at(20), stepUs: 500 * S + 1 },
  ]) {
    for (const now of [at(40), at(40) + LONG_AFTER]) {
      t.strictSame(await statistics.steps(wanted, now), books.figures(wanted, now))
    }
  }
})

t.test('a call is found however long it lasted, in times of any length', async t => {
  const books = openBooks(t)
  const statistics = new SqliteStatistics(books.file)
  const year = 365 * DAY
  books.end({ answered: at(0, 1), ended: at(0) + 3 * year })
  books.end({ answered: at(0, 1), ended: at(0, 2) })
  books.begin(at(0) + year)
  const now = at(1) + 5 * year
  for (const wanted of [
    { from: at(0), until: at(1), stepUs: 60 * S },
    { from: at(0) + year, until: at(0) + year + DAY, stepUs: 3600 * S },
    { from: at(0) - year, until: at(0) + 30 * year, stepUs: year },
    { from: at(0) + 5 * year - 3 * DAY, until: at(0) + 5 * year, stepUs: SLOT_US },
  ]) {
    t.strictSame(await statistics.steps(wanted, now), books.figures(wanted, now))
  }
})

t.test('times centuries before and after all calls', async t => {
  const books = openBooks(t)
  const statistics = new SqliteStatistics(books.file)
  // So many that their distances to such a time, added up, do not fit into 64 bits.
  books.write(() => {
    for (let i = 0; i < 1_000; i++) {
      books.end({ answered: at(0, i), ended: at(1, i), cost: 1 })
      books.begin(at(1, i))
    }
  })
  const now = at(9)
  const year = 365 * DAY
  for (const wanted of [
    { from: at(0) - 500 * year, until: now, stepUs: year },
    { from: at(0) - 500 * year, until: at(0) - 499 * year, stepUs: year },
    { from: at(0) + 500 * year, until: at(0) + 501 * year, stepUs: year },
  ]) {
    t.strictSame(await statistics.steps(wanted, now), books.figures(wanted, now))
  }
})

/** A time around the beginning, rather often on the border of a slot or of an hour. */
const instant = fc
  .tuple(fc.integer({ min: -20, max: 60 }), fc.constantFrom(0, 0, 1, SLOT_US - 1, 123_456_789))
  .map(([slot, us]) => at(slot) + us)
const answered = fc.option(instant)
const call: fc.Arbitrary<PlainCall> = fc.record({
  answered,
  ended: instant,
  outcome: fc.constantFrom('completed', 'unanswered', 'refused', 'cut_off'),
  billedS: fc.nat(100),
  cost: fc.nat(9),
  writeOff: fc.nat(9),
})
const change = fc.oneof(
  fc.record({ end: call }),
  fc.record({ correct: fc.nat(), call }),
  fc.record({ topUp: instant, amount: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ adjust: instant }),
  fc.record({ begin: answered }),
)
type Change = typeof change extends fc.Arbitrary<infer C> ? C : never
/** In slots, so that both ways to read can be asked; and in anything. */
const inSlots = fc
  .tuple(
    fc.integer({ min: -20, max: 59 }),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 1, max: 5 }),
  )
  .map(([first, length, step]) => ({ ...slots(first, first + length), stepUs: step * SLOT_US }))
const wholeSlots = fc.integer({ min: 1, max: 36 }).map(length => length * SLOT_US)
const inAnything = fc
  .tuple(
    instant,
    fc.oneof(wholeSlots, fc.integer({ min: 1, max: 3 * 3600 * S })),
    fc.oneof(wholeSlots, fc.integer({ min: 60 * S, max: 3600 * S })),
  )
  .map(([from, lengthUs, stepUs]) => ({ from, until: from + lengthUs, stepUs }))

function apply(books: PlainBooks, corrected: Set<number>, change: Change): void {
  if ('end' in change) books.end(change.end)
  else if ('topUp' in change) books.topUp(change.topUp, change.amount)
  else if ('adjust' in change) books.adjust(change.adjust, 1)
  else if ('begin' in change) books.begin(change.begin)
  else if (books.ended.length > 0) {
    const i = change.correct % books.ended.length
    if (!corrected.has(i)) books.correct(i, change.call)
    corrected.add(i)
  }
}

t.test('whatever happened, both ways to read tell what it adds up to', async () => {
  const rounds = fc.array(
    fc.record({
      changes: fc.array(change, { maxLength: 12 }),
      wanted: fc.oneof(inSlots, inAnything),
      now: instant,
    }),
    { minLength: 1, maxLength: 6 },
  )
  await fc.assert(
    fc.asyncProperty(rounds, async rounds => {
      const books = new PlainBooks(IN_MEMORY)
      const corrected = new Set<number>()
      try {
        const statistics = new SqliteStatistics(books.file)
        for (const { changes, wanted, now } of rounds) {
          for (const change of changes) apply(books, corrected, change)
          for (const moment of [now, now + LONG_AFTER]) {
            const steps = await statistics.steps(wanted, moment)
            deepStrictEqual(steps, books.figures(wanted, moment))
          }
          // From when on all has ended that has, both ways tell the same.
          const [remembered, anew] = [at(61), at(61) + LONG_AFTER]
          if (wanted.until > remembered) continue
          const steps = await statistics.steps(wanted, remembered)
          deepStrictEqual(steps, await statistics.steps(wanted, anew))
        }
      } finally {
        books.file.close()
      }
    }),
    { numRuns: 100 },
  )
})

t.test('it reads beside a daemon', async t => {
  const path = join(t.testdir(), 'ledger.db')
  const books = new PlainBooks(path)
  t.teardown(() => books.file.close())
  const beside = new LedgerFile(path, { readonly: true })
  t.teardown(() => beside.close())
  const statistics = new SqliteStatistics(beside)
  books.end({ answered: at(0), ended: at(0, 9), cost: 3 })
  t.match(await statistics.steps(slots(0, 1), at(1)), [{ cost: 3n }])
  books.end({ answered: at(0), ended: at(0, 9), cost: 4 })
  t.match(await statistics.steps(slots(0, 1), at(1)), [{ cost: 7n }])
})
