/** `tollgate audit …` */
import type { Command } from 'commander'
import type { AuditJson } from '../provisioning/audit.js'
import { type Cli, examples } from './command.js'
import { type Column, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<AuditJson>[] = [
  { head: 'time (UTC)', cell: record => shortTime(record.at) },
  { head: 'actor', cell: record => record.actor },
  { head: 'action', cell: record => record.action },
  { head: 'subject', cell: record => record.subject },
  { head: 'before', cell: record => words(record.before), flexible: true },
  { head: 'after', cell: record => words(record.after), flexible: true },
]

export function auditCommands(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List who changed what, the last change first')
    .option('--subject <subject>', 'changes of this, as in "account ALICE" or "plan retail"')
    .option('--actor <who>', 'changes by this actor')
    .option('--from <time>', 'changes from this time on, like 2026-11-01 or 2026-11-01T12:00Z')
    .option('--to <time>', 'changes before this time')
    .option('--limit <n>', 'no more than this many (default: 100)')
    .addHelpText(
      'after',
      examples(
        'tollgate audit list --subject "account ALICE"',
        'tollgate audit list --from 2026-11-01 --json',
      ),
    )
    .action(
      cli.action(async (session, { subject, actor, from, to, limit }) => {
        const ledger = await session.ledger()
        const records = await ledger.auditList({ subject, actor, from, to, limit })
        session.print(records, () => formatTable(LIST, records))
      }),
    )
}

/** `balance 5.000000, reference receipt-1` */
function words(fields: AuditJson['before']): string {
  return Object.entries(fields ?? {})
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}
