/** `[web]`: where the portal and the API are served, and how they are reached. */
import { isIP } from 'node:net'
import { z } from 'zod'
import { addressOf } from './address.js'

export interface WebConfig {
  /** How people reach it, for the links that are made: `https://tollgate.example.com`. */
  readonly publicUrl: string
  /** Whose word is taken for who asks, and whether by https: the addresses of reverse proxies. */
  readonly trustedProxies: readonly string[]
}

/** Where anything is listened on; empty for nowhere. */
export const listen = z.custom<string>(
  value => value === '' || addressOf(String(value)) !== null,
  'must be an address and a port, as in "127.0.0.1:8085"',
)

export const webSchema = z.strictObject({
  listen: listen.default('127.0.0.1:8080'),
  public_url: z
    .custom<string>(
      value => value === '' || isPublicUrl(String(value)),
      'must be like "https://tollgate.example.com", without a path',
    )
    .default(''),
  trusted_proxies: z
    .array(
      z.custom<string>(value => isNetwork(String(value)), 'must be an address, as in "127.0.0.1"'),
      'must be a list of addresses, as in ["127.0.0.1"]',
    )
    .max(100)
    .default([]),
})

type Settled = z.output<typeof webSchema>

/** All addresses of a machine are none to go to. */
const EVERYWHERE = /^(0\.0\.0\.0|\[::\]):/

export function webConfig({ listen, public_url: url, trusted_proxies }: Settled): WebConfig {
  return {
    publicUrl: (url || `http://${listen.replace(EVERYWHERE, '127.0.0.1:')}`).replace(/\/$/, ''),
    trustedProxies: trusted_proxies,
  }
}

/** TOLLGATE_WEB_LISTEN wins over the file. Empty means nowhere, so it differs from not being set. */
export function webFromEnvironment(table: unknown, env: NodeJS.ProcessEnv): { web?: object } {
  const listen = env['TOLLGATE_WEB_LISTEN']
  return listen === undefined ? {} : { web: { ...(table as object | undefined), listen } }
}

/** Whether a reverse proxy speaks https with browsers. */
export const isEncrypted = ({ public_url: url }: Settled): boolean => url.startsWith('https:')

export const WEB_IN_CLEAR = (host: string): string =>
  `web.listen: who reads the network between a browser and ${host} reads passwords; where a reverse proxy speaks https, say so with web.public_url`

function isPublicUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, pathname, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === ''
}

/** An address, or a network like `10.0.0.0/8`. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
