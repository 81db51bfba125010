/**
 * Three connections that stand and fall together: one for events, one for commands, and one for lists.
 * The switch delivers no events on a connection while it carries out a command there, and carries
 * out no other command: to list 100,000 channels takes it seconds, in which calls have to be ended.
 *
 *   all logged in ──▶ subscribed ──▶ up ──▶ closed (once, for whatever reason comes first)
 *
 * It is never deaf: silence on the first, or no answers on the others, closes it.
 */

import type { Heartbeat, LegEvent } from '../call/leg-event.js'
import { Connection } from './connection.js'
import { decode } from './decode.js'
import { eventCommand, expectOk, parseRun, RUN_COMMAND } from './encode.js'
import type { Frame } from './frames.js'
import { SwitchError } from './switch.js'

/** What the rules need, and nothing else: an event is 4–8 kB, and there are a dozen more a call. */
export const EVENT_NAMES = [
  'CHANNEL_CREATE',
  'CHANNEL_ANSWER',
  'CHANNEL_HANGUP',
  'CHANNEL_HANGUP_COMPLETE',
  'CHANNEL_DESTROY',
  'CHANNEL_UUID',
  'HEARTBEAT',
]

/** We give the switch up after this many of its heartbeats were due and nothing came. */
export const HEARTBEATS_MISSED = 2.5

/** Events, commands and lists. */
const CONNECTIONS = 3

/** What may take longer than other commands waits this many time-outs. */
const SLOW_TIMEOUTS = 5

export interface SessionOptions {
  readonly host: string
  readonly port: number
  readonly password: string
  /** The longest that a command waits for its answer; five times that for a listing. */
  readonly timeoutMs: number
  /** Seconds between two HEARTBEAT events of the switch: 20 unless it is configured otherwise. */
  readonly heartbeatS: number
}

export interface SessionListener {
  onUp(): void
  onEvent(event: LegEvent | Heartbeat): void
  /** Once, last of all; `why` is a sentence. */
  onClose(why: string): void
}

export class Session {
  readonly #events: Connection
  readonly #commands: Connection
  readonly #lists: Connection
  #ready = 0
  /** What came with the answer to the subscription, before onUp could be called. */
  #early: (LegEvent | Heartbeat)[] | null = []
  #watchdog: NodeJS.Timeout | undefined
  #probeTimer: NodeJS.Timeout | undefined
  readonly #probing = new Set<Connection>()
  #closed = false

  constructor(
    readonly options: SessionOptions,
    readonly listener: SessionListener,
  ) {
    this.#commands = this.#connect(() => {})
    this.#lists = this.#connect(() => {})
    this.#events = this.#connect(frame => this.#hear(frame))
  }

  get up(): boolean {
    return this.#early === null && !this.#closed
  }

  /** @throws SwitchError `timeout` or `not_connected`. */
  command(line: string): Promise<string> {
    return this.#ask(this.#commands, this.#commands.command(line, this.options.timeoutMs))
  }

  /** For what may be long and take its time: a listing of thousands of channels. */
  read(line: string, take: (piece: string) => void): Promise<void> {
    const timeoutMs = this.options.timeoutMs * SLOW_TIMEOUTS
    return this.#ask(this.#lists, this.#lists.read(line, timeoutMs, take))
  }

  close(why: string) {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#watchdog)
    clearInterval(this.#probeTimer)
    this.#events.close(why)
    this.#commands.close(why)
    this.#lists.close(why)
    this.listener.onClose(why)
  }

  #connect(onFrame: (frame: Frame) => void): Connection {
    const { host, port, password, timeoutMs } = this.options
    return new Connection({
      host,
      port,
      password,
      loginTimeoutMs: timeoutMs * SLOW_TIMEOUTS,
      onFrame,
      onReady: () => {
        this.#ready++
        if (this.#ready === CONNECTIONS) void this.#subscribe()
      },
      onClose: why => this.close(why),
    })
  }

  async #subscribe() {
    try {
      const line = eventCommand('plain', EVENT_NAMES)
      expectOk(await this.#events.command(line, this.options.timeoutMs))
    } catch (error) {
      return this.#giveUp('the subscription failed', error)
    }
    if (this.#closed) return
    const { heartbeatS } = this.options
    const silenceS = heartbeatS * HEARTBEATS_MISSED
    this.#watchdog = setTimeout(
      () => this.close(`nothing was heard from the switch for ${silenceS} s`),
      silenceS * 1000,
    )
    this.#probeTimer = setInterval(() => void this.#probe(this.#commands), heartbeatS * 1000)
    const early = this.#early ?? []
    this.#early = null
    this.listener.onUp()
    for (const event of early) if (!this.#closed) this.listener.onEvent(event)
  }

  #hear(frame: Frame) {
    this.#watchdog?.refresh()
    const event = decode(frame)
    if (!event) return
    if (this.#early) this.#early.push(event)
    else this.listener.onEvent(event)
  }

  async #ask<T>(connection: Connection, answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (error instanceof SwitchError && error.code === 'timeout') void this.#probe(connection)
      throw error
    }
  }

  /** Slow is not dead: asks a thing of no consequence, and gives up when that has no answer either. */
  async #probe(connection: Connection) {
    if (this.#probing.has(connection) || this.#closed) return
    this.#probing.add(connection)
    try {
      parseRun(await connection.command(RUN_COMMAND, this.options.timeoutMs * SLOW_TIMEOUTS))
    } catch (error) {
      // A refusal is an answer as well: this user may not ask for it.
      const refused = error instanceof SwitchError && error.code === 'refused'
      if (!refused) this.#giveUp('the switch does not answer commands', error)
    } finally {
      this.#probing.delete(connection)
    }
  }

  #giveUp(what: string, error: unknown) {
    if (!(error instanceof SwitchError)) throw error
    this.close(`${what}: ${error.message}`)
  }
}
