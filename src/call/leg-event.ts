/** What a switch tells of its legs, in our words. decode.ts makes these from ESL events. */
import type { Instant } from './call.js'

export type LegEventName =
  | 'CHANNEL_CREATE'
  | 'CHANNEL_ANSWER'
  | 'CHANNEL_HANGUP'
  | 'CHANNEL_HANGUP_COMPLETE'
  | 'CHANNEL_DESTROY'
  | 'CHANNEL_UUID'
  /** Any other event of a leg: it only tells which variables the leg has. */
  | 'OTHER'
  /** Not an event: what uuid_dump says of a leg that is alive. */
  | 'CHANNEL_DATA'

export interface LegEvent {
  readonly name: LegEventName
  /** Event-Date-Timestamp. */
  readonly at: Instant
  readonly coreUuid: string
  /** Unique-ID. Never Channel-Call-UUID, which is wrong for some B-legs (FreeSWITCH issue 1042). */
  readonly legId: string
  /** Old-Unique-ID of a CHANNEL_UUID. */
  readonly oldLegId: string | null
  readonly direction: 'inbound' | 'outbound'
  /** Whether the event carries channel variables at all: OUTGOING, STATE, CODEC do not. */
  readonly hasVariables: boolean
  /** The variable `ac`, where it is set and not empty. */
  readonly ac: string | null
  /** The variable `ac_leg`: `a` makes an inbound leg pay. */
  readonly acLeg: string | null
  /** The variable `ac_number`: what is rated instead of the destination number. */
  readonly acNumber: string | null
  /** Other-Leg-Unique-ID, or what the variables say of the originator. */
  readonly otherLeg: string | null
  /** Dialled as a user of this switch (`variable_dialed_user`). */
  readonly dialledUser: boolean
  /** One half of a loopback pair. */
  readonly loopback: boolean
  /** Caller-Destination-Number. */
  readonly number: string
  /** Caller-Channel-Created-Time. */
  readonly createdAt: Instant
  /** Caller-Channel-Answered-Time; null for 0. */
  readonly answeredAt: Instant | null
  /** Caller-Channel-Hangup-Time; null for 0, which is what CHANNEL_HANGUP itself says. */
  readonly hangupAt: Instant | null
  /** Hangup-Cause. */
  readonly cause: string | null
}

export interface Heartbeat {
  readonly name: 'HEARTBEAT'
  readonly at: Instant
  readonly coreUuid: string
  /** FreeSWITCH-Version. */
  readonly version: string | null
  /** Session-Count: all legs, of whoever they are. */
  readonly sessions: number | null
}
