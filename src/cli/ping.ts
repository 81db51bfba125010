/** `tollgate ping`: for whoever watches over the daemon. */
import type { Command } from 'commander'
import { ApiError } from '../http/api-error.js'
import { type Cli, examples } from './command.js'
import type { Session } from './session.js'

export function pingCommand(command: Command, cli: Cli): void {
  command
    .addHelpText('after', examples('tollgate ping && echo it is well'))
    .action(cli.action(ping))
}

async function ping(session: Session): Promise<void> {
  const daemon = await session.daemon()
  if (!daemon) throw new ApiError('not_running', `No daemon runs on ${session.dataDir}`)
  // It has to read its ledger for this.
  await daemon.accountList({ limit: 1 })
  session.print({ running: true }, () => 'The daemon answers')
}
