/** Opening files: the pragmas that the promise needs, migrations, and everything that is not ours. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { Committer } from '../../src/sqlite/committer.js'
import {
  type DatabaseOptions,
  type FileKind,
  IN_MEMORY,
  LEDGER,
  openBeside,
  openDatabase,
  RATES,
  WEB,
} from '../../src/sqlite/database.js'
import { lockDirectory } from '../../src/sqlite/lock.js'

const KINDS = [LEDGER, RATES, WEB]

/** How many migrations there are for files of the kind. */
const newest = ({ name }: FileKind) =>
  readdirSync(join(import.meta.dirname, `../../src/sqlite/migrations/${name}`)).length

function open(t: Test, file: string, kind: FileKind, options?: DatabaseOptions) {
  const database = openDatabase(file, kind, options)
  t.teardown(() => database.close())
  return database
}

/** A file that some program made. */
function foreign(file: string, sql: string) {
  const database = new Sqlite(file)
  database.exec(sql)
  database.close()
}

const unusable = (message: RegExp) => ({ name: 'LedgerError', code: 'unusable', message })

for (const kind of KINDS) {
  t.test(`${kind.name}: every connection is durable, also after a write`, async t => {
    const file = join(t.testdir({}), 'one.db')
    for (let i = 0; i < 2; i++) {
      const database = openDatabase(file, kind)
      const pragma = (name: string) => database.pragma(name, { simple: true })
      database.exec('CREATE TABLE IF NOT EXISTS probe (a INTEGER) STRICT')
      database.exec('INSERT INTO probe VALUES (1)')
      t.equal(pragma('synchronous'), 2n, 'FULL')
      t.equal(pragma('journal_mode'), 'wal')
      t.equal(pragma('foreign_keys'), 1n)
      t.equal(pragma('busy_timeout'), 50n)
      t.equal(pragma('wal_autocheckpoint'), kind === LEDGER ? 10_000n : 1000n)
      t.equal(pragma('application_id'), BigInt(kind.applicationId))
      database.close()
    }
    const waiting = open(t, file, kind, { busyTimeoutMs: 7, checkpointPages: 8 })
    t.equal(waiting.pragma('busy_timeout', { simple: true }), 7n)
    t.equal(waiting.pragma('wal_autocheckpoint', { simple: true }), 8n)
    const beside = openBeside(file)
    t.teardown(() => beside.close())
    t.equal(beside.pragma('synchronous', { simple: true }), 2, 'FULL')
  })

  t.test(`${kind.name}: the schema is what it was`, async t => {
    const database = open(t, join(t.testdir({}), 'one.db'), kind)
    const sql = database
      .prepare<[], string>(
        `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
         ORDER BY type = 'table' DESC, tbl_name, name`,
      )
      .pluck()
      .all()
    const golden = join(import.meta.dirname, `sqlite-schema-${kind.name}.sql`)
    t.equal(`${sql.join(';\n\n')};\n`, readFileSync(golden, 'utf8'))
    t.equal(database.pragma('user_version', { simple: true }), BigInt(newest(kind)))
  })
}

t.test('SQLite is one in which a checkpoint beside a commit harms nothing', async t => {
  const database = openDatabase(IN_MEMORY, LEDGER)
  t.teardown(() => database.close())
  const version = database.prepare('SELECT sqlite_version()').pluck().get()
  const [major = 0, minor = 0, patch = 0] = String(version).split('.').map(Number)
  t.ok((major * 1000 + minor) * 1000 + patch >= 3_051_003, `${version}, and 3.51.3 is needed`)
})

t.test('what is not ours is not touched', async t => {
  const dir = t.testdir({ text: 'name,price\n'.repeat(200), empty: '', folder: {} })
  const at = (name: string) => join(dir, name)
  foreign(at('other.db'), 'CREATE TABLE customer (id INTEGER)')
  foreign(at('tagged.db'), 'PRAGMA application_id = 7')
  openDatabase(at('rates.db'), RATES).close()
  const newer = openDatabase(at('newer.db'), LEDGER)
  newer.pragma('user_version = 99')
  newer.close()
  const cases: [string, RegExp][] = [
    ['text', /text is not a database/],
    ['folder', /folder is not a file$/],
    ['none/ledger.db', /^There is no folder .*none$/],
    ['other.db', /other\.db is a database of another program$/],
    ['tagged.db', /tagged\.db is a database of another program$/],
    ['rates.db', /rates\.db is a Tollgate rates file, not ledger$/],
    ['newer.db', new RegExp(`schema 99, this one knows ${newest(LEDGER)}$`)],
  ]
  for (const [name, message] of cases) {
    const before = name.includes('.db') && existsSync(at(name)) ? readFileSync(at(name)) : undefined
    t.throws(() => openDatabase(at(name), LEDGER), unusable(message), name)
    t.throws(() => openDatabase(at(name), LEDGER, { readonly: true }), unusable(message), name)
    if (before) t.ok(before.equals(readFileSync(at(name))), 'not a byte has changed')
  }
  const absent = unusable(/^There is no file .*absent\.db$/)
  t.throws(() => openDatabase(at('absent.db'), LEDGER, { readonly: true }), absent)
  t.notOk(existsSync(at('absent.db')))
  const made = open(t, at('empty'), LEDGER).pragma('user_version', { simple: true })
  t.equal(made, BigInt(newest(LEDGER)), 'a new file')
})

