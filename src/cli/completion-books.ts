/** The names in the books that a word may become. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../config.js'
import { dataDirectory } from '../config-folder.js'
import { SqliteAccounts } from '../sqlite/accounts.js'
import { SqliteAuditor } from '../sqlite/audit.js'
import { LedgerFile } from '../sqlite/ledger-file.js'
import { SqliteRates } from '../sqlite/rates.js'
import { RatesFile } from '../sqlite/rates-file.js'
import { SqliteTokens } from '../sqlite/tokens.js'
import { SqliteUsers } from '../sqlite/users.js'
import { WebFile } from '../sqlite/web-file.js'
import type { BookSource, Choice, Wanted } from './cursor.js'

/**
 * Where more than this many codes begin alike, none is offered until more is typed: a shell fills in
 * what all answers have in common, and that of some of them would be wrong.
 */
const CODES_MAX = 500

type Names = (folder: string, beginning: string, env: NodeJS.ProcessEnv) => Promise<Choice[]>

/** The files are only read: beside a daemon or another command, and without waiting for either. */
const NAMES: Readonly<Record<BookSource, Names>> = {
  accounts: (folder, beginning) =>
    withLedger(folder, async file => {
      const accounts = new SqliteAccounts(file)
      const same = await accounts.find(beginning)
      const after = beginning === '' ? {} : { after: beginning }
      const next = await accounts.list({ ...after, limit: CODES_MAX + 1 })
      const found = next.filter(({ code }) => code.startsWith(beginning))
      if (found.length > CODES_MAX) return []
      return [...(same ? [same] : []), ...found].map(({ code, name }) => {
        return { value: code, description: name }
      })
    }),
  calls: folder =>
    withLedger(folder, async file => {
      const calls = await new SqliteAuditor(file).allOpenCalls()
      return calls.map(({ leg }) => ({ value: leg.callId, description: leg.account }))
    }),
  switches: async (folder, _beginning, env) =>
    loadConfig(folder, env).switches.map(({ name, host, port }) => {
      return { value: name, description: `${host}:${port}` }
    }),
  users: folder =>
    withWeb(folder, async file => {
      const users = await new SqliteUsers(file).list({ limit: CODES_MAX })
      return users.map(({ name, role }) => ({ value: name, description: role }))
    }),
  tokens: folder =>
    withWeb(folder, async file => {
      const tokens = await new SqliteTokens(file).list()
      return tokens.map(({ name, role }) => ({ value: name, description: role }))
    }),
  plans: async folder => {
    const file = new RatesFile(existing(folder, 'rates.db'), { readonly: true })
    try {
      const plans = await new SqliteRates(file).plans()
      return plans.map(({ name }) => ({ value: name, description: '' }))
    } finally {
      file.close()
    }
  },
}

/** In the middle of a line nobody wants to hear what is wrong with the books: then there are no names. */
export async function namesIn(
  source: BookSource,
  { beginning, dataDir }: Wanted,
  env: NodeJS.ProcessEnv,
): Promise<readonly Choice[]> {
  // The shell has not expanded the words that it hands on.
  const folder = dataDirectory(dataDir?.replace(/^~(?=\/)/, env['HOME'] ?? '~'), env)
  try {
    return await NAMES[source](folder, beginning, env)
  } catch {
    return []
  }
}

async function withLedger(
  folder: string,
  read: (file: LedgerFile) => Promise<Choice[]>,
): Promise<Choice[]> {
  const file = new LedgerFile(existing(folder, 'ledger.db'), { readonly: true })
  try {
    return await read(file)
  } finally {
    file.close()
  }
}

async function withWeb(
  folder: string,
  read: (file: WebFile) => Promise<Choice[]>,
): Promise<Choice[]> {
  const file = new WebFile(existing(folder, 'web.db'), { readonly: true })
  try {
    return await read(file)
  } finally {
    file.close()
  }
}

function existing(folder: string, name: string): string {
  const file = join(folder, name)
  if (!existsSync(file)) throw new Error(`There is no ${file}`)
  return file
}
