/**
 * The gate's side of an outbound event socket, as a pure machine: bytes in, findings out. It does no
 * I/O. FreeSWITCH connects, says nothing, and waits for commands; the A-leg goes on with its
 * dialplan when the conversation is over, however it ends.
 *
 *   connect ─▶ opened ──its A-leg──▶ asked ──tell()──▶ telling ──+OK──▶ told ──▶ over
 *                 └──────────┴───────────────┴── hangup, nonsense, end ─────────▶ over
 *
 * Never `break`: the call would hang. Nothing is asked for twice, and nothing is taken for a yes but
 * the switch's own `+OK`.
 */
import assert from 'node:assert/strict'
import type { Instant } from '../call/call.js'
import { cut, decodeHeaders } from '../switch/decode.js'
import { saysGone, setCommand } from '../switch/encode.js'
import { type Frame, FrameError, Framer, textOf } from '../switch/frames.js'
import { type Headers, plainHeaders } from '../switch/headers.js'

/** What the gate says first. */
export const HELLO = 'connect\n\n'

/** No conversation is longer: an A-leg with all its variables has some 6 kB. */
export const CONVERSATION_BYTES_MAX = 64 * 1024

/** So many legs may be asked for at a time, for failover and forks. */
export const ALTERNATIVES_MAX = 10

/** What an A-leg wants to know. */
export interface Question {
  readonly aLeg: string
  /** The run of the switch that asks. */
  readonly coreUuid: string
  readonly at: Instant
  /** Null where neither `tollgate_account` nor `ac` is set. */
  readonly account: string | null
  readonly dialled: string
  /** How many legs it wants to dial, one after the other or together. */
  readonly alternatives: number
}

export type Ending =
  /** The A-leg has hung up. */
  | 'gone'
  /** The dialplan's `socket` lacks the word `full`, so that the switch refuses `api`. */
  | 'not_full'
  /** The switch would not set the variables. */
  | 'refused'
  /** Not an outbound event socket, or one that has lost its way. */
  | 'nonsense'
  /** The connection ended before all was said. */
  | 'cut_short'
  /** Nothing at all was said: somebody, like `tollgate doctor`, only looked who answers here. */
  | 'looked'
  /** Nothing more was said for too long. */
  | 'silent'
  /** As it should. */
  | 'done'

export type Finding =
  | { readonly type: 'asked'; readonly question: Question }
  /** The A-leg has its variables. */
  | { readonly type: 'told' }
  /** Once, last of all. */
  | { readonly type: 'over'; readonly ending: Ending }

type State = 'opened' | 'asked' | 'telling' | 'told' | 'over'

/** A Unique-ID as it can be told something: encode.ts refuses all others. */
const A_LEG = /^[\w.:@+~=/-]{1,255}$/

export class Conversation {
  readonly #framer = new Framer()
  #state: State = 'opened'
  #bytes = 0

  get state(): State {
    return this.#state
  }

  receive(chunk: Buffer): Finding[] {
    if (this.#state === 'over') return []
    this.#bytes += chunk.length
    if (this.#bytes > CONVERSATION_BYTES_MAX) return this.#finish('nonsense')
    const findings: Finding[] = []
    try {
      for (const frame of this.#framer.push(chunk)) {
        findings.push(...this.#take(frame))
        if (this.state === 'over') break
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      findings.push(...this.#finish('nonsense'))
    }
    return findings
  }

  /** The other side will say no more, or has said nothing for too long. */
  end(why: 'cut_short' | 'silent' = 'cut_short'): Finding[] {
    if (this.#state === 'told') return this.#finish('done')
    return this.#finish(why === 'cut_short' && this.#bytes === 0 ? 'looked' : why)
  }

  /** What to send so that the A-leg gets these variables and goes on. To be asked for once. */
  tell(aLeg: string, variables: ReadonlyMap<string, string>): string {
    assert.equal(this.#state, 'asked', 'a conversation is told once, after it has asked')
    const command = setCommand(aLeg, variables)
    this.#state = 'telling'
    return `${command}\n\nexit\n\n`
  }

  #take(frame: Frame): Finding[] {
    if (frame.contentType === 'text/disconnect-notice') {
      return this.#finish(this.#state === 'told' ? 'done' : 'gone')
    }
    switch (this.#state) {
      case 'opened':
        return this.#readQuestion(frame)
      case 'telling':
        return this.#readAnswer(frame)
      case 'told':
        return []
      default:
        return this.#finish('nonsense')
    }
  }

  #readQuestion(frame: Frame): Finding[] {
    const headers = frame.contentType === 'command/reply' ? plainHeaders(frame.head) : null
    const question = headers && questionOf(headers)
    if (!question) return this.#finish('nonsense')
    this.#state = 'asked'
    return [{ type: 'asked', question }]
  }

  #readAnswer({ contentType, body, head }: Frame): Finding[] {
    if (contentType === 'command/reply') {
      return this.#finish(
        /^Reply-Text: -ERR command not found/im.test(head) ? 'not_full' : 'refused',
      )
    }
    if (contentType !== 'api/response' || !body) return this.#finish('nonsense')
    const text = textOf(body)
    if (saysGone(text)) return this.#finish('gone')
    if (!text.startsWith('+OK')) return this.#finish('refused')
    this.#state = 'told'
    return [{ type: 'told' }]
  }

  #finish(ending: Ending): Finding[] {
    if (this.#state === 'over') return []
    this.#state = 'over'
    return [{ type: 'over', ending }]
  }
}

/** The answer to `connect` has all that the switch knows of the A-leg. */
function questionOf(headers: Headers): Question | null {
  const leg = decodeHeaders(headers)
  if (leg?.name !== 'CHANNEL_DATA' || !A_LEG.test(leg.legId)) return null
  return {
    aLeg: leg.legId,
    coreUuid: leg.coreUuid,
    at: leg.at,
    account: cut(headers.get('variable_tollgate_account')) ?? leg.ac,
    dialled: cut(headers.get('variable_tollgate_number')) ?? leg.number,
    alternatives: alternativesOf(headers.get('variable_tollgate_alternatives')),
  }
}

/** What is no number asks for one leg: those beyond are judged when they are dialled, as ever. */
function alternativesOf(text: string | null): number {
  if (text === null || !/^[1-9]\d{0,5}$/.test(text)) return 1
  return Math.min(Number(text), ALTERNATIVES_MAX)
}
