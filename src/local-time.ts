/**
 * Wall-clock time in the time zones of the IANA: what a clock on the wall there shows at an instant.
 * Instants are microseconds since the epoch. It is quick enough to be asked for every call.
 */

export interface LocalTime {
  /** `2026-11-23` */
  readonly date: string
  /** 0 is Monday. */
  readonly weekday: number
  /** Of the day, from 0 to 1439. An hour that happens twice has its minutes twice. */
  readonly minute: number
}

export const MINUTE_US = 60_000_000
export const HOUR_US = 60 * MINUTE_US
export const DAY_US = 24 * HOUR_US

/**
 * How many minutes of a zone are remembered. Clocks are moved at full minutes, and not only at full
 * quarter hours: in Newfoundland it was a minute after midnight until 2011.
 */
const MINUTES_MAX = 2000

const FORMATTED = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/

class Zone {
  /** Null for UTC, which most accounts have: to make one takes 14 ms. */
  readonly #format: Intl.DateTimeFormat | null
  /** How far its clocks are ahead of UTC, by the minute; Intl takes two microseconds to say it. */
  readonly #offsetUs = new Map<number, number>()
  #minute = Number.NaN
  #time: LocalTime = { date: '', weekday: 0, minute: 0 }

  /** @throws RangeError for what is not a time zone */
  constructor(name: string) {
    this.#format = name === 'UTC' ? null : formatOf(name)
  }

  time(at: number): LocalTime {
    const minute = Math.floor(at / MINUTE_US)
    if (minute !== this.#minute) {
      this.#time = this.#timeOf(at)
      this.#minute = minute
    }
    return this.#time
  }

  offsetUs(at: number): number {
    const format = this.#format
    if (!format) return 0
    const minute = Math.floor(at / MINUTE_US)
    const known = this.#offsetUs.get(minute)
    if (known !== undefined) return known
    if (this.#offsetUs.size === MINUTES_MAX) this.#offsetUs.clear()
    const offset = askedOffsetUs(format, minute * MINUTE_US)
    this.#offsetUs.set(minute, offset)
    return offset
  }

  #timeOf(at: number): LocalTime {
    const minutes = Math.floor((at + this.offsetUs(at)) / MINUTE_US)
    const day = Math.floor(minutes / 1440)
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10)
    // The epoch was a Thursday.
    return { date, weekday: (((day + 3) % 7) + 7) % 7, minute: minutes - day * 1440 }
  }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const two = '2-digit'
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: two, day: two, hour: two, minute: two, second: two },
  })
}

function askedOffsetUs(format: Intl.DateTimeFormat, at: number): number {
  const shown = FORMATTED.exec(format.format(at / 1000))
  if (!shown) throw new RangeError(`not an instant: ${at}`)
  const [month = 0, day, year = 0, hour, minute, second] = shown.slice(1).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second) * 1000 - at
}

const zones = new Map<string, Zone>()

/** Whether it is the name of a time zone, such as `Europe/Berlin` or `UTC`. */
export function isTimeZone(name: string): boolean {
  // Newer versions of Intl take offsets for zones, too, but those know no summer time.
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    zoneOf(name)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/**
 * What a clock in the zone shows.
 * @throws RangeError for what is not a time zone
 */
export function localTime(at: number, zone: string): LocalTime {
  return zoneOf(zone).time(at)
}

/**
 * The date in the zone, `2026-11-23`: days begin and end at midnight there.
 * @throws RangeError for what is not a time zone
 */
export function localDate(at: number, zone: string): string {
  return zoneOf(zone).time(at).date
}

/**
 * How far the clocks of the zone are ahead of UTC, in microseconds.
 * @throws RangeError for what is not a time zone
 */
export function offsetUs(at: number, zone: string): number {
  return zoneOf(zone).offsetUs(at)
}

function zoneOf(name: string): Zone {
  const known = zones.get(name)
  if (known) return known
  const zone = new Zone(name)
  zones.set(name, zone)
  return zone
}
