/** When the world was at fault, and where: what the rules cannot be blamed for. */
import type { World } from './world.js'

export type Trouble =
  | 'no daemon'
  | 'not connected'
  | 'commands fail'
  | 'lists fail'
  | 'the ledger is slow'
  | 'the ledger refuses'

interface Period {
  readonly trouble: Trouble
  /** The name of a switch, or null for everywhere. */
  readonly where: string | null
  readonly fromMs: number
  toMs: number
}

/** What a trouble has left behind is put in order by then. */
const AFTERMATH_MS = 5000

export class Troubles {
  readonly #periods: Period[] = []

  constructor(readonly world: World) {}

  /** Returns how to end it; that may be repeated. */
  begin(trouble: Trouble, where: string | null): () => void {
    const fromMs = this.world.now()
    const period: Period = { trouble, where, fromMs, toMs: Number.POSITIVE_INFINITY }
    this.#periods.push(period)
    return () => {
      period.toMs = Math.min(period.toMs, this.world.now())
    }
  }

  /** A trouble that was there between the two instants, or whose consequences were. */
  during(
    fromMs: number,
    toMs: number,
    where: string | null,
    kinds?: readonly Trouble[],
  ): Trouble | null {
    for (let i = this.#periods.length - 1; i >= 0; i--) {
      const period = this.#periods[i]!
      const here = period.where === null || where === null || period.where === where
      const meant = kinds === undefined || kinds.includes(period.trouble)
      const then = period.fromMs <= toMs && period.toMs + AFTERMATH_MS >= fromMs
      if (here && meant && then) return period.trouble
    }
    return null
  }

  /** Since when it has been calm at that moment, consequences included; that moment if it was not. */
  calmSince(atMs: number, where: string | null): number {
    let calmMs = 0
    for (const period of this.#periods) {
      const here = period.where === null || where === null || period.where === where
      if (here && period.fromMs <= atMs) calmMs = Math.max(calmMs, period.toMs + AFTERMATH_MS)
    }
    return Math.min(calmMs, atMs)
  }

  /** How much of the time until now something was wrong somewhere. */
  share(): number {
    const now = this.world.now()
    let troubledMs = 0
    let untilMs = 0
    for (const { fromMs, toMs } of this.#periods.toSorted((a, b) => a.fromMs - b.fromMs)) {
      const endMs = Math.min(toMs, now)
      troubledMs += Math.max(0, endMs - Math.max(fromMs, untilMs))
      untilMs = Math.max(untilMs, endMs)
    }
    return now === 0 ? 0 : troubledMs / now
  }
}
