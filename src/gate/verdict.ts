/** What the gate answers, and in which variables of the A-leg the dialplan finds it. */
import type { Refusal, Resumable } from '../call/call.js'

/** Why an A-leg is denied: as a leg would be refused, or because the question itself is no good. */
export type Denial =
  | Refusal
  /** Neither `tollgate_account` nor `ac` was set on the A-leg. */
  | 'no_account'
  /** The switch is not one of ours, or its events do not reach us: its calls would not be supervised. */
  | 'switch_unknown'

export interface Allowed {
  readonly allow: true
  /** One for each alternative that was asked for, the first always; null: nothing is held for it. */
  readonly legs: readonly (Admitted | null)[]
}

export interface Denied {
  readonly allow: false
  readonly reason: Denial
}

export type Verdict = Allowed | Denied

/** A leg that may come, with what is held for it. */
export interface Admitted {
  readonly known: Resumable
  /** The switch may end the leg so many seconds after its answer, if it has heard nothing else. */
  readonly seconds: number
}

/**
 * Every variable that the dialplan may read is set or deleted, so that none is left over from an
 * earlier call of the same A-leg. An alternative without a hold has no id, and the switch chooses one;
 * it has a time nevertheless: `sched_hangup +` without one would end the leg at once.
 */
export function variablesOf(verdict: Verdict, alternatives: number): Map<string, string> {
  const variables = new Map([
    ['tollgate_result', verdict.allow ? 'allow' : 'deny'],
    ['tollgate_reason', verdict.allow ? '' : verdict.reason],
  ])
  const legs = verdict.allow ? verdict.legs : []
  const first = legs[0]?.seconds
  for (let i = 0; i < alternatives; i++) {
    const suffix = i === 0 ? '' : `_${i + 1}`
    const leg = legs[i]
    variables.set(`tollgate_leg_uuid${suffix}`, leg?.known.leg.callId ?? '')
    variables.set(`tollgate_seconds${suffix}`, String(leg?.seconds ?? first ?? ''))
  }
  return variables
}
