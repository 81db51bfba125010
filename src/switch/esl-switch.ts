/** A FreeSWITCH, reached over its event socket. Reconnects for ever, and says why it has to. */
import type { Logger } from 'pino'
import { PAUSE_MS_MAX, pauseMs } from './backoff.js'
import { SwitchCommands, type Wire } from './commands.js'
import { authCommand } from './encode.js'
import { Session, type SessionOptions } from './session.js'
import { type Line, SwitchError, type SwitchListener } from './switch.js'
import { isRefusal } from './trouble.js'

export interface EslSwitchOptions extends SessionOptions {
  readonly name: string
  readonly log: Logger
  readonly listener: SwitchListener
  /** From 0 to 1, for the pauses between attempts. */
  readonly random: () => number
}

export class EslSwitch extends SwitchCommands {
  readonly name: string
  #session: Session | null = null
  #pause: NodeJS.Timeout | undefined
  #stopped = true
  #failures = 0
  /** Said already: the same trouble again is for the debug log only. */
  #lastTrouble: string | null = null
  #line: Line = { state: 'connecting', since: Date.now(), why: null }

  /** @throws SwitchError `refused` for a password that cannot be sent. */
  constructor(readonly options: EslSwitchOptions) {
    super()
    authCommand(options.password)
    this.name = options.name
  }

  get line(): Line {
    return this.#line
  }

  /** Returns at once; the listener is told when it is up. */
  start() {
    if (!this.#stopped) return
    this.#stopped = false
    this.#connect()
  }

  /** Ends the connections. Commands that were not answered are rejected; calls live on. */
  stop() {
    this.#stopped = true
    clearTimeout(this.#pause)
    this.#session?.close('this switch is not wanted any more')
  }

  protected wire(): Wire {
    if (this.#session?.up) return this.#session
    throw new SwitchError('not_connected', `there is no connection to switch ${this.name}`)
  }

  #connect() {
    const { listener } = this.options
    let upSince: number | null = null
    this.#session = new Session(this.options, {
      onUp: () => {
        upSince = performance.now()
        this.#note('connected', null)
        this.#say('info', 'switch connected')
        this.#lastTrouble = null
        listener.onUp()
      },
      onEvent: event => listener.onEvent(event),
      onClose: why => {
        this.#session = null
        if (upSince !== null) listener.onDown()
        if (this.#stopped) return
        this.#note(isRefusal(why) ? 'refused' : 'connecting', why)
        this.#complain(why)
        const lasted = upSince !== null && performance.now() - upSince > PAUSE_MS_MAX
        this.#failures = lasted ? 1 : this.#failures + 1
        this.#pause = setTimeout(
          () => this.#connect(),
          pauseMs(this.#failures, this.options.random),
        )
      },
    })
  }

  #note(state: Line['state'], why: string | null) {
    const since = state === this.#line.state ? this.#line.since : Date.now()
    this.#line = { state, since, why }
  }

  #complain(why: string) {
    this.#say(why === this.#lastTrouble ? 'debug' : 'warn', 'switch not connected', why)
    this.#lastTrouble = why
  }

  #say(level: 'debug' | 'info' | 'warn', message: string, why?: string) {
    const { host, port, log } = this.options
    log[level]({ switch: this.name, host, port, why }, message)
  }
}
