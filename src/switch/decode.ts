/**
 * What a frame of the event socket says, in our words (leg-event.ts). Pure, and it never throws:
 * what cannot be understood is null.
 *
 * An event has some 200 headers of which we want twenty, so a plain event is not parsed: each
 * header is searched for in its text. That is several times as fast as parsing, JSON included.
 */
import type { Instant } from '../call/call.js'
import type { Heartbeat, LegEvent, LegEventName } from '../call/leg-event.js'
import { type Frame, textOf } from './frames.js'

/** Texts that end up in the books are cut to this: codes and numbers are not longer. */
export const TEXT_CHARS_MAX = 64

/** What an event says. `get` is null for what it does not say, or says with nothing or `_undef_`. */
export interface Headers {
  get(name: string): string | null
  hasVariables(): boolean
}

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
      return frame.body && plainHeaders(frame.body.toString('latin1'))
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
  if (name !== 'HEARTBEAT') return legEvent(headers, name, at, coreUuid)
  const version = cut(headers.get('FreeSWITCH-Version'))
  return { name, at, coreUuid, version, sessions: instant(headers.get('Session-Count')) }
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
    name: KNOWN.has(name) ? (name as LegEventName) : 'OTHER',
    at,
    coreUuid,
    legId,
    oldLegId: name === 'CHANNEL_UUID' ? headers.get('Old-Unique-ID') : null,
    direction,
    hasVariables: headers.hasVariables(),
    ac: cut(headers.get('variable_ac')),
    acLeg: cut(headers.get('variable_ac_leg')),
    acNumber: cut(headers.get('variable_ac_number')),
    otherLeg:
      headers.get('Other-Leg-Unique-ID') ??
      headers.get('variable_originating_leg_uuid') ??
      headers.get('variable_originator'),
    dialledUser: headers.get('variable_dialed_user') !== null,
    loopback: isLoopback(headers),
    number: cut(headers.get('Caller-Destination-Number')) ?? '',
    createdAt,
    answeredAt: answeredAt || null,
    hangupAt: hangupAt || null,
    cause: headers.get('Hangup-Cause'),
  }
}

const KNOWN: ReadonlySet<string> = new Set<LegEventName>([
  'CHANNEL_CREATE',
  'CHANNEL_ANSWER',
  'CHANNEL_HANGUP',
  'CHANNEL_HANGUP_COMPLETE',
  'CHANNEL_DESTROY',
  'CHANNEL_UUID',
  'CHANNEL_DATA',
])

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
  if (text === null || text.length <= TEXT_CHARS_MAX) return text
  return `${text.slice(0, TEXT_CHARS_MAX)}…`
}

/** Decimal digits, mostly of microseconds; null for anything else, and for what is no exact number. */
export function instant(text: string | null): Instant | null {
  if (text === null || !/^\d{1,16}$/.test(text)) return null
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : null
}

/** Header lines as they stand. The first header of a name counts: an event's own body may have lines that look like headers. */
export function plainHeaders(text: string): Headers {
  const lf = text.indexOf('\n\n')
  const end = lf < 0 ? text.indexOf('\r\n\r\n') : lf
  // With a line end before it, the first header is found like all others.
  const lines = `\n${end < 0 ? text : text.slice(0, end)}`
  return {
    get(name) {
      const at = lines.indexOf(`\n${name}: `)
      if (at < 0) return null
      const from = at + name.length + 3
      const to = lines.indexOf('\n', from)
      return meaning(percentDecoded((to < 0 ? lines.slice(from) : lines.slice(from, to)).trimEnd()))
    },
    hasVariables: () => lines.includes('\nvariable_'),
  }
}

/** The bytes of a SIP display name may be Latin-1: `%E9` alone is no UTF-8, and no error either. */
export function percentDecoded(value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return value.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
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

/** A variable without a value reads `_undef_` in plain, and is empty in JSON. */
function meaning(value: string): string | null {
  return value === '' || value === '_undef_' ? null : value
}
