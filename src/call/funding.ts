/**
 * How long a call is paid for, and when more is asked for: the part of the rules (step.ts) that a
 * call lives by from its first hold to its end.
 */
import { larger } from '../money.js'
import { affordableSeconds, costOf } from '../rating/rate.js'
import { answeredTariff, highestCost, highestLeastCost, type Tariff } from '../rating/tariff.js'
import type { Answered, Authorizing, Command, Instant, Reason, Resumable, Ringing } from './call.js'
import type { Settings } from './settings.js'

type Funded = readonly [Answered, readonly Command[]]
type Hold = Extract<Command, { type: 'hold' }>

export const SECOND = 1e6

/** A switch that was told to hang up, and said that it would, is told again after this long. */
export const REPEAT_HANG_UP_S = 5

/**
 * Setup and the first chunk. A leg that has been talking for a while, because we came late, owes
 * for that too: whatever credit there is, is held, and it is cut off if that is not enough.
 */
export function firstHold(call: Authorizing, at: Instant, settings: Settings): Hold {
  const { answeredAt, tariff } = call
  const talkedS = answeredAt === null ? 0 : Math.max(0, (at - answeredAt) / SECOND)
  const firstS = Math.max(settings.chunkS, leadOf(settings) + 1)
  const seconds = Math.min(Math.ceil(talkedS) + firstS, longestS(tariff, settings))
  const least = highestLeastCost(tariff)
  // A chunk within the free seconds costs nothing; a call that may outlast them does.
  const total = larger(highestCost(tariff, seconds), least)
  if (talkedS >= 1) return { type: 'hold', total, atLeast: 0n, answeredAt }
  return { type: 'hold', total, atLeast: settings.partialChunk ? least : total, answeredAt }
}

/** How long before the end more is asked for: early enough to know whether the caller is warned. */
export function leadOf({ leadS, warnS }: Settings): number {
  return Math.max(leadS, warnS)
}

/** The longest that the call may get: by the rules, or by its account where that is less. */
export function longestS(tariff: Tariff, settings: Settings): number {
  return Math.min(settings.longestCallS, tariff.longestS ?? settings.longestCallS)
}

/** A call that is answered, before it is known how long its hold lets it run. */
export function talking(
  call: Omit<Resumable, 'answeredAt'> & { readonly killed: boolean },
  answeredAt: Instant,
  final: Reason | null,
): Answered {
  const { leg, killed, held, raises } = call
  const tariff = answeredTariff(call.tariff, answeredAt)
  const known = { leg, tariff, killed, held, raises, answeredAt, fundedUntil: answeredAt, final }
  return { phase: 'answered', ...known, asking: 'no', cutOff: false, warnedOf: null, armed: 0 }
}

export function kill<C extends Ringing | Answered>(call: C, at: Instant): readonly [C, Command[]] {
  return [call, [{ type: 'hangUp', why: 'killed' }, wakeIn(at, REPEAT_HANG_UP_S)]]
}

/**
 * Time to ask for more, or time to end. A call whose alarm came late, because this process was held
 * up, is still asked for once before it is cut off: the credit may well be there.
 */
export function onWoken(call: Answered, at: Instant, settings: Settings): Funded {
  if (call.killed) return kill(call, at)
  const { fundedUntil, asking } = call
  if (call.cutOff || (at >= fundedUntil && (call.final !== null || asking !== 'no'))) {
    return [
      { ...call, cutOff: true },
      [{ type: 'hangUp', why: 'cut_off' }, wakeIn(at, REPEAT_HANG_UP_S)],
    ]
  }
  if (asking !== 'no') return [call, [{ type: 'wakeAt', at: fundedUntil }]]
  const inTime = at < fundedUntil - leadOf(settings) * SECOND
  if (!inTime && canAsk(call, settings)) return ask(call, at, settings)
  return fund(call, at, settings)
}

