/**
 * A FreeSWITCH that is not there: its calls, its API, its timers and its events, without a socket,
 * a clock or chance of its own.
 *
 *   const freeswitch = new SimulatedSwitch({ timeline, random })
 *   freeswitch.onEvent(event => …)
 *   const { b } = freeswitch.placeCall({ aLeg: true, number: '442071234567', ac: 'ACCT1', … })
 *   freeswitch.api(`uuid_kill ${b} ALLOTTED_TIMEOUT`)
 *   freeswitch.history.get(b)
 *
 * It follows recordings of FreeSWITCH 1.11.3: the same headers in the same order, the same order
 * of events, the same replies. esl-server.ts puts it on a socket.
 */
import assert from 'node:assert/strict'
import { Api } from './api.js'
import { Call } from './call.js'
import { branchesOf, type CallPlan, type PlacedCall } from './call-plan.js'
import { CallSetup } from './call-setup.js'
import { CallTeardown } from './call-teardown.js'
import { Configuration } from './configuration.js'
import { Core } from './core.js'
import { heartbeatLines } from './heartbeat.js'
import { History } from './history.js'
import type { Leg } from './leg.js'
import { recoverCall } from './recovery.js'
import { Scheduler, type Task } from './scheduler.js'
import { SwitchClock } from './switch-clock.js'
import { HeaderLine, type SwitchEvent } from './switch-event.js'
import type { Random, Timeline } from './timeline.js'

const HEARTBEAT_S = 20

export interface SwitchOptions {
  readonly timeline: Timeline
  readonly random: Random
  /** Whole seconds between HEARTBEAT events; 20 as in FreeSWITCH. */
  readonly heartbeatS?: number
  /** Only the variables that a controller reads: for load. Core headers and orders stay. */
  readonly slim?: boolean
  /**
   * How long `show channels` and `show tasks` lag behind, in milliseconds: FreeSWITCH answers them
   * from a database that it fills in the background.
   */
  readonly listingLagMs?: number
}

/**
 * How the switch went down: it crashed (streams just end), or was shut down with a notice to each
 * client, or with that notice inside a frame that was begun for an event.
 */
export type Downfall = 'crash' | 'notice' | 'torn frame'

export class SimulatedSwitch {
  readonly history = new History()
  readonly clock: SwitchClock
  readonly core: Core
  readonly configuration: Configuration
  readonly #setup: CallSetup
  readonly #teardown: CallTeardown
  readonly #scheduler: Scheduler
  readonly #api: Api
  readonly #eventListeners = new Set<(event: SwitchEvent) => void>()
  readonly #downListeners = new Set<(how: Downfall) => void>()
  readonly #upListeners = new Set<() => void>()

