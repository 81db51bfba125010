/** One channel of the simulated switch: what it is, how far it has come, and its variables. */
import type { HeaderBlock } from './switch-event.js'
import { Variables } from './variables.js'

export type Direction = 'inbound' | 'outbound'

/** Who a channel is with, as its `Caller-…` headers say. */
export interface Profile {
  readonly username?: string
  readonly dialplan?: string
  readonly callerName: string
  readonly callerNumber: string
  readonly origName: string
  readonly origNumber: string
  readonly calleeName?: string
  readonly calleeNumber?: string
  readonly networkAddr?: string
  readonly ani: string
  /** The number dialled: what a call is rated by. */
  readonly destination: string
  readonly source: string
}

/** Microseconds since the epoch by the switch's clock; 0 = it has not happened. */
export interface LegTimes {
  created: number
  answered: number
  progress: number
  progressMedia: number
  hangup: number
  bridged: number
}

/** The other leg as it was when this one learnt of it: FreeSWITCH keeps a copy. */
export interface OtherLeg {
  readonly uuid: string
  readonly type: 'originator' | 'originatee'
  readonly times: LegTimes
  /** Its profile, as headers. */
  readonly block: HeaderBlock
}

export type ChannelState =
  | 'CS_INIT'
  | 'CS_EXECUTE'
  | 'CS_EXCHANGE_MEDIA'
  | 'CS_CONSUME_MEDIA'
  | 'CS_REPORTING'

export type CallState = 'DOWN' | 'RINGING' | 'EARLY' | 'ACTIVE' | 'HANGUP'

export const NO_TIMES: Readonly<LegTimes> = {
  created: 0,
  answered: 0,
  progress: 0,
  progressMedia: 0,
  hangup: 0,
  bridged: 0,
}

export interface LegIdentity {
  readonly uuid: string
  readonly direction: Direction
  readonly sessionId: number
  /** `sofia/external/…` */
  readonly channelName: string
}

export class Leg {
  readonly variables = new Variables()
  readonly times: LegTimes = { ...NO_TIMES }
  state: ChannelState = 'CS_INIT'
  /** Usually the number of `state`; a leg that hangs up is already 10 while it still says its old state. */
  stateNumber = 2
  callState: CallState = 'DOWN'
  answerState: 'ringing' | 'early' | 'answered' | 'hangup' = 'ringing'
  hitDialplan: boolean
  callUuid: string
  hasCodec = false
  /** Its end has begun: nothing new happens to it. It is still listed until its DESTROY. */
  ending = false
  hangupCause: string | undefined
  other: OtherLeg | undefined
  application = ''
  applicationArgument = ''
  /** Headers that stay the same, and those that do until `profile` changes (channel-headers.ts). */
  channelBlock: HeaderBlock | undefined
  callerBlock: HeaderBlock | undefined
  #profile: Profile

  constructor(
    readonly identity: LegIdentity,
    profile: Profile,
  ) {
    this.#profile = profile
    this.hitDialplan = identity.direction === 'inbound'
    this.callUuid = identity.uuid
  }

  get uuid(): string {
    return this.identity.uuid
  }

  get direction(): Direction {
    return this.identity.direction
  }

  get profile(): Profile {
    return this.#profile
  }

  set profile(profile: Profile) {
    this.#profile = profile
    this.callerBlock = undefined
  }
}