/** Not for a call that is being ended, or is as long as calls may get. */
export function canAsk(call: Answered, settings: Settings): boolean {
  return !call.killed && !call.cutOff && fundedS(call) < longestS(call.tariff, settings)
}

/**
 * Asks for one more chunk than is funded; for talk so far and a chunk, where that is more. A call
 * that asks early, because credit has arrived, gets no more than it would get in time: it must not
 * take all the credit of an account that tops up often.
 */
export function ask(call: Answered, at: Instant, settings: Settings): Funded {
  const { rate } = call.tariff
  const talkedS = Math.ceil((at - call.answeredAt) / SECOND)
  const paidS = Math.max(talkedS, Math.min(fundedS(call), talkedS + leadOf(settings)))
  const seconds = Math.min(paidS + settings.chunkS, longestS(call.tariff, settings))
  const total = costOf(rate, seconds)
  const atLeast = settings.partialChunk ? costOf(rate, fundedS(call) + 1) : total
  const deadline = Math.max(call.fundedUntil, at + SECOND)
  return [
    { ...call, asking: 'once' },
    [
      { type: 'hold', total, atLeast, answeredAt: call.answeredAt },
      { type: 'wakeAt', at: deadline },
    ],
  ]
}

/**
 * Lets the call run for as long as its hold pays for: moves the switch's timer where that has
 * changed, sets the next alarm, and warns the caller of an end that is near enough. Nothing of that
 * is left to the switch, so a warning that credit has made needless is never given.
 */
export function fund(call: Answered, at: Instant, settings: Settings): Funded {
  const limitS = longestS(call.tariff, settings)
  const talkS = affordableSeconds(call.tariff.rate, call.held, limitS)
  const fundedUntil = call.answeredAt + talkS * SECOND
  const final: Reason | null = talkS >= limitS ? 'longest_call' : call.final
  const next: Answered = { ...call, fundedUntil, final, armed: call.raises }
  if (at >= fundedUntil) {
    return onWoken({ ...call, fundedUntil, final: final ?? 'not_renewed' }, at, settings)
  }
  const commands: Command[] = []
  if (call.armed !== call.raises) {
    commands.push({ type: 'hangUpAt', at: fundedUntil, raises: call.raises })
  }
  const isTime = at >= warnAt(next, settings)
  if (isTime) commands.push({ type: 'warn', fundedUntil })
  const warned = isTime ? { ...next, warnedOf: fundedUntil } : next
  commands.push({ type: 'wakeAt', at: nextAlarm(warned, at, settings) })
  return [warned, commands]
}

/** When the caller is to be warned; never where he has been, or the call may still go on. */
function warnAt({ final, fundedUntil, warnedOf }: Answered, { warnS }: Settings): Instant {
  if (final === null || warnS === 0 || warnedOf === fundedUntil) return Number.POSITIVE_INFINITY
  return fundedUntil - warnS * SECOND
}

/** A lead time before the end; when it is time to warn; just before the end; then the end. */
function nextAlarm(call: Answered, at: Instant, settings: Settings): Instant {
  if (call.killed) return at + SECOND
  return Math.min(nextQuestion(call, at, settings), warnAt(call, settings))
}

/** When more is asked for: for a final call once more just before the end. */
function nextQuestion(call: Answered, at: Instant, settings: Settings): Instant {
  const { fundedUntil, final } = call
  const inGoodTime = fundedUntil - leadOf(settings) * SECOND
  if (final === 'longest_call') return fundedUntil
  if (final === 'ledger_unavailable')
    return Math.min(Math.max(at + SECOND, inGoodTime), fundedUntil)
  if (at < inGoodTime) return inGoodTime
  if (final === null) return at
  const lastTry = fundedUntil - settings.retryS * SECOND
  return at < lastTry ? lastTry : fundedUntil
}

const fundedS = (call: Answered) => (call.fundedUntil - call.answeredAt) / SECOND

export const wakeIn = (at: Instant, s: number): Command => ({ type: 'wakeAt', at: at + s * SECOND })
