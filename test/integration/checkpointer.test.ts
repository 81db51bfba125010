/**
 * The log of a ledger is copied by a thread while others write. The program as it is built: a thread
 * reads no TypeScript. Rows of a table of our own are written; what was acknowledged must be there.
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { Program } from '../support/program.js'

t.setTimeout(240_000)

type Checkpointers = typeof import('../../src/sqlite/checkpointer.js')
type Databases = typeof import('../../src/sqlite/database.js')
type Files = typeof import('../../src/sqlite/ledger-file.js')

const dir = t.testdir()
const { root } = Program.built(join(dir, 'build'))
const built = <Module>(name: string, from = root): Promise<Module> =>
  import(pathToFileURL(join(from, `dist/sqlite/${name}.js`)).href)
const { Checkpointer } = await built<Checkpointers>('checkpointer')
const { IN_MEMORY, LEDGER, openDatabase } = await built<Databases>('database')
const { LedgerFile } = await built<Files>('ledger-file')

/** Reached by a hundred commits. */
const PAGES = 1000
/** The connection that commits never copies by itself. */
const NEVER = 1_000_000
/** Rows of half a page each, some of which every commit changes. */
const ROWS = 2000
const ROWS_A_COMMIT = 10

const RANDOM_ROWS = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS_A_COMMIT})
  INSERT OR REPLACE INTO probe SELECT abs(random()) % ${ROWS}, ?, randomblob(2000) FROM n`

async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await is())) {
    if (performance.now() > deadline) throw new Error(`it did not come to this: ${what}`)
    await setTimeout(5)
  }
}

/** A folder that stays until the last test is done: a test may write until its teardown. */
const freshDir = () => mkdtempSync(join(dir, 'test-'))

/** A ledger that is written without a pause between commits, and what is seen of its log. */
class Written {
  readonly path: string
  readonly file
  /** The number of the last commit that was acknowledged. It stands in row -1. */
  commits = 0
  begunAnew = 0
  /** Pages in the log. */
  log = 0
  readonly #number
  readonly #rows
  readonly #length
  #isWriting = true
  #writing: Promise<void> | undefined

  constructor(path: string) {
    this.path = path
    this.file = new LedgerFile(path, { checkpointPages: NEVER })
    const { database } = this.file
    database.exec(
      'CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, a INTEGER, b BLOB) STRICT',
    )
    this.#number = database.prepare('INSERT OR REPLACE INTO probe VALUES (-1, ?, NULL)')
    this.#rows = database.prepare(RANDOM_ROWS)
    this.#length = database
      .prepare<[], { log: number }>('PRAGMA wal_checkpoint(NOOP)')
      .safeIntegers(false)
  }

  async commit(): Promise<void> {
    const number = BigInt(this.commits + 1)
    await this.file.committer.enqueueSure(() => {
      this.#number.run(number)
      this.#rows.run(number)
    })
    this.commits++
    const { log } = this.#length.get()!
    if (log < this.log) this.begunAnew++
    this.log = log
  }

  write(): void {
    const write = async () => {
      while (this.#isWriting) await this.commit()
    }
    this.#writing = write()
  }

  async stop(): Promise<void> {
    this.#isWriting = false
    await this.#writing
  }
}

interface Told {
  readonly troubles: Error[]
  mended: number
}

function checkpointer(file: Written['file'], Kind = Checkpointer) {
  const told: Told = { troubles: [], mended: 0 }
  const onTrouble = (trouble: Error) => void told.troubles.push(trouble)
  const onMended = () => void told.mended++
  return { told, thread: new Kind(file, { pages: PAGES, onTrouble, onMended }) }
}

function open(t: Test, path = join(freshDir(), 'ledger.db')) {
  const written = new Written(path)
  const { told, thread } = checkpointer(written.file)
  t.teardown(async () => {
    await written.stop()
    await thread.close()
    written.file.close()
  })
  return { written, told, thread }
}

/** The last commit that a ledger has, which nobody has open. */
function lastCommit(t: Test, path: string): number {
  const database = openDatabase(path, LEDGER)
  t.equal(database.pragma('integrity_check', { simple: true }), 'ok')
  const last = database.prepare<[], bigint>('SELECT a FROM probe WHERE id = -1').pluck().get()
  database.close()
  return Number(last)
}

t.test('under constant writing the log is begun anew', async t => {
  const { written, told, thread } = open(t)
  written.write()
  await until('it is begun anew', () => written.begunAnew >= 5)
  await written.stop()
  await thread.close()
  written.file.close()
  t.strictSame(told, { troubles: [], mended: 0 })
  t.notOk(existsSync(`${written.path}-wal`), 'the last to close removes the log')
  t.equal(lastCommit(t, written.path), written.commits)
})

t.test('so it is when commits come seldom', async t => {
  const { written } = open(t)
  const slowly = async (is: () => boolean) =>
    until('commits', async () => {
      await written.commit()
      await setTimeout(2)
      return is()
    })
  await slowly(() => written.begunAnew >= 3)
  t.pass()
})

t.test('a reader of an old state only delays it', async t => {
  const { written, told } = open(t)
  await written.commit()
  const reader = new LedgerFile(written.path, { readonly: true })
  t.teardown(() => reader.close())
  const last = reader.database.prepare<[], bigint>('SELECT a FROM probe WHERE id = -1').pluck()
  reader.database.exec('BEGIN')
  t.equal(last.get(), 1n)
  written.write()
  await until('it is long', () => written.log > 5 * PAGES)
  t.equal(last.get(), 1n)
  t.equal(written.begunAnew, 0)
  reader.database.exec('COMMIT')
  await until('it is begun anew', () => written.begunAnew >= 2)
  t.strictSame(told, { troubles: [], mended: 0 })
})

t.test('it is stopped at any time', async t => {
  const { written, thread } = open(t)
  await thread.close()
  written.write()
  for (let i = 0; i < 12; i++) {
    const { told, thread } = checkpointer(written.file)
    const before = written.begunAnew
    if (i % 3 === 0) await until('it is begun anew', () => written.begunAnew > before)
    await setTimeout(12 * i)
    await thread.close()
    await thread.close()
    t.strictSame(told, { troubles: [], mended: 0 })
  }
  await written.stop()
  written.file.close()
  t.notOk(existsSync(`${written.path}-wal`))
  t.equal(lastCommit(t, written.path), written.commits)
})

t.test('what fails is told once, and tried again', async t => {
  const { written, told } = open(t)
  const away = `${written.path}.away`
  renameSync(written.path, away)
  written.write()
  await until('it is told', () => told.troubles.length > 0)
  await setTimeout(2500)
  t.match(told, { troubles: [{ message: `There is no file ${written.path}` }], mended: 0 })
  t.equal(told.troubles.length, 1)
  renameSync(away, written.path)
  await until('it is told again', () => told.mended > 0)
  await until('it is begun anew', () => written.begunAnew >= 2)
  t.equal(told.troubles.length, 1)
  t.equal(told.mended, 1)
})

t.test('a full disk', async t => {
  const dir = join(freshDir(), 'disk')
  mkdirSync(dir)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tollgate', dir]).status !== 0) {
    t.comment('skipped: nothing may be mounted')
    return
  }
  t.teardown(() => spawnSync('umount', ['-l', dir]))
  const { written, told } = open(t, join(dir, 'ledger.db'))
  // The log has room for what comes; the file has not.
  while (written.log < 2 * PAGES) await written.commit()
  const filler = join(dir, 'filler')
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'])
  await until('it is told', () => told.troubles.length > 0)
  t.match(told.troubles, [{ message: /ledger\.db cannot grow: the disk is full \(SQLITE_FULL\)$/ }])
  rmSync(filler)
  await until('it is told again', () => told.mended > 0)
  await written.commit()
  t.equal(written.begunAnew, 1)
  t.equal(told.troubles.length, 1)
})

t.test('a thread that dies is told once', async t => {
  // The program without the thread's file.
  const dir = freshDir()
  cpSync(join(root, 'dist'), join(dir, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(dir, 'package.json'))
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  rmSync(join(dir, 'dist/sqlite/checkpoint-thread.js'))
  const { Checkpointer: Broken } = await built<Checkpointers>('checkpointer', dir)
  const written = new Written(join(dir, 'ledger.db'))
  const { told, thread } = checkpointer(written.file, Broken)
  while (written.log < 3 * PAGES) await written.commit()
  await until('it is told', () => told.troubles.length > 0)
  await setTimeout(1500)
  t.match(told, { troubles: [{ cause: { code: /MODULE_NOT_FOUND/ } }], mended: 0 })
  t.equal(told.troubles.length, 1)
  await thread.close()
  written.file.close()
  t.equal(lastCommit(t, written.path), written.commits)
})

t.test('the log is deleted while the thread is at work', async t => {
  const { written, thread } = open(t)
  written.write()
  await until('it is at work', () => written.begunAnew >= 1)
  await written.stop()
  while (written.log < PAGES) await written.commit()
  rmSync(`${written.path}-wal`)
  await t.rejects(written.commit(), { code: 'unavailable', message: /-wal has been deleted/ })
  // The file alone has all of it. Another process copies it: to close it here would drop our locks.
  const copy = join(freshDir(), 'ledger.db')
  await until('it is saved', async () => {
    await t.rejects(written.commit(), { code: 'unavailable' })
    spawnSync('cp', [written.path, copy])
    return lastCommit(t, copy) === written.commits
  })
  await thread.close()
  written.file.close()
  t.equal(lastCommit(t, written.path), written.commits)
})

t.test('a thread makes no new log when it was deleted before', async t => {
  const { written, told, thread } = open(t)
  await thread.close()
  while (written.log < 2 * PAGES) await written.commit()
  rmSync(`${written.path}-wal`)
  const late = checkpointer(written.file)
  await until('it is told', () => late.told.troubles.length > 0)
  t.match(late.told.troubles, [{ message: /-wal has been deleted, and with it/ }])
  t.notOk(existsSync(`${written.path}-wal`))
  await late.thread.close()
  t.strictSame(told, { troubles: [], mended: 0 })
})

t.test('killed at any time, what was acknowledged is there', async t => {
  const path = join(freshDir(), 'ledger.db')
  new Written(path).file.close()
  const program = `
    const { LedgerFile } = await import('${pathToFileURL(join(root, 'dist/sqlite/ledger-file.js'))}')
    const { Checkpointer } = await import('${pathToFileURL(join(root, 'dist/sqlite/checkpointer.js'))}')
    const file = new LedgerFile('${path}', { checkpointPages: ${NEVER} })
    new Checkpointer(file, { pages: 100, onTrouble: console.error, onMended() {} })
    const number = file.database.prepare('INSERT OR REPLACE INTO probe VALUES (-1, ?, NULL)')
    const rows = file.database.prepare(\`${RANDOM_ROWS}\`)
    const length = file.database.prepare('PRAGMA wal_checkpoint(NOOP)')
    let [before, begunAnew] = [0, 0]
    for (let i = BigInt(process.argv[1]); ; i++) {
      await file.committer.enqueueSure(() => {
        number.run(i)
        rows.run(i)
      })
      const { log } = length.get()
      if (log < before) begunAnew++
      before = log
      process.stdout.write(i + ' ' + begunAnew + '\\n')
    }`
  let acknowledged = 0
  for (let kill = 0; kill < 8; kill++) {
    const args = ['--input-type=module', '-e', program, String(acknowledged + 1)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface(child.stdout)
    let begunAnew = 0
    lines.on('line', line => {
      const [number, times] = line.split(' ').map(Number)
      acknowledged = number!
      begunAnew = times!
    })
    const closed = new Promise(resolve => lines.once('close', resolve))
    await until('its log is begun anew', () => begunAnew >= 3)
    await setTimeout(10 * kill)
    child.kill('SIGKILL')
    await closed
    const last = lastCommit(t, path)
    t.ok(last === acknowledged || last === acknowledged + 1, `${last}, ${acknowledged}`)
    acknowledged = last
  }
  t.ok(statSync(path).size > ROWS * 2000)
})

t.test('there is nothing to copy in memory, or for who only reads', async t => {
  const path = join(freshDir(), 'ledger.db')
  new LedgerFile(path).close()
  for (const file of [new LedgerFile(IN_MEMORY), new LedgerFile(path, { readonly: true })]) {
    t.throws(() => checkpointer(file), { code: 'ERR_ASSERTION' })
    file.close()
  }
})
