/** One client of the event socket: it reads commands, and writes replies and events. */
import type { Socket } from 'node:net'
import type { Faults } from './faults.js'
import type { SimulatedSwitch } from './simulated-switch.js'
import { Subscription } from './subscription.js'
import { HeaderLine, type SwitchEvent, toBytes } from './switch-event.js'

const NOT_FOUND = '-ERR command not found'

const GOODBYE = 'Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n'

/** A client that has not said `auth` by then is dropped. */
const AUTH_TIMEOUT_MS = 25_000

/** FreeSWITCH queues so many events for a client, drops what is beyond, and at last the client. */
const EVENTS_QUEUED_MAX = 100_000
const EVENTS_LOST_MAX = 500

/** More than this is not given to the socket of a client that does not read. */
const UNSENT_BYTES_MAX = 16 * 1024 * 1024

/** What a client sends ends in an empty line; without one, more than this is no command. */
const COMMAND_BYTES_MAX = 16 * 1024 * 1024

export interface ClientOptions {
  readonly freeswitch: SimulatedSwitch
  readonly password: string
  readonly faults: Faults
  /** Events wait up to this long, in milliseconds: FreeSWITCH's listener looks every 20 ms. */
  readonly deliveryDelayMs: number
  readonly random: () => number
}

interface Request {
  readonly line: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export class EslClient {
  readonly #subscription = new Subscription()
  #authed = false
  #received: Buffer = Buffer.alloc(0)
  #requests: Request[] = []
  /** An `api` is running: FreeSWITCH delivers no events to its client meanwhile. */
  #busy = false
  /** One character is one byte: see SwitchEvent.wire. */
  #events: string[] = []
  #lostEvents = 0
  #flushing = false
  readonly #authTimer: NodeJS.Timeout

  constructor(
    readonly socket: Socket,
    readonly options: ClientOptions,
  ) {
    socket.setNoDelay(true)
    socket.on('data', bytes => this.#receive(bytes))
    // A client that vanished is not the switch's trouble: 'close' follows and is enough.
    socket.on('error', () => {})
    socket.on('close', () => clearTimeout(this.#authTimer))
    socket.on('drain', () => this.#scheduleFlush())
    this.#authTimer = setTimeout(() => !this.#authed && this.leave(), AUTH_TIMEOUT_MS)
    this.#write('Content-Type: auth/request\n\n')
  }

  /** An event of the switch, if this client wants it; `event` faults apply to it. */
  offer(event: SwitchEvent) {
    if (!this.#subscription.wants(event)) return
    const { format } = this.#subscription
    if (format === 'xml') return
    const fate = this.options.faults.event?.(event) ?? 'deliver'
    if (fate === 'drop') return
    const frame = event.wire(format)
    if (typeof fate === 'object') {
      setTimeout(() => this.#queue(frame), fate.delayMs)
      return
    }
    this.#queue(frame)
    if (fate === 'duplicate') this.#queue(frame)
  }

  /** Half-open: nothing is read and nothing written, and the connection stays. */
  freeze() {
    this.socket.pause()
    this.socket.cork()
  }

  thaw() {
    this.socket.uncork()
    this.socket.resume()
  }

  /** The notice that FreeSWITCH gives before it closes. */
  leave(text = GOODBYE) {
    this.#flush()
    this.#write(`Content-Type: text/disconnect-notice\nContent-Length: ${text.length}\n\n${text}`)
    this.socket.destroySoon()
  }

  /** Shut down in the middle of a frame: its head, and then prose. */
  tear(text: string) {
    this.#flush()
    const { format } = this.#subscription
    this.#write(`Content-Length: 642\nContent-Type: text/event-${format}\n\n${text}`)
    this.socket.destroySoon()
  }

  #queue(frame: string) {
    if (this.#events.length < EVENTS_QUEUED_MAX) {
      this.#events.push(frame)
      this.#scheduleFlush()
    } else if (++this.#lostEvents > EVENTS_LOST_MAX) {
      this.socket.destroy()
    }
  }

  #scheduleFlush() {
    if (this.#flushing || this.#events.length === 0) return
    this.#flushing = true
    const flush = () => {
      this.#flushing = false
      if (!this.#busy && this.socket.writableLength < UNSENT_BYTES_MAX) this.#flush()
    }
    const { deliveryDelayMs, random } = this.options
    if (deliveryDelayMs > 0) setTimeout(flush, random() * deliveryDelayMs)
    else setImmediate(flush)
  }

  #flush() {
    const events = this.#events
    this.#events = []
    if (events.length === 0 || !this.socket.writable) return
    this.socket.write(events.join(''), 'latin1')
  }

  /** What is written in one turn of the event loop leaves together. */
  #write(text: string, rest?: Buffer) {
    if (!this.socket.writable) return
    this.socket.cork()
    this.socket.write(toBytes(text))
    if (rest) this.socket.write(rest)
    process.nextTick(() => this.socket.uncork())
  }

  #reply(text: string) {
    this.#write(`Content-Type: command/reply\nReply-Text: ${text}\n\n`)
  }

  #receive(bytes: Buffer) {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes])
    if (this.#received.length > COMMAND_BYTES_MAX) return void this.socket.destroy()
    for (let request = this.#nextRequest(); request; request = this.#nextRequest()) {
      this.#requests.push(request)
    }
    this.#work()
  }

  /** A command line, headers under it, an empty line, and a body where Content-Length says so. */
  #nextRequest(): Request | undefined {
    const end = emptyLine(this.#received)
    if (!end) return undefined
    const head = this.#received.subarray(0, end.at).toString()
    const [line, ...rest] = head.replaceAll('\r', '').trimStart().split('\n')
    const headers = rest.map(each => {
      const at = each.indexOf(':')
      return [each.slice(0, at), each.slice(at + 1).trim()] as const
    })
    const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1]
    const start = end.at + end.length
    const stop = start + (Number(length) || 0)
    if (this.#received.length < stop) return undefined
    const body = this.#received.subarray(start, stop).toString()
    this.#received = this.#received.subarray(stop)
    return { line: line!, headers, body }
  }

  #work() {
    while (!this.#busy && !this.socket.writableEnded) {
      const request = this.#requests.shift()
      if (!request) return
      if (request.line !== '') this.#perform(request)
    }
  }

  #perform(request: Request) {
    const { line } = request
    const [word, ...words] = line.split(' ')
    const verb = word!.toLowerCase()
    if (verb.startsWith('exit') || line.startsWith('...')) {
      this.#reply('+OK bye')
      return this.leave()
    }
    if (!this.#authed) return this.#authenticate(verb, line)
    if (verb === 'api' && words.length > 0) return this.#api(line.slice(4))
    if (verb === 'bgapi' && words.length > 0) return this.#background(request)
    if (verb === 'sendevent') return this.#sendEvent(request)
    this.#reply(this.#answer(verb, words, line) ?? NOT_FOUND)
  }

  #authenticate(verb: string, line: string) {
    if (verb !== 'auth') return this.#reply(NOT_FOUND)
    this.#authed = line.slice(5) === this.options.password
    this.#reply(this.#authed ? '+OK accepted' : '-ERR invalid')
    if (!this.#authed) this.leave()
  }

  /** The commands that are answered at once, by a Reply-Text. */
  #answer(verb: string, words: readonly string[], line: string): string | undefined {
    const subscription = this.#subscription
    switch (verb) {
      case 'event':
        return subscription.subscribe(words)
      case 'nixevent':
        return subscription.unsubscribe(words)
      case 'noevents':
        return subscription.silence()
      case 'filter':
        return words.length > 0 ? subscription.filter(line.slice(7)) : undefined
      case 'divert_events':
        return '-ERR not controlling a session.'
      case 'linger':
      case 'nolinger':
        return '-ERR not controlling a session'
      case 'myevents':
        return words.length > 0 ? '+OK Events Enabled' : undefined
      case 'log':
        return `+OK log level ${words[0] ?? ''} [${words[0] ?? ''}]`
      case 'nolog':
        return '+OK no longer logging'
      case 'sendmsg': {
        const [uuid = ''] = words
        const known = this.options.freeswitch.leg(uuid) !== undefined
        return known ? '+OK' : `-ERR invalid session id [${uuid}]`
      }
      default:
        return undefined
    }
  }

  #api(commandLine: string) {
    const { faults } = this.options
    const fault = faults.api?.(commandLine) ?? {}
    const finish = () => {
      this.#busy = false
      if (fault.silent) return
      const body = fault.reply ?? this.#run(commandLine)
      const bytes = toBytes(body)
      this.#write(`Content-Type: api/response\nContent-Length: ${bytes.length}\n\n`, bytes)
    }
    if (!fault.delayMs) return finish()
    this.#busy = true
    setTimeout(() => {
      if (this.socket.destroyed) return
      finish()
      this.#scheduleFlush()
      this.#work()
    }, fault.delayMs)
  }

  #run(commandLine: string): string {
    const { freeswitch } = this.options
    return freeswitch.up ? freeswitch.api(commandLine) : '-ERR no reply\n'
  }

