/** The four things that happen to a leg when it ends, each with its event and its variables. */
import { causeNumber, refusal } from './causes.js'
import { bridgeLines } from './channel-headers.js'
import type { Core } from './core.js'
import type { Ending } from './ending.js'
import type { EndedBy } from './history.js'
import * as inbound from './inbound-variables.js'
import type { Leg } from './leg.js'
import * as outbound from './outbound-variables.js'
import { MEDIA_REPORT, reportTimes, SENT_BYE, SENT_CANCEL, SENT_REFUSAL } from './reporting.js'
import { HeaderLine } from './switch-event.js'
import type { Values } from './variables.js'

const PACKETS_PER_S = 50

/** How FreeSWITCH reports a BYE. */
const BYE: Values = { termStatus: '200', protoCause: 'sip:200', termCause: '16' }

const DIAL_STATUS: Readonly<Record<string, string>> = {
  CALL_REJECTED: 'DONTCALL',
  NO_ANSWER: 'NOANSWER',
  USER_BUSY: 'BUSY',
  ORIGINATOR_CANCEL: 'CANCEL',
  NORMAL_TEMPORARY_FAILURE: 'CONGESTION',
}

export class LegEnd {
  constructor(
    readonly core: Core,
    readonly destroyed: (leg: Leg) => void,
  ) {}

  hangUp(leg: Leg, ending: Ending) {
    const isA = leg === ending.a
    leg.hangupCause = isA ? ending.causeA : ending.causeB
    leg.answerState = 'hangup'
    leg.stateNumber = 10
    if (isA) this.#noteHangupOfA(leg, ending)
    else this.#noteHangupOfB(leg, ending)
    this.record(leg, leg.hangupCause, ending.by)
    this.core.emitChannel('CHANNEL_HANGUP', leg)
  }

