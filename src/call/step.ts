/**
 * The rules of a prepaid call, as one pure function: step(call, event) → [call, commands].
 *
 *   new ─created─▶ pricing ─priced─▶ authorizing ─held─▶ ringing ─answered─▶ answered
 *    │                │                  │                  │                    │
 *    │            unpriced          held too little      hungUp               hungUp
 *    │                └───▶ refused ◀────┘                  │                    │
 *    │                         └──────────hungUp──────────▶ settling ◀───────────┘
 *    └─resumed─▶ ringing, answered                              └─settled─▶ ended
 *
 * Everything that decides about a call is in this file and in ending.ts, which says what an ended
 * call costs. It reads no clock and does no I/O. Commands to the ledger are carried out in the
 * order in which they are given, so a `settle` may follow a `hold` that is not answered yet.
 */
import assert from 'node:assert/strict'
import { affordableSeconds, costOf } from '../rating/rate.js'
import type {
  Answered,
  Authorizing,
  Call,
  Command,
  Event,
  Instant,
  Phase,
  Pricing,
  Reason,
  Refused,
  Resumable,
  Ringing,
  Settling,
} from './call.js'
import { end, recordSettlement } from './ending.js'
import type { Settings } from './settings.js'

export type Step = readonly [Call, readonly Command[]]

/** Legal transitions. What is not here is a bug of ours, and stops the call's supervision at once. */
export const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  new: ['new', 'pricing', 'ringing', 'answered'],
  pricing: ['pricing', 'authorizing', 'refused', 'settling'],
  authorizing: ['authorizing', 'ringing', 'answered', 'refused', 'settling'],
  ringing: ['ringing', 'answered', 'settling'],
  answered: ['answered', 'settling'],
  refused: ['refused', 'settling'],
  settling: ['settling', 'ended'],
  ended: ['ended'],
}

type Funded = readonly [Answered, readonly Command[]]

const SECOND = 1e6

/** A switch that was told to hang up, and said that it would, is told again after this long. */
const REPEAT_HANG_UP_S = 5

export function step(call: Call, event: Event, settings: Settings): Step {
  const [next, commands] = dispatch(call, event, settings)
  assert.ok(NEXT[call.phase].includes(next.phase), `${call.phase} must not become ${next.phase}`)
  return [next, commands]
}

function dispatch(call: Call, event: Event, settings: Settings): Step {
  switch (call.phase) {
    case 'new':
      return onNew(call, event, settings)
    case 'pricing':
      return onPricing(call, event, settings)
    case 'authorizing':
      return onAuthorizing(call, event, settings)
    case 'ringing':
      return onRinging(call, event, settings)
    case 'answered':
      return onAnswered(call, event, settings)
    case 'refused':
      return onRefused(call, event, settings)
    case 'settling':
      return onSettling(call, event, settings)
    case 'ended':
      return ignore(call)
  }
}

function onNew(call: Call, event: Event, settings: Settings): Step {
  if (event.type === 'resumed') return resume(event.call, event.at, settings)
  if (event.type !== 'created') return ignore(call)
  const { leg, answeredAt } = event
  return [{ phase: 'pricing', leg, answeredAt, hungUp: null, killed: false }, [{ type: 'price' }]]
}

function onPricing(call: Pricing, event: Event, settings: Settings): Step {
  const { leg, answeredAt, killed } = call
  switch (event.type) {
    case 'priced': {
      const { tariff } = event
      const priced: Authorizing = { phase: 'authorizing', leg, tariff, answeredAt, killed }
      const hold = firstHold(priced, event.at, settings)
      if (!call.hungUp) return [priced, [hold]]
      const [settling, commands] = end(priced, call.hungUp, settings)
      return [settling, answeredAt === null ? commands : [hold, ...commands]]
    }
    case 'unpriced': {
      const { reason, plan, number } = event
      const unpriced = { leg, killed, answeredAt, reason, tariff: null, plan, number }
      const refused: Refused = { phase: 'refused', ...unpriced }
      return call.hungUp ? end(refused, call.hungUp, settings) : refuse(refused, event.at)
    }
    case 'answered':
      return [{ ...call, answeredAt: answeredAt ?? event.at }, []]
    case 'hungUp':
      return call.hungUp && (call.hungUp.exact || !event.exact)
        ? ignore(call)
        : [{ ...call, answeredAt: answeredAt ?? event.answeredAt, hungUp: event }, []]
    case 'killed':
      return [{ ...call, killed: true }, [{ type: 'hangUp', why: 'killed' }]]
    default:
      return ignore(call)
  }
}

