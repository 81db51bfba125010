/**
 * The API commands, each with the very replies of FreeSWITCH's mod_commands: some end with a line
 * feed, some do not.
 */
import type { CallTeardown } from './call-teardown.js'
import { parseCause } from './causes.js'
import type { Configuration } from './configuration.js'
import type { Core } from './core.js'
import { SESSIONS_MAX, SESSIONS_PER_S_MAX, uptimeText } from './heartbeat.js'
import type { EndedBy } from './history.js'
import type { Leg } from './leg.js'
import { channelRow, listing, taskRow } from './listings.js'
import type { Scheduler } from './scheduler.js'

const OK = '+OK\n'
const NO_CHANNEL = '-ERR No such channel!\n'
const SHOW_SYNTAX =
  'codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status'

const UPTIME_US: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 }

/** Tasks that were there before the database was; `show tasks` does not know them. */
const UNLISTED_TASKS = 2

/** The tasks with the lowest ids are FreeSWITCH's own. */
const BOOT_TASKS = 3

type Command = (argument: string, by: EndedBy) => string

export class Api {
  readonly #commands: ReadonlyMap<string, Command>
  /** Destroyed legs that a listing may still show. */
  #late: { leg: Leg; at: number }[] = []

  constructor(
    readonly core: Core,
    readonly scheduler: Scheduler,
    readonly teardown: CallTeardown,
    readonly listingLagMs: number,
    readonly configuration: Configuration,
  ) {
    this.#commands = new Map(Object.entries(this.#table()))
  }

  /** `by` says who is to blame when a command ends a leg: a client, or a timer. */
  run(commandLine: string, by: EndedBy = 'api'): string {
    const [name, argument] = split(commandLine.trim(), 2)
    const isThere = this.configuration.modules.has('mod_commands')
    const command = isThere ? this.#commands.get(name!) : undefined
    if (!command) return `-ERR ${name} Command not found!\n`
    return command((argument ?? '').trim(), by) || '-ERR no reply\n'
  }

  /** `sched_hangup`, also as an application of the dialplan. */
  scheduleHangup(leg: Leg, runtimeS: number, cause: string) {
    this.scheduler.add(runtimeS, 'switch_ivr_schedule_hangup', leg.uuid, () => {
      this.teardown.end(leg, parseCause(cause), 'timer')
    })
  }

  noteDestroyed(leg: Leg) {
    if (this.listingLagMs > 0) this.#late.push({ leg, at: this.core.now() })
  }

