/**
 * Who may what, as one table: the scope that each operation needs, and what of it an account holder
 * may, who has no scope at all.
 */
import { may, type Principal } from '../../access/principal.js'
import { ROLE_SCOPES, ROLES, type Role, type Scope } from '../../access/scopes.js'
import type { LocalOperationName } from '../../provisioning/local-operations.js'
import type { OperationName } from '../../provisioning/operations.js'
import { tokenCreateInput } from '../../provisioning/tokens.js'
import { Refusal } from '../refusal.js'

/** Who serves the ledger is told of new rates by who writes them: that is not for others to ask. */
export type ServedName = Exclude<OperationName, 'ratesReload'> | LocalOperationName

export interface Permission {
  readonly scope: Scope
  /** The field that must be the account holder's own account; left out, it is not for him. */
  readonly own?: string
  /** Fields that need more: credit is money, however it is given. */
  readonly fields?: Readonly<Record<string, Scope>>
}

const read = (scope: Scope, own?: string): Permission => (own ? { scope, own } : { scope })
const write = (scope: Scope, fields?: Permission['fields']): Permission =>
  fields ? { scope, fields } : { scope }

export const PERMISSIONS: Readonly<Record<ServedName, Permission>> = {
  accountCreate: write('accounts:write', { credit: 'money:write', credit_limit: 'money:write' }),
  accountList: read('accounts:read'),
  accountShow: read('accounts:read', 'code'),
  accountSet: write('accounts:write', { credit_limit: 'money:write' }),
  accountSuspend: write('accounts:write'),
  accountClose: write('accounts:write'),
  accountReopen: write('accounts:write'),
  topUp: write('money:write'),
  adjust: write('money:write'),
  refund: write('money:write'),
  statement: read('accounts:read', 'code'),
  callList: read('calls:read', 'account'),
  callKill: write('calls:kill'),
  cdrList: read('calls:read', 'account'),
  cdrShow: read('calls:read'),
  cdrTotals: read('calls:read', 'account'),
  recordImport: write('money:write'),
  unseenList: read('calls:read'),
  unseenCharge: write('money:write'),
  unseenDismiss: write('money:write'),
  auditList: read('audit:read'),
  switchList: read('switches:read'),
  sipAccountCreate: write('sip:write'),
  sipAccountList: read('sip:read'),
  sipAccountShow: read('sip:read'),
  sipAccountSet: write('sip:write'),
  sipAccountDelete: write('sip:write'),
  planCreate: write('rates:write'),
  planList: read('rates:read'),
  planShow: read('rates:read'),
  planSet: write('rates:write'),
  planDelete: write('rates:write'),
  periodSet: write('rates:write'),
  periodDelete: write('rates:write'),
  rateList: read('rates:read'),
  rateShow: read('rates:read'),
  rateAdd: write('rates:write'),
  rateSet: write('rates:write'),
  rateDelete: write('rates:write'),
  accountRates: read('rates:read', 'code'),
  quote: read('rates:read', 'account'),
  statsSteps: read('calls:read'),
  userCreate: write('users:write'),
  userList: read('users:read'),
  userShow: read('users:read'),
  userSet: write('users:write'),
  userDelete: write('users:write'),
  userPasswordLink: write('users:write'),
  tokenCreate: write('users:write'),
  tokenList: read('users:read'),
  tokenRevoke: write('users:write'),
  pinSet: write('accounts:write'),
  pinDelete: write('accounts:write'),
  cardVerify: write('cards:verify'),
}

type Input = Readonly<Record<string, unknown>>

/**
 * The input as the principal may have it done: an account holder's list is one of his own account.
 * @throws Refusal forbidden
 */
export function allowed(principal: Principal, permission: Permission, input: Input): Input {
  if (principal.account !== null) return ofOwnAccount(principal.account, permission, input)
  demand(principal, permission.scope)
  for (const [field, scope] of Object.entries(permission.fields ?? {})) {
    if (input[field] !== undefined) demand(principal, scope)
  }
  return input
}

/** @throws Refusal forbidden */
export function demand(principal: Principal, scope: Scope): void {
  if (may(principal, scope)) return
  const who = principal.session === null ? 'This token' : 'Your role'
  throw new Refusal(403, 'forbidden', `${who} does not have the scope ${scope}`)
}

/** Nobody gives others more than he has himself. @throws Refusal forbidden */
export function demandAll(principal: Principal, scopes: readonly Scope[]): void {
  for (const scope of scopes) demand(principal, scope)
}

/**
 * What an operation would give away: a token's scopes, or a role. Whoever has somebody's password link
 * can be him, and who takes a role away should have it.
 * @param known the role of the user that is named; null where there is none
 */
export function givenAway(name: ServedName, input: Input, known: Role | null): readonly Scope[] {
  if (!GIVING.includes(name)) return []
  // What is wrong with them is for the operation to say.
  const scopes = name === 'tokenCreate' ? scopesField.safeParse(input['scopes']).data : undefined
  if (scopes) return scopes
  const roles = ROLES.filter(role => role === input['role'] || role === known)
  return roles.flatMap(role => ROLE_SCOPES[role])
}

const scopesField = tokenCreateInput.shape.scopes

const GIVING: readonly ServedName[] = [
  'userCreate',
  'userSet',
  'userPasswordLink',
  'userDelete',
  'tokenCreate',
]

function ofOwnAccount(account: string, { own }: Permission, input: Input): Input {
  if (own !== undefined && [undefined, account].includes(input[own] as string | undefined)) {
    // A quote is of the account, and of no plan beside it.
    if (input['plan'] === undefined) return { ...input, [own]: account }
  }
  throw new Refusal(403, 'forbidden', `This log-in sees the account ${account} and nothing else`)
}
