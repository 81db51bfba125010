/** The tokens with which programs come, of which only hashes are kept. */
import type { NewToken, Token, Tokens } from '../access/access.js'
import type { OperatorRole, Scope } from '../access/scopes.js'
import { formatInstant } from '../call/cdr.js'
import { BookError } from '../ledger/books.js'
import { AuditTable } from './audit-table.js'
import type { Statement } from './database.js'
import { insertInto, numberOrNull } from './rows.js'
import type { WebFile } from './web-file.js'

interface TokenRow {
  readonly name: string
  readonly role: OperatorRole
  readonly scopes: string
  readonly created_at: bigint
  readonly created_by: string
  readonly expires_at: bigint | null
  readonly revoked_at: bigint | null
  readonly last_used_at: bigint | null
}

/** Not every request writes to the disk. */
const USED_EVERY_US = 60_000_000

const COLUMNS = ['name', 'hash', 'role', 'scopes', 'created_at', 'created_by', 'expires_at']

export class SqliteTokens implements Tokens {
  readonly #file: WebFile
  readonly #audit: AuditTable
  readonly #insert: Statement<[object]>
  readonly #byName: Statement<[string], TokenRow>
  readonly #byHash: Statement<[string], TokenRow>
  readonly #all: Statement<[], TokenRow>
  readonly #revoke: Statement<[object]>
  readonly #used: Statement<[object]>

  constructor(file: WebFile) {
    const { database } = file
    this.#file = file
    this.#audit = new AuditTable(database, file.now)
    this.#insert = database.prepare(insertInto('token', COLUMNS))
    this.#byName = database.prepare('SELECT * FROM token WHERE name = ?')
    this.#byHash = database.prepare('SELECT * FROM token WHERE hash = ?')
    this.#all = database.prepare('SELECT * FROM token ORDER BY name')
    this.#revoke = database.prepare('UPDATE token SET revoked_at = @now WHERE name = @name')
    this.#used = database.prepare('UPDATE token SET last_used_at = @now WHERE hash = @hash')
  }

  create({ name, role, scopes, expiresAt, hash }: NewToken, actor: string): Promise<Token> {
    return this.#file.committer.enqueue(() => {
      const old = this.#byName.get(name)
      if (old) throw new BookError('token_exists', `There is already a token ${old.name}`)
      const by = { created_at: this.#file.now(), created_by: actor, expires_at: expiresAt }
      this.#insert.run({ name, hash, role, scopes: scopes.join(' '), ...by })
      const expires = expiresAt === null ? null : formatInstant(expiresAt)
      const after = { role, scopes, expires_at: expires }
      const subject = `token ${name}`
      this.#audit.record({ actor, action: 'token.create', subject, before: null, after })
      return tokenOf(this.#known(name))
    })
  }

  list(): Promise<Token[]> {
    return this.#file.committer.read(() => this.#all.all().map(tokenOf))
  }

  revoke(name: string, actor: string): Promise<Token> {
    return this.#file.committer.enqueue(() => {
      const old = tokenOf(this.#known(name))
      if (old.revokedAt !== null) return old
      this.#revoke.run({ name, now: this.#file.now() })
      const subject = `token ${old.name}`
      this.#audit.record({ actor, action: 'token.revoke', subject, before: null, after: null })
      return tokenOf(this.#known(name))
    })
  }

  async use(hash: string): Promise<Token | undefined> {
    const row = await this.#file.committer.read(() => this.#byHash.get(hash))
    if (!row) return undefined
    const token = tokenOf(row)
    const now = this.#file.now()
    if (token.revokedAt !== null) return undefined
    if (token.expiresAt !== null && token.expiresAt <= now) return undefined
    if (now - (token.lastUsedAt ?? 0) > USED_EVERY_US) {
      await this.#file.committer.enqueue(() => this.#used.run({ hash, now }))
    }
    return token
  }

  #known(name: string): TokenRow {
    const row = this.#byName.get(name)
    if (!row) throw new BookError('unknown_token', `There is no token ${name}`)
    return row
  }
}

function tokenOf(row: TokenRow): Token {
  return {
    name: row.name,
    role: row.role,
    scopes: row.scopes.split(' ') as Scope[],
    createdAt: Number(row.created_at),
    createdBy: row.created_by,
    expiresAt: numberOrNull(row.expires_at),
    revokedAt: numberOrNull(row.revoked_at),
    lastUsedAt: numberOrNull(row.last_used_at),
  }
}
