/** `tollgate account …`; its entries are in entry.ts. */
import type { Command } from 'commander'
import type { AccountJson } from '../ledger/account-fields.js'
import { withActor } from './actor.js'
import { type Cli, examples, type Options, withYes } from './command.js'
import { entryCommands } from './entry.js'
import { pinCommands } from './pin.js'
import type { Session } from './session.js'
import { type Column, type Drawing, formatRecord, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<AccountJson>[] = [
  { head: 'code', cell: account => account.code },
  { head: 'name', cell: account => account.name, flexible: true },
  { head: 'plan', cell: account => account.plan },
  { head: 'state', cell: account => account.state, state: true },
  { head: 'balance', cell: account => account.balance, right: true },
  { head: 'credit limit', cell: account => account.credit_limit, right: true },
  { head: 'held', cell: account => account.held, right: true },
  { head: 'available', cell: account => account.available, right: true },
]

/** Accounts that are asked for at a time. */
const PAGE = 1_000

export function accountCommands(noun: Command, cli: Cli): void {
  defineCreate(noun, cli)
  defineList(noun, cli)
  defineSet(noun, cli)
  defineStates(noun, cli)
  entryCommands(noun, cli)
  pinCommands(noun, cli)
}

/** What an operator may say of an account, besides its plan. `none` takes a limit away. */
function withTerms(command: Command): Command {
  return command
    .option('--name <name>', 'who it is')
    .option('--special-plan <plan>', 'a plan whose rates come in front of the plan’s; or none')
    .option('--credit-limit <amount>', 'how far below zero it may go; 0 is prepaid')
    .option('--notes <text>', 'what else there is to know')
    .option('--time-zone <zone>', 'its days begin at midnight there, as in Europe/Berlin')
    .option('--max-calls <n>', 'calls at the same time; or none')
    .option('--max-calls-per-second <n>', 'calls let through in any second; or none')
    .option('--max-per-minute <amount>', 'the highest price per minute; or none')
    .option('--max-spend-per-call <amount>', 'what a call may cost; or none')
    .option('--max-spend-per-day <amount>', 'what the calls of a day may cost; or none')
    .option('--longest-call <seconds>', 'how long a call may get; or none')
    .option('--low-balance <amount>', 'a balance below this is told; or none')
}

function termsOf(options: Options) {
  return {
    name: options['name'],
    plan: options['plan'],
    special_plan: orNone(options['specialPlan']),
    credit_limit: options['creditLimit'],
    notes: options['notes'],
    time_zone: options['timeZone'],
    max_calls: orNone(options['maxCalls']),
    max_calls_per_second: orNone(options['maxCallsPerSecond']),
    max_per_minute: orNone(options['maxPerMinute']),
    max_spend_per_call: orNone(options['maxSpendPerCall']),
    max_spend_per_day: orNone(options['maxSpendPerDay']),
    longest_call_s: orNone(options['longestCall']),
    low_balance: orNone(options['lowBalance']),
  }
}

const orNone = (value: unknown) => (value === 'none' ? null : value)

function defineCreate(noun: Command, cli: Cli): void {
  const command = noun
    .command('create')
    .description('Create an account')
    .argument('[code]', 'what a leg carries in `ac`; generated where none is given')
    .requiredOption('--plan <plan>', 'the rate plan')
    .option('--credit <amount>', 'the opening balance')
  withActor(withTerms(command))
    .addHelpText(
      'after',
      examples(
        'tollgate account create ALICE --plan retail --name "Alice" --credit 25',
        'tollgate account create BOB --plan retail --max-calls 2 --max-spend-per-day 50',
        'tollgate account create --plan retail    # generates a code',
      ),
    )
    .action(
      cli.action(
        async (session, options, code) => {
          const { credit, actor } = options
          const ledger = await session.ledger()
          const input = { ...termsOf(options), code, credit, actor }
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
    .option('--state <state>', 'active, suspended or closed')
    .option('--plan <plan>', 'accounts on this plan')
    .option('--special-plan <plan>', 'accounts with this special plan')
    .option('--low', 'accounts whose balance is below their --low-balance')
    .option('--limit <n>', 'no more than this many')
    .addHelpText(
      'after',
      examples(
        'tollgate account list --state active --search alice',
        'tollgate account list --low',
      ),
    )
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
        session.print(await session.account(code), record)
      }),
    )
}

/** All accounts, a page at a time, unless there is a limit. */
async function listed(session: Session, options: Options): Promise<AccountJson[]> {
  const { search, state, plan, specialPlan: special_plan, limit } = options
  const ledger = await session.ledger()
  const filter = { search, state, plan, special_plan, low: options['low'] && 'true' }
  if (limit !== undefined) return ledger.accountList({ ...filter, limit })
  const accounts: AccountJson[] = []
  for (;;) {
    const after = accounts.at(-1)?.code
    const page = await ledger.accountList({ ...filter, after, limit: PAGE })
    accounts.push(...page)
    if (page.length < PAGE) return accounts
  }
}

function defineSet(noun: Command, cli: Cli): void {
  const command = noun
    .command('set')
    .description('Change what is said of an account, for calls that begin from now on')
    .argument('<code>')
    .option('--plan <plan>', 'the rate plan')
  withActor(withTerms(command))
    .addHelpText(
      'after',
      examples(
        'tollgate account set ALICE --plan wholesale --credit-limit 10',
        'tollgate account set ALICE --max-calls 5 --max-per-minute 0.50 --longest-call none',
      ),
    )
    .action(
      cli.action(async (session, options, code) => {
        const ledger = await session.ledger()
        const input = { ...termsOf(options), code, actor: options['actor'] }
        session.print(await ledger.accountSet(input), record)
      }),
    )
}

function defineStates(noun: Command, cli: Cli): void {
  for (const [verb, operation, what] of [
    [
      'suspend',
      'accountSuspend',
      'Let no new calls through for a while; live ones use up their hold',
    ],
    ['reopen', 'accountReopen', 'Let calls through again'],
  ] as const) {
    withActor(noun.command(verb))
      .description(what)
      .argument('<code>')
      .addHelpText('after', examples(`tollgate account ${verb} ALICE`))
      .action(
        cli.action(async (session, { actor }, code) => {
          session.print(await (await session.ledger())[operation]({ code, actor }), record)
        }),
      )
  }

  withYes(withActor(noun.command('close')))
    .description('Let no new calls and no top-ups through; live calls use up what is held for them')
    .argument('<code>')
    .addHelpText('after', examples('tollgate account close ALICE'))
    .action(
      cli.action(async (session, { actor }, code) => {
        await session.confirm(async () => {
          const { balance } = await (await session.ledger()).accountShow({ code })
          return `Close the account ${code}, with a balance of ${balance}, to new calls?`
        })
        session.print(await (await session.ledger()).accountClose({ code, actor }), record)
      }),
    )
}

/** What is not set is left out: an account has few of its many limits. */
function record(account: AccountJson): Drawing {
  const limits = {
    'special plan': account.special_plan,
    notes: account.notes || null,
    'calls at most': account.max_calls,
    'calls per second at most': account.max_calls_per_second,
    'price per minute at most': account.max_per_minute,
    'spend per call at most': account.max_spend_per_call,
    'spend per day at most': account.max_spend_per_day,
    'longest call (s)': account.longest_call_s,
    'low balance': account.low_balance && `${account.low_balance}${account.low ? ' (is low)' : ''}`,
  }
  const set = Object.entries(limits).filter(([, value]) => value !== null)
  return formatRecord({
    code: account.code,
    name: account.name,
    plan: account.plan,
    state: account.state,
    balance: account.balance,
    'credit limit': account.credit_limit,
    held: account.held,
    available: account.available,
    'live calls': account.live_calls,
    'spent today': `${account.spent_today} (${account.time_zone})`,
    ...Object.fromEntries(set),
    created: `${shortTime(account.created_at)} UTC`,
  })
}
