/** The people who call: where to, for how long, and how the dialplan says who pays. */
import type { Branch, CallPlan } from '../simulator/call-plan.js'
import type { Dice } from './dice.js'
import { digitsOf } from './plan-script.js'
import type { Scenario, Subscriber } from './scenario.js'
import type { Site } from './site.js'
import type { World } from './world.js'

/** An outbound leg, and what the auditor has to know of it beforehand. */
export interface Placed {
  readonly legId: string
  readonly site: Site
  /** The code that has to pay, of an account or of none; null for a leg that does not pay. */
  readonly code: string | null
  readonly subscriber: Subscriber | null
  /** What is rated. */
  readonly dialled: string
  /** Dialled as a user of the switch: who finds such a leg late cannot tell whose code it has. */
  readonly asUser: boolean
  readonly atMs: number
}

const TALK_MEAN_MS = 180_000
const TALK_MAX_MS = 1_800_000

export class Callers {
  readonly placed = new Map<string, Placed>()
  readonly #wheel: readonly (readonly [number, Subscriber])[]

  constructor(
    readonly world: World,
    readonly dice: Dice,
    readonly scenario: Scenario,
    readonly sites: readonly Site[],
  ) {
    this.#wheel = scenario.subscribers.map(one => [one.weight, one] as const)
  }

  /** Calls come in until then. */
  start(untilMs: number): void {
    const { world, dice, scenario } = this
    const next = () => {
      if (world.now() > untilMs) return
      const subscriber = dice.chance(0.03) ? null : dice.weigh(this.#wheel)
      this.#call(subscriber)
      if (dice.chance(0.06)) this.#burst(subscriber)
      world.after(dice.wait(3_600_000 / scenario.callsPerHour), next)
    }
    world.after(dice.wait(5000), next)
  }

  /** A machine that dials: several calls within a second or so, most from those that limit them. */
  #burst(caller: Subscriber | null): void {
    const { dice, world } = this
    const limited = this.scenario.subscribers.filter(
      ({ limits }) => limits.maxCalls !== null || limits.maxCallsPerSecond !== null,
    )
    const subscriber = limited.length > 0 && dice.chance(0.6) ? dice.pick(limited) : caller
    for (let more = 1 + dice.int(4); more > 0; more--) {
      world.after(dice.next() * 1200, () => this.#call(subscriber))
    }
  }

  #call(subscriber: Subscriber | null): void {
    const { dice, world } = this
    const site = dice.pick(this.sites)
    if (!site.freeswitch.up) return
    const code = subscriber?.code ?? `NOBODY${dice.int(5)}`
    const plan = this.#plan(code)
    const { a, branches } = site.freeswitch.placeCall(plan)
    const entries = [plan, ...(plan.forkOf ?? [])]
    branches.forEach((legId, i) => {
      const { extraVariables = {}, number } = entries[i]!
      const free = plan.ac === undefined || isFree(extraVariables, plan.acOn)
      this.placed.set(legId, {
        legId,
        site,
        code: free ? null : code,
        subscriber: free ? null : subscriber,
        dialled: extraVariables['ac_number'] ?? number,
        asUser: 'dialed_user' in extraVariables,
        atMs: world.now(),
      })
    })
    // Some callers give up while it rings.
    if (a && dice.chance(0.05)) world.after(dice.next() * 8000, () => site.freeswitch.hangUp(a))
  }

  #plan(code: string): CallPlan {
    const { dice } = this
    const style = dice.weigh([
      [45, 'b'],
      [10, 'export'],
      [15, 'a-set'],
      [15, 'directory'],
      [10, 'no caller'],
      [5, 'no code'],
    ] as const)
    const aLeg = style !== 'no caller'
    const paid = style === 'no code' ? {} : { ac: code }
    return {
      ...this.#branch(),
      ...paid,
      aLeg,
      ...(aLeg && style !== 'no code' && { acOn: style }),
      talkMs: dice.chance(0.05) ? null : Math.min(dice.wait(TALK_MEAN_MS), TALK_MAX_MS),
      hungUpBy: dice.pick(['caller', 'callee']),
      ...(aLeg && dice.chance(0.08) && { forkOf: this.#fork() }),
    }
  }

  #fork(): Branch[] {
    return Array.from({ length: 1 + this.dice.int(2) }, () => this.#branch())
  }

  #branch(): Branch {
    const { dice } = this
    const extraVariables = dice.weigh<Record<string, string>>([
      [92, {}],
      [3, { is_loopback: 'true' }],
      [3, { dialed_user: '1010', dialed_domain: 'example.com' }],
      [2, { ac_number: digitsOf(dice) }],
    ])
    // Some ring for long, so that a period ends or a rate begins meanwhile.
    const ringMs = dice.next() * (dice.chance(0.15) ? 100_000 : 15_000)
    const ending = dice.weigh([
      [78, { answer: true, ringMs }],
      [8, { answer: true, ringMs: 0, instant: true }],
      [9, { answer: false, ringMs }],
      [5, { answer: false, ringMs: dice.pick([0, ringMs]), busyCause: 'USER_BUSY' }],
    ])
    return { number: this.#number(), extraVariables, ...ending }
  }

  #number(): string {
    const { dice } = this
    const digits = digitsOf(dice)
    return dice.weigh([
      [80, digits],
      [5, `+${digits}`],
      [5, `00${digits}`],
      [5, `011${digits}`],
      [2, `999${digits}`],
      [1, 'voicemail'],
    ])
  }
}

/** Loopback legs do not pay, and calls between SIP accounts only by a code of their own. */
function isFree(variables: Readonly<Record<string, string>>, acOn: CallPlan['acOn']): boolean {
  const inherits = acOn === 'a-set' || acOn === 'directory'
  return 'is_loopback' in variables || ('dialed_user' in variables && inherits)
}
