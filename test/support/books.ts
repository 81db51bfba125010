/** Books in a data directory, as a daemon has them open; with calls that are only said to be live. */
import { join } from 'node:path'
import type { Leg, Outcome } from '../../src/call/call.js'
import { CdrRepair } from '../../src/cdr-repair/repair.js'
import type { LiveCall, LiveCalls } from '../../src/provisioning/calls.js'
import { createProvisioning } from '../../src/provisioning/provisioning.js'
import { Quoter } from '../../src/provisioning/quote.js'
import { RateProvisioning } from '../../src/provisioning/rates.js'
import type { DirectoryCaches } from '../../src/provisioning/sip-accounts.js'
import { type Tariff, tariffOf } from '../../src/rating/tariff.js'
import { SqliteAccounts } from '../../src/sqlite/accounts.js'
import { SqliteAuditor } from '../../src/sqlite/audit.js'
import { SqliteAuditTrail } from '../../src/sqlite/audit-trail.js'
import { SqliteCdrs } from '../../src/sqlite/cdrs.js'
import { SqliteLedger } from '../../src/sqlite/ledger.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { lockDirectory } from '../../src/sqlite/lock.js'
import { SqliteRateBook } from '../../src/sqlite/rate-book.js'
import { SqliteRates } from '../../src/sqlite/rates.js'
import { RatesFile } from '../../src/sqlite/rates-file.js'
import { SqliteRepairs } from '../../src/sqlite/repairs.js'
import { SqliteSipAccounts } from '../../src/sqlite/sip-accounts.js'
import { WebTrail } from '../../src/sqlite/web-trail.js'
import { SETTINGS } from './fixture.js'

/** Remembers what it is told. */
export class SaidToBeLive implements LiveCalls {
  readonly calls: LiveCall[] = []
  readonly told: string[] = []

  list() {
    return this.calls
  }

  async kill(callId: string) {
    this.told.push(`kill ${callId}`)
    return this.calls.some(call => call.callId === callId)
  }

  toppedUp(account: string) {
    this.told.push(`topped up ${account}`)
  }

  async ratesChanged(plan: string | undefined) {
    this.told.push(`rates ${plan ?? 'all'}`)
  }
}

/** What SIP accounts are to the switch in these books. */
export const DIRECTORY = { context: 'default', dialString: 'error/USER_BUSY', cacheS: 0 }

export function openBooks(dir: string, live?: LiveCalls, directoryCaches?: DirectoryCaches) {
  const lock = lockDirectory(dir, 'tollgate test')
  const ledgerFile = new LedgerFile(join(dir, 'ledger.db'))
  const ratesFile = new RatesFile(join(dir, 'rates.db'))
  const sqliteRates = new SqliteRates(ratesFile)
  const sipAccounts = new SqliteSipAccounts(ledgerFile)
  const ledger = new SqliteLedger(ledgerFile)
  const nothing = () => {}
  const repair = new CdrRepair({
    ...{ repairs: new SqliteRepairs(ledgerFile, ledger), ledger, settings: () => SETTINGS },
    rateBook: () => SqliteRateBook.open(sqliteRates),
    ...{ loopbackPays: () => false, unseen: 'list', graceS: 0, supervisors: null },
    ...{ log: { info: nothing, warn: nothing, error: nothing }, now: ledgerFile.now },
  })
  const provisioning = createProvisioning({
    accounts: new SqliteAccounts(ledgerFile),
    cdrs: new SqliteCdrs(ledgerFile),
    auditor: new SqliteAuditor(ledgerFile),
    trail: new SqliteAuditTrail(ledgerFile),
    rates: sqliteRates,
    web: new WebTrail(join(dir, 'web.db')),
    longestCallS: () => 86_400,
    sipAccounts,
    repair,
    switches: () => [],
    ...(live && { live }),
    ...(directoryCaches && { directoryCaches }),
  })
  const access = { daemon: async () => provisioning, ledger: async () => provisioning }
  return {
    provisioning,
    rates: new RateProvisioning(sqliteRates, access),
    quoter: (whose: { account?: unknown; plan?: unknown }) =>
      Quoter.open(sqliteRates, access, whose),
    auditor: new SqliteAuditor(ledgerFile),
    ledger,
    sipAccounts,
    ledgerFile,
    close() {
      ledgerFile.close()
      ratesFile.close()
      lock.release()
    },
  }
}

export type Books = ReturnType<typeof openBooks>

/** 2026-11-23T01:00:00Z */
export const T0 = Date.UTC(2026, 10, 23, 1) * 1000

const TARIFF: Tariff = tariffOf('retail', '442079460000', {
  prefix: '44',
  description: 'UK',
  perMinute: 600_000n,
  setup: 0n,
  minimum: 60,
  increment: 60,
  freeS: 0,
})

const leg = (callId: string, account: string): Leg => ({
  callId,
  account,
  switch: 'fs1',
  coreUuid: 'core-1',
  dialled: '442079460000',
  createdAt: T0,
  otherLeg: null,
})

/** Holds 0.6 for a call that is answered five seconds after T0. */
export async function hold({ ledger }: Books, callId: string, account: string) {
  const about = { at: T0, leg: leg(callId, account), tariff: TARIFF }
  const request = { ...about, answeredAt: T0 + 5_000_000 }
  return ledger.hold({ ...request, total: 600_000n, atLeast: 600_000n })
}

/** Ends it, so many seconds after T0. */
export async function settle(
  { ledger }: Books,
  callId: string,
  account: string,
  endS: number,
  outcome: Outcome = 'completed',
) {
  await ledger.settle({
    leg: leg(callId, account),
    tariff: TARIFF,
    plan: TARIFF.plan,
    number: TARIFF.number,
    price: 600_000n,
    ending: {
      answeredAt: T0 + 5_000_000,
      endedAt: T0 + endS * 1_000_000,
      billedS: 60,
      carrierCost: null,
      outcome,
      reason: null,
      cause: 'NORMAL_CLEARING',
    },
  })
}
