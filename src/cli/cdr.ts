/** `tollgate cdr …` */
import { type Command, Option } from 'commander'
import type { CdrJson, MilestoneJson } from '../call/cdr.js'
import type { CallStoryJson, CdrTotalsJson } from '../provisioning/cdrs.js'
import { type Cli, examples, type Options } from './command.js'
import {
  below,
  type Column,
  type Drawing,
  formatRecord,
  formatTable,
  shortTime,
} from './terminal.js'
import { unseenCommands } from './unseen.js'

const LIST: readonly Column<CdrJson>[] = [
  { head: 'ended (UTC)', cell: cdr => shortTime(cdr.ended_at) },
  { head: 'account', cell: cdr => cdr.account },
  { head: 'number', cell: cdr => cdr.number },
  { head: 'duration (s)', cell: cdr => cdr.duration_s, right: true },
  { head: 'billed (s)', cell: cdr => cdr.billed_s, right: true },
  { head: 'cost', cell: cdr => cdr.cost, right: true },
  { head: 'margin', cell: cdr => cdr.margin, right: true },
  { head: 'write-off', cell: cdr => cdr.write_off, right: true },
  { head: 'outcome', cell: cdr => cdr.outcome },
  { head: 'reason', cell: cdr => cdr.reason },
  { head: 'cause', cell: cdr => (cdr.corrected ? `${cdr.cause}, corrected` : cdr.cause) },
  { head: 'call id', cell: cdr => cdr.call_id },
]

const TOTALS: readonly Column<CdrTotalsJson>[] = [
  { head: 'of', cell: totals => totals.key },
  { head: 'calls', cell: totals => totals.calls, right: true },
  { head: 'answered', cell: totals => totals.answered, right: true },
  { head: 'billed (s)', cell: totals => totals.billed_s, right: true },
  { head: 'cost', cell: totals => totals.cost, right: true },
  { head: 'carrier', cell: totals => totals.carrier_cost, right: true },
  { head: 'margin', cell: totals => totals.margin, right: true },
  { head: 'write-off', cell: totals => totals.write_off, right: true },
]

const TIMELINE: readonly Column<MilestoneJson>[] = [
  { head: 'at (UTC)', cell: ({ at }) => at.slice(0, -1).replace('T', ' ') },
  { head: 'what', cell: ({ type }) => type },
  { head: 'held', cell: ({ held }) => held, right: true },
]

export function cdrCommands(noun: Command, cli: Cli): void {
  withFilters(noun.command('list'))
    .description('List ended calls, the last first')
    .addOption(new Option('--csv', 'print for spreadsheets').conflicts('json'))
    .option('--limit <n>', 'no more than this many (default: 100)')
    .addHelpText('after', examples('tollgate cdr list --account ALICE --outcome cut_off --json'))
    .action(
      cli.action(async (session, options) => {
        const { limit, csv } = options
        const cdrs = await (await session.ledger()).cdrList({ ...filterOf(options), limit })
        if (!csv) return session.print(cdrs, () => formatTable(LIST, cdrs))
        const { CDR_COLUMNS, formatCsv } = await import('../provisioning/csv.js')
        session.write(formatCsv(cdrs, CDR_COLUMNS))
      }),
    )

  noun
    .command('show')
    .description('Show an ended call, with each hold and each warning')
    .argument('<call-id>', 'as `cdr list` shows it')
    .addHelpText('after', examples('tollgate cdr show 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11'))
    .action(
      cli.action(async (session, _options, call_id) => {
        session.print(await (await session.ledger()).cdrShow({ call_id }), story)
      }),
    )

  withFilters(noun.command('totals'))
    .description('Add ended calls up: how many, how long, what they brought and what they cost you')
    .option('--by <what>', 'day, account, plan, prefix, reason or switch', 'day')
    .addHelpText(
      'after',
      examples(
        'tollgate cdr totals --from 2026-11-01 --to 2026-12-01',
        'tollgate cdr totals --by prefix --account ALICE',
      ),
    )
    .action(
      cli.action(async (session, options) => {
        const ledger = await session.ledger()
        const totals = await ledger.cdrTotals({ ...filterOf(options), by: options['by'] })
        session.print(totals, () => formatTable(TOTALS, totals))
      }),
    )

  unseenCommands(noun, cli)
}

function story({ timeline, ...cdr }: CallStoryJson): Drawing {
  const record = formatRecord({ ...cdr, corrected: cdr.corrected ? 'yes' : 'no' })
  return !timeline?.length ? record : below(record, '', formatTable(TIMELINE, timeline))
}

function withFilters(command: Command): Command {
  return command
    .option('--account <code>', 'calls of this account')
    .option('--outcome <outcome>', 'completed, unanswered, refused or cut_off')
    .option('--reason <reason>', 'calls that were refused or ended for this, as in no_credit')
    .option('--from <time>', 'calls that ended from this time on, like 2026-11-01')
    .option('--to <time>', 'calls that ended before this time')
    .option('--write-off', 'calls that outlived their hold: what they cost beyond it is your loss')
}

function filterOf({ account, outcome, reason, from, to, writeOff }: Options) {
  return { account, outcome, reason, from, to, write_off: writeOff && 'true' }
}
