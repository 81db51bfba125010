/** Making legs: who they are, and what fills the templates of their variables. */
import { type AccountSetting, type Branch, branchesOf, type CallPlan } from './call-plan.js'
import { otherLeg } from './channel-headers.js'
import type { Core } from './core.js'
import { Leg, NO_TIMES, type Profile } from './leg.js'
import { gmtTime, localTime } from './switch-clock.js'
import { randomToken } from './timeline.js'
import type { Values } from './variables.js'

export const GATEWAY = 'someprovider'

export interface NewLeg {
  readonly leg: Leg
  readonly values: Values
}

export function newInboundLeg(core: Core, plan: CallPlan, uuid: string): NewLeg {
  const number = plan.callerNumber ?? '1000'
  const name = plan.callerName ?? 'caller'
  const known = plan.acOn === 'directory'
  const sofia = known ? 'internal' : 'external'
  const channelName = `sofia/${sofia}/${number}@127.0.0.1:5061`
  const profile: Profile = {
    username: number,
    dialplan: 'XML',
    callerName: name,
    callerNumber: number,
    origName: name,
    origNumber: number,
    networkAddr: '127.0.0.1',
    ani: number,
    destination: plan.number,
    source: 'mod_sofia',
  }
  const sessionId = core.newSessionId()
  const leg = new Leg({ uuid, direction: 'inbound', sessionId, channelName }, profile)
  leg.times.created = core.now()
  const values: Values = {
    ...sipTokens(core),
    uuid,
    sessionId: String(sessionId),
    channelName,
    callerName: name,
    callerNumber: number,
    createdUs: String(leg.times.created),
    dialled: plan.number,
    number: plan.number,
    dialString: dialString(plan),
    profile: sofia,
    profilePort: known ? '5060' : '5080',
    ...(known && accountValues(core, number, plan.ac)),
    ...(plan.acOn === 'a-set' && { setAccount: plan.ac }),
    ...(plan.acOn === 'export' && { setAccount: plan.ac, exportVars: 'ac' }),
  }
  return { leg, values }
}

/** Of a caller with a SIP account: who it is, and the look-up that found it. */
function accountValues(core: Core, sipUser: string, ac: string | undefined): Values {
  return {
    authorized: 'true',
    sipUser,
    sipDomain: '127.0.0.1',
    sipContext: 'default',
    directoryAccount: ac,
    requestParams: 'REQUEST_PARAMS',
    coreUuid: core.uuid,
    hostname: 'vm',
    ipv4: '192.0.2.2',
    ipv6: 'fd00::2',
    dateLocal: localTime(core.parts.clock.epochS()),
    dateGmt: gmtTime(core.parts.clock.epochS()),
    authorizedUs: String(core.now()),
    callingFile: 'sofia.c',
    callingFunction: 'sofia_handle_sip_i_invite',
    callingLine: '10735',
    authorizedSequence: '1697',
  }
}

const INBOUND_SDP = [
  'v=0',
  'o=uac 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 7000 RTP/AVP 0 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  '',
].join('\r\n')

const PCMU = 'CORE_PCM_MODULE.PCMU@8000h@20i@64000b'

export function newOutboundLeg(
  core: Core,
  plan: CallPlan,
  branch: Branch,
  uuid: string,
  a: Leg | undefined,
): NewLeg {
  const { number } = branch
  const callerNumber = plan.callerNumber ?? (a ? '1000' : '0000000000')
  const callerName = plan.callerName ?? (a ? 'caller' : '')
  const channelName = `sofia/external/${number}`
  const sessionId = core.newSessionId()
  const leg = new Leg(
    { uuid, direction: 'outbound', sessionId, channelName },
    {
      ...(a && { username: callerNumber, dialplan: 'XML', networkAddr: '127.0.0.1' }),
      callerName,
      callerNumber,
      origName: callerName,
      origNumber: callerNumber,
      calleeName: 'Outbound Call',
      calleeNumber: number,
      ani: callerNumber,
      destination: number,
      source: a ? 'mod_sofia' : 'src/switch_ivr_originate.c',
    },
  )
  leg.times.created = core.now()
  if (a) {
    leg.callUuid = a.uuid
    leg.other = otherLeg(a, 'originator', NO_TIMES)
  }
  const values: Values = {
    ...sipTokens(core),
    uuid,
    sessionId: String(sessionId),
    gateway: GATEWAY,
    channelName,
    number,
    callerName: callerName || undefined,
    callerNumber,
    fullFrom: `${callerName && `"${callerName}" `}<sip:${callerNumber}@127.0.0.1>`,
    ...(a ? bridgedValues(a, plan.acOn) : { soloUuid: uuid, soloDisabled: 'disabled' }),
    codecString: a ? PCMU : 'PCMU,PCMA',
  }
  return { leg, values }
}

function bridgedValues(a: Leg, acOn: AccountSetting | undefined): Values {
  return {
    maxForwards: '69',
    originator: a.uuid,
    originatorCodec: PCMU,
    originatorSdp: INBOUND_SDP,
    bridgeSendrecv: 'sendrecv',
    partnerChannel: a.identity.channelName,
    exportVars: acOn === 'export' ? 'ac' : undefined,
  }
}

/** What the dial string sets on this branch's leg, in its order. */
export function dialVariables(plan: CallPlan, branch: Branch): Values {
  const onLeg = (plan.acOn ?? 'b') === 'b' || plan.acOn === 'export'
  const ac = onLeg ? (branch.ac ?? plan.ac) : undefined
  return { ...(ac !== undefined && { ac }), ...branch.extraVariables }
}

function dialString(plan: CallPlan): string {
  return branchesOf(plan)
    .map(branch => {
      const variables = Object.entries(dialVariables(plan, branch))
        .map(([name, value]) => `${name}=${value?.includes(' ') ? `'${value}'` : value}`)
        .join(',')
      return `${variables && `[${variables}]`}sofia/gateway/${GATEWAY}/${branch.number}`
    })
    .join(',')
}

function sipTokens(core: Core): Values {
  const { random, slim } = core.parts
  const sipCallId = `${randomToken(random, 8)}-6181-1240-17b5-${randomToken(random, 12)}`
  if (slim) return { sipCallId }
  const int = (limit: number) => String(Math.floor(random() * limit))
  return {
    sipCallId,
    ownTag: randomToken(random, 13),
    farTag: `uas${int(10_000)}x${int(1_000)}`,
    branch: randomToken(random, 13),
    cseq: `1231${int(100_000).padStart(5, '0')}`,
    mediaPort: String(20_000 + 2 * Math.floor(random() * 10_000)),
    ssrc: String(1_000_000_000 + Math.floor(random() * 2_000_000_000)),
  }
}
