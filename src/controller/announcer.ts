/**
 * What the caller gets to hear of his credit: a warning before the end, and instead of a bare hangup
 * another extension, such as an announcement or a top-up menu. Always the caller, the A-leg, whichever
 * leg pays; the far end hears none of it. Nothing depends on it: what does not work is logged, and the leg ends.
 */
import type { Logger } from 'pino'
import { SECONDS } from '../announcements.js'
import type { Instant, Reason } from '../call/call.js'
import type { Supervised } from './controller.js'

export interface Announcements {
  /** A file, a `tone_stream://…`, or `say:…`; `{seconds}` in it are those that are left. Null: none. */
  readonly warnSound: string | null
  /** The extension that the caller of a refused, or cut off, call goes to; null: he is hung up. */
  readonly refusedTo: string | null
  readonly cutOffTo: string | null
}

export class Announcer {
  /** A leg is hung up again until it ends; its caller is sent away once. */
  readonly #sent = new WeakSet<Supervised>()

  constructor(
    readonly announcements: () => Announcements,
    /** Told of a warning that the switch has taken. */
    readonly onWarned: (callId: string, at: Instant) => Promise<void>,
    readonly log: Logger,
  ) {}

  warn(slot: Supervised, fundedUntil: Instant): void {
    const { leg, link } = slot
    const { callId, otherLeg } = leg
    this.log.debug({ callId }, 'credit is about to run out')
    const { warnSound } = this.announcements()
    if (warnSound === null || otherLeg === null) return
    const at = link.now()
    const seconds = Math.max(0, Math.round((fundedUntil - at) / 1e6))
    const sound = warnSound.replaceAll(SECONDS, String(seconds))
    link.switch.play(otherLeg, sound).then(
      () => this.#recordWarning(slot, at),
      error => this.log.warn({ callId, error }, 'the caller could not be warned'),
    )
  }

  /** The leg may have got another id while the switch was told. */
  #recordWarning({ leg: { callId } }: Supervised, at: Instant): void {
    this.onWarned(callId, at).catch(error => {
      this.log.warn({ callId, error }, 'the warning of a caller is not recorded')
    })
  }

  /** To be asked before the paying leg is hung up: the switch takes both commands in that order. */
  sendElsewhere(slot: Supervised, why: 'refused' | 'cut_off' | 'killed'): void {
    const { leg, link, call } = slot
    const { refusedTo, cutOffTo } = this.announcements()
    const extension = { refused: refusedTo, cut_off: cutOffTo, killed: null }[why]
    const { callId, otherLeg } = leg
    // A leg that pays for itself cannot go on elsewhere: it would not be paid for.
    if (extension === null || otherLeg === null || otherLeg === callId) return
    if (this.#sent.has(slot)) return
    this.#sent.add(slot)
    link.switch.transfer(otherLeg, extension, reasonOf(call) ?? 'no_credit').catch(error => {
      this.log.warn({ callId, extension, error }, 'the caller could not be sent elsewhere')
    })
  }
}

function reasonOf(call: Supervised['call']): Reason | null {
  if (call.phase === 'refused') return call.reason
  return call.phase === 'answered' ? call.final : null
}
