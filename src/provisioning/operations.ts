/**
 * What can be done with the ledger, written once: the name of each operation, where it is in the
 * HTTP API, and what it takes. The server registers a route for each; the client makes a function
 * of each; both check the input with the same schema. A parameter of the path (`:code`) is a field
 * of the input; the other fields travel in the query of a GET, and else in a JSON body.
 */
import type { z } from 'zod'
import type { CdrJson } from '../call/cdr.js'
import type { AccountJson } from '../ledger/account-fields.js'
import type { SipAccountJson } from '../ledger/sip-accounts.js'
import {
  accountCreateInput,
  accountInput,
  accountListInput,
  accountSetInput,
  accountStateInput,
} from './accounts.js'
import { type AuditJson, auditListInput } from './audit.js'
import { callKillInput, callListInput, type LiveCallJson, ratesReloadInput } from './calls.js'
import {
  type CallStoryJson,
  type CdrTotalsJson,
  cdrListInput,
  cdrShowInput,
  cdrTotalsInput,
} from './cdrs.js'
import {
  adjustInput,
  type EntryJson,
  refundInput,
  type StatementJson,
  statementInput,
  topUpInput,
} from './entries.js'
import { checkInput } from './fields.js'
import {
  type SipAccountWithPassword,
  sipAccountCreateInput,
  sipAccountDeleteInput,
  sipAccountInput,
  sipAccountListInput,
  sipAccountSetInput,
} from './sip-accounts.js'
import { type SwitchJson, switchListInput } from './switches.js'
import {
  recordImportInput,
  type UnseenJson,
  unseenChargeInput,
  unseenDismissInput,
  unseenListInput,
} from './unseen.js'

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly input: z.ZodType
}

const ACCOUNTS = '/api/v1/accounts'
const ACCOUNT = `${ACCOUNTS}/:code`
const CALLS = '/api/v1/calls'
const UNSEEN = '/api/v1/unseen-calls'
const SIP_ACCOUNTS = '/api/v1/sip-accounts'
const SIP_ACCOUNT = `${SIP_ACCOUNTS}/:domain/:user`

export const OPERATIONS = {
  accountCreate: { method: 'POST', path: ACCOUNTS, input: accountCreateInput },
  accountList: { method: 'GET', path: ACCOUNTS, input: accountListInput },
  accountShow: { method: 'GET', path: ACCOUNT, input: accountInput },
  accountSet: { method: 'PATCH', path: ACCOUNT, input: accountSetInput },
  accountSuspend: { method: 'POST', path: `${ACCOUNT}/suspend`, input: accountStateInput },
  accountClose: { method: 'POST', path: `${ACCOUNT}/close`, input: accountStateInput },
  accountReopen: { method: 'POST', path: `${ACCOUNT}/reopen`, input: accountStateInput },
  topUp: { method: 'POST', path: `${ACCOUNT}/top-ups`, input: topUpInput },
  adjust: { method: 'POST', path: `${ACCOUNT}/adjustments`, input: adjustInput },
  refund: { method: 'POST', path: `${CALLS}/:call_id/refunds`, input: refundInput },
  statement: { method: 'GET', path: `${ACCOUNT}/statement`, input: statementInput },
  callList: { method: 'GET', path: CALLS, input: callListInput },
  callKill: { method: 'POST', path: `${CALLS}/:call_id/kill`, input: callKillInput },
  cdrList: { method: 'GET', path: '/api/v1/cdrs', input: cdrListInput },
  cdrShow: { method: 'GET', path: '/api/v1/cdrs/:call_id', input: cdrShowInput },
  cdrTotals: { method: 'GET', path: '/api/v1/cdrs/totals', input: cdrTotalsInput },
  recordImport: { method: 'POST', path: '/api/v1/cdrs/records', input: recordImportInput },
  unseenList: { method: 'GET', path: UNSEEN, input: unseenListInput },
  unseenCharge: { method: 'POST', path: `${UNSEEN}/:call_id/charge`, input: unseenChargeInput },
  unseenDismiss: { method: 'POST', path: `${UNSEEN}/:call_id/dismiss`, input: unseenDismissInput },
  auditList: { method: 'GET', path: '/api/v1/audit', input: auditListInput },
  ratesReload: { method: 'POST', path: '/api/v1/rates/reload', input: ratesReloadInput },
  sipAccountCreate: { method: 'POST', path: SIP_ACCOUNTS, input: sipAccountCreateInput },
  sipAccountList: { method: 'GET', path: SIP_ACCOUNTS, input: sipAccountListInput },
  sipAccountShow: { method: 'GET', path: SIP_ACCOUNT, input: sipAccountInput },
  sipAccountSet: { method: 'PATCH', path: SIP_ACCOUNT, input: sipAccountSetInput },
  sipAccountDelete: { method: 'DELETE', path: SIP_ACCOUNT, input: sipAccountDeleteInput },
  switchList: { method: 'GET', path: '/api/v1/switches', input: switchListInput },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS

interface Outputs {
  accountCreate: AccountJson
  accountList: AccountJson[]
  accountShow: AccountJson
  accountSet: AccountJson
  accountSuspend: AccountJson
  accountClose: AccountJson
  accountReopen: AccountJson
  topUp: EntryJson
  adjust: EntryJson
  refund: EntryJson
  statement: StatementJson
  callList: LiveCallJson[]
  callKill: { call_id: string }
  cdrList: CdrJson[]
  cdrShow: CallStoryJson
  cdrTotals: CdrTotalsJson[]
  recordImport: { outcome: string }
  unseenList: UnseenJson[]
  unseenCharge: CdrJson
  unseenDismiss: UnseenJson
  auditList: AuditJson[]
  ratesReload: { plan: string | null }
  sipAccountCreate: SipAccountWithPassword
  sipAccountList: SipAccountJson[]
  sipAccountShow: SipAccountJson
  sipAccountSet: SipAccountWithPassword
  sipAccountDelete: SipAccountJson
  switchList: SwitchJson[]
}

/** An input as it is typed: whatever its fields are, they are checked before anything is done. */
export type Input<N extends OperationName> = {
  [F in keyof z.input<(typeof OPERATIONS)[N]['input']>]?: unknown
}

/**
 * The operations on the ledger. There are two origins, and a caller cannot tell them apart: those
 * of createProvisioning() work on open files, those of http/client.ts ask a daemon that has them.
 * All reject with BookError or LedgerError.
 */
export type Provisioning = {
  [N in OperationName]: (input: Input<N>) => Promise<Outputs[N]>
}

/** What provisioning does once the input has been read. */
export type Implementation = {
  [N in OperationName]: (input: z.output<(typeof OPERATIONS)[N]['input']>) => Promise<Outputs[N]>
}

/** Puts the check of its input before each operation. */
export function checked(implementation: Implementation): Provisioning {
  return mapOperations((name, { input: schema }) => {
    const perform = implementation[name] as (input: unknown) => Promise<unknown>
    return async input => perform(checkInput(schema, input))
  })
}

/** One function for every line of the table: the one place where their types are forgotten. */
export function mapOperations(
  make: (name: OperationName, operation: Operation) => (input: unknown) => Promise<unknown>,
): Provisioning {
  const names = Object.keys(OPERATIONS) as OperationName[]
  return Object.fromEntries(
    names.map(name => [name, make(name, OPERATIONS[name])]),
  ) as unknown as Provisioning
}
