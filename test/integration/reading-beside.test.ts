/** What only reads is read from the files, beside whoever has them open. */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import {
  mapOperations,
  OPERATIONS,
  type OperationName,
  type Provisioning,
} from '../../src/provisioning/operations.js'
import { readingBeside } from '../../src/reading-beside.js'
import { hold, openBooks, SaidToBeLive, settle, T0 } from '../support/books.js'

const NAMES = Object.keys(OPERATIONS) as OperationName[]

/** Books that somebody else has open, who writes down what he is asked. */
async function beside(t: Test) {
  const dir = t.testdir()
  const books = openBooks(dir, new SaidToBeLive())
  t.teardown(() => books.close())
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  await books.provisioning.accountCreate({ code: 'A', plan: 'retail', credit: '9', actor: 'test' })
  const sip = { domain: 'sip.test', user: '100', account: 'A', actor: 'test' }
  await books.provisioning.sipAccountCreate(sip)
  await hold(books, 'c1', 'A')
  await settle(books, 'c1', 'A', 60)
  const asked: string[] = []
  const operations = books.provisioning as Record<string, (input: unknown) => Promise<unknown>>
  const remote = mapOperations(name => async input => {
    asked.push(name)
    return operations[name]!(input)
  })
  const reading = readingBeside(dir, remote)
  t.teardown(() => reading.close())
  return { dir, books, remote, asked, reading }
}

/** What each operation that reads is asked for: a new one must be added here. */
const ASKED: { readonly [N in OperationName]?: readonly object[] } = {
  accountList: [{}, { search: 'nobody' }],
  accountShow: [{ code: 'A' }, { code: 'NOBODY' }, {}],
  statement: [{ code: 'A' }, { code: 'A', to: '2020-01-01' }],
  cdrList: [{}, { account: 'A', limit: 1 }, { limit: 'all' }],
  cdrShow: [{ call_id: 'nobody' }, {}],
  cdrTotals: [{ by: 'day' }, { by: 'plan', account: 'A' }],
  unseenList: [{}, { state: 'charged' }],
  auditList: [{}, { subject: 'plan retail' }, { subject: 'account A' }],
  sipAccountList: [{}],
  sipAccountShow: [{ domain: 'sip.test', user: '100' }],
}

async function answerOf(provisioning: Provisioning, name: string, input: object) {
  const operations = provisioning as Record<string, (input: object) => Promise<unknown>>
  return operations[name]!(input).catch(({ code, message }) => ({ code, message }))
}

t.test('what reads is answered alike, and nobody is asked', async t => {
  const { books, asked, reading } = await beside(t)
  const live = ['callList', 'switchList']
  const reads = NAMES.filter(name => OPERATIONS[name].method === 'GET' && !live.includes(name))
  t.strictSame(Object.keys(ASKED).sort(), [...reads].sort(), 'all that read')
  for (const name of reads) {
    for (const input of ASKED[name]!) {
      const answer = await answerOf(reading.provisioning, name, input)
      t.strictSame(answer, await answerOf(books.provisioning, name, input), name)
    }
  }
  t.strictSame(asked, [])
})

t.test('the rest is asked for, and read as soon as it is done', async t => {
  const { asked, reading } = await beside(t)
  const { provisioning } = reading
  t.match(await provisioning.accountShow({ code: 'A' }), { balance: '8.400000' })
  const topUp = { code: 'A', amount: '1', reference: 'r1', actor: 'test' }
  t.match(await provisioning.topUp(topUp), { balance: '9.400000' })
  t.match(await provisioning.accountShow({ code: 'A' }), { balance: '9.400000' })
  t.match(await provisioning.auditList({ limit: 1 }), [{ action: 'account.top_up' }])
  t.strictSame(await provisioning.callList({}), [])
  t.strictSame(asked, ['topUp', 'callList'], 'live calls are only known to who supervises them')
  for (const name of NAMES.filter(name => OPERATIONS[name].method !== 'GET')) {
    asked.length = 0
    await answerOf(provisioning, name, {})
    t.strictSame(asked, [name])
  }
})

t.test('where the files cannot be read, who has them open is asked', async t => {
  const { dir, asked, remote } = await beside(t)
  const database = new Sqlite(join(dir, 'ledger.db'))
  const version = database.pragma('user_version', { simple: true })
  for (const other of [Number(version) - 1, Number(version) + 1]) {
    database.pragma(`user_version = ${other}`)
    const reading = readingBeside(dir, remote)
    t.match(await reading.provisioning.accountShow({ code: 'A' }), { code: 'A' })
    t.match(await reading.provisioning.cdrList({}), [{ call_id: 'c1' }])
    reading.close()
  }
  database.close()
  t.strictSame(asked, ['accountShow', 'cdrList', 'accountShow', 'cdrList'])
})

t.test('closed, it lets go of the files, and opens them again when it is asked', async t => {
  const { reading, asked } = await beside(t)
  await reading.provisioning.cdrList({})
  reading.close()
  reading.close()
  t.match(await reading.provisioning.cdrList({ from: new Date(T0 / 1000).toISOString() }), [{}])
  t.strictSame(asked, [])
})
