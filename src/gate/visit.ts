/**
 * One connection of a switch to the gate: carries the conversation over its socket, has it decided,
 * and sees to it that nothing stays held for an A-leg that has not heard of it.
 */
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Decision } from './admission.js'
import { Conversation, type Ending, type Finding, HELLO, type Question } from './conversation.js'
import { type Verdict, variablesOf } from './verdict.js'

export interface VisitOptions {
  readonly decide: (question: Question) => Promise<Decision>
  /** The decision in place of one that takes too long. */
  readonly undecided: Decision
  readonly onTold: (question: Question, verdict: Verdict) => void
  readonly log: Logger
  readonly limits: VisitLimits
}

/** Every wait is bounded. */
export interface VisitLimits {
  /** For the A-leg's description. */
  readonly introductionMs: number
  /** For the ledger. Below the bound of the dialplan, so that the caller gets a plain refusal. */
  readonly decisionMs: number
  /** For the switch's word that the variables are set, and again for its goodbye. */
  readonly answerMs: number
}

/** What the operator has to know of how a conversation ended, if anything. */
const COMPLAINTS: Readonly<Record<Ending, string | null>> = {
  gone: null,
  done: null,
  looked: null,
  not_full: "the dialplan's socket needs the word 'full': no call gets through the gate",
  refused: 'the switch did not take the answer of the gate',
  nonsense: 'what has connected to the gate is no outbound socket of a switch',
  cut_short: 'a connection to the gate ended too early',
  silent: 'a connection to the gate says nothing',
}

export class Visit {
  readonly #conversation = new Conversation()
  #timer: NodeJS.Timeout | undefined
  #decision: Decision | null = null
  #question: Question | null = null
  #told = false
  #sent = false
  /** Decisions that are being made: also after the end, for they may hold. */
  #deciding: Promise<void> = Promise.resolve()
  readonly #closed: Promise<void>

  constructor(
    readonly socket: Socket,
    readonly options: VisitOptions,
  ) {
    socket.setNoDelay(true)
    // The 'close' that follows says all there is to say.
    socket.on('error', () => {})
    socket.on('data', chunk => this.#follow(this.#conversation.receive(chunk)))
    socket.on('end', () => this.#follow(this.#conversation.end()))
    this.#closed = new Promise(resolve => {
      socket.on('close', () => {
        this.#follow(this.#conversation.end())
        resolve()
      })
    })
    this.#waitFor(options.limits.introductionMs)
    socket.write(HELLO)
  }

  /** Resolves when the connection is closed and nothing that it asked for is under way any more. */
  async finished(): Promise<void> {
    await this.#closed
    await this.#deciding
  }

  /** Asks no more. An A-leg that is just being told is given its time. */
  stop(): void {
    const { state } = this.#conversation
    if (state === 'opened' || state === 'asked') this.socket.destroy()
  }

  #follow(findings: readonly Finding[]): void {
    for (const finding of findings) {
      switch (finding.type) {
        case 'asked':
          this.#question = finding.question
          this.#deciding = this.#decide(finding.question)
          break
        case 'told':
          this.#told = true
          this.#waitFor(this.options.limits.answerMs)
          break
        case 'over':
          this.#finish(finding.ending)
          break
      }
    }
  }

  async #decide(question: Question): Promise<void> {
    const { decide, undecided, limits } = this.options
    this.#waitFor(limits.decisionMs, () => this.#tell(question, undecided))
    const decision = await decide(question)
    if (this.#conversation.state === 'asked') this.#tell(question, decision)
    else decision.withdraw()
  }

  #tell(question: Question, decision: Decision): void {
    this.#decision = decision
    this.#sent = true
    this.options.onTold(question, decision.verdict)
    const variables = variablesOf(decision.verdict, question.alternatives)
    this.#waitFor(this.options.limits.answerMs)
    this.socket.write(this.#conversation.tell(question.aLeg, variables))
  }

  #finish(ending: Ending): void {
    clearTimeout(this.#timer)
    this.socket.destroy()
    if (this.#sent && !this.#told) this.#decision?.giveUp()
    const complaint = COMPLAINTS[ending]
    if (complaint) this.options.log.warn({ aLeg: this.#question?.aLeg }, complaint)
  }

  #waitFor(ms: number, then = () => this.#follow(this.#conversation.end('silent'))): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(then, ms)
  }
}
