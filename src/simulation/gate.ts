/**
 * The way to the ledger: what is asked may wait, be refused, or be done without the answer ever
 * arriving, because the daemon has died in between. What comes out is in the order of what went in.
 */
import type { Instant, Resumable } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import {
  type Held,
  type HoldRequest,
  type Ledger,
  LedgerError,
  type Payer,
  type Settlement,
} from '../ledger/ledger.js'
import type { Dice } from './dice.js'
import type { World } from './world.js'

/** One run of a daemon. */
export interface Life {
  readonly alive: boolean
  /** A point between two statements, at which it may die. */
  step(): void
}

export interface LedgerWeather {
  /** What is asked waits up to so long, and its answer again. */
  slowMs: number
  refuses: boolean
}

/** How often the same is asked twice. */
const REPEATED = 0.05

export interface GateParts {
  readonly world: World
  readonly dice: Dice
  readonly weather: LedgerWeather
  readonly life: Life
}

export class Gate {
  #askedMs = 0
  #answeredMs = 0

  constructor(readonly parts: GateParts) {}

  /** Never settles when the daemon dies meanwhile. */
  pass<T>(work: () => Promise<T>): Promise<T> {
    const { world, dice, weather, life } = this.parts
    world.stir()
    return new Promise((resolve, reject) => {
      const answer = (settle: () => void) => {
        this.#answeredMs = Math.max(this.#answeredMs, world.now() + dice.next() * weather.slowMs)
        this.#inTurn(this.#answeredMs, () => {
          life.step()
          if (life.alive) settle()
        })
      }
      this.#askedMs = Math.max(this.#askedMs, world.now() + dice.next() * weather.slowMs)
      this.#inTurn(this.#askedMs, () => {
        life.step()
        if (!life.alive) return
        if (weather.refuses) return answer(() => reject(refusal()))
        world.track(repeatedly(work, dice.chance(REPEATED))).then(
          value => answer(() => resolve(value)),
          error => answer(() => reject(error)),
        )
      })
    })
  }

  #inTurn(dueMs: number, act: () => void): void {
    const { world } = this.parts
    if (dueMs <= world.now()) return act()
    world.at(dueMs, () => {
      world.stir()
      act()
    })
  }
}

/** Everything may be repeated: the second time changes nothing. */
async function repeatedly<T>(work: () => Promise<T>, twice: boolean): Promise<T> {
  const answer = await work()
  if (twice) await work()
  return answer
}

function refusal(): LedgerError {
  return new LedgerError('unavailable', 'ledger.db cannot grow: the disk is full')
}

export class GatedLedger implements Ledger {
  constructor(
    readonly ledger: Ledger,
    readonly gate: Gate,
  ) {}

  payer(account: string): Promise<Payer | undefined> {
    return this.gate.pass(() => this.ledger.payer(account))
  }

  hold(request: HoldRequest): Promise<Held> {
    return this.gate.pass(() => this.ledger.hold(request))
  }

  note(callId: string, answeredAt: Instant): Promise<void> {
    return this.gate.pass(() => this.ledger.note(callId, answeredAt))
  }

  warned(callId: string, at: Instant): Promise<void> {
    return this.gate.pass(() => this.ledger.warned(callId, at))
  }

  settle(settlement: Settlement): Promise<Cdr> {
    return this.gate.pass(() => this.ledger.settle(settlement))
  }

  release(callId: string): Promise<void> {
    return this.gate.pass(() => this.ledger.release(callId))
  }

  rename(callId: string, newCallId: string): Promise<void> {
    return this.gate.pass(() => this.ledger.rename(callId, newCallId))
  }

  openCalls(switchName: string): Promise<Resumable[]> {
    return this.gate.pass(() => this.ledger.openCalls(switchName))
  }

  heard(switchName: string, coreUuid: string, at: Instant): Promise<void> {
    return this.gate.pass(() => this.ledger.heard(switchName, coreUuid, at))
  }

  lastHeard(switchName: string, coreUuid: string): Promise<Instant | undefined> {
    return this.gate.pass(() => this.ledger.lastHeard(switchName, coreUuid))
  }
}
