/**
 * The operations for whoever is beside a daemon. What only reads is read from the files, by a
 * connection that cannot write: a daemon that adds up a million CDRs serves no calls meanwhile. All
 * that changes something, and the live calls, it is asked for. What it has answered is committed,
 * so it is there to be read.
 */
import { join } from 'node:path'
import { LedgerError } from './ledger/ledger.js'
import { once } from './once.js'
import { mapOperations, type Provisioning } from './provisioning/operations.js'
import { createProvisioning } from './provisioning/provisioning.js'
import { SqliteAccounts } from './sqlite/accounts.js'
import { SqliteAuditor } from './sqlite/audit.js'
import { SqliteAuditTrail } from './sqlite/audit-trail.js'
import { SqliteCdrs } from './sqlite/cdrs.js'
import { SqliteLedger } from './sqlite/ledger.js'
import { LedgerFile } from './sqlite/ledger-file.js'
import { SqliteRates } from './sqlite/rates.js'
import { RatesFile } from './sqlite/rates-file.js'
import { SqliteRepairs } from './sqlite/repairs.js'
import { SqliteSipAccounts } from './sqlite/sip-accounts.js'
import { WebTrail } from './sqlite/web-trail.js'

export interface ReadingBeside {
  readonly provisioning: Provisioning
  /** Lets go of the files, until they are needed again. */
  close(): void
}

/** How long to wait for the daemon where it has a file for itself: as when it closes it. */
const BUSY_TIMEOUT_MS = 2_000

/** What only the daemon itself knows. */
const LIVE: readonly string[] = ['callList', 'switchList']

type Perform = (input: unknown) => Promise<unknown>

/** @param remote the operations of the daemon that has the data directory */
export function readingBeside(dataDir: string, remote: Provisioning): ReadingBeside {
  let files: ReadingBeside | undefined
  const provisioning = mapOperations((name, { method }) => {
    const ask = remote[name] as Perform
    if (method !== 'GET' || LIVE.includes(name)) return ask
    return async input => {
      files ??= openFiles(dataDir)
      return files ? (files.provisioning[name] as Perform)(input) : ask(input)
    }
  })
  return {
    provisioning,
    close() {
      files?.close()
      files = undefined
    },
  }
}

/** Undefined where they cannot be read as they are: the daemon that has them open is of another version. */
function openFiles(dataDir: string): ReadingBeside | undefined {
  const options = { readonly: true, busyTimeoutMs: BUSY_TIMEOUT_MS }
  const opened: { close(): void }[] = []
  const close = () => {
    for (const file of opened) file.close()
  }
  try {
    const file = new LedgerFile(join(dataDir, 'ledger.db'), options)
    opened.push(file)
    const ratesFile = new RatesFile(join(dataDir, 'rates.db'), options)
    opened.push(ratesFile)
    const web = new WebTrail(join(dataDir, 'web.db'))
    return { provisioning: readsOf(file, new SqliteRates(ratesFile), web), close }
  } catch (error) {
    close()
    if (error instanceof LedgerError) return undefined
    throw error
  }
}

/** All operations; those that are not asked of files lack what they would need. */
function readsOf(file: LedgerFile, rates: SqliteRates, web: WebTrail): Provisioning {
  const notHere = () => Promise.reject(new Error('only what reads is asked of the files'))
  const cdrs = once(() => new SqliteCdrs(file))
  const trail = once(() => new SqliteAuditTrail(file))
  const repairs = once(() => new SqliteRepairs(file, new SqliteLedger(file)))
  return createProvisioning({
    get accounts() {
      return new SqliteAccounts(file)
    },
    get cdrs() {
      return cdrs()
    },
    get auditor() {
      return new SqliteAuditor(file)
    },
    get trail() {
      return trail()
    },
    rates,
    web,
    switches: () => [],
    longestCallS: () => 0,
    get sipAccounts() {
      return new SqliteSipAccounts(file)
    },
    repair: {
      get repairs() {
        return repairs()
      },
      importRecord: notHere,
      charge: notHere,
    },
  })
}
