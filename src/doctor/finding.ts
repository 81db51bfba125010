/** What an examination finds, one sentence each, and the line that puts it right. */

export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  /** `missing`: something does not work. `warning`: it works, and may not be meant so. */
  readonly state: 'ok' | 'warning' | 'missing'
  readonly text: string
  /** Where `line` belongs: a file of the switch's configuration, tollgate.toml, or fs_cli. */
  readonly file: string | null
  readonly line: string | null
}

/** What to add, and to which file. */
export type Cure = readonly [file: string, line: string]

export const MODULES_CONF = 'autoload_configs/modules.conf.xml'
export const EVENT_SOCKET_CONF = 'autoload_configs/event_socket.conf.xml'
export const SWITCH_CONF = 'autoload_configs/switch.conf.xml'
export const JSON_CDR_CONF = 'autoload_configs/json_cdr.conf.xml'
export const XML_CURL_CONF = 'autoload_configs/xml_curl.conf.xml'
export const ACL_CONF = 'autoload_configs/acl.conf.xml'
export const SETTINGS = 'tollgate.toml'

export const ok = (check: string, text: string) => finding(check, 'ok', text)

export const warning = (check: string, text: string, cure?: Cure) =>
  finding(check, 'warning', text, cure)

export const missing = (check: string, text: string, cure?: Cure) =>
  finding(check, 'missing', text, cure)

function finding(check: string, state: Finding['state'], text: string, cure?: Cure): Finding {
  const [file, line] = cure ?? [null, null]
  return { check, state, text, file, line }
}

/** A line of a FreeSWITCH configuration. */
export const param = (name: string, value: string) => `<param name="${name}" value="${value}"/>`
