/**
 * A record of mod_json_cdr: what a leg was, told once when it is over. Pure.
 *
 * It comes as JSON, or encoded as a whole (`cdr=…` when posted, without `cdr=` in a file), and its
 * variables may be url-encoded one by one. The Content-Type says nothing about that: with
 * disable-100-continue raw JSON is called a form.
 */
import type { Instant } from '../call/call.js'
import type { LegEvent } from '../call/leg-event.js'
import { cut, instant } from './decode.js'
import { textOf } from './frames.js'
import { percentDecoded } from './headers.js'

export interface JsonCdr {
  /** As if it were the last event of the leg: its stamps are those of HANGUP_COMPLETE. */
  readonly event: LegEvent & { readonly hangupAt: Instant }
  /** What the switch calls itself: the name of its machine. */
  readonly switchName: string
  /** The legs that were dialled for it, as far as it knows. */
  readonly originated: readonly string[]
}

/** It is no record, or says what cannot be. `message` is one sentence. */
export class RecordError extends Error {
  override name = 'RecordError'
  readonly code = 'bad_record'
}

type Fields = Readonly<Record<string, unknown>>

/** Ids end up in the books and in commands: nothing but what a Unique-ID may be. */
const ID = /^[\x21-\x7e]{1,128}$/

/** What begins with `{"`. */
const BASE64 = /^eyJ[A-Za-z0-9+/\s]*={0,2}$/

const CAUSE = /^[A-Z][A-Z0-9_]{0,63}$/

/** @throws RecordError */
export function decodeJsonCdr(body: Buffer): JsonCdr {
  const record = parsed(plainText(textOf(body)))
  const variables = fieldsOf(record['variables'], 'its variables')
  const encoded = String(variables['start_stamp']).includes('%')
  const get = (name: string): string | null => {
    const value = textField(variables, name)
    return value !== null && encoded ? percentDecoded(value) : value
  }
  const profile = firstProfile(record['callflow'])
  const createdAt = stamp(get('start_uepoch'), 'start_uepoch')
  const hangupAt = stamp(get('end_uepoch'), 'end_uepoch')
  const answeredAt = stamp(get('answer_uepoch'), 'answer_uepoch')
  if (createdAt === 0) throw new RecordError('start_uepoch is 0: the leg never began')
  if (hangupAt === 0) throw new RecordError('end_uepoch is 0: the leg has not ended')
  const direction = get('direction')
  if (direction !== 'inbound' && direction !== 'outbound') {
    throw new RecordError('The direction is neither inbound nor outbound')
  }
  const otherLeg = get('originating_leg_uuid') ?? get('originator')
  const cause = get('hangup_cause')
  return {
    switchName: cut(textField(record, 'switchname')) ?? '',
    originated: legsOf(get('originated_legs')),
    event: {
      name: 'CHANNEL_HANGUP_COMPLETE',
      at: hangupAt,
      coreUuid: idOf(textField(record, 'core-uuid'), 'core-uuid'),
      legId: idOf(get('uuid'), 'uuid'),
      oldLegId: null,
      direction,
      hasVariables: true,
      ac: cut(get('ac')),
      acLeg: cut(get('ac_leg')),
      acNumber: cut(get('ac_number')),
      otherLeg: otherLeg !== null && ID.test(otherLeg) ? otherLeg : null,
      dialledUser: get('dialed_user') !== null,
      loopback:
        get('is_loopback') === 'true' || get('channel_name')?.startsWith('loopback/') === true,
      number: cut(textField(profile, 'destination_number')) ?? '',
      createdAt,
      answeredAt: answeredAt || null,
      hangupAt,
      cause: cause !== null && CAUSE.test(cause) ? cause : null,
    },
  }
}

/**
 * As a whole it is JSON, or that url-encoded, or in Base64 with line ends (mod_json_cdr.c,
 * my_on_reporting). Every sign that means something in a form is encoded: a `+` is a plus.
 */
function plainText(text: string): string {
  const body = (text.startsWith('cdr=') ? text.slice('cdr='.length) : text).trim()
  if (body.startsWith('{')) return body
  return BASE64.test(body) ? textOf(Buffer.from(body, 'base64')) : percentDecoded(body)
}

function parsed(text: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new RecordError('The record is not JSON')
  }
  return fieldsOf(value, 'the record')
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new RecordError(`It is no record of mod_json_cdr: ${what} is not an object`)
}

function textField(fields: Fields, name: string): string | null {
  const value = Object.hasOwn(fields, name) ? fields[name] : null
  return typeof value === 'string' && value !== '' && value !== '_undef_' ? value : null
}

function stamp(text: string | null, name: string): Instant {
  const at = instant(text)
  if (at === null) throw new RecordError(`${name} is not a time in microseconds`)
  return at
}

function idOf(text: string | null, name: string): string {
  if (text !== null && ID.test(text)) return text
  throw new RecordError(`${name} is missing, or is not an id`)
}

/**
 * What the leg was when it began: a transfer puts another profile, with another number, before it.
 * Profiles are counted from 1, the newest comes first.
 */
function firstProfile(callflow: unknown): Fields {
  const last: unknown = Array.isArray(callflow) ? callflow.at(-1) : null
  const flow = fieldsOf(last, 'its last callflow')
  return fieldsOf(flow['caller_profile'], 'its caller_profile')
}

/** `<id>;<name>;<number>`, or `ARRAY::<one>|:<other>`. */
function legsOf(text: string | null): string[] {
  if (text === null) return []
  const legs = text.replace(/^ARRAY::/, '').split('|:')
  return [...new Set(legs.map(leg => leg.split(';')[0]!))].filter(id => ID.test(id))
}
