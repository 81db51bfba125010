/** A real FreeSWITCH that is stopped, or crashes, and is started again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Lab } from '../lab/lab.js'
import { cutOffAt, settled } from '../lab/reckoning.js'
import { until } from '../lab/until.js'

export function restart(t: Test, lab: Lab): void {
  const { power } = lab.installation
  if (!power) {
    const line = 'NOT TESTED: a restart of FreeSWITCH. Set TOLLGATE_E2E_START and TOLLGATE_E2E_STOP'
    return void t.test('FreeSWITCH restarted', { skip: line }, async () => {})
  }

  t.test('stopped with a live call: its end is told, and exact', async t => {
    const account = await lab.account('STOPPED', '10')
    const number = '442076000001'
    await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(3000)
    const awayMs = await lab.restartSwitch('stop')
    t.comment(`measured: the daemon was back ${(awayMs / 1000).toFixed(1)} s after the switch`)
    const [cdr] = await settled(t, lab, { account, paidIn: '10', legs: [leg] })
    t.match(cdr, { outcome: 'completed', cause: 'SYSTEM_SHUTDOWN', reason: null })
  })

  t.test('crashed with a live call: it is charged up to when it was last alive', async t => {
    const account = await lab.account('CRASHED', '10')
    const number = '442076000011'
    await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(5000)
    await lab.restartSwitch('crash')
    const lost = { account, paidIn: '10', legs: [leg], unrecorded: [leg] }
    const [cdr] = await settled(t, lab, lost)
    t.match(cdr, { outcome: 'completed', reason: 'lost', cause: 'LOST' })
    const seconds = Number(cdr!.duration_s)
    t.ok(seconds > 0 && seconds < 6, `of five seconds or so ${seconds} are charged`)
    t.comment(
      `measured: of a call of 5 s, when the switch crashed, ${seconds.toFixed(2)} s were charged`,
    )
  })

  t.test('crashed, and recovered with its calls: they go on, under new timers', async t => {
    // What the crash before has left behind would be recovered as well.
    await lab.watch.api('sofia recover flush')
    const account = await lab.account('RECOVERED', '0.30')
    const number = '442076000031'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await sleep(3000)
    await lab.restartSwitch('crash', async () => {
      t.match(await lab.watch.api('sofia recover'), /^Recovered 2 call/, 'both of its legs')
    })
    await until(
      async () => new RegExp(`,tg-\\d+-${leg},`).test(await lab.watch.api('show tasks')),
      'the new run of the switch has a timer for it',
    )
    await lab.ended(call, 60_000)
    const [cdr] = await settled(t, lab, { account, paidIn: '0.30', legs: [leg] })
    cutOffAt(t, cdr!, 28)
    t.equal(cdr!.cost, '0.300000')
  })

  t.test('and calls are supervised as before', async t => {
    const account = await lab.account('AFTER', '0.07')
    const number = '442076000021'
    const call = await lab.talk(`pay-${account}-${number}`)
    const leg = await lab.legTo(number)
    await lab.ended(call)
    const [cdr] = await settled(t, lab, { account, paidIn: '0.07', legs: [leg] })
    t.match(cdr, { outcome: 'cut_off', reason: 'no_credit', cost: '0.070000' })
  })
}
