/** Several switches in one daemon: what is told of them, and that none of them disturbs another. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t from 'tap'
import { formatInstant } from '../../src/call/cdr.js'
import { checkConfig } from '../../src/config.js'
import { Daemon } from '../../src/daemon.js'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import type { SwitchJson } from '../../src/provisioning/switches.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { tollgate } from '../support/command-line.js'
import { ask } from '../support/gate-caller.js'
import { Live } from '../support/live.js'
import { CENT, LEG, TARIFF } from '../support/story.js'

t.setTimeout(60_000)

const HOUR_MS = 3_600_000

/** What a machine that has no time for a test may make of nothing. */
const NEAR_MS = 20_000

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
  t.ok(sim.lag_ms! >= 0 && sim.lag_ms! < NEAR_MS, `${sim.lag_ms} ms late`)
  t.ok(Math.abs(sim.clock_offset_ms!) < NEAR_MS, `${sim.clock_offset_ms} ms ahead`)
  t.ok(sim.heartbeat_age_s! * 1000 < NEAR_MS, `${sim.heartbeat_age_s} s ago`)
  t.match(ahead, { state: 'connected', calls: 0, sessions: 0 })
  t.ok(Math.abs(ahead!.clock_offset_ms! - HOUR_MS) < NEAR_MS, `${ahead!.clock_offset_ms} ms ahead`)
  t.ok(ahead!.lag_ms! < NEAR_MS, 'which makes its events no later')
  const leaseMs = Date.parse(ahead!.lease_until!) - HOUR_MS - Date.now()
  t.ok(leaseMs > 30_000 - NEAR_MS && leaseMs < 30_000 + NEAR_MS, 'its lease is by its own clock')
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

/** Chunks of two seconds, so that a call is renewed and cut off within a few. */
const QUICK = { chunk_s: 2, lead_s: 1, retry_s: 1, timer_margin_s: 2, sweep_s: 1 }

t.test('two switches with one Unique-ID: neither leg talks on the other one', async t => {
  const live = await Live.start(t, { rules: QUICK, credit: { A: '10' }, others: { two: {} } })
  const two = live.others.get('two')!.freeswitch
  // As a dialplan makes it that hands the id on from switch to switch, by origination_uuid.
  const callId = live.call('A')
  const answered = async () => (await live.api.callList({})).filter(c => c.state === 'answered')
  await live.until(async () => (await answered()).length === 1, 'it talks')
  const far = { aLeg: true, number: '442079460000', ac: 'A', acOn: 'b', answer: true } as const
  two.placeCall({ ...far, uuid: callId, ringMs: 50, talkMs: null })
  await live.until(() => two.history.get(callId)?.hangupAt !== undefined, 'the other is ended')
  t.equal(two.history.get(callId)!.cause, 'CALL_REJECTED')
  await live.until(
    () => live.logged.some(line => line['msg'] === 'two switches have a leg of the same Unique-ID'),
    'it is logged',
  )
  await new Promise(resolve => setTimeout(resolve, 2500))
  t.match(await answered(), [{ call_id: callId, switch: 'sim' }], 'and the first one goes on')
  live.freeswitch.hangUp(callId)
  const cdr = await live.cdr(callId)
  const leg = live.freeswitch.history.get(callId)!
  t.match(cdr, { switch: 'sim', outcome: 'completed', cause: 'NORMAL_CLEARING' })
  t.equal(cdr.ended_at, formatInstant(leg.hangupAt!), 'by its own end')
  t.strictSame((await live.verify()).problems, [])
})

