/** Who changed what: the records of all our files, as one list. */
import { z } from 'zod'
import { formatInstant } from '../call/cdr.js'
import type { AuditFilter, AuditRecord } from '../ledger/audit.js'
import { actor, given, instant, quoted, whole, words } from './fields.js'

export const auditListInput = z.strictObject({
  actor: actor.optional(),
  /** To what it was done: `account ALICE`, `plan retail`, `call 5fe0…`. */
  subject: words('The subject', 300).optional(),
  from: instant('The start').optional(),
  /** Changes before this time. */
  to: instant('The end').optional(),
  /** Records after these, by the last id of each file, as in `ledger-120,rates-33`. */
  after: z.unknown().transform(readKeys).meta({ type: 'string' }).optional(),
  limit: whole('The limit', 1, 10_000).optional(),
})

export type AuditJson = ReturnType<typeof auditJson>

/** Our files, each with a record of its own. */
export const AUDITED_FILES = ['ledger', 'rates', 'web'] as const
type AuditedFile = (typeof AUDITED_FILES)[number]

export interface AuditSource {
  /** The newest come first. */
  audit(filter: AuditFilter): Promise<AuditRecord[]>
}

/** How many records are listed where no limit is asked for. */
const RECORDS_LISTED = 100

/**
 * The newest come first. A clock that is set back does not turn the records of a file round: of each,
 * the next is the one that was recorded before.
 */
export async function listAudit(
  sources: Readonly<Record<AuditedFile, AuditSource>>,
  { to, after = {}, limit = RECORDS_LISTED, ...input }: z.output<typeof auditListInput>,
): Promise<AuditJson[]> {
  const filter = { ...given({ ...input, until: to }), limit }
  const rest = await Promise.all(
    AUDITED_FILES.map(async file => {
      const before = after[file]
      const records = await sources[file].audit({ ...filter, ...given({ before }) })
      return records.map(record => ({ record, file }))
    }),
  )
  const found: AuditJson[] = []
  while (found.length < limit) {
    const heads = rest.filter(records => records.length > 0)
    if (heads.length === 0) break
    const newest = heads.reduce((a, b) => (b[0]!.record.at > a[0]!.record.at ? b : a))
    const { record, file } = newest.shift()!
    found.push(auditJson(record, file))
  }
  return found
}

/** The key by which the list goes on after `records`, which came after `before`. */
export function auditKey(records: readonly AuditJson[], before: string | undefined): string {
  const keys = new Map((before ?? '').split(',').map(id => [id.split('-')[0]!, id]))
  for (const { id } of records) keys.set(id.split('-')[0]!, id)
  return [...keys.values()].filter(Boolean).join(',')
}

type Keys = { [F in AuditedFile]?: number }

function readKeys(value: unknown, context: z.RefinementCtx): Keys {
  const keys: Keys = {}
  for (const key of String(value).split(',')) {
    const [file = '', id = '', ...more] = key.split('-')
    const isKey = /^\d{1,15}$/.test(id) && more.length === 0
    if (!isKey || !AUDITED_FILES.includes(file as AuditedFile)) {
      context.addIssue({ code: 'custom', message: `${quoted(value)} is not a key of the audit` })
      return z.NEVER
    }
    keys[file as AuditedFile] = Number(id)
  }
  return keys
}

function auditJson(record: AuditRecord, file: AuditedFile) {
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
