/** The record of who changed what in web.db, for who has not got it open: it is only read. */
import { existsSync } from 'node:fs'
import type { AccessTrail } from '../access/access.js'
import type { AuditFilter, AuditRecord } from '../ledger/audit.js'
import { AuditTable } from './audit-table.js'
import { WebFile } from './web-file.js'

export class WebTrail implements AccessTrail {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Nothing where nobody has served the web, or made a user, yet. */
  async audit(filter: AuditFilter): Promise<AuditRecord[]> {
    if (!existsSync(this.#path)) return []
    const file = new WebFile(this.#path, { readonly: true })
    try {
      return new AuditTable(file.database, file.now).list(filter)
    } finally {
      file.close()
    }
  }
}
