/** Alarms, our own clock, the clock of a recording, and what time it is on a switch. */
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Alarms, RealClock } from '../../src/controller/clock.js'
import { inLanes } from '../../src/controller/lanes.js'
import { SwitchClock } from '../../src/controller/switch-clock.js'
import { VirtualClock } from '../../src/replay/virtual-clock.js'
import { s } from '../support/story.js'
import { supervise } from '../support/supervised.js'

t.test('alarms go off in the order of their times', async t => {
  const alarms = new Alarms()
  t.equal(alarms.nextMs, Number.POSITIVE_INFINITY)
  t.equal(alarms.takeDue(1e9), undefined)
  const rung: string[] = []
  for (const [key, atMs] of Object.entries({ c: 30, a: 10, d: 40, b: 20 })) {
    alarms.set(key, atMs, () => rung.push(key))
  }
  t.equal(alarms.size, 4)
  t.equal(alarms.nextMs, 10)
  t.equal(alarms.takeDue(9.999), undefined, 'never before its time')
  alarms.takeDue(10)?.()
  alarms.takeDue(35)?.()
  alarms.takeDue(35)?.()
  t.equal(alarms.takeDue(35), undefined)
  t.strictSame(rung, ['a', 'b', 'c'])
  t.equal(alarms.size, 1)
})

t.test('a key has one alarm: the last that was set', async t => {
  const alarms = new Alarms()
  const rung: string[] = []
  alarms.set('call', 10, () => rung.push('first'))
  alarms.set('call', 20, () => rung.push('second'))
  t.equal(alarms.size, 1)
  t.equal(alarms.nextMs, 20)
  t.equal(alarms.takeDue(15), undefined)
  alarms.set('call', 5, () => rung.push('third'))
  t.equal(alarms.nextMs, 5, 'it may be moved forward as well')
  alarms.takeDue(100)?.()
  t.strictSame(rung, ['third'])
  t.equal(alarms.takeDue(100), undefined)
  alarms.set('call', 10, () => rung.push('never'))
  alarms.cancel('call')
  alarms.cancel('nobody')
  t.equal(alarms.size, 0)
  t.equal(alarms.nextMs, Number.POSITIVE_INFINITY)
})

t.test('alarms that were replaced cost nothing before their time', async t => {
  const alarms = new Alarms()
  const ring = () => {}
  for (let i = 0; i < 200_000; i++) alarms.set(`call ${i}`, 1000 + i, ring)
  for (let i = 0; i < 200_000; i++) alarms.cancel(`call ${i}`)
  alarms.set('late', 1e9, ring)
  const started = process.cpuUsage().user
  t.equal(alarms.takeDue(999), undefined)
  const ms = (process.cpuUsage().user - started) / 1000
  t.ok(ms < 20, `${ms} ms: a hundred and more to drop them all`)
  t.equal(alarms.takeDue(1e9), ring, 'they are skipped then')
})

