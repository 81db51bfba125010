/** HEARTBEAT's own headers, and the figures that `status` gives. */
import type { Core } from './core.js'
import { HeaderLine } from './switch-event.js'

export const SESSIONS_MAX = 5000
export const SESSIONS_PER_S_MAX = 1000

const IDLE_CPU = '54.133333'

export function heartbeatLines(core: Core): HeaderLine[] {
  const uptimeUs = core.now() - core.startedAt
  const peak = String(core.sessionsPeak)
  const fields: [string, string][] = [
    ['Event-Info', 'System Ready'],
    ['Up-Time', uptimeText(uptimeUs)],
    ['FreeSWITCH-Version', '1.11.3-dev~64bit'],
    ['Uptime-msec', String(Math.floor(uptimeUs / 1000))],
    ['Session-Count', String(core.legs.size)],
    ['Max-Sessions', String(SESSIONS_MAX)],
    ['Session-Per-Sec', String(SESSIONS_PER_S_MAX)],
    ['Session-Per-Sec-Last', '0'],
    ['Session-Per-Sec-Max', peak],
    ['Session-Per-Sec-FiveMin', peak],
    ['Session-Since-Startup', String(core.sessionsSinceStart)],
    ['Session-Peak-Max', peak],
    ['Session-Peak-FiveMin', peak],
    ['Idle-CPU', IDLE_CPU],
  ]
  return fields.map(([name, value]) => new HeaderLine(name, value))
}

const UNITS: readonly [name: string, us: number, limit: number][] = [
  ['year', 365 * 86_400e6, Number.POSITIVE_INFINITY],
  ['day', 86_400e6, 365],
  ['hour', 3_600e6, 24],
  ['minute', 60e6, 60],
  ['second', 1e6, 60],
  ['millisecond', 1e3, 1000],
  ['microsecond', 1, 1000],
]

/** `0 years, 0 days, 0 hours, 1 minute, …` */
export function uptimeText(us: number): string {
  return UNITS.map(([name, size, limit]) => {
    const count = Math.floor(us / size) % limit
    return `${count} ${name}${count === 1 ? '' : 's'}`
  }).join(', ')
}
