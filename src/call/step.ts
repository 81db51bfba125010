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
 * Everything that decides about a call is in this file, in funding.ts, which says how long it may
 * last, and in ending.ts, which says what an ended call costs. They read no clock and do no I/O.
 * Commands to the ledger are carried out in the order in which they are given, so a `settle` may
 * follow a `hold` that is not answered yet.
 */
import assert from 'node:assert/strict'
import { affordableSeconds } from '../rating/rate.js'
import { answeredTariff, surelyAffordableSeconds } from '../rating/tariff.js'
import type {
  Answered,
  Authorizing,
  Call,
  Command,
  Event,
  Instant,
  Phase,
  Pricing,
  Refused,
  Resumable,
  Ringing,
  Settling,
} from './call.js'
import { end, recordSettlement } from './ending.js'
import {
  ask,
  canAsk,
  firstHold,
  fund,
  kill,
  leadOf,
  longestS,
  onWoken,
  REPEAT_HANG_UP_S,
  SECOND,
  talking,
  wakeIn,
} from './funding.js'
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
      // Once it is answered nothing that comes later has to be paid for.
      const tariff = answeredAt === null ? event.tariff : answeredTariff(event.tariff, answeredAt)
      const priced: Authorizing = { phase: 'authorizing', leg, tariff, answeredAt, killed }
      const hold = firstHold(priced, event.at, settings)
      if (!call.hungUp) return [priced, [hold]]
      const [settling, commands] = end(priced, call.hungUp, settings)
      return [settling, answeredAt === null ? commands : [hold, ...commands]]
    }
    case 'unpriced': {
      const { reason, plan, number, tariff } = event
      const unpriced = { leg, killed, answeredAt, reason, tariff, plan, number }
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

function onAuthorizing(call: Authorizing, event: Event, settings: Settings): Step {
  const { leg, tariff, killed, answeredAt } = call
  switch (event.type) {
    case 'held': {
      const { held, raises, reason, at } = event
      const talkS = surelyAffordableSeconds(tariff, held, longestS(tariff, settings))
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

/** Goes on with a call that the ledger has on record, after a start or a reconnect. */
function resume(known: Resumable, at: Instant, settings: Settings): Step {
  const { answeredAt, ...rest } = known
  const limitS = longestS(rest.tariff, settings)
  if (answeredAt === null) {
    const talkS = surelyAffordableSeconds(rest.tariff, rest.held, limitS)
    return [{ phase: 'ringing', killed: false, ...rest }, [{ type: 'hangUpAfterAnswer', talkS }]]
  }
  const unfunded = talking({ killed: false, ...rest }, answeredAt, null)
  const talkS = affordableSeconds(unfunded.tariff.rate, rest.held, limitS)
  const fundedUntil = answeredAt + talkS * SECOND
  const call = { ...unfunded, fundedUntil }
  const inTime = at < fundedUntil - leadOf(settings) * SECOND
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
