/** Who changed what: the records of the ledger and of the rates, as one list. */
import { z } from 'zod'
import { formatInstant } from '../call/cdr.js'
import type { AuditRecord } from '../ledger/audit.js'
import type { AuditTrail } from '../ledger/books.js'
import type { Rates } from '../ledger/rates.js'
import { actor, given, instant, whole, words } from './fields.js'

export const auditListInput = z.strictObject({
  actor: actor.optional(),
  /** To what it was done: `account ALICE`, `plan retail`, `call 5fe0…`. */
  subject: words('The subject', 300).optional(),
  from: instant('The start').optional(),
  /** Changes before this time. */
  to: instant('The end').optional(),
  limit: whole('The limit', 1, 10_000).optional(),
})

export type AuditJson = ReturnType<typeof auditJson>

/** How many records are listed where no limit is asked for. */
const RECORDS_LISTED = 100

/** The newest come first. */
export async function listAudit(
  trail: AuditTrail,
  rates: Pick<Rates, 'audit'>,
  { to, limit = RECORDS_LISTED, ...input }: z.output<typeof auditListInput>,
): Promise<AuditJson[]> {
  const filter = { ...given({ ...input, until: to }), limit }
  const found = [
    ...(await trail.audit(filter)).map(record => ({ record, file: 'ledger' })),
    ...(await rates.audit(filter)).map(record => ({ record, file: 'rates' })),
  ]
  found.sort((a, b) => b.record.at - a.record.at)
  return found.slice(0, limit).map(({ record, file }) => auditJson(record, file))
}

function auditJson(record: AuditRecord, file: string) {
  return {
    id: `${file}-${record.id}`,
    at: formatInstant(record.at),
    actor: record.actor,
    action: record.action,
    subject: record.subject,
    before: record.before,
    after: record.after,
  }
}
