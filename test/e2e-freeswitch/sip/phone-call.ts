/** One call of a phone: a dialogue, from its INVITE to its BYE. */
import type { Media } from './media.js'
import {
  authorization,
  header,
  hostOf,
  newBranch,
  type SipMessage,
  statusOf,
  tagOf,
  uriOf,
} from './message.js'
import type { Credentials, Phone, Plan } from './phone.js'

export interface Dialogue {
  readonly callId: string
  /** Who was called. */
  readonly number: string
  /** Our own end with its tag, and theirs, which gets its tag when they answer. */
  readonly local: string
  remote: string
  /** Where requests go. */
  target: string
  peer: { host: string; port: number }
}

export class PhoneCall {
  state: 'calling' | 'ringing' | 'answered' | 'ended' = 'calling'
  /** The final status of the INVITE: 200, or why there was no call. */
  status: number | null = null
  /** By the clock of this process, in milliseconds. */
  readonly beganMs = performance.now()
  /** Of the last request that was sent. */
  #cseq = 0
  /** Of the INVITE that was sent, or the INVITE that came and the tag that it is answered with. */
  #branch = ''
  #invite: SipMessage | null = null
  #tag = ''
  #timer: NodeJS.Timeout | undefined

  constructor(
    readonly phone: Phone,
    readonly media: Media,
    readonly dialogue: Dialogue,
  ) {}

  get callId(): string {
    return this.dialogue.callId
  }

  get number(): string {
    return this.dialogue.number
  }

  /** Calls; with credentials once more if it is challenged. */
  invite(as?: Credentials, more: SipMessage['headers'] = []): void {
    const { phone, media, dialogue } = this
    this.#branch = newBranch()
    const uri = dialogue.target
    const body = media.describe(phone.ip, 'sendrecv')
    const headers = [...this.#headers('INVITE'), ['Content-Type', 'application/sdp'], ...more]
    const request = { method: 'INVITE', uri, body, branch: this.#branch, to: dialogue.peer }
    const sent = phone.request({ ...request, headers: headers as SipMessage['headers'] }, () => {
      if (this.state === 'calling') this.state = 'ringing'
    })
    void sent.then(response => this.#answerToInvite(response, as))
  }

  #answerToInvite(response: SipMessage, as?: Credentials): void {
    const { dialogue, phone } = this
    const status = statusOf(response)
    const to = header(response, 'to')
    if (status >= 300) {
      const headers = this.#headers('ACK', { to, cseq: this.#cseq })
      const ack = { method: 'ACK', uri: dialogue.target, headers, branch: this.#branch }
      phone.send({ ...ack, to: dialogue.peer })
      if (status === 407 && as && this.#cseq === 1) {
        const challenge = header(response, 'proxy-authenticate')
        const answer = authorization(challenge, as, 'INVITE', dialogue.target)
        return this.invite(as, [['Proxy-Authorization', answer]])
      }
      this.status = status
      return this.#end()
    }
    this.status = status
    dialogue.remote = to
    dialogue.target = uriOf(header(response, 'contact'))
    dialogue.peer = hostOf(dialogue.target)
    this.#acknowledge()
    this.media.sendTo(response.body)
    this.state = 'answered'
  }

  #acknowledge(): void {
    const headers = this.#headers('ACK', { cseq: this.#cseq })
    this.phone.send({ method: 'ACK', uri: this.dialogue.target, headers, to: this.dialogue.peer })
  }

  /** An INVITE has come: does as the plan says. */
  receive(invite: SipMessage, tag: string, { ringMs, refuse }: Plan): void {
    this.#invite = invite
    this.#tag = tag
    if (refuse) {
      this.status = Number.parseInt(refuse, 10)
      this.phone.respond(invite, refuse, tag)
      return this.#end()
    }
    this.state = 'ringing'
    if (ringMs === 0) return this.answer()
    this.phone.respond(invite, '180 Ringing', tag)
    if (ringMs !== null) this.#timer = setTimeout(() => this.answer(), ringMs)
  }

  answer(): void {
    if (this.state !== 'ringing' || !this.#invite) return
    this.state = 'answered'
    this.status = 200
    const answer = this.media.describe(this.phone.ip, 'sendrecv')
    this.phone.respond(this.#invite, '200 OK', this.#tag, answer)
    this.media.sendTo(this.#invite.body)
  }

  /** Hangs up; a call that was not answered yet is cancelled. */
  async hangUp(): Promise<void> {
    if (this.state === 'ended') return
    if (this.state === 'answered') {
      await this.#ask('BYE')
      return this.#end()
    }
    const headers = this.#headers('CANCEL', { cseq: this.#cseq })
    const { target: uri, peer: to } = this.dialogue
    await this.phone.request({ method: 'CANCEL', uri, headers, branch: this.#branch, to })
  }

  /** Puts the other side on hold, or takes it back (`sendrecv`). Resolves to the status. */
  async reinvite(direction: 'sendonly' | 'sendrecv'): Promise<number> {
    const body = this.media.describe(this.phone.ip, direction)
    const status = await this.#ask('INVITE', [['Content-Type', 'application/sdp']], body)
    this.#acknowledge()
    return status
  }

  /**
   * Has the other side call somebody else: blind with an extension, attended with another call of
   * this phone, which the other side takes over. Resolves to the status.
   */
  async refer(to: string | PhoneCall): Promise<number> {
    const { host, port } = this.dialogue.peer
    const plain = (extension: string) => `sip:${extension}@${host}:${port}`
    const target = typeof to === 'string' ? plain(to) : `${plain(to.number)}?Replaces=${to.#key()}`
    const by = uriOf(this.dialogue.local)
    return this.#ask('REFER', [
      ['Refer-To', `<${target}>`],
      ['Referred-By', `<${by}>`],
    ])
  }

  /** This call as a Replaces header in an address names it. */
  #key(): string {
    const { callId, local, remote } = this.dialogue
    return encodeURIComponent(`${callId};to-tag=${tagOf(remote)};from-tag=${tagOf(local)}`)
  }

  /** A request within the call. */
  take(request: SipMessage, method: string): void {
    switch (method) {
      case 'ACK':
        return
      case 'CANCEL':
        this.phone.respond(request, '200 OK', this.#tag)
        if (this.state !== 'ringing' || !this.#invite) return
        this.phone.respond(this.#invite, '487 Request Terminated', this.#tag)
        this.status = 487
        return this.#end()
      case 'BYE':
        this.phone.respond(request, '200 OK', this.#tag)
        return this.#end()
      case 'INVITE': {
        const answer = this.media.describe(this.phone.ip, 'sendrecv')
        this.phone.respond(request, '200 OK', this.#tag, answer)
        return this.media.sendTo(request.body)
      }
      default:
        return this.phone.respond(request, '200 OK', this.#tag)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    if (this.state !== 'ended') this.#end()
  }

  async #ask(method: string, more: SipMessage['headers'] = [], body = ''): Promise<number> {
    const headers = [...this.#headers(method), ...more]
    const { target: uri, peer: to } = this.dialogue
    return statusOf(await this.phone.request({ method, uri, headers, body, to }))
  }

  #headers(
    method: string,
    { to = this.dialogue.remote, cseq = ++this.#cseq }: { to?: string; cseq?: number } = {},
  ): SipMessage['headers'] {
    const { local, callId } = this.dialogue
    return [
      ['From', local],
      ['To', to],
      ['Call-ID', callId],
      ['CSeq', `${cseq} ${method}`],
      ['Contact', `<sip:phone@${this.phone.address}>`],
    ]
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.state = 'ended'
    this.media.close()
  }
}
