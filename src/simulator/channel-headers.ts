/**
 * The headers of a channel event between Event-Sequence and the variables, in the order in which
 * switch_channel_event_set_basic_data writes them.
 */
import type { Leg, LegTimes, OtherLeg } from './leg.js'
import { HeaderBlock, HeaderLine, type HeaderPart } from './switch-event.js'

export function addChannel(parts: HeaderPart[], leg: Leg) {
  parts.push(
    CHANNEL_STATE(leg.state),
    CALL_STATE(leg.callState),
    STATE_NUMBER(String(leg.stateNumber)),
    channelBlock(leg),
    HIT_DIALPLAN(String(leg.hitDialplan)),
    new HeaderLine('Channel-Call-UUID', leg.callUuid),
    ANSWER_STATE(leg.answerState),
  )
  if (leg.hangupCause !== undefined) parts.push(HANGUP_CAUSE(leg.hangupCause))
  if (leg.hasCodec) parts.push(CODEC)
  parts.push(callerBlock(leg))
  addTimes(parts, 'Caller', leg.times)
  parts.push(PRIVACY['Caller'])
  if (leg.other) {
    const { type, times, block } = leg.other
    parts.push(OTHER_TYPE(type), block)
    addTimes(parts, 'Other-Leg', times)
    parts.push(PRIVACY['Other-Leg'])
  }
}

/** A header of few values: each is made once, for all legs. */
function header(name: string): (value: string) => HeaderLine {
  const made = new Map<string, HeaderLine>()
  return value => {
    const line = made.get(value) ?? new HeaderLine(name, value)
    made.set(value, line)
    return line
  }
}

const CHANNEL_STATE = header('Channel-State')
const CALL_STATE = header('Channel-Call-State')
const STATE_NUMBER = header('Channel-State-Number')
const HIT_DIALPLAN = header('Channel-HIT-Dialplan')
const ANSWER_STATE = header('Answer-State')
const HANGUP_CAUSE = header('Hangup-Cause')
const OTHER_TYPE = header('Other-Type')

/** Ahead of the channel's own headers in CHANNEL_BRIDGE and CHANNEL_UNBRIDGE. */
export function bridgeLines(a: Leg, b: Leg): HeaderLine[] {
  return [
    new HeaderLine('Bridge-A-Unique-ID', a.uuid),
    new HeaderLine('Bridge-B-Unique-ID', b.uuid),
  ]
}

const CODEC = HeaderBlock.of(
  ['Read', 'Write'].flatMap(way => [
    [`Channel-${way}-Codec-Name`, 'PCMU'] as const,
    [`Channel-${way}-Codec-Rate`, '8000'] as const,
    [`Channel-${way}-Codec-Bit-Rate`, '64000'] as const,
  ]),
)

type Prefix = 'Caller' | 'Other-Leg'

const PRIVACY: Record<Prefix, HeaderBlock> = {
  Caller: privacyBlock('Caller'),
  'Other-Leg': privacyBlock('Other-Leg'),
}

function privacyBlock(prefix: Prefix) {
  return HeaderBlock.of([
    [`${prefix}-Screen-Bit`, 'true'],
    [`${prefix}-Privacy-Hide-Name`, 'false'],
    [`${prefix}-Privacy-Hide-Number`, 'false'],
  ])
}

function channelBlock(leg: Leg): HeaderBlock {
  leg.channelBlock ??= HeaderBlock.of([
    ['Channel-Name', leg.identity.channelName],
    ['Unique-ID', leg.uuid],
    ['Call-Direction', leg.direction],
    ['Presence-Call-Direction', leg.direction],
  ])
  return leg.channelBlock
}

function callerBlock(leg: Leg): HeaderBlock {
  leg.callerBlock ??= profileBlock('Caller', leg)
  return leg.callerBlock
}

/** A copy of that leg as it is now, for the headers of its partner. */
export function otherLeg(leg: Leg, type: OtherLeg['type'], times: LegTimes): OtherLeg {
  return { uuid: leg.uuid, type, times: { ...times }, block: profileBlock('Other-Leg', leg) }
}

function profileBlock(prefix: Prefix, leg: Leg): HeaderBlock {
  const { profile, identity } = leg
  const lines: HeaderLine[] = []
  const add = (name: string, value: string | undefined) => {
    if (value) lines.push(new HeaderLine(`${prefix}-${name}`, value))
  }
  add('Direction', leg.direction)
  // Seen from the partner, every leg is logically inbound.
  add('Logical-Direction', prefix === 'Caller' ? leg.direction : 'inbound')
  add('Username', profile.username)
  add('Dialplan', profile.dialplan)
  add('Caller-ID-Name', profile.callerName)
  add('Caller-ID-Number', profile.callerNumber)
  add('Orig-Caller-ID-Name', profile.origName)
  add('Orig-Caller-ID-Number', profile.origNumber)
  add('Callee-ID-Name', profile.calleeName)
  add('Callee-ID-Number', profile.calleeNumber)
  add('Network-Addr', profile.networkAddr)
  add('ANI', profile.ani)
  add('Destination-Number', profile.destination)
  add('Unique-ID', leg.uuid)
  add('Source', profile.source)
  add('Context', 'default')
  add('Channel-Name', identity.channelName)
  if (prefix === 'Caller') add('Profile-Index', '1')
  return new HeaderBlock(lines)
}

const TIMES: readonly [name: string, of: keyof LegTimes | undefined][] = [
  ['Profile-Created-Time', 'created'],
  ['Channel-Created-Time', 'created'],
  ['Channel-Answered-Time', 'answered'],
  ['Channel-Progress-Time', 'progress'],
  ['Channel-Progress-Media-Time', 'progressMedia'],
  ['Channel-Hangup-Time', 'hangup'],
  ['Channel-Transfer-Time', undefined],
  ['Channel-Resurrect-Time', undefined],
  ['Channel-Bridged-Time', 'bridged'],
  ['Channel-Last-Hold', undefined],
  ['Channel-Hold-Accum', undefined],
]

const TIME_NAMES: Record<Prefix, readonly string[]> = {
  Caller: TIMES.map(([name]) => `Caller-${name}`),
  'Other-Leg': TIMES.map(([name]) => `Other-Leg-${name}`),
}

const NEVER: Record<Prefix, readonly HeaderLine[]> = {
  Caller: TIME_NAMES['Caller'].map(name => new HeaderLine(name, '0')),
  'Other-Leg': TIME_NAMES['Other-Leg'].map(name => new HeaderLine(name, '0')),
}

function addTimes(parts: HeaderPart[], prefix: Prefix, times: LegTimes) {
  for (let i = 0; i < TIMES.length; i++) {
    const of = TIMES[i]![1]
    const time = of === undefined ? 0 : times[of]
    parts.push(
      time === 0 ? NEVER[prefix][i]! : new HeaderLine(TIME_NAMES[prefix][i]!, String(time)),
    )
  }
}
