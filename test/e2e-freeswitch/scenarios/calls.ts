/** Calls on a real FreeSWITCH, of which events alone tell: what they cost, and when they end. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Lab } from '../lab/lab.js'
import { cutOffAt, settled } from '../lab/reckoning.js'
import { until } from '../lab/until.js'

export function calls(t: Test, lab: Lab): void {
  t.test('a normal call, by each way of saying who pays', async t => {
    const account = await lab.account('NORMAL', '10')
    const legs: string[] = []
    for (const [i, way] of ['pay', 'set', 'export'].entries()) {
      const number = `44207000000${i}`
      const call = await lab.talk(`${way}-${account}-${number}`)
      legs.push(await lab.legTo(number))
      await sleep(1500 + 2000 * i)
      await call.hangUp()
    }
    const cdrs = await settled(t, lab, { account, paidIn: '10', legs })
    for (const cdr of cdrs) t.match(cdr, { outcome: 'completed', reason: null })
  })

  t.test('the far end hangs up; a price in steps of six seconds', async t => {
    const account = await lab.account('STEPS', '10')
    const number = '4930000001'
    await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(6300)
    await lab.carrier.callsTo(number)[0]!.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    // 0.005 + ⌈0.07 × 12 / 60⌉
    t.match(cdr, { billed_s: 12, cost: '0.019000', outcome: 'completed' })
  })

  t.test('nobody answers, and the caller gives up', async t => {
    const account = await lab.account('PATIENT', '10')
    const number = '442070000010'
    lab.carrier.plan(number, { ringMs: null })
    const call = await lab.call(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await until(
      async () => (await lab.api.accountShow({ code: account })).held === '0.060000',
      'setup and four seconds are held while it rings',
    )
    await call.hangUp()
    await lab.ended(call)
    t.equal(call.status, 487)
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'unanswered', cost: '0.000000', cause: 'ORIGINATOR_CANCEL' })
  })

  t.test('a call is cut off at zero', async t => {
    const account = await lab.account('SHORT', '0.07')
    const number = '442070000020'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await lab.ended(call)
    await lab.ended(lab.carrier.callsTo(number)[0]!)
    const [cdr] = await settled(t, lab, { account, paidIn: '0.07', legs: [leg] })
    cutOffAt(t, cdr!, 5)
    t.match(cdr, { cost: '0.070000', held: '0.070000' })
  })

  t.test('a top-up reaches a call that is about to be cut off', async t => {
    const account = await lab.account('SAVED', '0.06')
    const number = '442070000030'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    const live = () => lab.api.callList({ account })
    await until(async () => (await live()).some(({ final }) => final), 'all credit is held')
    await lab.api.topUp({ code: account, amount: '1', reference: 'r', reason: '', actor: 'e2e' })
    await sleep(5000)
    t.equal(call.state, 'answered', 'it goes on')
    await call.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '1.06', legs: [leg] })
    t.match(cdr, { outcome: 'completed', reason: null, write_off: '0.000000' })
    t.ok(Number(cdr!.duration_s) > 6)
  })

  t.test('ten calls at once on credit for three', async t => {
    const account = await lab.account('CROWD', '0.18')
    const numbers = Array.from({ length: 10 }, (_, i) => `44207000004${i}`)
    for (const number of numbers) lab.carrier.plan(number, { ringMs: 1500 })
    const calls = await Promise.all(numbers.map(number => lab.call(`pay-${account}-${number}`)))
    const legs = await Promise.all(numbers.map(number => lab.legTo(number)))
    await until(() => calls.every(({ state }) => /answered|ended/.test(state)), 'all is decided')
    t.equal(calls.filter(({ state }) => state === 'answered').length, 3, 'three are let through')
    await sleep(2000)
    await Promise.all(calls.map(call => call.hangUp()))
    const cdrs = await settled(t, lab, { account, paidIn: '0.18', legs })
    t.equal(cdrs.filter(({ outcome }) => outcome === 'completed').length, 3)
    const refused = cdrs.filter(cdr => cdr.outcome === 'refused' && cdr.reason === 'no_credit')
    t.equal(refused.length, 7)
    t.ok(refused.every(cdr => cdr.cost === '0.000000' && cdr.cause === 'CALL_REJECTED'))
  })

  t.test(
    'without the gate a far end that answers at once is answered, and costs nothing',
    async t => {
      const account = await lab.account('BROKE', '0.01')
      const number = '442070000050'
      lab.carrier.plan(number, { ringMs: 0 })
      const call = await lab.call(`pay-${account}-${number}`)
      const leg = await lab.legTo(number)
      await lab.ended(call)
      await lab.ended(lab.carrier.callsTo(number)[0]!)
      const [cdr] = await settled(t, lab, { account, paidIn: '0.01', legs: [leg] })
      t.match(cdr, { outcome: 'refused', reason: 'no_credit', cost: '0.000000' })
      const talkMs = Number(cdr!.duration_s) * 1000
      t.ok(talkMs < 500, `it was up for ${talkMs} ms`)
      t.comment(
        `measured: a refused leg that was answered at once was up for ${talkMs.toFixed(0)} ms`,
      )
    },
  )
}