t.test('a switch that hangs, and one that is down, keep no other one waiting', async t => {
  const others = { hung: {}, down: { isDown: true } }
  const gate = { listen: '127.0.0.1:0', lease_s: 3 }
  const live = await Live.start(t, { rules: QUICK, credit: { A: '0.07', B: '10' }, others, gate })
  const hung = live.others.get('hung')!
  const stuck = hung.freeswitch.placeCall({
    ...{ aLeg: true, number: '442079460000', ac: 'B', acOn: 'b', answer: true },
    ...{ ringMs: 50, talkMs: null },
  }).b
  await live.until(
    async () => (await live.api.callList({})).some(call => call.state === 'answered'),
    'it talks there',
  )
  hung.server.freeze()
  const lease = () => Number(live.freeswitch.api('global_getvar tollgate_lease'))
  await live.until(() => lease() > 0, 'a lease')
  const leased = lease()
  const callId = live.call('A')
  await live.until(() => live.freeswitch.history.get(callId)?.hangupAt !== undefined, 'cut off')
  const { answeredAt, hangupAt, endedBy } = live.freeswitch.history.get(callId)!
  t.equal(endedBy, 'api')
  t.ok(Math.abs(hangupAt! - answeredAt! - 5e6) < 250_000, 'to the moment')
  t.ok(lease() > leased, 'its lease is renewed')
  const port = Number(live.logged.find(line => line['msg'] === 'the gate is open')?.['port'])
  const askFor = (coreUuid: string, aLeg: string) => {
    const at = live.freeswitch.options.timeline.now()
    const headers = { variable_tollgate_number: '4420' }
    return ask({ port, aLeg, coreUuid, at, account: 'B', headers })
  }
  t.match(await askFor(live.freeswitch.coreUuid, 'a-1'), { tollgate_result: 'allow' })
  const down = live.others.get('down')!.freeswitch
  for (const coreUuid of [down.coreUuid, 'nobody']) {
    t.match(await askFor(coreUuid, 'a-2'), { tollgate_reason: 'switch_unknown' }, coreUuid)
  }
  const { gate_allowed, gate_denied, gate_expected } = await stateOf(live, 'sim')
  t.strictSame([gate_allowed, gate_denied, gate_expected], [1, 0, 1], 'those of others are not its')
  await live.until(
    async () => (await stateOf(live, 'hung')).state !== 'connected',
    'given up',
    30_000,
  )
  t.match(await stateOf(live, 'hung'), { why: /./, calls: 1 }, 'its call is not')
  hung.server.thaw()
  hung.freeswitch.hangUp(stuck)
  t.match(await live.cdr(stuck), { switch: 'hung', reason: 'lost', account: 'B' })
  t.strictSame((await live.verify()).problems, [])
})

t.test('what the gate lets through belongs to the switch that asked', async t => {
  const live = await Live.start(t, {
    ...{ credit: { A: '10' }, rules: { chunk_s: 60 } },
    ...{ others: { two: { aheadMs: HOUR_MS } }, gate: { listen: '127.0.0.1:0' } },
  })
  const two = live.others.get('two')!.freeswitch
  const port = Number(live.logged.find(line => line['msg'] === 'the gate is open')?.['port'])
  await live.until(async () => (await stateOf(live, 'two')).core_uuid !== null, 'it is known')
  const asked = { port, aLeg: 'a-1', coreUuid: two.coreUuid, account: 'A' }
  const headers = { variable_tollgate_number: '4420' }
  const told = await ask({ ...asked, at: two.now(), headers })
  const uuid = told!['tollgate_leg_uuid']!
  const call = { aLeg: true, aUuid: 'a-1', number: '4420', answer: true, ringMs: 50 } as const
  two.placeCall({ ...call, ac: 'A', acOn: 'b', uuid, talkMs: 500 })
  t.match(await live.cdr(uuid), { switch: 'two', held: '0.620000', outcome: 'completed' })
  t.match(await stateOf(live, 'two'), { gate_allowed: 1, gate_denied: 0, gate_expected: 0 })
  t.match(await stateOf(live, 'sim'), { gate_allowed: 0, gate_denied: 0 })
})

t.test('what is held for the calls of a switch that was renamed is told of', async t => {
  const dataDir = t.testdir()
  const file = new LedgerFile(join(dataDir, 'ledger.db'))
  const owner = { ...DEFAULT_TERMS, code: LEG.account, plan: 'retail', credit: 100n * CENT }
  await new SqliteAccounts(file).create({ ...owner, actor: 'op' })
  const ledger = new SqliteLedger(file)
  for (const [callId, name] of [
    ['x', 'old'],
    ['y', 'old'],
    ['z', 'new'],
  ] as const) {
    const leg = { ...LEG, callId, switch: name }
    const total = 10n * CENT
    await ledger.hold({ at: 0, leg, tariff: TARIFF, answeredAt: null, total, atLeast: 0n })
  }
  file.close()
  const logged: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: line => logged.push(JSON.parse(line)) })
  const config = checkConfig({ switch: [{ name: 'new', port: 1 }] }, {}, 'test')
  const daemon = new Daemon({ dataDir, config, log })
  await daemon.start()
  t.teardown(() => daemon.stop())
  const told = logged.filter(({ msg }) => /is not in the configuration/.test(`${msg}`))
  t.match(told, [{ switch: 'old', calls: 2, held: '0.200000' }])
  t.equal(told.length, 1)
})
