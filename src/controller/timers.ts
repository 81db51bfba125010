/**
 * The switch's own timers, one for each live call: what the rules want armed, carried out for a few
 * calls at a time and tried again until the switch has confirmed it. Only the newest wish of a call
 * counts. Keeps the command connection free for what must not wait: hanging up.
 */
import type { Logger } from 'pino'
import type { Instant } from '../call/call.js'
import type { Clock } from './clock.js'
import type { Rules, Supervised } from './controller.js'
import type { SwitchLink } from './switch-link.js'

export interface TimerOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly rules: () => Rules
}

/**
 * How many timers are being armed at a time on each switch. A busy switch and a busy daemon take some
 * 10 ms to hear each other, twice for each timer: thousands of calls a second need that many. A kill
 * that comes behind so many quick commands waits for them, some 30 ms at FreeSWITCH.
 */
const LANES = 128

const RETRY_MS = 1000

/** What takes longer than this to arm is armed once more. */
const LATE_MS = 500

/** The switch looks for what is due this often, in seconds. */
const LOOK_S = 0.5

interface Wish {
  readonly slot: Supervised
  readonly at: Instant
  readonly generation: number
}

/** One switch that does not answer must not keep the timers of the others from being moved. */
interface Queue {
  readonly wishes: Map<string, Wish>
  readonly busy: Set<string>
}

export class Timers {
  readonly #queues = new Map<SwitchLink, Queue>()
  /** The last generation that the switch has confirmed, by call. */
  readonly #armed = new Map<string, number>()
  /** Calls whose timer is armed again in a while. */
  readonly #retrying = new Set<string>()

  constructor(readonly options: TimerOptions) {}

  /** Has the leg ended shortly after `at`; `generation` counts the timers of a call up. */
  arm(callId: string, slot: Supervised, at: Instant, generation: number): void {
    this.#cancelRetry(callId)
    const queue = this.#queueOf(slot.link)
    queue.wishes.set(callId, { slot, at, generation })
    this.#work(queue)
  }

  /** For a leg that rings: nothing depends on it while we are here, so it is not tried again. */
  armAtAnswer(callId: string, slot: Supervised, talkS: number): void {
    const { log, rules } = this.options
    const { causes, timerMarginS } = rules()
    slot.link.switch
      .hangUpAfterAnswer(callId, talkS + timerMarginS, causes.cut_off)
      .catch(error => log.warn({ callId, error }, 'the timer for the answer could not be set'))
  }

  forget(callId: string): void {
    for (const { wishes } of this.#queues.values()) wishes.delete(callId)
    this.#armed.delete(callId)
    this.#cancelRetry(callId)
  }

  #cancelRetry(callId: string): void {
    if (this.#retrying.delete(callId)) this.options.clock.cancel(`timer ${callId}`)
  }

  /**
   * How many timers of a call may have been left behind by processes that were killed one after the
   * other. Each fires a lead time and the margin after the raise that it was not moved for; so many
   * raises fit into that.
   */
  get #oldGenerations(): number {
    const { settings, timerMarginS } = this.options.rules()
    return 1 + Math.ceil((settings.leadS + timerMarginS + LOOK_S) / settings.chunkS)
  }

  #queueOf(link: SwitchLink): Queue {
    const queue = this.#queues.get(link) ?? { wishes: new Map(), busy: new Set() }
    this.#queues.set(link, queue)
    return queue
  }

  #work(queue: Queue): void {
    const { wishes, busy } = queue
    for (const [callId, wish] of wishes) {
      if (busy.size >= LANES) return
      if (busy.has(callId)) continue
      wishes.delete(callId)
      busy.add(callId)
      void this.#carryOut(callId, wish, wishes).finally(() => {
        busy.delete(callId)
        this.#work(queue)
      })
    }
  }

  async #carryOut(callId: string, wish: Wish, wishes: Queue['wishes']): Promise<void> {
    const { clock, log, rules } = this.options
    const { causes, timerMarginS } = rules()
    const { slot, at, generation } = wish
    const inS = Math.max(1, Math.ceil((at - slot.link.now()) / 1e6) + timerMarginS)
    const since = this.#armed.get(callId) ?? Math.max(0, generation - this.#oldGenerations)
    const askedMs = clock.now()
    try {
      await slot.link.switch.hangUpAfter(callId, inS, generation, since, causes.cut_off)
      if (slot.call.phase !== 'answered') return
      this.#armed.set(callId, generation)
      // The switch counts from when it is told: what it is told late, ends late.
      const late = clock.now() - askedMs > LATE_MS
      if (late && !wishes.has(callId)) this.arm(callId, slot, at, generation)
    } catch (error) {
      log.debug({ callId, error }, 'the timer of a call could not be moved')
      // An older timer must not come after a newer one: it would end the call too early.
      if (wishes.has(callId)) return
      this.#retrying.add(callId)
      clock.wakeAt(`timer ${callId}`, clock.now() + RETRY_MS, () => {
        this.#retrying.delete(callId)
        if (slot.call.phase !== 'answered') return
        this.arm(callId, slot, at, generation)
      })
    }
  }
}
