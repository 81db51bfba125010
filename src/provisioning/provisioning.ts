/** Puts the operations together, for who has the files open: the daemon, or the CLI without one. */
import type { Accounts, Auditor, Cdrs } from '../ledger/books.js'
import { AccountProvisioning } from './accounts.js'
import { CallProvisioning, type LiveCalls } from './calls.js'
import { listCdrs } from './cdrs.js'
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
  const hasPlan = async (name: string) => (await parts.rates.version(name)) !== undefined
  const accounts = new AccountProvisioning(parts.accounts, hasPlan, parts.live)
  const calls = new CallProvisioning(parts.auditor, parts.live, parts.longestCallS)
  return checked({
    accountCreate: input => accounts.create(input),
    accountList: input => accounts.list(input),
    accountShow: input => accounts.show(input),
    accountSet: input => accounts.set(input),
    accountClose: input => accounts.close(input),
    accountReopen: input => accounts.reopen(input),
    topUp: input => accounts.topUp(input),
    adjust: input => accounts.adjust(input),
    statement: input => accounts.statement(input),
    callList: input => calls.list(input),
    callKill: input => calls.kill(input),
    cdrList: input => listCdrs(parts.cdrs, input),
    ratesReload: input => calls.reloadRates(input),
  })
}
