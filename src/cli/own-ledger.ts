/** The operations on a ledger that no daemon has: the command has opened it itself. */
import { join } from 'node:path'
import type { Config } from '../config.js'
import type { Provisioning } from '../provisioning/operations.js'
import { createProvisioning } from '../provisioning/provisioning.js'
import type { SwitchState } from '../provisioning/switches.js'
import type { RecordRepair } from '../provisioning/unseen.js'
import { SqliteAccounts } from '../sqlite/accounts.js'
import { SqliteAuditor } from '../sqlite/audit.js'
import { SqliteAuditTrail } from '../sqlite/audit-trail.js'
import { SqliteCdrs } from '../sqlite/cdrs.js'
import type { LedgerFile } from '../sqlite/ledger-file.js'
import type { SqliteRates } from '../sqlite/rates.js'
import { SqliteSipAccounts } from '../sqlite/sip-accounts.js'
import { WebTrail } from '../sqlite/web-trail.js'

/** What else an operation may need: read, or opened, when it does. */
export interface Beside {
  readonly dataDir: string
  readonly config: () => Promise<Config>
  readonly rates: () => Promise<SqliteRates>
  readonly switches: () => Promise<readonly SwitchState[]>
}

export function provisioningOf(file: LedgerFile, beside: Beside): Provisioning {
  const { dataDir, config, rates, switches } = beside
  return createProvisioning({
    get accounts() {
      return new SqliteAccounts(file)
    },
    get cdrs() {
      return new SqliteCdrs(file)
    },
    get auditor() {
      return new SqliteAuditor(file)
    },
    get trail() {
      return new SqliteAuditTrail(file)
    },
    rates: {
      version: async plan => (await rates()).version(plan),
      audit: async filter => (await rates()).audit(filter),
    },
    web: new WebTrail(join(dataDir, 'web.db')),
    longestCallS: async () => (await config()).rules.longestCallS,
    get sipAccounts() {
      return new SqliteSipAccounts(file)
    },
    repair: repairOf(file, beside),
    switches,
  })
}

function repairOf(file: LedgerFile, { config, rates }: Beside): RecordRepair {
  const parts = () => import('./own-repair.js')
  const repair = async () => (await parts()).openRepair(file, await config(), rates)
  return {
    repairs: {
      unseen: async filter => (await parts()).openRepairs(file).unseen(filter),
      dismiss: async dismissal => (await parts()).openRepairs(file).dismiss(dismissal),
    },
    importRecord: async text => (await repair()).importRecord(text),
    charge: async (...call) => (await repair()).charge(...call),
  }
}
