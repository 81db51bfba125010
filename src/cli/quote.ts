/** `tollgate quote …` */
import type { Command } from 'commander'
import { BookError } from '../ledger/books.js'
import { csvLines } from '../provisioning/csv-lines.js'
import type { QuoteJson, Quoter } from '../provisioning/quote.js'
import { type Cli, examples } from './command.js'
import type { Session } from './session.js'
import { type Drawing, formatRecord, printLine, shortTime } from './terminal.js'

/** Such a call would not be let through. */
class Refused extends Error {
  override name = 'Refused'
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export function quoteCommand(command: Command, cli: Cli): void {
  command
    .argument('<number>', 'as dialled; - reads number,seconds lines from standard input')
    .option('--plan <plan>', 'by this rate plan')
    .option('--account <code>', 'by the plans of this account')
    .option('--seconds <n>', 'how long the call is (default: 60)')
    .option('--at <time>', 'when it is answered (default: now)')
    .addHelpText(
      'after',
      examples(
        'tollgate quote 442079460000 --plan retail --seconds 125',
        'tollgate quote 02079460000 --account ALICE --at 2026-12-01T21:00Z',
        'tollgate quote - --account ALICE --json < calls.csv',
      ),
    )
    .action(
      cli.action(async (session, { seconds = 60, plan, account, at }, number) => {
        const quoter = await session.quoter({ plan, account })
        if (number === '-') return quoteLines(session, quoter, at)
        const quote = await quoter.quote({ number, seconds, at })
        session.print(quote, record)
        if (quote.refused !== null) throw new Refused(quote.refused, quote.reason!)
      }),
    )
}

/** A bad line is reported, and those after it are quoted all the same. */
async function quoteLines(session: Session, quoter: Quoter, at: unknown): Promise<void> {
  for await (const { number: line, text, fields } of csvLines(session.terminal.stdin)) {
    try {
      const quote = await quoter.quote({ ...readCall(fields), at })
      if (quote.refused !== null) throw new Refused(quote.refused, quote.reason!)
      printLine(session.terminal.stdout, session.json ? JSON.stringify(quote) : summary(quote))
    } catch (error) {
      if (!(error instanceof BookError || error instanceof Refused)) throw error
      session.sayBadLine({ line, text, reason: error.message })
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

function record(quote: QuoteJson): Drawing {
  const { carrier_per_minute, carrier_cost, cost_plan, dialled, steps } = quote
  return formatRecord({
    number: quote.number,
    ...(steps.length === 0 ? {} : { dialled: `${dialled}: ${steps.join(', ')}` }),
    ...(quote.prefix === null ? { plan: quote.plan } : rateFields(quote)),
    ...(quote.cost === null ? {} : costFields(quote)),
    ...(carrier_cost === null
      ? {}
      : { carrier: `${carrier_cost} (${carrier_per_minute} a minute in the plan ${cost_plan})` }),
    ...(quote.margin === null ? {} : { margin: quote.margin }),
    ...(quote.reason === null ? {} : { refused: quote.reason }),
  })
}

function rateFields(quote: QuoteJson) {
  const { prefix, description, plan, period, period_in_force, from, until } = quote
  const name = prefix === '' ? 'none, for all numbers' : prefix
  const special = quote.decided_by === 'special_plan' ? ', the special plan' : ''
  const which = `${name}${description === '' ? '' : ` (${description})`} of plan ${plan}${special}`
  const base = period === '' ? ', for which it has no rate of its own' : ''
  return {
    prefix: which,
    ...(period_in_force === '' ? {} : { period: `${period_in_force}${base}` }),
    ...(from === null ? {} : { from: `${shortTime(from)} UTC` }),
    ...(until === null ? {} : { until: `${shortTime(until)} UTC` }),
  }
}

function costFields(quote: QuoteJson) {
  const { per_minute, minimum, increment, setup, free_s, seconds, billed_s } = quote
  const free = free_s === 0 ? '' : `, free up to ${free_s} s`
  return {
    rate: `${per_minute} a minute in steps of ${minimum}/${increment} s, setup ${setup}${free}`,
    talk: `${seconds} s, billed as ${billed_s} s: ${quote.talk_cost}`,
    setup: billed_s === 0 ? '0.000000' : setup,
    cost: quote.cost,
  }
}
