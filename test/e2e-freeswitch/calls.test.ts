/** Calls on a real FreeSWITCH of which the events alone tell: what they cost, and who pays. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { onFreeswitch } from './lab/lab.js'
import { settled } from './lab/reckoning.js'

await onFreeswitch(t, {}, lab => {
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
})
