/** `tollgate plan …` */
import type { Command } from 'commander'
import type { PlanJson } from '../provisioning/rate-fields.js'
import { withActor } from './actor.js'
import { type Cli, examples, withYes } from './command.js'
import { type Column, countOf, type Drawing, formatRecord, formatTable } from './terminal.js'

const LIST: readonly Column<PlanJson>[] = [
  { head: 'plan', cell: plan => plan.name },
  { head: 'rates', cell: plan => plan.rates, right: true },
  { head: 'cost plan', cell: plan => plan.cost_plan },
  { head: 'country code', cell: plan => plan.country_code },
  { head: 'periods', cell: plan => plan.periods.map(({ name }) => name).join(', ') || null },
]

export function planCommands(noun: Command, cli: Cli): void {
  defineCreate(noun, cli)
  defineLookups(noun, cli)
  defineSet(noun, cli)
  definePeriods(noun, cli)
  defineDelete(noun, cli)
}

function defineCreate(noun: Command, cli: Cli): void {
  withActor(noun.command('create'))
    .description('Create a rate plan')
    .argument('<name>')
    .addHelpText('after', examples('tollgate plan create retail'))
    .action(
      cli.action(
        async (session, { actor }, name) => {
          session.print(await (await session.rates()).planCreate({ name, actor }), record)
        },
        { mayCreate: true },
      ),
    )
}

function defineLookups(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List the rate plans')
    .addHelpText('after', examples('tollgate plan list --json'))
    .action(
      cli.action(async session => {
        session.print(await (await session.rates()).planList(), plans => formatTable(LIST, plans))
      }),
    )

  noun
    .command('show')
    .description('Show a rate plan')
    .argument('<name>')
    .addHelpText('after', examples('tollgate plan show retail'))
    .action(
      cli.action(async (session, _options, name) => {
        session.print(await (await session.rates()).planShow({ name }), record)
      }),
    )
}

const orNone = (value: unknown) => (value === 'none' ? null : value)

function defineSet(noun: Command, cli: Cli): void {
  withActor(noun.command('set'))
    .description('Change what a plan says besides its rates, for calls that begin from now on')
    .argument('<name>')
    .option('--zone <zone>', 'its periods are hours of this time zone, as in Europe/Berlin')
    .option('--cost-plan <plan>', 'the plan of what the carrier charges; or none')
    .option('--refuse-loss <yes|no>', 'refuse calls that would cost more than they bring')
    .option('--tech-prefix <text>', 'taken off numbers that begin with it; or none')
    .option('--international <prefixes>', 'ways to dial abroad besides the +, like 00,011; or none')
    .option('--country-code <digits>', "put before numbers of one's own country; or none")
    .option('--trunk-prefix <digits>', "what numbers of one's own country begin with; or none")
    .option('--national-digits <n>', "so many digits are a number of one's own country; or none")
    .addHelpText(
      'after',
      examples(
        'tollgate plan set retail --country-code 44 --cost-plan carrier --refuse-loss yes',
        'tollgate plan set retail --zone Europe/London --tech-prefix none',
      ),
    )
    .action(
      cli.action(async (session, options, name) => {
        const input = {
          name,
          zone: options['zone'],
          cost_plan: orNone(options['costPlan']),
          refuse_loss: options['refuseLoss'],
          tech_prefix: orNone(options['techPrefix']),
          international: orNone(options['international']),
          country_code: orNone(options['countryCode']),
          trunk_prefix: orNone(options['trunkPrefix']),
          national_digits: orNone(options['nationalDigits']),
          actor: options['actor'],
        }
        session.print(await (await session.rates()).planSet(input), record)
      }),
    )
}

function definePeriods(noun: Command, cli: Cli): void {
  withActor(noun.command('set-period'))
    .description('Give a plan a period with rates of its own, or a period that it has other hours')
    .argument('<name>', 'the plan')
    .argument('<period>', 'what rates call it')
    .argument('<hours>', 'days and hours in the zone of the plan; they may run past midnight')
    .addHelpText(
      'after',
      examples(
        'tollgate plan set-period retail peak "mon-fri 08:00-20:00, sat 09:00-13:00"',
        'tollgate plan set-period retail night "mon-sun 22:00-06:00"',
      ),
    )
    .action(
      cli.action(async (session, { actor }, plan, name, hours) => {
        session.print(await (await session.rates()).periodSet({ plan, name, hours, actor }), record)
      }),
    )

  withActor(withYes(noun.command('delete-period')))
    .description('Delete a period of a plan that no rate is of any more')
    .argument('<name>', 'the plan')
    .argument('<period>')
    .addHelpText('after', examples('tollgate plan delete-period retail peak'))
    .action(
      cli.action(async (session, { actor }, plan, name) => {
        await session.confirm(async () => {
          const { periods } = await (await session.rates()).planShow({ name: plan })
          const period = periods.find(one => one.name === name)
          return period ? `Delete the period ${name} (${period.hours}) of the plan ${plan}?` : null
        })
        session.print(await (await session.rates()).periodDelete({ plan, name, actor }), record)
      }),
    )
}

function defineDelete(noun: Command, cli: Cli): void {
  withActor(withYes(noun.command('delete')))
    .description('Delete a rate plan that no account is on, with all its rates')
    .argument('<name>')
    .addHelpText('after', examples('tollgate plan delete retail', 'tollgate plan delete old --yes'))
    .action(
      cli.action(async (session, { actor }, name) => {
        await session.confirm(async () => {
          const { rates } = await (await session.rates()).planShow({ name })
          return `Delete the plan ${name} with its ${countOf(rates, 'rate')}?`
        })
        session.print(await (await session.rates()).planDelete({ name, actor }), record)
      }),
    )
}

/** What a plan does without is not shown. */
function record(plan: PlanJson): Drawing {
  const { cost_plan, refuse_loss, tech_prefix, international, national_digits } = plan
  return formatRecord({
    plan: plan.name,
    rates: plan.rates,
    zone: plan.zone,
    ...shownIf(cost_plan, { 'cost plan': cost_plan }),
    ...shownIf(refuse_loss, { 'calls at a loss': 'refused' }),
    ...shownIf(tech_prefix, { 'tech prefix': tech_prefix }),
    international: ['+', ...international].join(', '),
    ...shownIf(plan.country_code, { 'country code': plan.country_code }),
    ...shownIf(plan.trunk_prefix, { 'trunk prefix': plan.trunk_prefix }),
    ...shownIf(national_digits, { 'national digits': national_digits }),
    ...Object.fromEntries(plan.periods.map(({ name, hours }) => [`period ${name}`, hours])),
  })
}

function shownIf<T extends object>(given: unknown, fields: T): T | Record<string, never> {
  return given ? fields : {}
}
