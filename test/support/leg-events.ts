/** Events of legs, as a switch tells them. */
import type { LegEvent, LegEventName } from '../../src/call/leg-event.js'
import { LEG, s } from './story.js'

/** An event of an outbound leg that has no code. Fields that it does not state are as in life. */
export function legEvent(name: LegEventName, more: Partial<LegEvent> = {}): LegEvent {
  return {
    name,
    at: s(0),
    coreUuid: LEG.coreUuid,
    legId: LEG.callId,
    oldLegId: null,
    direction: 'outbound',
    hasVariables: true,
    ac: null,
    acLeg: null,
    acNumber: null,
    otherLeg: null,
    dialledUser: false,
    loopback: false,
    number: LEG.dialled,
    createdAt: s(0),
    answeredAt: null,
    hangupAt: null,
    cause: null,
    ...more,
  }
}

export const inbound = (name: LegEventName, more: Partial<LegEvent> = {}) =>
  legEvent(name, { legId: 'a-leg', direction: 'inbound', ...more })
