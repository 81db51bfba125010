/** `tollgate switch …` */
import type { Command } from 'commander'
import type { SwitchJson } from '../provisioning/switches.js'
import { type Cli, examples } from './command.js'
import { type Column, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<SwitchJson>[] = [
  { head: 'name', cell: one => one.name },
  { head: 'state', cell: one => one.state.replace('_', ' '), state: true },
  { head: 'since (UTC)', cell: one => shortTime(one.since) },
  { head: 'calls', cell: one => one.calls, right: true },
  { head: 'sessions', cell: one => one.sessions, right: true },
  { head: 'lag (ms)', cell: one => one.lag_ms, right: true },
  { head: 'clock (s)', cell: one => signedSeconds(one.clock_offset_ms), right: true },
  { head: 'heartbeat (s)', cell: one => one.heartbeat_age_s, right: true },
  { head: 'lease until', cell: one => shortTime(one.lease_until) },
  { head: 'let through', cell: one => one.gate_allowed, right: true },
  { head: 'denied', cell: one => one.gate_denied, right: true },
  { head: 'version', cell: one => one.version },
  { head: 'core uuid', cell: one => one.core_uuid },
  { head: 'why', cell: one => one.why, flexible: true },
]

export function switchCommands(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List the switches: connected since when, or why not, and how well they are heard')
    .addHelpText('after', examples('tollgate switch list', 'tollgate switch list --json'))
    .action(
      cli.actionWithoutBooks(async session => {
        const switches = await session.switches()
        session.print(switches, () => formatTable(LIST, switches))
        if (switches.some(({ state }) => state === 'not_supervised')) {
          session.say('No daemon runs on this data directory: nobody is connected to a switch')
        }
      }),
    )
}

/** `+3600.00`: how far the clock of the switch is ahead of ours. */
function signedSeconds(ms: number | null): string | null {
  if (ms === null) return null
  return `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(2)}`
}
