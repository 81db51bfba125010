/**
 * A call told in events. Instants are seconds after the leg was created; the rate is 0.60 a minute
 * by the second, so that a second costs CENT and a chunk 60 of them.
 */
import type {
  Answered,
  Call,
  Command,
  Event,
  HungUp,
  Leg,
  Reason,
  Refusal,
  Resumable,
} from '../../src/call/call.js'
import type { Settings } from '../../src/call/settings.js'
import { step } from '../../src/call/step.js'
import type { Money } from '../../src/money.js'
import type { Rate } from '../../src/rating/rate.js'
import { type Tariff, tariffOf } from '../../src/rating/tariff.js'

const T0 = 1_795_398_154_260_000

/** The instant that is so many seconds after the beginning. */
export const s = (seconds: number) => T0 + Math.round(seconds * 1e6)

/** What a second costs at RATE. */
export const CENT: Money = 10_000n

export const RATE: Rate = {
  prefix: '49',
  description: 'Germany',
  perMinute: 60n * CENT,
  setup: 0n,
  minimum: 1,
  increment: 1,
  freeS: 0,
}

export const TARIFF: Tariff = tariffOf('retail', '4930', RATE)

export const LEG: Leg = {
  callId: 'b-leg',
  switch: 'fs1',
  coreUuid: 'core-1',
  account: 'alice',
  dialled: '4930',
  createdAt: s(0),
  otherLeg: 'a-leg',
}

export const RULES: Settings = {
  chunkS: 60,
  leadS: 10,
  warnS: 10,
  retryS: 1,
  partialChunk: true,
  rounding: 'up',
  longestCallS: 86_400,
  hangupGraceS: 5,
}

export const created = (at = 0, answered: number | null = null): Event => ({
  type: 'created',
  at: s(at),
  leg: LEG,
  answeredAt: answered === null ? null : s(answered),
})
export const resumed = (at: number, known: Partial<Resumable>): Event => ({
  type: 'resumed',
  at: s(at),
  call: { leg: LEG, tariff: TARIFF, answeredAt: null, held: 60n * CENT, raises: 1, ...known },
})
export const priced = (at: number, rate: Partial<Rate> = {}): Event => ({
  type: 'priced',
  at: s(at),
  tariff: { ...TARIFF, rate: { ...RATE, ...rate } },
})
export const unpriced = (at: number, reason: Refusal): Event => ({
  type: 'unpriced',
  at: s(at),
  reason,
  plan: 'retail',
  number: null,
  tariff: null,
})
export const held = (
  at: number,
  held: Money,
  raises: number,
  reason: Refusal | null = null,
): Event => ({ type: 'held', at: s(at), held, raises, reason })
export const holdFailed = (at: number): Event => ({ type: 'holdFailed', at: s(at) })
export const answered = (at: number): Event => ({ type: 'answered', at: s(at) })
export const woken = (at: number): Event => ({ type: 'woken', at: s(at) })
export const toppedUp = (at: number): Event => ({ type: 'toppedUp', at: s(at) })
export const killed = (at: number): Event => ({ type: 'killed', at: s(at) })
export const hangUpFailed = (at: number): Event => ({ type: 'hangUpFailed', at: s(at) })
export const settled = (at: number): Event => ({ type: 'settled', at: s(at) })
export const settleFailed = (at: number): Event => ({ type: 'settleFailed', at: s(at) })
export const hungUp = (at: number, more: Partial<HungUp> = {}): HungUp => ({
  type: 'hungUp',
  at: s(at),
  answeredAt: null,
  cause: 'NORMAL_CLEARING',
  exact: true,
  lost: false,
  ...more,
})
/** CHANNEL_HANGUP, which does not carry the exact stamp. */
export const hangup = (at: number, more: Partial<HungUp> = {}) =>
  hungUp(at, { exact: false, ...more })

export const hold = (seconds: number, atLeastS: number, answeredAt: number | null): Command => ({
  type: 'hold',
  total: BigInt(seconds) * CENT,
  atLeast: BigInt(atLeastS) * CENT,
  answeredAt: answeredAt === null ? null : s(answeredAt),
})
export const wakeAt = (at: number): Command => ({ type: 'wakeAt', at: s(at) })
export const hangUpAt = (at: number, raises: number): Command => ({
  type: 'hangUpAt',
  at: s(at),
  raises,
})
export const warn = (at: number): Command => ({ type: 'warn', fundedUntil: s(at) })
export const note = (at: number): Command => ({ type: 'note', answeredAt: s(at) })
export const refuse: Command = { type: 'hangUp', why: 'refused' }
export const cutOff: Command = { type: 'hangUp', why: 'cut_off' }
export const kill: Command = { type: 'hangUp', why: 'killed' }

/** A call after some events; `commands` are those of the last one, `all` those of all of them. */
export class Story {
  commands: readonly Command[] = []
  readonly all: Command[] = []

  constructor(
    readonly settings: Settings = RULES,
    public call: Call = { phase: 'new' },
  ) {}

  and(...events: Event[]): this {
    for (const event of events) {
      ;[this.call, this.commands] = step(this.call, event, this.settings)
      this.all.push(...this.commands)
    }
    return this
  }

  get answered(): Answered {
    if (this.call.phase !== 'answered') throw new Error(`the call is ${this.call.phase}`)
    return this.call
  }

  /** Why the answered call ends when its hold is used up. */
  get final(): Reason | null {
    return this.answered.final
  }

  /** What was last to be settled. */
  get settlement() {
    const settle = this.all.findLast(command => command.type === 'settle')
    if (!settle) throw new Error('nothing has been settled')
    const { price, ending } = settle
    return { price, ...ending }
  }

  count(type: Command['type']): number {
    return this.all.filter(command => command.type === type).length
  }
}

/** A call after these events, by the usual rules. */
export const after = (...events: Event[]) => new Story().and(...events)

/** By other rules than usual. */
export const by = (rules: Partial<Settings>) => new Story({ ...RULES, ...rules })

/** A call that rings with a full chunk held. */
export const RINGING = [created(), priced(0.1), held(0.2, 60n * CENT, 1)]

/** A call that was answered after 3 s, and is funded until 63 s. */
export const TALKING = [...RINGING, answered(3)]
