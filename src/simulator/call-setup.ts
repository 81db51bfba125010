/**
 * A call from its first event to its bridge, in the order and with the pauses of the recordings:
 *
 *   A CREATE ·20ms· B CREATE, B PROGRESS ·20ms· A PROGRESS ·ring· B ANSWER
 *            ·20ms· A PROGRESS_MEDIA, A ANSWER, A BRIDGE
 *
 * Without a caller: CREATE, PROGRESS ·ring· ANSWER, and the leg is parked. A listener may hang a
 * leg up from within an event; that is why each step looks whether its leg is still there.
 */
import type { Call } from './call.js'
import {
  type Branch,
  branchesOf,
  type CallPlan,
  type PlacedCall,
  payingAccount,
} from './call-plan.js'
import type { CallTeardown } from './call-teardown.js'
import { bridgeLines, otherLeg } from './channel-headers.js'
import type { Core } from './core.js'
import * as inbound from './inbound-variables.js'
import type { Leg } from './leg.js'
import { dialVariables, newInboundLeg, newOutboundLeg } from './new-leg.js'
import * as outbound from './outbound-variables.js'
import { STEP_MS } from './switch-clock.js'

export class CallSetup {
  constructor(
    readonly core: Core,
    readonly teardown: CallTeardown,
    /** `execute_on_answer='sched_hangup +60 ALLOTTED_TIMEOUT'` in a dial string. */
    readonly hangUpLater: (leg: Leg, delayS: number, cause: string) => void,
  ) {}

  place(call: Call): PlacedCall {
    const { plan } = call
    const ids = branchesOf(plan).map(
      branch => branch.uuid ?? branch.extraVariables?.['origination_uuid'] ?? this.core.newUuid(),
    )
    const aId = plan.aLeg ? (plan.aUuid ?? this.core.newUuid()) : undefined
    if (aId === undefined) {
      this.#dial(call, ids)
    } else {
      this.#createInbound(call, plan, aId)
      call.later(STEP_MS, () => this.#dial(call, ids))
    }
    return { a: aId, b: ids[0]!, branches: ids }
  }

  #createInbound(call: Call, plan: CallPlan, uuid: string) {
    const { core } = this
    const { leg, values } = newInboundLeg(core, plan, uuid)
    call.add(leg, values)
    this.teardown.begin(call, leg, undefined)
    core.apply(leg, inbound.A_CREATED, values)
    core.emitChannel('CHANNEL_CREATE', leg)
    if (leg.ending) return
    become(leg, 'CS_EXECUTE', 4)
    leg.callState = 'RINGING'
    leg.application = 'bridge'
    leg.applicationArgument = values['dialString'] ?? ''
  }

  #dial(call: Call, ids: readonly string[]) {
    const { plan, a } = call
    if (plan.aLeg && !a) return
    if (a) this.core.apply(a, inbound.A_BRIDGING, call.values(a), plan.aVariables)
    const legs = branchesOf(plan).map((branch, i) => this.#createOutbound(call, branch, ids[i]!))
    if (a) this.#noteDialled(a, legs, call)
    for (const leg of legs) if (rings(call.branchPlan(leg))) this.#ring(call, leg)
    for (const leg of legs) {
      const branch = call.branchPlan(leg)
      if (branch.instant) this.#settle(call, leg, branch)
      else call.later(branch.ringMs, () => this.#settle(call, leg, branch))
    }
  }

  #createOutbound(call: Call, branch: Branch, uuid: string): Leg {
    const { core } = this
    const { leg, values } = newOutboundLeg(core, call.plan, branch, uuid, call.a)
    call.add(leg, values, branch)
    this.teardown.begin(call, leg, payingAccount(call.plan, branch))
    core.apply(leg, outbound.B_CREATED, values, dialVariables(call.plan, branch))
    core.emitChannel('CHANNEL_CREATE', leg)
    if (!leg.ending) become(leg, 'CS_CONSUME_MEDIA', 7)
    return leg
  }

