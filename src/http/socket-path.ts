/**
 * Where a daemon listens for the CLI: a unix socket in its data directory, so that file permissions
 * are the password. Both sides work the path out from the directory alone.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A unix socket's path fits into 104 bytes on some systems and 108 on others, with its end mark. */
const PATH_BYTES_MAX = 100

/** The name of the folder that stands in for a data directory with a long path. */
const FOLDER = /\/tollgate-[0-9a-f]{16}$/

/** @param dataDir an existing directory */
export function socketPath(dataDir: string): string {
  const real = realpathSync(dataDir)
  const usual = join(real, 'tollgate.sock')
  if (Buffer.byteLength(usual) <= PATH_BYTES_MAX) return usual
  const digest = createHash('sha256').update(real).digest('hex').slice(0, 16)
  return join(tmpdir(), `tollgate-${digest}`, 'tollgate.sock')
}

/** Makes the folder for the socket of a data directory whose own path is too long. */
export function makeSocketFolder(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
}

/** Leaves nothing behind in the temporary directory. */
export function removeSocketFolder(path: string): void {
  const folder = dirname(path)
  if (FOLDER.test(folder) && existsSync(folder) && readdirSync(folder).length === 0) {
    rmdirSync(folder)
  }
}

/**
 * Whether nobody else can have put the socket there. Anybody may write to the temporary directory,
 * and might answer there in place of the daemon.
 */
export function isOurs(path: string, dataDir: string): boolean {
  const folder = dirname(path)
  if (folder === realpathSync(dataDir)) return true
  const found = lstatSync(folder)
  const owners = [0, process.getuid?.() ?? 0, statSync(dataDir).uid]
  return found.isDirectory() && owners.includes(found.uid) && (found.mode & 0o077) === 0
}
