/** `tollgate verify` */
import type { Command } from 'commander'
import { type VerificationJson, verify } from '../provisioning/verify.js'
import { type Cli, examples } from './command.js'
import { below, type Drawing, formatRecord } from './terminal.js'

export function verifyCommand(command: Command, cli: Cli): void {
  command.addHelpText('after', examples('tollgate verify && echo all is well')).action(
    cli.action(async session => {
      const found = await verify(await session.auditor())
      session.print(found, report)
      if (!found.ok) session.exitCode = 1
    }),
  )
}

function report(found: VerificationJson): Drawing {
  const counts = formatRecord({
    accounts: found.accounts,
    entries: found.entries,
    cdrs: found.cdrs,
    'open calls': found.open_calls,
    'write-offs': found.write_offs,
  })
  const end = found.ok ? ['Everything adds up'] : found.problems
  return below(counts, ...end)
}
