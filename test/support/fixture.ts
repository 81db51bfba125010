/** The accounts and rates of test/replay/fixture.json in a fresh data directory. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import type { Settings } from '../../src/call/settings.js'
import { DEFAULT_TERMS } from '../../src/ledger/books.js'
import { parseMoney } from '../../src/money.js'
import { listedAlways } from '../../src/rating/listed-rate.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SqliteRateBook } from '../../src/sqlite/rate-book.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'

const FIXTURE = join(import.meta.dirname, '../replay/fixture.json')

export const SETTINGS: Settings = {
  chunkS: 60,
  leadS: 10,
  warnS: 10,
  retryS: 1,
  partialChunk: true,
  rounding: 'up',
  longestCallS: 86_400,
  hangupGraceS: 5,
}

export const CAUSES = {
  refused: 'CALL_REJECTED',
  cut_off: 'ALLOTTED_TIMEOUT',
  killed: 'NORMAL_CLEARING',
}

interface Fixture {
  accounts: { code: string; plan: string; credit: string }[]
  plans: { name: string; rates: FixtureRate[] }[]
}

interface FixtureRate {
  prefix: string
  description: string
  per_minute: string
  setup: string
  minimum: number
  increment: number
}

/** @param credit in place of the fixture's own, by account code */
export async function openFixture(dataDir: string, credit: Record<string, string> = {}) {
  const { accounts, plans }: Fixture = JSON.parse(readFileSync(FIXTURE, 'utf8'))
  const ratesFile = new RatesFile(join(dataDir, 'rates.db'))
  const rates = new SqliteRates(ratesFile)
  for (const { name, rates: rows } of plans) {
    await rates.createPlan(name, 'test')
    for (const { per_minute, setup, ...row } of rows) {
      const prices = { perMinute: parseMoney(per_minute), setup: parseMoney(setup), freeS: 0 }
      await rates.addRate(name, listedAlways({ ...row, ...prices }), 'test')
    }
  }
  const file = new LedgerFile(join(dataDir, 'ledger.db'))
  const book = new SqliteAccounts(file)
  for (const account of accounts) {
    await book.create({
      ...DEFAULT_TERMS,
      code: account.code,
      plan: account.plan,
      credit: parseMoney(credit[account.code] ?? account.credit),
      actor: 'test',
    })
  }
  const auditor = new SqliteAuditor(file)
  return {
    parts: {
      ledger: new SqliteLedger(file),
      rateBook: await SqliteRateBook.open(rates),
      settings: SETTINGS,
      causes: CAUSES,
      timerMarginS: 2,
      switchName: 'recorded',
      loopbackPays: false,
      log: pino({ level: 'silent' }),
    },
    accounts: book,
    verify: () => auditor.verify(),
    close: () => {
      file.close()
      ratesFile.close()
    },
  }
}
