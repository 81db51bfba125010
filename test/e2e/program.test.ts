/** The program as people start it: the demo, replay and record, in processes of their own. */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { checkConfig } from '../../src/config.js'
import { startApi } from '../../src/http/server.js'
import { EslServer } from '../../src/simulator/esl-server.js'
import { RealTimeline } from '../../src/simulator/real-timeline.js'
import { SimulatedSwitch } from '../../src/simulator/simulated-switch.js'
import { openBooks } from '../support/books.js'
import { shortDir } from '../support/command-line.js'
import { openFixture } from '../support/fixture.js'
import { Program } from '../support/program.js'

const CAPTURES = join(import.meta.dirname, '../replay/captures')
const BURST = join(CAPTURES, '12c-burst-40-calls.plain.raw')

const program = Program.built(t.testdir({ program: {}, books: {}, tape: {} }))
const lines = (out: string) => out.trimEnd().split('\n')

t.test('the demo tells a line for each event, and ends with a summary', async t => {
  const { code, out, err } = await program.run(['demo', '--seconds', '12'])
  t.equal(code, 0, err)
  t.equal(err, '')
  for (const what of ['created', 'held', 'answered', 'raised']) {
    t.match(out, new RegExp(`^ +\\d+\\.\\d s  DRY +${what} `, 'm'), what)
  }
  t.match(out, /^FINE +has plenty +balance +19\.\d{6} +/m)
  t.match(out, /^verified: every balance is right$/m)
})

t.test('bad seconds get a sentence', async t => {
  const { code, err } = await program.run(['demo', '--seconds', 'soon'])
  t.equal(code, 1)
  t.equal(err, 'error: The seconds must be a number above 0\n')
})

t.test('replay', async t => {
  const books = join(t.testdir(), 'books')
  mkdirSync(books)
  const fixture = await openFixture(books)
  fixture.close()
  const replay = (...args: string[]) => program.run(['--data', books, 'replay', '--json', ...args])

  const { code, out, err } = await replay(BURST)
  t.equal(code, 0, err)
  const told = lines(out).map(line => JSON.parse(line))
  t.ok(told.every(({ type }) => type === 'command' || type === 'cdr'))
  const cdrs = told.filter(({ type }) => type === 'cdr')
  t.equal(cdrs.length, 20)
  const micros = cdrs.reduce((sum, { cost }) => sum + BigInt(cost.replace('.', '')), 0n)
  t.equal(micros, 946_790n, 'what was worked out by hand')
  t.equal(cdrs.find(({ outcome }) => outcome === 'refused').reason, 'no_rate')
  t.ok(told.some(({ command }) => command === 'hold'))
  t.match(
    told.find(({ command }) => command === 'hang_up'),
    { why: 'refused', cause: 'CALL_REJECTED' },
  )

  const balance = async () => {
    const shown = await program.run(['--data', books, 'account', 'show', 'ACCT1', '--json'])
    return JSON.parse(shown.out).balance
  }
  t.equal(await balance(), '1000.000000', 'a copy has been charged')
  await replay('--commit', BURST)
  t.equal(await balance(), '999.259001', 'now the books')
  const again = await replay('--commit', BURST)
  t.equal(await balance(), '999.259001', 'and only once')
  const sameCdrs = lines(again.out).filter(line => line.includes('"type":"cdr"'))
  t.strictSame(
    sameCdrs.map(line => JSON.parse(line)),
    cdrs,
    'and is told the same',
  )

  const cut = join(books, 'cut.raw')
  writeFileSync(cut, readFileSync(BURST).subarray(0, 200_000))
  const short = await replay(cut)
  t.equal(short.code, 1)
  t.match(short.out, /"type":"open"/)
  t.match(short.err, /cut\.raw: it is cut off in the middle of a frame; all before that/)
  const none = await replay('README.md', 'nowhere.raw')
  t.equal(none.code, 1)
  t.match(none.err, /README\.md: it is not a recording of an event socket/)
  t.match(none.err, /nowhere\.raw: there is no such file/)
})

t.test('record writes what replay reads', async t => {
  const folder = t.testdir()
  const books = join(folder, 'books')
  mkdirSync(books)
  const fixture = await openFixture(books)
  fixture.close()
  const timeline = new RealTimeline()
  const freeswitch = new SimulatedSwitch({ timeline, random: Math.random, heartbeatS: 1 })
  const server = new EslServer({ freeswitch })
  const port = await server.listen()
  t.teardown(async () => {
    await server.close()
    freeswitch.stop()
  })
  const tape = join(folder, 'tape.raw')
  const env = { TOLLGATE_SWITCH_PORT: String(port) }
  const recording = program.run(['--data', books, 'record', tape, '--seconds', '4'], env)
  while (server.clientCount === 0) await new Promise(resolve => setTimeout(resolve, 20))
  await new Promise(resolve => setTimeout(resolve, 200))
  const call = { number: '442071234567', ac: 'ACCT1', acOn: 'b', aLeg: true, answer: true } as const
  const { b } = freeswitch.placeCall({ ...call, ringMs: 200, talkMs: 1500 })
  const recorded = await recording
  t.equal(recorded.code, 0, recorded.err)
  t.ok(statSync(tape).size > 20_000)
  const replayed = await program.run(['--data', books, 'replay', '--json', tape])
  const cdr = lines(replayed.out)
    .map(line => JSON.parse(line))
    .find(({ type }) => type === 'cdr')
  t.match(cdr, { call_id: b, outcome: 'completed', billed_s: 2 })
  const twice = await program.run(['--data', books, 'record', tape, '--seconds', '1'], env)
  t.equal(twice.code, 1, 'a recording is never overwritten')
  t.match(twice.err, /tape\.raw/)
})

t.test('the example configuration is the defaults', async t => {
  const example = join(import.meta.dirname, '../../docs/tollgate.toml')
  const folder = t.testdir()
  copyFileSync(example, join(folder, 'tollgate.toml'))
  const { parse } = await import('smol-toml')
  t.strictSame(
    checkConfig(parse(readFileSync(example, 'utf8')), {}, example),
    checkConfig({}, {}, example),
  )
})

/** The packages that we name in package.json of which a command has read any file. */
async function packagesOf(t: Test, args: readonly string[]): Promise<string[]> {
  const folder = t.testdir()
  const { code, err } = await program.run(args, { NODE_V8_COVERAGE: folder })
  t.equal(code, 0, err)
  const scripts = readdirSync(folder).flatMap(
    file => JSON.parse(readFileSync(join(folder, file), 'utf8')).result as { url: string }[],
  )
  const packages = JSON.parse(readFileSync(join(program.root, 'package.json'), 'utf8'))
  return Object.keys(packages.dependencies).filter(name =>
    scripts.some(({ url }) => url.includes(`/node_modules/${name}/`)),
  )
}

t.test('to show an account, little is read: neither zod nor a web server', async t => {
  const dir = shortDir(t)
  const books = openBooks(dir)
  await books.rates.planCreate({ name: 'retail', actor: 'test' })
  await books.provisioning.accountCreate({ code: 'ALICE', plan: 'retail', actor: 'test' })
  const show = ['account', 'show', 'ALICE', '--data', dir]
  const wanted = ['better-sqlite3', 'cli-table3', 'commander', 'string-width']
  const log = pino({ level: 'silent' })
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log })
  t.strictSame(await packagesOf(t, show), wanted, 'beside a daemon')
  await api.close()
  books.close()
  t.strictSame(await packagesOf(t, show), wanted, 'without one')
  t.ok((await packagesOf(t, ['account', 'list', '--data', dir])).includes('zod'), 'others do')
})
