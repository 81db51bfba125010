/**
 * What the suite writes into the configuration directory of the switch: two SIP profiles of its own,
 * its dialplan, the gate's dialplan as it is shipped, and where records and questions go.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export interface Wiring {
  readonly conf: string
  readonly ip: string
  /** `host:port` of the carriers that the gateways lead to. */
  readonly carriers: readonly [string, string]
  readonly trunkPort: number
  readonly usersPort: number
  readonly gatePort: number
  readonly httpPort: number
  readonly secret: string
  /** Whether mod_json_cdr posts to Tollgate, besides the files that the suite reads. */
  readonly posts: boolean
}

export const NAME = 'tollgate-e2e'
export const USERS = `${NAME}-users`
export const GATE = `${NAME}-gate`
export const DOMAIN = `${NAME}.test`

/** A folder of our own, for what the switch writes and what it plays. */
export const folderOf = (conf: string) => join(conf, NAME)
export const recordsOf = (conf: string) => join(folderOf(conf), 'records')
export const unpostedOf = (conf: string) => join(folderOf(conf), 'unposted')

/** How long a leg may wait for its record to be posted. */
export const POST_TIMEOUT_S = 3

const SHIPPED_GATE = join(import.meta.dirname, '../../../freeswitch-conf/dialplan-gate.xml')

/** Stands at the top of every file that we write: such a file was left behind by a run that was stopped. */
const OURS = `<!-- ${NAME} -->`

/**
 * Writes everything; the function that is returned puts back what was there. That is kept in a file
 * meanwhile, for a run that is stopped does not get to it.
 */
