/** `tollgate cdr import`, and what is found by it: `cdr unseen`, `cdr charge` and `cdr dismiss`. */
import type { Command } from 'commander'
import type { CdrJson } from '../call/cdr.js'
import type { UnseenJson } from '../provisioning/unseen.js'
import { withActor } from './actor.js'
import { type Cli, examples, withYes } from './command.js'
import { importFolder } from './record-files.js'
import { type Column, formatRecord, formatTable, shortTime } from './terminal.js'

const UNSEEN: readonly Column<UnseenJson>[] = [
  { head: 'ended (UTC)', cell: call => shortTime(call.ended_at) },
  { head: 'account', cell: call => call.account },
  { head: 'number', cell: call => call.number },
  { head: 'duration (s)', cell: call => call.duration_s, right: true },
  { head: 'cause', cell: call => call.cause },
  { head: 'switch', cell: call => call.switch },
  { head: 'state', cell: call => call.state },
  { head: 'by', cell: call => call.decided_by },
  { head: 'call id', cell: call => call.call_id },
]

export function unseenCommands(noun: Command, cli: Cli): void {
  importCommand(noun, cli)
  listCommand(noun, cli)
  chargeCommand(noun, cli)
  dismissCommand(noun, cli)
}

function importCommand(noun: Command, cli: Cli): void {
  noun
    .command('import')
    .description('Take in the records that mod_json_cdr has left in its err-log-dir')
    .argument('<dir>', 'the folder with its *.cdr.json files')
    .option('--keep', 'leave the files where they are, instead of moving them to <dir>/done')
    .addHelpText(
      'after',
      examples(
        'tollgate cdr import /var/log/freeswitch/json_cdr',
        'tollgate cdr import ./copied --keep --json',
      ),
    )
    .action(
      cli.action(async (session, { keep }, dir) => {
        const ledger = await session.ledger()
        const result = await importFolder(dir, keep === true, ledger.recordImport)
        for (const { file, reason } of result.problems) session.say(`${file}: ${reason}`)
        session.print(result, ({ files, taken, outcomes }) =>
          formatRecord({ files, taken, ...outcomes }),
        )
        if (result.problems.length > 0) session.exitCode = 1
      }),
    )
}

function listCommand(noun: Command, cli: Cli): void {
  noun
    .command('unseen')
    .description('List calls that nobody saw, and that somebody has to pay for')
    .option('--account <code>', 'calls of this account')
    .option('--state <state>', 'open, waiting, charged or dismissed (default: open)')
    .option('--limit <n>', 'no more than this many (default: 100)')
    .addHelpText('after', examples('tollgate cdr unseen', 'tollgate cdr unseen --state charged'))
    .action(
      cli.action(async (session, { account, state, limit }) => {
        const calls = await (await session.ledger()).unseenList({ account, state, limit })
        session.print(calls, () => formatTable(UNSEEN, calls))
      }),
    )
}

function chargeCommand(noun: Command, cli: Cli): void {
  withYes(withActor(noun.command('charge')))
    .description('Charge a call that nobody saw, as far as the account has credit')
    .argument('<call-id>', 'as `cdr unseen` shows it')
    .option('--reason <text>', 'for the record of changes')
    .addHelpText(
      'after',
      examples('tollgate cdr charge 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11 --yes'),
    )
    .action(
      cli.action(async (session, { actor, reason }, call_id) => {
        await session.confirm(async () => {
          const call = (await (await session.ledger()).unseenList({ limit: 1_000_000 })).find(
            one => one.call_id === call_id,
          )
          return call ? `Charge ${call.account} for ${call.duration_s} s to ${call.number}?` : null
        })
        const cdr = await (await session.ledger()).unseenCharge({ call_id, actor, reason })
        session.print(cdr, charged)
      }),
    )
}

function dismissCommand(noun: Command, cli: Cli): void {
  withActor(noun.command('dismiss'))
    .description('Take a call that nobody saw from the list, and charge nobody for it')
    .argument('<call-id>', 'as `cdr unseen` shows it')
    .requiredOption('--reason <text>', 'why, for the record of changes')
    .addHelpText(
      'after',
      examples('tollgate cdr dismiss 5e2c5f0c-7a0e-4c0c-9a0e-2f1f4b0f3a11 --reason "a test call"'),
    )
    .action(
      cli.action(async (session, { actor, reason }, call_id) => {
        const call = await (await session.ledger()).unseenDismiss({ call_id, actor, reason })
        session.print(call, () => `Dismissed ${call_id}`)
      }),
    )
}

function charged(cdr: CdrJson) {
  return formatRecord({
    account: cdr.account,
    number: cdr.number,
    'billed (s)': cdr.billed_s,
    cost: cdr.cost,
    'write-off': cdr.write_off,
  })
}
