/** `tollgate rate …` */
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { BookError } from '../ledger/books.js'
import { BadDeck, type RateJson } from '../provisioning/rates.js'
import { type Cli, examples } from './command.js'
import type { Session } from './session.js'
import { type Column, formatRecord, formatTable } from './terminal.js'

const LIST: readonly Column<RateJson>[] = [
  { head: 'prefix', cell: rate => rate.prefix },
  { head: 'description', cell: rate => rate.description },
  { head: 'per minute', cell: rate => rate.per_minute, right: true },
  { head: 'setup', cell: rate => rate.setup, right: true },
  { head: 'steps (s)', cell: rate => `${rate.minimum}/${rate.increment}`, right: true },
]

/** How many rates are listed where no limit is asked for; a deck may have a million. */
const LISTED = 100

export function rateCommands(noun: Command, cli: Cli): void {
  defineAdd(noun, cli)
  defineLookups(noun, cli)
  defineDelete(noun, cli)
  defineDecks(noun, cli)
}

/** Every rate is one of a plan. */
function onPlan(command: Command): Command {
  return command.requiredOption('--plan <plan>', 'the rate plan')
}

function defineAdd(noun: Command, cli: Cli): void {
  onPlan(noun.command('add'))
    .description('Add a rate to a plan')
    .argument('<prefix>', 'leading digits of the numbers it is for; the longest prefix wins')
    .requiredOption('--per-minute <amount>', 'the price of a minute')
    .option('--setup <amount>', 'charged once, when the call is answered (default: 0)')
    .option('--minimum <seconds>', 'the first billing step (default: 1)')
    .option('--increment <seconds>', 'every further billing step (default: 1)')
    .option('--description <text>', 'where the prefix leads')
    .addHelpText(
      'after',
      examples(
        'tollgate rate add 44 --plan retail --per-minute 0.02 --minimum 60 --increment 60',
        'tollgate rate add 1 --plan retail --per-minute 0.01 --description "North America"',
      ),
    )
    .action(
      cli.action(async (session, options, prefix) => {
        const { perMinute: per_minute, ...rest } = options
        session.print(await session.rates().rateAdd({ ...rest, prefix, per_minute }), record)
      }),
    )
}

function defineLookups(noun: Command, cli: Cli): void {
  onPlan(noun.command('list'))
    .description('List the rates of a plan, in the order of their prefixes')
    .option('--prefix <digits>', 'what the prefixes begin with')
    .option('--after <prefix>', 'rates after this prefix')
    .option('--limit <n>', `no more than this many (default: ${LISTED})`)
    .addHelpText('after', examples('tollgate rate list --plan retail --prefix 44'))
    .action(
      cli.action(async (session, { limit = LISTED, ...filter }) => {
        const rates = await session.rates().rateList({ ...filter, limit })
        session.print(rates, () => formatTable(LIST, rates))
        if (rates.length === Number(limit)) {
          session.say(`There may be more: use --limit, or --after ${rates.at(-1)?.prefix}`)
        }
      }),
    )

  noun
    .command('find')
    .description('Show the rate that a number would get')
    .argument('<number>')
    .option('--plan <plan>', 'of this rate plan')
    .option('--account <code>', "of this account's plan")
    .addHelpText('after', examples('tollgate rate find 442079460000 --plan retail'))
    .action(
      cli.action(async (session, whose, number) => {
        session.print((await session.quoter(whose)).find({ number }), record)
      }),
    )
}

function defineDelete(noun: Command, cli: Cli): void {
  onPlan(noun.command('delete'))
    .description('Delete a rate; numbers get that of the next shorter prefix, if there is one')
    .argument('<prefix>')
    .addHelpText('after', examples('tollgate rate delete 4420 --plan retail'))
    .action(
      cli.action(async (session, { plan }, prefix) => {
        session.print(await session.rates().rateDelete({ plan, prefix }), record)
      }),
    )
}

function defineDecks(noun: Command, cli: Cli): void {
  onPlan(noun.command('import'))
    .description('Read a deck into a plan: all of it, or nothing where a line is bad')
    .argument('<file>', 'CSV with the header prefix,description,per_minute,setup,minimum,increment')
    .option('--replace', 'delete the rates of all other prefixes; without it they stay')
    .addHelpText(
      'after',
      examples(
        'tollgate rate import deck.csv --plan retail',
        'tollgate rate export --plan retail | tollgate rate import - --plan copy',
      ),
    )
    .action(
      cli.action(async (session, { plan, replace }, file) => {
        await importDeck(session, file, plan, replace ? 'replace' : 'merge')
      }),
    )

  onPlan(noun.command('export'))
    .description('Write the rates of a plan as a deck that `rate import` reads')
    .addHelpText('after', examples('tollgate rate export --plan retail > deck.csv'))
    .action(
      cli.action(async (session, { plan }) => {
        const lines = Readable.from(session.rates().rateExport({ plan }))
        await pipeline(lines, session.terminal.stdout, { end: false })
      }),
    )
}

async function importDeck(session: Session, file: string, plan: unknown, mode: string) {
  try {
    const source = file === '-' ? session.terminal.stdin : (await open(file)).createReadStream()
    const done = await session.rates().rateImport(source, { plan, mode })
    session.print(done, ({ rates }) => `Imported ${rates} rates into ${done.plan}`)
  } catch (error) {
    if (error instanceof BadDeck) {
      for (const { line, text, reason } of error.badLines) {
        session.say(`line ${line}: ${JSON.stringify(text)}: ${reason}`)
      }
    }
    throw unreadable(file, error) ?? error
  }
}

const FILE_TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EISDIR: 'it is a folder',
}

function unreadable(file: string, error: unknown): BookError | undefined {
  const trouble = FILE_TROUBLE[(error as NodeJS.ErrnoException).code ?? '']
  return trouble ? new BookError('bad_input', `${file} cannot be read: ${trouble}`) : undefined
}

function record(rate: RateJson): string {
  return formatRecord({
    plan: rate.plan,
    prefix: rate.prefix,
    description: rate.description,
    'per minute': rate.per_minute,
    setup: rate.setup,
    'steps (s)': `${rate.minimum}/${rate.increment}`,
  })
}
