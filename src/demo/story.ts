/** Tells what happens to calls, a line for each thing that a person would want to know. */
import type { Call, Command, Event, Reason } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import { durationUs } from '../call/cdr.js'
import type { Observer } from '../controller/controller.js'
import { formatMoney, type Money } from '../money.js'

export interface Line {
  readonly account: string
  readonly what: string
  readonly text: string
}

const WHY: Readonly<Partial<Record<Reason, string>>> = {
  no_credit: 'no credit left',
  not_renewed: 'the hold was not raised in time',
  unknown_account: 'no such account',
}

export class Story implements Observer {
  /** What was last said to be held for each call. */
  readonly #held = new Map<string, Money>()
  readonly #final = new Set<string>()

  constructor(readonly tell: (line: Line) => void) {}

  onStep(callId: string, event: Event, call: Call): void {
    if (call.phase === 'new') return
    const { account, dialled } = call.leg
    const say = (what: string, text: string) => this.tell({ account, what, text })
    if (event.type === 'created') say('created', `a call to ${dialled}`)
    if (event.type === 'answered' && call.phase === 'answered') {
      say('answered', `paid for ${talkS(call)} s of talk`)
    }
    if (event.type !== 'held' || !('held' in call)) return
    this.#tellHeld(callId, call, say)
  }

  onCommand(callId: string, command: Command): void {
    if (command.type === 'hangUp') this.#held.delete(callId)
  }

  onCdr(cdr: Cdr): void {
    this.#held.delete(cdr.callId)
    this.#final.delete(cdr.callId)
    const seconds = (durationUs(cdr.answeredAt, cdr.endedAt) / 1e6).toFixed(2)
    const why = cdr.reason === null ? cdr.cause : (WHY[cdr.reason] ?? cdr.reason)
    const cost = `${seconds} s cost ${formatMoney(cdr.cost)}`
    const loss = cdr.writeOff > 0n ? `, ${formatMoney(cdr.writeOff)} written off` : ''
    const text = cdr.outcome === 'refused' ? why : `${cost} (${why}${loss})`
    this.tell({ account: cdr.account, what: cdr.outcome.replace('_', ' '), text })
  }

  #tellHeld(callId: string, call: Call, say: (what: string, text: string) => void): void {
    if (!('held' in call)) return
    const before = this.#held.get(callId)
    if (call.held !== before) {
      this.#held.set(callId, call.held)
      const until = call.phase === 'answered' ? `, funded for ${talkS(call)} s` : ''
      say(before === undefined ? 'held' : 'raised', `${formatMoney(call.held)} held${until}`)
    }
    if (call.phase !== 'answered') return
    if (call.final === null) {
      this.#final.delete(callId)
    } else if (!this.#final.has(callId)) {
      this.#final.add(callId)
      say('final', `all credit is held: the call ends after ${talkS(call)} s`)
    }
  }
}

function talkS(call: Extract<Call, { phase: 'answered' }>): number {
  return (call.fundedUntil - call.answeredAt) / 1e6
}
