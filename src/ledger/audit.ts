/** The record of who changed what. It is only ever added to. */

export interface AuditRecord {
  /** Of records of one file, the later one has the larger number. */
  readonly id: number
  /** Microseconds since the epoch, by our clock. */
  readonly at: number
  readonly actor: string
  /** What was done: `account.set`, `rate.import`. */
  readonly action: string
  /** To what: `account ALICE`, `plan retail`. */
  readonly subject: string
  /** What it was before, and after: stable field names, amounts as decimal strings. */
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}

export interface AuditFilter {
  readonly actor?: string
  /** Records of this subject, as it stands in them. */
  readonly subject?: string
  /** Microseconds since the epoch; from inclusive, until exclusive. */
  readonly from?: number
  readonly until?: number
  /** Only records with smaller ids: what comes after a page. */
  readonly before?: number
  readonly limit: number
}
