/**
 * The events of a call as a FreeSWITCH sent them, byte for byte, but for the ids, stamps and codes in
 * them: 200 headers each, 5 to 11 kB. Each is read from a recording once and filled in many times.
 */
import { readFileSync } from 'node:fs'
import type { LegEventName } from '../../src/call/leg-event.js'
import { eventName, headersOf } from '../../src/switch/decode.js'
import { type Frame, Framer } from '../../src/switch/frames.js'

const RECORDING = new URL(
  '../../test/replay/captures/01-gateway-bleg-ac-normal-hangup-by-A.plain.raw',
  import.meta.url,
)

/** Which leg of the recorded call, A or B. */
export type Side = 'inbound' | 'outbound'

/** Account codes are as long as this one, all ids as long as UUIDs, instants 16 digits. */
const CODE = 'A0000000'

export function accountCode(i: number): string {
  return `A${String(i).padStart(CODE.length - 1, '0')}`
}

/** What is different from call to call. Instants are microseconds; 0 is never. */
export interface Told {
  readonly leg: string
  readonly aLeg: string
  readonly account: string
  readonly createdAt: number
  readonly answeredAt: number
  readonly hungUpAt: number
}

type Field = keyof Told | 'at'

/** A whole frame of the event socket, with places to be filled in. */
export class RecordedEvent {
  readonly #bytes: Buffer
  readonly #places: readonly { readonly at: number; readonly field: Field }[]

  constructor(frame: Frame, recorded: ReadonlyMap<string, Field>, coreUuid: string) {
    let body = frame.body!.toString('latin1')
    body = body.replace(/^(Core-UUID: ).*$/m, `$1${coreUuid}`).replaceAll('ACCT1', CODE)
    const places: { at: number; field: Field }[] = []
    const stamp = body.indexOf('Event-Date-Timestamp: ') + 'Event-Date-Timestamp: '.length
    for (const [text, field] of recorded) {
      for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + 1)) {
        if (at !== stamp) places.push({ at, field })
      }
    }
    places.push({ at: stamp, field: 'at' })
    const head = `Content-Length: ${body.length}\nContent-Type: text/event-plain\n\n`
    this.#bytes = Buffer.from(head + body, 'latin1')
    this.#places = places.map(({ at, field }) => ({ at: at + head.length, field }))
  }

  get length(): number {
    return this.#bytes.length
  }

  /** Writes the frame into `target`, where there is room for it. */
  fill(target: Buffer, from: number, told: Told, at: number): void {
    this.#bytes.copy(target, from)
    for (const { at: place, field } of this.#places) {
      const value = field === 'at' ? at : told[field]
      const text = typeof value === 'number' ? String(value).padStart(INSTANT_DIGITS, '0') : value
      target.write(text, from + place, 'latin1')
    }
  }

  /** The event without the head of its frame, as `uuid_dump` shows it. */
  text(told: Told, at: number): string {
    const bytes = Buffer.alloc(this.length)
    this.fill(bytes, 0, told, at)
    return bytes.toString('latin1', bytes.indexOf('\n\n') + 2)
  }
}

const UUID_CHARS = 36
const INSTANT_DIGITS = 16

/** The recorded events of one leg, by name. */
export function recordedEvents(side: Side, coreUuid: string): Map<LegEventName, RecordedEvent> {
  const frames = [...new Framer().push(readFileSync(RECORDING))]
  const found = frames.filter(frame => headersOf(frame)?.get('Call-Direction') === side)
  const last = headersOf(found.at(-1)!)!
  const fields = new Map<string, Field>([[CODE, 'account']])
  const instants = { Created: 'createdAt', Answered: 'answeredAt', Hangup: 'hungUpAt' } as const
  for (const [name, field] of Object.entries(instants)) {
    fields.set(last.get(`Caller-Channel-${name}-Time`)!, field)
  }
  const other = last.get('Other-Leg-Unique-ID')!
  const own = last.get('Unique-ID')!
  if (own.length !== UUID_CHARS) throw new Error('the recording is not what it was')
  // The B-leg's id is `leg` in the events of both.
  fields.set(own, side === 'outbound' ? 'leg' : 'aLeg')
  fields.set(other, side === 'outbound' ? 'aLeg' : 'leg')
  return new Map(
    found.map(frame => [
      eventName(frame) as LegEventName,
      new RecordedEvent(frame, fields, coreUuid),
    ]),
  )
}

/** The heartbeat of a switch: it tells the time, and that the connection is alive. */
export function heartbeat(coreUuid: string, at: number): string {
  const body = `Event-Name: HEARTBEAT\nCore-UUID: ${coreUuid}\nEvent-Date-Timestamp: ${at}\n\n`
  return `Content-Length: ${body.length}\nContent-Type: text/event-plain\n\n${body}`
}
