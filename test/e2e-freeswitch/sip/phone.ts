/**
 * A SIP phone, or a carrier: one UDP socket, any number of calls. It is the far end that a switch
 * cannot fool: what was not sent to it, it has not got.
 */
import { randomUUID } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { Media } from './media.js'
import {
  authorization,
  header,
  hostOf,
  isRequest,
  methodOf,
  newBranch,
  parseMessage,
  type SipMessage,
  statusOf,
  tagOf,
  transactionOf,
  uriOf,
  userOf,
  writeMessage,
} from './message.js'
import { PhoneCall } from './phone-call.js'

/** RFC 3261, T1: what is not answered is sent again after this, then after twice as long, and so on. */
const AGAIN_MS = 500

export interface Credentials {
  readonly user: string
  readonly domain: string
  readonly password: string
}

export interface Request {
  readonly method: string
  readonly uri: string
  readonly headers: SipMessage['headers']
  readonly body?: string
  /** Of its own where an ACK or a CANCEL belongs to another request. */
  readonly branch?: string
  readonly to?: { host: string; port: number }
}

/** How a number is answered: the status of a refusal, or after how long ringing it is picked up. */
export interface Plan {
  /** Null: it rings for ever. */
  readonly ringMs: number | null
  /** As in `486 Busy Here`. */
  readonly refuse?: string
}

const ANSWERED_SOON: Plan = { ringMs: 300 }

interface Pending {
  timer: NodeJS.Timeout | undefined
  onResponse(response: SipMessage): void
}

export class Phone {
  /** All calls that have come in, ended or not, in the order of their INVITEs. */
  readonly incoming: PhoneCall[] = []
  readonly #calls = new Map<string, PhoneCall>()
  readonly #pending = new Map<string, Pending>()
  /** What was answered to each request, for those that come once more. */
  readonly #answers = new Map<string, string>()
  readonly #plans = new Map<string, Plan>()

  private constructor(
    readonly ip: string,
    readonly socket: Socket,
  ) {
    socket.on('message', (bytes, from) => this.#receive(parseMessage(bytes.toString()), from))
  }

  static async open(ip: string): Promise<Phone> {
    const socket = createSocket('udp4')
    socket.bind(0, ip)
    await once(socket, 'listening')
    return new Phone(ip, socket)
  }

  get address(): string {
    return `${this.ip}:${this.socket.address().port}`
  }

  /** From now on a call to this number goes so. */
  plan(number: string, plan: Plan): void {
    this.#plans.set(number, plan)
  }

  callsTo(number: string): PhoneCall[] {
    return this.incoming.filter(call => call.number === number)
  }

  /** @param proxy `host:port` of the switch; `as` answers its challenge */
  async call(user: string, proxy: string, as?: Credentials): Promise<PhoneCall> {
    const media = await Media.open(this.ip)
    const who = as ? `sip:${as.user}@${as.domain}` : `sip:caller@${this.address}`
    const uri = `sip:${user}@${as?.domain ?? proxy}`
    const call = new PhoneCall(this, media, {
      ...{ callId: randomUUID(), number: user, target: uri },
      ...{
        local: `<${who}>;tag=${randomUUID()}`,
        remote: `<${uri}>`,
        peer: hostOf(`sip:${proxy}`),
      },
    })
    this.#calls.set(call.callId, call)
    call.invite(as)
    return call
  }

  /** The status of the final answer: 200, or 403. */
  async register(proxy: string, as: Credentials): Promise<number> {
    const who = `<sip:${as.user}@${as.domain}>`
    const [callId, tag] = [randomUUID(), randomUUID()]
    const ask = (cseq: number, more: SipMessage['headers']) =>
      this.request({
        method: 'REGISTER',
        uri: `sip:${as.domain}`,
        headers: [
          ['From', `${who};tag=${tag}`],
          ['To', who],
          ['Call-ID', callId],
          ['CSeq', `${cseq} REGISTER`],
          ['Contact', `<sip:${as.user}@${this.address}>`],
          ['Expires', '300'],
          ...more,
        ],
        to: hostOf(`sip:${proxy}`),
      })
    const first = await ask(1, [])
    if (statusOf(first) !== 401) return statusOf(first)
    const challenge = header(first, 'www-authenticate')
    const answer = authorization(challenge, as, 'REGISTER', `sip:${as.domain}`)
    return statusOf(await ask(2, [['Authorization', answer]]))
  }

  /** Sends a request until it is answered; resolves to the final response. */
  request(request: Request, onProvisional?: (response: SipMessage) => void): Promise<SipMessage> {
    const { method, branch = newBranch() } = request
    const key = `${branch} ${method}`
    return new Promise(resolve => {
      const pending: Pending = {
        timer: undefined,
        onResponse: response => {
          clearTimeout(pending.timer)
          if (statusOf(response) < 200) return onProvisional?.(response)
          this.#pending.delete(key)
          resolve(response)
        },
      }
      this.#pending.set(key, pending)
      const send = (waitMs: number) => {
        this.send({ ...request, branch })
        pending.timer = setTimeout(() => send(waitMs * 2), waitMs)
      }
      send(AGAIN_MS)
    })
  }

  /** Sends a request once: an ACK, which nobody answers. */
  send({ method, uri, headers, body = '', branch = newBranch(), to = hostOf(uri) }: Request): void {
    const via = `SIP/2.0/UDP ${this.address};branch=${branch};rport`
    this.#write(
      writeMessage({
        start: `${method} ${uri} SIP/2.0`,
        headers: [['Via', via], ['Max-Forwards', '70'], ...headers],
        body,
      }),
      to,
    )
  }

