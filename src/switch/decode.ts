/**
 * What a frame of the event socket says, in our words (leg-event.ts). Pure, and it never throws:
 * what cannot be understood is null.
 */
import type { Instant } from '../call/call.js'
import type { Heartbeat, LegEvent, LegEventName } from '../call/leg-event.js'
import { type Frame, textOf } from './frames.js'
import { type Headers, meaning, plainHeaders } from './headers.js'

/** Texts that end up in the books are cut to this: codes and numbers are not longer. */
export const TEXT_CHARS_MAX = 64

/** The event that a frame carries; null where it is none, or of a kind that tells us nothing. */
export function decode(frame: Frame): LegEvent | Heartbeat | null {
  const headers = headersOf(frame)
  return headers && decodeHeaders(headers)
}

/** The same for the answer to `uuid_dump`, plain or JSON. */
export function decodeDump(text: string): LegEvent | null {
  const headers = text.startsWith('{') ? jsonHeaders(text) : plainHeaders(text)
  const event = headers && decodeHeaders(headers)
  return event?.name === 'HEARTBEAT' ? null : event
}

/** Of any event, of interest to us or not; null where the frame is none. */
export function eventName(frame: Frame): string | null {
  return headersOf(frame)?.get('Event-Name') ?? null
}

/** The Event-Date-Timestamp of any event, heartbeat or not. */
export function timeOf(frame: Frame): Instant | null {
  return instant(headersOf(frame)?.get('Event-Date-Timestamp') ?? null)
}

/** Null where the frame is no event, or a JSON event that cannot be parsed. */
export function headersOf(frame: Frame): Headers | null {
  switch (frame.contentType) {
    case 'text/event-plain':
      return frame.body && plainHeaders(frame.body.toString('latin1'), frame.body)
    case 'text/event-json':
      return frame.body && jsonHeaders(textOf(frame.body))
    case null:
      // The text of an event whose own head was swallowed by the frame before it: see frames.ts.
      return /^Event-Name: /m.test(frame.head) ? plainHeaders(frame.head) : null
    default:
      // A reply may hold what looks just like an event.
      return null
  }
}

/** The event that these headers tell, whatever they were read from. */
export function decodeHeaders(headers: Headers): LegEvent | Heartbeat | null {
  const name = headers.get('Event-Name')
  const coreUuid = headers.get('Core-UUID')
  const at = instant(headers.get('Event-Date-Timestamp'))
  if (name === null || coreUuid === null || at === null) return null
  const run = own(coreUuid)
  if (name !== 'HEARTBEAT') return legEvent(headers, name, at, run)
  const version = cut(headers.get('FreeSWITCH-Version'))
  return { name, at, coreUuid: run, version, sessions: instant(headers.get('Session-Count')) }
}

function legEvent(headers: Headers, name: string, at: Instant, coreUuid: string): LegEvent | null {
  const legId = headers.get('Unique-ID')
  const direction = headers.get('Call-Direction') ?? headers.get('Caller-Direction')
  const createdAt = instant(headers.get('Caller-Channel-Created-Time'))
  const answeredAt = instant(headers.get('Caller-Channel-Answered-Time') ?? '0')
  const hangupAt = instant(headers.get('Caller-Channel-Hangup-Time') ?? '0')
  if (legId === null || createdAt === null || answeredAt === null || hangupAt === null) return null
  if (direction !== 'inbound' && direction !== 'outbound') return null
  return {
    name: KNOWN.get(name) ?? 'OTHER',
    at,
    coreUuid,
    legId: own(legId),
    oldLegId: name === 'CHANNEL_UUID' ? own(headers.get('Old-Unique-ID')) : null,
    direction,
    hasVariables: headers.hasVariables(),
    ac: cut(headers.get('variable_ac')),
    acLeg: cut(headers.get('variable_ac_leg')),
    acNumber: cut(headers.get('variable_ac_number')),
    otherLeg: own(
      headers.get('Other-Leg-Unique-ID') ??
        headers.get('variable_originating_leg_uuid') ??
        headers.get('variable_originator'),
    ),
    dialledUser: headers.get('variable_dialed_user') !== null,
    loopback: isLoopback(headers),
    number: cut(headers.get('Caller-Destination-Number')) ?? '',
    createdAt,
    answeredAt: answeredAt || null,
    hangupAt: hangupAt || null,
    cause: own(headers.get('Hangup-Cause')),
  }
}

const KNOWN: ReadonlyMap<string, LegEventName> = new Map(
  (
    [
      'CHANNEL_CREATE',
      'CHANNEL_ANSWER',
      'CHANNEL_HANGUP',
      'CHANNEL_HANGUP_COMPLETE',
      'CHANNEL_DESTROY',
      'CHANNEL_UUID',
      'CHANNEL_DATA',
    ] as const
  ).map(name => [name, name]),
)

/** The variable alone does not do: it is absent until HANGUP_COMPLETE. */
function isLoopback(headers: Headers): boolean {
  return (
    headers.get('Channel-Name')?.startsWith('loopback/') === true ||
    headers.get('variable_is_loopback') === 'true'
  )
}

/**
 * An `ac` may be 10 kB of whatever somebody put into a dial string. The ellipsis keeps what is left
 * from ever being the code, or the number, of somebody else.
 */
export function cut(text: string | null): string | null {
  if (text === null || text.length <= TEXT_CHARS_MAX) return own(text)
  return `${text.slice(0, TEXT_CHARS_MAX)}…`
}

/**
 * The same text, with memory of its own. V8 keeps a slice as a view of what it was cut from: every
 * call would hold on to the 8 kB of each of its events. What is joined and cut again is copied.
 */
export function own<T extends string | null>(text: T): T {
  return (text === null ? null : ` ${text}`.slice(1)) as T
}

/** Decimal digits, mostly of microseconds; null for anything else, and for what is no exact number. */
export function instant(text: string | null): Instant | null {
  if (text === null || !/^\d{1,16}$/.test(text)) return null
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : null
}

function jsonHeaders(text: string): Headers | null {
  const event = parsed(text)
  if (!event) return null
  return {
    get: name => (Object.hasOwn(event, name) ? meaning(spelled(event[name])) : null),
    hasVariables() {
      for (const name in event) if (name.startsWith('variable_')) return true
      return false
    },
  }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** JSON alone shows a list as one; a plain event spells it out. */
function spelled(value: unknown): string {
  if (Array.isArray(value)) return `ARRAY::${value.map(spelled).join('|:')}`
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
