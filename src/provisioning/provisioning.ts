/** Puts the operations together, for who has the files open: the daemon, or the CLI without one. */
import type { AccessTrail } from '../access/access.js'
import type { Accounts, Auditor, AuditTrail, Cdrs } from '../ledger/books.js'
import type { Rates } from '../ledger/rates.js'
import type { SipAccounts } from '../ledger/sip-accounts.js'
import { once } from '../once.js'
import { AccountProvisioning } from './accounts.js'
import { listAudit } from './audit.js'
import { CallProvisioning, type LiveCalls } from './calls.js'
import { addUpCdrs, listCdrs, showCdr } from './cdrs.js'
import { EntryProvisioning } from './entries.js'
import { checked, type Provisioning } from './operations.js'
import { type DirectoryCaches, SipAccountProvisioning } from './sip-accounts.js'
import { listSwitches, type SwitchState } from './switches.js'
import { type RecordRepair, UnseenProvisioning } from './unseen.js'

export interface ProvisioningParts {
  readonly accounts: Accounts
  readonly cdrs: Cdrs
  readonly auditor: Pick<Auditor, 'allOpenCalls'>
  readonly trail: AuditTrail
  /** Only to see whether a plan is there, and who changed it: rates are edited by who asks. */
  readonly rates: Pick<Rates, 'version' | 'audit'>
  /** The record of who changed users and tokens, which are others' to change. */
  readonly web: AccessTrail
  /** The calls of a running daemon. */
  readonly live?: LiveCalls
  /** The longest that a call is funded for. */
  readonly longestCallS: () => number | Promise<number>
  readonly sipAccounts: SipAccounts
  /** What is done with records of mod_json_cdr. */
  readonly repair: RecordRepair
  /** The switches of a running daemon. */
  readonly directoryCaches?: DirectoryCaches
  /** In the order in which they are configured. */
  readonly switches: () => readonly SwitchState[] | Promise<readonly SwitchState[]>
}

export function createProvisioning(parts: ProvisioningParts): Provisioning {
  const hasPlan = async (name: string) => (await parts.rates.version(name)) !== undefined
  // Each when it is first needed: a command needs one, and statements take time to be prepared.
  const accounts = once(() => new AccountProvisioning(parts.accounts, hasPlan, parts.live))
  const entries = once(() => new EntryProvisioning(parts.accounts, parts.live))
  const calls = once(() => {
    const { auditor, trail, live, longestCallS } = parts
    return new CallProvisioning(auditor, trail, live, longestCallS)
  })
  const sip = once(() => new SipAccountProvisioning(parts.sipAccounts, parts.directoryCaches))
  const unseen = once(() => new UnseenProvisioning(parts.repair))
  return checked({
    accountCreate: input => accounts().create(input),
    accountList: input => accounts().list(input),
    accountShow: input => accounts().show(input),
    accountSet: input => accounts().set(input),
    accountSuspend: input => accounts().suspend(input),
    accountClose: input => accounts().close(input),
    accountReopen: input => accounts().reopen(input),
    topUp: input => entries().topUp(input),
    adjust: input => entries().adjust(input),
    refund: input => entries().refund(input),
    statement: input => entries().statement(input),
    callList: input => calls().list(input),
    callKill: input => calls().kill(input),
    cdrList: input => listCdrs(parts.cdrs, input),
    cdrShow: input => showCdr(parts.cdrs, input),
    cdrTotals: input => addUpCdrs(parts.cdrs, input),
    recordImport: input => unseen().import(input),
    unseenList: input => unseen().list(input),
    unseenCharge: input => unseen().charge(input),
    unseenDismiss: input => unseen().dismiss(input),
    auditList: input =>
      listAudit({ ledger: parts.trail, rates: parts.rates, web: parts.web }, input),
    ratesReload: input => calls().reloadRates(input),
    sipAccountCreate: input => sip().create(input),
    sipAccountList: input => sip().list(input),
    sipAccountShow: input => sip().show(input),
    sipAccountSet: input => sip().set(input),
    sipAccountDelete: input => sip().delete(input),
    switchList: async () => listSwitches(await parts.switches()),
  })
}
