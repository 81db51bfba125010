/** Instants as text: ISO 8601, UTC unless an offset says otherwise. Microseconds since the epoch. */

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?(Z|[+-]\d\d:\d\d)?$/

/** Reads `2026-11-23`, `2026-11-23T14:30Z`, `2026-11-23 14:30:05.25+01:00`; undefined for anything else. */
export function parseInstant(text: string): number | undefined {
  const match = ISO.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone] = match
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone ?? 'Z'}`)
  // Date.parse takes the 30th of February for the 2nd of March.
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  if (Number.isNaN(ms) || Number(day) > days) return undefined
  return ms * 1000 + Number(fraction.padEnd(6, '0'))
}

/** Writes `2026-11-23T14:30:05Z`, with a fraction only where there is one. */
export function shortestInstant(at: number): string {
  const micros = at % 1_000_000
  const seconds = new Date(Math.floor(at / 1000)).toISOString().slice(0, 19)
  return micros === 0 ? `${seconds}Z` : `${seconds}.${String(micros).padStart(6, '0')}Z`
}
