/**
 * One connection to the event socket. modesl does the socket, the login and the queue of commands;
 * what it gets wrong is replaced here, and nowhere else is it imported:
 *
 *   - its parser: slow, quadratic, and a Latin-1 byte in a caller's name would end the process.
 *     frames.ts reads the stream instead; replies are handed on, events never pass through modesl;
 *   - its two queues of replies: the switch answers strictly in order, but an `api` that it does
 *     not allow as a command/reply, which shifted all later answers. Both are one queue here;
 *   - its login, which subscribes to events that nobody asked for;
 *   - its writing in several pieces without TCP_NODELAY: 48 ms for each command;
 *   - that it knows no time-out, and forgets who waits when the connection is lost.
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import modesl from 'modesl'
import { type Frame, FrameError, Framer, textOf } from './frames.js'
import { SwitchError } from './switch.js'
import { CLOSED, noLogin, socketTrouble, TURNED_AWAY, WRONG_PASSWORD } from './trouble.js'

/** The kernel asks a silent peer for a sign of life after this. The watchdogs do not rely on it. */
const KEEPALIVE_MS = 10_000

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  readonly password: string
  /** From the start of the connection to the end of the login. */
  readonly loginTimeoutMs: number
  onReady(): void
  /** A frame that is not an answer: an event, or the remains of one. */
  onFrame(frame: Frame): void
  /** Once, whatever the end is; `why` is a sentence. Nothing else is called after it. */
  onClose(why: string): void
}

export class Connection {
  readonly #modesl: modesl.Connection
  /** modesl forgets its socket when the switch ends the stream. */
  readonly #socket: Socket
  readonly #framer = new Framer(true)
  readonly #waiting = new Set<Waiting>()
  readonly #loginTimer: NodeJS.Timeout
  #loggedIn = false
  #closed = false
  /** Commands that leave at the end of this turn of the event loop. */
  #outgoing = ''
  /** What the socket said before it closed. */
  #why = CLOSED

  constructor(readonly options: ConnectionOptions) {
    const { host, port, password, loginTimeoutMs } = options
    const connection = new modesl.Connection(host, port, password)
    this.#modesl = connection
    this.#socket = connection.socket
    this.#socket.setNoDelay(true)
    this.#socket.setKeepAlive(true, KEEPALIVE_MS)
    this.#loginTimer = setTimeout(() => this.close(noLogin(loginTimeoutMs)), loginTimeoutMs)
    this.#replaceParts(connection)
    connection.on('error', (error: Error) => {
      this.#why = socketTrouble(error)
    })
    connection.on('esl::event::auth::fail', () => this.close(WRONG_PASSWORD))
    connection.on('esl::event::auth::success', () => {
      clearTimeout(this.#loginTimer)
      this.#loggedIn = true
      options.onReady()
    })
    this.#socket.on('close', () => this.close(this.#why))
  }

  /**
   * Sends one line. Resolves to the answer: the body of an api/response, or the Reply-Text.
   * @throws SwitchError `timeout`, or `not_connected` when the connection ends meanwhile.
   */
  command(line: string, timeoutMs: number): Promise<string> {
    let answer = ''
    const take = (piece: string) => {
      answer += piece
    }
    return this.read(line, timeoutMs, take).then(() => answer)
  }

  /**
   * The same for an answer that may be long: it is handed over piece by piece, as it comes. Resolves
   * after the last; where it rejects, what was handed over is not the whole.
   *
   * After the time-out its place in the queue stays taken: the switch will answer yet, and the
   * answers behind that one belong to other commands.
   */
  read(line: string, timeoutMs: number, take: (piece: string) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(notConnected())
      const waiting: Waiting = {
        reject,
        timer: setTimeout(() => {
          this.#waiting.delete(waiting)
          reject(new SwitchError('timeout', `the switch did not answer within ${timeoutMs} ms`))
        }, timeoutMs),
      }
      this.#waiting.add(waiting)
      this.#modesl.sendRecv(line, (left, headers, body) => {
        if (!this.#waiting.has(waiting)) return
        const isApi = headers['Content-Type'] === 'api/response'
        take(isApi ? body : (headers['Reply-Text'] ?? ''))
        if (left) return
        clearTimeout(waiting.timer)
        this.#waiting.delete(waiting)
        resolve()
      })
    })
  }

  close(why: string) {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#loginTimer)
    this.#socket.destroy()
    for (const { timer, reject } of this.#waiting) {
      clearTimeout(timer)
      reject(notConnected())
    }
    this.#waiting.clear()
    this.options.onClose(why)
  }

  #replaceParts(connection: modesl.Connection) {
    connection.apiCallbackQueue = connection.cmdCallbackQueue
    connection.subscribe = () => {}
    connection.send = line => this.#write(line)
    connection.on('esl::connect', () => {
      this.#socket.removeAllListeners('data')
      this.#socket.on('data', chunk => this.#read(chunk))
    })
  }

  #write(line: string) {
    // encode.ts has checked it. The line is not in the message: it may be the login.
    assert.ok(!/[\r\n\0]/.test(line), 'a command must be one line')
    if (this.#outgoing === '') process.nextTick(() => this.#flush())
    this.#outgoing += `${line}\n\n`
  }

  /** What is given in one turn of the event loop leaves in one piece: a write costs more than a command. */
  #flush() {
    if (!this.#closed) this.#socket.write(this.#outgoing)
    this.#outgoing = ''
  }

  /** Always reads: a client that stops reading freezes the event socket for all others. */
  #read(chunk: Buffer) {
    try {
      for (const frame of this.#framer.push(chunk)) {
        this.#take(frame)
        if (this.#closed) return
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.close(error.message)
    }
  }

  #take(frame: Frame) {
    switch (frame.contentType) {
      case 'auth/request':
      case 'command/reply':
      case 'api/response':
        return this.#handOn(frame)
      case 'text/rude-rejection':
        return this.close(TURNED_AWAY)
      default:
        return this.options.onFrame(frame)
    }
  }

  /** Gives modesl what its parser would have made of the frame, but for decoding what is not encoded. */
  #handOn(frame: Frame) {
    const body = frame.body ? textOf(frame.body) : ''
    if (this.#loggedIn && frame.contentType !== 'auth/request') {
      // Only who waits for an answer wants it: no event has to be made of it. While there is more
      // of the answer to come, it keeps its place.
      const { cmdCallbackQueue: queue } = this.#modesl
      const answer = frame.left > 0 ? queue[0] : queue.shift()
      return answer?.(frame.left, answerHeaders(frame), body)
    }
    const headers = headersOf(frame)
    const reply = headers['Reply-Text']
    if (reply?.startsWith('+OK ')) headers['Modesl-Reply-OK'] = reply.slice(4)
    this.#modesl._onEvent(new modesl.Event(headers, body), headers, body)
  }
}

/** Nothing but its body is an answer to `api`, and these are nearly all answers. */
const API_RESPONSE = { 'Content-Type': 'api/response' }

function answerHeaders(frame: Frame): Record<string, string> {
  return frame.contentType === 'api/response' ? API_RESPONSE : headersOf(frame)
}

function headersOf({ head }: Frame): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const line of head.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) headers[line.slice(0, colon)] = line.slice(colon + 1).trim()
  }
  return headers
}

/** A command whose answer is awaited. */
interface Waiting {
  readonly timer: NodeJS.Timeout
  readonly reject: (error: SwitchError) => void
}

function notConnected(): SwitchError {
  return new SwitchError('not_connected', 'there is no connection to the switch')
}
