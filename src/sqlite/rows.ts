/** Between rows, whose integers are bigints, and what they mean. A column is named here once. */
import type { Leg } from '../call/call.js'
import type { Rate } from '../rating/rate.js'
import type { Tariff } from '../rating/tariff.js'

/** `INSERT INTO table (a, b) VALUES (@a, @b)` */
export function insertInto(table: string, columns: readonly string[]): string {
  const places = columns.map(column => `@${column}`)
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places.join(', ')})`
}

/** The same for values in the order of the columns: for rows that are too wide to be bound by name. */
export function insertValuesInto(table: string, columns: readonly string[]): string {
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`
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

export function legValues(leg: Omit<Leg, 'account'>) {
  return [leg.callId, leg.switch, leg.coreUuid, leg.dialled, leg.otherLeg, leg.createdAt]
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

/** The rate of a call, the same in `call` and `cdr`. */
export const RATE_COLUMNS = [
  'prefix',
  'description',
  'per_minute',
  'setup',
  'minimum',
  'increment',
  'free_s',
] as const

export interface RateRow {
  readonly prefix: string
  readonly description: string
  readonly per_minute: bigint
  readonly setup: bigint
  readonly minimum: bigint
  readonly increment: bigint
  /** NULL in CDRs of before there were free seconds. */
  readonly free_s: bigint | null
}

export function rateValues(rate: Rate) {
  const { prefix, description, perMinute, setup, minimum, increment, freeS } = rate
  return [prefix, description, perMinute, setup, minimum, increment, freeS]
}

export function rateOf(row: RateRow): Rate {
  return {
    prefix: row.prefix,
    description: row.description,
    perMinute: row.per_minute,
    setup: row.setup,
    minimum: Number(row.minimum),
    increment: Number(row.increment),
    freeS: Number(row.free_s ?? 0n),
  }
}

/** The part of a tariff that few calls have, as JSON; null where this one has none of it. */
export function termsText({ carrier, later, longestS }: Tariff): string | null {
  if (carrier === null && later.length === 0 && longestS === null) return null
  return JSON.stringify({ carrier, later, longestS }, (_, value) =>
    typeof value === 'bigint' ? { units: String(value) } : value,
  )
}

export function tariffOf(
  row: RateRow & { plan: string; number: string; terms: string | null },
): Tariff {
  const { plan, number } = row
  const rate = rateOf(row)
  if (row.terms === null) return { plan, number, rate, carrier: null, later: [], longestS: null }
  const { carrier, later, longestS } = JSON.parse(row.terms, (_, value) =>
    typeof value?.units === 'string' ? BigInt(value.units) : value,
  ) as Pick<Tariff, 'carrier' | 'later' | 'longestS'>
  return { plan, number, rate, carrier, later, longestS }
}

export function numberOrNull(value: bigint | null): number | null {
  return value === null ? null : Number(value)
}
