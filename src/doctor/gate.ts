/** Whether the dialplan asks the gate, and whether somebody answers there; and the lease. */
import { isLoopback } from '../address.js'
import type { Config } from '../config.js'
import { LEASE } from '../gate/lease.js'
import { expectOk, parseReply, unexpected } from '../switch/encode.js'
import type { Dialogue } from './dialogue.js'
import { type Finding, missing, ok, SETTINGS, warning } from './finding.js'
import { greeting } from './greeting.js'
import { attributesOf, located } from './located-xml.js'

const CHECK = 'gate'
const DIALPLAN = 'dialplan/, in the context tollgate'

type GateAt = NonNullable<Config['gate']>

/** @param daemonRuns whether somebody has to answer there now */
export async function gateFindings(
  dialogue: Dialogue,
  gate: GateAt,
  daemonRuns: boolean,
): Promise<Finding[]> {
  return [await dialplanFinding(dialogue, gate), await answerFinding(dialogue, gate, daemonRuns)]
}

async function dialplanFinding(dialogue: Dialogue, { port }: GateAt): Promise<Finding> {
  const xml = await located(dialogue, 'dialplan', 'context', 'tollgate')
  if (xml === null) {
    return missing(CHECK, 'The dialplan has no context tollgate: nothing asks the gate', [
      'a shell',
      'cp freeswitch-conf/dialplan-gate.xml conf/dialplan/ && fs_cli -x reloadxml',
    ])
  }
  const sockets = attributesOf(xml, 'action')
    .filter(action => action.get('application') === 'socket')
    .map(action => action.get('data') ?? '')
  const lost = sockets.find(data => !data.split(' ')[0]!.endsWith(`:${port}`))
  const example = `<action application="socket" data="127.0.0.1:${port} full"/>`
  const cure = [DIALPLAN, example] as const
  if (sockets.length === 0) return missing(CHECK, 'The context tollgate asks nobody', cure)
  if (lost !== undefined) {
    return missing(CHECK, `The dialplan asks at ${lost.split(' ')[0]}, not at port ${port}`, cure)
  }
  const halfway = sockets.find(data => !data.split(' ').includes('full'))
  if (halfway !== undefined) {
    return missing(CHECK, `A socket of the dialplan is without the word full: ${halfway}`, cure)
  }
  return ok(CHECK, `The context tollgate asks at port ${port}`)
}

async function answerFinding(
  dialogue: Dialogue,
  { host, port }: GateAt,
  daemonRuns: boolean,
): Promise<Finding> {
  const { host: switchHost, timeoutMs } = dialogue.options
  const at = `${host}:${port}`
  if (isLoopback(host) && !isLoopback(switchHost)) {
    return missing(
      CHECK,
      `The gate is at ${at}, where the switch at ${switchHost} cannot reach it`,
      [
        SETTINGS,
        `listen = "…:${port}"   # under [gate]: an address of this machine that the switch reaches`,
      ],
    )
  }
  const heard = await greeting(reachable(host), port, timeoutMs)
  if (heard.type === 'said' && heard.text.startsWith('connect')) {
    return ok(CHECK, `The gate answers at ${at}`)
  }
  if (heard.type === 'unreachable') {
    const judge = daemonRuns ? missing : warning
    return judge(CHECK, `Nobody answers at ${at}: whoever asks there is refused`, [
      'a shell',
      'tollgate run',
    ])
  }
  return missing(CHECK, `What listens at ${at} is not the gate`, [SETTINGS, `listen = "${at}"`])
}

/** What listens everywhere is reached on this machine, too. */
export function reachable(host: string): string {
  return { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host
}

export async function leaseFinding(
  dialogue: Dialogue,
  leaseS: number | null,
  daemonRuns: boolean,
): Promise<Finding | null> {
  const check = 'lease'
  const { ok: isSet, text } = parseReply(await dialogue.api(`global_getvar ${LEASE}`))
  const nowS = expectOk(await dialogue.api('strepoch'))
  if (!/^\d+$/.test(nowS)) throw unexpected(nowS)
  const leftS = isSet ? Number(text) - Number(nowS) : 0
  if (leaseS === null) {
    if (!(leftS > 0)) return null
    const left = `${LEASE} is set for ${leftS} s, and Tollgate gives no lease`
    return warning(check, left, [SETTINGS, 'lease_s = 30   # under [gate]'])
  }
  if (leftS > 0) return ok(check, `${LEASE} has ${leftS} s left`)
  const state = isSet ? `has run out` : `has not been set`
  const judge = daemonRuns ? missing : warning
  return judge(check, `${LEASE} ${state}: a dialplan that goes by it refuses every call`, [
    'a shell',
    'tollgate run',
  ])
}
