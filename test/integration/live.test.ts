/** The main job over real sockets: credit is held, raised and used up, and calls are settled. */
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { type CdrJson, formatInstant } from '../../src/call/cdr.js'
import { parseMoney } from '../../src/money.js'
import { latin1 } from '../../src/simulator/switch-event.js'
import { Live } from '../support/live.js'

/** Chunks of two seconds, so that a call is renewed and cut off within a few. */
const QUICK = { chunk_s: 2, lead_s: 1, retry_s: 1, timer_margin_s: 2 }

/** The bound that users are promised, from funded-until to the end of the leg. */
const CUT_OFF_WITHIN_US = 250_000

t.test('a call is held for, renewed, cut off at zero and settled to the microsecond', async t => {
  // An offset of a day: the switch's stamps and our clock must never be mixed.
  const live = await Live.start(t, { rules: QUICK, credit: { A: '0.07' }, aheadMs: 86_400_000 })
  const callId = live.call('A')
  const holds = new Set<string>()
  await live.until(async () => {
    for (const call of await live.api.callList({})) holds.add(call.held)
    return live.freeswitch.history.get(callId)?.hangupAt !== undefined
  }, 'the call is cut off')
  const cdr = await live.cdr(callId)
  const leg = live.freeswitch.history.get(callId)!
  t.ok(holds.has('0.040000'), 'setup and a chunk of two seconds')
  t.ok(holds.has('0.070000'), 'all that there is, in a partial chunk')
  t.equal(leg.endedBy, 'api', 'ended by uuid_kill')
  t.equal(leg.cause, 'ALLOTTED_TIMEOUT')
  const fundedUntil = leg.answeredAt! + 5_000_000
  t.ok(leg.hangupAt! - fundedUntil < CUT_OFF_WITHIN_US, 'in time')
  t.ok(leg.hangupAt! >= fundedUntil - 20_000, 'and not early, but for the step of the stamps')
  t.match(cdr, {
    outcome: 'cut_off',
    reason: 'no_credit',
    cost: '0.070000',
    held: '0.070000',
    answered_at: formatInstant(leg.answeredAt!),
    ended_at: formatInstant(leg.hangupAt!),
    switch: 'sim',
  })
  const writtenOff = await live.api.cdrList({ write_off: 'true' })
  t.equal(writtenOff.length, cdr.write_off === '0.000000' ? 0 : 1)
  const account = await live.api.accountShow({ code: 'A' })
  t.match(account, { balance: '0.000000', held: '0.000000', available: '0.000000' })
  t.strictSame((await live.verify()).problems, [])
})

t.test('two hundred calls at once on one account with credit for seven', async t => {
  // Seven times setup and the smallest chunk that is let through: a second.
  const rules = { chunk_s: 60, partial_chunk: false }
  const live = await Live.start(t, { rules, credit: { A: '4.40' } })
  const ids = Array.from({ length: 200 }, () => live.call('A', { talkMs: 2000, aLeg: false }))
  const cdrs: CdrJson[] = []
  for (const id of ids) cdrs.push(await live.cdr(id))
  const by = (outcome: string) => cdrs.filter(cdr => cdr.outcome === outcome)
  t.equal(by('completed').length, 7)
  t.equal(by('refused').length, 193)
  t.ok(by('refused').every(cdr => cdr.reason === 'no_credit' && cdr.cost === '0.000000'))
  const spent = cdrs.reduce((sum, cdr) => sum + parseMoney(cdr.cost), 0n)
  const { balance, held } = await live.api.accountShow({ code: 'A' })
  t.equal(parseMoney(balance), parseMoney('4.40') - spent)
  t.equal(held, '0.000000')
  t.strictSame((await live.verify()).problems, [])
})

t.test('a top-up reaches a call that is about to be cut off', async t => {
  const live = await Live.start(t, { rules: QUICK, credit: { A: '0.04' } })
  const callId = live.call('A', { talkMs: 4000 })
  await live.until(async () => (await live.api.callList({})).some(call => call.final), 'final')
  await live.api.topUp({ code: 'A', amount: '1', reference: 'r1', reason: '', actor: 'test' })
  const cdr = await live.cdr(callId)
  t.match(cdr, {
    outcome: 'completed',
    cause: 'NORMAL_CLEARING',
    reason: null,
    write_off: '0.000000',
  })
  t.ok(Number(cdr.duration_s) > 3.9)
})

t.test('who pays', async t => {
  const live = await Live.start(t, { credit: { A: '10', B: '10' } })
  const talk = { talkMs: 600 }
  const own = live.call('A', talk)
  const inherited = live.call('B', { ...talk, acOn: 'a-set' })
  const account = live.call('B', { ...talk, acOn: 'directory' })
  const exported = live.call('A', { ...talk, acOn: 'export' })
  const instant = live.call('A', { ...talk, ringMs: 0, instant: true })
  const unknown = live.call('NOBODY', talk)
  const noRate = live.call('A', { ...talk, number: '999' })
  const malformed = live.call('A', { ...talk, number: 'anonymous' })
  const quoted = live.call(`A'; DROP TABLE account; --"`, talk)
  const huge = live.call('A'.repeat(10_000), talk)
  const latin1Name = live.call('A', { ...talk, callerName: latin1('Ren\xe9') })
  for (const [callId, payer] of [
    [own, 'A'],
    [inherited, 'B'],
    [account, 'B'],
    [exported, 'A'],
    [instant, 'A'],
    [latin1Name, 'A'],
  ] as const) {
    t.match(await live.cdr(callId), { account: payer, outcome: 'completed', cost: '0.030000' })
  }
  for (const [callId, reason] of [
    [unknown, 'unknown_account'],
    [quoted, 'unknown_account'],
    [huge, 'unknown_account'],
    [noRate, 'no_rate'],
    [malformed, 'malformed_number'],
  ] as const) {
    t.match(await live.cdr(callId), { outcome: 'refused', reason, cost: '0.000000' })
  }
  t.equal((await live.api.cdrList({})).length, 11, 'nobody else pays')
})

