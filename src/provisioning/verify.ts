/** The audit of all books. It is no route of the API: while it reads, its process does nothing else. */
import type { Auditor } from '../ledger/books.js'
import { formatMoney } from '../money.js'

export interface VerificationJson {
  ok: boolean
  /** One sentence for each thing that does not hold. */
  problems: readonly string[]
  accounts: number
  entries: number
  cdrs: number
  open_calls: number
  /** What calls cost beyond their holds: the operator's loss. */
  write_offs: string
}

export async function verify(auditor: Auditor): Promise<VerificationJson> {
  const found = await auditor.verify()
  return {
    ok: found.problems.length === 0,
    problems: found.problems,
    accounts: found.accounts,
    entries: found.entries,
    cdrs: found.cdrs,
    open_calls: found.openCalls,
    write_offs: formatMoney(found.writeOffs),
  }
}
