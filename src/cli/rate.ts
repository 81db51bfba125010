/** `tollgate rate …`; decks are in deck.ts. */
import type { Command } from 'commander'
import type { RateJson } from '../provisioning/rate-fields.js'
import { withActor } from './actor.js'
import { type Cli, examples, type Options, withYes } from './command.js'
import { deckCommands } from './deck.js'
import {
  below,
  type Column,
  type Drawing,
  formatRecord,
  formatTable,
  shortTime,
} from './terminal.js'

const LIST: readonly Column<RateJson>[] = [
  { head: 'prefix', cell: rate => rate.prefix },
  { head: 'description', cell: rate => rate.description, flexible: true },
  { head: 'per minute', cell: rate => (rate.blocked ? 'blocked' : rate.per_minute), right: true },
  { head: 'setup', cell: rate => rate.setup, right: true },
  { head: 'steps (s)', cell: rate => `${rate.minimum}/${rate.increment}`, right: true },
  { head: 'free (s)', cell: rate => rate.free_s, right: true },
  { head: 'period', cell: rate => rate.period || null },
  { head: 'from', cell: rate => shortTime(rate.from) },
  { head: 'until', cell: rate => shortTime(rate.until) },
]

/** How many rates are listed where no limit is asked for; a deck may have a million. */
const LISTED = 100

export function rateCommands(noun: Command, cli: Cli): void {
  defineAdd(noun, cli)
  defineSet(noun, cli)
  defineLookups(noun, cli)
  defineFind(noun, cli)
  defineDelete(noun, cli)
  deckCommands(noun, cli, ofOwner)
}

/** Every rate is one of a plan. */
function ofOwner(command: Command): Command {
  return command
    .option('--plan <plan>', 'the rate plan')
    .option('--account <code>', "the account's special plan, instead of --plan")
}

/** Which rate of a prefix is meant. */
function withKey(command: Command): Command {
  return command
    .argument('<prefix>', 'leading digits of the numbers it is for; the longest prefix wins')
    .option('--period <period>', 'a period of the plan; none: whenever no rate of a period is')
    .option('--from <time>', 'in force from this time on, like 2026-12-01T00:00Z')
}

function withTerms(command: Command): Command {
  return command
    .option('--per-minute <amount>', 'the price of a minute')
    .option('--setup <amount>', 'charged once, when the call is answered (at first: 0)')
    .option('--minimum <seconds>', 'the first billing step (at first: 1)')
    .option('--increment <seconds>', 'every further billing step (at first: 1)')
    .option('--free-seconds <seconds>', 'a call that ends within them costs nothing (at first: 0)')
    .option('--until <time>', 'not in force any more at this time; or none')
    .option('--blocked <yes|no>', 'let no calls through; the description says why')
    .option('--description <text>', 'where the prefix leads')
}

const orNone = (value: unknown) => (value === 'none' ? null : value)

function keyOf({ plan, account, period, from }: Options, prefix: string | undefined) {
  return { plan, account, prefix, period: orNone(period), from }
}

function termsOf({ perMinute, freeSeconds, until, ...options }: Options) {
  const { setup, minimum, increment, blocked, description } = options
  return {
    ...{ per_minute: perMinute, setup, minimum, increment, free_s: freeSeconds },
    ...{ until: orNone(until), blocked, description },
  }
}

function defineAdd(noun: Command, cli: Cli): void {
  withActor(withTerms(withKey(ofOwner(noun.command('add')))))
    .description('Add a rate to a plan')
    .addHelpText(
      'after',
      examples(
        'tollgate rate add 44 --plan retail --per-minute 0.02 --minimum 60 --increment 60',
        'tollgate rate add 44 --plan retail --period night --per-minute 0.01',
        'tollgate rate add 881 --plan retail --blocked yes --description "Satellite"',
        'tollgate rate add 4420 --account ALICE --per-minute 0.015',
      ),
    )
    .action(
      cli.action(async (session, options, prefix) => {
        const { actor } = options
        const input = { ...keyOf(options, prefix), ...termsOf(options), actor }
        session.print(await (await session.rates()).rateAdd(input), record)
      }),
    )
}

