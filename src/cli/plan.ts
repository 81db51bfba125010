/** `tollgate plan …` */
import type { Command } from 'commander'
import type { Plan } from '../provisioning/rates.js'
import { type Cli, examples } from './command.js'
import { type Column, formatRecord, formatTable } from './terminal.js'

const LIST: readonly Column<Plan>[] = [
  { head: 'plan', cell: plan => plan.name },
  { head: 'rates', cell: plan => plan.rates, right: true },
]

const record = (plan: Plan) => formatRecord({ plan: plan.name, rates: plan.rates })

export function planCommands(noun: Command, cli: Cli): void {
  noun
    .command('create')
    .description('Create a rate plan')
    .argument('<name>')
    .addHelpText('after', examples('tollgate plan create retail'))
    .action(
      cli.action(
        async (session, _options, name) => {
          session.print(await session.rates().planCreate({ name }), record)
        },
        { mayCreate: true },
      ),
    )

  noun
    .command('list')
    .description('List the rate plans')
    .addHelpText('after', examples('tollgate plan list --json'))
    .action(
      cli.action(async session => {
        session.print(await session.rates().planList(), plans => formatTable(LIST, plans))
      }),
    )

  noun
    .command('show')
    .description('Show a rate plan')
    .argument('<name>')
    .addHelpText('after', examples('tollgate plan show retail'))
    .action(
      cli.action(async (session, _options, name) => {
        session.print(await session.rates().planShow({ name }), record)
      }),
    )

  noun
    .command('delete')
    .description('Delete a rate plan that no account is on, with all its rates')
    .argument('<name>')
    .addHelpText('after', examples('tollgate plan delete retail'))
    .action(
      cli.action(async (session, _options, name) => {
        session.print(await session.rates().planDelete({ name }), record)
      }),
    )
}
