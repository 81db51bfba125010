/** What the web service stands on. Who composes it opens the files; nothing in here does. */
import type { Logger } from 'pino'
import type { Answers, Links, Sessions } from '../access/access.js'
import type { Browsing } from '../ledger/browsing.js'
import type { Statistics } from '../ledger/statistics.js'
import type { CardProvisioning } from '../provisioning/cards.js'
import type { LocalProvisioning } from '../provisioning/local-operations.js'
import type { Provisioning } from '../provisioning/operations.js'
import type { Quoter } from '../provisioning/quote.js'
import type { RateProvisioning } from '../provisioning/rates.js'
import type { TokenProvisioning } from '../provisioning/tokens.js'
import type { UserProvisioning } from '../provisioning/users.js'
import type { DeckImports } from './deck-imports.js'
import type { LiveFeed } from './live-feed.js'

export interface WebSettings {
  /** Whose word is taken for who asks and by https or not: the reverse proxies' addresses. */
  readonly trustedProxies: readonly string[]
  /**
   * How often a stream of events shows that it is alive, because proxies give up on what is silent; and
   * how often it is asked whether who listens still may.
   */
  readonly heartbeatMs: number
}

export interface Services {
  /** Reads come from the ledger's file, changes and live calls from the daemon. */
  readonly ledger: Provisioning
  readonly rates: RateProvisioning
  readonly quoter: (whose: { account?: unknown; plan?: unknown }) => Promise<Quoter>
  readonly users: UserProvisioning
  readonly tokens: TokenProvisioning
  readonly cards: CardProvisioning
  /** All of these by the names of their operations. */
  readonly local: LocalProvisioning
  readonly imports: DeckImports
  readonly sessions: Sessions
  readonly links: Links
  readonly answers: Answers
  readonly live: LiveFeed
  /** For the lists of the portal. */
  readonly browsing: Browsing
  /** For its charts, and for the figures of the API. */
  readonly statistics: Statistics
}

export interface WebParts {
  readonly services: Services
  readonly settings: WebSettings
  readonly log: Logger
}
