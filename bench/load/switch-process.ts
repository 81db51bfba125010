/**
 * A switch in a process of its own that does nothing but send the recorded events of calls at full
 * speed, and answer commands in order. It is told by its parent what to place: see `Order`.
 *
 *   create ─▶ held (uuid_setvar comes) ─▶ answer ─▶ armed (sched_api comes) ─▶ talk ─▶ hang up
 *                                                                    uuid_kill ─▶ hang up
 */
import { randomUUID } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import type { LegEventName } from '../../src/call/leg-event.js'
import { sendListing } from './listing.js'
import { accountCode, heartbeat, recordedEvents, type Told } from './recorded-events.js'

/** What to place, and how. */
export interface Order {
  readonly calls: number
  /** Calls are spread evenly over so many accounts, from number `first` on, or 0. */
  readonly accounts: number
  readonly first?: number
  /** With the events of the A-leg, which carries no code. */
  readonly bridged: boolean
  /** From the arming of the timer to the hangup. Null: until the leg is killed. */
  readonly talkMs: number | null
  /** How many calls may wait for their hold or their timer: keeps the daemon busy all the time. */
  readonly window: number
  /** At most so many new calls a second. */
  readonly perS: number
  /** The last so many calls are on accounts of their own, from number `firstPoor` on. */
  readonly poor?: number
  readonly firstPoor?: number
}

export interface Placed {
  /** From the first CREATE to the last DESTROY. */
  readonly tookS: number
  readonly bytes: number
  readonly events: number
  readonly commands: Record<string, number>
  /** From CREATE to what the daemon does when the hold is on the disk; from ANSWER to sched_api. */
  readonly heldMs: readonly number[]
  readonly armedMs: readonly number[]
  /** From the stamp of the answer to each sched_api but the first, and to uuid_kill. */
  readonly raisedMs: readonly number[]
  readonly killedMs: readonly number[]
  /** When the HANGUP_COMPLETE of each leg was sent: Date.now(), by leg; of the first ones. */
  readonly hungUp: readonly (readonly [string, number])[]
  readonly cpuS: number
  /** How late the switch itself was with what it had to do: 99 of 100 times, and at most. */
  readonly ownDelayMs: { readonly p99: number; readonly max: number }
}

interface Leg extends Told {
  createdMs: number
  answeredMs: number
  armed: boolean
}

const CORE_UUID = randomUUID()
const B = recordedEvents('outbound', CORE_UUID)
const A = recordedEvents('inbound', CORE_UUID)

const HEARTBEAT_MS = 1000

/** The monitor of the event loop counts it as delay. */
const DELAY_RESOLUTION_MS = 10

const NOTED_ENDS_MAX = 200_000

/** Microseconds, in steps of 20 ms as FreeSWITCH's own. */
const stamp = () => Math.floor(Date.now() / 20) * 20_000

/** Collects what one turn of the event loop sends. */
class Outlet {
  readonly #bytes = Buffer.allocUnsafe(1 << 20)
  #used = 0
  bytes = 0
  events = 0

  constructor(readonly socket: Socket) {}

  get isFull(): boolean {
    return this.socket.writableLength > 4 << 20
  }

