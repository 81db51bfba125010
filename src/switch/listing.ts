/** What a switch lists as alive: of 100,000 legs that is some 90 MB. */
import { own } from './decode.js'
import { expectOk, unexpected } from './encode.js'
import type { ListedLeg } from './switch.js'

/** How FreeSWITCH begins a listing that has rows. */
const BEGIN = /^\{"row_count":(\d+),"rows":\[\{"uuid":"/

/** No begin is longer. */
const BEGIN_CHARS = 64

/**
 * How it prints the first two columns of a row: of forty, and the others would take ten times as
 * long. A quote in a text has a backslash before it, so that no text looks like this.
 */
const ROW = /\{"uuid":"(?!")([^"\\]*(?:\\.[^"\\]*)*)","direction":"(inbound|outbound)"/g

/** These two columns are not longer; the end of a piece may cut them in two. */
const ROW_CHARS = 512

/**
 * Reads the answer to LIST_COMMAND as it comes, so that there is never all of it in memory, and
 * events get their turn between its pieces.
 */
export class ListingReader {
  readonly #legs: ListedLeg[] = []
  /** How many rows are announced. Null where the listing is not printed as expected. */
  #announced: number | null | undefined
  /** What has come and has to be looked at again, with what follows. */
  #rest = ''

  take(piece: string): void {
    this.#rest += piece
    if (this.#announced === undefined && this.#rest.length >= BEGIN_CHARS) {
      const count = BEGIN.exec(this.#rest)?.[1]
      this.#announced = count === undefined ? null : Number(count)
    }
    if (typeof this.#announced === 'number') this.#scan()
  }

  /**
   * The legs that are listed, to be asked for when the answer is complete. An empty listing has no
   * rows at all.
   * @throws SwitchError `unexpected` for a listing that is not complete: it proves nothing.
   */
  end(): ListedLeg[] {
    if (typeof this.#announced !== 'number') return parsedRows(this.#rest)
    const isWhole = this.#rest.trimEnd().endsWith('}]}') && this.#legs.length === this.#announced
    if (!isWhole) throw unexpected(this.#rest)
    return this.#legs
  }

  #scan(): void {
    let seen = 0
    for (const { index, 0: row, 1: legId, 2: direction } of this.#rest.matchAll(ROW)) {
      this.#legs.push({ legId: textOf(legId!), direction: direction as ListedLeg['direction'] })
      seen = index + row.length
    }
    this.#rest = this.#rest.slice(Math.max(seen, this.#rest.length - ROW_CHARS))
  }
}

/** What a JSON string says, without what it was cut out of. */
function textOf(printed: string): string {
  return printed.includes('\\') ? String(parsed(`"${printed}"`) ?? printed) : own(printed)
}

function parsedRows(answer: string): ListedLeg[] {
  if (!answer.startsWith('{')) expectOk(answer)
  const listing = parsed(answer) as { row_count?: unknown; rows?: unknown } | null
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
