/** SIP accounts that Tollgate serves to a real FreeSWITCH: who calls out pays, who is called does not. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { DOMAIN } from '../lab/configuration.js'
import { GRACE_S, type Lab } from '../lab/lab.js'
import { settled } from '../lab/reckoning.js'
import { until } from '../lab/until.js'
import { Phone } from '../sip/phone.js'

export function sipAccounts(t: Test, lab: Lab): void {
  const phones: Phone[] = []
  t.teardown(() => {
    for (const phone of phones) phone.close()
  })
  const person = async (user: string, account: string) => {
    const created = await lab.api.sipAccountCreate({ user, domain: DOMAIN, account, actor: 'e2e' })
    const phone = await Phone.open(lab.installation.ip)
    phones.push(phone)
    return { phone, user, domain: DOMAIN, password: created.generated_password! }
  }

  t.test('registered callers', async t => {
    const [one, two] = [await lab.account('ALICE', '10'), await lab.account('BOB', '10')]
    const alice = await person('alice', one)
    const bob = await person('bob', two)
    t.equal(await alice.phone.register(lab.users, alice), 200)
    t.equal(await bob.phone.register(lab.users, bob), 200)
    t.equal(await bob.phone.register(lab.users, { ...bob, password: 'a guess' }), 403)
    t.equal(await bob.phone.register(lab.users, { ...bob, user: 'mallory' }), 403)
    const paying: string[] = []

    await t.test('call out, and pay with no word in the dialplan', async t => {
      for (const [way, number] of [
        ['account', '442073000001'],
        ['gated', '442073000002'],
      ] as const) {
        const call = await alice.phone.call(`${way}-${number}`, lab.users, alice)
        paying.push(await lab.legTo(number))
        await until(() => call.state === 'answered', 'it is answered')
        await sleep(4500)
        await call.hangUp()
      }
      const cdrs = await settled(t, lab, { account: one, paidIn: '10', legs: paying })
      for (const cdr of cdrs) t.match(cdr, { outcome: 'completed', reason: null })
    })

    await t.test('call each other for nothing, either way', async t => {
      for (const [from, to, called] of [
        [alice, bob, two],
        [bob, alice, one],
      ] as const) {
        const call = await from.phone.call(`user-${to.user}`, lab.users, from)
        await until(() => call.state === 'answered', `${to.user} has answered`)
        t.equal(to.phone.incoming.at(-1)!.state, 'answered', 'it is the phone that has registered')
        const { legId } = lab.watch.seen.findLast(({ direction }) => direction === 'outbound')!
        await sleep(2000)
        await call.hangUp()
        const ends = () => lab.watch.of(legId, 'CHANNEL_HANGUP_COMPLETE')
        await until(() => ends().length > 0, 'it is over')
        t.equal(ends()[0]!.get('variable_ac'), called, "the called user's code is on the leg")
      }
      // Their records have been posted as well.
      await sleep((GRACE_S + 2) * 1000)
      await settled(t, lab, { account: one, paidIn: '10', legs: paying })
      await settled(t, lab, { account: two, paidIn: '10', legs: [] })
      t.strictSame(await lab.api.unseenList({}), [], 'and nobody is on the list of unseen calls')
    })
  })
}
