/**
 * Which leg pays, and from whose credit. The paying leg is an outbound one; its account is its own
 * `ac` as it was when the leg was created, or else that of its A-leg.
 *
 * A leg is judged once, by the first of its events that proves it: CREATE, or ANSWER where that
 * comes first (FreeSWITCH does so for some), what uuid_dump tells of a leg we had not heard of, or
 * its hangup. An `ac` that shows up later is the called user's own and no reason to charge: it is
 * not in CREATE nor ANSWER, and where a leg is judged later than that, a code on a leg that was
 * dialled as a user of the switch does not count.
 */
import type { LegEvent } from './leg-event.js'

export type Finding =
  /** The leg pays; `events` are those seen of it so far, the first is the one it was judged by. */
  | { type: 'pays'; account: string; events: readonly LegEvent[] }
  /** Only the A-leg can tell: ask the switch for its `ac`, and give the answer to `answer`. */
  | { type: 'ask'; aLeg: string }

interface Code {
  readonly ac: string | null
  /** The A-leg pays for itself (`ac_leg=a`): its code is not for its B-legs. */
  readonly forItself: boolean
}

export class Payers {
  /** What each leg last showed as its code. */
  readonly #codes = new Map<string, Code>()
  readonly #judged = new Set<string>()
  /** Legs whose A-leg has not shown yet whether it has a code, by that A-leg. */
  readonly #waiting = new Map<string, Map<string, LegEvent[]>>()

  /** @param loopbackPays whether the halves of a loopback pair pay; it may change */
  constructor(public loopbackPays: boolean) {}

  /** Takes in an event of any leg, and says what has become clear by it. */
  observe(event: LegEvent): Finding[] {
    const findings = event.hasVariables ? this.#learn(event) : []
    const waiting = event.otherLeg ? this.#waiting.get(event.otherLeg)?.get(event.legId) : undefined
    if (waiting) waiting.push(event)
    else if (isProof(event) && !this.#judged.has(event.legId)) findings.push(...this.#judge(event))
    if (event.name === 'CHANNEL_DESTROY') this.forget(event.legId)
    return findings
  }

  /** The switch's answer to `ask`: the A-leg's `ac` and `ac_leg`, null where it has none or is gone. */
  answer(aLeg: string, ac: string | null, acLeg: string | null): Finding[] {
    return this.#resolve(aLeg, { ac, forItself: acLeg === 'a' })
  }

  /** A leg is alive that does not pay for itself. Its code is asked for when a B-leg needs it. */
  see(legId: string): void {
    this.#codes.set(legId, { ac: null, forItself: false })
  }

  /** Whether any leg still waits for the code of this A-leg. */
  isAwaited(aLeg: string): boolean {
    return this.#waiting.has(aLeg)
  }

  /** Whether anything has been heard of the leg. */
  isKnown(legId: string): boolean {
    return this.#judged.has(legId) || this.#codes.has(legId)
  }

  /** Each once; what is forgotten meanwhile does no harm. */
  *legIds(): Iterable<string> {
    for (const legId of this.#judged) if (!this.#codes.has(legId)) yield legId
    yield* this.#codes.keys()
  }

  forget(legId: string): void {
    this.#codes.delete(legId)
    this.#judged.delete(legId)
    this.#waiting.delete(legId)
  }

  #learn(event: LegEvent): Finding[] {
    const code: Code = { ac: event.ac, forItself: event.acLeg === 'a' }
    this.#codes.set(event.legId, code)
    // An event may be older than the `set ac=` that followed it: that it shows no code proves
    // nothing. The answer to `ask` does.
    return code.ac === null ? [] : this.#resolve(event.legId, code)
  }

  #resolve(aLeg: string, code: Code): Finding[] {
    const legs = this.#waiting.get(aLeg)
    if (!legs) return []
    this.#waiting.delete(aLeg)
    const account = code.forItself ? null : code.ac
    return account === null
      ? []
      : [...legs.values()].map(events => ({ type: 'pays', account, events }))
  }

  #judge(event: LegEvent): Finding[] {
    if (event.direction === 'inbound') {
      if (event.acLeg !== 'a' || event.ac === null) return []
      this.#judged.add(event.legId)
      return [{ type: 'pays', account: event.ac, events: [event] }]
    }
    const late = event.name !== 'CHANNEL_CREATE' && event.name !== 'CHANNEL_ANSWER'
    // Whose code it is only its CREATE or ANSWER can tell, which may still be under way.
    if (late && event.dialledUser && event.ac !== null) return []
    this.#judged.add(event.legId)
    if (event.loopback && !this.loopbackPays) return []
    if (event.ac !== null) {
      return [{ type: 'pays', account: event.ac, events: [event] }]
    }
    if (event.otherLeg === null || event.dialledUser) return []
    return this.#inherit(event, event.otherLeg)
  }

  #inherit(event: LegEvent, aLeg: string): Finding[] {
    const code = this.#codes.get(aLeg)
    if (code?.forItself) return []
    if (code?.ac) return [{ type: 'pays', account: code.ac, events: [event] }]
    const legs = this.#waiting.get(aLeg) ?? new Map<string, LegEvent[]>()
    this.#waiting.set(aLeg, legs.set(event.legId, [event]))
    return [{ type: 'ask', aLeg }]
  }
}

/** What shows a leg as it is when it is created, or all that it was. */
function isProof(event: LegEvent): boolean {
  switch (event.name) {
    case 'CHANNEL_CREATE':
    case 'CHANNEL_ANSWER':
    case 'CHANNEL_DATA':
    case 'CHANNEL_HANGUP':
    case 'CHANNEL_HANGUP_COMPLETE':
      return event.hasVariables
    default:
      return false
  }
}
