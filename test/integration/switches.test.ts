/** Several switches in one daemon: what is told of them, and that none of them disturbs another. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { SwitchJson } from '../../src/provisioning/switches.js'
import { tollgate } from '../support/command-line.js'
import { Live } from '../support/live.js'

t.setTimeout(60_000)

const HOUR_MS = 3_600_000

const stateOf = async (live: Live, name: string): Promise<SwitchJson> =>
  (await live.api.switchList({})).find(one => one.name === name)!

t.test('switch list: one is up, one an hour ahead, one down, and one refuses', async t => {
  const others = { ahead: { aheadMs: HOUR_MS }, down: { isDown: true }, shut: { isDown: true } }
  const gate = { listen: '127.0.0.1:0', lease_s: 30 }
  const live = await Live.start(t, { credit: { A: '10' }, others, gate })
  const shut = live.others.get('shut')!
  shut.server.rejectsByAcl = true
  await shut.server.refuseConnections(false)
  const before = Date.now()
  const callId = live.call('A')
  await live.until(async () => (await stateOf(live, 'sim')).calls === 1, 'the call is there')
  await live.until(async () => (await stateOf(live, 'sim')).sessions === 2, 'a heartbeat counts it')
  await live.until(async () => (await stateOf(live, 'shut')).state === 'refused', 'turned away')
  await live.until(async () => (await stateOf(live, 'ahead')).sessions !== null, 'it beats')
  await live.until(async () => (await stateOf(live, 'ahead')).lease_until !== null, 'its lease')

  const switches = await live.api.switchList({})
  t.strictSame(
    switches.map(({ name }) => name),
    ['sim', 'ahead', 'down', 'shut'],
    'as they are configured',
  )
  const [sim, ahead, down, turnedAway] = switches as [SwitchJson, ...SwitchJson[]]
  t.match(sim, {
    ...{ host: '127.0.0.1', port: live.server.port, state: 'connected', why: null },
    ...{ version: '1.11.3-dev~64bit', core_uuid: live.freeswitch.coreUuid, calls: 1, sessions: 2 },
    ...{ gate_allowed: 0, gate_denied: 0, gate_expected: 0 },
  })
  t.ok(Date.parse(sim.since!) <= before, 'connected before the call')
  t.ok(sim.lag_ms! >= 0 && sim.lag_ms! < 1000, `${sim.lag_ms} ms late`)
  t.ok(Math.abs(sim.clock_offset_ms!) < 500, `${sim.clock_offset_ms} ms ahead`)
  t.ok(sim.heartbeat_age_s! <= 2, `${sim.heartbeat_age_s} s ago`)
  t.match(ahead, { state: 'connected', calls: 0, sessions: 0 })
  t.ok(Math.abs(ahead!.clock_offset_ms! - HOUR_MS) < 500, `${ahead!.clock_offset_ms} ms ahead`)
  t.ok(ahead!.lag_ms! < 1000, 'which makes its events no later')
  const leaseMs = Date.parse(ahead!.lease_until!) - HOUR_MS - Date.now()
  t.ok(leaseMs > 10_000 && leaseMs <= 31_000, 'its lease is by its own clock')
  const nothing = { version: null, core_uuid: null, lag_ms: null, clock_offset_ms: null }
  t.match(down, { state: 'connecting', why: /nothing listens/, ...nothing, calls: 0 })
  t.match(turnedAway, { state: 'refused', why: /turns our address away/, lease_until: null })

  const { out, code } = await tollgate(live.dataDir, ['switch', 'list', '--json'])
  t.equal(code, 0)
  const keys = (one: object) => Object.keys(one)
  t.strictSame(keys(JSON.parse(out)[0]), keys(sim), 'the daemon and the CLI tell the same')
  const table = await tollgate(live.dataDir, ['switch', 'list'])
  t.match(table.out, /^name +state +since \(UTC\) +calls/)
  t.match(table.out, /^ahead +connected .*\+\d{4}\.\d\d /m)
  t.match(table.out, /^shut +refused .*turns our address away/m)
  t.equal(table.err, '')

  live.freeswitch.crash()
  await live.until(async () => (await stateOf(live, 'sim')).state === 'connecting', 'it is gone')
  const gone = await stateOf(live, 'sim')
  t.match(gone, { why: /./, calls: 1, core_uuid: sim.core_uuid }, 'nothing is forgotten of it')
  t.ok(gone.since! > sim.since!, 'since it is gone')
  live.freeswitch.recover()
  const isBack = async () => (await stateOf(live, 'sim')).core_uuid === live.freeswitch.coreUuid
  await live.until(isBack, 'it is back, as another run')
  t.not(live.freeswitch.coreUuid, sim.core_uuid)
  live.freeswitch.hangUp(callId)
  await live.cdr(callId)
  await live.until(async () => (await stateOf(live, 'sim')).calls === 0, 'the call is over')
})

t.test('switch list without a daemon, and before there are any books', async t => {
  const dir = t.testdir()
  writeFileSync(
    join(dir, 'tollgate.toml'),
    '[[switch]]\nname = "a"\nhost = "10.0.0.1"\n[[switch]]\nname = "b"\nport = 8022\n',
  )
  const { out, err, code } = await tollgate(dir, ['switch', 'list'])
  t.equal(code, 0)
  t.match(out, /^a +not supervised +- /m)
  t.match(err, /No daemon runs/)
  const listed = JSON.parse((await tollgate(dir, ['switch', 'list', '--json'])).out)
  t.match(listed, [
    { name: 'a', host: '10.0.0.1', port: 8021, state: 'not_supervised', since: null, calls: null },
    { name: 'b', host: '127.0.0.1', port: 8022, state: 'not_supervised', gate_allowed: null },
  ])
  const typed = { input: 'record\nx\n--switch\n\n' }
  const completed = await tollgate(dir, ['completion', 'answer'], typed)
  t.equal(completed.out, 'a\t10.0.0.1:8021\nb\t127.0.0.1:8022\n')
})
