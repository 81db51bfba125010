/** Which events a client wants: its `event`, `nixevent`, `noevents` and `filter` commands. */
import type { SwitchEvent } from './switch-event.js'

/** The events of FreeSWITCH 1.11.3 (switch_event.c); a name that is not here is no keyword. */
const EVENT_NAMES = new Set(
  `CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER
  CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HOLD
  CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA
  CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION CHANNEL_ORIGINATE CHANNEL_UUID
  API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH
  MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE
  MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE
  PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE EXE_SCHEDULE RE_SCHEDULE RELOADXML
  NOTIFY PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS
  CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO
  RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP
  PLAYBACK_START PLAYBACK_STOP CALL_UPDATE FAILURE SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP
  CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE
  TEXT SHUTDOWN_REQUESTED CERT_RELOAD ALL`.split(/\s+/),
)

const NO_KEYWORDS = '-ERR no keywords supplied'

export class Subscription {
  /** Per client: the last `event` command that named one decides. */
  format: 'plain' | 'json' | 'xml' = 'plain'
  #listening = false
  readonly #names = new Set<string>()
  readonly #subclasses = new Set<string>()
  #filters: { name: string; value: string }[] = []

  wants(event: SwitchEvent): boolean {
    if (!this.#listening) return false
    if (!this.#names.has('ALL') && !this.#named(event)) return false
    return this.#filters.length === 0 || this.#passes(event)
  }

  #named(event: SwitchEvent): boolean {
    if (!this.#names.has(event.name)) return false
    if (event.name !== 'CUSTOM') return true
    const subclass = event.value('Event-Subclass')
    return subclass === undefined || this.#subclasses.has(subclass)
  }

  /**
   * Several filters are OR; one that begins with `-` excludes. A filter on a header that the event
   * does not have says nothing, so a filter hides all events without that header.
   */
  #passes(event: SwitchEvent): boolean {
    let passes = false
    for (const { name, value } of this.#filters) {
      const actual = event.value(name)
      if (actual === undefined) continue
      const [, signs, wanted] = /^([+\- ]*)(.*)$/s.exec(value)!
      const excludes = signs!.replaceAll(' ', '').endsWith('-')
      if (passes && !excludes) continue
      if (!matches(actual, value, wanted!)) continue
      if (excludes) return false
      passes = true
    }
    return passes
  }

  /** `event [plain|json|xml] NAME… [CUSTOM subclass…]`: adds to what is there. */
  subscribe(words: readonly string[]): string {
    const [first] = words
    const named = /^(plain|json|xml)$/i.test(first ?? '')
    if (named) this.format = first!.toLowerCase() as Subscription['format']
    const keywords = this.#keywords(named ? words.slice(1) : words, {
      name: name => this.#names.add(name),
      subclass: subclass => this.#subclasses.add(subclass),
    })
    if (keywords === 0) return NO_KEYWORDS
    this.#listening = true
    return `+OK event listener enabled ${this.format}`
  }

  /** `nixevent NAME…` */
  unsubscribe(words: readonly string[]): string {
    const keywords = this.#keywords(words, {
      name: name => this.#nix(name),
      subclass: subclass => this.#subclasses.delete(subclass),
    })
    if (keywords === 0) return NO_KEYWORDS
    this.#listening = true
    return '+OK events nixed'
  }

  #nix(name: string) {
    if (name === 'CUSTOM') return
    if (name === 'ALL') return this.#names.clear()
    if (this.#names.delete('ALL')) for (const each of EVENT_NAMES) this.#names.add(each)
    this.#names.delete('ALL')
    this.#names.delete(name)
  }

  /** After CUSTOM every word is a subclass: a name of an event that comes later is lost there. */
  #keywords(
    words: readonly string[],
    take: { name: (name: string) => void; subclass: (subclass: string) => void },
  ): number {
    let count = 0
    let custom = false
    for (const word of words) {
      const name = word.toUpperCase()
      if (custom) take.subclass(word)
      else if (EVENT_NAMES.has(name)) {
        take.name(name)
        count++
        custom = name === 'CUSTOM'
      }
    }
    return count
  }

  silence(): string {
    if (!this.#listening) return '-ERR not listening for events'
    this.#listening = false
    this.#names.clear()
    this.#subclasses.clear()
    return '+OK no longer listening for events'
  }

  /** `filter <header> <value>`, `filter delete <header> [<value>]`, `filter delete all` */
  filter(argument: string): string {
    const [first, rest] = halves(argument.trimStart())
    if (rest === undefined) return '-ERR invalid syntax'
    if (first.toLowerCase() === 'delete') return this.#unfilter(rest)
    const [name, value] = first.toLowerCase() === 'add' ? halves(rest) : [first, rest]
    this.#filters.push({ name, value: value ?? '' })
    return `+OK filter added. [${name}]=[${value ?? ''}]`
  }

  #unfilter(argument: string): string {
    const [name, value] = halves(argument)
    const all = name.toLowerCase() === 'all'
    this.#filters = this.#filters.filter(
      filter =>
        !all &&
        !(
          filter.name.toLowerCase() === name.toLowerCase() &&
          (value === undefined || filter.value === value)
        ),
    )
    return `+OK filter deleted. [${name}][${value ?? ''}]`
  }
}

function halves(text: string): [string, string | undefined] {
  const at = text.indexOf(' ')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** `/regex/flags` minds case unless it says `i`; anything else is compared without case. */
function matches(actual: string, filter: string, wanted: string): boolean {
  if (!filter.startsWith('/')) return actual.toLowerCase() === wanted.toLowerCase()
  const [, source, flags] = /^\/(.*)\/([a-z]*)$/s.exec(wanted) ?? []
  if (source === undefined) return false
  try {
    return new RegExp(source, flags?.includes('i') ? 'i' : '').test(actual)
  } catch {
    return false
  }
}
