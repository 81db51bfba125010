/**
 * What an account holder sees of his own account: not what the operator notes about it, nor what the
 * carriers charge, nor who of the operator did what.
 */

/** Of accounts, CDRs, totals, quotes, live calls, entries. */
const HIDDEN = [
  'notes',
  'carrier_cost',
  'carrier_per_minute',
  'cost_plan',
  'margin',
  'write_off',
  'switch',
  'actor',
]

/** Why a call is refused may tell of the carriers as well. */
const CARRIERS_REASONS = ['no_cost_rate', 'would_lose_money']

type Json = Readonly<Record<string, unknown>>

/** Of an answer, however its parts are nested. */
export function ownView<T>(answer: T): T {
  return shown(answer) as T
}

function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value as Json).filter(([name]) => !HIDDEN.includes(name))
  return withoutReason(Object.fromEntries(fields.map(([name, part]) => [name, shown(part)])))
}

function withoutReason(json: Json): Json {
  if (CARRIERS_REASONS.includes(json['reason'] as string)) return { ...json, reason: 'no_rate' }
  if (!CARRIERS_REASONS.includes(json['refused'] as string)) return json
  return { ...json, refused: 'no_rate', reason: 'This number cannot be called at the moment' }
}