  constructor(readonly options: SwitchOptions) {
    const { timeline, random } = options
    this.clock = new SwitchClock(timeline, random)
    this.configuration = new Configuration(options.heartbeatS ?? HEARTBEAT_S)
    this.core = new Core({
      timeline,
      random,
      clock: this.clock,
      history: this.history,
      slim: options.slim ?? false,
      deliver: event => {
        for (const listener of this.#eventListeners) listener(event)
      },
    })
    this.#scheduler = new Scheduler(timeline, this.clock, (event, task) => {
      this.core.emit(event, [
        new HeaderLine('Task-ID', String(task.id)),
        new HeaderLine('Task-Desc', task.description),
        new HeaderLine('Task-Group', task.group),
        new HeaderLine('Task-Runtime', String(task.runtimeS)),
      ])
    })
    this.#teardown = new CallTeardown(this.core, leg => {
      this.#scheduler.deleteGroup(leg.uuid)
      this.#api.noteDestroyed(leg)
    })
    this.#setup = new CallSetup(this.core, this.#teardown, (leg, delayS, cause) => {
      this.#api.scheduleHangup(leg, this.clock.epochS() + delayS, cause)
    })
    this.#api = new Api(
      this.core,
      this.#scheduler,
      this.#teardown,
      options.listingLagMs ?? 0,
      this.configuration,
    )
    this.#startTasks()
  }

  /** Whether the switch runs: it does from the start until crash() or shutdown(). */
  get up(): boolean {
    return this.core.up
  }

  get coreUuid(): string {
    return this.core.uuid
  }

  /** The switch's clock: microseconds since the epoch, stepped, as in its events. */
  now(): number {
    return this.core.now()
  }

  /** All events that the switch fires, in order. Returns how to stop listening. */
  onEvent(listener: (event: SwitchEvent) => void): () => void {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  onDown(listener: (how: Downfall) => void): () => void {
    this.#downListeners.add(listener)
    return () => this.#downListeners.delete(listener)
  }

  onUp(listener: () => void): () => void {
    this.#upListeners.add(listener)
    return () => this.#upListeners.delete(listener)
  }

  placeCall(plan: CallPlan): PlacedCall {
    assert.ok(this.up, 'a switch that is down takes no calls')
    for (const { uuid } of branchesOf(plan)) {
      assert.ok(uuid === undefined || !this.core.legs.has(uuid), `${uuid} is in use`)
    }
    assert.ok(plan.aLeg || branchesOf(plan).length === 1, 'a forked dial needs a caller')
    return this.#setup.place(new Call(plan, this.options.timeline))
  }

  /** The party at the far end of this leg hangs up: the caller of an inbound leg, or the callee. */
  hangUp(legId: string, cause?: string) {
    const leg = this.core.legs.get(legId)
    if (leg) this.#teardown.partyHangsUp(leg, cause)
  }

  /** The uuids of the legs that there are. */
  legs(): string[] {
    return [...this.core.legs.keys()]
  }

  leg(uuid: string): Leg | undefined {
    return this.core.legs.get(uuid)
  }

  /** The timers that may still fire, as they are and not as a listing shows them: for auditors. */
  tasks(): Task[] {
    return this.#scheduler.list()
  }

  /** What `api <commandLine>` on the event socket answers: the body, byte for byte. */
  api(commandLine: string): string {
    assert.ok(this.up, 'a switch that is down answers nothing')
    return this.#api.run(commandLine)
  }

  /** Fires an event as `sendevent` does. */
  fire(headers: readonly HeaderLine[], body?: string) {
    this.core.emitSent(headers, body)
  }

  /** Fires BACKGROUND_JOB: the end of a bgapi. */
  fireJobDone(jobId: string, command: string, argument: string | undefined, reply: string) {
    const lines = [new HeaderLine('Job-UUID', jobId), new HeaderLine('Job-Command', command)]
    if (argument !== undefined) lines.push(new HeaderLine('Job-Command-Arg', argument))
    this.core.emit('BACKGROUND_JOB', lines, reply)
  }

  /** SIGKILL or a crash: streams end, no event tells. recover() or restart() bring it back. */
  crash() {
    if (!this.up) return
    this.#goDown('crash')
    this.#teardown.vanishEnding()
    for (const call of this.#teardown.calls()) {
      const { a, branches, bridged } = call
      const parked = !a && (branches[0]?.times.answered ?? 0) !== 0
      const alone = a !== undefined && a.times.answered !== 0 && branches.length === 0
      if (!bridged && !parked && !alone) this.#teardown.vanish(call)
    }
  }

  /** `fsctl shutdown`: all calls end with SYSTEM_SHUTDOWN, then the clients are told. */
  shutdown(how: Exclude<Downfall, 'crash'> = 'notice') {
    if (!this.up) return
    this.core.emit('SHUTDOWN', [new HeaderLine('Event-Info', 'System Shutting Down')])
    this.#teardown.endAll('SYSTEM_SHUTDOWN')
    this.#goDown(how)
    this.#teardown.vanishEnding()
  }

  /** Comes up anew, after a crash if it still ran: all legs are gone, and no event tells. */
  restart() {
    this.crash()
    for (const call of this.#teardown.calls()) this.#teardown.vanish(call)
    this.#comeUp()
  }

  /**
   * Comes up and takes answered calls back (`sofia recover`): the same uuid, the same time of
   * answer, CREATE once more; ANSWER only for some.
   */
  recover() {
    this.crash()
    this.#comeUp()
    for (const call of this.#teardown.calls()) recoverCall(this.core, call)
  }

  /** Drops all timers: a simulation in virtual time has nothing left to wait for. */
  stop() {
    this.#scheduler.stop()
    for (const call of this.#teardown.calls()) call.cancelTimers()
  }

  #goDown(how: Downfall) {
    this.core.goDown()
    this.#scheduler.stop()
    for (const listener of this.#downListeners) listener(how)
  }

  #comeUp() {
    this.core.renew()
    this.#startTasks()
    for (const listener of this.#upListeners) listener()
  }

  /** The tasks that FreeSWITCH has before anyone adds one. */
  #startTasks() {
    const nowS = this.clock.epochS()
    const heartbeatS = this.options.heartbeatS ?? HEARTBEAT_S
    const beat = () => this.core.emit('HEARTBEAT', heartbeatLines(this.core))
    this.#scheduler.add(nowS + heartbeatS, 'heartbeat', 'core', beat, heartbeatS)
    this.#scheduler.add(nowS + 60, 'check_ip', 'core', () => {}, 60)
    this.#scheduler.add(nowS + 900, 'limit_hash_cleanup', 'mod_hash', () => {}, 900)
  }
}
