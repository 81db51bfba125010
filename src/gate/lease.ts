/**
 * The cheap variant of the gate: a variable of the switch that says until when new calls may be let
 * through, in seconds of its own clock. It is renewed while we are there and the ledger can be
 * written, and runs out by itself when not. The dialplan looks at it without asking anybody.
 */
import type { Logger } from 'pino'
import type { Instant } from '../call/call.js'
import type { Clock } from '../controller/clock.js'
import type { SwitchLink } from '../controller/switch-link.js'
import type { Ledger } from '../ledger/ledger.js'

export interface LeaseOptions {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly log: Logger
  /** How long a renewal lasts; 3 at least. */
  readonly leaseS: number
}

export const LEASE = 'tollgate_lease'

/** Renewed so often within its time, so that one renewal may fail. */
const RENEWALS = 3

/** A switch that has just come up tells its time with its first event. */
const AGAIN_MS = 1000

export class Lease {
  /** Until when the switch has it, by its own clock; null before it was first given. */
  until: Instant | null = null
  #stopped = false

  constructor(
    readonly link: SwitchLink,
    readonly options: LeaseOptions,
  ) {}

  /** Renews at once, and from then on. */
  start(): void {
    const { clock, log, leaseS } = this.options
    if (this.#stopped) return
    const isUnknown = this.link.isUp && this.link.moment() === null
    const inMs = isUnknown ? AGAIN_MS : (leaseS / RENEWALS) * 1000
    clock.wakeAt(`lease ${this.link.name}`, clock.now() + inMs, () => this.start())
    this.#renew().catch(error => {
      log.warn({ switch: this.link.name, error }, 'the lease of the switch is not renewed')
    })
  }

  /** Ends the lease where the switch can still be told; else it runs out. */
  async stop(): Promise<void> {
    const { clock, log } = this.options
    this.#stopped = true
    clock.cancel(`lease ${this.link.name}`)
    if (!this.link.isUp) return
    await this.link.switch.setGlobal(LEASE, '0').catch(error => {
      log.warn({ switch: this.link.name, error }, 'the lease of the switch runs on to its end')
    })
  }

  async #renew(): Promise<void> {
    const { ledger, leaseS } = this.options
    const { link } = this
    const moment = link.isUp ? link.moment() : null
    if (!moment) return
    // Only a write proves that the ledger can be written. At 0 it changes nothing that is known.
    await ledger.heard(link.name, moment.coreUuid, 0)
    // It may have taken a while: the switch may be another one by now, or we may be stopping.
    if (this.#stopped || !link.isUp || link.coreUuid !== moment.coreUuid) return
    const until = Math.floor(link.now() / 1e6) + leaseS
    await link.switch.setGlobal(LEASE, String(until))
    this.until = until * 1e6
  }
}
