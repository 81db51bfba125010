/**
 * From a file and the environment to a checked Config. Every default is stated here, and nowhere
 * else; the names are those of `tollgate.toml`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { z } from 'zod'
import { type Address, addressOf, isLoopback } from './address.js'
import { EXTENSION, isSound } from './announcements.js'
import type { Settings } from './call/settings.js'
import { type Table, withEnvironment } from './config-environment.js'
import { ConfigError, hint, type KnownNames, sentences } from './config-sentences.js'
import {
  isEncrypted,
  listen,
  WEB_IN_CLEAR,
  type WebConfig,
  webConfig,
  webSchema,
} from './config-web.js'
import { HANGUP_CAUSES } from './hangup-causes.js'

/** Who knows it gets what phones log in with: it is for two programs, and nobody has to remember it. */
const SECRET_CHARS_MIN = 16

/** FreeSWITCH's own password, as its vanilla event_socket.conf.xml ships it. */
export const VANILLA_PASSWORD = 'ClueCon'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

export interface SwitchConfig {
  /** The operator's name for it, as it stands in CDRs. */
  readonly name: string
  readonly host: string
  readonly port: number
  readonly password: string
  /** How often the switch sends HEARTBEAT (its `event-heartbeat-interval`). */
  readonly heartbeatS: number
  readonly commandTimeoutS: number
}

export interface Config {
  readonly switches: readonly SwitchConfig[]
  /** The part that the rules of a call need. */
  readonly rules: Settings
  /** What becomes of a live leg with an account that we did not know: adopted, or ended. */
  readonly adopt: boolean
  /** Whether the halves of a loopback pair pay, as well as the real leg behind them. */
  readonly loopbackPays: boolean
  /** Hangup causes for the legs that we end, by why. */
  readonly causes: { readonly refused: string; readonly cut_off: string; readonly killed: string }
  /** How much later than funded-until the switch's own timer is set. */
  readonly timerMarginS: number
  /** How often the switch is asked what is alive. */
  readonly sweepS: number
  /** What callers get to hear: see controller/announcer.ts. */
  readonly announcements: {
    readonly warnSound: string | null
    readonly refusedTo: string | null
    readonly cutOffTo: string | null
  }
  /** Where dialplans ask before they dial, and how long they may take then; null for nowhere. */
  readonly gate: (Address & { readonly appearS: number }) | null
  /** How long a switch may let calls through without word from us; null for no lease. */
  readonly leaseS: number | null
  /** Where the portal and the API are served; null for nowhere. */
  readonly web: (Address & WebConfig) | null
  /** Where FreeSWITCH itself asks us over HTTP, and the secret it shows; null for nowhere. */
  readonly freeswitchHttp: (Address & { readonly secret: string }) | null
  /** What SIP accounts are to FreeSWITCH: see directory-xml.ts. */
  readonly directory: {
    readonly context: string
    readonly dialString: string
    readonly cacheS: number
  }
  /** What becomes of calls that nobody saw, and how long their events may be late: see cdr-repair/. */
  readonly cdrRepair: { readonly unseen: 'list' | 'charge'; readonly graceS: number }
  readonly logLevel: (typeof LOG_LEVELS)[number]
  /** Sentences for the log: what is allowed, but not wise. */
  readonly warnings: readonly string[]
}

const whole = (min: number, max: number) =>
  z.custom<number>(
    value => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    `must be a whole number from ${min} to ${max}`,
  )
const yesOrNo = z.boolean('must be true or false')
const text = (max: number) =>
  z.custom<string>(
    value => typeof value === 'string' && value.length <= max && !/\p{Cc}/u.test(value),
    `must be text of at most ${max} characters, in one line`,
  )
