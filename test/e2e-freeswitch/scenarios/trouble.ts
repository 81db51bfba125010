/** A daemon that is gone while a real FreeSWITCH has calls, and what the switch's records mend. */
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { CdrJson } from '../../../src/call/cdr.js'
import { POST_TIMEOUT_S, unpostedOf } from '../lab/configuration.js'
import { GRACE_S, type Lab, RULES } from '../lab/lab.js'
import { cutOffAt, settled } from '../lab/reckoning.js'
import { until } from '../lab/until.js'

/** The switch's own timers are this exact, in seconds. */
const EARLY_S = 1
const LATE_S = 1.5

export function trouble(t: Test, lab: Lab): void {
  const unposted = unpostedOf(lab.installation.conf)

  t.test('records are posted, and change nothing where events have told all', async t => {
    const account = await lab.account('POSTED', '10')
    const number = '442075000001'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(1500)
    await call.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'completed', reason: null, corrected: false })
    t.strictSame(readdirSync(unposted), [], 'none is left in a file')
  })

  t.test('killed in mid-call: the switch ends it; the record gives it its exact end', async t => {
    const account = await lab.account('KILLED', '10')
    const number = '442075000011'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(3000)
    const fundedS = await fundedFor(lab, account)
    await lab.daemon.kill()
    await lab.ended(call)
    await endedByTimer(t, lab, leg, fundedS)
    await lab.startDaemon()
    const lost = await repaired(t, lab, account, leg)
    t.match(lost, { outcome: 'completed', reason: 'lost', cause: 'LOST' })
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { corrected: true, cause: 'ALLOTTED_TIMEOUT' })
    t.ok(Number(lost.duration_s) < Number(cdr!.duration_s), 'before it was charged too little')
  })

  t.test('killed while it rings: the switch ends it by the timer of its answer', async t => {
    const account = await lab.account('RUNG', '10')
    const number = '442075000021'
    lab.carrier.plan(number, { ringMs: 2500 })
    const call = await lab.call(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await until(
      async () => (await lab.api.accountShow({ code: account })).held === '0.060000',
      'credit is held',
    )
    await sleep(500)
    await lab.daemon.kill()
    await until(() => call.state === 'answered', 'it is answered all the same')
    await lab.ended(call)
    await endedByTimer(t, lab, leg, RULES.chunk_s)
    await lab.startDaemon()
    await repaired(t, lab, account, leg)
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { corrected: true, cause: 'ALLOTTED_TIMEOUT' })
  })

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    t.test(`${signal}, and started again: the call goes on`, async t => {
      const account = await lab.account(`ADOPTED_${signal}`, '10')
      const number = signal === 'SIGKILL' ? '442075000031' : '442075000032'
      lab.standBy()
      const call = await lab.talk(`pay-${account}-${number}`)
      const leg = await lab.legTo(number)
      await sleep(3000)
      await lab.daemon.kill(signal)
      await lab.startDaemon()
      await sleep(9000)
      t.equal(call.state, 'answered', 'no timer has ended it')
      t.match(await lab.api.callList({ account }), [
        { call_id: leg, state: 'answered', final: false },
      ])
      await call.hangUp()
      const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
      t.match(cdr, { outcome: 'completed', reason: null, corrected: false })
    })
  }

  t.test('adopted, and still cut off at zero', async t => {
    const account = await lab.account('ADOPTED_SHORT', '0.10')
    const number = '442075000033'
    lab.standBy()
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(3000)
    await lab.daemon.kill()
    await lab.startDaemon()
    await lab.ended(call)
    const [cdr] = await settled(t, lab, { account, paidIn: '0.10', legs: [leg] })
    cutOffAt(t, cdr!, 8)
    t.equal(cdr!.cost, '0.100000')
  })

  t.test('it ended while the daemon was gone: the record gives it its exact end', async t => {
    const account = await lab.account('MISSED', '10')
    const number = '442075000041'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(1000)
    await lab.daemon.kill()
    await sleep(1000)
    await call.hangUp()
    await lab.startDaemon()
    await repaired(t, lab, account, leg)
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { corrected: true, outcome: 'completed', cause: 'NORMAL_CLEARING' })
  })

  t.test('a daemon that says nothing: a leg waits for its record only so long', async t => {
    const account = await lab.account('STALLED', '10')
    const number = '442075000061'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(1000)
    lab.daemon.child.kill('SIGSTOP')
    await call.hangUp()
    const endedMs = performance.now()
    const file = `${leg}.cdr.json`
    const isThere = () => readdirSync(unposted).includes(file)
    await until(isThere, 'the record is left in a file').finally(() => {
      lab.daemon.child.kill('SIGCONT')
    })
    const tookS = (performance.now() - endedMs) / 1000
    t.ok(tookS > POST_TIMEOUT_S - 1 && tookS < POST_TIMEOUT_S + 2, `after ${tookS} s`)
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'completed', reason: null, corrected: false })
    await lab.tollgate('cdr', 'import', unposted)
    await settled(t, lab, { account, paidIn: '10', legs: [leg] })
  })

  t.test('nobody has seen it at all: it is on the list, and charged once', async t => {
    const account = await lab.account('UNSEEN', '10')
    const number = '442075000051'
    await lab.daemon.kill()
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(2300)
    await call.hangUp()
    await until(() => lab.freeswitch.record(leg) !== null, 'the switch has its record')
    await lab.startDaemon()
    await lab.tollgate('cdr', 'import', unposted)
    t.strictSame(await lab.api.cdrList({ account }), [], 'its events may be late yet')
    await until(
      async () => (await lab.api.unseenList({})).some(({ call_id }) => call_id === leg),
      'it is on the list',
      (GRACE_S + 10) * 1000,
    )
    await lab.tollgate('cdr', 'charge', leg, '--reason', 'was down', '--yes')
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'completed', write_off: '0.000000' })
    t.strictSame(await lab.api.unseenList({}), [])
    await lab.tollgate('cdr', 'import', unposted)
    await settled(t, lab, { account, paidIn: '10', legs: [leg] })
  })
}

