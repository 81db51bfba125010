/** `tollgate call …` */
import type { Command } from 'commander'
import type { LiveCallJson } from '../provisioning/calls.js'
import { type Cli, examples } from './command.js'
import { type Column, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<LiveCallJson>[] = [
  { head: 'call id', cell: call => call.call_id },
  { head: 'account', cell: call => call.account },
  { head: 'number', cell: call => call.number },
  { head: 'switch', cell: call => call.switch },
  { head: 'state', cell: call => (call.final ? `${call.state}, final` : call.state) },
  { head: 'seconds', cell: call => call.seconds, right: true },
  { head: 'cost', cell: call => call.cost, right: true },
  { head: 'held', cell: call => call.held, right: true },
  { head: 'funded until (UTC)', cell: call => shortTime(call.funded_until) },
]

export function callCommands(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List the live calls: seconds and cost so far, what is held, funded until when')
    .option('--account <code>', 'calls of this account')
    .addHelpText('after', examples('tollgate call list --account ALICE'))
    .action(
      cli.action(async (session, { account }) => {
        const calls = await (await session.ledger()).callList({ account })
        session.print(calls, () => formatTable(LIST, calls))
        if (calls.some(call => !call.supervised)) {
          session.say('No daemon supervises these calls: they are those that are not settled')
        }
      }),
    )

  noun
    .command('kill')
    .description('End a live call')
    .argument('<call-id>', 'as `call list` shows it')
    .addHelpText('after', examples('tollgate call kill 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11'))
    .action(
      cli.action(async (session, _options, call_id) => {
        const killed = await (await session.ledger()).callKill({ call_id })
        session.print(killed, () => `Ended ${call_id}`)
      }),
    )
}
