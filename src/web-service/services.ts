/**
 * What the web service works with, beside a running daemon. It stands where the CLI does: changes of
 * the ledger and live calls go to the daemon by its socket, rates are edited here in their own file,
 * and what is only read comes from the ledger's file, opened for reading.
 */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { connectApi } from '../http/client.js'
import { LedgerError } from '../ledger/ledger.js'
import { createLocal } from '../provisioning/local-operations.js'
import { mapOperations, type Provisioning } from '../provisioning/operations.js'
import { Quoter } from '../provisioning/quote.js'
import { RateProvisioning } from '../provisioning/rates.js'
import { readingBeside } from '../reading-beside.js'
import { SqliteAnswers } from '../sqlite/answers.js'
import { SqliteBrowsing } from '../sqlite/browsing.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import { SqliteSessions } from '../sqlite/sessions.js'
import { SqliteStatistics } from '../sqlite/statistics.js'
import { WebFile } from '../sqlite/web-file.js'
import { DeckImports } from '../web/deck-imports.js'
import { LiveFeed } from '../web/live-feed.js'
import type { Services } from '../web/parts.js'
import { openAccess } from '../web-access.js'

/** How long a change waits for a command that has the same file in its hands. */
const PATIENCE_MS = 5_000

export interface OpenServices {
  readonly services: Services
  close(): void
}

export interface ServicesOptions {
  readonly dataDir: string
  /** Where links lead. */
  readonly publicUrl: string
  readonly log: Logger
  /** Microseconds since the epoch, for what web.db stamps. */
  readonly now?: () => number
}

/** @throws LedgerError as the files do */
export function openServices({ dataDir, publicUrl, log, now }: ServicesOptions): OpenServices {
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
    const options = { busyTimeoutMs, ...(now && { now }) }
    const web = open(new WebFile(join(dataDir, 'web.db'), options))
    const rates = new SqliteRates(open(new RatesFile(join(dataDir, 'rates.db'), { busyTimeoutMs })))
    const ledgerFile = open(new LedgerFile(join(dataDir, 'ledger.db'), { readonly: true }))
    const daemon = () => connectApi(dataDir)
    const { provisioning: ledger } = open(readingBeside(dataDir, daemonOf(daemon)))
    const live = open(new LiveFeed(() => ledger.callList({}), log))
    const access = { daemon, ledger: async () => ledger }
    const account = (code: unknown) => ledger.accountShow({ code })
    const parts = {
      rates: new RateProvisioning(rates, access),
      quoter: (whose: { account?: unknown; plan?: unknown }) => Quoter.open(rates, access, whose),
      statistics: new SqliteStatistics(ledgerFile),
      account,
      ...openAccess(web, account, () => publicUrl),
    }
    const services: Services = {
      ...parts,
      ledger,
      local: createLocal(parts),
      imports: open(new DeckImports(join(dataDir, 'uploads'), parts.rates, log)),
      sessions: new SqliteSessions(web),
      answers: new SqliteAnswers(web),
      live,
      browsing: new SqliteBrowsing(ledgerFile),
    }
    return { services, close }
  } catch (error) {
    close()
    throw error
  }
}

/** The daemon as it is reached at the moment: it may be starting, or stopping. */
function daemonOf(daemon: () => Promise<Provisioning | undefined>): Provisioning {
  return mapOperations(name => async input => {
    const found = await daemon()
    if (!found) throw new LedgerError('unavailable', 'The daemon does not answer at the moment')
    return (found[name] as (input: unknown) => Promise<unknown>)(input)
  })
}
