/**
 * The ports to web.db: who may log in, with what, and what they have been answered. sqlite/ implements
 * them. Each change of a user or a token is committed together with its record of who made it, which
 * never has a secret in it. All instants are microseconds since the epoch, by our clock.
 */
import type { AuditFilter, AuditRecord } from '../ledger/audit.js'
import type { Expectation } from '../ledger/books.js'
import type { OperatorRole, Role, Scope } from './scopes.js'

export interface User {
  readonly id: number
  /** Case does not matter in it. */
  readonly name: string
  readonly role: Role
  /** The one account that an account holder sees; null for all others. */
  readonly account: string | null
  readonly enabled: boolean
  /** Not before he has followed his link. */
  readonly hasPassword: boolean
  readonly createdAt: number
  readonly lastLoginAt: number | null
}

export type UserTerms = Pick<User, 'role' | 'account' | 'enabled'>

export interface UserFilter {
  readonly search?: string
  readonly after?: string
  readonly limit: number
}

/** Rejects with BookError: a refusal in one sentence, with nothing changed. */
export interface Users {
  /** @throws BookError user_exists */
  create(name: string, terms: UserTerms, passwordHash: string | null, actor: string): Promise<User>
  find(name: string): Promise<User | undefined>
  /** In the order of names. */
  list(filter: UserFilter): Promise<User[]>
  /**
   * Ends the user's sessions as well where he may less than before.
   * @throws BookError unknown_user, last_admin
   */
  change(
    name: string,
    changes: Partial<UserTerms>,
    actor: string,
    expect?: Expectation<User>,
  ): Promise<User>
  /** Ends his sessions and takes back his links. @throws BookError unknown_user, last_admin */
  delete(name: string, actor: string): Promise<User>
  /** Ends all his sessions but `keep`, and takes back his links. @throws BookError unknown_user */
  setPassword(name: string, hash: string, actor: string, keep?: string): Promise<User>
  /** The hash with which a log-in is compared; null where there is none, or he is disabled. */
  passwordHash(name: string): Promise<{ user: User; hash: string | null } | undefined>
  /** Whether nobody can log in: there is no enabled admin with a password. */
  isEmpty(): Promise<boolean>
}

export interface Session {
  readonly hash: string
  readonly user: User
  readonly csrf: string
  readonly createdAt: number
}

export interface Sessions {
  /** Replaces the session `old`, if there is one. */
  begin(session: { hash: string; userId: number; csrf: string; old: string | null }): Promise<void>
  /** The session, unless it is over: too old, idle for too long, or its user disabled. */
  find(hash: string): Promise<Session | undefined>
  end(hash: string): Promise<void>
  /** Sessions that are over, and links and answers that have expired. */
  sweep(): Promise<void>
}

/** `set_up` makes the first admin; `password` lets a user choose his password. */
export type LinkPurpose = 'set_up' | 'password'

export interface Link {
  readonly purpose: LinkPurpose
  /** Null for `set_up`. */
  readonly user: User | null
  readonly expiresAt: number
}

/** Links that are good once, and not for long. */
export interface Links {
  /** Takes back all earlier ones of the same purpose and user. */
  make(hash: string, purpose: LinkPurpose, user: string | null, actor: string): Promise<Link>
  find(hash: string): Promise<Link | undefined>
  /** Makes the first admin. @throws BookError link_used */
  useSetUp(hash: string, name: string, passwordHash: string): Promise<User>
  /** @throws BookError link_used */
  usePassword(hash: string, passwordHash: string): Promise<User>
}

export interface Token {
  readonly name: string
  readonly role: OperatorRole
  /** All of them within the role's. */
  readonly scopes: readonly Scope[]
  readonly createdAt: number
  readonly createdBy: string
  /** Null: never. */
  readonly expiresAt: number | null
  readonly revokedAt: number | null
  /** To the minute. */
  readonly lastUsedAt: number | null
}

export type NewToken = Pick<Token, 'name' | 'role' | 'scopes' | 'expiresAt'> & {
  readonly hash: string
}

export interface Tokens {
  /** @throws BookError token_exists */
  create(token: NewToken, actor: string): Promise<Token>
  /** In the order of names. */
  list(): Promise<Token[]>
  /** For good. @throws BookError unknown_token */
  revoke(name: string, actor: string): Promise<Token>
  /** The token that is in force, and notes that it was used. */
  use(hash: string): Promise<Token | undefined>
}

/** Answers that were given under an Idempotency-Key, kept for a day. */
export interface Answers {
  /**
   * Takes the key for a request. Undefined: go ahead, and give() the answer. Else what is known of the
   * request that took it: still running, or answered.
   */
  take(principal: string, key: string, request: string): Promise<KnownAnswer | undefined>
  give(principal: string, key: string, status: number, body: string): Promise<void>
  /** Nothing was done: the key is free again. */
  release(principal: string, key: string): Promise<void>
}

export interface KnownAnswer {
  /** The hash of the request. */
  readonly request: string
  /** Null while it runs, or where its process has died. */
  readonly status: number | null
  readonly body: string
}

/** The record of who changed users, tokens and PINs. */
export interface AccessTrail {
  /** The newest come first. */
  audit(filter: AuditFilter): Promise<AuditRecord[]>
}