  #table(): Record<string, Command> {
    const { core } = this
    return {
      create_uuid: () => core.newUuid(),
      fsctl: argument => fsctl(argument),
      global_getvar: name => core.globals.get(name) ?? '',
      global_setvar: argument => this.#setGlobal(argument),
      hupall: (argument, by) => this.#hangUpAll(argument, by),
      module_exists: name => this.#hasModule(name),
      sched_api: argument => this.#schedule(argument),
      sched_del: target => this.#unschedule(target),
      sched_hangup: (argument, by) => this.#scheduleHangup(argument, by),
      show: argument => this.#show(argument),
      status: () => this.#status(),
      strepoch: () => String(core.parts.clock.epochS()),
      strmicroepoch: () => String(core.now()),
      uptime: unit => this.#uptime(unit || 's'),
      uuid_broadcast: argument => this.#broadcast(argument),
      uuid_displace: argument => this.#displace(argument),
      uuid_dump: argument => this.#dump(argument),
      uuid_exists: uuid => String(core.legs.has(uuid)),
      uuid_getvar: argument => this.#getVariable(argument),
      uuid_kill: (argument, by) => this.#kill(argument, by),
      uuid_setvar: argument => this.#setVariable(argument),
      uuid_setvar_multi: argument => this.#setVariables(argument),
      uuid_transfer: argument => this.#transfer(argument),
      version: () => 'FreeSWITCH Version 1.11.3-dev~64bit ( 64bit)\n',
      xml_locate: argument => this.configuration.locate(argument),
    }
  }

  #kill(argument: string, by: EndedBy): string {
    const [uuid, cause] = split(argument, 2)
    if (!uuid) return '-USAGE: <uuid> [cause]\n'
    const leg = this.core.legs.get(uuid)
    if (!leg) return NO_CHANNEL
    this.teardown.end(leg, parseCause(cause ?? ''), by)
    return OK
  }

  #hangUpAll(argument: string, by: EndedBy): string {
    const [causeText, ...pairs] = split(argument, 11)
    const cause = causeText ? parseCause(causeText) : 'MANAGER_REQUEST'
    const wanted: [string, string][] = []
    for (let i = 0; i + 1 < pairs.length; i += 2) wanted.push([pairs[i]!, pairs[i + 1]!])
    for (const leg of [...this.core.legs.values()]) {
      const matches = wanted.every(([name, value]) => leg.variables.get(name) === value)
      if (matches) this.teardown.end(leg, cause, by)
    }
    if (wanted.length === 0) return `+OK hangup all channels with cause ${cause}\n`
    const more = wanted.length > 1 ? '...' : ''
    const [name, value] = wanted[0]!
    return `+OK hangup all channels matching [${name}]=[${value}]${more} with cause: ${cause}\n`
  }

  #schedule(argument: string): string {
    const [time, group, command] = split(argument, 3)
    if (!time || !group || !command) {
      return '-ERR Invalid syntax. USAGE: [+@]<time> <group_name> <command_string>[&]\n'
    }
    const line = command.endsWith('&') ? command.slice(0, -1) : command
    const periodS = time.startsWith('@') ? integer(time.slice(1)) : 0
    const run = () => void this.run(line, 'timer')
    const runtimeS = this.#runtimeS(time)
    const id = this.scheduler.add(runtimeS, 'sched_api_function', group, run, periodS)
    return `+OK Added: ${id}\n`
  }

  /** `+5` or `@5`: from now; anything else is seconds since the epoch. */
  #runtimeS(time: string): number {
    if (!/^[+@]/.test(time)) return integer(time)
    return this.core.parts.clock.epochS() + integer(time.slice(1))
  }

  #unschedule(target: string): string {
    if (!target) return '-ERR Invalid syntax\n'
    const isId = /^\d+$/.test(target)
    const { scheduler } = this
    const count = isId ? scheduler.deleteId(integer(target)) : scheduler.deleteGroup(target)
    return `+OK Deleted: ${count}\n`
  }

  #scheduleHangup(argument: string, by: EndedBy): string {
    const [time, uuid, cause] = split(argument, 4)
    if (!time) return '-USAGE: [+]<time> <uuid> [<cause>]\n'
    const leg = this.core.legs.get(uuid ?? '')
    if (!leg) return NO_CHANNEL
    const causeName = cause ? parseCause(cause) : 'ALLOTTED_TIMEOUT'
    if (integer(time.slice(1)) === 0) this.teardown.end(leg, causeName, by)
    else this.scheduleHangup(leg, this.#runtimeS(time), causeName)
    return OK
  }

  #show(argument: string): string {
    const [what, options] = split(argument, 2)
    const seenBefore = this.core.now() - this.listingLagMs * 1000
    switch (what) {
      case 'channels': {
        this.#late = this.#late.filter(({ at }) => at > seenBefore)
        const legs = [...this.#late.map(({ leg }) => leg), ...this.core.legs.values()]
        const seen = legs.filter(leg => leg.times.created <= seenBefore)
        return listing(seen.map(channelRow), options ?? '')
      }
      case 'tasks': {
        const tasks = this.scheduler.list().filter(task => task.id > UNLISTED_TASKS)
        const seen = tasks.filter(task => task.addedAt <= seenBefore || task.id <= BOOT_TASKS)
        return listing(seen.map(taskRow), options ?? '')
      }
      default:
        return `-USAGE: ${SHOW_SYNTAX}\n`
    }
  }

  #status(): string {
    const { core } = this
    const { legs, sessionsPeak: peak } = core
    return [
      `UP ${uptimeText(core.now() - core.startedAt)}`,
      'FreeSWITCH (Version 1.11.3-dev  64bit) is ready',
      `${core.sessionsSinceStart} session(s) since startup`,
      `${legs.size} session(s) - peak ${peak}, last 5min ${peak} `,
      `0 session(s) per Sec out of max ${SESSIONS_PER_S_MAX}, peak ${peak}, last 5min ${peak} `,
      `${SESSIONS_MAX} session(s) max`,
      'min idle cpu 0.00/91.40',
      'Current Stack Size/Max 240K/240K\n',
    ].join('\n')
  }

  #uptime(unit: string): string {
    const size = UPTIME_US[unit]
    if (!size) {
      return '-USAGE: [us|ms|s|m|h|d|microseconds|milliseconds|seconds|minutes|hours|days]\n'
    }
    return `${Math.floor((this.core.now() - this.core.startedAt) / size)}\n`
  }

  #broadcast(argument: string): string {
    const [uuid, path] = split(argument, 4)
    if (!uuid || !path) return '-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n'
    return this.core.legs.has(uuid) ? '+OK Message sent\n' : '-ERR invalid uuid\n'
  }

  #displace(argument: string): string {
    const [uuid, action, path] = split(argument, 5)
    if (!uuid || !path || !/^(start|stop)$/i.test(action ?? '')) {
      return '-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n'
    }
    return this.core.legs.has(uuid) ? '+OK Success\n' : '-ERR Cannot locate session!\n'
  }

  #dump(argument: string): string {
    const [uuid, format] = split(argument, 2)
    if (!uuid) return '-USAGE: <uuid> [format]\n'
    const leg = this.core.legs.get(uuid)
    if (!leg) return NO_CHANNEL
    const event = this.core.channelEvent('CHANNEL_DATA', leg)
    return format?.toLowerCase() === 'json' ? event.json() : event.plain()
  }

  #getVariable(argument: string): string {
    const [uuid, name] = split(argument, 4)
    if (!uuid || !name) return '-USAGE: <uuid> <var>\n'
    const leg = this.core.legs.get(uuid)
    return leg ? (leg.variables.get(name) ?? '_undef_') : NO_CHANNEL
  }

  #setVariable(argument: string): string {
    const [uuid, name, value] = split(argument, 3)
    if (!uuid || !name) return '-USAGE: <uuid> <var> [value]\n'
    const leg = this.core.legs.get(uuid)
    if (!leg) return NO_CHANNEL
    leg.variables.set(name, value ?? '')
    return OK
  }

  #setVariables(argument: string): string {
    const [uuid, list] = split(argument, 2)
    const usage = '-USAGE: <uuid> <var>=<value>;<var>=<value>...\n'
    if (!uuid) return usage
    if (!list) return ''
    const leg = this.core.legs.get(uuid)
    // FreeSWITCH says both.
    if (!leg) return NO_CHANNEL + usage
    for (const pair of list.split(';')) {
      const [name, value] = split(pair, 2, '=')
      if (name) leg.variables.set(name, value ?? '')
    }
    return OK
  }

  #hasModule(name: string): string {
    return name === '' ? '' : String(this.configuration.modules.has(name))
  }

  #setGlobal(argument: string): string {
    const [name, value] = split(argument, 3, '=')
    if (!name) return '-USAGE: <var>=<value> [=<value2>]\n'
    if (value) this.core.globals.set(name, value)
    else this.core.globals.delete(name)
    return '+OK'
  }

  /** The leg leaves its bridge for an extension that plays to it; its partner ends. */
  #transfer(argument: string): string {
    const words = split(argument, 5)
    const [uuid, destination] = words
    if (!uuid || !destination) {
      return '-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n'
    }
    const leg = this.core.legs.get(uuid)
    if (!leg) return NO_CHANNEL
    const target = destination.startsWith('-') ? words[2] : destination
    leg.profile = { ...leg.profile, destination: target ?? '' }
    leg.application = 'playback'
    this.teardown.separate(leg)
    return OK
  }
}

function fsctl(argument: string): string {
  if (argument === 'max_sessions') return `+OK max sessions: ${SESSIONS_MAX}\n`
  if (argument === 'sps') return `+OK sessions per second: ${SESSIONS_PER_S_MAX}\n`
  return '-ERR command not found\n'
}

/** As switch_separate_string: at most so many words, and the last has all the rest. */
function split(text: string, wordsMax: number, separator = ' '): string[] {
  const words: string[] = []
  let rest = text
  while (words.length < wordsMax - 1) {
    const at = rest.indexOf(separator)
    if (at < 0) break
    words.push(rest.slice(0, at))
    rest = rest.slice(at + 1)
  }
  return [...words, rest]
}

/** As atol: what is no number is 0. */
const integer = (text: string) => Number.parseInt(text, 10) || 0
