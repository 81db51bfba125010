/** `tollgate cdr import` and what follows from it, as an operator types it; and the daemon. */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import pino from 'pino'
import t, { type Test } from 'tap'
import { checkConfig } from '../../src/config.js'
import { Daemon } from '../../src/daemon.js'
import { openBooks } from '../support/books.js'
import { shortDir, tollgate, words } from '../support/command-line.js'
import { ask, SECRET } from '../support/directory.js'
import { RECORDINGS } from '../support/records.js'

const B = 'c205b610-1021-4638-9495-0f8cbbba931c'
const ENCODED_B = '2db7a649-36f2-4c3b-8f02-985cf918f550'

/** A data directory with the account of the recordings, and the folder that the switch has left. */
async function spooled(t: Test, settings = '') {
  const dir = shortDir(t)
  const spool = join(dir, 'spool')
  mkdirSync(spool)
  for (const file of readdirSync(RECORDINGS).filter(name => name.startsWith('spool-'))) {
    const id = file.slice(-40, -4)
    copyFileSync(join(RECORDINGS, file), join(spool, `${id}.cdr.json`))
  }
  writeFileSync(join(dir, 'tollgate.toml'), settings)
  const run = (line: string) => tollgate(dir, words(line.replaceAll('SPOOL', spool)))
  const json = async (line: string) => JSON.parse((await run(`${line} --json`)).out)
  for (const line of [
    'plan create retail',
    'rate add 0 --plan retail --per-minute 0.60 --minimum 1 --increment 1',
    'account create ACCT1 --plan retail --credit 1',
  ]) {
    t.match(await run(line), { code: 0 }, line)
  }
  return { dir, spool, run, json }
}

t.test('without a daemon', async t => {
  const { spool, run, json } = await spooled(t)
  t.match(await json('cdr import SPOOL'), {
    ...{ files: 4, taken: 4, outcomes: { free: 2, open: 2 }, problems: [] },
  })
  t.strictSame(readdirSync(spool), ['done'])
  t.equal(readdirSync(join(spool, 'done')).length, 4)
  t.match(await json('cdr import SPOOL'), { files: 0, taken: 0, outcomes: {} })
  const listed = await json('cdr unseen')
  t.match(listed, [
    { call_id: ENCODED_B, account: 'ACCT1', number: '0105551234', state: 'open' },
    { call_id: B, duration_s: '2.099982', answered_at: /^2026-11-23T0.*Z$/, decided_by: null },
  ])
  t.match(await run('cdr unseen'), { out: /0105551234.*2\.099982.*open/ })
  t.match(await run('cdr unseen --state waiting'), { code: 0, out: /^ended .*\n$/ })
  t.match(await run(`cdr charge ${B}`), { code: 1, err: /Charge ACCT1 for 2\.099982 s to 010/ })
  t.match(await run(`cdr charge ${B} --yes --actor op --reason fair`), {
    code: 0,
    out: /0\.030000/,
  })
  t.match(await run(`cdr charge ${B} --yes`), {
    code: 1,
    err: /has been charged already, by op/,
  })
  t.match(await run(`cdr dismiss ${ENCODED_B}`), { code: 2, err: /--reason/ })
  t.match(await run(`cdr dismiss ${ENCODED_B} --reason "a test"`), { code: 0, out: /Dismissed/ })
  t.match(await run(`cdr dismiss ${ENCODED_B} --reason again`), { code: 1 })
  t.match(await run('cdr dismiss nobody --reason x'), { code: 1, err: /no unseen call nobody/ })
  t.strictSame(await json('cdr unseen'), [])
  t.match(await json('cdr unseen --state charged'), [{ call_id: B, decided_by: 'op' }])

  t.match(await json(`cdr import ${join(spool, 'done')} --keep`), {
    ...{ files: 4, taken: 4, outcomes: { free: 2, known: 1, dismissed: 1 } },
  })
  t.equal(readdirSync(join(spool, 'done')).length, 4, 'kept')
  t.match(await json('cdr list'), [{ call_id: B, cost: '0.030000', corrected: false }])
  t.match((await run('cdr list --csv')).out, /,switch,corrected\n.*,vm,false\n/)
  t.match(await json('account show ACCT1'), { balance: '0.970000' })
  t.match(await json('audit list'), [
    { action: 'cdr.dismiss', subject: `call ${ENCODED_B}`, after: { reason: 'a test' } },
    { action: 'cdr.charge', subject: `call ${B}`, actor: 'op', after: { reason: 'fair' } },
  ])
  t.match(await run('verify'), { code: 0 })
})