function defineSet(noun: Command, cli: Cli): void {
  withActor(withTerms(withKey(ofOwner(noun.command('set')))))
    .description('Change a rate, for calls that begin from now on; what is not given stays')
    .addHelpText(
      'after',
      examples(
        'tollgate rate set 44 --plan retail --per-minute 0.03',
        'tollgate rate set 44 --plan retail --until 2027-01-01',
      ),
    )
    .action(
      cli.action(async (session, options, prefix) => {
        const { actor } = options
        const input = { ...keyOf(options, prefix), ...termsOf(options), actor }
        session.print(await (await session.rates()).rateSet(input), record)
      }),
    )
}

function defineLookups(noun: Command, cli: Cli): void {
  ofOwner(noun.command('list'))
    .description('List the rates of a plan, in the order of their prefixes')
    .option('--prefix <digits>', 'what the prefixes begin with')
    .option('--search <text>', 'what the prefix begins with, or the description contains')
    .option('--after <rate>', 'rates after this one: 44, or 44/PERIOD/FROM')
    .option('--limit <n>', `no more than this many (default: ${LISTED})`)
    .addHelpText(
      'after',
      examples(
        'tollgate rate list --plan retail --prefix 44',
        'tollgate rate list --plan retail --search mobile',
      ),
    )
    .action(
      cli.action(async (session, { limit = LISTED, ...filter }) => {
        const rates = await (await session.rates()).rateList({ ...filter, limit })
        session.print(rates, () => formatTable(LIST, rates))
        const last = rates.at(-1)
        if (last && rates.length === Number(limit)) {
          session.say(`There may be more: use --limit, or --after ${placeOf(last)}`)
        }
      }),
    )

  withKey(ofOwner(noun.command('show')))
    .description('Show the rates of exactly this prefix')
    .addHelpText('after', examples('tollgate rate show 44 --plan retail'))
    .action(
      cli.action(async (session, options, prefix) => {
        const rates = await (await session.rates()).rateShow(keyOf(options, prefix))
        session.print(rates, () => below(...rates.flatMap((rate, i) => [...gap(i), record(rate)])))
      }),
    )
}

/** A line between records. */
const gap = (i: number) => (i === 0 ? [] : [''])

/** As --after understands it. */
function placeOf({ prefix, period, from }: RateJson): string {
  if (period === '' && from === null) return prefix
  return from === null ? `${prefix}/${period}` : `${prefix}/${period}/${from}`
}

function defineFind(noun: Command, cli: Cli): void {
  noun
    .command('find')
    .description('Show the rate that a number would get')
    .argument('<number>')
    .option('--plan <plan>', 'of this rate plan')
    .option('--account <code>', 'of the plans of this account')
    .option('--at <time>', 'at this time, and not now')
    .addHelpText('after', examples('tollgate rate find 442079460000 --plan retail'))
    .action(
      cli.action(async (session, { plan, account, at }, number) => {
        const quoter = await session.quoter({ plan, account })
        session.print(await quoter.find({ number, at }), record)
      }),
    )
}

function defineDelete(noun: Command, cli: Cli): void {
  withActor(withYes(withKey(ofOwner(noun.command('delete')))))
    .description('Delete a rate; numbers get that of the next shorter prefix, if there is one')
    .addHelpText('after', examples('tollgate rate delete 4420 --plan retail'))
    .action(
      cli.action(async (session, options, prefix) => {
        const which = keyOf(options, prefix)
        await session.confirm(async () => {
          const [rate, another] = await (await session.rates()).rateShow(which)
          if (!rate || another) return null
          const where = rate.description === '' ? '' : ` (${rate.description})`
          return `Delete the rate ${placeOf(rate)}${where} of the plan ${rate.plan}?`
        })
        const { actor } = options
        session.print(await (await session.rates()).rateDelete({ ...which, actor }), record)
      }),
    )
}

function record(rate: RateJson): Drawing {
  return formatRecord({
    plan: rate.plan,
    prefix: rate.prefix,
    description: rate.description,
    ...(rate.blocked ? { blocked: 'calls are refused' } : prices(rate)),
    ...(rate.period === '' ? {} : { period: rate.period }),
    ...(rate.from === null ? {} : { from: `${shortTime(rate.from)} UTC` }),
    ...(rate.until === null ? {} : { until: `${shortTime(rate.until)} UTC` }),
  })
}

function prices(rate: RateJson) {
  return {
    'per minute': rate.per_minute,
    setup: rate.setup,
    'steps (s)': `${rate.minimum}/${rate.increment}`,
    ...(rate.free_s === 0 ? {} : { 'free (s)': rate.free_s }),
  }
}
