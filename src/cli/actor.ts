/** Who gives a command, for the books and the record of changes. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'

export function withActor(command: Command): Command {
  return command.option('--actor <who>', 'who does this, for the books', actor())
}

function actor(): string {
  try {
    return `cli:${userInfo().username}`
  } catch {
    // A user id without a name, as in many containers.
    return `cli:${process.getuid?.() ?? 'unknown'}`
  }
}
