/** The SQLite ledger keeps the contract, agrees with a model, and survives what the world does. */
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { SqliteAuditTrail } from '../../src/sqlite/audit-trail.js'
import { SqliteBrowsing } from '../../src/sqlite/browsing.js'
import { SqliteCdrs } from '../../src/sqlite/cdrs.js'
import { BATCH_MAX } from '../../src/sqlite/committer.js'
import { IN_MEMORY } from '../../src/sqlite/database.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { request, settlement } from '../support/requests.js'
import { accountsContract } from './accounts-contract.js'
import { ledgerContract } from './ledger-contract.js'
import { agreesWithModel } from './ledger-model.js'
import { limitsContract } from './limits-contract.js'

function booksOf(file: LedgerFile) {
  return {
    ledger: new SqliteLedger(file),
    accounts: new SqliteAccounts(file),
    cdrs: new SqliteCdrs(file),
    auditor: new SqliteAuditor(file),
    trail: new SqliteAuditTrail(file),
    browsing: new SqliteBrowsing(file),
  }
}

async function open(t: Test, path = join(t.testdir({}), 'ledger.db')) {
  const file = new LedgerFile(path)
  t.teardown(() => file.close())
  return { file, path, ...booksOf(file) }
}

/** Books with an account, alice, that has `credit`. */
async function openWith(t: Test, credit: bigint) {
  const books = await open(t)
  const account = { ...DEFAULT_TERMS, code: 'alice', plan: 'retail', actor: 'test' }
  await books.accounts.create({ ...account, credit })
  return books
}

const UNAVAILABLE = { name: 'LedgerError', code: 'unavailable' }

// Three hundred sequences take long on a busy machine.
t.setTimeout(290_000)

t.test('the contract of calls', t => ledgerContract(t, open))
t.test('the contract of the books', t => accountsContract(t, open))
t.test('the contract of limits', t =>
  limitsContract(t, async (t, now) => {
    const file = new LedgerFile(IN_MEMORY, { now })
    t.teardown(() => file.close())
    return booksOf(file)
  }),
)
t.test('any sequence of operations agrees with a model', async t => {
  await agreesWithModel(() => {
    const file = new LedgerFile(IN_MEMORY)
    return { books: booksOf(file), close: () => file.close() }
  })
  t.pass('300 sequences')
})

t.test('what was answered is there after a new start', async t => {
  const { file, path, ledger } = await openWith(t, 9n)
  await ledger.hold(request('c1', 5n))
  await ledger.hold(request('c2', 2n))
  await ledger.settle(settlement('c2', 1n))
  await ledger.heard('fs1', 'run-1', 7)
  file.close()
  const again = await open(t, path)
  t.match(await again.ledger.openCalls('fs1'), [{ leg: { callId: 'c1' }, held: 5n, raises: 1 }])
  t.match(await again.accounts.find('alice'), { balance: 8n, held: 5n })
  t.equal(await again.ledger.lastHeard('fs1', 'run-1'), 7)
  t.strictSame((await again.auditor.verify()).problems, [])
})

t.test('nothing is answered before it is committed', async t => {
  const { path, ledger } = await openWith(t, 9n)
  const reader = new Sqlite(path, { readonly: true })
  t.teardown(() => reader.close())
  const committed = () => reader.prepare('SELECT count(*) FROM call').pluck().get()
  const seen = await Promise.all(
    ['c1', 'c2', 'c3'].map(id => ledger.hold(request(id, 1n)).then(committed)),
  )
  t.strictSame(seen, [3, 3, 3], 'all of one turn are committed together')
})

t.test('more than a transaction takes is spread over several turns', async t => {
  const { ledger, accounts } = await openWith(t, 10_000n)
  const count = BATCH_MAX * 2 + 1
  const holds = Array.from({ length: count }, (_, i) => ledger.hold(request(`c${i}`, 1n)))
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  await Promise.all(holds)
  clearInterval(counting)
  t.match(await accounts.find('alice'), { held: BigInt(count) })
  t.ok(turns >= 1, 'timers ran in between')
})

t.test('closing commits what is waiting, and refuses what comes later', async t => {
  const { file, path, ledger } = await openWith(t, 9n)
  const waiting = ledger.hold(request('c1', 5n))
  file.close()
  file.close()
  t.match(await waiting, { held: 5n })
  await t.rejects(ledger.hold(request('c2', 1n)), UNAVAILABLE)
  await t.rejects(ledger.payer('alice'), UNAVAILABLE)
  t.match(await (await open(t, path)).accounts.find('alice'), { held: 5n })
})

