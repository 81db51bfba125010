/**
 * Writes down what a switch sends: exactly the bytes that a client received, greeting included, as
 * `tollgate replay` reads them.
 *
 * It looks into the stream only until it is subscribed: whatever comes later is recorded, be it
 * broken or not. It always reads; a slow sink costs memory, never the switch.
 */
import { connect, type Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { authCommand, type EventFormat, eventCommand } from './encode.js'
import { type Frame, FrameError, Framer } from './frames.js'
import { EVENT_NAMES } from './session.js'
import { SwitchError } from './switch.js'
import { CLOSED, noLogin, socketTrouble, TURNED_AWAY, WRONG_PASSWORD } from './trouble.js'

/** More than the rules need: an A-leg may show its `ac` first in one of these. */
const RECORDED_NAMES = [
  ...EVENT_NAMES,
  'CHANNEL_PROGRESS',
  'CHANNEL_PROGRESS_MEDIA',
  'CHANNEL_BRIDGE',
  'CHANNEL_UNBRIDGE',
]

const LOGIN_TIMEOUT_MS = 10_000

export interface RecordOptions {
  readonly host: string
  readonly port: number
  readonly password: string
  readonly format: EventFormat
  readonly loginTimeoutMs?: number
}

/**
 * Resolves to the number of bytes when `signal` is aborted, or when the switch ends the stream
 * after we have subscribed. The sink has been given all of them by then, and is left open.
 * @throws SwitchError `not_connected` when it does not get as far as a subscription; whatever the
 *   sink emits as an error.
 */
export async function record(
  options: RecordOptions,
  sink: Writable,
  signal: AbortSignal,
): Promise<number> {
  const login = new Login(options)
  const { host, port, loginTimeoutMs = LOGIN_TIMEOUT_MS } = options
  const socket = connect({ host, port, noDelay: true })
  let bytes = 0
  let trouble: Error | null = null
  const fail = (error: Error) => {
    trouble ??= error
    socket.destroy()
  }
  const stop = () => socket.destroy()
  const timer = setTimeout(() => fail(notConnected(noLogin(loginTimeoutMs))), loginTimeoutMs)
  sink.on('error', fail)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  socket.on('data', chunk => {
    bytes += chunk.length
    sink.write(chunk)
    if (login.done) return
    const why = login.take(chunk, socket)
    if (why !== null) fail(notConnected(why))
    if (login.done) clearTimeout(timer)
  })
  // Once it runs, a connection that breaks is the end of the recording like any other.
  socket.on('error', error => login.done || fail(notConnected(socketTrouble(error))))
  await new Promise<void>(resolve => socket.on('close', () => resolve()))
  clearTimeout(timer)
  sink.removeListener('error', fail)
  signal.removeEventListener('abort', stop)
  if (trouble) throw trouble
  if (!login.done && !signal.aborted) throw notConnected(CLOSED)
  return bytes
}

function notConnected(why: string): SwitchError {
  return new SwitchError('not_connected', why)
}

/** The dialogue up to the subscription. */
class Login {
  done = false
  #answers = 0
  readonly #framer = new Framer()

  constructor(readonly options: RecordOptions) {
    authCommand(options.password)
  }

  /** Answers the switch. Returns why there is no going on, or null. */
  take(chunk: Buffer, socket: Socket): string | null {
    try {
      for (const frame of this.#framer.push(chunk)) {
        const why = this.#takeFrame(frame, socket)
        if (why !== null || this.done) return why
      }
      return null
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      return error.message
    }
  }

  #takeFrame(frame: Frame, socket: Socket): string | null {
    const { password, format } = this.options
    switch (frame.contentType) {
      case 'text/rude-rejection':
        return TURNED_AWAY
      case 'auth/request':
        socket.write(`${authCommand(password)}\n\n`)
        return null
      case 'command/reply':
        break
      default:
        return null
    }
    const answer = /^Reply-Text: (.*)$/m.exec(frame.head)?.[1] ?? ''
    const isLogin = this.#answers++ === 0
    if (isLogin && answer !== '+OK accepted') return WRONG_PASSWORD
    if (isLogin) socket.write(`${eventCommand(format, RECORDED_NAMES)}\n\n`)
    else if (!answer.startsWith('+OK')) return `the subscription failed: ${answer}`
    else this.done = true
    return null
  }
}
