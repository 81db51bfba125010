/** Who may what: what can be allowed, and the roles, which are sets of that. */

export const SCOPES = [
  'accounts:read',
  'accounts:write',
  'money:write',
  'rates:read',
  'rates:write',
  'calls:read',
  'calls:kill',
  'cards:verify',
  'sip:read',
  'sip:write',
  'switches:read',
  'audit:read',
  'users:read',
  'users:write',
] as const

export type Scope = (typeof SCOPES)[number]

/** What people and programs of the operator can be. */
export const OPERATOR_ROLES = ['admin', 'operator', 'read_only'] as const
/** The last one is a customer, who sees his own account and nothing else. */
export const ROLES = [...OPERATOR_ROLES, 'account_holder'] as const

export type OperatorRole = (typeof OPERATOR_ROLES)[number]
export type Role = (typeof ROLES)[number]

const READ_ONLY: readonly Scope[] = [
  'accounts:read',
  'rates:read',
  'calls:read',
  'sip:read',
  'switches:read',
  'audit:read',
]

/** An account holder has no scope: what he may is marked in the table of operations. */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  admin: SCOPES,
  operator: [
    ...READ_ONLY,
    'accounts:write',
    'money:write',
    'rates:write',
    'calls:kill',
    'cards:verify',
    'sip:write',
  ],
  read_only: READ_ONLY,
  account_holder: [],
}
