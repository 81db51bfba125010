/** SQLite's result codes in sentences: what the world did to one of our files. */
import Sqlite from 'better-sqlite3'
import { LedgerError, type LedgerErrorCode } from '../ledger/ledger.js'

/** The first entry whose code the error's code starts with; `%` stands for the file. */
const TROUBLE: readonly (readonly [string, LedgerErrorCode, string])[] = [
  ['SQLITE_BUSY', 'unavailable', '% is locked by another program'],
  ['SQLITE_LOCKED', 'unavailable', '% is locked by another program'],
  ['SQLITE_FULL', 'unavailable', '% cannot grow: the disk is full'],
  ['SQLITE_READONLY', 'unavailable', '% is read-only'],
  ['SQLITE_PERM', 'unavailable', '% may not be opened: permission denied'],
  ['SQLITE_CANTOPEN', 'unavailable', '% cannot be opened: check that it may be read and written'],
  ['SQLITE_IOERR', 'unavailable', '% cannot be read or written: the disk reports an error'],
  ['SQLITE_CORRUPT', 'unavailable', '% is damaged: restore it from a copy'],
  ['SQLITE_NOTADB', 'unusable', '% is not a database'],
  ['SQLITE_NOMEM', 'unavailable', '% cannot be read or written: there is no memory left'],
  ['SQLITE_PROTOCOL', 'unavailable', '% is locked by another program'],
  ['SQLITE_INTERRUPT', 'unavailable', 'Work on % was interrupted'],
]

/** The trouble as a LedgerError, or undefined where the error is not the world's fault. */
export function troubleWith(file: string, error: unknown): LedgerError | undefined {
  if (error instanceof LedgerError) return error
  if (!(error instanceof Sqlite.SqliteError)) return undefined
  const trouble = TROUBLE.find(([code]) => error.code.startsWith(code))
  if (!trouble) return undefined
  const [, code, sentence] = trouble
  return new LedgerError(code, `${sentence.replace('%', () => file)} (${error.code})`, {
    cause: error,
  })
}

/** Whether another connection has the file locked. */
export function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code)
}
