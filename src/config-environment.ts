/** What the environment sets of a configuration: it wins over the file. */
import { ConfigError } from './config-sentences.js'
import { webFromEnvironment } from './config-web.js'

export type Table = Record<string, unknown>

/** Variables that set one thing of a single switch, and what they set. */
const SWITCH_VARIABLES = {
  TOLLGATE_SWITCH_NAME: 'name',
  TOLLGATE_SWITCH_HOST: 'host',
  TOLLGATE_SWITCH_PORT: 'port',
  TOLLGATE_SWITCH_PASSWORD: 'password',
} as const

/** Variables that set one thing of a section, as `section.setting`. */
const SECTION_VARIABLES = {
  TOLLGATE_GATE_LISTEN: 'gate.listen',
  TOLLGATE_HTTP_LISTEN: 'freeswitch_http.listen',
  TOLLGATE_HTTP_SECRET: 'freeswitch_http.secret',
} as const

/**
 * A variable that is empty sets nothing.
 * @param source the name of the file, for the sentence
 * @throws ConfigError
 */
export function withEnvironment(table: Table, env: NodeJS.ProcessEnv, source: string): Table {
  const merged = { ...table }
  if (env['TOLLGATE_LOG_LEVEL']) merged['log_level'] = env['TOLLGATE_LOG_LEVEL']
  for (const [variable, setting] of Object.entries(SECTION_VARIABLES)) {
    const [section = '', field = ''] = setting.split('.')
    const rest = merged[section] ?? {}
    // What is no section is told by whoever checks the table.
    if (!env[variable] || typeof rest !== 'object') continue
    merged[section] = { ...rest, [field]: env[variable] }
  }
  Object.assign(merged, webFromEnvironment(merged['web'], env))
  return withSwitch(merged, env, source)
}

function withSwitch(table: Table, env: NodeJS.ProcessEnv, source: string): Table {
  const single: Table = {}
  for (const [variable, field] of Object.entries(SWITCH_VARIABLES)) {
    const value = env[variable]
    if (value) single[field] = field === 'port' ? Number(value) : value
  }
  const [set] = Object.keys(SWITCH_VARIABLES).filter(variable => env[variable])
  if (set === undefined) return table
  const listed = table['switch'] ?? [{}]
  if (!Array.isArray(listed)) return table
  if (listed.length > 1) {
    throw new ConfigError(`${set} sets a single switch, but ${source} has ${listed.length}`)
  }
  return { ...table, switch: [{ ...listed[0], ...single }] }
}
