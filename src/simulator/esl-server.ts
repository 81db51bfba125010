/**
 * The simulated switch on a socket: FreeSWITCH's mod_event_socket for any number of clients.
 *
 *   const server = new EslServer({ freeswitch, password: 'ClueCon' })
 *   const port = await server.listen()
 *   …
 *   await server.close()
 *
 * When the switch crashes or is shut down the clients learn it as they would from FreeSWITCH, and
 * connections are refused until it is up again, on the same port.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { EslClient } from './esl-client.js'
import type { Faults } from './faults.js'
import type { Downfall, SimulatedSwitch } from './simulated-switch.js'

const SHUTDOWN = 'The system is being shut down.\n'

const RUDE = 'Access Denied, go away.\n'

export interface EslServerOptions {
  readonly freeswitch: SimulatedSwitch
  readonly password?: string
  /** The longest that an event waits, in milliseconds: 0 for none, 20 as in FreeSWITCH. */
  readonly deliveryDelayMs?: number
}

export class EslServer {
  /** Set these to make things go wrong. */
  readonly faults: Faults = {}
  /** As if the client's address were in no access list. */
  rejectsByAcl = false
  readonly #clients = new Set<EslClient>()
  readonly #stopListening: (() => void)[]
  #server: Server | undefined
  #port = 0
  #host = '127.0.0.1'
  #refusing = false
  #frozen = false

  constructor(readonly options: EslServerOptions) {
    const { freeswitch } = options
    this.#stopListening = [
      freeswitch.onEvent(event => {
        for (const client of this.#clients) client.offer(event)
      }),
      freeswitch.onDown(how => this.#goDown(how)),
      freeswitch.onUp(() => void this.#open().catch(() => {})),
    ]
  }

  /** Returns the port: port 0 takes one that is free. */
  async listen(port = 0, host = '127.0.0.1'): Promise<number> {
    this.#port = port
    this.#host = host
    await this.#open()
    return this.#port
  }

  get port(): number {
    return this.#port
  }

  get clientCount(): number {
    return this.#clients.size
  }

  /** Closes everything. The switch itself runs on. */
  async close() {
    for (const stop of this.#stopListening) stop()
    this.#port = 0
    for (const { socket } of this.#clients) socket.destroy()
    await this.#shut()
  }

  /** Connections are refused (or taken again), as when the module is not loaded. */
  async refuseConnections(refuse = true) {
    this.#refusing = refuse
    if (refuse) await this.#shut()
    else await this.#open()
  }

  /** Nothing is read from or written to any client until thaw(): connections look alive. */
  freeze() {
    this.#frozen = true
    for (const client of this.#clients) client.freeze()
  }

  thaw() {
    this.#frozen = false
    for (const client of this.#clients) client.thaw()
  }

  /** `reload mod_event_socket`: all clients are told and dropped; calls live on. */
  disconnectAll() {
    for (const client of this.#clients) client.leave(SHUTDOWN)
  }

  /** Breaks all connections with a TCP reset. */
  reset() {
    for (const { socket } of this.#clients) socket.resetAndDestroy()
  }

  async #open() {
    if (this.#server || this.#refusing || !this.options.freeswitch.up) return
    const server = createServer(socket => this.#accept(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, this.#host, resolve)
    })
    const address = server.address()
    if (address && typeof address === 'object') this.#port = address.port
  }

  async #shut() {
    const server = this.#server
    this.#server = undefined
    // Only stops listening: those who are connected stay, and 'close' would wait for them.
    server?.close()
    await new Promise(resolve => setImmediate(resolve))
  }

  #accept(socket: Socket) {
    if (this.rejectsByAcl) return reject(socket)
    // The kernel takes connections for a switch that hangs; there is no greeting then.
    if (this.#frozen) hold(socket)
    const { freeswitch, password = 'ClueCon', deliveryDelayMs = 0 } = this.options
    const { random } = freeswitch.options
    const { faults } = this
    const client = new EslClient(socket, { freeswitch, password, faults, deliveryDelayMs, random })
    this.#clients.add(client)
    socket.on('close', () => this.#clients.delete(client))
  }

  #goDown(how: Downfall) {
    void this.#shut()
    for (const client of this.#clients) {
      if (how === 'crash') client.socket.destroy()
      else if (how === 'notice') client.leave(SHUTDOWN)
      else client.tear(SHUTDOWN)
    }
  }
}

/** Undone by EslClient.thaw(). */
function hold(socket: Socket) {
  socket.pause()
  socket.cork()
}

function reject(socket: Socket) {
  socket.on('error', () => {})
  socket.write(`Content-Type: text/rude-rejection\nContent-Length: ${RUDE.length}\n\n${RUDE}`)
  socket.end()
}
