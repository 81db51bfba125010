/** Between rows, whose integers are bigints, and what they mean. A column is named here once. */
import type { Leg, Tariff } from '../call/call.js'
import type { Rate } from '../rating/rate.js'

/** `INSERT INTO table (a, b) VALUES (@a, @b)` */
export function insertInto(table: string, columns: readonly string[]): string {
  const places = columns.map(column => `@${column}`)
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places.join(', ')})`
}

/** The leg's own columns, the same in `call` and `cdr`; each has the account in its own way. */
export const LEG_COLUMNS = [
  'leg_id',
  'switch',
  'core_uuid',
  'dialled',
  'other_leg',
  'created_at',
] as const

export interface LegRow {
  readonly leg_id: string
  readonly switch: string
  readonly core_uuid: string
  /** The account's code. */
  readonly account: string
  readonly dialled: string
  readonly other_leg: string | null
  readonly created_at: bigint
}

export function legParameters(leg: Leg) {
  return {
    leg_id: leg.callId,
    switch: leg.switch,
    core_uuid: leg.coreUuid,
    dialled: leg.dialled,
    other_leg: leg.otherLeg,
    created_at: leg.createdAt,
  }
}

export function legOf(row: LegRow): Leg {
  return {
    callId: row.leg_id,
    switch: row.switch,
    coreUuid: row.core_uuid,
    account: row.account,
    dialled: row.dialled,
    createdAt: Number(row.created_at),
    otherLeg: row.other_leg,
  }
}

export const RATE_COLUMNS = [
  'prefix',
  'description',
  'per_minute',
  'setup',
  'minimum',
  'increment',
] as const

export interface RateRow {
  readonly prefix: string
  readonly description: string
  readonly per_minute: bigint
  readonly setup: bigint
  readonly minimum: bigint
  readonly increment: bigint
}

export function rateParameters(rate: Rate) {
  return {
    prefix: rate.prefix,
    description: rate.description,
    per_minute: rate.perMinute,
    setup: rate.setup,
    minimum: rate.minimum,
    increment: rate.increment,
  }
}

export function rateOf(row: RateRow): Rate {
  return {
    prefix: row.prefix,
    description: row.description,
    perMinute: row.per_minute,
    setup: row.setup,
    minimum: Number(row.minimum),
    increment: Number(row.increment),
  }
}

export function tariffOf(row: RateRow & { plan: string; number: string }): Tariff {
  return { plan: row.plan, number: row.number, rate: rateOf(row) }
}

export function numberOrNull(value: bigint | null): number | null {
  return value === null ? null : Number(value)
}