  /** Answered at once with a Job-UUID, the client's own or a new one; the result is an event. */
  #background({ line, headers }: Request) {
    const { freeswitch, faults } = this.options
    const own = headers.find(([name]) => name.toLowerCase() === 'job-uuid')?.[1]
    const jobId = own ?? freeswitch.core.newUuid()
    this.#write(
      `Content-Type: command/reply\nReply-Text: +OK Job-UUID: ${jobId}\nJob-UUID: ${jobId}\n\n`,
    )
    const commandLine = line.slice(6).trim()
    const at = commandLine.indexOf(' ')
    const name = at < 0 ? commandLine : commandLine.slice(0, at)
    const argument = at < 0 ? undefined : commandLine.slice(at + 1)
    const fault = faults.api?.(commandLine) ?? {}
    setTimeout(() => {
      if (!freeswitch.up || fault.silent) return
      freeswitch.fireJobDone(jobId, name, argument, fault.reply ?? this.#run(commandLine))
    }, fault.delayMs ?? 0)
  }

  #sendEvent({ line, headers, body }: Request) {
    const { freeswitch } = this.options
    const eventId = freeswitch.core.newUuid()
    const subclass = headers.filter(([name]) => name === 'Event-Subclass')
    const others = headers.filter(([name]) => name !== 'Event-Subclass')
    const lines = [
      ...subclass,
      ['Command', line] as const,
      ...others,
      ['Event-UUID', eventId] as const,
    ]
    this.#reply(`+OK ${eventId}`)
    if (line.split(' ')[1]?.toUpperCase() !== 'CUSTOM') return
    freeswitch.fire(
      lines.map(([name, value]) => new HeaderLine(name, value)),
      body === '' ? undefined : body,
    )
  }
}

/** Where the first empty line is; carriage returns are not minded. */
function emptyLine(bytes: Buffer): { at: number; length: number } | undefined {
  const at = bytes.indexOf('\n\n')
  // One with a carriage return only counts before that: what is behind it is not searched each time.
  const returned = (at < 0 ? bytes : bytes.subarray(0, at + 1)).indexOf('\n\r\n')
  if (returned >= 0) return { at: returned, length: 3 }
  return at < 0 ? undefined : { at, length: 2 }
}
