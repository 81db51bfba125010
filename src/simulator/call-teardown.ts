/**
 * How calls end: who drags whom along, with which cause and in which order (ending.ts).
 *
 * The first HANGUP happens at once; what follows comes in the same step of the switch's clock or,
 * a third of the time, in the next: then HANGUP's own stamp is 20 ms older than the
 * Caller-Channel-Hangup-Time that HANGUP_COMPLETE tells.
 */
import type { Call } from './call.js'
import type { Core } from './core.js'
import { type Ending, ORDERS, type Order, type Step } from './ending.js'
import type { EndedBy } from './history.js'
import type { Leg } from './leg.js'
import { LegEnd } from './leg-end.js'
import { STEP_MS } from './switch-clock.js'

/** How often what follows a hangup comes a step of the clock later. */
const LATE_CHANCE = 1 / 3

type Way = Pick<Ending, 'bs' | 'first' | 'by'> & Partial<Ending>

export class CallTeardown {
  /** The call of each leg that has not begun to end. */
  readonly #calls = new Map<string, Call>()
  readonly #legEnd: LegEnd

  constructor(
    readonly core: Core,
    destroyed: (leg: Leg) => void,
  ) {
    this.#legEnd = new LegEnd(core, destroyed)
  }

  /** From now on the leg is listed, and what becomes of it is on record. */
  begin(call: Call, leg: Leg, ac: string | undefined) {
    const { uuid, direction, times, profile } = leg
    this.#calls.set(uuid, call)
    this.core.admit(leg)
    this.core.parts.history.begin({
      uuid,
      direction,
      originator: leg.other?.uuid,
      number: profile.destination,
      ac,
      createdAt: times.created,
      answeredAt: undefined,
      hangupAt: undefined,
      cause: undefined,
      endedBy: undefined,
    })
  }

  noteAnswer(leg: Leg) {
    const record = this.core.parts.history.get(leg.uuid)
    if (record) record.answeredAt = leg.times.answered
  }

