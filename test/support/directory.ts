/** The HTTP service for FreeSWITCH over real sockets, and the requests that FreeSWITCH has sent. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { parseXml, type XmlElement } from '@rgrove/parse-xml'

export const SECRET = 'a secret for two programs'.replaceAll(' ', '-')

export interface Reply {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly text: string
}

/** What FreeSWITCH shows, unless told otherwise. */
export const basic = (user: string, secret: string) =>
  `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`

export interface Asking {
  readonly path?: string
  readonly method?: string
  /** Undefined shows none. */
  readonly authorization?: string | undefined
}

/** Asks as mod_xml_curl does. */
export function ask(port: number, body: string | Buffer, asking: Asking = {}): Promise<Reply> {
  const { path = '/freeswitch/directory', method = 'POST' } = asking
  const shown = 'authorization' in asking ? asking.authorization : basic('freeswitch', SECRET)
  const headers = {
    'user-agent': 'freeswitch-xml/1.0',
    accept: '*/*',
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
    ...(shown !== undefined && { authorization: shown }),
  }
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, method, headers, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode!, headers: response.headers, text })
      })
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** One question of FreeSWITCH as it was recorded, and what was answered then. */
export interface Recorded {
  readonly file: string
  readonly body: string
  readonly fields: URLSearchParams
  readonly status: number
  readonly text: string
}

export function recordings(): Recorded[] {
  const folder = join(import.meta.dirname, '../integration/xml-curl')
  return readdirSync(folder).flatMap(file => {
    const [, ...blocks] = readFileSync(join(folder, file), 'utf8').split(/^##### /m)
    const pairs = Array.from({ length: blocks.length / 2 }, (_, i) =>
      blocks.slice(2 * i, 2 * i + 2),
    )
    return pairs.map(([asked, answered]) => {
      const body = asked!.slice(asked!.indexOf('\n\n') + 2).trimEnd()
      const status = Number(/^answer (\d+)/.exec(answered!)![1])
      const text = answered!.slice(answered!.indexOf('\n') + 1).trimEnd()
      return { file, body, fields: new URLSearchParams(body), status, text }
    })
  })
}

/** A user as FreeSWITCH reads him: with what his domain and group say where he does not. */
export interface ReadUser {
  readonly id: string
  readonly domain: string
  readonly cacheable: string | undefined
  readonly params: Record<string, string>
  readonly variables: Record<string, string>
}

/** Reads a document strictly. Null for the one that says "not found". */
export function readDirectory(xml: string): ReadUser | null {
  const root = parseXml(xml).root!
  const section = child(root, 'section')!
  if (section.attributes['name'] === 'result') {
    const { status } = child(section, 'result')!.attributes
    if (status !== 'not found') throw new Error(`status ${status}`)
    return null
  }
  const domain = child(section, 'domain')!
  return readUser(find(domain, 'user')[0]!, domain)
}

/** All users of a static include. */
export function readInclude(xml: string): ReadUser[] {
  const domain = child(parseXml(xml).root!, 'domain')!
  return find(child(domain, 'users')!, 'user').map(user => readUser(user, domain))
}

function readUser(user: XmlElement, domain: XmlElement): ReadUser {
  return {
    id: user.attributes['id']!,
    domain: domain.attributes['name']!,
    cacheable: user.attributes['cacheable'],
    params: { ...named(domain, 'params'), ...named(user, 'params') },
    variables: { ...named(domain, 'variables'), ...named(user, 'variables') },
  }
}

const elements = (of: XmlElement) => of.children.filter(node => node.type === 'element')
const child = (of: XmlElement, name: string) =>
  elements(of).find(element => (element as XmlElement).name === name) as XmlElement | undefined

function find(of: XmlElement, name: string): XmlElement[] {
  return elements(of).flatMap(element => {
    const one = element as XmlElement
    return one.name === name ? [one] : find(one, name)
  })
}

function named(of: XmlElement, name: string): Record<string, string> {
  const list = child(of, name)
  const pairs = list ? elements(list).map(element => (element as XmlElement).attributes) : []
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value]))
}

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

/** Whether what the phone answered to the challenge fits the hash: what FreeSWITCH asks itself. */
export function letsIn(a1Hash: string | undefined, fields: URLSearchParams): boolean {
  const [nonce, nc, cnonce, qop, method, uri, response] = [
    ...['nonce', 'nc', 'cnonce', 'qop', 'method', 'uri', 'response'],
  ].map(name => fields.get(`sip_auth_${name}`))
  // FreeSWITCH takes a user without a secret for one who needs none.
  if (!a1Hash) return true
  return md5([a1Hash, nonce, nc, cnonce, qop, md5(`${method}:${uri}`)].join(':')) === response
}