t.test('an operator kills a call, and closes an account with a live one', async t => {
  const live = await Live.start(t, { rules: QUICK, credit: { A: '10' } })
  const killed = live.call('A')
  const closing = live.call('A')
  await live.until(
    async () => (await live.api.callList({})).filter(c => c.state === 'answered').length === 2,
    'both are up',
  )
  await live.api.callKill({ actor: 'test', call_id: killed })
  t.match(await live.cdr(killed), { outcome: 'completed', reason: 'killed' })
  await live.api.accountClose({ actor: 'test', code: 'A' })
  const refused = live.call('A')
  t.match(await live.cdr(refused), { outcome: 'refused', reason: 'account_closed' })
  t.match(await live.cdr(closing), { outcome: 'cut_off', reason: 'account_closed' })
})

t.test('the connection is lost: what ended meanwhile is settled, what lives goes on', async t => {
  const rules = { ...QUICK, hangup_grace_s: 1, sweep_s: 1 }
  const live = await Live.start(t, { rules, credit: { A: '10' } })
  const gone = live.call('A')
  const lives = live.call('A')
  const answered = () => live.api.callList({}).then(all => all.filter(c => c.state === 'answered'))
  await live.until(async () => (await answered()).length === 2, 'both are up')
  live.server.reset()
  live.freeswitch.hangUp(gone)
  const lost = await live.cdr(gone)
  t.match(lost, { outcome: 'completed', reason: 'lost', cause: 'LOST' })
  t.ok(lost.ended_at <= formatInstant(live.freeswitch.history.get(gone)!.hangupAt!), 'not too much')
  t.ok(live.freeswitch.legs().includes(lives))
  await setTimeout(3000)
  t.match(await answered(), [{ call_id: lives, final: false }], 'renewed ever since')
  live.freeswitch.hangUp(lives)
  t.match(await live.cdr(lives), { outcome: 'completed', reason: null })
})

t.test('many hang up at once: a call whose end is still to be told is not lost', async t => {
  const rules = { hangup_grace_s: 1, sweep_s: 1 }
  const live = await Live.start(t, { rules, credit: { A: '2000' } })
  const ids = Array.from({ length: 150 }, () => live.call('A', { aLeg: false }))
  const isUp = async () => (await live.api.callList({})).filter(c => c.state === 'answered')
  await live.until(async () => (await isUp()).length === ids.length, 'all are up')
  // An event socket that takes 10 ms for each event: all wait in its queue, heartbeats as well.
  let freeMs = 0
  live.server.faults.event = () => {
    const nowMs = performance.now()
    freeMs = Math.max(freeMs, nowMs) + 10
    return { delayMs: freeMs - nowMs }
  }
  for (const callId of ids) live.freeswitch.hangUp(callId)
  await live.until(async () => (await live.api.callList({})).length === 0, 'all are settled')
  const cdrs = await live.api.cdrList({ limit: 1000 })
  t.equal(cdrs.length, ids.length)
  for (const { call_id, reason, ended_at } of cdrs) {
    const { hangupAt } = live.freeswitch.history.get(call_id)!
    t.match({ call_id, reason, ended_at }, { reason: null, ended_at: formatInstant(hangupAt!) })
  }
})

t.test(
  'the daemon is gone: the switch ends the calls; it comes back: they are settled',
  async t => {
    const rules = { ...QUICK, timer_margin_s: 1, hangup_grace_s: 1, sweep_s: 1 }
    const live = await Live.start(t, { rules, credit: { A: '10' } })
    const answered = live.call('A')
    await live.until(async () => (await live.api.callList({}))[0]?.state === 'answered', 'up')
    const ringing = live.call('A', { ringMs: 1000 })
    await live.until(async () => (await live.api.callList({})).length === 2, 'both known')
    await setTimeout(200)
    await live.daemon.stop()
    await live.until(() => live.freeswitch.legs().length === 0, 'both are ended', 30_000)
    for (const callId of [answered, ringing]) {
      const leg = live.freeswitch.history.get(callId)!
      t.equal(leg.endedBy, 'timer', 'by the switch alone')
      t.ok(leg.hangupAt! - leg.answeredAt! < 8_000_000, 'soon after its funds')
    }
    await live.startDaemon()
    for (const callId of [answered, ringing]) t.equal((await live.cdr(callId)).reason, 'lost')
    t.strictSame((await live.verify()).problems, [])
    t.equal((await live.api.accountShow({ code: 'A' })).held, '0.000000')
  },
)
