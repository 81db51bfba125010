/**
 * The connection between a daemon and a simulated switch, in process: the daemon's own commands go
 * through it as text, the switch's events come through it decoded, and both may go wrong.
 */
import type { Heartbeat, LegEvent } from '../call/leg-event.js'
import type { SimulatedSwitch } from '../simulator/simulated-switch.js'
import type { SwitchEvent } from '../simulator/switch-event.js'
import { SwitchCommands, type Wire } from '../switch/commands.js'
import { decodeHeaders } from '../switch/decode.js'
import type { Headers } from '../switch/headers.js'
import { EVENT_NAMES } from '../switch/session.js'
import { SwitchError, type SwitchListener } from '../switch/switch.js'
import type { Dice } from './dice.js'
import type { Life } from './gate.js'
import type { World } from './world.js'

/** Probabilities, but for the flags. */
export interface LineWeather {
  eventIsLost: number
  eventIsRepeated: number
  eventIsLate: number
  commandFails: number
  listFails: number
  /** The connection is half open: nothing comes through, and nobody knows. */
  deaf: boolean
}

export interface LineParts {
  readonly name: string
  readonly world: World
  readonly dice: Dice
  readonly freeswitch: SimulatedSwitch
  readonly weather: LineWeather
  readonly life: Life
  readonly listener: SwitchListener
  /** The switch has carried out a command of the daemon. */
  onCommand(line: string): void
  /** Hears what the daemon gets to hear. */
  onDelivered(event: LegEvent | Heartbeat): void
}

/** FreeSWITCH looks for events every 20 ms. */
const DELIVERY_MS = 20
const LATE_MS = 3000
const COMMAND_MS = 3
const SLOW_COMMAND_MS = 8000
/** Commands wait for slower ones before them, but not for longer than that. */
const BACKLOG_MS = 10_000
const TIMEOUT_MS = 5000
const SLOW_TIMEOUT_MS = 25_000

const WANTED = new Set(EVENT_NAMES)

type Fault =
  | { readonly type: 'none' }
  /** It is carried out so much later. */
  | { readonly type: 'slow'; readonly ms: number }
  /** It never arrives, or its answer does not. */
  | { readonly type: 'lost'; readonly carriedOut: boolean }
  /** Answered with this, and not carried out. */
  | { readonly type: 'answered'; readonly reply: string }
  /** The answer is not what it was. */
  | { readonly type: 'changed'; change(reply: string): string }

const NO_FAULT: Fault = { type: 'none' }

export class SimulatedLine extends SwitchCommands implements Wire {
  readonly name: string
  connected = false
  /** The switch has been brought back by `sofia recover`: from then on its lists may not lie. */
  trusted = false
  #connection = 0
  #eventsMs = 0
  #commandsMs = 0
  #unlisten: () => void = () => {}
  readonly #unanswered = new Set<(reason: SwitchError) => void>()

  constructor(readonly parts: LineParts) {
    super()
    this.name = parts.name
  }

  connect(): void {
    this.connected = true
    this.#connection += 1
    this.#unlisten = this.parts.freeswitch.onEvent(event => this.#carry(event))
    this.parts.world.stir()
    this.parts.listener.onUp()
  }

  /** What was under way is lost; the daemon knows at once that the connection is gone. */
  disconnect(): void {
    if (!this.connected) return
    this.cut()
    this.parts.world.stir()
    this.parts.listener.onDown()
    const closed = new SwitchError('not_connected', 'the switch closed the connection')
    for (const reject of this.#unanswered) reject(closed)
    this.#unanswered.clear()
  }

  /** The same without anybody there to know. */
  cut(): void {
    this.connected = false
    this.#connection += 1
    this.#unlisten()
  }

  command(line: string): Promise<string> {
    return this.#ask(line, TIMEOUT_MS)
  }

  async read(line: string, take: (piece: string) => void): Promise<void> {
    take(await this.#ask(line, SLOW_TIMEOUT_MS))
  }

  protected wire(): Wire {
    if (this.connected) return this
    throw new SwitchError('not_connected', `there is no connection to switch ${this.name}`)
  }

  #carry(event: SwitchEvent): void {
    const { world, dice, weather } = this.parts
    if (weather.deaf || !WANTED.has(event.name)) return
    const beat = event.name === 'HEARTBEAT'
    if (!beat && dice.chance(weather.eventIsLost)) return
    const decoded = decodeHeaders(headersOf(event))
    if (!decoded) return
    const copies = !beat && dice.chance(weather.eventIsRepeated) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (!beat && dice.chance(weather.eventIsLate)) {
        this.#deliver(decoded, world.now() + dice.next() * LATE_MS)
        continue
      }
      this.#eventsMs = Math.max(this.#eventsMs, world.now() + dice.next() * DELIVERY_MS)
      this.#deliver(decoded, this.#eventsMs)
    }
  }

