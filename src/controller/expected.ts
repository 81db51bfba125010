/**
 * Legs that the gate has let through and that have not come yet. Credit is held for each already,
 * under the id that it will have: so when it comes, with a code of its own or without, its call goes
 * on as one that is on record.
 *
 *   expected ──it comes────────────────────────────────────────▶ its call goes on with its hold
 *      │                                                                        ▲
 *      └─its A-leg ends, another leg of that is answered,─▶ asked for ─it lives─┘
 *        it takes too long                                      └─no such leg─▶ released
 *
 *   released ─it comes after all─▶ judged anew, by what the gate was told
 *
 * A hold that is not given back stays in the ledger. Should this process die, recovery finds a call
 * on record without a leg, and closes it as any other.
 */
import type { Logger } from 'pino'
import type { Resumable } from '../call/call.js'
import type { LegEvent } from '../call/leg-event.js'
import type { Clock } from './clock.js'
import type { Controller } from './controller.js'
import { hungUpOf } from './hung-up.js'
import type { SwitchLink } from './switch-link.js'

export interface ExpectedOptions {
  readonly controller: Controller
  readonly clock: Clock
  readonly log: Logger
}

/** The switch, or the ledger, is asked again after this. */
const AGAIN_MS = 1000

/** A leg that comes so much later than its hold was given back is judged by its own code alone. */
const REMEMBERED_MS = 10 * 60_000

interface Expected {
  readonly known: Resumable
  /** The switch is being asked whether the leg is alive. */
  asking: boolean
  /** The hold has been given back, or will be as soon as the ledger can. */
  released: boolean
}

export class ExpectedLegs {
  readonly #legs = new Map<string, Expected>()
  /** Those that are not released, by A-leg. */
  readonly #ofALeg = new Map<string, Set<string>>()

  constructor(
    readonly link: SwitchLink,
    readonly options: ExpectedOptions,
  ) {}

  /** How many holds are kept for legs that have not come. */
  get size(): number {
    return [...this.#legs.values()].filter(({ released }) => !released).length
  }

  /** A leg of this id will come, or its hold is given back. */
  expect(known: Resumable, withinS: number): void {
    const { callId, otherLeg } = known.leg
    this.#legs.set(callId, { known, asking: false, released: false })
    if (otherLeg !== null) {
      const legs = this.#ofALeg.get(otherLeg) ?? new Set()
      this.#ofALeg.set(otherLeg, legs.add(callId))
    }
    this.#in(withinS * 1000, callId, () => this.#ask(callId))
  }

  /** The id has been told to nobody: no such leg can come. */
  withdraw(callId: string): void {
    const on = this.#legs.get(callId)
    if (on && !on.released) this.#release(callId, on)
  }

  /** The A-leg will hardly dial those that have not come: the switch is asked whether it has. */
  giveUp(aLeg: string): void {
    for (const callId of this.#ofALeg.get(aLeg) ?? []) this.#ask(callId)
  }

  /** To be told of every event of a leg before its call is. */
  take(event: LegEvent): void {
    const on = this.#legs.get(event.legId)
    if (on) this.#arrive(event, on)
    if (hungUpOf(event)) this.giveUp(event.legId)
    else if (event.name === 'CHANNEL_ANSWER' && event.otherLeg) this.giveUp(event.otherLeg)
  }

  #arrive(event: LegEvent, { known, released }: Expected): void {
    const { controller } = this.options
    const { callId, account, dialled } = known.leg
    this.#forget(callId, known)
    if (released) {
      const first = { ...event, acNumber: event.acNumber ?? dialled }
      return controller.begin(this.link, account, [first])
    }
    const hungUp = hungUpOf(event)
    if (hungUp) return controller.close(this.link, known, hungUp)
    controller.resume(this.link, known, { askedAt: event.at, coreUuid: event.coreUuid })
  }

  /** That the switch cannot be asked is no proof that there is no such leg. */
  #ask(callId: string): void {
    const on = this.#legs.get(callId)
    if (!on || on.released || on.asking) return
    on.asking = true
    this.link.describe(callId).then(
      leg => {
        on.asking = false
        if (this.#legs.get(callId) !== on || on.released) return
        if (leg) this.link.onStranger(leg, true)
        else this.#release(callId, on)
      },
      error => {
        on.asking = false
        if (this.#legs.get(callId) !== on || on.released) return
        this.options.log.debug({ callId, error }, 'the switch did not tell whether a leg has come')
        this.#in(AGAIN_MS, callId, () => this.#ask(callId))
      },
    )
  }

  #release(callId: string, on: Expected): void {
    const { controller, log } = this.options
    on.released = true
    this.#ungroup(on.known)
    controller.options.ledger.release(callId).then(
      () => {
        log.debug({ callId }, 'a leg did not come: its hold is given back')
        if (this.#legs.get(callId) !== on) return
        this.#in(REMEMBERED_MS, callId, () => this.#legs.delete(callId))
      },
      error => {
        log.warn({ callId, error }, 'the hold of a leg that did not come is not given back yet')
        // A leg that has come meanwhile goes on with this hold: it must not be taken from it.
        if (this.#legs.get(callId) !== on) return
        this.#in(AGAIN_MS, callId, () => this.#release(callId, on))
      },
    )
  }

  #forget(callId: string, known: Resumable): void {
    this.#legs.delete(callId)
    this.#ungroup(known)
    this.options.clock.cancel(`expected ${callId}`)
  }

  #ungroup({ leg: { callId, otherLeg } }: Resumable): void {
    if (otherLeg === null) return
    const legs = this.#ofALeg.get(otherLeg)
    legs?.delete(callId)
    if (legs?.size === 0) this.#ofALeg.delete(otherLeg)
  }

  /** A leg has one alarm. */
  #in(ms: number, callId: string, ring: () => void): void {
    const { clock } = this.options
    clock.wakeAt(`expected ${callId}`, clock.now() + ms, ring)
  }
}
