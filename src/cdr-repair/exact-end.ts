/**
 * What a call comes to by its exact end, when that is learnt after the call: by the same rules, and
 * at the same price, as if its HANGUP_COMPLETE had been heard. Pure.
 */
import type { Ending, Instant, Leg, Refusal, Resumable } from '../call/call.js'
import type { Cdr } from '../call/cdr.js'
import { end, type Live } from '../call/ending.js'
import { longestS, SECOND, talking } from '../call/funding.js'
import type { Settings } from '../call/settings.js'
import type { EndedLeg } from '../ledger/repairs.js'
import type { Money } from '../money.js'
import { affordableSeconds } from '../rating/rate.js'
import type { Tariff } from '../rating/tariff.js'

/** What the record of a leg says of its end. */
export type RecordedEnd = Pick<EndedLeg, 'answeredAt' | 'endedAt' | 'cause'>

export interface ExactEnd {
  readonly tariff: Tariff | null
  readonly price: Money
  readonly ending: Ending
}

type Known = Omit<Resumable, 'answeredAt'> & { readonly killed: boolean }

/** Of a call that is on record, with its hold. */
export function endOfOpen(call: Resumable, recorded: RecordedEnd, settings: Settings): ExactEnd {
  const answeredAt = call.answeredAt ?? recorded.answeredAt
  return exactEnd(fundedCall({ ...call, killed: false }, answeredAt, settings), recorded, settings)
}

/**
 * Of a call whose CDR says that its end was lost.
 * @param tariff the rate that was filed; null where the call was refused before it had one
 */
export function endOfLost(
  cdr: Cdr,
  tariff: Tariff | null,
  recorded: RecordedEnd,
  settings: Settings,
): ExactEnd {
  const { plan, number, held } = cdr
  const killed = cdr.reason === 'killed'
  const { answeredAt } = recorded
  if (tariff === null || cdr.outcome === 'refused') {
    // A call that was refused has no other reason in its CDR, whatever became of it.
    const reason = cdr.reason as Refusal
    const refused = { leg: cdr, killed, reason, tariff, plan, number, answeredAt }
    return exactEnd({ phase: 'refused', ...refused }, recorded, settings)
  }
  const known = { leg: cdr, tariff, held, raises: 1, killed }
  return exactEnd(fundedCall(known, answeredAt, settings), recorded, settings)
}

/** Of a call that nobody held credit for: nothing could end it for want of credit. */
export function endOfUnseen(
  leg: Leg,
  tariff: Tariff,
  recorded: RecordedEnd & { readonly answeredAt: Instant },
  settings: Settings,
): ExactEnd {
  const unpaid = talking(
    { leg, tariff, held: 0n, raises: 1, killed: false },
    recorded.answeredAt,
    null,
  )
  return exactEnd({ ...unpaid, fundedUntil: Number.POSITIVE_INFINITY }, recorded, settings)
}

function fundedCall(known: Known, answeredAt: Instant | null, settings: Settings): Live {
  if (answeredAt === null) return { phase: 'ringing', ...known }
  const call = talking(known, answeredAt, null)
  const { rate } = call.tariff
  const talkS = affordableSeconds(rate, known.held, longestS(call.tariff, settings))
  return { ...call, fundedUntil: answeredAt + talkS * SECOND }
}

function exactEnd(call: Live, recorded: RecordedEnd, settings: Settings): ExactEnd {
  const { answeredAt, endedAt: at, cause } = recorded
  const [{ tariff, price, ending }] = end(
    call,
    { type: 'hungUp', at, answeredAt, cause, exact: true, lost: false },
    settings,
  )
  return { tariff, price, ending }
}
