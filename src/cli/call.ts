/** `tollgate call …` */
import type { Command } from 'commander'
import type { CdrJson } from '../call/cdr.js'
import type { LiveCallJson } from '../provisioning/calls.js'
import { withActor } from './actor.js'
import { type Cli, examples, withYes } from './command.js'
import { refundCommand } from './entry.js'
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

const REFUSED: readonly Column<CdrJson>[] = [
  { head: 'time (UTC)', cell: cdr => shortTime(cdr.created_at) },
  { head: 'account', cell: cdr => cdr.account },
  { head: 'number', cell: cdr => cdr.number },
  { head: 'reason', cell: cdr => cdr.reason },
  { head: 'prefix', cell: cdr => cdr.prefix },
  { head: 'description', cell: cdr => cdr.description, flexible: true },
  { head: 'call id', cell: cdr => cdr.call_id },
]

export function callCommands(noun: Command, cli: Cli): void {
  noun
    .command('list')
    .description('List the live calls: seconds and cost so far, what is held, funded until when')
    .option('--account <code>', 'calls of this account')
    .option('--refused', 'instead, the calls that were refused last, and why')
    .addHelpText(
      'after',
      examples('tollgate call list --account ALICE', 'tollgate call list --refused'),
    )
    .action(
      cli.action(async (session, { account, refused }) => {
        if (refused) {
          const cdrs = await (await session.ledger()).cdrList({ account, outcome: 'refused' })
          return session.print(cdrs, () => formatTable(REFUSED, cdrs))
        }
        const calls = await (await session.ledger()).callList({ account })
        session.print(calls, () => formatTable(LIST, calls))
        if (calls.some(call => !call.supervised)) {
          session.say('No daemon supervises these calls: they are those that are not settled')
        }
      }),
    )

  refundCommand(noun, cli)

  withYes(withActor(noun.command('kill')))
    .description('End a live call')
    .argument('<call-id>', 'as `call list` shows it')
    .addHelpText(
      'after',
      examples(
        'tollgate call kill 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11',
        'tollgate call kill 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11 --yes',
      ),
    )
    .action(
      cli.action(async (session, { actor }, call_id) => {
        await session.confirm(async () => {
          const calls = await (await session.ledger()).callList({})
          const call = calls.find(one => one.call_id === call_id)
          return call ? `End the call of ${call.account} to ${call.number}?` : null
        })
        const killed = await (await session.ledger()).callKill({ call_id, actor })
        session.print(killed, () => `Ended ${call_id}`)
      }),
    )
}
