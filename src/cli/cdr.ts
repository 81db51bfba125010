/** `tollgate cdr …` */
import type { Command } from 'commander'
import type { CdrJson } from '../call/cdr.js'
import { type Cli, examples } from './command.js'
import { type Column, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<CdrJson>[] = [
  { head: 'ended (UTC)', cell: cdr => shortTime(cdr.ended_at) },
  { head: 'account', cell: cdr => cdr.account },
  { head: 'number', cell: cdr => cdr.number },
  { head: 'duration (s)', cell: cdr => cdr.duration_s, right: true },
  { head: 'billed (s)', cell: cdr => cdr.billed_s, right: true },
  { head: 'cost', cell: cdr => cdr.cost, right: true },
  { head: 'write-off', cell: cdr => cdr.write_off, right: true },
  { head: 'outcome', cell: cdr => cdr.outcome },
  { head: 'reason', cell: cdr => cdr.reason },
  { head: 'cause', cell: cdr => cdr.cause },
  { head: 'call id', cell: cdr => cdr.call_id },
]

export function cdrCommands(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List ended calls, the last first')
    .option('--account <code>', 'calls of this account')
    .option('--outcome <outcome>', 'completed, unanswered, refused or cut_off')
    .option('--from <time>', 'calls that ended from this time on, like 2026-11-01')
    .option('--to <time>', 'calls that ended before this time')
    .option('--write-off', 'calls that outlived their hold: what they cost beyond it is your loss')
    .option('--limit <n>', 'no more than this many (default: 100)')
    .addHelpText('after', examples('tollgate cdr list --account ALICE --outcome cut_off --json'))
    .action(
      cli.action(async (session, { account, outcome, from, to, writeOff, limit }) => {
        const ledger = await session.ledger()
        const write_off = writeOff && 'true'
        const cdrs = await ledger.cdrList({ account, outcome, from, to, write_off, limit })
        session.print(cdrs, () => formatTable(LIST, cdrs))
      }),
    )
}
