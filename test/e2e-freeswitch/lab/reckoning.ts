/**
 * Compares the books with the switch's own records, to the microsecond and the millionth. It knows
 * its own prices and does its own sums: nothing of what it checks is asked for an answer.
 */
import type { Test } from 'tap'
import { type CdrJson, formatInstant } from '../../../src/call/cdr.js'
import type { Lab } from './lab.js'
import { until } from './until.js'

export interface ListedRate {
  readonly prefix: string
  readonly perMinute: string
  readonly setup: string
  readonly minimum: number
  readonly increment: number
}

/** By the second, with a setup; and in steps of six seconds, at a price that does not come out even. */
export const RATES: readonly ListedRate[] = [
  { prefix: '44', perMinute: '0.60', setup: '0.02', minimum: 1, increment: 1 },
  { prefix: '49', perMinute: '0.07', setup: '0.005', minimum: 6, increment: 6 },
]

const MICROS = 1_000_000n

/** Of an amount with at most six decimals. */
export function micros(amount: string): bigint {
  const [, sign, units, decimals = ''] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(amount)!
  const value = BigInt(units!) * MICROS + BigInt(decimals.padEnd(6, '0'))
  return sign ? -value : value
}

export function amount(value: bigint): string {
  const [sign, size] = value < 0n ? ['-', -value] : ['', value]
  return `${sign}${size / MICROS}.${String(size % MICROS).padStart(6, '0')}`
}

/** What so many microseconds of talk to a number cost. */
export function price(number: string, talkUs: number): bigint {
  if (talkUs === 0) return 0n
  const rate = RATES.find(({ prefix }) => number.startsWith(prefix))
  if (!rate) return 0n
  const seconds = Math.ceil(talkUs / 1e6)
  let billed = rate.minimum
  while (billed < seconds) billed += rate.increment
  const sixtieths = micros(rate.perMinute) * BigInt(billed)
  return micros(rate.setup) + sixtieths / 60n + (sixtieths % 60n === 0n ? 0n : 1n)
}

export interface Expected {
  readonly account: string
  /** Everything that was ever paid in. */
  readonly paidIn: string
  /** The legs that must have a CDR, and no others. */
  readonly legs: readonly string[]
  /** For a switch that wrote no record, because it crashed. */
  readonly unrecorded?: readonly string[]
}

/**
 * Waits until the account has no live call, and checks all of its CDRs against the switch's records,
 * its balance, that nothing is held, and the books as a whole. Returns the CDRs in the order of
 * `legs`.
 */
export async function settled(
  t: Test,
  lab: Lab,
  { account, paidIn, legs, unrecorded = [] }: Expected,
): Promise<CdrJson[]> {
  const recorded = legs.filter(leg => !unrecorded.includes(leg))
  await until(
    () => recorded.every(leg => lab.freeswitch.record(leg) !== null),
    `the switch has written its records of ${account}`,
    60_000,
  )
  const list = () => lab.api.cdrList({ account, limit: 1000 })
  const isOver = async () =>
    (await lab.api.callList({ account })).length === 0 && (await list()).length >= legs.length
  await until(isOver, `the calls of ${account} are settled`, 60_000)
  const cdrs = await list()
  const ids = cdrs.map(cdr => cdr.call_id)
  t.strictSame([...ids].sort(), [...legs].sort(), `the legs that pay on ${account}`)
  for (const cdr of cdrs) if (recorded.includes(cdr.call_id)) compare(t, lab, cdr)
  const spent = cdrs.reduce((sum, { cost }) => sum + micros(cost), 0n)
  const { balance, held } = await lab.api.accountShow({ code: account })
  t.equal(balance, amount(micros(paidIn) - spent), `the balance of ${account}`)
  t.equal(held, '0.000000', `nothing is held on ${account}`)
  t.strictSame(await lab.verify(), [], 'the books add up')
  return legs.map(leg => cdrs.find(cdr => cdr.call_id === leg)!)
}

/** One CDR against the switch's record of its leg. */
function compare(t: Test, lab: Lab, cdr: CdrJson): void {
  const record = lab.freeswitch.record(cdr.call_id)!
  const { answeredAt, endedAt, cause } = record
  const full = price(cdr.number, answeredAt === null ? 0 : endedAt - answeredAt)
  const most = micros(cdr.held)
  const cost = full < most ? full : most
  t.match(
    cdr,
    {
      answered_at: answeredAt === null ? null : formatInstant(answeredAt),
      ended_at: formatInstant(endedAt),
      cause,
      cost: amount(cost),
      write_off: amount(full - cost),
    },
    `the CDR of ${cdr.number} is what the switch says`,
  )
}

/** What the README promises: a call overruns its credit by less than this, on a busy machine too. */
const OVERRUN_MS = 1000

/** The stamps of the switch step in 20 ms. */
const STEP_MS = 20

/** A call was cut off when its credit for so many seconds was used up: not early, and in time. */
export function cutOffAt(t: Test, cdr: CdrJson, fundedS: number): void {
  t.match(cdr, { outcome: 'cut_off', reason: 'no_credit', cause: 'ALLOTTED_TIMEOUT' })
  const overMs = Number(cdr.duration_s) * 1000 - fundedS * 1000
  t.ok(overMs >= -STEP_MS, `not early: ${overMs} ms`)
  t.ok(overMs < OVERRUN_MS, `in time: ${overMs} ms`)
  t.comment(
    `measured: cut off ${overMs.toFixed(0)} ms after its credit for ${fundedS} s was used up`,
  )
}
