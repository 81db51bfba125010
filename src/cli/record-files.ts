/** The folder in which mod_json_cdr leaves the records that it could not post, and never posts again. */
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BookError } from '../ledger/books.js'

/** A record is some 12 kB; what is so much larger is none. */
const FILE_BYTES_MAX = 524_288

const DONE = 'done'

export interface ImportResult {
  readonly files: number
  /** Files whose records have been taken in: their number, and by what that led to. */
  readonly taken: number
  readonly outcomes: Readonly<Record<string, number>>
  /** These files stay where they are. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[]
}

/**
 * Takes in every record of a folder. A file is moved when its record is in the books; one that is not
 * understood may still be being written, and is looked at again the next time.
 * @throws BookError bad_input where there is no such folder, LedgerError `unavailable`
 */
export async function importFolder(
  dir: string,
  keep: boolean,
  take: (input: { record: string }) => Promise<{ readonly outcome: string }>,
): Promise<ImportResult> {
  const files = await recordFiles(dir)
  const outcomes: Record<string, number> = {}
  const problems: { file: string; reason: string }[] = []
  let taken = 0
  for (const file of files) {
    const path = join(dir, file)
    try {
      const { outcome } = await take({ record: await textOf(path) })
      taken += 1
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      if (!keep) await putAway(dir, file)
    } catch (error) {
      if (!isOfTheFile(error)) throw error
      problems.push({ file, reason: error.message })
    }
  }
  return { files: files.length, taken, outcomes, problems }
}

async function recordFiles(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    const files = entries.filter(entry => entry.isFile() && entry.name.endsWith('.cdr.json'))
    return files.map(({ name }) => name).sort()
  } catch (error) {
    throw new BookError('bad_input', `${dir} cannot be read: ${(error as Error).message}`)
  }
}

/** SIP display names may be Latin-1, and JSON to the daemon is not. */
async function textOf(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > FILE_BYTES_MAX) throw new BookError('bad_input', 'it is too long for a record')
  return (await readFile(path)).toString('utf8')
}

async function putAway(dir: string, file: string): Promise<void> {
  try {
    await mkdir(join(dir, DONE), { recursive: true })
    await rename(join(dir, file), join(dir, DONE, file))
  } catch (error) {
    const why = (error as Error).message
    throw new BookError('bad_input', `it has been taken in, but cannot be moved: ${why}`)
  }
}

/** What is wrong with one file says nothing of the others. */
function isOfTheFile(error: unknown): error is Error {
  if (error instanceof BookError) return true
  return typeof (error as NodeJS.ErrnoException).syscall === 'string'
}