t.test('a file that is cut or scribbled over', async t => {
  const file = join(t.testdir({}), 'ledger.db')
  openDatabase(file, LEDGER).close()
  const whole = readFileSync(file)
  writeFileSync(file, whole.subarray(0, 4096))
  t.throws(() => openDatabase(file, LEDGER), { name: 'LedgerError', message: /is damaged/ })
  writeFileSync(file, Buffer.concat([whole.subarray(0, 100), Buffer.alloc(whole.length - 100, 7)]))
  t.throws(() => openDatabase(file, LEDGER), { name: 'LedgerError', message: /is damaged/ })
})

t.test('a file that another program has locked cannot be opened meanwhile', async t => {
  const file = join(t.testdir({}), 'ledger.db')
  openDatabase(file, LEDGER).close()
  const other = new Sqlite(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const inUse = { name: 'LedgerError', code: 'in_use', message: /is in use by another program$/ }
  t.throws(() => openDatabase(file, LEDGER), inUse)
  other.exec('ROLLBACK')
  open(t, file, LEDGER)
})

t.test('migrations go forward, each once, whole or not at all', async t => {
  const dir = t.testdir({
    migrations: {
      '0001-one.sql': 'CREATE TABLE one (a INTEGER PRIMARY KEY) STRICT;',
      'README.md': 'no SQL',
    },
  })
  const file = join(dir, 'ledger.db')
  const migrations = pathToFileURL(`${dir}/migrations/`)
  const add = (name: string, sql: string) => writeFileSync(join(dir, 'migrations', name), sql)
  const tables = () => {
    const database = openDatabase(file, LEDGER, { migrations })
    const names = database.prepare('SELECT name FROM sqlite_schema ORDER BY name').pluck().all()
    const version = database.pragma('user_version', { simple: true })
    t.equal(database.pragma('foreign_keys', { simple: true }), 1n)
    database.close()
    return { names, version }
  }
  t.strictSame(tables(), { names: ['one'], version: 1n })
  add('0002-two.sql', 'CREATE TABLE two (b INTEGER REFERENCES one (a)) STRICT;')
  const readonly = { migrations, readonly: true }
  t.throws(
    () => openDatabase(file, LEDGER, readonly),
    unusable(/has schema 1 of an older Tollgate: open it for writing once to bring it to 2$/),
  )
  t.strictSame(tables(), { names: ['one', 'two'], version: 2n })
  t.strictSame(tables(), { names: ['one', 'two'], version: 2n }, 'the second time does nothing')
  add('0003-three.sql', 'CREATE TABLE three (c INTEGER) STRICT; CREATE TABLE one (a INTEGER);')
  t.throws(tables, { message: /already exists/ })
  add('0003-three.sql', 'INSERT INTO two VALUES (5);')
  t.throws(tables, { message: /0003-three\.sql leaves rows that refer to nothing/ })
  const left = new Sqlite(file, { readonly: true })
  t.equal(left.pragma('user_version', { simple: true }), 2)
  t.strictSame(left.prepare('SELECT count(*) FROM sqlite_schema').pluck().get(), 2)
  left.close()
  add('0003-three.sql', 'DROP TABLE two; CREATE TABLE two (b TEXT) STRICT;')
  t.strictSame(tables(), { names: ['one', 'two'], version: 3n })
  add('0005-five.sql', 'SELECT 1;')
  t.throws(tables, { message: /0005-five\.sql is out of order/ })
})

t.test('what is asked for soon after a commit shares the next one', async t => {
  const path = join(t.testdir({}), 'ledger.db')
  const database = open(t, path, LEDGER)
  database.exec('CREATE TABLE probe (a INTEGER UNIQUE) STRICT')
  const committer = new Committer(database, 'the probe', undefined, 60_000)
  const add = (value: number) =>
    committer.enqueue(() => database.prepare('INSERT INTO probe VALUES (?)').run(value))
  const reader = new Sqlite(path, { readonly: true })
  t.teardown(() => reader.close())
  const committed = () => reader.prepare('SELECT count(*) FROM probe').pluck().get()

  await Promise.all([add(1), add(2)])
  t.equal(committed(), 2, 'who comes first does not wait')
  const third = add(3)
  await setImmediate()
  await setImmediate()
  const fourth = add(4)
  t.equal(committed(), 2)
  committer.flush()
  await Promise.all([third, fourth])
  t.equal(committed(), 4)
  const fifth = add(5)
  committer.close()
  await fifth
  t.equal(committed(), 5, 'nor is an end put off')
})

t.test('commits wait when they are told to, until they may or are tired of it', async t => {
  const database = open(t, join(t.testdir({}), 'ledger.db'), LEDGER)
  database.exec('CREATE TABLE probe (a INTEGER UNIQUE) STRICT')
  const committer = new Committer(database, 'the probe')
  const add = (value: number) =>
    committer.enqueue(() => database.prepare('INSERT INTO probe VALUES (?)').run(value))
  const committed = () => database.prepare('SELECT count(*) FROM probe').pluck().get()

  const asked = add(1)
  committer.pause(60_000)
  for (let turn = 0; turn < 5; turn++) await setImmediate()
  t.equal(committed(), 0n, 'also what was asked for before')
  committer.resume()
  await asked
  t.equal(committed(), 1n)
  committer.resume()
  await add(2)
  committer.pause(20)
  await add(3)
  committer.pause(60_000)
  const last = add(4)
  committer.close()
  await last
  t.equal(committed(), 4n, 'an end is not put off')
})

t.test('group commit', async t => {
  const database = open(t, join(t.testdir({}), 'ledger.db'), LEDGER)
  database.exec('CREATE TABLE probe (a INTEGER UNIQUE) STRICT')
  const committer = new Committer(database, 'the probe')
  const add = (value: number) => database.prepare('INSERT INTO probe VALUES (?)').run(value)
  const values = () => database.prepare('SELECT a FROM probe ORDER BY a').pluck().all()

  const mixed = await Promise.allSettled([
    committer.enqueue(() => add(1).changes),
    committer.enqueue(() => {
      add(2)
      throw new Error('refused')
    }),
    committer.enqueue(() => add(1)),
    committer.enqueue(() => {
      add(4)
      return values()
    }),
  ])
  t.match(mixed, [
    { value: 1 },
    { reason: { message: 'refused' } },
    { reason: { code: 'SQLITE_CONSTRAINT_UNIQUE' } },
    { value: [1n, 4n] },
  ])
  t.strictSame(values(), [1n, 4n], 'what was refused is undone alone')

  const broken = await Promise.allSettled([
    committer.enqueueSure(() => add(2).changes),
    committer.enqueueSure(() => {
      add(3)
      throw new Error('a bug')
    }),
    committer.enqueue(() => {
      add(6)
      throw new Error('refused')
    }),
    committer.enqueueSure(() => values()),
  ])
  t.match(broken, [
    { value: 1 },
    { reason: { message: 'a bug' } },
    { reason: { message: 'refused' } },
    { value: [1n, 2n, 4n] },
  ])
  t.strictSame(values(), [1n, 2n, 4n], 'what should not have thrown is undone alone as well')
  database.exec('DELETE FROM probe WHERE a = 2')

  const waiting = committer.enqueue(() => add(2))
  t.strictSame(await committer.readCommitted(values), [1n, 4n], 'read without what waits')
  await waiting
  database.exec('DELETE FROM probe WHERE a = 2')

  const failed = await Promise.allSettled([
    committer.enqueue(() => add(5)),
    committer.enqueue(() => {
      add(6)
      throw new Sqlite.SqliteError('disk I/O error', 'SQLITE_IOERR_WRITE')
    }),
    committer.enqueue(() => add(7)),
  ])
  for (const one of failed) {
    t.match(one, {
      reason: {
        name: 'LedgerError',
        code: 'unavailable',
        message: /^the probe cannot be read or w/,
      },
    })
  }
  t.strictSame(values(), [1n, 4n], 'where the disk fails, nothing has happened')
  t.notOk(database.inTransaction)
  await committer.enqueue(() => add(8))
  t.strictSame(await committer.read(values), [1n, 4n, 8n], 'and the next goes well')
})

/** Runs a piece of TypeScript as a process of its own. */
function run(source: string) {
  const child = spawn(process.execPath, ['--import=tsx', '--input-type=module', '--eval', source], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdout.setEncoding('utf8')
  return child
}

async function output(child: ReturnType<typeof run>) {
  let text = ''
  child.stdout.on('data', chunk => {
    text += chunk
  })
  await once(child, 'close')
  return text
}

const LOCK = JSON.stringify(join(import.meta.dirname, '../../src/sqlite/lock.ts'))

t.test('one process holds a data directory, and the next is told which', async t => {
  const dir = t.testdir({})
  const lock = lockDirectory(dir, 'tollgate run')
  const inUse = {
    name: 'LedgerError',
    code: 'in_use',
    message: `The data in ${dir} is in use by tollgate run, process ${process.pid}`,
  }
  t.throws(() => lockDirectory(dir, 'tollgate account'), inUse)
  const told = await output(
    run(`import { lockDirectory } from ${LOCK}
      try { lockDirectory(${JSON.stringify(dir)}, 'x') } catch (error) { console.log(error.message) }`),
  )
  t.equal(told, `${inUse.message}\n`)
  lock.release()
  lock.release()
  t.notOk(existsSync(join(dir, 'lock.json')))
  const second = lockDirectory(dir, 'tollgate account')
  writeFileSync(join(dir, 'lock.json'), '{"pid":')
  t.throws(() => lockDirectory(dir, 'x'), { message: /is in use by another process$/ })
  second.release()
})

t.test('the lock goes with its process, however that ends', async t => {
  const dir = t.testdir({})
  const child = run(`import { lockDirectory } from ${LOCK}
    lockDirectory(${JSON.stringify(dir)}, 'tollgate run')
    console.log('locked')
    setInterval(() => {}, 1000)`)
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  t.throws(() => lockDirectory(dir, 'x'), {
    message: `The data in ${dir} is in use by tollgate run, process ${child.pid}`,
  })
  child.kill('SIGKILL')
  await once(child, 'close')
  t.ok(existsSync(join(dir, 'lock.json')), 'what it wrote is left, and means nothing')
  lockDirectory(dir, 'tollgate run').release()
})

t.test('a short command can be waited for', async t => {
  const dir = t.testdir({})
  const child = run(`import { lockDirectory } from ${LOCK}
    const lock = lockDirectory(${JSON.stringify(dir)}, 'tollgate account')
    console.log('locked')
    setTimeout(() => lock.release(), 300)`)
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const started = performance.now()
  lockDirectory(dir, 'tollgate account', { waitMs: 10_000 }).release()
  t.ok(performance.now() - started > 100)
})

t.test('a directory that cannot be locked', async t => {
  const dir = t.testdir({ taken: { 'lock.db': 'something else, which is long enough' } })
  t.throws(() => lockDirectory(join(dir, 'none'), 'x'), unusable(/^There is no folder .*none$/))
  t.throws(() => lockDirectory(join(dir, 'taken'), 'x'), unusable(/lock\.db is not a database/))
})

/** Permissions do not bind root: so it is another user who tries. */
function asNobody<T>(attempt: () => T): T {
  if (process.geteuid?.() !== 0) return attempt()
  process.seteuid!(65534)
  try {
    return attempt()
  } finally {
    process.seteuid!(0)
  }
}

t.test('a file and a folder that may only be read', async t => {
  // Nobody may not come where the repository is.
  const dir = mkdtempSync(join(tmpdir(), 'tollgate-'))
  t.teardown(() => {
    chmodSync(dir, 0o755)
    rmSync(dir, { recursive: true })
  })
  const file = join(dir, 'ledger.db')
  mkdirSync(join(dir, 'migrations'))
  writeFileSync(join(dir, 'migrations/0001-one.sql'), 'CREATE TABLE one (a INTEGER) STRICT;')
  const migrations = pathToFileURL(`${dir}/migrations/`)
  openDatabase(file, LEDGER, { migrations }).close()
  chmodSync(file, 0o444)
  chmodSync(dir, 0o555)
  const refused = (name: string, message: RegExp) =>
    t.throws(() => asNobody(() => openDatabase(join(dir, name), LEDGER, { migrations })), {
      code: 'unavailable',
      message,
    })
  refused('ledger.db', /ledger\.db is read-only/)
  refused('new.db', /new\.db cannot be opened/)
  t.throws(() => asNobody(() => lockDirectory(dir, 'x')), {
    code: 'unavailable',
    message: /lock\.db cannot be opened/,
  })
})
