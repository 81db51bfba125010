/** How the files of the nouns write down their commands. */
import type { Command } from 'commander'
import { type GlobalOptions, Session } from './session.js'
import type { Terminal } from './terminal.js'

/** What a command was given besides its arguments. Checked by provisioning, not here. */
export type Options = Readonly<Record<string, unknown>>

export type Run = (session: Session, options: Options, ...args: string[]) => Promise<void>

/** Adds the commands of a noun, or the one command that it is. */
export type Define = (noun: Command, cli: Cli) => void

export class Cli {
  /** 0 done, 1 refused or not found, 2 not understood. */
  exitCode = 0

  constructor(readonly terminal: Terminal) {}

  /** For a command that needs no data directory. */
  actionWithoutBooks(run: Run) {
    return this.#action(run, () => {})
  }

  /** @param mayCreate whether the command makes a data directory where there is none */
  action(run: Run, { mayCreate = false } = {}) {
    return this.#action(run, session => session.prepare(mayCreate))
  }

  #action(run: Run, prepare: (session: Session) => void) {
    return async (...given: unknown[]) => {
      const command = given.at(-1) as Command
      const session = new Session(
        this.terminal,
        command.optsWithGlobals<GlobalOptions>(),
        path(command),
      )
      try {
        prepare(session)
        await run(session, command.opts(), ...command.args)
        this.exitCode = session.exitCode
      } finally {
        session.close()
      }
    }
  }
}

/** The end of a command's help. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map(line => `  ${line}`).join('\n')}`
}

/** `account top-up` */
function path(command: Command): string {
  const parent = command.parent?.parent ? `${path(command.parent)} ` : ''
  return `${parent}${command.name()}`
}