t.test('what is no record stays where it is', async t => {
  const { spool, run, json } = await spooled(t, '[cdr_repair]\nunseen = "charge"\n')
  writeFileSync(join(spool, 'half.cdr.json'), '{"core-uuid":"80b9')
  writeFileSync(join(spool, 'long.cdr.json'), 'x'.repeat(600_000))
  writeFileSync(join(spool, 'notes.txt'), 'not for us')
  const imported = await run('cdr import SPOOL')
  t.match(imported, {
    code: 1,
    err: /half\.cdr\.json: The record is not JSON\n.*long\.cdr\.json: it/,
  })
  t.match(imported.out, /charged +2/)
  t.strictSame(readdirSync(spool), ['done', 'half.cdr.json', 'long.cdr.json', 'notes.txt'])
  t.match(await json('account show ACCT1'), { balance: '0.940000' })
  t.match(await run('cdr import /nowhere/at/all'), { code: 1, err: /\/nowhere\/at\/all cannot be/ })
  t.match(await run('verify'), { code: 0 })
})

t.test('beside a daemon, which takes records as well', async t => {
  const { dir, spool, run, json } = await spooled(t)
  const logged: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: line => logged.push(JSON.parse(line)) })
  const table = {
    switch: [{ port: 1 }],
    freeswitch_http: { listen: '127.0.0.1:0', secret: SECRET },
    cdr_repair: { unseen: 'charge', grace_s: 10 },
  }
  const daemon = new Daemon({ dataDir: dir, config: checkConfig(table, {}, 'test'), log })
  await daemon.start()
  t.teardown(() => daemon.stop())
  const port = logged.find(({ msg }) => msg === 'serving FreeSWITCH over HTTP')!['port'] as number
  t.match(await json('cdr import SPOOL --keep'), { outcomes: { free: 2, waiting: 2 } })
  t.equal(readdirSync(spool).length, 4)
  const posted = await ask(port, 'hello', { path: `/freeswitch/cdr?uuid=${B}` })
  t.match(posted, { status: 400, text: 'The record is not JSON\n' })
  t.match(await ask(port, 'x', { path: '/freeswitch/cdr', authorization: undefined }), {
    status: 401,
  })
  t.match(await json('cdr unseen --state waiting'), [{ account: 'ACCT1' }, { account: 'ACCT1' }])
  const deadline = Date.now() + 25_000
  while ((await json('cdr list')).length < 2 && Date.now() < deadline) await setTimeout(200)
  t.match(await json('cdr list'), [{ cost: '0.030000' }, { cost: '0.030000' }])
  t.match(await json('cdr import SPOOL'), { outcomes: { free: 2, known: 2 } })
  t.match(await run('verify'), { code: 0 })
})

t.test('through the operations, as the API has them', async t => {
  const books = openBooks(t.testdir({}))
  t.teardown(() => books.close())
  const { provisioning } = books
  const bad = { code: 'bad_input', name: 'BookError' }
  await t.rejects(provisioning.recordImport({ record: 'hello' }), bad)
  await t.rejects(provisioning.recordImport({}), { ...bad, message: 'The record is missing' })
  await t.rejects(provisioning.unseenList({ state: 'lost' }), bad)
  await t.rejects(provisioning.unseenDismiss({ call_id: 'x', actor: 'a', reason: ' ' }), bad)
  const gone = { code: 'unknown_call' }
  await t.rejects(provisioning.unseenCharge({ call_id: 'x', actor: 'a' }), gone)
  await t.rejects(provisioning.unseenDismiss({ call_id: 'x', actor: 'a', reason: 'r' }), gone)
})