const filled = (max: number) => text(max).refine(value => value !== '', 'must not be empty')
const oneOf = <const T extends readonly string[]>(words: T) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` })

/** Why not any text: FreeSWITCH takes an unknown cause for NORMAL_CLEARING and says nothing. */
const cause = z.custom<string>(value => HANGUP_CAUSES.includes(value as string), {
  error: issue => `must be a hangup cause of FreeSWITCH${hint(issue.input, HANGUP_CAUSES)}`,
})

/** Empty, or what uuid_transfer takes: an extension, and perhaps its dialplan and its context. */
const extension = z.custom<string>(
  value => value === '' || (typeof value === 'string' && EXTENSION.test(value)),
  'must be an extension, as in "announcement XML default"',
)

const sound = text(1_000).refine(
  value => value === '' || isSound(value),
  'must be a file, a tone_stream://, or like "say:en number pronounced {seconds}"',
)

const switchSchema = z.strictObject({
  name: z
    .custom<string>(
      value => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(String(value)),
      'must be letters, digits, dots, dashes and underscores, at most 64',
    )
    .default('freeswitch'),
  host: filled(255).default('127.0.0.1'),
  port: whole(1, 65_535).default(8021),
  password: filled(255).default(VANILLA_PASSWORD),
  heartbeat_s: whole(1, 600).default(20),
  command_timeout_s: whole(1, 60).default(5),
})

const rulesSchema = z.strictObject({
  chunk_s: whole(2, 86_400).default(60),
  lead_s: whole(1, 3_600).default(10),
  retry_s: whole(1, 3_600).default(1),
  partial_chunk: yesOrNo.default(true),
  rounding: oneOf(['up', 'nearest', 'down']).default('up'),
  // Five days and a billing step of one at the highest price are just within MONEY_MAX.
  longest_call_s: whole(60, 432_000).default(86_400),
  hangup_grace_s: whole(1, 600).default(5),
  adopt: yesOrNo.default(true),
  loopback_pays: yesOrNo.default(false),
  refuse_cause: cause.default('CALL_REJECTED'),
  cut_off_cause: cause.default('ALLOTTED_TIMEOUT'),
  kill_cause: cause.default('NORMAL_CLEARING'),
  // The switch's timer fires up to a second early (switch_scheduler.c:191), hence at least 1.
  timer_margin_s: whole(1, 60).default(2),
  sweep_s: whole(1, 3_600).default(30),
  warn_s: whole(0, 600).default(10),
  warn_sound: sound.default(''),
  refused_to: extension.default(''),
  cut_off_to: extension.default(''),
})

const gateSchema = z.strictObject({
  listen: listen.default(''),
  appear_s: whole(5, 3_600).default(60),
  lease_s: whole(0, 3_600)
    .refine(leaseS => leaseS === 0 || leaseS >= 3, 'must be 0, for none, or at least 3')
    .default(0),
})

const httpSchema = z.strictObject({
  listen: listen.default(''),
  secret: z
    .custom<string>(
      value => typeof value === 'string' && /^[\x21-\x7e]{0,255}$/.test(value),
      'must be letters, digits and signs of ASCII without blanks, at most 255',
    )
    .default(''),
})

const directorySchema = z.strictObject({
  context: filled(80).default('default'),
  dial_string: filled(1_000).default(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: FreeSWITCH expands it
    '{^^:sip_invite_domain=${dialed_domain}:presence_id=${dialed_user}@${dialed_domain}}${sofia_contact(*/${dialed_user}@${dialed_domain})}',
  ),
  // FreeSWITCH counts its microseconds in 32 bits (switch_xml.c:2217): no more than 2147 s.
  cache_s: whole(0, 2_000).default(0),
})

const repairSchema = z.strictObject({
  unseen: oneOf(['list', 'charge']).default('list'),
  grace_s: whole(10, 86_400).default(60),
})

const fileSchema = z.strictObject({
  log_level: oneOf(LOG_LEVELS).default('info'),
  // A switch or a section that is left out has all its defaults.
  switch: z.array(switchSchema, 'must be written as [[switch]]').min(1).prefault([{}]),
  rules: rulesSchema.prefault({}),
  gate: gateSchema.prefault({}),
  web: webSchema.prefault({}),
  freeswitch_http: httpSchema.prefault({}),
  sip_accounts: directorySchema.prefault({}),
  cdr_repair: repairSchema.prefault({}),
})

const SECTIONS = {
  ...{ rules: rulesSchema, gate: gateSchema, web: webSchema },
  ...{ freeswitch_http: httpSchema, sip_accounts: directorySchema },
  cdr_repair: repairSchema,
}

type Settled = z.output<typeof fileSchema>

/**
 * Reads `file`, or else what TOLLGATE_CONFIG names, or else `tollgate.toml` in the data directory
 * if there is one; then the environment, which wins.
 * @throws ConfigError with a sentence for everything that is wrong
 */
export function loadConfig(
  dataDir: string,
  env: NodeJS.ProcessEnv = {},
  file: string | undefined = env['TOLLGATE_CONFIG'],
): Config {
  const usual = join(dataDir, 'tollgate.toml')
  const source = file || (existsSync(usual) ? usual : undefined)
  return checkConfig(source === undefined ? {} : readTable(source), env, source ?? usual)
}

/**
 * Checks a configuration that has been read already.
 * @param source the name of the file, for the sentences
 */
export function checkConfig(table: Table, env: NodeJS.ProcessEnv, source: string): Config {
  const merged = withEnvironment(table, env, source)
  const parsed = fileSchema.safeParse(merged)
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.flatMap(issue => sentences(issue, source, KNOWN)).join('\n'),
    )
  }
  const problems = contradictions(parsed.data)
  if (problems.length > 0) throw new ConfigError(problems.map(p => `${source}: ${p}`).join('\n'))
  return toConfig(parsed.data)
}

function readTable(file: string): Table {
  let content: string
  try {
    content = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    return parse(content)
  } catch (error) {
    const { line, message } = error as Error & { line?: number }
    const what = message.split('\n')[0]?.replace('Invalid TOML document: ', '')
    throw new ConfigError(`${file}: line ${line ?? '?'} is not TOML: ${what}`)
  }
}

function contradictions({ switch: switches, rules, freeswitch_http: http }: Settled): string[] {
  const problems: string[] = []
  if (rules.lead_s >= rules.chunk_s) problems.push('rules.lead_s must be less than rules.chunk_s')
  if (rules.retry_s > rules.lead_s) problems.push('rules.retry_s must be at most rules.lead_s')
  if (rules.longest_call_s < rules.chunk_s) {
    problems.push('rules.longest_call_s must be at least rules.chunk_s')
  }
  if (http.listen !== '' && http.secret.length < SECRET_CHARS_MIN) {
    problems.push(`freeswitch_http.secret must have at least ${SECRET_CHARS_MIN} characters`)
  }
  const names = switches.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) problems.push(`two switches are called ${twice}; give each its own name`)
  return problems
}

function toConfig(settled: Settled): Config {
  const { switch: switches, rules, log_level, freeswitch_http: http } = settled
  const { sip_accounts: directory } = settled
  return {
    switches: switches.map(({ heartbeat_s, command_timeout_s, ...rest }) => ({
      ...rest,
      heartbeatS: heartbeat_s,
      commandTimeoutS: command_timeout_s,
    })),
    rules: {
      chunkS: rules.chunk_s,
      leadS: rules.lead_s,
      // Nobody is warned without a sound, so nothing has to be known that early.
      warnS: rules.warn_sound === '' ? 0 : rules.warn_s,
      retryS: rules.retry_s,
      partialChunk: rules.partial_chunk,
      rounding: rules.rounding,
      longestCallS: rules.longest_call_s,
      hangupGraceS: rules.hangup_grace_s,
    },
    adopt: rules.adopt,
    loopbackPays: rules.loopback_pays,
    causes: {
      refused: rules.refuse_cause,
      cut_off: rules.cut_off_cause,
      killed: rules.kill_cause,
    },
    timerMarginS: rules.timer_margin_s,
    sweepS: rules.sweep_s,
    announcements: {
      warnSound: rules.warn_sound || null,
      refusedTo: rules.refused_to || null,
      cutOffTo: rules.cut_off_to || null,
    },
    gate: servedAt(settled.gate.listen, { appearS: settled.gate.appear_s }),
    leaseS: settled.gate.lease_s || null,
    web: servedAt(settled.web.listen, webConfig(settled.web)),
    freeswitchHttp: servedAt(http.listen, { secret: http.secret }),
    directory: {
      context: directory.context,
      dialString: directory.dial_string,
      cacheS: directory.cache_s,
    },
    cdrRepair: { unseen: settled.cdr_repair.unseen, graceS: settled.cdr_repair.grace_s },
    logLevel: log_level,
    warnings: warnings(settled),
  }
}

/** What is served at an address; null for nowhere. */
function servedAt<T>(listen: string, what: T): (Address & T) | null {
  const address = addressOf(listen)
  return address && { ...address, ...what }
}

function warnings({ switch: switches, freeswitch_http: http, gate, web }: Settled): string[] {
  return [
    ...switches
      .filter(({ password }) => password === VANILLA_PASSWORD)
      .map(({ name }) => `${name} has FreeSWITCH's own password, which everybody knows`),
    ...ifOpen(
      http.listen,
      host =>
        `freeswitch_http.listen: who reads the network between FreeSWITCH and ${host} reads the hashes of passwords`,
    ),
    ...(isEncrypted(web) ? [] : ifOpen(web.listen, WEB_IN_CLEAR)),
    ...ifOpen(
      gate.listen,
      host => `gate.listen: whoever reaches ${host} can have credit held on any account`,
    ),
  ]
}

/** The sentence, where others than this machine can reach it. */
function ifOpen(listen: string, sentence: (host: string) => string): string[] {
  const address = addressOf(listen)
  return address && !isLoopback(address.host) ? [sentence(address.host)] : []
}

const KNOWN: KnownNames = {
  isSection: name => name in SECTIONS,
  at(path) {
    const section = SECTIONS[path[0] as keyof typeof SECTIONS]
    if (section) return Object.keys(section.shape)
    return Object.keys(path[0] === 'switch' ? switchSchema.shape : fileSchema.shape)
  },
}
