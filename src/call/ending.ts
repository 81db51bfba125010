/** What an ended call comes to: its duration, its price, and what its CDR says. */
import { billedSeconds, costOf, wholeSeconds } from '../rating/rate.js'
import { answeredTariff, carrierCost } from '../rating/tariff.js'
import type {
  Answered,
  Authorizing,
  Command,
  Ending,
  HungUp,
  Reason,
  Refused,
  Ringing,
  Settling,
} from './call.js'
import { durationUs } from './cdr.js'
import type { Settings } from './settings.js'

/** A call that may hang up. */
export type Live = Authorizing | Ringing | Answered | Refused

/**
 * Settles a call that has hung up: at once where the switch's exact stamp is known, else when that
 * arrives or a while later. The ledger charges the price up to what it holds, and not more.
 */
export function end(
  call: Live,
  hungUp: HungUp,
  settings: Settings,
): readonly [Settling, readonly Command[]] {
  const answeredAt = ('answeredAt' in call ? call.answeredAt : null) ?? hungUp.answeredAt
  const seconds = wholeSeconds(durationUs(answeredAt, hungUp.at), settings.rounding)
  const tariff =
    call.tariff && answeredAt !== null ? answeredTariff(call.tariff, answeredAt) : call.tariff
  const rate = tariff?.rate ?? null
  const refused = call.phase === 'refused'
  const ending: Ending = {
    answeredAt,
    endedAt: hungUp.at,
    billedS: rate && !refused ? billedSeconds(rate, seconds) : 0,
    carrierCost: tariff && carrierCost(tariff, seconds),
    cause: hungUp.cause,
    ...verdict(call, hungUp, answeredAt),
  }
  const settling: Settling = {
    phase: 'settling',
    leg: call.leg,
    killed: call.killed,
    tariff,
    plan: call.phase === 'refused' ? call.plan : call.tariff.plan,
    number: call.phase === 'refused' ? call.number : call.tariff.number,
    price: rate ? costOf(rate, seconds) : 0n,
    ending,
    before: hungUp.exact ? null : call,
  }
  if (hungUp.exact) return recordSettlement(settling)
  return [settling, [{ type: 'wakeAt', at: hungUp.at + settings.hangupGraceS * 1e6 }]]
}

/** Has the ledger settle; no better stamp is waited for any more. */
export function recordSettlement(call: Settling): readonly [Settling, readonly Command[]] {
  const { price, ending } = call
  return [{ ...call, before: null }, [{ type: 'settle', price, ending }]]
}

/**
 * A call is cut off when it used up all that was held for it, whichever of us ended it then: this
 * process, or the switch by its own timer. The switch's stamps step in 20 ms, so that the end of a
 * call that we cut off may bear a stamp from just before.
 */
function verdict(
  call: Live,
  hungUp: HungUp,
  answeredAt: number | null,
): { outcome: Ending['outcome']; reason: Reason | null } {
  if (call.phase === 'refused') return { outcome: 'refused', reason: call.reason }
  const reason = call.killed ? 'killed' : hungUp.lost ? 'lost' : null
  if (answeredAt === null) return { outcome: 'unanswered', reason }
  if (reason === null && call.phase === 'answered') {
    const usedUp = call.cutOff || hungUp.at >= call.fundedUntil
    if (usedUp) return { outcome: 'cut_off', reason: call.final ?? 'not_renewed' }
  }
  return { outcome: 'completed', reason }
}