t.test('a full disk changes nothing, and is got over', async t => {
  const { file, ledger, accounts, auditor } = await openWith(t, 100_000n)
  await ledger.hold(request('before', 1n))
  const pages = file.database.pragma('page_count', { simple: true })
  file.database.pragma(`max_page_count = ${pages}`)
  const long = 'x'.repeat(3000)
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, (_, i) => ledger.hold(request(`${long}${i}`, 1n))),
  )
  for (const answer of answers) {
    if (answer.status === 'fulfilled') return t.fail('nothing of the transaction is done')
    t.match(answer.reason, { ...UNAVAILABLE, message: /cannot grow: the disk is full/ })
  }
  t.match(await accounts.find('alice'), { held: 1n }, 'reading works')
  t.equal((await ledger.openCalls('fs1')).length, 1)
  t.match(await ledger.settle(settlement('before', 1n)), { cost: 1n }, 'what fits is done')
  file.database.pragma('max_page_count = 1000000')
  t.match(await ledger.hold(request(`${long}0`, 1n)), { held: 1n, raises: 1 })
  t.strictSame((await auditor.verify()).problems, [])
})

t.test('a file that another program has locked', async t => {
  const { path, ledger, auditor } = await openWith(t, 9n)
  const other = new Sqlite(path)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const started = performance.now()
  const refused: Promise<unknown>[] = [
    ledger.hold(request('c1', 1n)),
    ledger.settle(settlement('c2', 0n)),
  ]
  for (const one of refused) {
    await t.rejects(one, { ...UNAVAILABLE, message: /ledger\.db is locked by another program/ })
  }
  t.ok(performance.now() - started < 5000, 'it does not wait for long')
  t.match(await ledger.payer('alice'), { state: 'active' }, 'reading works')
  other.exec('ROLLBACK')
  t.match(await ledger.hold(request('c1', 1n)), { held: 1n, raises: 1 })
  t.strictSame((await auditor.verify()).problems, [])
})

t.test('a file that has become read-only', async t => {
  const { file, ledger } = await openWith(t, 9n)
  file.database.pragma('query_only = ON')
  await t.rejects(ledger.hold(request('c1', 1n)), {
    ...UNAVAILABLE,
    message: /ledger\.db is read-only/,
  })
  t.strictSame(await ledger.openCalls('fs1'), [])
  file.database.pragma('query_only = OFF')
  t.match(await ledger.hold(request('c1', 1n)), { held: 1n })
})

t.test('a damaged file', async t => {
  const { file, ledger, auditor } = await openWith(t, 9n)
  await ledger.hold(request('c1', 1n))
  file.database.unsafeMode(true)
  file.database.pragma('writable_schema = ON')
  file.database.exec("UPDATE sqlite_schema SET rootpage = 99999 WHERE name = 'call'")
  file.database.pragma('writable_schema = RESET')
  await t.rejects(ledger.hold(request('c1', 2n)), { ...UNAVAILABLE, message: /is damaged/ })
  await t.rejects(auditor.verify(), { ...UNAVAILABLE, message: /is damaged/ })
})

t.test('the schema refuses what the code would never do', async t => {
  const { file, ledger } = await openWith(t, 9n)
  await ledger.hold(request('c1', 5n))
  await ledger.settle(settlement('c2', 0n))
  const refused = (sql: string, message: RegExp) =>
    t.throws(() => file.database.exec(sql), { message }, sql)
  refused('UPDATE account SET held = 10', /available_is_never_negative/)
  refused('UPDATE account SET balance = 4', /available_is_never_negative/)
  refused('UPDATE account SET held = -1', /CHECK/)
  refused('UPDATE account SET balance = 9007199254740992', /CHECK/)
  refused('UPDATE account SET credit_limit = 9007199254740991', /credit_is_bounded/)
  refused("UPDATE account SET balance = '1.5'", /cannot store REAL|cannot store TEXT/)
  refused('UPDATE entry SET amount = 1', /an entry is never changed/)
  refused('DELETE FROM entry', /an entry is never deleted/)
  refused('UPDATE cdr SET cost = 1', /a CDR is never changed/)
  refused('DELETE FROM cdr', /a CDR is never deleted/)
  refused("UPDATE audit SET actor = 'nobody'", /an audit record is never changed/)
  refused('DELETE FROM audit', /an audit record is never deleted/)
  refused('DELETE FROM account', /FOREIGN KEY/)
  refused('UPDATE call SET account_id = 7', /FOREIGN KEY/)
  const entry = (account: string, kind: string, amount: number, balance: string) =>
    `INSERT INTO entry (account_id, kind, amount, balance_after, reference, actor, reason, at)
     VALUES (${account}, '${kind}', ${amount}, ${balance}, 'opening', '', '', 0)`
  refused(entry('1', 'top_up', 1, '10'), /UNIQUE/)
  refused(entry('1', 'top_up', -1, '8'), /kind_and_sign/)
  refused(entry('1', 'call', 1, '8'), /kind_and_sign/)
  refused(entry('1', 'gift', 1, '8'), /kind_and_sign/)
  refused(entry('1', 'write_off', 1, '8'), /write_off_is_nobodys/)
  refused(entry('1', 'refund', 1, '10'), /refund_is_of_a_call/)
  refused(entry('NULL', 'call', -1, 'NULL'), /write_off_is_nobodys/)
})

