/** The gate on a real FreeSWITCH: nothing is sent to the carrier for a call that is not let through. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Lab, LEASE_S } from '../lab/lab.js'
import { settled } from '../lab/reckoning.js'
import { until } from '../lab/until.js'

/** More than an INVITE ever takes. */
const NO_INVITE_MS = 500

export function gate(t: Test, lab: Lab): void {
  /** No INVITE has reached a carrier, and the switch has made no leg for one. */
  const nothingWasSent = async (t: Test, number: string) => {
    await sleep(NO_INVITE_MS)
    const invites = [...lab.carrier.callsTo(number), ...lab.carrier2.callsTo(number)]
    t.equal(invites.length, 0, 'no carrier was sent anything')
    t.equal(lab.watch.created(number).length, 0, 'the switch has made no leg')
  }
  /** The status that a caller gets who is not let through. */
  const refused = async (extension: string) => {
    const call = await lab.call(extension)
    await lab.ended(call)
    return call.status
  }

  for (const form of ['gate', 'gate-async']) {
    t.test(`${form}: let through, with credit held before the INVITE`, async t => {
      const account = await lab.account(`LET_${form.replace('-', '_')}`, '10')
      const number = form === 'gate' ? '442072000001' : '442072000002'
      const call = await lab.call(`${form}-${account}-${number}`)
      const leg = await lab.legTo(number)
      const create = lab.watch.created(number)[0]!
      t.equal(create.get('variable_origination_uuid'), leg, 'it has the id that it was given')
      t.equal(create.get('variable_ac'), account)
      await until(() => call.state === 'answered', 'it is answered')
      await sleep(5000)
      await call.hangUp()
      const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
      t.match(cdr, { outcome: 'completed', reason: null })
      const held = lab.daemon.logged.some(
        ({ msg, callId }) => callId === leg && msg === 'a leg did not come: its hold is given back',
      )
      t.notOk(held, 'its hold was never given back')
    })

    t.test(`${form}: refused, and nothing is sent`, async t => {
      const account = await lab.account(`NO_${form.replace('-', '_')}`, '0.02')
      const number = form === 'gate' ? '442072000011' : '442072000012'
      t.equal(await refused(`${form}-${account}-${number}`), 402)
      await nothingWasSent(t, number)
      await until(async () => (await lab.api.cdrList({ account })).length === 1, 'it is on record')
      const [cdr] = await lab.api.cdrList({ account })
      t.match(cdr, { outcome: 'refused', reason: 'no_credit', cost: '0.000000', number })
      t.match(await lab.api.accountShow({ code: account }), {
        balance: '0.020000',
        held: '0.000000',
      })
      t.equal(await refused(`${form}-NOBODY-${number}`), 402, 'an account that there is not')
      await nothingWasSent(t, number)
    })
  }

  t.test('ten calls at once on credit for three: seven are never sent', async t => {
    const account = await lab.account('GATECROWD', '0.18')
    const numbers = Array.from({ length: 10 }, (_, i) => `44207200002${i}`)
    for (const number of numbers) lab.carrier.plan(number, { ringMs: 500 })
    const calls = await Promise.all(numbers.map(number => lab.call(`gate-${account}-${number}`)))
    await until(() => calls.every(({ state }) => /answered|ended/.test(state)), 'all is decided')
    const statuses = calls.map(({ status }) => status)
    t.equal(statuses.filter(status => status === 200).length, 3)
    t.equal(statuses.filter(status => status === 402).length, 7)
    await sleep(2000)
    await Promise.all(calls.map(call => call.hangUp()))
    const sent = numbers.filter(number => lab.carrier.callsTo(number).length > 0)
    t.equal(sent.length, 3, 'three INVITEs reached the carrier')
    const let_ = await Promise.all(sent.map(number => lab.legTo(number)))
    await until(async () => (await lab.api.cdrList({ account })).length === 10, 'all are on record')
    const cdrs = await lab.api.cdrList({ account })
    const denied = cdrs.filter(({ outcome }) => outcome === 'refused').map(cdr => cdr.call_id)
    t.equal(denied.length, 7)
    const all = { account, paidIn: '0.18', legs: [...let_, ...denied], unrecorded: denied }
    const [...known] = await settled(t, lab, all)
    t.equal(known.filter(({ outcome }) => outcome === 'completed').length, 3)
  })

  t.test('failover asks for two ids, and charges the carrier that answers', async t => {
    const account = await lab.account('GATEOVER', '10')
    const number = '442072000031'
    lab.carrier.plan(number, { ringMs: null, refuse: '503 Service Unavailable' })
    const call = await lab.talk(`gate-failover-${account}-${number}`)
    const legs = lab.watch.created(number).map(({ legId }) => legId)
    t.equal(new Set(legs).size, 2)
    await sleep(1500)
    await call.hangUp()
    const [first, second] = await settled(t, lab, { account, paidIn: '10', legs })
    t.match(first, { outcome: 'unanswered', cost: '0.000000' })
    t.match(second, { outcome: 'completed', reason: null })
  })

  t.test('failover that is not needed gives the second hold back', async t => {
    const account = await lab.account('GATEONE', '10')
    const number = '442072000032'
    const call = await lab.talk(`gate-failover-${account}-${number}`)
    const leg = await lab.legTo(number)
    await until(
      async () => (await lab.api.accountShow({ code: account })).held === '0.060000',
      'only the leg that talks holds credit',
    )
    await call.hangUp()
    await settled(t, lab, { account, paidIn: '10', legs: [leg] })
  })

  t.test('the caller gives up while it rings', async t => {
    const account = await lab.account('GATEQUIT', '10')
    const number = '442072000033'
    lab.carrier.plan(number, { ringMs: null })
    const call = await lab.call(`gate-${account}-${number}`)
    const leg = await lab.legTo(number)
    await call.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'unanswered', cost: '0.000000' })
  })

  t.test('how long it takes', async t => {
    const account = await lab.account('CLOCK', '100')
    for (const way of ['pay', 'gate', 'gate-async']) {
      const tookMs: number[] = []
      for (let i = 0; i < 20; i++) tookMs.push(await inviteMs(lab, way, account, i))
      tookMs.sort((a, b) => a - b)
      const [middle, most] = [tookMs[10]!, tookMs[19]!].map(ms => ms.toFixed(1))
      t.comment(
        `measured: from the caller's INVITE to the carrier's, ${way}: ${middle} ms in the middle, ${most} ms at most`,
      )
      t.ok(tookMs[10]! < 200, way)
    }
  })

  t.test('a daemon that says nothing: refused within the bound, and nothing is sent', async t => {
    const account = await lab.account('SILENT', '10')
    const [number, other] = ['442072000041', '442072000042'] as const
    lab.daemon.child.kill('SIGSTOP')
    const began = performance.now()
    const statuses = await Promise.all([
      refused(`gate-${account}-${number}`),
      refused(`gate-async-${account}-${other}`),
    ])
    const tookMs = performance.now() - began
    await nothingWasSent(t, number)
    await nothingWasSent(t, other)
    lab.daemon.child.kill('SIGCONT')
    t.strictSame(statuses, [503, 503])
    t.ok(tookMs < 6000, `${tookMs} ms`)
    t.comment(
      `measured: refused ${(tookMs / 1000).toFixed(1)} s after a daemon that is stopped was asked`,
    )
    await until(
      async () => (await lab.api.accountShow({ code: account })).held === '0.000000',
      'nothing stays held for those who did not wait',
    )
    await settled(t, lab, { account, paidIn: '10', legs: [] })
  })

  t.test('no daemon: refused at once; the lease runs out', async t => {
    const account = await lab.account('GONE', '10')
    const [led, number, leased] = ['442072000051', '442072000052', '442072000053'] as const
    const call = await lab.talk(`lease-${account}-${led}`)
    const leg = await lab.legTo(led)
    await call.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'completed' }, 'with a lease calls go through')
    await lab.daemon.kill()
    t.equal(await refused(`gate-${account}-${number}`), 503)
    t.equal(await refused(`gate-async-${account}-${number}`), 503)
    await nothingWasSent(t, number)
    await sleep((LEASE_S + 1) * 1000)
    t.equal(await refused(`lease-${account}-${leased}`), 403)
    await nothingWasSent(t, leased)
    await lab.startDaemon()
    await settled(t, lab, { account, paidIn: '10', legs: [leg] })
  })
}

/** From the caller's INVITE to the moment at which it reaches the carrier. */
async function inviteMs(lab: Lab, way: string, account: string, i: number): Promise<number> {
  const number = `4420721${way.length}${String(i).padStart(4, '0')}`
  lab.carrier.plan(number, { ringMs: null })
  const call = await lab.call(`${way}-${account}-${number}`)
  await until(() => lab.carrier.callsTo(number).length > 0, 'the INVITE has arrived')
  const tookMs = lab.carrier.callsTo(number)[0]!.beganMs - call.beganMs
  await call.hangUp()
  await lab.ended(call)
  return tookMs
}
