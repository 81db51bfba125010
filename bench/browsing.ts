/**
 * How long the pages of the portal read, and how long calls wait for that: 100,000 accounts, a million
 * CDRs of 30 days. `node --import=tsx bench/browsing.ts`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { SqliteBrowsing } from '../src/sqlite/browsing.js'
import { LedgerFile } from '../src/sqlite/ledger-file.js'
import { SLOT_US } from '../src/sqlite/slots.js'
import { SqliteStatistics } from '../src/sqlite/statistics.js'

const ACCOUNTS = 100_000
const CDRS = 1_000_000
const TOP_UPS = 50_000
const MINUTE_US = 60_000_000
const DAY_US = 86_400_000_000
const SPAN_US = 30 * DAY_US

const dir = mkdtempSync(join(tmpdir(), 'tollgate-browsing-'))
const path = join(dir, 'ledger.db')
const now = Date.now() * 1000

const code = (i: number) => `C${String(i % ACCOUNTS).padStart(6, '0')}`

function write(): void {
  const { database } = new LedgerFile(path)
  const account = database.prepare(
    `INSERT INTO account (code, name, plan, state, credit_limit, balance, held, created_at, low_balance)
      VALUES (?, ?, 'retail', 'active', 0, ?, 0, 1, ?)`,
  )
  const cdr = database.prepare(
    `INSERT INTO cdr (leg_id, account, switch, core_uuid, dialled, created_at, answered_at, ended_at,
        billed_s, outcome, cause, cost, held, write_off)
      VALUES (?, ?, 's', 'c', '44', ?, ?, ?, 60, ?, 'NORMAL_CLEARING', ?, ?, 0)`,
  )
  database.exec('BEGIN')
  for (let i = 0; i < ACCOUNTS; i++) {
    const balance = BigInt((i * 7919) % 100_000_000)
    account.run(code(i), `Customer number ${i}`, balance, i % 50 === 0 ? 5_000_000n : null)
  }
  for (let i = 0; i < CDRS; i++) {
    const ended = now - Math.floor(((CDRS - i) * SPAN_US) / CDRS)
    const outcome = i % 10 === 0 ? 'refused' : i % 10 < 4 ? 'unanswered' : 'completed'
    const answered = outcome === 'completed' ? ended - 180_000_000 : null
    const cost = answered === null ? 0 : 12_000
    const times = [ended - 200_000_000, answered, ended]
    cdr.run(`leg-${i}`, code(i * 31), ...times, outcome, cost, 20_000)
  }
  const topUp = database.prepare(
    `INSERT INTO entry (account_id, kind, amount, balance_after, reference, actor, reason, at)
      VALUES (?, 'top_up', 10000000, 0, ?, 'bench', '', ?)`,
  )
  for (let i = 0; i < TOP_UPS; i++) {
    topUp.run(1 + (i % ACCOUNTS), `t-${i}`, now - SPAN_US + (SPAN_US / TOP_UPS) * i)
  }
  database.exec('COMMIT')
  database.close()
}

/** Prints how long it took, and the longest time that the event loop stood still. */
async function time(what: string, read: () => Promise<unknown>): Promise<void> {
  let longest = 0
  let last = performance.now()
  let on = true
  const tick = () => {
    const at = performance.now()
    longest = Math.max(longest, at - last)
    last = at
    if (on) setImmediate(tick)
  }
  tick()
  const begin = performance.now()
  await read()
  const took = performance.now() - begin
  await turn()
  on = false
  const line = `${what.padEnd(44)} ${took.toFixed(1).padStart(8)} ms, pause ${longest.toFixed(1)} ms`
  process.stdout.write(`${line}\n`)
}

write()
const file = new LedgerFile(path, { readonly: true })
const statistics = new SqliteStatistics(file)
const browsing = new SqliteBrowsing(file)
const page = { order: 'code', descending: false, limit: 50 } as const
const dashboard = { stepUs: 72 * SLOT_US, until: Math.ceil(now / SLOT_US) * SLOT_US }
const figures = (from: number) =>
  statistics.steps({ ...dashboard, from: dashboard.until - from }, now)
await time('figures of 30 days, the first time', () => figures(SPAN_US))
await time('figures of 30 days, again', () => figures(SPAN_US))
await time('figures of a day, again', () => figures(DAY_US))
/** No whole slots: nothing of that is remembered. */
const from = now - SPAN_US
const anew = (until: number, stepUs: number) => statistics.steps({ from, until, stepUs }, now)
await time('16 hours in minutes, a month ago, first time', () =>
  anew(from + 960 * MINUTE_US, MINUTE_US),
)
await time('16 hours in minutes, a month ago, again', () => anew(from + 960 * MINUTE_US, MINUTE_US))
await time('30 days in steps of 17 hours', () => anew(now, 1_020 * MINUTE_US))
await time('ten years in steps of four days', () =>
  statistics.steps({ from: now - 3650 * DAY_US, until: now, stepUs: 4 * DAY_US }, now),
)
await time('accounts by code', () => browsing.accounts(page))
await time('accounts by balance', () => browsing.accounts({ ...page, order: 'balance' }))
await time('accounts by name', () => browsing.accounts({ ...page, order: 'name' }))
await time('accounts, a search that finds nothing', () =>
  browsing.accounts({ ...page, search: 'zzzz' }),
)
await time('the same with a letter beyond ASCII', () =>
  browsing.accounts({ ...page, search: 'züz' }),
)
await time('accounts whose balance is low', () => browsing.accounts({ ...page, low: true }))
await time('totals of all CDRs', () => browsing.cdrTotals({}))
await time('totals of a day', () => browsing.cdrTotals({ from: now - DAY_US }))
await time('totals of an account', () => browsing.cdrTotals({ account: code(31) }))
await time('totals of an outcome', () => browsing.cdrTotals({ outcome: 'refused' }))
file.close()
rmSync(dir, { recursive: true })
