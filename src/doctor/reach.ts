/** Whether the event socket can be reached and lets us in; each obstacle has its own cure. */
import { SwitchError } from '../switch/switch.js'
import { WRONG_PASSWORD } from '../switch/trouble.js'
import { Dialogue, type DialogueOptions } from './dialogue.js'
import {
  ACL_CONF,
  type Cure,
  EVENT_SOCKET_CONF,
  type Finding,
  missing,
  ok,
  param,
  SETTINGS,
} from './finding.js'
import { type Greeting, greeting } from './greeting.js'

const CHECK = 'event socket'

/** Of what is no event socket so much is shown. */
const SHOWN_MAX = 60

const PORT: Cure = [SETTINGS, `port = 8021   # listen-port in ${EVENT_SOCKET_CONF}`]

export async function reach(
  options: DialogueOptions,
): Promise<{ readonly dialogue: Dialogue | null; readonly finding: Finding }> {
  const { host, port, timeoutMs } = options
  const obstacle = obstacleOf(await greeting(host, port, timeoutMs), options)
  if (obstacle) return { dialogue: null, finding: obstacle }
  try {
    const dialogue = await Dialogue.open(options)
    const text = `${host}:${port} is an event socket, and lets us in`
    return { dialogue, finding: ok(CHECK, text) }
  } catch (error) {
    if (!(error instanceof SwitchError)) throw error
    return { dialogue: null, finding: refusal(error.message) }
  }
}

function obstacleOf(heard: Greeting, { host, port, timeoutMs }: DialogueOptions): Finding | null {
  const at = `${host}:${port}`
  switch (heard.type) {
    case 'unreachable':
      return unreachable(heard.code, heard.why, host, port)
    case 'closed':
      return missing(CHECK, `What listens at ${at} closes the connection without a word`, PORT)
    case 'silent':
      return missing(
        CHECK,
        `What listens at ${at} says nothing within ${timeoutMs} ms: it is no event socket, or a switch that hangs`,
        PORT,
      )
    case 'said':
      if (/^Content-Type: auth\/request/im.test(heard.text)) return null
      if (/^Content-Type: text\/rude-rejection/im.test(heard.text)) {
        return turnedAway(heard.ownAddress)
      }
      return missing(
        CHECK,
        `What listens at ${at} is no event socket: it says ${shown(heard.text)}`,
        PORT,
      )
  }
}

function unreachable(code: string, why: string, host: string, port: number): Finding {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return missing(CHECK, `The host ${host} has no address`, [SETTINGS, 'host = "127.0.0.1"'])
  }
  if (code !== 'ECONNREFUSED') return missing(CHECK, `${host}:${port} is out of reach: ${why}`)
  return missing(
    CHECK,
    `Nothing listens at ${host}:${port}: FreeSWITCH is not running there, or without mod_event_socket, or it listens elsewhere`,
    [EVENT_SOCKET_CONF, `${param('listen-ip', host)} ${param('listen-port', String(port))}`],
  )
}

/** With two lists an address has to be in both: so the one that is there is replaced. */
function turnedAway(ownAddress: string): Finding {
  const node = `<node type="allow" cidr="${ownAddress}/${ownAddress.includes(':') ? 128 : 32}"/>`
  return missing(
    CHECK,
    `The switch turns ${ownAddress}, our address, away: it is not in the list that apply-inbound-acl names, without which it is loopback.auto`,
    [
      `${ACL_CONF}, with ${param('apply-inbound-acl', 'tollgate')} in ${EVENT_SOCKET_CONF}`,
      `<list name="tollgate" default="deny">${node}</list>`,
    ],
  )
}

function refusal(why: string): Finding {
  if (why === WRONG_PASSWORD) {
    return missing(CHECK, 'The switch refuses the password', [
      SETTINGS,
      `password = "…"   # that of ${EVENT_SOCKET_CONF}`,
    ])
  }
  return missing(CHECK, `There is an event socket, but no login: ${why}`)
}

function shown(text: string): string {
  const [line = ''] = text.split(/[\r\n]/)
  return JSON.stringify(line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX)}…` : line)
}