/**
 * Setup and the first chunk. A leg that has been talking for a while, because we came late, owes
 * for that too: whatever credit there is, is held, and it is cut off if that is not enough.
 */
function firstHold(call: Authorizing, at: Instant, settings: Settings): Command {
  const { rate } = call.tariff
  const { answeredAt } = call
  const talkedS = answeredAt === null ? 0 : Math.max(0, (at - answeredAt) / SECOND)
  const total = costOf(rate, Math.min(Math.ceil(talkedS) + settings.chunkS, settings.longestCallS))
  if (talkedS >= 1) return { type: 'hold', total, atLeast: 0n, answeredAt }
  return {
    type: 'hold',
    total,
    atLeast: settings.partialChunk ? costOf(rate, 1) : total,
    answeredAt,
  }
}

function onAuthorizing(call: Authorizing, event: Event, settings: Settings): Step {
  const { leg, tariff, killed, answeredAt } = call
  switch (event.type) {
    case 'held': {
      const { held, raises, reason, at } = event
      const talkS = affordableSeconds(tariff.rate, held, settings.longestCallS)
      if (raises === 0 || (answeredAt === null && talkS === 0)) {
        return refuse(refusalOf(call, reason ?? 'no_credit'), at)
      }
      const funded = { leg, tariff, killed, held, raises }
      if (answeredAt !== null) return fund(talking(funded, answeredAt, reason), at, settings)
      const ringing: Ringing = { phase: 'ringing', ...funded }
      const again = killed ? kill(ringing, at)[1] : []
      return [ringing, [{ type: 'hangUpAfterAnswer', talkS }, ...again]]
    }
    case 'holdFailed':
      return refuse(refusalOf(call, 'ledger_unavailable'), event.at)
    case 'settled':
      // Given up for lost, and then recovered by the switch: its CDR is filed, so it must end.
      return refuse(refusalOf(call, 'no_credit'), event.at)
    case 'answered': {
      if (answeredAt !== null) return ignore(call)
      return [{ ...call, answeredAt: event.at }, [{ type: 'note', answeredAt: event.at }]]
    }
    case 'hungUp':
      return end(call, event, settings)
    case 'killed':
      return [{ ...call, killed: true }, [{ type: 'hangUp', why: 'killed' }]]
    default:
      return ignore(call)
  }
}

function refusalOf(call: Authorizing, reason: Refused['reason']): Refused {
  const { leg, tariff, killed, answeredAt } = call
  const { plan, number } = tariff
  return { phase: 'refused', leg, killed, reason, tariff, plan, number, answeredAt }
}

function refuse(call: Refused, at: Instant): Step {
  return [call, [{ type: 'hangUp', why: 'refused' }, wakeIn(at, REPEAT_HANG_UP_S)]]
}

function onRinging(call: Ringing, event: Event, settings: Settings): Step {
  switch (event.type) {
    case 'answered': {
      const answeredAt = event.at
      const [next, commands] = fund(talking(call, answeredAt, null), answeredAt, settings)
      return [next, [{ type: 'note', answeredAt }, ...commands]]
    }
    case 'hungUp':
      return end(call, event, settings)
    case 'killed':
      return kill({ ...call, killed: true }, event.at)
    case 'woken':
      return call.killed ? kill(call, event.at) : ignore(call)
    case 'hangUpFailed':
      return [call, [wakeIn(event.at, 1)]]
    default:
      return ignore(call)
  }
}