  /** @param status as in `180 Ringing` */
  respond(request: SipMessage, status: string, tag: string, body = ''): void {
    const headers = request.headers.filter(([name]) => REPEATED.includes(name))
    const to = header(request, 'to')
    const tagged = tagOf(to) || status.startsWith('100') ? to : `${to};tag=${tag}`
    const text = writeMessage({
      start: `SIP/2.0 ${status}`,
      headers: [
        ...headers,
        ['To', tagged],
        ['Contact', `<sip:phone@${this.address}>`],
        ...(body === '' ? [] : ([['Content-Type', 'application/sdp']] as const)),
      ],
      body,
    })
    this.#answers.set(transactionOf(request), text)
    const [, host, port] = /^SIP\/2\.0\/UDP ([^:;]+)(?::(\d+))?/.exec(header(request, 'via'))!
    this.#write(text, { host: host!, port: Number(port ?? 5060) })
  }

  close(): void {
    for (const { timer } of this.#pending.values()) clearTimeout(timer)
    for (const call of this.#calls.values()) call.close()
    this.#calls.clear()
    this.socket.close()
  }

  #write(text: string, { host, port }: { host: string; port: number }): void {
    this.socket.send(text, port, host, () => {})
  }

  #receive(message: SipMessage, from: { address: string; port: number }): void {
    if (message.headers.length === 0) return
    if (!isRequest(message)) return this.#pending.get(transactionOf(message))?.onResponse(message)
    const method = methodOf(message)
    const answered = this.#answers.get(transactionOf(message))
    if (answered && method !== 'ACK') {
      return this.#write(answered, { host: from.address, port: from.port })
    }
    const call = this.#calls.get(header(message, 'call-id'))
    if (call) return call.take(message, method)
    if (method === 'INVITE') return void this.#ring(message)
    if (method === 'OPTIONS') return this.respond(message, '200 OK', randomUUID())
    if (method !== 'ACK') this.respond(message, '481 Call Does Not Exist', randomUUID())
  }

  /** A new call has come in. */
  async #ring(invite: SipMessage): Promise<void> {
    const callId = header(invite, 'call-id')
    this.respond(invite, '100 Trying', '')
    const tag = randomUUID()
    const number = userOf(invite.start.split(' ')[1]!)
    const target = uriOf(header(invite, 'contact'))
    const media = await Media.open(this.ip)
    const call = new PhoneCall(this, media, {
      ...{ callId, number, target, peer: hostOf(target) },
      ...{ local: `${header(invite, 'to')};tag=${tag}`, remote: header(invite, 'from') },
    })
    this.#calls.set(callId, call)
    this.incoming.push(call)
    call.receive(invite, tag, this.#plans.get(number) ?? ANSWERED_SOON)
  }
}

const REPEATED = ['via', 'from', 'call-id', 'cseq', 'record-route']
