/** Which leg pays on a real FreeSWITCH, and for how long: forks, failover, loopback, hold, transfers. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Lab } from '../lab/lab.js'
import { settled } from '../lab/reckoning.js'
import { until } from '../lab/until.js'

export function legs(t: Test, lab: Lab): void {
  const heldOn = async (code: string) => (await lab.api.accountShow({ code })).held

  t.test('a forked dial holds for both and charges the one that is answered', async t => {
    const account = await lab.account('FORK', '10')
    const [slow, quick] = ['442071000001', '442071000002'] as const
    lab.carrier.plan(slow, { ringMs: null })
    lab.carrier2.plan(quick, { ringMs: 1500 })
    const call = await lab.call(`fork-${account}-${slow}-${quick}`)
    const legs = [await lab.legTo(slow), await lab.legTo(quick)]
    await until(async () => (await heldOn(account)) === '0.120000', 'credit is held for both')
    await until(() => call.state === 'answered', 'one has answered')
    await until(async () => (await heldOn(account)) === '0.060000', 'the loser holds nothing more')
    await sleep(1500)
    await call.hangUp()
    const [loser, winner] = await settled(t, lab, { account, paidIn: '10', legs })
    t.match(loser, { outcome: 'unanswered', cause: 'LOSE_RACE', cost: '0.000000' })
    t.match(winner, { outcome: 'completed', reason: null })
    t.equal(lab.carrier.callsTo(slow)[0]!.status, 487, 'the loser was cancelled')
  })

  t.test('a failover charges the carrier that answers', async t => {
    const account = await lab.account('FAILOVER', '10')
    const [busy, free] = ['442071000011', '442071000012'] as const
    lab.carrier.plan(busy, { ringMs: null, refuse: '486 Busy Here' })
    const call = await lab.talk(`failover-${account}-${busy}-${free}`)
    const legs = [await lab.legTo(busy), await lab.legTo(free)]
    await sleep(1500)
    await call.hangUp()
    const [first, second] = await settled(t, lab, { account, paidIn: '10', legs })
    t.match(first, { outcome: 'unanswered', cause: 'USER_BUSY', cost: '0.000000' })
    t.match(second, { outcome: 'completed', reason: null })
  })

  t.test('of a loopback pair and the real leg behind it only that leg pays', async t => {
    const account = await lab.account('LOOP', '10')
    const number = '442071000021'
    const call = await lab.talk(`loopback-${account}-${number}`)
    const leg = await lab.legTo(number)
    const halves = lab.watch.seen.filter(({ channel }) => channel.startsWith('loopback/'))
    t.ok(
      halves.some(({ get }) => get('variable_ac') === account),
      'the pair has the code as well',
    )
    await sleep(5000)
    await call.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'completed', reason: null })
    t.ok(Number(cdr!.duration_s) > 4.9)
  })

  t.test('time on hold is paid for', async t => {
    const account = await lab.account('HOLD', '10')
    const number = '442071000031'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(1000)
    t.equal(await call.reinvite('sendonly'), 200)
    await until(() => lab.watch.seen.some(({ name }) => name === 'CHANNEL_HOLD'), 'it is on hold')
    await sleep(5000)
    t.equal(await call.reinvite('sendrecv'), 200)
    await until(() => lab.watch.seen.some(({ name }) => name === 'CHANNEL_UNHOLD'), 'and back')
    await sleep(500)
    await call.hangUp()
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'completed', reason: null })
    t.ok(Number(cdr!.duration_s) > 6.4)
  })

  t.test(
    'after a blind transfer the leg that was called goes on paying, and so does the new one',
    async t => {
      const account = await lab.account('BLIND', '10')
      const other = await lab.account('OTHER', '10')
      const [first, second] = ['442071000041', '442071000042'] as const
      const call = await lab.talk(`pay-${account}-${first}`)
      const leg = await lab.legTo(first)
      await sleep(1000)
      t.equal(await call.refer(`pay-${other}-${second}`), 202)
      await lab.ended(call)
      const onward = await lab.legTo(second)
      await until(() => lab.carrier.callsTo(second)[0]?.state === 'answered', 'the new one is up')
      t.equal(lab.carrier.callsTo(first)[0]!.state, 'answered', 'the first is up yet')
      await sleep(5000)
      await lab.carrier.callsTo(first)[0]!.hangUp()
      await lab.ended(lab.carrier.callsTo(second)[0]!)
      const [old] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
      const [fresh] = await settled(t, lab, { account: other, paidIn: '10', legs: [onward] })
      for (const cdr of [old, fresh]) t.match(cdr, { outcome: 'completed', reason: null })
      t.ok(Number(old!.duration_s) > Number(fresh!.duration_s) + 0.9)
    },
  )

  t.test('after an attended transfer both legs that were called go on paying', async t => {
    const account = await lab.account('ATTENDED', '10')
    const numbers = ['442071000051', '442071000052'] as const
    const first = await lab.talk(`pay-${account}-${numbers[0]}`)
    t.equal(await first.reinvite('sendonly'), 200)
    const second = await lab.talk(`pay-${account}-${numbers[1]}`)
    const legs = await Promise.all(numbers.map(number => lab.legTo(number)))
    await sleep(1000)
    t.equal(await first.refer(second), 202)
    await lab.ended(first)
    await lab.ended(second)
    const [one, two] = numbers.map(number => lab.carrier.callsTo(number)[0]!)
    await sleep(5000)
    t.strictSame([one!.state, two!.state], ['answered', 'answered'], 'they talk to each other')
    await one!.hangUp()
    await lab.ended(two!)
    const cdrs = await settled(t, lab, { account, paidIn: '10', legs })
    for (const cdr of cdrs) t.match(cdr, { outcome: 'completed', reason: null })
    for (const cdr of cdrs) t.ok(Number(cdr.duration_s) > 5.9)
  })
}
