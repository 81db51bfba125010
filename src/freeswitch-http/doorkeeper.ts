/** Lets in who knows the secret, by HTTP basic authentication, and tells the log of who does not. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Logger } from 'pino'

/** The user name that goes with the secret. */
export const USER = 'freeswitch'

/** Strangers may knock as often as they like: they fill no log. */
const TELL_AGAIN_MS = 60_000

export class Doorkeeper {
  readonly #expected: Buffer
  #refused = 0
  #toldAt = -Infinity

  constructor(
    secret: string,
    readonly log: Logger,
    readonly now: () => number = () => performance.now(),
  ) {
    this.#expected = digest(`Basic ${Buffer.from(`${USER}:${secret}`).toString('base64')}`)
  }

  /** @param authorization the header of that name */
  admits(authorization: string | undefined, from: string): boolean {
    const [scheme = '', credentials = ''] = (authorization ?? '').split(' ')
    // The digests are compared, so that neither length nor content of the secret shows in the time.
    const given = digest(`${scheme.replace(/^basic$/i, 'Basic')} ${credentials}`)
    if (timingSafeEqual(given, this.#expected)) return true
    this.#tell(authorization === undefined, from)
    return false
  }

  #tell(withoutAny: boolean, from: string): void {
    this.#refused += 1
    if (this.now() < this.#toldAt + TELL_AGAIN_MS) return
    const why = withoutAny ? 'it showed no secret' : 'its secret is not ours'
    this.log.warn({ from, why, requests: this.#refused }, 'a stranger was refused over HTTP')
    this.#refused = 0
    this.#toldAt = this.now()
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