  #noteHangupOfA(a: Leg, ending: Ending) {
    const { call, first, by, causeA, causeB, refused } = ending
    if (ending.wasBridged) {
      if (ending.unbridged) return
      this.core.apply(a, inbound.A_TALKED, {
        ...this.#withPartner(a, ending.bs[0], ending),
        ...(first === 'A' && by === 'caller' && BYE),
        leftBecause: first === 'B' ? causeB : undefined,
      })
    } else if (first === 'B') {
      this.core.apply(a, inbound.A_FAILED, {
        ...(refused && refusalValues(causeB)),
        loserCause: causeB,
        originateDisposition: causeB,
        dialStatus: DIAL_STATUS[causeB] ?? 'CHANUNAVAIL',
        originateCauses: call.originateCauses(),
      })
    } else if (causeA === 'ORIGINATOR_CANCEL') {
      this.core.apply(a, inbound.A_CANCELLED)
    }
  }

  #noteHangupOfB(b: Leg, ending: Ending) {
    const { call, a, first, by, causeB } = ending
    if (ending.wasBridged) {
      const set = first === 'B' ? outbound.B_TALKED : outbound.B_LEFT_ALONE
      const bye =
        first === 'A' ? by === 'caller' && { ...BYE, hangupPhrase: 'OK' } : by === 'callee' && BYE
      this.core.apply(b, set, { ...this.#withPartner(b, a, ending), ...bye })
    } else if (causeB === 'LOSE_RACE') {
      this.core.apply(b, outbound.B_LOST)
    } else if (ending.refused) {
      this.core.apply(b, outbound.B_REFUSED, { ...call.values(b), ...refusalValues(causeB) })
    } else if (first === 'A' && causeB === 'ORIGINATOR_CANCEL') {
      this.core.apply(b, outbound.B_CANCELLED_BY_A)
    }
  }

  #withPartner(leg: Leg, partner: Leg | undefined, ending: Ending): Values {
    return {
      ...ending.call.values(leg),
      partner: partner?.uuid,
      partnerChannel: partner?.identity.channelName,
      partnerCause: leg === ending.a ? ending.causeB : ending.causeA,
    }
  }

  /** A leaves the bridge, hung up or not. */
  unbridge(a: Leg, ending: Ending) {
    const b = ending.bs[0]!
    ending.unbridged = true
    const values = this.#withPartner(a, b, ending)
    if (a.hangupCause === undefined) {
      this.core.apply(a, inbound.A_LEFT_ALONE, values)
    } else {
      const disposition = ending.first === 'A' && ending.by === 'caller' ? 'recv_bye' : undefined
      this.core.apply(a, inbound.A_UNBRIDGED, { ...values, disposition })
    }
    if (!a.ending) a.other = undefined
    this.core.emitChannel('CHANNEL_UNBRIDGE', a, bridgeLines(a, b))
  }

  complete(leg: Leg, ending: Ending) {
    leg.times.hangup = this.core.now()
    leg.state = 'CS_REPORTING'
    leg.stateNumber = 11
    leg.callState = 'HANGUP'
    const isA = leg === ending.a
    leg.variables.unset('bridge_to')
    if (isA && ending.causeA === 'ORIGINATOR_CANCEL') this.#noteCancel(leg, ending)
    const saidBye = leg.times.answered !== 0 && ending.by === (isA ? 'caller' : 'callee')
    if (saidBye && !ending.unbridged) leg.variables.set('sip_hangup_disposition', 'recv_bye')
    reportTimes(leg, this.core.parts.slim)
    if (!isA) this.#leaveBridge(leg, ending)
    if (!saidBye) this.#disposition(leg, ending, isA)
    if (leg.hasCodec) {
      const talkUs = leg.times.hangup - leg.times.answered
      const skipped = String(Math.floor((talkUs * PACKETS_PER_S) / 1_000_000))
      this.core.apply(leg, MEDIA_REPORT, { skipped })
    }
    const cause = leg.hangupCause ?? ''
    this.record(leg, cause, ending.by, leg.times.hangup)
    const again = new HeaderLine('Hangup-Cause', cause)
    this.core.emitChannel('CHANNEL_HANGUP_COMPLETE', leg, [again])
  }

  #noteCancel(a: Leg, ending: Ending) {
    for (const b of ending.bs) ending.call.outcomes.set(b.uuid, ending.causeB)
    const originateCauses = ending.call.originateCauses()
    this.core.apply(a, inbound.A_CANCEL_NOTED, { originateCauses })
  }

  /** How the switch told the leg's far end, where it was not the far end that told the switch. */
  #disposition(leg: Leg, ending: Ending, isA: boolean) {
    if (leg.times.answered !== 0) {
      this.core.apply(leg, SENT_BYE)
    } else if (isA) {
      if (ending.causeA !== 'ORIGINATOR_CANCEL') this.core.apply(leg, SENT_REFUSAL)
    } else if (!ending.refused) {
      const elsewhere = ending.causeB === 'LOSE_RACE' ? 'true' : undefined
      this.core.apply(leg, SENT_CANCEL, { elsewhere })
    }
  }

  /** Once A has unbridged, B is a call of its own, and its next event says so. */
  #leaveBridge(b: Leg, ending: Ending) {
    if (!ending.unbridged || b.callUuid === b.uuid) return
    b.callUuid = b.uuid
    const partnerCause = ending.first === 'A' ? ending.causeA : undefined
    this.core.apply(b, outbound.B_UNBRIDGED, { uuid: b.uuid, partnerCause })
  }

  destroy(leg: Leg, ending: Ending) {
    if (leg !== ending.a) this.#leaveBridge(leg, ending)
    leg.stateNumber = 12
    this.core.emitChannel('CHANNEL_DESTROY', leg)
    this.core.legs.delete(leg.uuid)
    this.destroyed(leg)
  }

  record(leg: Leg, cause: string, by: EndedBy, hangupAt?: number) {
    const record = this.core.parts.history.get(leg.uuid)
    if (!record) return
    record.cause = cause
    record.endedBy = by
    if (hangupAt !== undefined) record.hangupAt = hangupAt
  }
}

function refusalValues(cause: string): Values {
  const [status, phrase] = refusal(cause)
  return {
    failureStatus: String(status),
    failurePhrase: phrase,
    failureProtoCause: `sip:${status}`,
    failureQ850: String(causeNumber(cause)),
  }
}
