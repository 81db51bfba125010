/** `tollgate account set-pin` and `tollgate account delete-pin`: what is typed with a calling card. */
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { withActor } from './actor.js'
import { type Cli, examples, withYes } from './command.js'
import { formatRecord } from './terminal.js'

export function pinCommands(noun: Command, cli: Cli): void {
  withActor(noun.command('set-pin'))
    .description('Give an account a PIN for its calling card: generated, and shown once, or given')
    .argument('<code>')
    .option('--pin <digits>', '4 to 12 digits; - reads them from standard input')
    .addHelpText('after', examples('tollgate account set-pin ALICE'))
    .action(
      cli.action(async (session, options, code) => {
        const given = options['pin']
        const pin = given === '-' ? (await text(session.terminal.stdin)).trim() : given
        const set = await (await session.access()).cards.set({ code, pin, actor: options['actor'] })
        session.print(set, ({ generated_pin }) =>
          generated_pin === null
            ? `The PIN of ${code} is set`
            : formatRecord({ account: code, pin: `${generated_pin} (it is not shown again)` }),
        )
      }),
    )

  withYes(withActor(noun.command('delete-pin')))
    .description('Take the PIN of an account away: its card is good for nothing then')
    .argument('<code>')
    .addHelpText('after', examples('tollgate account delete-pin ALICE'))
    .action(
      cli.action(async (session, { actor }, code) => {
        await session.confirm(async () => `Take the PIN of ${code} away?`)
        const done = await (await session.access()).cards.delete({ code, actor })
        session.print(done, () => `${code} has no PIN any more`)
      }),
    )
}