  /** Calls with a leg that has not begun to end. */
  calls(): Set<Call> {
    return new Set(this.#calls.values())
  }

  /** The caller (of an inbound leg) or the callee (of an outbound one) hangs up. */
  partyHangsUp(leg: Leg, cause = 'NORMAL_CLEARING') {
    this.end(leg, cause, leg.direction === 'inbound' ? 'caller' : 'callee')
  }

  /** To end an ending leg changes nothing. */
  end(leg: Leg, cause: string, by: EndedBy) {
    const call = this.#calls.get(leg.uuid)
    if (!call) return
    if (!this.core.up) this.vanish(call)
    else if (leg === call.a) this.#endInbound(call, leg, cause, by)
    else this.#endOutbound(call, leg, cause, by)
  }

  #endInbound(call: Call, a: Leg, cause: string, by: EndedBy) {
    if (call.bridged) {
      const order = by === 'caller' ? 'A leaves the talk' : 'A is cut off'
      this.#run(order, call, { a, bs: call.branches, causeA: cause, first: 'A', by })
      return
    }
    const cancelled = by === 'caller' && a.times.answered === 0
    this.#run(call.branches.length === 0 ? 'A alone' : 'A cancels', call, {
      a,
      bs: call.branches,
      causeA: cancelled ? 'ORIGINATOR_CANCEL' : cause,
      causeB: 'ORIGINATOR_CANCEL',
      first: 'A',
      by,
    })
  }

  #endOutbound(call: Call, b: Leg, cause: string, by: EndedBy) {
    if (!call.bridged) return this.#endBranch('B is taken back', call, b, cause, by)
    const a = call.a!
    const alike = a.variables.get('hangup_after_bridge') === 'true'
    const causeA = alike ? cause : 'NORMAL_CLEARING'
    this.#run('B ends first', call, { a, bs: [b], causeA, causeB: cause, first: 'B', by })
  }

  /** The far end answers with a refusal: busy, not found, unavailable. */
  refuse(call: Call, b: Leg, cause: string) {
    this.#endBranch('B is refused', call, b, cause, 'callee', true)
  }

  /** Nobody has answered in time (originate_timeout). */
  giveUp(call: Call, b: Leg) {
    this.#endBranch('B is given up', call, b, 'NO_ANSWER', 'switch')
  }

  /** One outbound leg of a call that is not bridged; with the last of them, A ends too. */
  #endBranch(order: Order, call: Call, b: Leg, cause: string, by: EndedBy, refused = false) {
    const { a } = call
    call.outcomes.set(b.uuid, cause)
    const way = { bs: [b], causeB: cause, first: 'B', by, refused } as const
    if (!a || call.deserted || call.branches.length > 1) return this.#run('B alone', call, way)
    // `bridge` goes on with the dialplan where nobody answered, and the dialplan is at its end.
    const causeA = cause === 'NO_ANSWER' ? 'NORMAL_CLEARING' : cause
    this.#run(order, call, { ...way, a, causeA })
  }

  /**
   * Another branch was answered first: these hang up, and are destroyed when the function that is
   * returned is called, after A has heard of the answer.
   */
  lose(call: Call, losers: readonly Leg[]): () => void {
    for (const leg of losers) call.outcomes.set(leg.uuid, 'LOSE_RACE')
    const way = { bs: losers, causeB: 'LOSE_RACE', first: 'B', by: 'switch' } as const
    const ending = this.#begin(call, 'B alone', way)
    for (const leg of losers) this.#legEnd.hangUp(leg, ending)
    for (const leg of losers) this.#legEnd.complete(leg, ending)
    return () => {
      for (const leg of losers) this.#legEnd.destroy(leg, ending)
    }
  }

  /** Takes the leg out of its bridge: its partner ends, and it goes on alone. */
  separate(leg: Leg) {
    const call = this.#calls.get(leg.uuid)
    if (!call) return
    if (!call.bridged) return this.#desert(call, leg)
    const b = call.branches[0]!
    const first = leg === call.a ? 'B' : 'A'
    const order = first === 'B' ? 'B ends, A goes on' : 'A ends, B goes on'
    this.#run(order, call, { a: call.a!, bs: [b], first, by: 'api' })
  }

  /** A goes elsewhere while others ring for it: they are given up as soon as its thread notices. */
  #desert(call: Call, leg: Leg) {
    if (leg !== call.a || call.branches.length === 0) return
    call.deserted = true
    call.cancelTimers()
    call.later(STEP_MS, () => {
      for (const b of [...call.branches]) this.end(b, 'ORIGINATOR_CANCEL', 'switch')
    })
  }

  /** A graceful shutdown: every event of every leg is out when this returns. */
  endAll(cause: string) {
    for (const call of this.calls()) {
      const { a, bridged } = call
      const order = bridged ? 'the switch is shut down' : a ? 'A cancels' : 'B alone'
      const ending = this.#begin(call, order, {
        ...(a && { a }),
        bs: call.branches,
        causeA: cause,
        causeB: cause,
        first: order === 'A cancels' ? 'A' : 'B',
        by: 'switch',
      })
      for (const step of ORDERS[order]) this.#take(step, ending)
    }
  }

  /** The call is gone with the switch that it was on, at the time of the crash: no event tells. */
  vanish(call: Call) {
    call.cancelTimers()
    for (const leg of [call.a, ...call.branches]) {
      if (leg) this.#forget(leg)
    }
  }

  /** Legs whose end had begun when the switch crashed. */
  vanishEnding() {
    for (const leg of this.core.legs.values()) {
      if (leg.ending) this.#forget(leg)
    }
  }

  #forget(leg: Leg) {
    leg.ending = true
    this.#calls.delete(leg.uuid)
    this.core.legs.delete(leg.uuid)
    this.#legEnd.record(leg, leg.hangupCause ?? 'CRASH', 'switch', this.core.downSince)
  }

  /** All legs that end here have begun to end before the first event can make anyone act. */
  #begin(call: Call, order: Order, way: Way): Ending {
    const ending: Ending = {
      call,
      a: undefined,
      causeA: 'NORMAL_CLEARING',
      causeB: 'NORMAL_CLEARING',
      wasBridged: call.bridged,
      unbridged: false,
      refused: false,
      ...way,
      bs: [...way.bs],
    }
    for (const [who, act] of ORDERS[order]) {
      if (act !== 'hangs up') continue
      for (const leg of legsOf(who, ending)) {
        leg.ending = true
        this.#calls.delete(leg.uuid)
        call.release(leg)
      }
    }
    return ending
  }

  #run(order: Order, call: Call, way: Way) {
    const ending = this.#begin(call, order, way)
    const steps = ORDERS[order]
    const { random, timeline } = this.core.parts
    const bothHangUp = steps[1]?.[1] === 'hangs up'
    const now = bothHangUp && random() < 0.5 ? 2 : 1
    for (const step of steps.slice(0, now)) this.#take(step, ending)
    const { run } = this.core
    timeline.after(random() < LATE_CHANCE ? STEP_MS : 0, () => {
      for (const step of steps.slice(now)) {
        if (this.core.up && this.core.run === run) this.#take(step, ending)
      }
    })
  }

  #take([who, act]: Step, ending: Ending) {
    for (const leg of legsOf(who, ending)) {
      if (act === 'hangs up') this.#legEnd.hangUp(leg, ending)
      else if (act === 'unbridges') this.#legEnd.unbridge(leg, ending)
      else if (act === 'completes') this.#legEnd.complete(leg, ending)
      else this.#legEnd.destroy(leg, ending)
    }
  }
}

function legsOf(who: 'A' | 'B', ending: Ending): readonly Leg[] {
  if (who === 'B') return ending.bs
  return ending.a ? [ending.a] : []
}
