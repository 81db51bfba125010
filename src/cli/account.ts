/** `tollgate account …` */
import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { AccountJson, EntryJson, StatementJson } from '../provisioning/accounts.js'
import { type Cli, examples, type Options } from './command.js'
import type { Session } from './session.js'
import { type Column, formatRecord, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<AccountJson>[] = [
  { head: 'code', cell: account => account.code },
  { head: 'name', cell: account => account.name },
  { head: 'plan', cell: account => account.plan },
  { head: 'state', cell: account => account.state },
  { head: 'balance', cell: account => account.balance, right: true },
  { head: 'credit limit', cell: account => account.credit_limit, right: true },
  { head: 'held', cell: account => account.held, right: true },
  { head: 'available', cell: account => account.available, right: true },
]

/** A line of a statement: an entry, or the balance before the first or after the last. */
type Line = Omit<EntryJson, 'id' | 'account' | 'kind'> & { readonly kind: string }

const BLANK = { at: '', amount: '', reference: '', reason: '', actor: '' }

const STATEMENT: readonly Column<Line>[] = [
  { head: 'time (UTC)', cell: entry => shortTime(entry.at) },
  { head: 'entry', cell: entry => entry.kind },
  { head: 'amount', cell: entry => entry.amount, right: true },
  { head: 'balance', cell: entry => entry.balance, right: true },
  { head: 'reference', cell: entry => entry.reference },
  { head: 'reason', cell: entry => entry.reason },
  { head: 'actor', cell: entry => entry.actor },
]

/** Accounts that are asked for at a time. */
const PAGE = 1_000

export function accountCommands(noun: Command, cli: Cli): void {
  defineCreate(noun, cli)
  defineList(noun, cli)
  defineChanges(noun, cli)
  defineEntries(noun, cli)
}

function defineCreate(noun: Command, cli: Cli): void {
  withActor(noun.command('create'))
    .description('Create an account')
    .argument('[code]', 'what a leg carries in `ac`; generated where none is given')
    .requiredOption('--plan <plan>', 'the rate plan')
    .option('--name <name>', 'who it is')
    .option('--credit <amount>', 'the opening balance')
    .option('--credit-limit <amount>', 'how far below zero the account may go (default: 0)')
    .addHelpText(
      'after',
      examples(
        'tollgate account create ALICE --plan retail --name "Alice" --credit 25',
        'tollgate account create --plan retail    # generates a code',
      ),
    )
    .action(
      cli.action(
        async (session, { name, plan, credit, creditLimit, actor }, code) => {
          const ledger = await session.ledger()
          const input = { code, name, plan, credit, credit_limit: creditLimit, actor }
          session.print(await ledger.accountCreate(input), record)
        },
        { mayCreate: true },
      ),
    )
}

function defineList(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List accounts, in the order of their codes')
    .option('--search <text>', 'what the code or the name contains')
    .option('--state <state>', 'active or closed')
    .option('--plan <plan>', 'accounts on this plan')
    .option('--limit <n>', 'no more than this many')
    .addHelpText('after', examples('tollgate account list --state active --search alice'))
    .action(
      cli.action(async (session, options) => {
        session.print(await listed(session, options), accounts => formatTable(LIST, accounts))
      }),
    )

  noun
    .command('show')
    .description('Show an account')
    .argument('<code>')
    .addHelpText('after', examples('tollgate account show ALICE --json'))
    .action(
      cli.action(async (session, _options, code) => {
        session.print(await (await session.ledger()).accountShow({ code }), record)
      }),
    )
}

/** All accounts, a page at a time, unless there is a limit. */
async function listed(session: Session, { search, state, plan, limit }: Options) {
  const ledger = await session.ledger()
  const filter = { search, state, plan }
  if (limit !== undefined) return ledger.accountList({ ...filter, limit })
  const accounts: AccountJson[] = []
  for (;;) {
    const after = accounts.at(-1)?.code
    const page = await ledger.accountList({ ...filter, after, limit: PAGE })
    accounts.push(...page)
    if (page.length < PAGE) return accounts
  }
}

function defineChanges(noun: Command, cli: Cli): void {
  noun
    .command('set')
    .description('Change the name, the plan or the credit limit of an account')
    .argument('<code>')
    .option('--name <name>', 'who it is')
    .option('--plan <plan>', 'the rate plan, for calls that begin from now on')
    .option('--credit-limit <amount>', 'how far below zero the account may go')
    .addHelpText('after', examples('tollgate account set ALICE --plan wholesale --credit-limit 10'))
    .action(
      cli.action(async (session, { name, plan, creditLimit }, code) => {
        const ledger = await session.ledger()
        const input = { code, name, plan, credit_limit: creditLimit }
        session.print(await ledger.accountSet(input), record)
      }),
    )

  for (const [verb, operation, what] of [
    ['close', 'accountClose', 'Let no new calls through; live ones use up what is held for them'],
    ['reopen', 'accountReopen', 'Let calls through again'],
  ] as const) {
    noun
      .command(verb)
      .description(what)
      .argument('<code>')
      .addHelpText('after', examples(`tollgate account ${verb} ALICE`))
      .action(
        cli.action(async (session, _options, code) => {
          session.print(await (await session.ledger())[operation]({ code }), record)
        }),
      )
  }
}

function defineEntries(noun: Command, cli: Cli): void {
  for (const [verb, operation, what, example] of [
    ['top-up', 'topUp', 'Give an account credit', '25 --reference receipt-1 --reason "cash"'],
    ['adjust', 'adjust', 'Correct a balance, up or down', '-1.50 --reason "charged twice"'],
  ] as const) {
    withActor(noun.command(verb))
      .description(what)
      .argument('<code>')
      .argument('<amount>', 'like 12 or 0.25')
      .option('--reference <text>', 'books once, however often it is asked for; generated if none')
      .option('--reason <text>', 'for the statement')
      .addHelpText('after', examples(`tollgate account ${verb} ALICE ${example}`))
      .action(
        cli.action(async (session, options, code, amount) => {
          const { reference = `cli-${randomUUID()}`, reason, actor } = options
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
    .addHelpText('after', examples('tollgate account statement ALICE --from 2026-11-01'))
    .action(
      cli.action(async (session, { from, to }, code) => {
        session.print(await (await session.ledger()).statement({ code, from, to }), statement)
      }),
    )
}

function withActor(command: Command): Command {
  return command.option('--actor <who>', 'who does this, for the books', actor())
}

function actor(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    // A user id without a name, as in many containers.
    return `cli:${process.getuid?.() ?? 'unknown'}`
  }
}

function record(account: AccountJson): string {
  return formatRecord({
    code: account.code,
    name: account.name,
    plan: account.plan,
    state: account.state,
    balance: account.balance,
    'credit limit': account.credit_limit,
    held: account.held,
    available: account.available,
    created: `${shortTime(account.created_at)} UTC`,
  })
}

function booked(entry: EntryJson): string {
  return formatRecord({
    account: entry.account,
    booked: `${entry.amount} (${entry.kind})`,
    balance: entry.balance,
    reference: entry.reference,
  })
}

function statement({ opening_balance, entries, closing_balance }: StatementJson): string {
  return formatTable(STATEMENT, [
    { ...BLANK, kind: 'opening', balance: opening_balance },
    ...entries,
    { ...BLANK, kind: 'closing', balance: closing_balance },
  ])
}
