/** A call in progress: its plan, its legs and the timers of its parties. */
import type { Branch, CallPlan } from './call-plan.js'
import type { Leg } from './leg.js'
import type { Cancellable, Timeline } from './timeline.js'
import type { Values } from './variables.js'

export class Call {
  a: Leg | undefined
  /** The outbound legs that have not hung up. */
  readonly branches: Leg[] = []
  /** What became of each outbound leg, as in `originate_causes`. */
  readonly outcomes = new Map<string, string>()
  /** A and the one outbound leg that was answered are talking. */
  bridged = false
  /** A has gone elsewhere, while these ring. */
  deserted = false
  readonly #members: { leg: Leg; values: Values; branch: Branch | undefined }[] = []
  readonly #timers = new Set<Cancellable>()

  constructor(
    readonly plan: CallPlan,
    readonly timeline: Timeline,
  ) {}

  add(leg: Leg, values: Values, branch?: Branch) {
    this.#members.push({ leg, values, branch })
    if (branch) this.branches.push(leg)
    else this.a = leg
  }

  /** What fills the templates of this leg's variables. */
  values(leg: Leg): Values {
    return this.#members.find(member => member.leg === leg)!.values
  }

  branchPlan(leg: Leg): Branch {
    return this.#members.find(member => member.leg === leg)!.branch!
  }

  /** The leg has hung up or left: what its partner does no longer concerns it. */
  release(leg: Leg) {
    if (this.a === leg) this.a = undefined
    const at = this.branches.indexOf(leg)
    if (at >= 0) this.branches.splice(at, 1)
    this.bridged = false
    if (!this.a && this.branches.length === 0) this.cancelTimers()
  }

  later(delayMs: number, happen: () => void) {
    const timer = this.timeline.after(delayMs, () => {
      this.#timers.delete(timer)
      happen()
    })
    this.#timers.add(timer)
  }

  cancelTimers() {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  /** `uuid;CAUSE`, or a list of them. */
  originateCauses(): string | undefined {
    const causes = [...this.outcomes].map(([uuid, cause]) => `${uuid};${cause}`)
    if (causes.length === 0) return undefined
    return causes.length === 1 ? causes[0] : `ARRAY::${causes.join('|:')}`
  }
}