t.test('the audit finds what does not hold', async t => {
  const tampered = async (t: Test, sql: string, problem: RegExp) => {
    const { file, ledger, auditor } = await openWith(t, 9n)
    await ledger.hold(request('c1', 5n))
    await ledger.settle(settlement('c1', 7n))
    await ledger.hold(request('c2', 2n))
    t.match(await auditor.verify(), { problems: [], writeOffs: 2n, openCalls: 1 })
    file.database.pragma('ignore_check_constraints = ON')
    file.database.pragma('foreign_keys = OFF')
    for (const table of ['entry', 'cdr', 'audit']) {
      file.database.exec(
        `DROP TRIGGER ${table}_is_not_updated; DROP TRIGGER ${table}_is_not_deleted`,
      )
    }
    file.database.exec(sql)
    const { problems } = await auditor.verify()
    t.ok(
      problems.some(sentence => problem.test(sentence)),
      `${problem} in: ${problems.join('; ')}`,
    )
  }
  const cases: [string, RegExp][] = [
    ['UPDATE account SET balance = 5', /^Account alice: the balance is 0.000005, but its entries/],
    ['DELETE FROM entry WHERE id = 1', /^Account alice: the balance is/],
    ['UPDATE account SET held = 3', /^Account alice: 0.000003 is held, but .* 0.000002$/],
    ['DELETE FROM call', /^Account alice: 0.000002 is held, but .* 0.000000$/],
    ['UPDATE account SET balance = 1', /^Account alice: -0.000001 is available/],
    [
      'UPDATE entry SET balance_after = 5 WHERE id = 2',
      /^Account alice, entry 2: the balance after/,
    ],
    ['UPDATE cdr SET held = 4', /^Call c1: it cost 0.000005, but only 0.000004 was held$/],
    ['UPDATE cdr SET cost = 4', /^Call c1: its CDR says that it cost 0.000004, but 0.000005/],
    ['UPDATE cdr SET write_off = 1', /^Call c1: its CDR says that 0.000001 was written off/],
    ['DELETE FROM cdr', /^Call c1: -0.000005 was booked for it, but it has no CDR$/],
    [
      `INSERT INTO entry SELECT 9, account_id, kind, amount, balance_after, reference, NULL, '', '', 0
       FROM entry WHERE kind = 'call'`,
      /^Call c1: 2 entries are booked where one is due$/,
    ],
    ["UPDATE cdr SET account = 'bob'", /^Call c1: .* on another account than its CDR names$/],
    ["UPDATE call SET leg_id = 'c1'", /^Call c1: it has a CDR, but 0.000002 is still held for it$/],
    ['UPDATE account SET live_calls = 2', /^Account alice: it counts 2 live calls, but has 1$/],
    ['UPDATE account SET spent = 4', /^Account alice: 0.000004 counts as spent .* cost 0.000005$/],
    [
      `INSERT INTO entry SELECT 9, account_id, 'refund', 6, 6, 'r', 'c1', '', '', 0
       FROM entry WHERE kind = 'call'`,
      /^Call c1: 0.000006 was refunded, but it cost 0.000005$/,
    ],
    ['UPDATE call SET account_id = 7', /^Row 1 of call refers to no account$/],
  ]
  for (const [sql, problem] of cases) await t.test(sql, t => tampered(t, sql, problem))
})

t.test('the audit reads beside a writer, and from a file that is read-only', async t => {
  const { path, ledger } = await openWith(t, 9n)
  await ledger.hold(request('c1', 5n))
  const reading = new LedgerFile(path, { readonly: true })
  t.teardown(() => reading.close())
  const books = booksOf(reading)
  t.match(await books.auditor.verify(), { problems: [], accounts: 1, openCalls: 1 })
  await t.rejects(books.ledger.hold(request('c2', 1n)), { ...UNAVAILABLE, message: /read-only/ })
})
