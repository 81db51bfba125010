/** The calls under supervision as people see them: with what they cost so far. */
import type { Call, Instant } from '../call/call.js'
import type { Money } from '../money.js'
import { costOf } from '../rating/rate.js'
import type { Controller, Supervised } from './controller.js'
import type { SwitchLink } from './switch-link.js'

type LivePhase = Exclude<Call['phase'], 'new' | 'ended'>

export interface LiveCall {
  readonly callId: string
  readonly account: string
  readonly number: string
  readonly switch: string
  readonly state: LivePhase
  /** Whole seconds of talk so far. */
  readonly seconds: number
  /** What they cost. */
  readonly cost: Money
  readonly held: Money
  /** Null before it is answered. */
  readonly fundedUntil: Instant | null
  /** The call ends when its hold is used up. */
  readonly final: boolean
}

export function* liveCalls(controller: Controller): Generator<LiveCall> {
  for (const slot of controller.calls.values()) {
    const { phase } = slot.call
    if (phase !== 'new' && phase !== 'ended') yield describe(slot, phase)
  }
}

export function countLive(controller: Controller, link: SwitchLink): number {
  let count = 0
  for (const { call, link: its } of controller.calls.values()) {
    if (its === link && call.phase !== 'new' && call.phase !== 'ended') count += 1
  }
  return count
}

function describe({ call, leg, link }: Supervised, state: LivePhase): LiveCall {
  const known = { callId: leg.callId, account: leg.account, switch: leg.switch, state }
  const number = 'tariff' in call && call.tariff ? call.tariff.number : leg.dialled
  const held = 'held' in call ? call.held : 0n
  const nothing = { seconds: 0, cost: 0n, fundedUntil: null, final: false }
  if (call.phase !== 'answered') return { ...known, number, held, ...nothing }
  const seconds = Math.max(0, Math.ceil((link.now() - call.answeredAt) / 1e6))
  const cost = costOf(call.tariff.rate, seconds)
  const { fundedUntil, final } = call
  return { ...known, number, held, seconds, cost, fundedUntil, final: final !== null }
}
