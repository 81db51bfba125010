/** Where switches ask before they dial: listens, and keeps the number of conversations bounded. */
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Logger } from 'pino'
import type { SwitchLink } from '../controller/switch-link.js'
import { Admission, type AdmissionOptions, denial } from './admission.js'
import type { Question } from './conversation.js'
import type { Verdict } from './verdict.js'
import { Visit, type VisitLimits, type VisitOptions } from './visit.js'

export interface GateOptions extends AdmissionOptions {
  readonly host: string
  readonly port: number
  readonly log: Logger
  readonly limits?: VisitLimits
}

/** What one switch was told since the gate is open. */
export interface GateUse {
  readonly allowed: number
  readonly denied: number
}

/** Beyond this a connection is closed at once, which the dialplan takes for "down": refused. */
export const CONNECTIONS_MAX = 1000

const LIMITS: VisitLimits = { introductionMs: 5000, decisionMs: 2000, answerMs: 5000 }

/** How long an A-leg that is just being told may take when we stop. */
const STOP_MS = 1000

export class Gate {
  readonly #server: Server
  readonly #visits = new Set<Visit>()
  readonly #uses = new Map<SwitchLink, GateUse>()

  private constructor(readonly options: GateOptions) {
    const admission = new Admission(options)
    const { log, limits = LIMITS } = options
    const decide: Admission['decide'] = question => admission.decide(question)
    const undecided = denial('ledger_unavailable')
    const onTold: VisitOptions['onTold'] = (question, verdict) => this.#count(question, verdict)
    this.#server = createServer(socket => {
      const visit = new Visit(socket, { decide, undecided, onTold, log, limits })
      this.#visits.add(visit)
      void visit.finished().then(() => this.#visits.delete(visit))
    })
    this.#server.maxConnections = CONNECTIONS_MAX
    this.#server.on('drop', () => log.warn({ CONNECTIONS_MAX }, 'the gate is full'))
  }

  /** @throws Error with a sentence where it cannot listen there */
  static async open(options: GateOptions): Promise<Gate> {
    const gate = new Gate(options)
    const { host, port, log } = options
    await new Promise<void>((resolve, reject) => {
      gate.#server.once('error', ({ message }) => {
        reject(new Error(`gate.listen: nothing can be served at ${host}:${port}: ${message}`))
      })
      gate.#server.listen({ host, port, backlog: CONNECTIONS_MAX }, resolve)
    })
    log.info(gate.address, 'the gate is open')
    return gate
  }

  get address(): AddressInfo {
    return this.#server.address() as AddressInfo
  }

  use(link: SwitchLink): GateUse {
    return this.#uses.get(link) ?? { allowed: 0, denied: 0 }
  }

  /** Of switches that we do not know nothing is kept: there is no end of them. */
  #count({ coreUuid }: Question, { allow }: Verdict): void {
    const link = this.options.links().find(one => one.coreUuid === coreUuid)
    if (!link) return
    const { allowed, denied } = this.use(link)
    const use = allow ? { allowed: allowed + 1, denied } : { allowed, denied: denied + 1 }
    this.#uses.set(link, use)
  }

  /** Who is not answered yet, is not let through. Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#server.close()
    const visits = [...this.#visits]
    for (const visit of visits) visit.stop()
    const late = setTimeout(() => {
      for (const { socket } of visits) socket.destroy()
    }, STOP_MS)
    await Promise.all(visits.map(visit => visit.finished()))
    clearTimeout(late)
  }
}
