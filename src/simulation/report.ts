/** What a simulation came to, and how it is told. */
import { formatMoney } from '../money.js'
import type { Fault } from './scenario.js'
import type { Overrun } from './verdict.js'

export interface Report {
  readonly seed: number
  readonly hours: number
  /** Sentences; empty when every promise was kept. */
  readonly problems: readonly string[]
  readonly accounts: number
  /** Outbound legs. */
  readonly legs: number
  readonly cdrs: number
  readonly commits: number
  /** How often the daemon was killed. */
  readonly deaths: number
  /** Calls that credit ended, by the daemon or by the switch's own timer. */
  readonly cutOffs: number
  /** Why calls were refused or cut off, or what else their CDRs say. */
  readonly reasons: readonly { readonly reason: string; readonly times: number }[]
  /** Refunds of calls. */
  readonly refunds: number
  /** Calls that were answered at other terms than they began with. */
  readonly changed: number
  /** Calls whose end nobody saw. */
  readonly lost: number
  /** Legs that no daemon could know. */
  readonly unseen: number
  readonly faults: readonly { readonly fault: Fault; readonly times: number }[]
  /** The part of the time in which something was wrong. */
  readonly troubleShare: number
  /** Calls that went on after their credit had ended. */
  readonly overruns: readonly Overrun[]
  /** By why they had to be written off. */
  readonly writeOffs: readonly {
    readonly why: string
    readonly calls: number
    readonly total: bigint
    readonly largest: bigint
  }[]
}

export function describeReport(report: Report): string {
  const { seed, hours, legs, accounts, commits, cutOffs, lost, unseen, deaths } = report
  const faults = report.faults.map(({ fault, times }) => `${fault} (${times})`)
  const reasons = report.reasons.map(({ reason, times }) => `${reason} (${times})`)
  const lines = [
    `seed ${seed}: ${hours} h, ${accounts} accounts, ${legs} outbound legs, ${report.cdrs} CDRs, ${commits} commits`,
    `  ${cutOffs} calls were cut off; the end of ${lost} was seen by nobody; ${unseen} legs could not be known`,
    `  the daemon was killed ${deaths} times; something was wrong ${Math.round(report.troubleShare * 100)} % of the time`,
    `  ${faults.length > 0 ? faults.join(', ') : 'nothing went wrong'}`,
    `  ${reasons.join(', ')}`,
    `  ${report.changed} calls were answered at other terms than they began with; ${report.refunds} refunds`,
    ...report.writeOffs.map(
      ({ why, calls, total, largest }) =>
        `  written off: ${why}, ${calls} calls, ${formatMoney(total)}, at most ${formatMoney(largest)}`,
    ),
    ...report.problems.map(problem => `  BROKEN ${problem}`),
  ]
  return lines.join('\n')
}
