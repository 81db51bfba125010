/** Who can rule the switch over its event socket. */
import { isLoopback } from '../address.js'
import { VANILLA_PASSWORD } from '../config.js'
import type { Dialogue } from './dialogue.js'
import { EVENT_SOCKET_CONF, type Finding, missing, ok, param, warning } from './finding.js'
import { configurationOf, valuesOf } from './located-xml.js'

const CHECK = 'who may connect'

/** What mod_event_socket.c takes where its configuration says nothing. */
const LISTEN_IP = '127.0.0.1'
const ACL = 'loopback.auto'

/** Lists of FreeSWITCH's own that let everybody in. */
const EVERYBODY = /^any_v[46]\.auto$/

export async function accessFinding(dialogue: Dialogue): Promise<Finding> {
  const xml = await configurationOf(dialogue, 'event_socket.conf')
  if (xml === null) {
    return warning(CHECK, 'The switch does not tell its event_socket.conf')
  }
  const host = valuesOf(xml, 'listen-ip').at(-1) || LISTEN_IP
  const lists = valuesOf(xml, 'apply-inbound-acl').filter(list => list !== '')
  const acl = lists.length === 0 ? ACL : lists.join(' and ')
  const isOpen = !isLoopback(host)
  const where = isOpen ? `It listens at ${host}, beyond loopback,` : `It listens at ${host} alone,`
  const isVanilla = dialogue.options.password === VANILLA_PASSWORD
  if (isVanilla) {
    const judge = isOpen ? missing : warning
    return judge(CHECK, `${where} with FreeSWITCH's own password, which everybody knows`, [
      EVENT_SOCKET_CONF,
      `${param('password', 'one of your own')}   <!-- and in tollgate.toml -->`,
    ])
  }
  if (isOpen && lists.length > 0 && lists.every(list => EVERYBODY.test(list))) {
    return warning(CHECK, `${where} and lets everybody try passwords (${acl})`, [
      EVENT_SOCKET_CONF,
      param('apply-inbound-acl', 'a list of your own'),
    ])
  }
  return ok(CHECK, `${where} for those in the list ${acl}`)
}
