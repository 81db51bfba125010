/** An event socket of the suite's own, beside the daemon's: what the switch tells, and orders to it. */
import { Connection } from '../../../src/switch/connection.js'
import { headersOf } from '../../../src/switch/decode.js'
import { expectOk } from '../../../src/switch/encode.js'
import type { Installation } from './installation.js'

const ANSWER_MS = 30_000

const NAMES = ['CHANNEL_CREATE', 'CHANNEL_HOLD', 'CHANNEL_UNHOLD', 'CHANNEL_HANGUP_COMPLETE']

export interface Seen {
  readonly name: string
  readonly legId: string
  readonly direction: string
  /** Caller-Destination-Number. */
  readonly number: string
  readonly channel: string
  get(header: string): string | null
}

export class Watch {
  readonly seen: Seen[] = []
  #commands!: Connection
  #events!: Connection

  /** @throws Error where there is no connection, with the reason. */
  static async open(at: Installation): Promise<Watch> {
    const watch = new Watch()
    watch.#commands = await connect(at, () => {})
    watch.#events = await connect(at, frame => {
      const headers = headersOf(frame)
      const name = headers?.get('Event-Name')
      if (!headers || !name) return
      const get = (header: string) => headers.get(header)
      watch.seen.push({
        ...{ name, get, legId: get('Unique-ID') ?? '', direction: get('Call-Direction') ?? '' },
        ...{ number: get('Caller-Destination-Number') ?? '', channel: get('Channel-Name') ?? '' },
      })
    })
    expectOk(await watch.#events.command(`event plain ${NAMES.join(' ')}`, ANSWER_MS))
    return watch
  }

  /** The answer of the switch, without the line end. */
  async api(line: string): Promise<string> {
    return (await this.#commands.command(`api ${line}`, ANSWER_MS)).trimEnd()
  }

  /** Of legs that were dialled over SIP, so none of a loopback pair. */
  created(number: string, direction = 'outbound'): Seen[] {
    return this.seen.filter(
      seen =>
        seen.name === 'CHANNEL_CREATE' &&
        seen.number === number &&
        seen.direction === direction &&
        seen.channel.startsWith('sofia/'),
    )
  }

  /** All events of this name of a leg. */
  of(legId: string, name: string): Seen[] {
    return this.seen.filter(seen => seen.legId === legId && seen.name === name)
  }

  close(): void {
    this.#commands.close('done')
    this.#events.close('done')
  }
}

function connect(
  { host, port, password }: Installation,
  onFrame: ConstructorParameters<typeof Connection>[0]['onFrame'],
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const connection: Connection = new Connection({
      ...{ host, port, password, loginTimeoutMs: ANSWER_MS, onFrame },
      onReady: () => resolve(connection),
      onClose: why => reject(new Error(`no event socket at ${host}:${port}: ${why}`)),
    })
  })
}
