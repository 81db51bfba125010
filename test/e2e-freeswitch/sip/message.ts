/** SIP messages (RFC 3261), as far as two phones on one machine need them: text in, text out. */
import { createHash, randomUUID } from 'node:crypto'

export interface SipMessage {
  /** The request line or the status line. */
  readonly start: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** Names in lower case. What is no SIP message, such as a keep-alive, has no headers. */
export function parseMessage(text: string): SipMessage {
  const end = text.indexOf('\r\n\r\n')
  const [start = '', ...lines] = (end < 0 ? text : text.slice(0, end)).split('\r\n')
  const headers = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { start, headers, body: end < 0 ? '' : text.slice(end + 4) }
}

export function writeMessage({ start, headers, body }: SipMessage): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  return [start, ...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n')
}

/** The first header of this name; empty where there is none. */
export function header(message: SipMessage, name: string): string {
  return message.headers.find(([each]) => each === name)?.[1] ?? ''
}

export const isRequest = ({ start }: SipMessage) => !start.startsWith('SIP/2.0 ')

/** Of a response: 180, 200, 486. */
export const statusOf = ({ start }: SipMessage) => Number(start.split(' ')[1])

/** Of a request, or what a response answers. */
export const methodOf = (message: SipMessage) => header(message, 'cseq').split(' ')[1] ?? ''

/** What tells one transaction from another. */
export const transactionOf = (message: SipMessage) =>
  `${/branch=([^;,\s]+)/.exec(header(message, 'via'))?.[1]} ${methodOf(message)}`

/** Names a new transaction. */
export const newBranch = () => `z9hG4bK${randomUUID()}`

/** The address in a From, To or Contact, without its parameters. */
export const uriOf = (value: string) => /<([^>]+)>/.exec(value)?.[1] ?? value.split(';')[0]!

export const tagOf = (value: string) => /;tag=([^;]+)/.exec(value)?.[1] ?? ''

/** The part before the @ of an address: a number, or a user. */
export const userOf = (uri: string) => decodeURIComponent(/^sips?:([^@;]*)@/.exec(uri)?.[1] ?? '')

/** Host and port that an address is to be reached at. */
export function hostOf(uri: string): { host: string; port: number } {
  const [, host, port] = /^sips?:(?:[^@]*@)?([^:;>]+)(?::(\d+))?/.exec(uri)!
  return { host: host!, port: Number(port ?? 5060) }
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** The Authorization with which a request answers a challenge (RFC 2617, MD5 with qop=auth). */
export function authorization(
  challenge: string,
  who: { readonly user: string; readonly password: string },
  method: string,
  uri: string,
): string {
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? ''
  const [realm, nonce, cnonce] = [field('realm'), field('nonce'), md5(String(Math.random()))]
  const a1 = md5(`${who.user}:${realm}:${who.password}`)
  const response = md5(`${a1}:${nonce}:00000001:${cnonce}:auth:${md5(`${method}:${uri}`)}`)
  return `Digest username="${who.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, cnonce="${cnonce}", qop=auth, nc=00000001`
}
