/** The figures of the dashboard: a range in the points of a chart, and what they add up to. */
import { formatInstant } from '../../call/cdr.js'
import {
  addCounts,
  type Counts,
  NO_COUNTS,
  type Statistics,
  type StepFigures,
} from '../../ledger/statistics.js'
import { formatMoney } from '../../money.js'

interface Range {
  readonly label: string
  readonly points: number
  readonly pointUs: number
}

const MINUTE_US = 60_000_000
const HOUR_US = 60 * MINUTE_US

/** About a hundred points each, of whole five minutes: those are quick to be had. */
export const RANGES = {
  '6h': { label: '6 hours', points: 72, pointUs: 5 * MINUTE_US },
  '24h': { label: '24 hours', points: 96, pointUs: 15 * MINUTE_US },
  '7d': { label: '7 days', points: 84, pointUs: 2 * HOUR_US },
  '30d': { label: '30 days', points: 120, pointUs: 6 * HOUR_US },
} as const satisfies Record<string, Range>

export type RangeName = keyof typeof RANGES

export function rangeOf(name: string | undefined): RangeName {
  return name !== undefined && Object.hasOwn(RANGES, name) ? (name as RangeName) : '24h'
}

/** @param now microseconds since the epoch */
export async function figuresOf(statistics: Statistics, name: RangeName, now: number) {
  const { points, pointUs } = RANGES[name]
  const until = Math.ceil(now / pointUs) * pointUs
  const from = until - points * pointUs
  const steps = await statistics.steps({ from, until, stepUs: pointUs }, now)
  return {
    range: name,
    point_s: pointUs / 1_000_000,
    points: steps.map(step => pointJson(step, Math.min(pointUs, now - step.at))),
    total: totalJson(steps),
  }
}

/** @param lengthUs how much of the point is over */
function pointJson(point: StepFigures, lengthUs: number) {
  return {
    at: point.at / 1_000_000,
    taken: formatMoney(point.cost),
    topped_up: formatMoney(point.topUps),
    /** How many calls were up, on average. */
    live: Number((Number(point.talkUs) / Math.max(1, lengthUs)).toFixed(2)),
    refused: point.refused,
    cut_off: point.cutOff,
    /** Of those that were let through, in percent; null where there were none. */
    answer_rate: answerRate(point),
  }
}

function totalJson(steps: readonly StepFigures[]) {
  const total = steps.reduce<Counts>(addCounts, NO_COUNTS)
  return {
    since: formatInstant(steps[0]!.at),
    taken: formatMoney(total.cost),
    topped_up: formatMoney(total.topUps),
    write_off: formatMoney(total.writeOff),
    calls: total.calls,
    answered: total.answered,
    refused: total.refused,
    cut_off: total.cutOff,
    answer_rate: answerRate(total),
  }
}

function answerRate({ calls, answered, refused }: Counts): number | null {
  const through = calls - refused
  return through === 0 ? null : Math.round((answered / through) * 1000) / 10
}
