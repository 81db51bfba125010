/**
 * Plays a recorded event socket stream through the parser, the decoder and the rules that the
 * daemon uses, in virtual time: the stamps of its events are the clock. What the rules want of the
 * switch is noted and goes nowhere; what they want of the ledger is done.
 */
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { Command, Instant } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import { Controller, type ControllerOptions, type Supervised } from '../controller/controller.js'
import { SwitchLink } from '../controller/switch-link.js'
import { decode } from '../switch/decode.js'
import { type Frame, Framer } from '../switch/frames.js'
import type { Switch } from '../switch/switch.js'
import { VirtualClock } from './virtual-clock.js'

export interface ReplayOptions
  extends Omit<ControllerOptions, 'clock' | 'observer' | 'log' | 'announcements'> {
  /** What the CDRs are to call the switch. */
  readonly switchName: string
  readonly loopbackPays: boolean
  readonly log: Logger
  onCommand(account: string, callId: string, command: Command, at: Instant): void
  onCdr(cdr: Cdr): void
}

/** A switch that does as it is told, and from which nothing comes back but the recording. */
function deafSwitch(name: string): Switch {
  const done = async () => {}
  return {
    name,
    hangUp: done,
    hangUpAfter: done,
    hangUpAfterAnswer: done,
    play: done,
    setGlobal: done,
    forgetUser: done,
    transfer: done,
    // The next event of the A-leg tells its code: a recording cannot be asked.
    variable: () => new Promise(() => {}),
    listLegs: async () => ({ coreUuid: '', legs: [] }),
    describe: async () => null,
  }
}

const SILENCE = { warnSound: null, refusedTo: null, cutOffTo: null }

export class Replay {
  readonly #clock = new VirtualClock()
  readonly #controller: Controller
  readonly #link: SwitchLink

  constructor(readonly options: ReplayOptions) {
    const { switchName, loopbackPays, log, onCdr, onCommand } = options
    const clock = this.#clock
    const observer = {
      onCdr,
      onCommand: (callId: string, command: Command, at: Instant) =>
        onCommand(this.#controller.calls.get(callId)?.leg.account ?? '', callId, command, at),
    }
    this.#controller = new Controller({ ...options, clock, observer, announcements: SILENCE })
    this.#link = new SwitchLink(switchName, {
      controller: this.#controller,
      clock,
      log,
      loopbackPays,
    })
    this.#link.attach(deafSwitch(switchName))
  }

  /**
   * Plays one capture to its end. Resolves to a sentence where something is wrong with it: it is cut
   * short, or no capture at all.
   * @throws FrameError when it cannot be read any further; what came before has been played
   */
  async play(capture: Readable): Promise<string | null> {
    const framer = new Framer()
    let isCapture = false
    for await (const chunk of capture) {
      for (const frame of framer.push(chunk as Buffer)) {
        isCapture ||= frame.contentType !== null
        await this.#take(frame)
      }
    }
    await this.#controller.idle()
    if (!isCapture) return 'it is not a recording of an event socket'
    return framer.end() && 'it is cut off in the middle of a frame; all before that has been played'
  }

  /** Settles calls that had hung up when the captures ended; returns those that had not. */
  async finish(): Promise<Supervised[]> {
    const { calls } = this.#controller
    for (const [callId, { call }] of calls) {
      if (call.phase === 'settling' && call.before) {
        this.#controller.accept(callId, { type: 'woken', at: call.ending.endedAt })
      }
    }
    await this.#controller.idle()
    return [...calls.values()].filter(({ call }) => call.phase !== 'ended' && call.phase !== 'new')
  }

  async #take(frame: Frame): Promise<void> {
    const event = decode(frame)
    if (!event) return
    await this.#clock.moveTo(event.at / 1000, () => this.#controller.idle())
    this.#link.onEvent(event)
    await this.#controller.idle()
  }
}