  #noteDialled(a: Leg, legs: readonly Leg[], call: Call) {
    if (a.ending) return
    const dialled = legs.map(leg => `${leg.uuid};Outbound Call;${leg.profile.destination}`)
    const several = dialled.length > 1
    this.core.apply(a, several ? inbound.A_DIALLED_SEVERAL : inbound.A_DIALLED_ONE, {
      ...call.values(a),
      lastBranch: legs.at(-1)!.uuid,
      originatedLegs: several ? `ARRAY::${dialled.join('|:')}` : dialled[0],
    })
  }

  #ring(call: Call, leg: Leg) {
    if (leg.ending) return
    const { core } = this
    leg.times.progress = core.now()
    leg.profile = { ...leg.profile, networkAddr: '127.0.0.1' }
    if (leg.other) leg.other.times.progress = leg.times.progress
    core.apply(leg, outbound.B_RINGING, call.values(leg))
    core.emitChannel('CHANNEL_PROGRESS', leg)
    if (leg.ending) return
    leg.callState = 'RINGING'
    if (call.a && call.a.times.progress === 0) {
      call.a.times.progress = leg.times.progress
      call.later(STEP_MS, () => this.#ringBack(call))
    }
  }

  #ringBack(call: Call) {
    const { a, branches } = call
    if (!a || a.ending || a.times.answered !== 0) return
    if (branches.length === 1) this.#showCallee(a, branches[0]!)
    this.core.apply(a, inbound.A_RINGING, call.values(a))
    this.core.emitChannel('CHANNEL_PROGRESS', a)
  }

  #showCallee(a: Leg, b: Leg) {
    const { destination } = b.profile
    a.profile = { ...a.profile, calleeName: 'Outbound Call', calleeNumber: destination }
  }

  /** The far end has made up its mind. */
  #settle(call: Call, leg: Leg, branch: Branch) {
    if (leg.ending) return
    if (branch.answer) this.#answer(call, leg)
    else if (branch.busyCause !== undefined) this.teardown.refuse(call, leg, branch.busyCause)
    else this.teardown.giveUp(call, leg)
  }

  #answer(call: Call, leg: Leg) {
    const { core } = this
    leg.times.answered = core.now()
    leg.answerState = 'answered'
    leg.hasCodec = true
    if (leg.times.progress === 0) {
      leg.profile = { ...leg.profile, networkAddr: '127.0.0.1' }
      core.apply(leg, outbound.B_FIRST_REPLY, call.values(leg))
    }
    core.apply(leg, outbound.B_ANSWERED, call.values(leg))
    this.teardown.noteAnswer(leg)
    core.emitChannel('CHANNEL_ANSWER', leg)
    if (leg.ending) return
    leg.callState = 'ACTIVE'
    this.#executeOnAnswer(leg)
    if (call.a) call.later(STEP_MS, () => this.#connect(call, leg))
    else this.#park(call, leg)
    this.#talk(call, leg)
  }

  /** Every variable whose name begins with `execute_on_answer` is carried out. */
  #executeOnAnswer(leg: Leg) {
    for (const { name, value } of leg.variables.block().lines) {
      if (!name.startsWith('variable_execute_on_answer')) continue
      const [, delayS, cause] = /^sched_hangup \+(\d+)(?: (\S+))?$/.exec(value) ?? []
      if (delayS) this.hangUpLater(leg, Number(delayS), cause ?? 'ALLOTTED_TIMEOUT')
    }
  }

  /** An originated leg runs its application with caller and callee exchanged. */
  #park(call: Call, leg: Leg) {
    const { callerName, callerNumber, calleeName, calleeNumber, ...rest } = leg.profile
    leg.profile = {
      ...rest,
      callerName: calleeName ?? '',
      callerNumber: calleeNumber ?? '',
      calleeName: callerName,
      calleeNumber: callerNumber,
    }
    become(leg, 'CS_EXECUTE', 4)
    leg.hitDialplan = true
    leg.application = 'park'
    this.core.apply(leg, outbound.B_PARKED, call.values(leg))
  }

  /** A hears that B has answered, and is bridged to it; the other branches lose the race. */
  #connect(call: Call, b: Leg) {
    const { core, teardown } = this
    const { a } = call
    if (!a || a.ending || b.ending) return
    const losers = call.branches.filter(leg => leg !== b)
    call.outcomes.set(b.uuid, 'NONE')
    const lost = teardown.lose(call, losers)
    if (a.ending || b.ending) return lost()
    this.#answerInbound(call, a, b, losers.length > 0)
    lost()
    if (a.ending || b.ending) return
    a.times.bridged = core.now()
    b.times.bridged = a.times.bridged
    a.callState = 'ACTIVE'
    a.other = otherLeg(b, 'originatee', { ...b.times, bridged: 0 })
    core.apply(a, inbound.A_BRIDGED, {
      ...call.values(a),
      partner: b.uuid,
      originateCauses: call.originateCauses(),
    })
    call.bridged = true
    become(b, 'CS_EXCHANGE_MEDIA', 5)
    core.emitChannel('CHANNEL_BRIDGE', a, bridgeLines(a, b))
  }

  #answerInbound(call: Call, a: Leg, b: Leg, forked: boolean) {
    const { core } = this
    this.#showCallee(a, b)
    a.times.progressMedia = core.now()
    a.answerState = 'early'
    a.hasCodec = true
    core.apply(a, inbound.A_EARLY_MEDIA, {
      ...call.values(a),
      loserCause: forked ? 'LOSE_RACE' : undefined,
    })
    core.emitChannel('CHANNEL_PROGRESS_MEDIA', a)
    if (a.ending) return
    a.callState = 'EARLY'
    a.answerState = 'answered'
    a.times.answered = core.now()
    this.teardown.noteAnswer(a)
    core.apply(a, inbound.A_ANSWERED, call.values(a))
    core.emitChannel('CHANNEL_ANSWER', a)
  }

  #talk(call: Call, b: Leg) {
    const { talkMs, hungUpBy } = call.plan
    if (talkMs === null) return
    const first = call.a && hungUpBy !== 'callee' ? call.a : b
    call.later(talkMs, () => this.teardown.partyHangsUp(first))
  }
}

/** Does the far end ring before it does anything else? */
const rings = (branch: Branch) =>
  !branch.instant && (branch.busyCause === undefined || branch.ringMs > 0)

function become(leg: Leg, state: Leg['state'], stateNumber: number) {
  leg.state = state
  leg.stateNumber = stateNumber
}