export function configure(wiring: Wiring): () => void {
  const { conf } = wiring
  for (const folder of [recordsOf(conf), unpostedOf(conf)]) {
    mkdirSync(folder, { recursive: true })
    // The switch may be another user.
    chmodSync(folder, 0o777)
  }
  const written = Object.entries(filesOf(wiring)).map(([name, xml]) => {
    const file = join(conf, name)
    const isTheirs = existsSync(file) && !readFileSync(file, 'utf8').startsWith(OURS)
    if (isTheirs) renameSync(file, keptAs(file))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${OURS}\n${xml}`)
    return file
  })
  return () => {
    for (const file of written) {
      rmSync(file)
      if (existsSync(keptAs(file))) renameSync(keptAs(file), file)
    }
  }
}

const keptAs = (file: string) => `${file}.before-${NAME}`

function filesOf(wiring: Wiring): Record<string, string> {
  return {
    [`sip_profiles/${NAME}.xml`]: trunk(wiring),
    [`sip_profiles/${USERS}.xml`]: users(wiring),
    [`dialplan/${NAME}.xml`]: DIALPLAN,
    [`dialplan/${GATE}.xml`]: gate(wiring),
    'autoload_configs/json_cdr.conf.xml': jsonCdr(wiring),
    'autoload_configs/xml_curl.conf.xml': xmlCurl(wiring),
  }
}

const params = (values: Record<string, string | number | boolean>) =>
  Object.entries(values)
    .map(([name, value]) => `<param name="${name}" value="${value}"/>`)
    .join('\n')

const profile = (name: string, gateways: string, settings: Record<string, string | number>) => `
<profile name="${name}">
  <gateways>${gateways}</gateways>
  <settings>${params({
    ...{ context: NAME, dialplan: 'XML', 'rtp-timer-name': 'soft', 'manage-presence': 'false' },
    // The port is known to be free for UDP alone.
    'bind-params': 'transport=udp',
    ...{ 'inbound-codec-prefs': 'PCMU', 'outbound-codec-prefs': 'PCMU', 'enable-timer': 'false' },
    ...settings,
  })}</settings>
</profile>`

/** Callers who need no password, and the gateways. */
function trunk({ ip, trunkPort, carriers }: Wiring): string {
  const gateway = (name: string, address: string) =>
    `<gateway name="${NAME}-${name}">${params({ proxy: address, realm: address, register: false, username: NAME, password: NAME })}</gateway>`
  const both = gateway('carrier', carriers[0]) + gateway('carrier2', carriers[1])
  const at = { 'sip-ip': ip, 'rtp-ip': ip, 'sip-port': trunkPort }
  return profile(NAME, both, { ...at, 'auth-calls': 'false', 'track-calls': 'true' })
}

/** SIP accounts: whoever calls from here has shown his password. */
function users({ ip, usersPort }: Wiring): string {
  const at = { 'sip-ip': ip, 'rtp-ip': ip, 'sip-port': usersPort }
  return profile(USERS, '', { ...at, 'auth-calls': 'true', 'accept-blind-reg': 'false' })
}

const CARRIER = `sofia/gateway/${NAME}-carrier`
const BACKUP = `sofia/gateway/${NAME}-carrier2`

const extension = (pattern: string, ...actions: [application: string, argument: string][]) => `
<extension name="${pattern.split('-')[0]}">
  <condition field="destination_number" expression="^${pattern}$">
    ${actions.map(([name, argument]) => `<action application="${name}" data="${argument}"/>`).join('\n')}
  </condition>
</extension>`

const ENDS: [string, string] = ['set', 'hangup_after_bridge=true']

/**
 * Extensions begin with what they show; then come the account and the numbers. FreeSWITCH skips the
 * whole line of an `<include>`.
 */
const DIALPLAN = `<include>
<context name="${NAME}">
${extension('pay-(\\w+)-(\\d+)', ENDS, ['bridge', `[ac=$1]${CARRIER}/$2`])}
${extension('set-(\\w+)-(\\d+)', ENDS, ['set', 'ac=$1'], ['bridge', `${CARRIER}/$2`])}
${extension('export-(\\w+)-(\\d+)', ENDS, ['export', 'ac=$1'], ['bridge', `${CARRIER}/$2`])}
${extension('account-(\\d+)', ENDS, ['bridge', `${CARRIER}/$1`])}
${extension('user-(\\w+)', ENDS, ['bridge', `user/$1@${DOMAIN}`])}
${extension('fork-(\\w+)-(\\d+)-(\\d+)', ENDS, ['bridge', `[ac=$1]${CARRIER}/$2,[ac=$1]${BACKUP}/$3`])}
${extension('failover-(\\w+)-(\\d+)-(\\d+)', ENDS, ['bridge', `[ac=$1]${CARRIER}/$2|[ac=$1]${BACKUP}/$3`])}
${extension('loopback-(\\w+)-(\\d+)', ENDS, ['bridge', `{ac=$1}loopback/pay-$1-$2/${NAME}`])}
${extension(
  '(gate|gate-async|gate-failover|lease|gate-fail-open)-(\\w+)-(\\d+)',
  ['set', 'tollgate_account=$2'],
  ['set', 'tollgate_number=$3'],
  ['execute_extension', `$1 XML ${GATE}`],
)}
${extension('gated-(\\d+)', ['set', 'tollgate_number=$1'], ['execute_extension', `gate XML ${GATE}`])}
${extension('tone', ['answer', ''], ['playback', '{loops=-1}tone_stream://%(1000,0,440)'])}
</context>
</include>`

/** As it is shipped, with our names and addresses in place of those that an operator replaces. */
function gate({ ip, gatePort }: Wiring): string {
  return readFileSync(SHIPPED_GATE, 'utf8')
    .replaceAll('127.0.0.1:8084', `${ip}:${gatePort}`)
    .replaceAll('<context name="tollgate">', `<context name="${GATE}">`)
    .replaceAll('XML tollgate"', `XML ${GATE}"`)
    .replaceAll('sofia/gateway/carrier2/', `${BACKUP}/`)
    .replaceAll('sofia/gateway/carrier/', `${CARRIER}/`)
}

/** Every record into a file, which is what the books are compared with; and to Tollgate, or not. */
function jsonCdr({ conf, ip, httpPort, secret, posts }: Wiring): string {
  const posted = {
    url: `http://${ip}:${httpPort}/freeswitch/cdr`,
    cred: `freeswitch:${secret}`,
    'log-http-and-disk': true,
    'err-log-dir': unpostedOf(conf),
    ...{ retries: 0, timeout: POST_TIMEOUT_S },
    'disable-100-continue': true,
  }
  return `<configuration name="json_cdr.conf"><settings>${params({
    ...{ 'log-dir': recordsOf(conf), 'log-b-leg': true, rotate: false },
    ...{ encode: false, 'encode-values': false },
    ...(posts && posted),
  })}</settings></configuration>`
}

function xmlCurl({ ip, httpPort, secret }: Wiring): string {
  return `<configuration name="xml_curl.conf"><bindings><binding name="tollgate">
<param name="gateway-url" value="http://${ip}:${httpPort}/freeswitch/directory" bindings="directory"/>
${params({ 'gateway-credentials': `freeswitch:${secret}`, timeout: 3, 'disable-100-continue': true })}
</binding></bindings></configuration>`
}
