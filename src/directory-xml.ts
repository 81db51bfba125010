/**
 * SIP accounts as FreeSWITCH reads them: the answers to mod_xml_curl, and the static XML of a domain.
 *
 * FreeSWITCH expands `$${…}` in what it reads, carries out `<X-PRE-PROCESS`, and later expands
 * `${…}` wherever a variable is used. The builder escapes what is XML; that no `$` gets in but the
 * operator's own is seen to where SIP accounts are made.
 */
import xmlbuilder from 'xmlbuilder'

/** A user of the directory. The shape of what the ledger keeps. */
export interface DirectoryUser {
  readonly user: string
  readonly domain: string
  readonly account: string
  readonly name: string
  readonly enabled: boolean
  readonly a1Hash: string
}

export interface DirectorySettings {
  /** The context of the dialplan that its calls begin in. */
  readonly context: string
  /** How `user/…` reaches it. */
  readonly dialString: string
  /** How long a switch may go on with an answer; 0: not at all. */
  readonly cacheS: number
}

/** With it FreeSWITCH goes on to its static XML. An empty answer would be an error to it. */
export const NOT_FOUND = written({
  document: {
    '@type': 'freeswitch/xml',
    section: { '@name': 'result', result: { '@status': 'not found' } },
  },
})

/** What a caller of a disabled user gets, as for a phone that is not there: 480. */
const UNREACHABLE = 'error/USER_NOT_REGISTERED'

/** The same answer for every question about a user: a switch may keep it for all of them. */
export function userDocument(user: DirectoryUser, settings: DirectorySettings): string {
  const { cacheS } = settings
  const cacheable = cacheS > 0 ? { '@cacheable': String(cacheS * 1000) } : {}
  return written({
    document: {
      '@type': 'freeswitch/xml',
      section: {
        '@name': 'directory',
        domain: {
          ...domainHead(user.domain, settings),
          user: userElement(user, settings, cacheable),
        },
      },
    },
  })
}

/** The users of a domain, for a file that FreeSWITCH includes in its section `directory`. */
export function domainInclude(
  domain: string,
  users: readonly DirectoryUser[],
  settings: DirectorySettings,
): string {
  const elements = users.map(user => userElement(user, settings, {}))
  const whole = { ...domainHead(domain, settings), users: { user: elements } }
  return written({ include: { domain: whole } })
}

function domainHead(domain: string, { dialString }: DirectorySettings) {
  return { '@name': domain, params: { param: named({ 'dial-string': dialString }) } }
}

/** Without `export_vars`: exported, the code would be on the legs between users, and they paid. */
function userElement(user: DirectoryUser, { context }: DirectorySettings, attributes: object) {
  const { a1Hash, account, name } = user
  const unreachable = user.enabled ? {} : { 'dial-string': UNREACHABLE }
  const shown = name === '' ? {} : { effective_caller_id_name: name }
  return {
    '@id': user.user,
    ...attributes,
    params: { param: named({ 'a1-hash': a1Hash, ...unreachable }) },
    variables: { variable: named({ user_context: context, ac: account, ...shown }) },
  }
}

function named(values: Readonly<Record<string, string>>) {
  return Object.entries(values).map(([name, value]) => ({ '@name': name, '@value': value }))
}

function written(tree: Readonly<Record<string, object>>): string {
  const declaration = { version: '1.0', encoding: 'UTF-8', standalone: false } as const
  // What no XML can hold, such as a control character, must not cost the whole answer.
  const document = xmlbuilder.create(tree, { ...declaration, invalidCharReplacement: '\uFFFD' })
  return `${document.end({ pretty: true })}\n`
}
