/** Who asks: a person who has logged in, or a program with a token. */
import { ROLE_SCOPES, type Role, type Scope } from './scopes.js'

export interface Principal {
  /** As it stands in the books: `user:anna`, `token:billing`. */
  readonly actor: string
  readonly name: string
  readonly role: Role
  readonly scopes: ReadonlySet<Scope>
  /** The only account that an account holder sees; null for all others. */
  readonly account: string | null
  /** The session of a person; null for a program. */
  readonly session: SessionOfPrincipal | null
}

export interface SessionOfPrincipal {
  readonly userId: number
  /** The hash by which it is known. */
  readonly hash: string
  /** What every change in this session must show. */
  readonly csrf: string
}

export const may = (principal: Principal, scope: Scope): boolean => principal.scopes.has(scope)

export function scopesOf(role: Role): ReadonlySet<Scope> {
  return new Set(ROLE_SCOPES[role])
}