/** For how long the only live call of an account is funded, in seconds from its answer. */
async function fundedFor(lab: Lab, account: string): Promise<number> {
  const [call] = await lab.api.callList({ account })
  // Setup is two cents, and a second is one.
  return Math.round(Number(call!.held) * 100 - 2)
}

async function endedByTimer(t: Test, lab: Lab, leg: string, fundedS: number): Promise<void> {
  await until(() => lab.freeswitch.record(leg) !== null, 'the switch has its record')
  const { answeredAt, endedAt, cause } = lab.freeswitch.record(leg)!
  t.equal(cause, 'ALLOTTED_TIMEOUT', 'by the timer of the switch')
  const lateS = (endedAt - answeredAt!) / 1e6 - fundedS
  const dueS = RULES.timer_margin_s
  t.ok(lateS > dueS - EARLY_S && lateS < dueS + LATE_S, `${lateS} s after what was held`)
  t.comment(
    `measured: the switch's own timer, due ${dueS} s after the credit, ended the call ${lateS.toFixed(2)} s after it`,
  )
}

/** Imports what could not be posted. Returns the CDR as it was before. */
async function repaired(t: Test, lab: Lab, account: string, leg: string): Promise<CdrJson> {
  const find = async () =>
    (await lab.api.cdrList({ account })).find(({ call_id }) => call_id === leg)
  // It is closed when later events have come: on a switch with nothing else to tell, two heartbeats.
  const isClosed = async () => {
    const call = await lab.call('tone')
    await sleep(1000)
    await call.hangUp()
    return (await find()) !== undefined
  }
  await until(isClosed, 'the lost call is closed', 60_000)
  const before = (await find())!
  const unposted = unpostedOf(lab.installation.conf)
  t.ok(readdirSync(unposted).includes(`${leg}.cdr.json`), 'its record is left in a file')
  await lab.tollgate('cdr', 'import', unposted)
  t.notOk(readdirSync(unposted).includes(`${leg}.cdr.json`), 'and taken in')
  return before
}
