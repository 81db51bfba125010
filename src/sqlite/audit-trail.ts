/** The record of who changed what in the ledger. */
import type { AuditFilter, AuditRecord } from '../ledger/audit.js'
import type { AuditTrail } from '../ledger/books.js'
import { AuditTable } from './audit-table.js'
import type { LedgerFile } from './ledger-file.js'

export class SqliteAuditTrail implements AuditTrail {
  readonly #file: LedgerFile
  readonly #table: AuditTable

  constructor(file: LedgerFile) {
    this.#file = file
    this.#table = new AuditTable(file.database, file.now)
  }

  record(record: Omit<AuditRecord, 'id' | 'at'>): Promise<void> {
    return this.#file.committer.enqueue(() => this.#table.record(record))
  }

  audit(filter: AuditFilter): Promise<AuditRecord[]> {
    return this.#file.committer.read(() => this.#table.list(filter))
  }
}
