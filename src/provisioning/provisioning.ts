/** Puts the operations together, for who has the files open: the daemon, or the CLI without one. */
import type { Accounts, Auditor, Cdrs } from '../ledger/books.js'
import { accountOperations } from './accounts.js'
import { callOperations, type LiveCalls } from './calls.js'
import { cdrOperations } from './cdrs.js'
import { checked, type Provisioning } from './operations.js'
import type { Rates } from './rates.js'

export interface ProvisioningParts {
  readonly accounts: Accounts
  readonly cdrs: Cdrs
  readonly auditor: Pick<Auditor, 'allOpenCalls'>
  /** Only to see whether a plan is there: rates are edited by who asks, see rates.ts. */
  readonly rates: Pick<Rates, 'version'>
  /** The calls of a running daemon. */
  readonly live?: LiveCalls
  /** The longest that a call is funded for. */
  readonly longestCallS: () => number
}

export function createProvisioning(parts: ProvisioningParts): Provisioning {
  const { accounts, cdrs, auditor, rates, live, longestCallS } = parts
  const hasPlan = async (name: string) => (await rates.version(name)) !== undefined
  return checked({
    ...accountOperations(accounts, hasPlan, live),
    ...callOperations(auditor, live, longestCallS),
    ...cdrOperations(cdrs),
  })
}
