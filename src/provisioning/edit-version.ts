/**
 * Which state of a thing somebody has in mind who edits it: so that of two who edit at the same time
 * the second learns of the first, instead of undoing what he did.
 */
import { createHash } from 'node:crypto'
import { BookError, type Expectation } from '../ledger/books.js'
import { words } from './fields.js'

/** What changes by itself, and is not what is edited. */
const BY_ITSELF = [
  'balance',
  'held',
  'available',
  'live_calls',
  'spent_today',
  'low',
  'rates',
  'last_login_at',
  'has_password',
]

/** The versions, with commas between them, of which the thing must be one; left out: any. */
export const ifMatch = words('The version', 1_000).optional()

/** The same for the same state, as programs see it. */
export function versionOf(json: object): string {
  const fields = Object.entries(json).filter(([name]) => !BY_ITSELF.includes(name))
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url').slice(0, 22)
}

/** @throws BookError changed_meanwhile, from within the change */
export function expecting<T>(
  versions: string | undefined,
  jsonOf: (old: T) => object,
): Expectation<T> {
  return old => {
    if (versions === undefined || versions.split(',').includes(versionOf(jsonOf(old)))) return
    throw new BookError('changed_meanwhile', 'Somebody has changed it meanwhile: look at it again')
  }
}
