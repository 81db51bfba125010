/** The record of an ended call: immutable, and written in one form everywhere. */
import { formatMoney, type Money } from '../money.js'
import type { Ending, Instant, Leg } from './call.js'

export interface Cdr extends Ending, Leg {
  /** The digits that were rated. Null where the dialled number is not one. */
  readonly number: string | null
  readonly prefix: string | null
  /** The description of the rate. */
  readonly description: string | null
  readonly plan: string | null
  readonly cost: Money
  /** The most that was held for the call. */
  readonly held: Money
  /** What the talk time would have cost beyond the hold: the operator's loss, not the account's. */
  readonly writeOff: Money
  /** Its end was lost, and what it says of it was learnt later, from the switch's own record. */
  readonly corrected: boolean
}

/** The cause of a call whose end nobody saw. */
export const LOST = 'LOST'

/** The stable form of `cdr list --json`, `replay --json` and the API. Amounts are strings. */
export type CdrJson = ReturnType<typeof cdrJson>

export function cdrJson(cdr: Cdr) {
  return {
    call_id: cdr.callId,
    account: cdr.account,
    number: cdr.number ?? cdr.dialled,
    prefix: cdr.prefix,
    description: cdr.description,
    plan: cdr.plan,
    created_at: formatInstant(cdr.createdAt),
    answered_at: cdr.answeredAt === null ? null : formatInstant(cdr.answeredAt),
    ended_at: formatInstant(cdr.endedAt),
    duration_s: formatSeconds(durationUs(cdr.answeredAt, cdr.endedAt)),
    billed_s: cdr.billedS,
    cost: formatMoney(cdr.cost),
    held: formatMoney(cdr.held),
    write_off: formatMoney(cdr.writeOff),
    carrier_cost: cdr.carrierCost === null ? null : formatMoney(cdr.carrierCost),
    margin: cdr.carrierCost === null ? null : formatMoney(cdr.cost - cdr.carrierCost),
    outcome: cdr.outcome,
    reason: cdr.reason,
    cause: cdr.cause,
    switch: cdr.switch,
    corrected: cdr.corrected,
  }
}

/** What was done for a call while it was live. */
export type Milestone =
  /** So much was held from then on. The first begins the hold, each other one raises it. */
  | { readonly type: 'held'; readonly at: Instant; readonly held: Money }
  /** The caller was told that his credit is about to end. */
  | { readonly type: 'warned'; readonly at: Instant }

export type MilestoneJson = ReturnType<typeof milestoneJson>

export function milestoneJson(milestone: Milestone) {
  const { type, at } = milestone
  return {
    type,
    at: formatInstant(at),
    held: milestone.type === 'held' ? formatMoney(milestone.held) : null,
  }
}

/** Talk time in microseconds; 0 for a leg that was never answered. */
export function durationUs(answeredAt: Instant | null, endedAt: Instant): number {
  return answeredAt === null ? 0 : Math.max(0, endedAt - answeredAt)
}

/** ISO 8601, UTC, with the microseconds that a Date cannot hold: `2026-11-23T01:42:35.293145Z`. */
export function formatInstant(at: Instant): string {
  const seconds = Math.floor(at / 1_000_000)
  const micros = String(at - seconds * 1_000_000).padStart(6, '0')
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${micros}Z`
}

/** Seconds of a duration in microseconds: `2.100046`. */
export function formatSeconds(us: number | bigint): string {
  const whole = BigInt(us)
  return `${whole / 1_000_000n}.${String(whole % 1_000_000n).padStart(6, '0')}`
}
