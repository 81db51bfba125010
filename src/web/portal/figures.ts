/** The figures of the dashboard: slots put together to the points of a chart. */
import { formatInstant } from '../../call/cdr.js'
import { SLOT_US, type SlotFigures, type Statistics } from '../../ledger/statistics.js'
import { formatMoney } from '../../money.js'

interface Range {
  readonly label: string
  readonly slots: number
  /** How many slots a point of a chart is. */
  readonly perPoint: number
}

const HOUR_SLOTS = 12

/** About a hundred points each. */
export const RANGES = {
  '6h': { label: '6 hours', slots: 6 * HOUR_SLOTS, perPoint: 1 },
  '24h': { label: '24 hours', slots: 24 * HOUR_SLOTS, perPoint: 3 },
  '7d': { label: '7 days', slots: 7 * 24 * HOUR_SLOTS, perPoint: 2 * HOUR_SLOTS },
  '30d': { label: '30 days', slots: 30 * 24 * HOUR_SLOTS, perPoint: 6 * HOUR_SLOTS },
} as const satisfies Record<string, Range>

export type RangeName = keyof typeof RANGES

export function rangeOf(name: string | undefined): RangeName {
  return name !== undefined && Object.hasOwn(RANGES, name) ? (name as RangeName) : '24h'
}

export type FiguresJson = Awaited<ReturnType<typeof figuresOf>>

/** @param now microseconds since the epoch */
export async function figuresOf(statistics: Statistics, name: RangeName, now: number) {
  const { slots, perPoint } = RANGES[name]
  const pointUs = perPoint * SLOT_US
  const until = Math.ceil(now / pointUs) * pointUs
  const found = await statistics.slots(until - slots * SLOT_US, until, now)
  const points = Array.from({ length: slots / perPoint }, (_, i) =>
    addedUp(found.slice(i * perPoint, (i + 1) * perPoint)),
  )
  return {
    range: name,
    point_s: pointUs / 1_000_000,
    points: points.map(point => pointJson(point, Math.min(pointUs, now - point.at))),
    total: totalJson(addedUp(found)),
  }
}

function addedUp(slots: readonly SlotFigures[]): SlotFigures {
  return slots.reduce((a, b) => ({
    at: a.at,
    calls: a.calls + b.calls,
    answered: a.answered + b.answered,
    refused: a.refused + b.refused,
    cutOff: a.cutOff + b.cutOff,
    taken: a.taken + b.taken,
    writeOff: a.writeOff + b.writeOff,
    talkUs: a.talkUs + b.talkUs,
  }))
}

/** @param lengthUs how much of the point is over */
function pointJson(point: SlotFigures, lengthUs: number) {
  return {
    at: point.at / 1_000_000,
    taken: formatMoney(point.taken),
    /** How many calls were up, on average. */
    live: Number((point.talkUs / Math.max(1, lengthUs)).toFixed(2)),
    refused: point.refused,
    cut_off: point.cutOff,
    /** Of those that were let through, in percent; null where there were none. */
    answer_rate: answerRate(point),
  }
}

function totalJson(total: SlotFigures) {
  return {
    since: formatInstant(total.at),
    taken: formatMoney(total.taken),
    write_off: formatMoney(total.writeOff),
    calls: total.calls,
    answered: total.answered,
    refused: total.refused,
    cut_off: total.cutOff,
    answer_rate: answerRate(total),
  }
}

function answerRate({ calls, answered, refused }: SlotFigures): number | null {
  const through = calls - refused
  return through === 0 ? null : Math.round((answered / through) * 1000) / 10
}
