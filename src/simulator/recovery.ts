/** What `sofia recover` makes of a call after a crash of the switch. */
import type { Call } from './call.js'
import { bridgeLines } from './channel-headers.js'
import type { Core } from './core.js'

/** How often a recovered leg says ANSWER again; it was answered before either way. */
const ANSWER_AGAIN_CHANCE = 0.5

/** Announces the legs of the call anew: the same uuids, the same times, one more variable. */
export function recoverCall(core: Core, call: Call) {
  for (const leg of [call.a, ...call.branches]) {
    if (!leg) continue
    const { state, stateNumber, callState } = leg
    leg.variables.set('recovered', 'true')
    leg.variables.set('session_id', String(core.newSessionId()))
    Object.assign(leg, { state: 'CS_INIT', stateNumber: 2, callState: 'DOWN' })
    core.emitChannel('CHANNEL_CREATE', leg)
    if (leg.ending) return
    if (core.parts.random() < ANSWER_AGAIN_CHANCE) core.emitChannel('CHANNEL_ANSWER', leg)
    if (leg.ending) return
    Object.assign(leg, { state, stateNumber, callState })
  }
  const { a, branches, bridged } = call
  if (a && bridged) core.emitChannel('CHANNEL_BRIDGE', a, bridgeLines(a, branches[0]!))
}
