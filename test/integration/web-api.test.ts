/** The HTTP API, asked by inject() on real books. */
import t from 'tap'
import { webOn } from '../support/web.js'

t.test('accounts', async t => {
  const { ask, token } = await webOn(t)
  const admin = await token('admin')
  t.match(await ask(admin, 'POST', '/api/v1/plans', { name: 'retail' }), { status: 201 })
  const made = await ask(admin, 'POST', '/api/v1/accounts', {
    ...{ code: 'ALICE', plan: 'retail', credit: '5', name: '<b>Alice</b>' },
  })
  t.match(made, { status: 201, json: { code: 'ALICE', balance: '5.000000' } }, made.text)
  t.match(await ask(admin, 'GET', '/api/v1/accounts/ALICE'), { status: 200 })
})
