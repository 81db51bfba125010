/**
 * What a running switch has: its Core-UUID, its clock, its legs, and the one place where events
 * are made. A restart renews it.
 */
import { addChannel } from './channel-headers.js'
import type { History } from './history.js'
import type { Leg } from './leg.js'
import type { SwitchClock } from './switch-clock.js'
import { HeaderBlock, HeaderLine, type HeaderPart, SwitchEvent } from './switch-event.js'
import { type Random, randomUuid, type Timeline } from './timeline.js'
import type { SizedSet, Values } from './variables.js'

/** Which line of FreeSWITCH 1.11.3 fires the event: part of every event. */
const CALLING_POINTS = {
  BACKGROUND_JOB: ['mod_event_socket.c', 'api_exec', 1580],
  CHANNEL_CREATE: ['switch_core_state_machine.c', 'switch_core_session_run', 626],
  CHANNEL_PROGRESS: ['switch_channel.c', 'switch_channel_perform_mark_ring_ready_value', 3507],
  CHANNEL_PROGRESS_MEDIA: ['switch_channel.c', 'switch_channel_perform_mark_pre_answered', 3562],
  CHANNEL_ANSWER: ['switch_channel.c', 'switch_channel_perform_mark_answered', 3848],
  CHANNEL_BRIDGE: ['switch_ivr_bridge.c', 'switch_ivr_multi_threaded_bridge', 1689],
  CHANNEL_UNBRIDGE: ['switch_ivr_bridge.c', 'switch_ivr_multi_threaded_bridge', 1879],
  CHANNEL_HANGUP: ['switch_channel.c', 'switch_channel_perform_hangup', 3447],
  CHANNEL_HANGUP_COMPLETE: [
    'switch_core_state_machine.c',
    'switch_core_session_reporting_state',
    943,
  ],
  CHANNEL_DESTROY: ['switch_core_session.c', 'switch_core_session_perform_destroy', 1588],
  CHANNEL_DATA: ['mod_commands.c', 'uuid_dump_function', 6495],
  CUSTOM: ['mod_event_socket.c', 'parse_command', 2283],
  HEARTBEAT: ['switch_core.c', 'send_heartbeat', 95],
  SHUTDOWN: ['switch_core.c', 'switch_core_destroy', 3033],
  ADD_SCHEDULE: ['switch_scheduler.c', 'switch_scheduler_add_task_ex', 266],
  DEL_SCHEDULE: ['switch_scheduler.c', 'task_thread_loop', 151],
  RE_SCHEDULE: ['switch_scheduler.c', 'switch_scheduler_execute', 73],
} as const satisfies Record<string, readonly [file: string, func: string, line: number]>

export type EventName = keyof typeof CALLING_POINTS

const CALLING_BLOCKS = new Map(
  Object.entries(CALLING_POINTS).map(([name, [file, func, line]]) => [
    name,
    HeaderBlock.of([
      ['Event-Calling-File', file],
      ['Event-Calling-Function', func],
      ['Event-Calling-Line-Number', String(line)],
    ]),
  ]),
)

const NAME_LINES = new Map(
  Object.keys(CALLING_POINTS).map(name => [name, new HeaderLine('Event-Name', name)]),
)

const HOST = HeaderBlock.of([
  ['FreeSWITCH-Hostname', 'vm'],
  ['FreeSWITCH-Switchname', 'vm'],
  ['FreeSWITCH-IPv4', '192.0.2.2'],
  ['FreeSWITCH-IPv6', 'fd00::2'],
])

/** Channel events between those that a client usually asks for: states, codecs, call states. */
const UNSEEN_EVENTS_MAX = 4

export interface CoreParts {
  readonly timeline: Timeline
  readonly random: Random
  readonly clock: SwitchClock
  readonly history: History
  readonly slim: boolean
  readonly deliver: (event: SwitchEvent) => void
}

export class Core {
  uuid = ''
  /** Microseconds since the epoch by the switch's clock. */
  startedAt = 0
  /** Counts the starts: what was begun in an earlier run is not carried on in this one. */
  run = 0
  /** False after a crash or a shutdown: nothing happens then that could be seen. */
  up = false
  /** When it last went down, in the same unit. */
  downSince = 0
  /** By their Unique-ID, oldest first; a leg is here until its DESTROY. */
  readonly legs = new Map<string, Leg>()
  readonly globals = new Map<string, string>()
  sessionsSinceStart = 0
  sessionsPeak = 0
  #uuidLine = new HeaderLine('Core-UUID', '')
  #sequence = 0

  constructor(readonly parts: CoreParts) {
    this.renew()
  }

  /** A start of the switch: a new Core-UUID, and everything but its legs from the beginning. */
  renew() {
    this.run++
    this.up = true
    this.uuid = this.newUuid()
    this.#uuidLine = new HeaderLine('Core-UUID', this.uuid)
    this.startedAt = this.now()
    this.#sequence = 0
    this.sessionsSinceStart = 0
    this.sessionsPeak = 0
    this.globals.clear()
    this.globals.set('core_uuid', this.uuid)
    this.globals.set('hostname', 'vm')
    this.globals.set('switchname', 'vm')
  }

  /** From here on nothing is delivered: a crash, or the end of a shutdown. */
  goDown() {
    this.up = false
    this.downSince = this.now()
  }

  now(): number {
    return this.parts.clock.stamp()
  }

  newUuid(): string {
    return randomUuid(this.parts.random)
  }

  newSessionId(): number {
    return ++this.sessionsSinceStart
  }

  admit(leg: Leg) {
    this.legs.set(leg.uuid, leg)
    this.sessionsPeak = Math.max(this.sessionsPeak, this.legs.size)
  }

  /** Applies a set of variables in the size that this switch was told to use. */
  apply(leg: Leg, set: SizedSet, values: Values = {}, dialString: Values = {}) {
    leg.variables.apply(this.parts.slim ? set.slim : set.full, values, dialString)
  }

  emitChannel(name: EventName, leg: Leg, specific: readonly HeaderLine[] = []) {
    this.#sequence += Math.floor(this.parts.random() * UNSEEN_EVENTS_MAX)
    this.#deliver(this.channelEvent(name, leg, specific))
  }

  /** The event without delivering it: what `uuid_dump` answers. */
  channelEvent(name: EventName, leg: Leg, specific: readonly HeaderLine[] = []): SwitchEvent {
    const parts = this.#common(name)
    parts.push(...specific)
    addChannel(parts, leg)
    parts.push(leg.variables.block())
    return new SwitchEvent(name, parts)
  }

  emit(name: EventName, specific: readonly HeaderLine[], body?: string) {
    this.#deliver(new SwitchEvent(name, [...this.#common(name), ...specific], body))
  }

  /** An event of `sendevent`: the sender's headers come first. */
  emitSent(headers: readonly HeaderLine[], body?: string) {
    this.#deliver(new SwitchEvent('CUSTOM', [...headers, ...this.#common('CUSTOM')], body))
  }

  #deliver(event: SwitchEvent) {
    if (this.up) this.parts.deliver(event)
  }

  #common(name: EventName): HeaderPart[] {
    const { clock } = this.parts
    const stamp = String(clock.stamp())
    this.#sequence++
    return [
      NAME_LINES.get(name)!,
      this.#uuidLine,
      HOST,
      clock.dateBlock(),
      new HeaderLine('Event-Date-Timestamp', stamp),
      CALLING_BLOCKS.get(name)!,
      new HeaderLine('Event-Sequence', String(this.#sequence)),
    ]
  }
}
