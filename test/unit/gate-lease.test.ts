/** The lease is renewed while all is well, and not otherwise. */
import pino from 'pino'
import t, { type Test } from 'tap'
import { Lease } from '../../src/gate/lease.js'
import { s } from '../support/story.js'
import { supervise } from '../support/supervised.js'

/** A lease of 30 s on a switch that is up, and what is written of it from then on. */
async function leased(t: Test) {
  const calls = await supervise(t)
  const { ledger, clock, failing, hanging, freeswitch } = calls.world
  const { link } = calls.parts
  const logged: string[] = []
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line).msg) })
  const lease = new Lease(link, { ledger, clock, log, leaseS: 30 })
  return { calls, lease, link, failing, hanging, freeswitch, logged, ledger }
}

/** A lease until so many seconds after the beginning, in whole seconds of the switch. */
const until = (seconds: number) => `tollgate_lease is ${Math.floor(s(seconds) / 1e6)}`

t.test('it is renewed three times within its length', async t => {
  const { calls, lease } = await leased(t)
  await calls.beat(1)
  lease.start()
  await calls.rest()
  t.strictSame(calls.said(), [until(31)])
  await calls.at(10.9)
  t.strictSame(calls.said(), [])
  await calls.at(31.1)
  t.strictSame(calls.said(), [until(41), until(51), until(61)])
})

t.test('starting again, when the switch is up again, does not double it', async t => {
  const { calls, lease } = await leased(t)
  await calls.beat(1)
  lease.start()
  await calls.rest()
  await calls.at(4)
  lease.start()
  await calls.rest()
  await calls.at(13.9)
  t.strictSame(calls.said(), [until(31), until(34)])
  await calls.at(14.1)
  t.strictSame(calls.said(), [until(44)])
})

t.test('not while the ledger cannot be written', async t => {
  const { calls, lease, failing, hanging, logged } = await leased(t)
  await calls.beat(1)
  failing.add('heard')
  lease.start()
  await calls.rest()
  t.strictSame(calls.said(), [])
  t.strictSame(logged, ['the lease of the switch is not renewed'])
  failing.clear()
  hanging.add('heard')
  await calls.at(11.1)
  t.strictSame(calls.said(), [], 'nor while it does not answer')
  hanging.clear()
  await calls.at(12)
  t.strictSame(calls.said(), [until(42)])
})

t.test('not while no events come, nor while the time of the switch is not known', async t => {
  const { calls, lease, link } = await leased(t)
  lease.start()
  await calls.rest()
  t.strictSame(calls.said(), [])
  await calls.beat(5)
  await calls.at(6)
  t.strictSame(calls.said(), [until(36)], 'within a second of its first event')
  link.onDown()
  await calls.at(10.1)
  t.strictSame(calls.said(), [])
  await calls.at(16.1)
  t.strictSame(calls.said(), [])
  link.onUp()
  await calls.at(26.1)
  t.strictSame(calls.said(), [until(56)])
})

const BEAT = { name: 'HEARTBEAT', version: null, sessions: null } as const

t.test('not for another run of the switch than was asked for', async t => {
  const { calls, lease, link, hanging } = await leased(t)
  await calls.beat(1)
  hanging.add('heard')
  lease.start()
  await calls.rest()
  calls.world.freeswitch.coreUuid = 'core-2'
  link.onEvent({ ...BEAT, at: s(1), coreUuid: 'core-2' })
  hanging.clear()
  await calls.rest()
  t.strictSame(calls.said(), [])
  hanging.add('heard')
  await calls.at(11.1)
  link.onDown()
  hanging.clear()
  await calls.rest()
  t.strictSame(calls.said(), [], 'nor for one that is down by then')
})

t.test('the write that proves the ledger says nothing new', async t => {
  const { calls, lease, ledger } = await leased(t)
  await calls.beat(1)
  await ledger.heard('fs1', 'core-1', 5)
  lease.start()
  await calls.rest()
  t.equal(await ledger.lastHeard('fs1', 'core-1'), 5)
})

t.test('a switch that refuses it is asked again', async t => {
  const { calls, lease, freeswitch, logged } = await leased(t)
  await calls.beat(1)
  freeswitch.failing.add('setGlobal')
  lease.start()
  await calls.at(2)
  t.strictSame(logged, ['the lease of the switch is not renewed'])
  freeswitch.failing.clear()
  calls.said()
  await calls.at(11.1)
  t.strictSame(calls.said(), [until(41)])
})

t.test('it ends when we stop', async t => {
  const { calls, lease, hanging } = await leased(t)
  await calls.beat(1)
  hanging.add('heard')
  lease.start()
  await calls.rest()
  await lease.stop()
  hanging.clear()
  await calls.at(60)
  lease.start()
  await calls.at(120)
  t.strictSame(calls.said(), ['tollgate_lease is 0'], 'and is not renewed after that')
})

t.test('a switch that is down, or does not take it, does not keep us from stopping', async t => {
  const { calls, lease, freeswitch, link, logged } = await leased(t)
  await calls.beat(1)
  freeswitch.failing.add('setGlobal')
  await lease.stop()
  t.strictSame(logged, ['the lease of the switch runs on to its end'])
  calls.said()
  link.onDown()
  await lease.stop()
  t.strictSame(calls.said(), [])
})
