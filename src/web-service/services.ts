/**
 * What the web service works with, beside a running daemon. It stands where the CLI does: changes of
 * the ledger and live calls go to the daemon by its socket, rates are edited here in their own file,
 * and what is only read comes from the ledger's file, opened for reading.
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { connectApi } from '../http/client.js'
import { LedgerError } from '../ledger/ledger.js'
import { CardProvisioning } from '../provisioning/cards.js'
import { createLocal } from '../provisioning/local-operations.js'
import { mapOperations, type Provisioning } from '../provisioning/operations.js'
import { createProvisioning } from '../provisioning/provisioning.js'
import { Quoter } from '../provisioning/quote.js'
import { RateProvisioning } from '../provisioning/rates.js'
import { StatsProvisioning } from '../provisioning/stats.js'
import { TokenProvisioning } from '../provisioning/tokens.js'
import { UserProvisioning } from '../provisioning/users.js'
import { SqliteAccounts } from '../sqlite/accounts.js'
import { SqliteAnswers } from '../sqlite/answers.js'
import { SqliteAuditor } from '../sqlite/audit.js'
import { SqliteAuditTrail } from '../sqlite/audit-trail.js'
import { SqliteCdrs } from '../sqlite/cdrs.js'
import { SqliteLedger } from '../sqlite/ledger.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { SqlitePins } from '../sqlite/pins.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import { SqliteRepairs } from '../sqlite/repairs.js'
import { SqliteLinks, SqliteSessions } from '../sqlite/sessions.js'
import { SqliteSipAccounts } from '../sqlite/sip-accounts.js'
import { SqliteStats } from '../sqlite/stats.js'
import { SqliteTokens } from '../sqlite/tokens.js'
import { SqliteUsers } from '../sqlite/users.js'
import { WebFile } from '../sqlite/web-file.js'
import { WebTrail } from '../sqlite/web-trail.js'
import { DeckImports } from '../web/deck-imports.js'
import { LiveFeed } from '../web/live-feed.js'
import type { Services } from '../web/parts.js'

/** How long a change waits for a command that has the same file in its hands. */
const PATIENCE_MS = 5_000

export interface OpenServices {
  readonly services: Services
  close(): void
}

/** @throws LedgerError as the files do */
export function openServices(dataDir: string, publicUrl: string, log: Logger): OpenServices {
  const opened: { close(): void }[] = []
  const open = <T extends { close(): void }>(file: T): T => {
    opened.push(file)
    return file
  }
  const close = () => {
    for (const file of opened.reverse().splice(0)) file.close()
  }
  try {
    const busyTimeoutMs = PATIENCE_MS
    const web = open(new WebFile(join(dataDir, 'web.db'), { busyTimeoutMs }))
    const rates = new SqliteRates(open(new RatesFile(join(dataDir, 'rates.db'), { busyTimeoutMs })))
    const ledgerFile = open(new LedgerFile(join(dataDir, 'ledger.db'), { readonly: true }))
    const daemon = () => connectApi(dataDir)
    const trail = new WebTrail(join(dataDir, 'web.db'))
    const ledger = besideDaemon(readOnly(ledgerFile, rates, trail), daemon)
    const live = open(new LiveFeed(() => ledger.callList({}), log))
    const access = { daemon, ledger: async () => ledger }
    const accounts = new SqliteAccounts(ledgerFile)
    const users = new SqliteUsers(web)
    const links = new SqliteLinks(web, users)
    const account = (code: unknown) => ledger.accountShow({ code })
    const parts = {
      rates: new RateProvisioning(rates, access),
      quoter: (whose: { account?: unknown; plan?: unknown }) => Quoter.open(rates, access, whose),
      stats: new StatsProvisioning(new SqliteStats(ledgerFile)),
      cards: new CardProvisioning(new SqlitePins(web), account),
      account,
      users: new UserProvisioning({
        users,
        links,
        hasAccount: async code => (await accounts.find(code)) !== undefined,
        linkUrl: secret => `${publicUrl}/link/${secret}`,
      }),
      tokens: new TokenProvisioning(new SqliteTokens(web), web.now),
    }
    const services: Services = {
      ...parts,
      ledger,
      local: createLocal(parts),
      imports: open(new DeckImports(join(dataDir, 'uploads'), parts.rates, log)),
      sessions: new SqliteSessions(web),
      links,
      answers: new SqliteAnswers(web),
      live,
    }
    return { services, close }
  } catch (error) {
    close()
    throw error
  }
}

/** What is only asked is answered from the file; only the daemon knows live calls, and changes anything. */
function besideDaemon(
  reader: Provisioning,
  daemon: () => Promise<Provisioning | undefined>,
): Provisioning {
  return mapOperations((name, { method }) => {
    if (method === 'GET' && name !== 'callList') {
      return reader[name] as (input: unknown) => Promise<unknown>
    }
    return async input => {
      const found = await daemon()
      if (!found) throw new LedgerError('unavailable', 'The daemon does not answer at the moment')
      return (found[name] as (input: unknown) => Promise<unknown>)(input)
    }
  })
}

function readOnly(file: LedgerFile, rates: SqliteRates, web: WebTrail): Provisioning {
  const refuse = () =>
    Promise.reject(new LedgerError('unavailable', 'The ledger is only read here'))
  const repairs = new SqliteRepairs(file, new SqliteLedger(file))
  return createProvisioning({
    accounts: new SqliteAccounts(file),
    cdrs: new SqliteCdrs(file),
    auditor: new SqliteAuditor(file),
    trail: new SqliteAuditTrail(file),
    rates,
    web,
    longestCallS: () => 0,
    sipAccounts: new SqliteSipAccounts(file),
    repair: { repairs, importRecord: refuse, charge: refuse },
  })
}
