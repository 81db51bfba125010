/** `tollgate quote …` */
import type { Command } from 'commander'
import { BookError } from '../ledger/books.js'
import { csvLines } from '../provisioning/csv-lines.js'
import type { QuoteJson, Quoter } from '../provisioning/quote.js'
import { type Cli, examples } from './command.js'
import type { Session } from './session.js'
import { formatRecord, printLine } from './terminal.js'

export function quoteCommand(command: Command, cli: Cli): void {
  command
    .argument('<number>', 'as dialled; - reads number,seconds lines from standard input')
    .option('--plan <plan>', 'by this rate plan')
    .option('--account <code>', "by this account's plan")
    .option('--seconds <n>', 'how long the call is (default: 60)')
    .addHelpText(
      'after',
      examples(
        'tollgate quote 442079460000 --plan retail --seconds 125',
        'tollgate quote - --account ALICE --json < calls.csv',
      ),
    )
    .action(
      cli.action(async (session, { seconds = 60, ...whose }, number) => {
        const quoter = await session.quoter(whose)
        if (number === '-') await quoteLines(session, quoter)
        else session.print(quoter.quote({ number, seconds }), record)
      }),
    )
}

/** A bad line is reported, and those after it are quoted all the same. */
async function quoteLines(session: Session, quoter: Quoter): Promise<void> {
  for await (const { number: line, text, fields } of csvLines(session.terminal.stdin)) {
    try {
      const quote = quoter.quote(readCall(fields))
      printLine(session.terminal.stdout, session.json ? JSON.stringify(quote) : summary(quote))
    } catch (error) {
      if (!(error instanceof BookError)) throw error
      session.say(`line ${line}: ${JSON.stringify(text)}: ${error.message}`)
      session.exitCode = 1
    }
  }
}

function readCall(fields: readonly string[] | null) {
  if (fields?.length !== 2) {
    throw new BookError('bad_input', 'A line must be a number, a comma and seconds')
  }
  const [number, seconds] = fields.map(field => field.trim())
  return { number, seconds }
}

function summary({ number, seconds, prefix, billed_s, cost }: QuoteJson): string {
  return `${number}  ${seconds} s  prefix ${prefix}  billed ${billed_s} s  ${cost}`
}

function record(quote: QuoteJson): string {
  const { description, plan, minimum, increment, per_minute, setup } = quote
  return formatRecord({
    number: quote.number,
    prefix: `${quote.prefix}${description === '' ? '' : ` (${description})`} of plan ${plan}`,
    rate: `${per_minute} a minute in steps of ${minimum}/${increment} s, setup ${setup}`,
    talk: `${quote.seconds} s, billed as ${quote.billed_s} s: ${quote.talk_cost}`,
    setup: quote.billed_s === 0 ? '0.000000' : setup,
    cost: quote.cost,
  })
}
