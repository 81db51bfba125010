/** The PINs of calling cards, hashed like passwords. */
import type { Pins } from '../access/pins.js'
import { AuditTable } from './audit-table.js'
import type { Statement } from './database.js'
import type { WebFile } from './web-file.js'

export class SqlitePins implements Pins {
  readonly #file: WebFile
  readonly #audit: AuditTable
  readonly #set: Statement<[object]>
  readonly #delete: Statement<[string]>
  readonly #hash: Statement<[string], string>

  constructor(file: WebFile) {
    const { database } = file
    this.#file = file
    this.#audit = new AuditTable(database, file.now)
    this.#set = database.prepare(`INSERT INTO pin (account, hash, changed_at)
      VALUES (@account, @hash, @now)
      ON CONFLICT (account) DO UPDATE SET hash = @hash, changed_at = @now`)
    this.#delete = database.prepare('DELETE FROM pin WHERE account = ?')
    this.#hash = database
      .prepare<[string], string>('SELECT hash FROM pin WHERE account = ?')
      .pluck()
  }

  async set(account: string, hash: string, actor: string): Promise<void> {
    await this.#file.committer.enqueue(() => {
      this.#set.run({ account, hash, now: this.#file.now() })
      this.#record(actor, 'pin.set', account)
    })
  }

  delete(account: string, actor: string): Promise<boolean> {
    return this.#file.committer.enqueue(() => {
      if (this.#delete.run(account).changes === 0) return false
      this.#record(actor, 'pin.delete', account)
      return true
    })
  }

  hashOf(account: string): Promise<string | undefined> {
    return this.#file.committer.read(() => this.#hash.get(account))
  }

  #record(actor: string, action: string, account: string): void {
    const subject = `account ${account}`
    this.#audit.record({ actor, action, subject, before: null, after: null })
  }
}
