/** Users, tokens and calling cards in web.db, for whoever has it open: the web service, or the CLI. */
import type { AccountJson } from './ledger/account-fields.js'
import { BookError } from './ledger/books.js'
import { CardProvisioning } from './provisioning/cards.js'
import { TokenProvisioning } from './provisioning/tokens.js'
import { UserProvisioning } from './provisioning/users.js'
import { SqlitePins } from './sqlite/pins.js'
import { SqliteLinks } from './sqlite/sessions.js'
import { SqliteTokens } from './sqlite/tokens.js'
import { SqliteUsers } from './sqlite/users.js'
import type { WebFile } from './sqlite/web-file.js'

export interface Access {
  readonly users: UserProvisioning
  readonly links: SqliteLinks
  readonly tokens: TokenProvisioning
  readonly cards: CardProvisioning
}

/**
 * @param account the account of a code @throws BookError unknown_account
 * @param publicUrl where links lead
 */
export function openAccess(
  file: WebFile,
  account: (code: unknown) => Promise<AccountJson>,
  publicUrl: () => string | Promise<string>,
): Access {
  const users = new SqliteUsers(file)
  const links = new SqliteLinks(file, users)
  return {
    links,
    users: new UserProvisioning({
      ...{ users, links },
      linkUrl: async secret => `${await publicUrl()}/link/${secret}`,
      hasAccount: code =>
        account(code).then(
          () => true,
          error => {
            if (error instanceof BookError && error.code === 'unknown_account') return false
            throw error
          },
        ),
    }),
    tokens: new TokenProvisioning(new SqliteTokens(file), file.now),
    cards: new CardProvisioning(new SqlitePins(file), account),
  }
}
