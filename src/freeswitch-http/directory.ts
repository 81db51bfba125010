/**
 * The directory of users, as mod_xml_curl asks for it. Of all that FreeSWITCH asks (REGISTER and
 * INVITE, `user/…` that is dialled, user_exists, access lists, gateways, groups), what names a user
 * by `key=id`, `user` and `domain` is answered with that user, always in the same words; anything
 * else is not found, for which FreeSWITCH looks into its static XML.
 */
import { randomBytes } from 'node:crypto'
import {
  type DirectorySettings,
  type DirectoryUser,
  NOT_FOUND,
  userDocument,
} from '../directory-xml.js'
import type { SipAccounts, SipAddress } from '../ledger/sip-accounts.js'
import type { Answer, Route } from './route.js'

export const DIRECTORY_PATH = '/freeswitch/directory'

/** A request is 1.2 kB; the X- headers of a phone and the variables of a dial string are added. */
const BODY_BYTES_MAX = 65_536

export function directoryRoute(
  accounts: Pick<SipAccounts, 'credentials'>,
  settings: DirectorySettings,
): Route {
  return {
    path: DIRECTORY_PATH,
    bodyBytesMax: BODY_BYTES_MAX,
    async answer({ body }) {
      const address = askedFor(new URLSearchParams(body.toString()))
      const found = address && (await accounts.credentials(address))
      if (!found) return xml(NOT_FOUND)
      const isKept = found.user === address.user && found.domain === address.domain
      // A switch keeps an answer under the name as it asked, and would not forget another spelling.
      const kept = isKept ? settings : { ...settings, cacheS: 0 }
      return xml(userDocument(found.enabled ? found : locked(found), kept))
    },
  }
}

/** The user that a request is about; null where it is about none. */
export function askedFor(fields: URLSearchParams): SipAddress | null {
  const [section, key, user, domain] = ['section', 'key', 'user', 'domain'].map(name =>
    // The switch adds these last: what came before may be a variable of a dial string.
    fields.getAll(name).at(-1),
  )
  if (section !== 'directory' || key !== 'id' || !user || !domain) return null
  return { user, domain }
}

/**
 * A disabled account is there, so that no namesake in the static XML takes its place, but no password
 * fits it. One without a secret would be let in: FreeSWITCH takes that for "no password needed".
 */
function locked(user: DirectoryUser): DirectoryUser {
  return { ...user, a1Hash: randomBytes(16).toString('hex') }
}

function xml(text: string): Answer {
  return { status: 200, type: 'text/xml; charset=utf-8', text }
}
