/** Which modules Tollgate cannot do without, by what it is told to do. */
import type { Config } from '../config.js'
import { expectOk, parseReply } from '../switch/encode.js'
import type { Dialogue } from './dialogue.js'
import { type Finding, MODULES_CONF, missing, ok, warning } from './finding.js'

/** Whether the commands are there that all other questions are asked with. */
export async function commandsFinding(dialogue: Dialogue): Promise<Finding> {
  const { ok: known } = parseReply(await dialogue.api('module_exists mod_commands'))
  const name = 'mod_commands'
  if (known) return ok(name, `${name} is loaded`)
  return missing(name, `${name} is not loaded: the switch knows no command, uuid_kill neither`, [
    MODULES_CONF,
    loadLine(name),
  ])
}

export async function moduleFindings(dialogue: Dialogue, config: Wishes): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [name, use, isNeeded] of wanted(config)) {
    const answer = expectOk(await dialogue.api(`module_exists ${name}`))
    const judge = isNeeded ? missing : warning
    findings.push(
      answer === 'true'
        ? ok(name, `${name} is loaded`)
        : judge(name, `${name} is not loaded: ${use}`, [MODULES_CONF, loadLine(name)]),
    )
  }
  return findings
}

type Wishes = Pick<Config, 'gate' | 'freeswitchHttp' | 'announcements'>
type Wanted = readonly [name: string, use: string, isNeeded: boolean]

function wanted({ gate, freeswitchHttp, announcements: { warnSound } }: Wishes): Wanted[] {
  const modules: Wanted[] = [
    ['mod_event_socket', 'nobody can connect once it is unloaded', true],
    ['mod_sofia', 'there is no SIP', true],
    ['mod_dptools', 'dialplans have no set, no export and no bridge', true],
    ['mod_loopback', 'a dial string with loopback/ fails', false],
  ]
  if (gate) modules.push(['mod_dialplan_xml', 'no dialplan asks the gate', true])
  if (freeswitchHttp) {
    modules.push(['mod_xml_curl', 'it asks nobody for SIP accounts', true])
    modules.push(['mod_json_cdr', 'it posts no records of calls', true])
  }
  if (warnSound?.startsWith('tone_stream://')) {
    modules.push(['mod_tone_stream', 'rules.warn_sound is not heard', true])
  }
  // The engine of a language: `say:en number pronounced 30`.
  const language = /^say:([\w-]+)/.exec(warnSound ?? '')?.[1]
  if (language) modules.push([`mod_say_${language}`, 'rules.warn_sound is not heard', true])
  return modules
}

const loadLine = (name: string) => `<load module="${name}"/>`
