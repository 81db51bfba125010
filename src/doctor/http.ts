/**
 * Whether the switch's mod_xml_curl and mod_json_cdr ask us, with our secret. The secret itself is
 * never in a sentence, nor in a line to add.
 */
import { isLoopback } from '../address.js'
import type { Config } from '../config.js'
import type { Dialogue } from './dialogue.js'
import {
  type Finding,
  JSON_CDR_CONF,
  missing,
  ok,
  param,
  SETTINGS,
  warning,
  XML_CURL_CONF,
} from './finding.js'
import { reachable } from './gate.js'
import { greeting } from './greeting.js'
import { attributesOf, configurationOf, isTrue, valuesOf } from './located-xml.js'

type HttpAt = NonNullable<Config['freeswitchHttp']>

const CREDENTIALS = 'freeswitch:the secret of [freeswitch_http]'

/** @param daemonRuns whether somebody has to answer there now */
export async function httpFindings(
  dialogue: Dialogue,
  http: HttpAt,
  daemonRuns: boolean,
): Promise<Finding[]> {
  return [
    await answerFinding(dialogue, http, daemonRuns),
    await recordFinding(dialogue, http),
    await directoryFinding(dialogue, http),
  ]
}

async function answerFinding(
  dialogue: Dialogue,
  { host, port }: HttpAt,
  daemonRuns: boolean,
): Promise<Finding> {
  const check = 'freeswitch_http'
  const { host: switchHost, timeoutMs } = dialogue.options
  const at = `${host}:${port}`
  if (isLoopback(host) && !isLoopback(switchHost)) {
    return missing(
      check,
      `It is served at ${at}, where the switch at ${switchHost} cannot reach it`,
      [SETTINGS, `listen = "…:${port}"   # under [freeswitch_http]`],
    )
  }
  // Who waits for a request says nothing by himself.
  const heard = await greeting(reachable(host), port, Math.min(timeoutMs, SILENCE_MS))
  if (heard.type === 'silent') return ok(check, `Somebody listens at ${at}`)
  if (heard.type === 'said') return missing(check, `What listens at ${at} does not speak HTTP`)
  const judge = daemonRuns ? missing : warning
  return judge(
    check,
    `Nobody answers at ${at}: no SIP account can log in, and records are not taken`,
    ['a shell', 'tollgate run'],
  )
}

const SILENCE_MS = 300

async function recordFinding(dialogue: Dialogue, { port, secret }: HttpAt): Promise<Finding> {
  const check = 'json_cdr.conf'
  const xml = await configurationOf(dialogue, 'json_cdr.conf')
  if (xml === null) return noFile(check, JSON_CDR_CONF)
  if (!valuesOf(xml, 'url').some(url => isOurs(url, port, '/freeswitch/cdr'))) {
    const text = `No url is that of Tollgate: records are not posted to port ${port}`
    return missing(check, text, [JSON_CDR_CONF, param('url', urlOf(port, 'cdr'))])
  }
  if (valuesOf(xml, 'cred').at(-1) !== `freeswitch:${secret}`) {
    return missing(check, 'Its cred is not the secret of Tollgate: records are turned away', [
      JSON_CDR_CONF,
      param('cred', CREDENTIALS),
    ])
  }
  if (!isTrue(valuesOf(xml, 'log-b-leg').at(-1))) {
    return missing(check, 'It posts no outbound legs, which are those that pay', [
      JSON_CDR_CONF,
      param('log-b-leg', 'true'),
    ])
  }
  return ok(check, `Records of all legs are posted to port ${port}, with our secret`)
}

async function directoryFinding(dialogue: Dialogue, { port, secret }: HttpAt): Promise<Finding> {
  const check = 'xml_curl.conf'
  const xml = await configurationOf(dialogue, 'xml_curl.conf')
  if (xml === null) return noFile(check, XML_CURL_CONF)
  const binding = xml.split(/<binding\b(?!s)/).find(part => asksUs(part, port))
  if (binding === undefined) {
    const url = urlOf(port, 'directory')
    return missing(check, `No binding of the directory asks Tollgate at port ${port}`, [
      XML_CURL_CONF,
      `<param name="gateway-url" value="${url}" bindings="directory"/>`,
    ])
  }
  if (valuesOf(binding, 'gateway-credentials').at(-1) !== `freeswitch:${secret}`) {
    const text = 'Its gateway-credentials are not the secret of Tollgate: questions are turned away'
    return missing(check, text, [XML_CURL_CONF, param('gateway-credentials', CREDENTIALS)])
  }
  return ok(check, `The directory is asked for at port ${port}, with our secret`)
}

function noFile(check: string, file: string): Finding {
  const ours = `freeswitch-conf/${file.split('/')[1]}`
  return missing(check, `The switch has no ${check}`, [file, `cp ${ours} conf/autoload_configs/`])
}

function asksUs(binding: string, port: number): boolean {
  return attributesOf(binding, 'param').some(attributes => {
    const url = attributes.get('value') ?? ''
    const isUrl = attributes.get('name')?.toLowerCase() === 'gateway-url'
    const sections = attributes.get('bindings')?.split('|') ?? []
    return isUrl && sections.includes('directory') && isOurs(url, port, '/freeswitch/directory')
  })
}

/** The switch may know this machine by another name: so only port and path are compared. */
function isOurs(url: string, port: number, path: string): boolean {
  if (!URL.canParse(url)) return false
  const { port: its, pathname } = new URL(url)
  return Number(its || 80) === port && pathname === path
}

const urlOf = (port: number, what: string) => `http://127.0.0.1:${port}/freeswitch/${what}`
