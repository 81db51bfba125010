/** `tollgate account top-up`, `adjust` and `statement`, and `call refund`: entries. */
import { randomUUID } from 'node:crypto'
import { type Command, Option } from 'commander'
import type { EntryJson, StatementJson } from '../provisioning/entries.js'
import { withActor } from './actor.js'
import { type Cli, examples } from './command.js'
import { type Column, type Drawing, formatRecord, formatTable, shortTime } from './terminal.js'

/** A line of a statement: an entry, or the balance before the first or after the last. */
interface Line extends Omit<EntryJson, 'id' | 'account' | 'kind' | 'call_id'> {
  readonly kind: string
}

const BLANK = { at: '', amount: '', reference: '', reason: '', actor: '' }

const STATEMENT: readonly Column<Line>[] = [
  { head: 'time (UTC)', cell: entry => shortTime(entry.at) },
  { head: 'entry', cell: entry => entry.kind },
  { head: 'amount', cell: entry => entry.amount, right: true },
  { head: 'balance', cell: entry => entry.balance, right: true },
  { head: 'reference', cell: entry => entry.reference },
  { head: 'reason', cell: entry => entry.reason, flexible: true },
  { head: 'actor', cell: entry => entry.actor, flexible: true },
]

const CSV = ['at', 'kind', 'amount', 'balance', 'reference', 'call_id', 'reason', 'actor']

export function entryCommands(noun: Command, cli: Cli): void {
  for (const [verb, operation, what, example] of [
    ['top-up', 'topUp', 'Give an account credit', '25 --reference receipt-1 --reason "cash"'],
    ['adjust', 'adjust', 'Correct a balance, up or down', '-1.50 --reason "charged twice"'],
  ] as const) {
    withPosting(noun.command(verb))
      .description(what)
      .argument('<code>')
      .argument('<amount>', 'like 12 or 0.25')
      .addHelpText('after', examples(`tollgate account ${verb} ALICE ${example}`))
      .action(
        cli.action(async (session, options, code, amount) => {
          const { reference = ownReference(), reason, actor } = options
          const ledger = await session.ledger()
          const entry = await ledger[operation]({ code, amount, reference, reason, actor })
          session.print(entry, booked)
        }),
      )
  }

  noun
    .command('statement')
    .description('Show the entries of an account with its running balance')
    .argument('<code>')
    .option('--from <time>', 'entries from this time on, like 2026-11-01 or 2026-11-01T12:00Z')
    .option('--to <time>', 'entries before this time')
    .addOption(new Option('--csv', 'print for spreadsheets').conflicts('json'))
    .addHelpText(
      'after',
      examples(
        'tollgate account statement ALICE --from 2026-11-01',
        'tollgate account statement ALICE --from 2026-11-01 --to 2026-12-01 --csv',
      ),
    )
    .action(
      cli.action(async (session, { from, to, csv }, code) => {
        const found = await (await session.ledger()).statement({ code, from, to })
        if (!csv) {
          return session.print(found, statement => formatTable(STATEMENT, linesOf(statement)))
        }
        const { formatCsv } = await import('../provisioning/csv.js')
        session.write(formatCsv(linesOf(found), CSV))
      }),
    )
}

export function refundCommand(noun: Command, cli: Cli): void {
  withPosting(noun.command('refund'))
    .description('Give back what an ended call cost, or part of it')
    .argument('<call-id>', 'as `cdr list` shows it')
    .argument('[amount]', 'all that is not refunded yet, where none is given')
    .addHelpText(
      'after',
      examples(
        'tollgate call refund 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11 --reason "no audio"',
        'tollgate call refund 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11 0.50 --reference ticket-812',
      ),
    )
    .action(
      cli.action(async (session, options, call_id, amount) => {
        const { reference = ownReference(), reason, actor } = options
        const ledger = await session.ledger()
        session.print(await ledger.refund({ call_id, amount, reference, reason, actor }), booked)
      }),
    )
}

function withPosting(command: Command): Command {
  return withActor(command)
    .option('--reference <text>', 'books once, however often it is asked for; generated if none')
    .option('--reason <text>', 'for the statement')
}

const ownReference = () => `cli-${randomUUID()}`

function booked(entry: EntryJson): Drawing {
  return formatRecord({
    account: entry.account,
    booked: `${entry.amount} (${entry.kind})`,
    balance: entry.balance,
    reference: entry.reference,
  })
}

function linesOf({ opening_balance, entries, closing_balance }: StatementJson): Line[] {
  return [
    { ...BLANK, kind: 'opening', balance: opening_balance },
    ...entries,
    { ...BLANK, kind: 'closing', balance: closing_balance },
  ]
}