/** A call that is answered, before it is known how long its hold lets it run. */
function talking(
  call: Omit<Resumable, 'answeredAt'> & { readonly killed: boolean },
  answeredAt: Instant,
  final: Reason | null,
): Answered {
  const { leg, tariff, killed, held, raises } = call
  const known = { leg, tariff, killed, held, raises, answeredAt, fundedUntil: answeredAt, final }
  return { phase: 'answered', ...known, asking: 'no', cutOff: false, warnedOf: null, armed: 0 }
}

function kill<C extends Ringing | Answered>(call: C, at: Instant): readonly [C, Command[]] {
  return [call, [{ type: 'hangUp', why: 'killed' }, wakeIn(at, REPEAT_HANG_UP_S)]]
}

function onAnswered(call: Answered, event: Event, settings: Settings): Step {
  switch (event.type) {
    case 'woken':
      return onWoken(call, event.at, settings)
    case 'held': {
      const { held, raises, reason } = event
      if (call.cutOff) return [{ ...call, held, raises, asking: 'no' }, []]
      const answer: Answered = { ...call, held, raises, final: reason, asking: 'no' }
      const [funded, commands] = fund(answer, event.at, settings)
      const enough = call.asking !== 'again' || reason === null
      if (enough || !canAsk(funded, settings)) return [funded, commands]
      const [asking, more] = ask(funded, event.at, settings)
      return [asking, [...commands, ...more]]
    }
    case 'holdFailed':
      return fund({ ...call, final: 'ledger_unavailable', asking: 'no' }, event.at, settings)
    case 'toppedUp':
      if (call.asking !== 'no') return [{ ...call, asking: 'again' }, []]
      return call.final !== null && canAsk(call, settings)
        ? ask(call, event.at, settings)
        : ignore(call)
    case 'killed':
      return kill({ ...call, killed: true }, event.at)
    case 'hangUpFailed':
      return [call, [wakeIn(event.at, 1)]]
    case 'hungUp':
      return end(call, event, settings)
    case 'settled':
      // Nothing can be held for it any more; see onAuthorizing.
      return kill({ ...call, killed: true }, event.at)
    default:
      return ignore(call)
  }
}

/**
 * Time to ask for more, or time to end. A call whose alarm came late, because this process was held
 * up, is still asked for once before it is cut off: the credit may well be there.
 */
function onWoken(call: Answered, at: Instant, settings: Settings): Funded {
  if (call.killed) return kill(call, at)
  const { fundedUntil, asking } = call
  if (call.cutOff || (at >= fundedUntil && (call.final !== null || asking !== 'no'))) {
    return [
      { ...call, cutOff: true },
      [{ type: 'hangUp', why: 'cut_off' }, wakeIn(at, REPEAT_HANG_UP_S)],
    ]
  }
  if (asking !== 'no') return [call, [{ type: 'wakeAt', at: fundedUntil }]]
  const inTime = at < fundedUntil - settings.leadS * SECOND
  if (!inTime && canAsk(call, settings)) return ask(call, at, settings)
  return [call, [{ type: 'wakeAt', at: nextAlarm(call, at, settings) }]]
}

/** Not for a call that is being ended, or is as long as calls may get. */
function canAsk(call: Answered, settings: Settings): boolean {
  return !call.killed && !call.cutOff && fundedS(call) < settings.longestCallS
}

/**
 * Asks for one more chunk than is funded; for talk so far and a chunk, where that is more. A call
 * that asks early, because credit has arrived, gets no more than it would get in time: it must not
 * take all the credit of an account that tops up often.
 */
