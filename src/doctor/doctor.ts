/** Examines one switch, as far as it can be reached, and changes nothing on it that lasts. */
import type { Config, SwitchConfig } from '../config.js'
import { SwitchError } from '../switch/switch.js'
import type { Dialogue } from './dialogue.js'
import { accessFinding } from './event-socket.js'
import { type Finding, missing, warning } from './finding.js'
import { gateFindings, leaseFinding } from './gate.js'
import { httpFindings } from './http.js'
import { commandsFinding, moduleFindings } from './modules.js'
import { reach } from './reach.js'
import {
  clockFinding,
  eventFinding,
  heartbeatFinding,
  loopbackFinding,
  timerFinding,
} from './workings.js'

export interface Examination {
  readonly freeswitch: SwitchConfig
  readonly config: Config
  /** Whether a daemon runs with this configuration: then its gate has to answer. */
  readonly daemonRuns: boolean
}

type Check = (dialogue: Dialogue) => Promise<Finding | null | readonly Finding[]>

/** Never rejects for what the switch does, or does not do. */
export async function examine(examination: Examination): Promise<Finding[]> {
  const { host, port, password, commandTimeoutS } = examination.freeswitch
  const timeoutMs = commandTimeoutS * 1000
  const { dialogue, finding } = await reach({ host, port, password, timeoutMs })
  if (!dialogue) return [finding]
  try {
    const commands = await commandsFinding(dialogue)
    if (commands.state === 'missing') return [finding, commands]
    return [finding, commands, ...(await checked(dialogue, checksOf(examination)))]
  } catch (error) {
    return [finding, trouble('the rest', error)]
  } finally {
    dialogue.close()
  }
}

function checksOf({ freeswitch, config, daemonRuns }: Examination): [string, Check][] {
  const { gate, leaseS, freeswitchHttp: http, loopbackPays } = config
  return [
    ['modules', dialogue => moduleFindings(dialogue, config)],
    ['who may connect', accessFinding],
    ['events', eventFinding],
    ['timers', timerFinding],
    ['clock', clockFinding],
    ['heartbeat', dialogue => heartbeatFinding(dialogue, freeswitch.heartbeatS)],
    ['loopback', dialogue => loopbackFinding(dialogue, loopbackPays)],
    ['gate', async dialogue => gate && gateFindings(dialogue, gate, daemonRuns)],
    ['lease', dialogue => leaseFinding(dialogue, leaseS, daemonRuns)],
    ['freeswitch_http', async dialogue => http && httpFindings(dialogue, http, daemonRuns)],
  ]
}

/** One question that is not answered does not keep the others from being asked. */
async function checked(dialogue: Dialogue, checks: readonly [string, Check][]): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [name, check] of checks) {
    try {
      const found = await check(dialogue)
      findings.push(...(found === null ? [] : [found].flat()))
    } catch (error) {
      findings.push(trouble(name, error))
      if (error instanceof SwitchError && error.code === 'not_connected') break
    }
  }
  return findings
}

/** What cannot be found out is not well. */
function trouble(check: string, error: unknown): Finding {
  if (!(error instanceof SwitchError)) throw error
  const lost = error.code === 'not_connected'
  if (lost) return missing(check, `The connection was lost: ${error.message}`)
  return warning(check, `It could not be found out: ${error.message}`)
}
