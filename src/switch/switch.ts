/**
 * The port to one FreeSWITCH. esl-switch.ts implements it over the event socket, the simulation
 * and replay each in their own way.
 *
 * Every command settles within a bounded time; all reject with SwitchError when the switch cannot
 * be asked, or does not answer as it should. A failure is never an answer: "could not list" is not
 * "there are none".
 */
import type { Heartbeat, LegEvent } from '../call/leg-event.js'

export interface Switch {
  /** The operator's name for it, unique among the switches of a daemon. */
  readonly name: string

  /** Ends a leg (`uuid_kill`). Resolves as well when there is no such leg any more. */
  hangUp(legId: string, cause: string): Promise<void>

  /**
   * Arms the switch's own timer: the leg is ended in `inS` whole seconds, at least 1, whatever
   * becomes of us. `generation`, from 1, names the timer; when it is armed, those of the generations
   * from `since` on are deleted, in this order, so that there is never none. Generation 0 is what
   * the dial string or hangUpAfterAnswer has armed.
   */
  hangUpAfter(
    legId: string,
    inS: number,
    generation: number,
    since: number,
    cause: string,
  ): Promise<void>

  /**
   * Has the switch arm such a timer by itself when a ringing leg is answered, `talkS` whole seconds
   * from then: for the case that we are gone at that moment. Changes nothing on an answered leg.
   */
  hangUpAfterAnswer(legId: string, talkS: number, cause: string): Promise<void>

  /** Sets a variable of the switch as a whole, which every dialplan can read. */
  setGlobal(name: string, value: string): Promise<void>

  /** A channel variable; null where the leg has no such variable, or is gone. */
  variable(legId: string, name: string): Promise<string | null>

  /** All legs that are alive, complete; and the run of the switch. */
  listLegs(): Promise<Listing>

  /** All that is known of a leg (`uuid_dump`); null where it is gone. */
  describe(legId: string): Promise<LegEvent | null>

  /** Has the switch ask again for a user of its directory that it may have kept (`xml_flush_cache`). */
  forgetUser(user: string, domain: string): Promise<void>

  /** Plays to one leg alone: a file, a `tone_stream://…`, or `say:` and the arguments of say. */
  play(legId: string, sound: string): Promise<void>

  /**
   * Sends a leg to another extension (`uuid_transfer`), where the variable `tollgate_reason` tells
   * why; it leaves its bridge. Commands that are given later are carried out later.
   */
  transfer(legId: string, extension: string, reason: string): Promise<void>
}

export interface Listing {
  /** Core-UUID. */
  readonly coreUuid: string
  readonly legs: readonly ListedLeg[]
}

export interface ListedLeg {
  readonly legId: string
  readonly direction: 'inbound' | 'outbound'
}

/** What a switch tells of itself. */
export interface SwitchListener {
  onEvent(event: LegEvent | Heartbeat): void
  /** Connected and subscribed: events come from now on, and what was missed can be asked for. */
  onUp(): void
  /** No events come any more. Legs live on. */
  onDown(): void
}

/** How it stands with the connection to a switch. */
export interface Line {
  readonly state: 'connected' | 'connecting' | 'refused'
  /** Since when, in milliseconds since the epoch. */
  readonly since: number
  /** Why it is not connected, as a sentence; null where it is, or was not tried yet. */
  readonly why: string | null
}

export class SwitchError extends Error {
  override name = 'SwitchError'
  constructor(
    readonly code: 'not_connected' | 'timeout' | 'refused' | 'unexpected',
    message: string,
  ) {
    super(message)
  }
}