  send(side: typeof A, name: LegEventName, told: Told, at: number): void {
    const event = side.get(name)!
    if (this.#used + event.length > this.#bytes.length) this.flush()
    event.fill(this.#bytes, this.#used, told, at)
    this.#used += event.length
    this.events += 1
  }

  flush(): void {
    if (this.#used === 0) return
    this.socket.write(Buffer.from(this.#bytes.subarray(0, this.#used)))
    this.bytes += this.#used
    this.#used = 0
  }
}

class SwitchProcess {
  outlet: Outlet | null = null
  readonly legs = new Map<string, Leg>()
  /** In the order of their ends: all talk equally long. */
  talking: { readonly leg: Leg; readonly untilMs: number }[] = []
  #ended = 0
  order: Order | null = null
  waiting = 0
  placed = 0
  startedMs = 0
  tasks = 0
  heldMs: number[] = []
  armedMs: number[] = []
  raisedMs: number[] = []
  killedMs: number[] = []
  hungUp: (readonly [string, number])[] = []
  commands: Record<string, number> = {}

  /**
   * Answers what came in one piece with one piece; but for a list, behind which all that comes on the
   * same connection waits until it is sent, as it does at FreeSWITCH.
   */
  serve(socket: Socket): void {
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.write('Content-Type: auth/request\n\n')
    let rest = ''
    let lines: string[] = []
    let isListing = false
    const work = () => {
      const list = lines.findIndex(line => line.startsWith('api show '))
      const quick = list < 0 ? lines : lines.slice(0, list)
      lines = list < 0 ? [] : lines.slice(list + 1)
      let answers = ''
      for (const line of quick) answers += this.#answer(line, socket)
      socket.write(answers)
      if (this.order) this.#turn(this.order)
      if (list < 0) return
      isListing = true
      this.#count('show')
      sendListing(socket, [...this.legs.keys()]).then(() => {
        isListing = false
        work()
      })
    }
    socket.on('data', chunk => {
      const parts = (rest + chunk.toString('latin1')).split('\n\n')
      rest = parts.pop()!
      lines.push(...parts)
      if (!isListing) work()
    })
  }

  #answer(line: string, socket: Socket): string {
    if (line.startsWith('api ')) {
      const body = this.#carryOut(line)
      return `Content-Type: api/response\nContent-Length: ${body.length}\n\n${body}`
    }
    if (line.startsWith('event ')) {
      this.outlet = new Outlet(socket)
      const beat = setInterval(() => {
        if (!socket.destroyed) socket.write(heartbeat(CORE_UUID, stamp()))
      }, HEARTBEAT_MS)
      socket.on('close', () => clearInterval(beat))
    }
    return 'Content-Type: command/reply\nReply-Text: +OK accepted\n\n'
  }

  #count(verb: string): void {
    this.commands[verb] = (this.commands[verb] ?? 0) + 1
  }

  #carryOut(line: string): string {
    const words = line.split(' ')
    const verb = words[1]!
    this.#count(verb)
    switch (verb) {
      case 'uuid_setvar':
        this.#held(words[2]!)
        return '+OK\n'
      case 'sched_api':
        this.#armed(words[5]!)
        this.tasks += 1
        return `+OK Added: ${this.tasks}\n`
      case 'sched_del':
        return '+OK Deleted: 1\n'
      case 'uuid_kill': {
        const leg = this.legs.get(words[2]!)
        if (!leg) return '-ERR No such channel!\n'
        if (leg.answeredAt > 0) this.killedMs.push(Date.now() - leg.answeredAt / 1000)
        this.#hangUp(leg)
        return '+OK\n'
      }
      case 'global_getvar':
        return CORE_UUID
      case 'uuid_dump':
        return this.#dump(words[2]!)
      default:
        return '+OK\n'
    }
  }

  #dump(id: string): string {
    const leg = this.legs.get(id)
    if (!leg) return '-ERR No such channel!\n'
    const event = B.get(leg.answeredAt > 0 ? 'CHANNEL_ANSWER' : 'CHANNEL_CREATE')!
    return event.text(leg, stamp()).replace(/^Event-Name: .*$/m, 'Event-Name: CHANNEL_DATA')
  }

  #create(): void {
    const at = stamp()
    const { accounts, calls, first = 0, poor = 0, firstPoor = 0 } = this.order!
    const others = calls - poor
    const account = accountCode(
      this.placed < others ? first + (this.placed % accounts) : firstPoor + this.placed - others,
    )
    const ids = { leg: randomUUID(), aLeg: randomUUID() }
    const none = { answeredAt: 0, hungUpAt: 0 }
    const times = { createdMs: performance.now(), answeredMs: 0, armed: false }
    const leg: Leg = { ...ids, account, createdAt: at, ...none, ...times }
    this.legs.set(leg.leg, leg)
    this.placed += 1
    this.waiting += 1
    this.#send('CHANNEL_CREATE', leg, at, true)
  }

