/**
 * Whether an A-leg may dial: by the same price and the same first hold as if its leg were there
 * already. Everything that cannot be found out is a no.
 */
import type { Logger } from 'pino'
import type { Instant, Leg, Refusal } from '../call/call.js'
import { cdrJson } from '../call/cdr.js'
import { firstHold, longestS } from '../call/funding.js'
import type { Controller } from '../controller/controller.js'
import { type Price, priceFor } from '../controller/price.js'
import type { SwitchLink } from '../controller/switch-link.js'
import type { Held } from '../ledger/ledger.js'
import { carrierCost, surelyAffordableSeconds, type Tariff } from '../rating/tariff.js'
import type { Question } from './conversation.js'
import type { Admitted, Denial, Verdict } from './verdict.js'

export interface AdmissionOptions {
  readonly controller: Controller
  readonly links: () => readonly SwitchLink[]
  readonly log: Logger
  /** How long a leg that was let through may take to come. */
  readonly appearS: number
  /** A Unique-ID that nobody has. */
  readonly newId: () => string
}

/** A verdict, and the switch that it was given to. */
export interface Decision {
  readonly verdict: Verdict
  /** The A-leg cannot have heard of it: what is held is given back. */
  withdraw(): void
  /** The A-leg may have heard of it, or not: the switch is asked, and then it is given back. */
  giveUp(): void
}

type Unpriced = Extract<Price, { type: 'unpriced' }>

export class Admission {
  constructor(readonly options: AdmissionOptions) {}

  /** Never rejects. */
  async decide(question: Question): Promise<Decision> {
    const { log } = this.options
    const { aLeg, account } = question
    if (account === null) return this.#deny(question, 'no_account')
    const link = await this.#linkOf(question)
    if (!link) return this.#deny(question, 'switch_unknown')
    try {
      return await this.#judge(question, account, link)
    } catch (error) {
      log.error({ aLeg, account, error }, 'the gate could not ask the ledger')
      return this.#deny(question, 'ledger_unavailable')
    }
  }

  async #judge(question: Question, account: string, link: SwitchLink): Promise<Decision> {
    const { controller } = this.options
    const { at, dialled } = question
    const legs = this.#legsOf(question, account, link)
    const price = await priceFor(controller.options, account, dialled, () => at)
    if (price.type === 'unpriced') return this.#refuse(legs[0]!, link, at, price)
    const { tariff } = price
    const holds = await Promise.all(legs.map(leg => this.#tryHold(leg, tariff, link, at)))
    const first = holds[0]!
    if (typeof first !== 'string') return this.#allow(holds, link)
    for (const held of holds) if (typeof held !== 'string') withdraw(held, link)
    const { plan, number } = tariff
    return this.#refuse(legs[0]!, link, at, {
      type: 'unpriced',
      reason: first,
      plan,
      number,
      tariff,
    })
  }

  #legsOf({ aLeg, at, dialled, alternatives }: Question, account: string, link: SwitchLink): Leg[] {
    const { coreUuid, name } = link
    const about = { switch: name, coreUuid: coreUuid!, account, dialled }
    return Array.from({ length: alternatives }, () => ({
      ...{ callId: this.options.newId(), ...about, createdAt: at, otherLeg: aLeg },
    }))
  }

  /** What became of one alternative must not leave the others behind. */
  #tryHold(leg: Leg, tariff: Tariff, link: SwitchLink, at: Instant): Promise<Admitted | Refusal> {
    return this.#hold(leg, tariff, link, at).catch(error => {
      this.options.log.error({ callId: leg.callId, error }, 'credit could not be held')
      return 'ledger_unavailable'
    })
  }

  /**
   * Holds the first chunk. What is held is expected from then on, before anybody can know the id:
   * so it is given back whatever comes between. Resolves to why where nothing is held.
   */
  async #hold(
    leg: Leg,
    tariff: Tariff,
    link: SwitchLink,
    at: Instant,
  ): Promise<Admitted | Refusal> {
    const { controller, appearS } = this.options
    const { settings } = controller
    const call = { phase: 'authorizing', leg, tariff, answeredAt: null, killed: false } as const
    const { total, atLeast } = firstHold(call, at, settings)
    const request = { at, leg, tariff, answeredAt: null, total, atLeast }
    const answer: Held = await controller.options.ledger.hold(request)
    if (answer.status === 'settled' || answer.raises === 0) return refusalOf(answer)
    const { held, raises } = answer
    const known = { leg, tariff, answeredAt: null, held, raises }
    link.expected.expect(known, appearS)
    const talkS = surelyAffordableSeconds(tariff, held, longestS(tariff, settings))
    const admitted = { known, seconds: talkS + controller.rules.timerMarginS }
    if (talkS > 0) return admitted
    withdraw(admitted, link)
    return refusalOf(answer)
  }

  #allow(holds: readonly (Admitted | Refusal)[], link: SwitchLink): Decision {
    const legs = holds.map(held => (typeof held === 'string' ? null : held))
    const aLeg = legs[0]!.known.leg.otherLeg!
    return {
      verdict: { allow: true, legs },
      withdraw: () => {
        for (const leg of legs) if (leg) withdraw(leg, link)
      },
      giveUp: () => link.expected.giveUp(aLeg),
    }
  }

  /** Not worth a CDR: nobody is known who would look for it. */
  #deny(
    { aLeg, account }: Question,
    reason: 'no_account' | 'switch_unknown' | 'ledger_unavailable',
  ) {
    this.options.log.warn({ aLeg, account, reason }, 'the gate denied a call')
    return denial(reason)
  }

  /** Nobody waits for the CDR: the A-leg is answered at once. */
  #refuse(leg: Leg, link: SwitchLink, at: Instant, found: Unpriced): Decision {
    const { controller, log } = this.options
    const { ledger, observer } = controller.options
    const { reason, plan, number, tariff } = found
    const ending = {
      answeredAt: null,
      endedAt: Math.max(at, link.now()),
      billedS: 0,
      carrierCost: tariff && carrierCost(tariff, 0),
      outcome: 'refused',
      reason,
      cause: controller.rules.causes.refused,
    } as const
    const { callId } = leg
    ledger.settle({ leg, tariff, plan, number, price: 0n, ending }).then(
      cdr => {
        log.info({ callId, cdr: cdrJson(cdr) }, 'call refused at the gate')
        observer?.onCdr?.(cdr)
      },
      error => log.error({ callId, error }, 'a refusal of the gate is not on record'),
    )
    return denial(reason)
  }

  /**
   * The switch that asks. One that has come up and has told nothing yet is found by the A-leg, which
   * only its own switch can describe; that tells us its time, too.
   */
  async #linkOf({ aLeg, coreUuid }: Question): Promise<SwitchLink | undefined> {
    const links = this.options.links().filter(link => link.isUp)
    const isIt = (link: SwitchLink) => link.coreUuid === coreUuid
    const known = links.find(isIt)
    if (known) return known
    // The first that it turns out to be: one that hangs must not keep it from being found.
    const asked = links.map(async link => {
      await link.describe(aLeg)
      if (link.isUp && isIt(link)) return link
      throw new Error('it is another switch')
    })
    return Promise.any(asked).catch(() => undefined)
  }
}

function withdraw({ known }: Admitted, link: SwitchLink): void {
  link.expected.withdraw(known.leg.callId)
}

export function denial(reason: Denial): Decision {
  return { verdict: { allow: false, reason }, withdraw: () => {}, giveUp: () => {} }
}

function refusalOf(held: Held): Refusal {
  return (held.status === 'held' && held.reason) || 'no_credit'
}
