/**
 * When the periods of a plan are in force: weekdays and hours by the clocks of a time zone. An hour
 * that those clocks skip is in no period, and one that they show twice is in its period twice.
 */
import { localTime, MINUTE_US } from '../local-time.js'

/** A part of every week that has rates of its own: `peak`, `mon-fri 08:00-20:00`. */
export interface Period {
  readonly name: string
  /** As it is written: `mon-fri 08:00-20:00, sat 09:00-13:00`. */
  readonly hours: string
}

/** The hours of a period are wrong. `message` is a sentence for the person who wrote them. */
export class PeriodError extends Error {
  override name = 'PeriodError'
  readonly code = 'bad_period'
}

/** A plan has no more periods than this. */
export const PERIODS_MAX = 50

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const DAY_MINUTES = 1440
const WEEK_MINUTES = 7 * DAY_MINUTES

/** One item of a list: days, hours, or both. */
const ITEM = /^([a-z]+)(?:-([a-z]+))?(?: +(\d\d):(\d\d) ?- ?(\d\d):(\d\d))?$/

/** Minutes of the week, from Monday 00:00; the end is not in it, and may lie in the next week. */
interface Span {
  readonly begin: number
  readonly end: number
}

export class Schedule {
  readonly #zone: string
  readonly #names: readonly string[]
  /** For each minute of the week the number of the period in force, from 1; null where there are none. */
  readonly #week: Uint8Array | null

  /** @throws PeriodError for hours that cannot be read, or that two periods have in common */
  constructor(zone: string, periods: readonly Period[]) {
    if (periods.length > PERIODS_MAX) {
      throw new PeriodError(`A plan has at most ${PERIODS_MAX} periods`)
    }
    this.#zone = zone
    this.#names = ['', ...periods.map(({ name }) => name)]
    this.#week = periods.length === 0 ? null : weekOf(periods)
  }

  /** The name of the period in force at an instant (microseconds since the epoch); empty for none. */
  periodAt(at: number): string {
    if (!this.#week) return ''
    const { weekday, minute } = localTime(at, this.#zone)
    return this.#names[this.#week[weekday * DAY_MINUTES + minute]!]!
  }

  /**
   * The instants after `at`, up to `until`, at which another period comes into force, or none. Every
   * minute between them is looked at: so it is meant for hours, not for years.
   */
  changes(at: number, until: number): number[] {
    if (!this.#week) return []
    const instants: number[] = []
    let before = this.periodAt(at)
    let next = (Math.floor(at / MINUTE_US) + 1) * MINUTE_US
    for (; next <= until; next += MINUTE_US) {
      const period = this.periodAt(next)
      if (period !== before) instants.push(next)
      before = period
    }
    return instants
  }
}

/** @throws PeriodError */
function weekOf(periods: readonly Period[]): Uint8Array {
  const week = new Uint8Array(WEEK_MINUTES)
  for (const [index, { name, hours }] of periods.entries()) {
    for (const { begin, end } of spansOf(name, hours)) {
      for (let minute = begin; minute < end; minute++) {
        const other = week[minute % WEEK_MINUTES]!
        if (other !== 0 && other !== index + 1) {
          throw overlap(periods[other - 1]!.name, name, minute % WEEK_MINUTES)
        }
        week[minute % WEEK_MINUTES] = index + 1
      }
    }
  }
  return week
}

/** Days without hours belong to the hours that come next: `mon,wed 08:00-12:00`. */
function spansOf(name: string, hours: string): Span[] {
  const refuse = (why: string) =>
    new PeriodError(`The hours of the period ${name} are wrong: ${why}`)
  const spans: Span[] = []
  let days: number[] = []
  for (const text of hours.toLowerCase().split(',')) {
    const item = text.trim()
    const match = ITEM.exec(item)
    if (!match) throw refuse(`${shown(item)} is not like mon-fri 08:00-20:00`)
    const [, first = '', last = first, ...digits] = match
    days.push(...daysBetween(first, last, refuse))
    if (digits[0] === undefined) continue
    const [begin, end] = minutesOf(digits.map(Number), refuse)
    spans.push(...days.map(day => spanOn(day * DAY_MINUTES, begin, end)))
    days = []
  }
  if (days.length > 0) throw refuse('the last day has no hours: write them like 08:00-20:00')
  return spans
}

function spanOn(midnight: number, begin: number, end: number): Span {
  // Hours that run past midnight belong to the day on which they begin.
  const length = end > begin ? end - begin : end - begin + DAY_MINUTES
  return { begin: midnight + begin, end: midnight + begin + length }
}

type Refuse = (why: string) => PeriodError

function daysBetween(first: string, last: string, refuse: Refuse): number[] {
  const [from, to] = [first, last].map(name => {
    const day = DAYS.indexOf(name)
    if (day < 0) throw refuse(`${shown(name)} is not a day: use ${DAYS.join(', ')}`)
    return day
  }) as [number, number]
  const count = ((to - from + DAYS.length) % DAYS.length) + 1
  return Array.from({ length: count }, (_, i) => (from + i) % DAYS.length)
}

function minutesOf(digits: readonly number[], refuse: Refuse): [begin: number, end: number] {
  const [beginHour = 0, beginMinute = 0, endHour = 0, endMinute = 0] = digits
  const begin = beginHour * 60 + beginMinute
  const end = endHour * 60 + endMinute
  if (beginMinute > 59 || endMinute > 59 || begin >= DAY_MINUTES || end > DAY_MINUTES) {
    throw refuse('times go from 00:00 to 23:59, and an end may be 24:00')
  }
  if (begin === end) {
    throw refuse('they begin and end at the same time: a whole day is 00:00-24:00')
  }
  return [begin, end]
}

function overlap(one: string, other: string, minute: number): PeriodError {
  const day = DAYS[Math.floor(minute / DAY_MINUTES)]!
  const two = (part: number) => String(part).padStart(2, '0')
  const time = `${two(Math.floor((minute % DAY_MINUTES) / 60))}:${two(minute % 60)}`
  return new PeriodError(`The periods ${one} and ${other} overlap: both have ${day} ${time}`)
}

const shown = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