function ask(call: Answered, at: Instant, settings: Settings): Funded {
  const { rate } = call.tariff
  const talkedS = Math.ceil((at - call.answeredAt) / SECOND)
  const paidS = Math.max(talkedS, Math.min(fundedS(call), talkedS + settings.leadS))
  const total = costOf(rate, Math.min(paidS + settings.chunkS, settings.longestCallS))
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
 * changed, sets the next alarm, and warns the caller when the end comes into sight.
 */
function fund(call: Answered, at: Instant, settings: Settings): Funded {
  const talkS = affordableSeconds(call.tariff.rate, call.held, settings.longestCallS)
  const fundedUntil = call.answeredAt + talkS * SECOND
  const final: Reason | null = talkS >= settings.longestCallS ? 'longest_call' : call.final
  const next: Answered = { ...call, fundedUntil, final, armed: call.raises }
  if (at >= fundedUntil) {
    return onWoken({ ...call, fundedUntil, final: final ?? 'not_renewed' }, at, settings)
  }
  const commands: Command[] = []
  if (call.armed !== call.raises) {
    commands.push({ type: 'hangUpAt', at: fundedUntil, raises: call.raises })
  }
  const inSight = final !== null && fundedUntil - at <= settings.leadS * SECOND + SECOND
  if (inSight && call.warnedOf !== fundedUntil) commands.push({ type: 'warn', fundedUntil })
  commands.push({ type: 'wakeAt', at: nextAlarm(next, at, settings) })
  return [inSight ? { ...next, warnedOf: fundedUntil } : next, commands]
}

/** A lead time before the end; for a final call once more just before the end; then the end. */
function nextAlarm(call: Answered, at: Instant, settings: Settings): Instant {
  const { fundedUntil, final } = call
  const inGoodTime = fundedUntil - settings.leadS * SECOND
  if (call.killed) return at + SECOND
  if (final === 'longest_call') return fundedUntil
  if (final === 'ledger_unavailable')
    return Math.min(Math.max(at + SECOND, inGoodTime), fundedUntil)
  if (at < inGoodTime) return inGoodTime
  if (final === null) return at
  const lastTry = fundedUntil - settings.retryS * SECOND
  return at < lastTry ? lastTry : fundedUntil
}

/** Goes on with a call that the ledger has on record, after a start or a reconnect. */
function resume(known: Resumable, at: Instant, settings: Settings): Step {
  const { answeredAt, ...rest } = known
  const talkS = affordableSeconds(rest.tariff.rate, rest.held, settings.longestCallS)
  if (answeredAt === null) {
    return [{ phase: 'ringing', killed: false, ...rest }, [{ type: 'hangUpAfterAnswer', talkS }]]
  }
  const fundedUntil = answeredAt + talkS * SECOND
  const call = { ...talking({ killed: false, ...rest }, answeredAt, null), fundedUntil }
  const inTime = at < fundedUntil - settings.leadS * SECOND
  if (inTime || !canAsk(call, settings)) return fund(call, at, settings)
  const [asking, commands] = ask({ ...call, armed: call.raises }, at, settings)
  return [asking, [{ type: 'hangUpAt', at: fundedUntil, raises: call.raises }, ...commands]]
}

function onRefused(call: Refused, event: Event, settings: Settings): Step {
  switch (event.type) {
    case 'answered':
      return [{ ...call, answeredAt: call.answeredAt ?? event.at }, []]
    case 'woken':
      return refuse(call, event.at)
    case 'hangUpFailed':
      return [call, [wakeIn(event.at, 1)]]
    case 'killed':
      return [{ ...call, killed: true }, []]
    case 'hungUp':
      return end(call, event, settings)
    default:
      return ignore(call)
  }
}

function onSettling(call: Settling, event: Event, settings: Settings): Step {
  switch (event.type) {
    case 'hungUp':
      return call.before && event.exact ? end(call.before, event, settings) : ignore(call)
    case 'woken':
      return recordSettlement(call)
    case 'settleFailed':
      return [call, [wakeIn(event.at, 1)]]
    case 'settled':
      return [{ phase: 'ended', leg: call.leg, killed: call.killed }, []]
    default:
      return ignore(call)
  }
}

/** Late and repeated events are normal on an event socket; they change nothing. */
function ignore(call: Call): Step {
  return [call, []]
}

const fundedS = (call: Answered) => (call.fundedUntil - call.answeredAt) / SECOND

const wakeIn = (at: Instant, s: number): Command => ({ type: 'wakeAt', at: at + s * SECOND })
