/** What a switch lists as alive: of 100,000 legs that is some 90 MB. */
import { own } from './decode.js'
import { expectOk, unexpected } from './encode.js'
import type { ListedLeg } from './switch.js'

/**
 * The legs in the answer to LIST_COMMAND. An empty listing has no rows at all.
 * @throws SwitchError `unexpected` for a listing that is not complete: it proves nothing.
 */
export function parseListing(answer: string): ListedLeg[] {
  if (!answer.startsWith('{')) expectOk(answer)
  return scanned(answer) ?? parsedRows(answer)
}

/**
 * How FreeSWITCH prints the begin of a row. A quote in a text has a backslash before it, so that no
 * text looks like this.
 */
const ROW = /\{"uuid":"([^"\\]+)","direction":"(inbound|outbound)"/g

/**
 * The first two columns of forty: the others would take ten times as long, in which nobody is
 * served. Null where it is not printed as expected.
 */
function scanned(answer: string): ListedLeg[] | null {
  const count = /^\{"row_count":(\d+),"rows":\[\{/.exec(answer)?.[1]
  if (count === undefined || !answer.trimEnd().endsWith('}]}')) return null
  const legs: ListedLeg[] = []
  for (const [, legId, direction] of answer.matchAll(ROW)) {
    legs.push({ legId: own(legId!), direction: direction as ListedLeg['direction'] })
  }
  return legs.length === Number(count) ? legs : null
}

function parsedRows(answer: string): ListedLeg[] {
  const listing = parsed(answer)
  const rows: unknown = listing?.rows ?? []
  if (!listing || !Array.isArray(rows) || listing.row_count !== rows.length)
    throw unexpected(answer)
  return rows.map(row => {
    const legId: unknown = row?.uuid
    const direction: unknown = row?.direction
    if (typeof legId !== 'string' || legId === '') throw unexpected(answer)
    if (direction !== 'inbound' && direction !== 'outbound') throw unexpected(answer)
    return { legId, direction }
  })
}

function parsed(text: string): { row_count?: unknown; rows?: unknown } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
