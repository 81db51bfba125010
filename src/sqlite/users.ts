/** The users of the web service: names, roles and the hashes of their passwords. */
import type { User, UserFilter, Users, UserTerms } from '../access/access.js'
import type { Role } from '../access/scopes.js'
import { BookError, type Expectation } from '../ledger/books.js'
import { AuditTable } from './audit-table.js'
import type { Statement } from './database.js'
import { numberOrNull } from './rows.js'
import type { WebFile } from './web-file.js'

export interface UserRow {
  readonly id: bigint
  readonly name: string
  readonly role: Role
  readonly account: string | null
  readonly enabled: bigint
  readonly password: string | null
  readonly created_at: bigint
  readonly last_login_at: bigint | null
}

/** Who can let others in. */
const ADMINS = `SELECT count(*) FROM user WHERE role = 'admin' AND enabled AND password IS NOT NULL`

export class SqliteUsers implements Users {
  readonly #file: WebFile
  readonly #audit: AuditTable
  readonly #insert: Statement<[object]>
  readonly #byName: Statement<[string], UserRow>
  readonly #list: Statement<[object], UserRow>
  readonly #update: Statement<[object]>
  readonly #password: Statement<[object]>
  readonly #delete: Statement<[string]>
  readonly #endSessions: Statement<[object]>
  readonly #dropLinks: Statement<[bigint]>
  readonly #admins: Statement<[], bigint>

  constructor(file: WebFile) {
    const { database } = file
    this.#file = file
    this.#audit = new AuditTable(database, file.now)
    this.#insert =
      database.prepare(`INSERT INTO user (name, role, account, enabled, password, created_at)
      VALUES (@name, @role, @account, @enabled, @password, @now)`)
    this.#byName = database.prepare('SELECT * FROM user WHERE name = ?')
    this.#list = database.prepare(`SELECT * FROM user
      WHERE (@search IS NULL OR instr(fold(name), fold(@search)) OR instr(fold(coalesce(account, '')), fold(@search)))
        AND (@after IS NULL OR name > @after) ORDER BY name LIMIT @limit`)
    this.#update = database.prepare(`UPDATE user
      SET role = @role, account = @account, enabled = @enabled WHERE name = @name`)
    this.#password = database.prepare('UPDATE user SET password = @hash WHERE name = @name')
    this.#delete = database.prepare('DELETE FROM user WHERE name = ?')
    this.#endSessions = database.prepare(
      'DELETE FROM session WHERE user_id = @id AND hash IS NOT @keep',
    )
    this.#dropLinks = database.prepare('DELETE FROM link WHERE user_id = ?')
    this.#admins = database.prepare<[], bigint>(ADMINS).pluck()
  }

  create(name: string, terms: UserTerms, password: string | null, actor: string): Promise<User> {
    return this.#file.committer.enqueue(() => this.created(name, terms, password, actor))
  }

  /** create(), for use inside an operation. */
  created(name: string, terms: UserTerms, password: string | null, actor: string): User {
    const old = this.#byName.get(name)
    if (old) throw new BookError('user_exists', `There is already a user ${old.name}`)
    const now = this.#file.now()
    this.#insert.run({ ...terms, name, enabled: Number(terms.enabled), password, now })
    const user = userOf(this.#known(name))
    this.#record(actor, 'user.create', user.name, null, fieldsOf(user))
    return user
  }

  find(name: string): Promise<User | undefined> {
    return this.#file.committer.read(() => {
      const row = this.#byName.get(name)
      return row && userOf(row)
    })
  }

  list({ search, after, limit }: UserFilter): Promise<User[]> {
    const bound = { search: search ?? null, after: after ?? null, limit }
    return this.#file.committer.read(() => this.#list.all(bound).map(userOf))
  }

  change(
    name: string,
    changes: Partial<UserTerms>,
    actor: string,
    expect?: Expectation<User>,
  ): Promise<User> {
    return this.#file.committer.enqueue(() => {
      const old = userOf(this.#known(name))
      expect?.(old)
      const next = { ...old, ...changes }
      this.#update.run({ ...termsOf(next), enabled: Number(next.enabled), name })
      this.#keepAnAdmin(old)
      if (next.role !== old.role || next.account !== old.account || !next.enabled) {
        this.#endSessions.run({ id: old.id, keep: null })
      }
      if (!next.enabled) this.#dropLinks.run(BigInt(old.id))
      const by = { actor, action: 'user.set', subject: `user ${old.name}` }
      this.#audit.recordChange(by, fieldsOf(old), fieldsOf(next))
      return next
    })
  }

  delete(name: string, actor: string): Promise<User> {
    return this.#file.committer.enqueue(() => {
      const old = userOf(this.#known(name))
      this.#delete.run(name)
      this.#keepAnAdmin(old)
      this.#record(actor, 'user.delete', old.name, fieldsOf(old), null)
      return old
    })
  }

  setPassword(name: string, hash: string, actor: string, keep: string | null = null) {
    return this.#file.committer.enqueue(() => this.passwordSet(name, hash, actor, keep))
  }

  /** setPassword(), for use inside an operation. */
  passwordSet(name: string, hash: string, actor: string, keep: string | null): User {
    const { id, name: spelling } = this.#known(name)
    this.#password.run({ name, hash })
    this.#endSessions.run({ id, keep })
    this.#dropLinks.run(id)
    this.#record(actor, 'user.password', spelling, null, null)
    return userOf(this.#known(name))
  }

  passwordHash(name: string): Promise<{ user: User; hash: string | null } | undefined> {
    return this.#file.committer.read(() => {
      const row = this.#byName.get(name)
      return row && { user: userOf(row), hash: row.enabled === 1n ? row.password : null }
    })
  }

  isEmpty(): Promise<boolean> {
    return this.#file.committer.read(() => this.hasNoAdmin())
  }

  /** isEmpty(), for use inside an operation. */
  hasNoAdmin(): boolean {
    return this.#admins.get() === 0n
  }

  /** Whoever locks himself out would have to go to the machine. Undone by what it throws. */
  #keepAnAdmin(old: User): void {
    if (old.role !== 'admin' || !old.enabled || !old.hasPassword || !this.hasNoAdmin()) return
    throw new BookError('last_admin', `${old.name} is the last admin who can log in`)
  }

  #known(name: string): UserRow {
    const row = this.#byName.get(name)
    if (!row) throw new BookError('unknown_user', `There is no user ${name}`)
    return row
  }

  #record(
    actor: string,
    action: string,
    name: string,
    before: Record<string, unknown> | null,
    after: Record<string, unknown> | null,
  ): void {
    this.#audit.record({ actor, action, subject: `user ${name}`, before, after })
  }
}

export function userOf(row: UserRow): User {
  return {
    id: Number(row.id),
    name: row.name,
    role: row.role,
    account: row.account,
    enabled: row.enabled === 1n,
    hasPassword: row.password !== null,
    createdAt: Number(row.created_at),
    lastLoginAt: numberOrNull(row.last_login_at),
  }
}

const termsOf = ({ role, account, enabled }: UserTerms) => ({ role, account, enabled })
const fieldsOf = (user: UserTerms): Record<string, unknown> => termsOf(user)