  #deliver(event: LegEvent | Heartbeat, atMs: number): void {
    const { world, life, listener, onDelivered } = this.parts
    const connection = this.#connection
    world.at(atMs, () => {
      if (connection !== this.#connection || !life.alive) return
      life.step()
      if (!life.alive) return
      onDelivered(event)
      world.stir()
      listener.onEvent(event)
    })
  }

  #ask(line: string, timeoutMs: number): Promise<string> {
    const { world, life } = this.parts
    life.step()
    return new Promise((resolve, reject) => {
      if (!life.alive) return
      this.#unanswered.add(reject)
      const end = (settle: () => void) => {
        if (!this.#unanswered.delete(reject)) return
        timeout.cancel()
        world.stir()
        settle()
      }
      const timeout = world.after(timeoutMs, () =>
        end(() => reject(new SwitchError('timeout', `no answer within ${timeoutMs} ms`))),
      )
      this.#send(line, reply => end(() => resolve(reply)))
    })
  }

  /** What has been sent is carried out, or is not, when the connection breaks or its sender dies. */
  #send(line: string, answer: (reply: string) => void): void {
    const { world, dice, life, freeswitch, weather } = this.parts
    const fault = this.#fault(line)
    const slowMs = fault.type === 'slow' ? fault.ms : 0
    const nowMs = world.now()
    const arrivesMs = Math.max(this.#commandsMs, nowMs + dice.next() * COMMAND_MS) + slowMs
    this.#commandsMs = Math.min(arrivesMs, nowMs + BACKLOG_MS)
    const connection = this.#connection
    world.at(this.#commandsMs, () => {
      const whole = connection === this.#connection && life.alive
      if (!freeswitch.up || weather.deaf || (!whole && dice.chance(0.5))) return
      if (fault.type === 'lost' && !fault.carriedOut) return
      world.stir()
      const reply = fault.type === 'answered' ? fault.reply : this.#carryOut(line)
      if (!whole || fault.type === 'lost') return
      world.after(1, () => {
        if (connection !== this.#connection || !life.alive) return
        life.step()
        if (life.alive) answer(fault.type === 'changed' ? fault.change(reply) : reply)
      })
    })
  }

  #carryOut(line: string): string {
    const reply = this.parts.freeswitch.api(line.slice('api '.length))
    this.parts.onCommand(line)
    return reply
  }

  #fault(line: string): Fault {
    const { dice, weather } = this.parts
    const isList = line.startsWith('api show channels')
    if (!dice.chance(isList ? weather.listFails : weather.commandFails)) return NO_FAULT
    const isJson = isList || line.startsWith('api uuid_dump')
    return dice.weigh<Fault>([
      [2, { type: 'slow', ms: dice.next() * SLOW_COMMAND_MS }],
      [1, { type: 'lost', carriedOut: true }],
      [1, { type: 'lost', carriedOut: false }],
      [2, { type: 'answered', reply: '-ERR command not found\n' }],
      [isJson ? 1 : 0, { type: 'changed', change: reply => reply.slice(0, reply.length / 2) }],
      [isList && !this.trusted ? 2 : 0, { type: 'changed', change: reply => half(reply, dice) }],
    ])
  }
}

function headersOf(event: SwitchEvent): Headers {
  const values = new Map<string, string>()
  for (const { name, value } of event.lines) if (!values.has(name)) values.set(name, value)
  return {
    get: name => values.get(name) || null,
    hasVariables: () => event.lines.some(({ name }) => name.startsWith('variable_')),
  }
}

/** A list that lacks some of its rows, and says that it is whole. */
function half(reply: string, dice: Dice): string {
  const list: { rows?: unknown[] } = JSON.parse(reply)
  const rows = (list.rows ?? []).filter(() => dice.chance(0.5))
  return JSON.stringify({ row_count: rows.length, rows })
}