t.test('alarms against a list that is sorted each time', async t => {
  const action = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    atMs: fc.nat(50),
    what: fc.constantFrom('set', 'set', 'set', 'cancel', 'take'),
  })
  fc.assert(
    fc.property(fc.array(action, { maxLength: 100 }), actions => {
      const alarms = new Alarms()
      const naive = new Map<string, number>()
      for (const { key, atMs, what } of actions) {
        if (what === 'set') {
          naive.set(key, atMs)
          alarms.set(key, atMs, () => naive.delete(key))
        } else if (what === 'cancel') {
          naive.delete(key)
          alarms.cancel(key)
        } else {
          const next = Math.min(...naive.values())
          const ring = alarms.takeDue(atMs)
          const { size } = naive
          ring?.()
          if ((ring === undefined) === next <= atMs) return false
          if (ring && (naive.size !== size - 1 || Math.min(...naive.values()) < next)) return false
        }
        if (alarms.size !== naive.size) return false
        if (alarms.nextMs !== Math.min(...naive.values())) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
  t.pass('the same')
})

/** Our monotonic clock, and its one interval, moved by hand. */
class FakeTime {
  #nowMs = 1000
  #interval: { ring: () => void; everyMs: number; nextMs: number } | undefined

  constructor(t: Test) {
    t.intercept(performance, 'now', { value: () => this.#nowMs })
    t.intercept(globalThis, 'setInterval', {
      value: (ring: () => void, everyMs: number) => {
        this.#interval = { ring, everyMs, nextMs: this.#nowMs + everyMs }
        return this.#interval
      },
    })
    t.intercept(globalThis, 'clearInterval', {
      value: (interval: unknown) => {
        if (interval === this.#interval) this.#interval = undefined
      },
    })
  }

  get ticks(): boolean {
    return this.#interval !== undefined
  }

  advance(ms: number): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) {
      this.#nowMs += 1
      const interval = this.#interval
      if (interval && this.#nowMs >= interval.nextMs) {
        interval.nextMs += interval.everyMs
        interval.ring()
      }
    }
  }
}

t.test('the real clock rings what is due, together, and then rests', async t => {
  const time = new FakeTime(t)
  const clock = new RealClock()
  const rung: string[] = []
  const startMs = clock.now()
  for (const [key, inMs] of [
    ['a', 5],
    ['b', 7],
    ['c', 25],
    ['gone', 7],
  ] as const) {
    clock.wakeAt(key, startMs + inMs, () => rung.push(key))
  }
  clock.cancel('gone')
  time.advance(4)
  t.strictSame(rung, [])
  time.advance(6)
  t.strictSame(rung, ['a', 'b'], 'one tick for both')
  time.advance(10)
  t.strictSame(rung, ['a', 'b'], 'never before its time')
  time.advance(10)
  t.strictSame(rung, ['a', 'b', 'c'])
  t.equal(time.ticks, false, 'with no alarm it does not tick')
  time.advance(100)
  clock.wakeAt('d', clock.now() + 1, () => rung.push('d'))
  time.advance(10)
  t.strictSame(rung, ['a', 'b', 'c', 'd'], 'it starts to tick again')
  clock.wakeAt('e', clock.now() + 1, () => {
    rung.push('e')
    clock.wakeAt('f', clock.now(), () => rung.push('f'))
  })
  time.advance(10)
  t.equal(rung.at(-1), 'f', 'an alarm may set another one')
  clock.wakeAt('never', clock.now() + 1, () => rung.push('never'))
  clock.stop()
  time.advance(100)
  t.equal(rung.at(-1), 'f')
})

t.test('a step of the wall clock moves no alarm', async t => {
  const clock = new RealClock()
  const before = clock.now()
  t.intercept(Date, 'now', { value: () => 0 })
  t.ok(clock.now() >= before && clock.now() < before + 60_000)
})

t.test('the clock of a recording moves from alarm to alarm', async t => {
  const clock = new VirtualClock()
  const seen: [string, number][] = []
  const at = (key: string, ms: number) =>
    clock.wakeAt(key, ms, () => {
      seen.push([key, clock.now()])
    })
  at('b', 20)
  clock.wakeAt('a', 10, () => {
    seen.push(['a', clock.now()])
    at('late', 5)
    at('c', 15)
  })
  at('gone', 12)
  clock.cancel('gone')
  at('far', 101)
  let rests = 0
  await clock.moveTo(100, async () => {
    rests += 1
  })
  t.strictSame(seen, [
    ['a', 10],
    ['late', 10],
    ['c', 15],
    ['b', 20],
  ])
  t.equal(rests, 4, 'what each alarm began is over before the next')
  t.equal(clock.now(), 100)
  await clock.moveTo(50, async () => {})
  t.equal(clock.now(), 100, 'it never goes back')
})

t.test('the switch’s time is learned from stamps that arrive late', async t => {
  const clock = new SwitchClock()
  t.equal(clock.isSet, false)
  clock.observe(1_000_000_000, 50)
  t.equal(clock.isSet, true)
  t.equal(clock.at(50), 1_000_000_000)
  t.equal(clock.at(1050), 1_001_000_000)
  t.equal(clock.toLocalMs(1_001_000_000), 1050)
  clock.observe(1_000_950_000, 1050)
  t.equal(clock.at(1050), 1_001_000_000, 'a stamp that took longer says nothing')
  clock.observe(1_001_020_000, 1060)
  t.equal(clock.at(1060), 1_001_020_000, 'one that was quicker is nearer to the truth')
  clock.reset()
  t.equal(clock.isSet, false)
})

t.test('a switch’s clock that drifts, or is set back, is followed within two windows', async t => {
  const clock = new SwitchClock()
  // Slow by a part in a thousand, seen through delays of 0 to 20 ms.
  const stampAt = (ms: number) => Math.round(ms * 999)
  for (let ms = 0; ms <= 600_000; ms += 1000) clock.observe(stampAt(ms) - (ms % 3) * 10_000, ms)
  t.ok(Math.abs(clock.at(600_000) - stampAt(600_000)) < 125_000)
  for (let ms = 601_000; ms <= 730_000; ms += 1000) clock.observe(stampAt(ms) - 3_600e6, ms)
  t.ok(Math.abs(clock.at(730_000) - (stampAt(730_000) - 3_600e6)) < 125_000, 'an hour back')
  clock.observe(stampAt(731_000) + 3_600e6, 731_000)
  t.ok(Math.abs(clock.at(731_000) - (stampAt(731_000) + 3_600e6)) < 1000, 'forward at once')
})

t.test('a window that has only just begun does not forget the one before', async t => {
  const clock = new SwitchClock()
  clock.observe(0, 0)
  clock.observe(60_000_000 - 500_000, 60_000)
  t.equal(clock.at(60_000), 60_000_000, 'the first stamp of a window may have been held up')
  clock.observe(600_000_000 - 700_000, 600_000)
  t.equal(clock.at(600_000), 599_300_000, 'but what was learnt long ago is worth nothing')
})

t.test('how well a switch is heard', async t => {
  const calls = await supervise(t)
  const { link } = calls.parts
  const { coreUuid } = calls.world.freeswitch
  const nothing = { lagMs: null, clockOffsetMs: null, heartbeatAgeS: null, sessions: null }
  t.strictSame(link.report(0), { version: null, coreUuid: null, ...nothing })
  await calls.beat(1)
  const wallMs = s(1) / 1000 - 7000
  t.strictSame(link.report(wallMs), {
    ...{ version: '1.11.3-dev', coreUuid, sessions: 0 },
    ...{ lagMs: 0, clockOffsetMs: 7000, heartbeatAgeS: 0 },
  })
  await calls.at(11)
  const late = { name: 'HEARTBEAT', at: s(9.5), coreUuid, version: 'x', sessions: 3 } as const
  link.onEvent(late)
  t.match(link.report(0), { lagMs: 1500, version: 'x', sessions: 3, heartbeatAgeS: 0 })
  await calls.at(15)
  link.onDown()
  t.match(link.report(0), { lagMs: 1500, heartbeatAgeS: 4 }, 'what is known stays known')
  link.onUp()
  for (const seconds of [61, 121, 181]) await calls.beat(seconds)
  t.match(link.report(0), { lagMs: 0 }, 'what has been is forgotten')
  link.heard(s(189), 'another')
  t.match(link.report(0), { version: null, sessions: null, heartbeatAgeS: null }, 'another run')
  link.onEvent({ ...late, at: s(190), coreUuid: 'another' })
  t.match(link.report(0), { lagMs: 0, coreUuid: 'another' }, 'another run has another clock')
})

t.test('work in lanes: a few at a time, all of it, and the first failure at the end', async t => {
  let busy = 0
  let most = 0
  const done: number[] = []
  const work = async (n: number) => {
    busy += 1
    most = Math.max(most, busy)
    await new Promise(resolve => setImmediate(resolve))
    busy -= 1
    if (n === 7) throw new Error('seven')
    done.push(n)
  }
  const items = Array.from({ length: 200 }, (_, i) => i)
  await t.rejects(inLanes(items, work), { message: 'seven' })
  t.equal(done.length, 199, 'one that fails does not keep the others from their turn')
  t.equal(most, 32)
  await inLanes([], work)
})
