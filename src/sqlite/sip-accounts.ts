/** SIP accounts in SQLite. A switch that asks for one waits, so that is one row by its key. */
import { BookError, type Expectation } from '../ledger/books.js'
import {
  addressText,
  type NewSipAccount,
  type SipAccount,
  type SipAccountChanges,
  type SipAccountFilter,
  type SipAccounts,
  type SipAddress,
  type SipCredentials,
  sipAccountJson,
} from '../ledger/sip-accounts.js'
import { AuditTable } from './audit-table.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'
import { insertInto } from './rows.js'

interface SipAccountRow {
  readonly user: string
  readonly domain: string
  /** The account's code. */
  readonly code: string
  readonly a1_hash: string
  readonly enabled: bigint
  readonly name: string
  readonly created_at: bigint
}

const SELECT = `SELECT user, domain, code, a1_hash, enabled, sip_account.name, sip_account.created_at
  FROM sip_account JOIN account ON account.id = account_id`
const COLUMNS = ['domain', 'user', 'account_id', 'a1_hash', 'enabled', 'name', 'created_at']

export class SqliteSipAccounts implements SipAccounts {
  readonly #file: LedgerFile
  readonly #audit: AuditTable
  readonly #byAddress: Statement<[string, string], SipAccountRow>
  readonly #ofDomain: Statement<[string], SipAccountRow>
  readonly #accountId: Statement<[string], bigint>
  readonly #insert: Statement<[object]>
  readonly #update: Statement<[object]>
  readonly #delete: Statement<[string, string]>

  constructor(file: LedgerFile) {
    const { database } = file
    this.#file = file
    this.#audit = new AuditTable(database, file.now)
    this.#byAddress = database.prepare(`${SELECT} WHERE domain = ? AND user = ?`)
    this.#ofDomain = database.prepare(`${SELECT} WHERE domain = ? ORDER BY user`)
    this.#accountId = database
      .prepare<[string], bigint>('SELECT id FROM account WHERE code = ?')
      .pluck()
    this.#insert = database.prepare(insertInto('sip_account', COLUMNS))
    this.#update = database.prepare(`UPDATE sip_account SET account_id = @account_id,
      a1_hash = @a1_hash, enabled = @enabled, name = @name WHERE domain = @domain AND user = @user`)
    this.#delete = database.prepare('DELETE FROM sip_account WHERE domain = ? AND user = ?')
  }

  create({ actor, ...fresh }: NewSipAccount): Promise<SipAccount> {
    return this.#file.committer.enqueue(() => {
      const there = this.#row(fresh)
      if (there) {
        const what = `There is already a SIP account ${addressText(there)}`
        throw new BookError('sip_account_exists', what)
      }
      this.#insert.run({ ...this.#parameters(fresh), created_at: this.#file.now() })
      const created = sipAccountOf(this.#known(fresh))
      const after = sipAccountJson(created)
      this.#audit.record({ ...by(actor, 'create', created), before: null, after })
      return created
    })
  }

  find(address: SipAddress): Promise<SipAccount | undefined> {
    return this.#file.committer.read(() => {
      const row = this.#row(address)
      return row && sipAccountOf(row)
    })
  }

  list({ after, ...filter }: SipAccountFilter): Promise<SipAccount[]> {
    const conditions = ['TRUE']
    if (filter.domain !== undefined) conditions.push('domain = @domain')
    if (filter.account !== undefined) conditions.push('code = @account')
    if (filter.search !== undefined) {
      conditions.push(
        '(instr(fold(user), fold(@search)) OR instr(fold(sip_account.name), fold(@search)))',
      )
    }
    if (after !== undefined) conditions.push('(domain, user) > (@afterDomain, @afterUser)')
    const bound = { ...filter, afterDomain: after?.domain, afterUser: after?.user }
    const sql = `${SELECT} WHERE ${conditions.join(' AND ')} ORDER BY domain, user LIMIT @limit`
    return this.#file.committer.read(() =>
      this.#file.database.prepare<[object], SipAccountRow>(sql).all(bound).map(sipAccountOf),
    )
  }

  change(
    address: SipAddress,
    changes: SipAccountChanges,
    actor: string,
    expect?: Expectation<SipAccount>,
  ): Promise<SipAccount> {
    return this.#file.committer.enqueue(() => {
      const old = credentialsOf(this.#known(address))
      expect?.(old)
      this.#update.run(this.#parameters({ ...old, ...changes }))
      const changed = credentialsOf(this.#known(address))
      const isSecretNew = changed.a1Hash !== old.a1Hash
      const after = { ...sipAccountJson(changed), ...(isSecretNew && { password: 'changed' }) }
      this.#audit.recordChange(by(actor, 'set', changed), sipAccountJson(old), after)
      return withoutSecret(changed)
    })
  }

  delete(address: SipAddress, actor: string): Promise<SipAccount> {
    return this.#file.committer.enqueue(() => {
      const old = sipAccountOf(this.#known(address))
      this.#delete.run(old.domain, old.user)
      this.#audit.record({
        ...by(actor, 'delete', old),
        before: sipAccountJson(old),
        after: null,
      })
      return old
    })
  }

  credentials(address: SipAddress): Promise<SipCredentials | undefined> {
    return this.#file.committer.read(() => {
      const row = this.#row(address)
      return row && credentialsOf(row)
    })
  }

  domainCredentials(domain: string): Promise<SipCredentials[]> {
    return this.#file.committer.read(() =>
      this.#ofDomain.all(domain.toLowerCase()).map(credentialsOf),
    )
  }

  #row({ domain, user }: SipAddress): SipAccountRow | undefined {
    return this.#byAddress.get(domain.toLowerCase(), user)
  }

  #known(address: SipAddress): SipAccountRow {
    const row = this.#row(address)
    if (row) return row
    throw new BookError('unknown_sip_account', `There is no SIP account ${addressText(address)}`)
  }

  #parameters({ account, domain, ...rest }: Omit<SipCredentials, 'createdAt'>) {
    const accountId = this.#accountId.get(account)
    if (accountId === undefined) {
      throw new BookError('unknown_account', `There is no account ${account}`)
    }
    return {
      domain: domain.toLowerCase(),
      user: rest.user,
      account_id: accountId,
      a1_hash: rest.a1Hash,
      enabled: rest.enabled ? 1 : 0,
      name: rest.name,
    }
  }
}

function by(actor: string, verb: string, address: SipAddress) {
  return { actor, action: `sip-account.${verb}`, subject: `sip-account ${addressText(address)}` }
}

function sipAccountOf(row: SipAccountRow): SipAccount {
  return {
    user: row.user,
    domain: row.domain,
    account: row.code,
    enabled: row.enabled === 1n,
    name: row.name,
    createdAt: Number(row.created_at),
  }
}

function credentialsOf(row: SipAccountRow): SipCredentials {
  return { ...sipAccountOf(row), a1Hash: row.a1_hash }
}

function withoutSecret({ a1Hash: _, ...account }: SipCredentials): SipAccount {
  return account
}
