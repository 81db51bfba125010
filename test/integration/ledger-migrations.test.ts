/** Ledgers of earlier versions are brought up to date, and lose nothing on the way. */
import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { SqliteCdrs } from '../../src/sqlite/cdrs.js'
import { LEDGER, openDatabase } from '../../src/sqlite/database.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { request, settlement } from '../support/requests.js'

const MIGRATIONS = join(import.meta.dirname, '../../src/sqlite/migrations/ledger')

/** As version 1 left them: two accounts, one with a call that was settled and one that is live. */
const VERSION_1 = `
  INSERT INTO account VALUES (3, 'alice', 'Alice', 'retail', 'active', 5, 90, 20, 7);
  INSERT INTO account VALUES (9, 'bob', '', 'gold', 'closed', 0, 0, 0, 8);
  INSERT INTO call VALUES (1, 'live', 3, 'fs1', 'run-1', '+4420123', NULL, 500000, 'retail', '4420123',
    '44', 'United Kingdom', 1000000, 0, 60, 1, 1000000, 20, 2);
  INSERT INTO entry VALUES (1, 3, 'top_up', 100, 100, 'opening', 'cli:root', 'opening credit', 10);
  INSERT INTO entry VALUES (2, 3, 'call', -10, 90, 'ended', 'tollgate', 'call to 44', 20);
  INSERT INTO entry VALUES (3, NULL, 'write_off', 2, NULL, 'ended', 'tollgate', 'call to 44', 20);
  INSERT INTO cdr VALUES (1, 'ended', 'alice', 'fs1', 'run-1', '44', NULL, 1, 'retail', '44', '44',
    'United Kingdom', 1000000, 0, 60, 1, 2, 3, 60, 'cut_off', 'no_credit', 'ALLOTTED_TIMEOUT', 10, 10, 2);
  INSERT INTO switch_run VALUES ('fs1', 'run-1', 77);`

/** A ledger as that version left it, with these rows. Returns where it is. */
function ledgerOf(t: Test, version: number, rows: string): string {
  const dir = t.testdir({ migrations: {} })
  const path = join(dir, 'ledger.db')
  for (const name of readdirSync(MIGRATIONS).sort().slice(0, version)) {
    copyFileSync(join(MIGRATIONS, name), join(dir, 'migrations', name))
  }
  const migrations = pathToFileURL(`${dir}/migrations/`)
  const before = openDatabase(path, LEDGER, { migrations })
  before.exec(rows)
  before.close()
  return path
}

t.test('a ledger of version 1', async t => {
  const file = new LedgerFile(ledgerOf(t, 1, VERSION_1))
  t.teardown(() => file.close())
  const accounts = new SqliteAccounts(file)
  const ledger = new SqliteLedger(file)
  t.strictSame((await new SqliteAuditor(file).verify()).problems, [])
  t.match(await accounts.find('alice'), {
    ...{ name: 'Alice', plan: 'retail', state: 'active', creditLimit: 5n, createdAt: 7 },
    ...{ balance: 90n, held: 20n, liveCalls: 1, spentToday: 0n },
    ...{ specialPlan: null, notes: '', timeZone: 'UTC', maxCalls: null, lowBalance: null },
  })
  t.match(await accounts.find('bob'), { state: 'closed', liveCalls: 0 })
  t.match(await accounts.entries('alice', {}), [
    { kind: 'top_up', amount: 100n, balance: 100n, callId: null },
    { kind: 'call', amount: -10n, balance: 90n, reference: 'ended' },
  ])
  t.match(await new SqliteCdrs(file).find('ended'), {
    ...{ cost: 10n, writeOff: 2n, carrierCost: null, description: 'United Kingdom' },
  })
  t.equal(await new SqliteCdrs(file).timeline('ended'), null, 'nobody knows')
  const [open] = await ledger.openCalls('fs1')
  t.match(open, { held: 20n, tariff: { rate: { freeS: 0 }, carrier: null, later: [] } })
  t.equal(await ledger.lastHeard('fs1', 'run-1'), 77)

  t.match(await ledger.hold(request('live', 30n)), { held: 30n, raises: 3 }, 'the call goes on')
  await ledger.warned('live', 9)
  t.match(await ledger.settle(settlement('live', 25n)), { cost: 25n, account: 'alice' })
  t.equal(await new SqliteCdrs(file).timeline('live'), null, 'how its hold began is not known')
  const refund = { callId: 'ended', amount: null, reference: 'r', actor: 'a', reason: '' }
  t.match(await accounts.refund(refund), { amount: 10n, balance: 75n })
  t.match(await accounts.find('alice'), { liveCalls: 0, held: 0n, spentToday: 25n })
  t.strictSame((await new SqliteAuditor(file).verify()).problems, [])
})

t.test('days of version 6 that had begun go on', async t => {
  const noon = Date.UTC(2026, 10, 23, 12) * 1000
  const hour = 3_600_000_000
  // 16 hours ago it was yesterday in UTC, and today in Tokyo; carol's clock was put back since.
  const path = ledgerOf(
    t,
    6,
    `INSERT INTO account (id, code, name, plan, state, time_zone, credit_limit, balance, held, spent, spent_on,
        created_at) VALUES
      (1, 'alice', '', 'retail', 'active', 'UTC', 99, -5, 0, 5, '2026-11-22', 1),
      (2, 'bob', '', 'retail', 'active', 'Asia/Tokyo', 99, -7, 0, 0, '', 1),
      (3, 'carol', '', 'retail', 'active', 'UTC', 99, -9, 0, 0, '2026-11-21', 1);
    INSERT INTO entry (account_id, kind, amount, balance_after, reference, actor, reason, at) VALUES
      (1, 'call', -5, -5, 'a', 'tollgate', '', ${noon - 16 * hour}),
      (2, 'call', -7, -7, 'b', 'tollgate', '', ${noon - 16 * hour}),
      (3, 'call', -9, -9, 'c', 'tollgate', '', ${noon - hour});
    INSERT INTO cdr (leg_id, account, switch, core_uuid, dialled, created_at, ended_at, billed_s, outcome, cause,
        cost, held, write_off) VALUES
      ('a', 'alice', 's', 'r', '44', 1, 2, 1, 'completed', 'X', 5, 5, 0),
      ('b', 'bob', 's', 'r', '44', 1, 2, 1, 'completed', 'X', 7, 7, 0),
      ('c', 'carol', 's', 'r', '44', 1, 2, 1, 'completed', 'X', 9, 9, 0);`,
  )
  const file = new LedgerFile(path, { now: () => noon })
  t.teardown(() => file.close())
  t.strictSame((await new SqliteAuditor(file).verify()).problems, [])
  const accounts = new SqliteAccounts(file)
  const ledger = new SqliteLedger(file)
  for (const [account, spentToday] of Object.entries({ alice: 1n, bob: 8n, carol: 10n })) {
    const { leg, ...about } = request(account, 1n)
    await ledger.hold({ leg: { ...leg, account }, ...about })
    await ledger.settle(settlement(account, 1n))
    t.match(await accounts.find(account), { spentToday }, account)
  }
  t.strictSame((await new SqliteAuditor(file).verify()).problems, [])
})