  #held(id: string): void {
    const leg = this.legs.get(id)
    if (!leg || leg.answeredMs > 0) return
    const at = stamp()
    leg.answeredMs = performance.now()
    this.heldMs.push(leg.answeredMs - leg.createdMs)
    Object.assign(leg, { answeredAt: at })
    this.#send('CHANNEL_ANSWER', leg, at, false)
  }

  #armed(id: string): void {
    const leg = this.legs.get(id)
    if (!leg) return
    if (leg.armed) {
      this.raisedMs.push(Date.now() - leg.answeredAt / 1000)
      return
    }
    const now = performance.now()
    leg.armed = true
    this.waiting -= 1
    this.armedMs.push(now - leg.answeredMs)
    const { talkMs } = this.order!
    if (talkMs !== null) this.talking.push({ leg, untilMs: now + talkMs })
  }

  #hangUp(leg: Leg): void {
    const at = stamp()
    if (!leg.armed) this.waiting -= 1
    Object.assign(leg, { hungUpAt: at })
    this.legs.delete(leg.leg)
    this.#send('CHANNEL_HANGUP', leg, at, true)
    if (this.hungUp.length < NOTED_ENDS_MAX) this.hungUp.push([leg.leg, Date.now()])
    this.#send('CHANNEL_HANGUP_COMPLETE', leg, at, false)
    this.#send('CHANNEL_DESTROY', leg, at, false)
  }

  #send(name: LegEventName, leg: Leg, at: number, aLegFirst: boolean): void {
    const outlet = this.outlet!
    const { bridged } = this.order!
    if (bridged && aLegFirst) outlet.send(A, name, leg, at)
    outlet.send(B, name, leg, at)
    if (bridged && !aLegFirst) outlet.send(A, name, leg, at)
  }

  #turn(order: Order): void {
    const now = performance.now()
    for (let next = this.talking[this.#ended]; next && next.untilMs <= now; ) {
      if (this.legs.has(next.leg.leg)) this.#hangUp(next.leg)
      this.#ended += 1
      next = this.talking[this.#ended]
    }
    if (this.#ended > 10_000) this.talking = this.talking.slice(this.#ended)
    if (this.#ended > 10_000) this.#ended = 0
    const due = Math.min(order.calls, Math.ceil(((now - this.startedMs) / 1000) * order.perS))
    while (this.placed < due && this.waiting < order.window && !this.outlet!.isFull) this.#create()
    this.outlet!.flush()
  }

  async place(order: Order): Promise<Placed> {
    this.order = order
    this.placed = 0
    this.startedMs = performance.now()
    this.heldMs = []
    this.armedMs = []
    this.raisedMs = []
    this.killedMs = []
    this.hungUp = []
    this.commands = {}
    const cpu = process.cpuUsage()
    const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
    delay.enable()
    const { bytes, events } = this.outlet!
    while (this.placed < order.calls || this.legs.size > 0) {
      this.#turn(order)
      await setTimeout(1)
    }
    this.outlet!.flush()
    const { user, system } = process.cpuUsage(cpu)
    return {
      tookS: (performance.now() - this.startedMs) / 1000,
      bytes: this.outlet!.bytes - bytes,
      events: this.outlet!.events - events,
      commands: this.commands,
      heldMs: this.heldMs,
      armedMs: this.armedMs,
      raisedMs: this.raisedMs,
      killedMs: this.killedMs,
      hungUp: this.hungUp,
      cpuS: (user + system) / 1e6,
      ownDelayMs: {
        p99: delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS,
        max: delay.max / 1e6 - DELAY_RESOLUTION_MS,
      },
    }
  }
}

const freeswitch = new SwitchProcess()
const server = createServer(socket => freeswitch.serve(socket))
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send!({ port: typeof address === 'object' ? address!.port : 0 })
})
process.on('message', (order: Order) => {
  freeswitch.place(order).then(placed => process.send!(placed))
})
process.on('disconnect', () => process.exit())
