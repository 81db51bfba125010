/**
 * What can be done with the ledger, written once: the name of each operation, where it is in the
 * HTTP API, and what it takes. The server registers a route for each; the client makes a function
 * of each; both check the input with the same schema. A parameter of the path (`:code`) is a field
 * of the input; the other fields travel in the query of a GET, and else in a JSON body.
 */
import type { z } from 'zod'
import type { CdrJson } from '../call/cdr.js'
import {
  type AccountJson,
  accountCreateInput,
  accountInput,
  accountListInput,
  accountSetInput,
  adjustInput,
  type EntryJson,
  type StatementJson,
  statementInput,
  topUpInput,
} from './accounts.js'
import { callKillInput, callListInput, type LiveCallJson, ratesReloadInput } from './calls.js'
import { cdrListInput } from './cdrs.js'
import { checkInput } from './fields.js'

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly input: z.ZodType
}

const ACCOUNTS = '/api/v1/accounts'
const ACCOUNT = `${ACCOUNTS}/:code`
const CALLS = '/api/v1/calls'

export const OPERATIONS = {
  accountCreate: { method: 'POST', path: ACCOUNTS, input: accountCreateInput },
  accountList: { method: 'GET', path: ACCOUNTS, input: accountListInput },
  accountShow: { method: 'GET', path: ACCOUNT, input: accountInput },
  accountSet: { method: 'PATCH', path: ACCOUNT, input: accountSetInput },
  accountClose: { method: 'POST', path: `${ACCOUNT}/close`, input: accountInput },
  accountReopen: { method: 'POST', path: `${ACCOUNT}/reopen`, input: accountInput },
  topUp: { method: 'POST', path: `${ACCOUNT}/top-ups`, input: topUpInput },
  adjust: { method: 'POST', path: `${ACCOUNT}/adjustments`, input: adjustInput },
  statement: { method: 'GET', path: `${ACCOUNT}/statement`, input: statementInput },
  callList: { method: 'GET', path: CALLS, input: callListInput },
  callKill: { method: 'POST', path: `${CALLS}/:call_id/kill`, input: callKillInput },
  cdrList: { method: 'GET', path: '/api/v1/cdrs', input: cdrListInput },
  ratesReload: { method: 'POST', path: '/api/v1/rates/reload', input: ratesReloadInput },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof OPERATIONS

interface Outputs {
  accountCreate: AccountJson
  accountList: AccountJson[]
  accountShow: AccountJson
  accountSet: AccountJson
  accountClose: AccountJson
  accountReopen: AccountJson
  topUp: EntryJson
  adjust: EntryJson
  statement: StatementJson
  callList: LiveCallJson[]
  callKill: { call_id: string }
  cdrList: CdrJson[]
  ratesReload: { plan: string | null }
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
