/** Opens one of our files, and only ours, with the pragmas that the promise depends on. */
import { existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Sqlite from 'better-sqlite3'
import { LedgerError } from '../ledger/ledger.js'
import { localDate } from '../local-time.js'
import { type Migration, migrate, readMigrations, schemaVersion } from './migrations.js'
import { isBusy, troubleWith } from './trouble.js'

export type Database = Sqlite.Database
export type Statement<Bound extends unknown[] = [], Row = unknown> = Sqlite.Statement<Bound, Row>

/** The kinds of file that Tollgate has. The id stands in the file's header, as for `file(1)`. */
export interface FileKind {
  readonly name: 'ledger' | 'rates' | 'web'
  readonly applicationId: number
}

export const LEDGER: FileKind = { name: 'ledger', applicationId: 0x546f4c65 }
export const RATES: FileKind = { name: 'rates', applicationId: 0x546f5261 }
export const WEB: FileKind = { name: 'web', applicationId: 0x546f5765 }

/** Opens a database that lives in memory, and vanishes with its connection. For simulations. */
export const IN_MEMORY = ':memory:'

export interface DatabaseOptions {
  /** Opens the file as it is, and changes nothing in it. */
  readonly readonly?: boolean
  /** How long to wait, with the event loop standing still, for another program's lock. */
  readonly busyTimeoutMs?: number
  /** How long the log gets, in pages of 4 kB, before the commit that has made it so long copies it. */
  readonly checkpointPages?: number
  /** Where the numbered SQL files of the kind are. */
  readonly migrations?: URL
}

const BUSY_TIMEOUT_MS = 50

/**
 * Where it is not told. The commit that copies takes that much longer: a daemon has a Checkpointer.
 * SQLite's own 1000 costs the ledger a third of its throughput; imports of rates have time.
 */
const CHECKPOINT_PAGES = { ledger: 10_000, rates: 1000, web: 1000 }

/**
 * Opens `file`, or creates it, and brings its schema up to date. Integers are read as bigints.
 * @throws LedgerError unusable (not ours, of a newer Tollgate, no such folder), in_use (locked by
 *   another program), unavailable (read-only, damaged, full)
 */
export function openDatabase(
  file: string,
  kind: FileKind,
  options: DatabaseOptions = {},
): Database {
  const readonly = options.readonly ?? false
  checkPath(file, readonly)
  const migrations = readMigrations(
    options.migrations ?? new URL(`./migrations/${kind.name}/`, import.meta.url),
  )
  let database: Database | undefined
  try {
    database = new Sqlite(file, { readonly, timeout: options.busyTimeoutMs ?? BUSY_TIMEOUT_MS })
    database.defaultSafeIntegers(true)
    // For searching: SQLite's own lower() knows only ASCII letters.
    database.function('fold', { deterministic: true }, (text: string) => text.toLowerCase())
    // For the days of accounts: the date of an instant in a time zone.
    database.function('local_date', { deterministic: true, safeIntegers: false }, localDate)
    checkKind(database, file, kind)
    checkVersion(database, file, migrations, readonly)
    if (!readonly) configure(database, file, kind, migrations, options)
    return database
  } catch (error) {
    database?.close()
    if (isBusy(error)) {
      throw new LedgerError('in_use', `${file} is in use by another program`, { cause: error })
    }
    throw troubleWith(file, error) ?? error
  }
}

/**
 * Another connection to a file of ours that this process has open already, to copy its log. It waits
 * for no lock of who commits.
 */
export function openBeside(file: string): Database {
  checkPath(file, true)
  const database = new Sqlite(file, { fileMustExist: true, timeout: 0 })
  try {
    makeDurable(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function checkPath(file: string, readonly: boolean): void {
  if (file === IN_MEMORY) return
  const folder = dirname(file)
  if (!existsSync(folder)) throw new LedgerError('unusable', `There is no folder ${folder}`)
  if (existsSync(file)) {
    if (!statSync(file).isFile()) throw new LedgerError('unusable', `${file} is not a file`)
    return checkLog(file)
  }
  if (readonly) throw new LedgerError('unusable', `There is no file ${file}`)
}

/**
 * The log beside a database goes when its last user closes it, and its index goes before it. An
 * index without a log is what is left when somebody has deleted the log of a process that was
 * killed: SQLite would go on with what the file had before, and say nothing.
 */
function checkLog(file: string): void {
  if (existsSync(`${file}-wal`) || !existsSync(`${file}-shm`)) return
  throw new LedgerError(
    'unusable',
    `${file}-wal has been deleted, and with it what was written last: put it back, or restore ${file} from a copy, or remove ${file}-shm to go on without`,
  )
}

/** Looks before anything is written: another program's database stays as it is. */
function checkKind(database: Database, file: string, kind: FileKind): void {
  const id = Number(database.pragma('application_id', { simple: true }))
  if (id === kind.applicationId) return
  const other = [LEDGER, RATES, WEB].find(one => one.applicationId === id)
  if (other) {
    throw new LedgerError('unusable', `${file} is a Tollgate ${other.name} file, not ${kind.name}`)
  }
  const tables = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()
  if (id !== 0 || tables !== 0n) {
    throw new LedgerError('unusable', `${file} is a database of another program`)
  }
}

function checkVersion(
  database: Database,
  file: string,
  migrations: readonly Migration[],
  readonly: boolean,
): void {
  const version = schemaVersion(database)
  if (version > migrations.length) {
    throw new LedgerError(
      'unusable',
      `${file} was written by a newer Tollgate: it has schema ${version}, this one knows ${migrations.length}`,
    )
  }
  if (readonly && version < migrations.length) {
    throw new LedgerError(
      'unusable',
      `${file} has schema ${version} of an older Tollgate: open it for writing once to bring it to ${migrations.length}`,
    )
  }
}

function configure(
  database: Database,
  file: string,
  kind: FileKind,
  migrations: readonly Migration[],
  { checkpointPages = CHECKPOINT_PAGES[kind.name] }: DatabaseOptions,
): void {
  const mode = database.pragma('journal_mode = WAL', { simple: true })
  if (mode !== 'wal' && file !== IN_MEMORY) {
    throw new LedgerError('unavailable', `${file} cannot have a write-ahead log where it is`)
  }
  makeDurable(database)
  database.pragma(`wal_autocheckpoint = ${checkpointPages}`)
  // A migration may rebuild a table that others refer to; it is checked as a whole, in migrate().
  database.pragma('foreign_keys = OFF')
  migrate(database, migrations, kind.applicationId)
  database.pragma('foreign_keys = ON')
  // SQLite opens a file that it may not write all the same, and complains at the first write.
  if (kind === LEDGER) database.exec('BEGIN IMMEDIATE; ROLLBACK')
}

/**
 * better-sqlite3 is built to fall back to NORMAL in WAL mode, where a power cut takes commits along
 * that were acknowledged: so this is said on every connection, after journal_mode.
 */
function makeDurable(database: Database): void {
  database.pragma('synchronous = FULL')
}
