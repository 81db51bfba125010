/** The sessions of users who have logged in, and the links that are good once. */
import type { Link, LinkPurpose, Links, Session, Sessions, User } from '../access/access.js'
import { BookError } from '../ledger/books.js'
import { HOUR_US, MINUTE_US } from '../local-time.js'
import { AuditTable } from './audit-table.js'
import type { Statement } from './database.js'
import { type SqliteUsers, type UserRow, userOf } from './users.js'
import type { WebFile } from './web-file.js'

/** A day's work; and a lunch. */
const SESSION_US_MAX = 12 * HOUR_US
const IDLE_US_MAX = 2 * HOUR_US

/** Not every click writes to the disk. */
const SEEN_EVERY_US = MINUTE_US

/** Who starts the daemon reads the log soon; a link for a new user travels by mail. */
const LINK_US: Readonly<Record<LinkPurpose, number>> = { set_up: HOUR_US, password: 24 * HOUR_US }

const ANSWER_US_MAX = 24 * HOUR_US

interface SessionRow extends UserRow {
  readonly hash: string
  readonly csrf: string
  readonly began_at: bigint
  readonly seen_at: bigint
}

export class SqliteSessions implements Sessions {
  readonly #file: WebFile
  readonly #insert: Statement<[object]>
  readonly #loggedIn: Statement<[object]>
  readonly #byHash: Statement<[string], SessionRow>
  readonly #seen: Statement<[object]>
  readonly #delete: Statement<[string]>
  readonly #sweeps: readonly Statement<[object]>[]

  constructor(file: WebFile) {
    const { database } = file
    this.#file = file
    this.#insert = database.prepare(`INSERT INTO session (hash, user_id, csrf, created_at, seen_at)
      VALUES (@hash, @userId, @csrf, @now, @now)`)
    this.#loggedIn = database.prepare('UPDATE user SET last_login_at = @now WHERE id = @userId')
    this.#byHash =
      database.prepare(`SELECT user.*, hash, csrf, session.created_at AS began_at, seen_at
      FROM session JOIN user ON user.id = user_id WHERE hash = ?`)
    this.#seen = database.prepare('UPDATE session SET seen_at = @now WHERE hash = @hash')
    this.#delete = database.prepare('DELETE FROM session WHERE hash = ?')
    this.#sweeps = [
      database.prepare('DELETE FROM session WHERE created_at < @begun OR seen_at < @seen'),
      database.prepare('DELETE FROM link WHERE expires_at < @now'),
      database.prepare('DELETE FROM answer WHERE at < @answered'),
    ]
  }

  begin({ hash, userId, csrf, old }: Parameters<Sessions['begin']>[0]): Promise<void> {
    return this.#file.committer.enqueue(() => {
      if (old !== null) this.#delete.run(old)
      const now = this.#file.now()
      this.#insert.run({ hash, userId, csrf, now })
      this.#loggedIn.run({ userId, now })
    })
  }

  async find(hash: string): Promise<Session | undefined> {
    const row = await this.#file.committer.read(() => this.#byHash.get(hash))
    if (!row) return undefined
    const now = this.#file.now()
    const [began, seen] = [Number(row.began_at), Number(row.seen_at)]
    if (now - began > SESSION_US_MAX || now - seen > IDLE_US_MAX || row.enabled === 0n) {
      return undefined
    }
    if (now - seen > SEEN_EVERY_US) {
      await this.#file.committer.enqueue(() => this.#seen.run({ hash, now }))
    }
    return { hash: row.hash, user: userOf(row), csrf: row.csrf, createdAt: began }
  }

  async end(hash: string): Promise<void> {
    await this.#file.committer.enqueue(() => this.#delete.run(hash))
  }

  async sweep(): Promise<void> {
    await this.#file.committer.enqueue(() => {
      const now = this.#file.now()
      const [begun, seen, answered] = [now - SESSION_US_MAX, now - IDLE_US_MAX, now - ANSWER_US_MAX]
      for (const sweep of this.#sweeps) sweep.run({ now, begun, seen, answered })
    })
  }
}

interface LinkRow {
  readonly purpose: LinkPurpose
  readonly user: string | null
  readonly expires_at: bigint
}

export class SqliteLinks implements Links {
  readonly #file: WebFile
  readonly #users: SqliteUsers
  readonly #audit: AuditTable
  readonly #insert: Statement<[object]>
  readonly #replace: Statement<[object]>
  readonly #byHash: Statement<[string], LinkRow>
  readonly #delete: Statement<[string]>
  readonly #userRow: Statement<[string], UserRow>

  constructor(file: WebFile, users: SqliteUsers) {
    const { database } = file
    this.#file = file
    this.#users = users
    this.#audit = new AuditTable(database, file.now)
    this.#insert = database.prepare(`INSERT INTO link (hash, purpose, user_id, expires_at)
      VALUES (@hash, @purpose, @userId, @expiresAt)`)
    this.#replace = database.prepare(
      'DELETE FROM link WHERE purpose = @purpose AND user_id IS @userId',
    )
    this.#byHash = database.prepare(`SELECT purpose, user.name AS user, expires_at FROM link
      LEFT JOIN user ON user.id = user_id WHERE hash = ?`)
    this.#delete = database.prepare('DELETE FROM link WHERE hash = ?')
    this.#userRow = database.prepare('SELECT * FROM user WHERE name = ?')
  }

  make(hash: string, purpose: LinkPurpose, name: string | null, actor: string): Promise<Link> {
    return this.#file.committer.enqueue(() => {
      const user = name === null ? null : this.#known(name)
      const expiresAt = this.#file.now() + LINK_US[purpose]
      const userId = user?.id ?? null
      this.#replace.run({ purpose, userId })
      this.#insert.run({ hash, purpose, userId, expiresAt })
      if (user) {
        const subject = `user ${user.name}`
        this.#audit.record({ actor, action: 'user.link', subject, before: null, after: null })
      }
      return { purpose, user, expiresAt }
    })
  }

  find(hash: string): Promise<Link | undefined> {
    return this.#file.committer.read(() => this.#found(hash))
  }

  useSetUp(hash: string, name: string, passwordHash: string): Promise<User> {
    return this.#file.committer.enqueue(() => {
      this.#use(hash, 'set_up')
      if (!this.#users.hasNoAdmin()) throw used()
      const terms = { role: 'admin', account: null, enabled: true } as const
      return this.#users.created(name, terms, passwordHash, `user:${name}`)
    })
  }

  usePassword(hash: string, passwordHash: string): Promise<User> {
    return this.#file.committer.enqueue(() => {
      const { name } = this.#use(hash, 'password').user!
      return this.#users.passwordSet(name, passwordHash, `user:${name}`, null)
    })
  }

  /** Undone, like all of the operation, by what is thrown later. */
  #use(hash: string, purpose: LinkPurpose): Link {
    const link = this.#found(hash)
    if (link?.purpose !== purpose) throw used()
    this.#delete.run(hash)
    return link
  }

  #found(hash: string): Link | undefined {
    const row = this.#byHash.get(hash)
    if (!row || Number(row.expires_at) < this.#file.now()) return undefined
    const user = row.user === null ? null : this.#known(row.user)
    return { purpose: row.purpose, user, expiresAt: Number(row.expires_at) }
  }

  #known(name: string): User {
    const row = this.#userRow.get(name)
    if (!row) throw new BookError('unknown_user', `There is no user ${name}`)
    return userOf(row)
  }
}

function used(): BookError {
  return new BookError('link_used', 'This link has been used already, or has expired')
}
