/**
 * One writer for each data directory. The lock is SQLite's own on the empty file lock.db: the
 * system takes it away with the process, however that ends, so none is ever left behind. Beside it,
 * lock.json tells who holds it.
 *
 * POSIX gives up a process's locks on a file whenever it closes any descriptor of it: so lock.db
 * must not be opened, or copied, in any other way by the process that holds it.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { LedgerError } from '../ledger/ledger.js'
import { isBusy, troubleWith } from './trouble.js'

export interface Lock {
  /** May be repeated. */
  release(): void
}

export interface LockOptions {
  /** How long to wait, with the event loop standing still, for another process to be done. */
  readonly waitMs?: number
}

interface Holder {
  readonly pid: number
  /** The command that it runs, such as `tollgate run`. */
  readonly command: string
}

/**
 * Takes the data directory for this process, which runs `command`.
 * @throws LedgerError in_use, with the holder's command and process id in its sentence; unusable
 *   (no such folder, lock.db is something else); unavailable (read-only)
 */
export function lockDirectory(directory: string, command: string, options: LockOptions = {}): Lock {
  if (!existsSync(directory)) throw new LedgerError('unusable', `There is no folder ${directory}`)
  const file = join(directory, 'lock.db')
  const note = join(directory, 'lock.json')
  let database: Sqlite.Database | undefined
  try {
    database = new Sqlite(file, { timeout: options.waitMs ?? 0 })
    database.exec('BEGIN EXCLUSIVE')
    writeHolder(note, { pid: process.pid, command })
  } catch (error) {
    database?.close()
    if (isBusy(error)) throw inUse(directory, readHolder(note))
    throw troubleWith(file, error) ?? error
  }
  return { release: () => release(database, note) }
}

function release(database: Sqlite.Database, note: string): void {
  if (!database.open) return
  rmSync(note, { force: true })
  database.close()
}

function inUse(directory: string, holder: Holder | undefined): LedgerError {
  const who = holder ? `${holder.command}, process ${holder.pid}` : 'another process'
  return new LedgerError('in_use', `The data in ${directory} is in use by ${who}`)
}

/** In one step, so that whoever is refused never reads half of it. */
function writeHolder(note: string, holder: Holder): void {
  writeFileSync(`${note}.new`, `${JSON.stringify(holder)}\n`)
  renameSync(`${note}.new`, note)
}

/** Undefined in the moment between the lock and the note. */
function readHolder(note: string): Holder | undefined {
  try {
    const { pid, command } = JSON.parse(readFileSync(note, 'utf8'))
    return Number.isInteger(pid) && typeof command === 'string' ? { pid, command } : undefined
  } catch {
    return undefined
  }
}
