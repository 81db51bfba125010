/** How the files of the nouns write down their commands. */
import type { Command } from 'commander'
import { paint } from './colours.js'
import type { GlobalOptions, Session } from './session.js'
import { printLine, screenOf, type Terminal } from './terminal.js'

/** What a command was given besides its arguments. Checked by provisioning, not here. */
export type Options = Readonly<Record<string, unknown>>

export type Run = (session: Session, options: Options, ...args: string[]) => Promise<void>

/** Adds the commands of a noun, or the one command that it is. */
export type Define = (noun: Command, cli: Cli) => void

export class Cli {
  /** 0 done, 1 refused or not found, 2 not understood. */
  exitCode = 0

  /** @param json whether errors are for programs as well */
  constructor(
    readonly terminal: Terminal,
    readonly json = false,
  ) {}

  /** What the arguments are not, as commander says it: `error: …`, and perhaps a suggestion below. */
  sayUsage(text: string, write: (text: string) => void): void {
    const detail = text
      .replace(/^error: /, '')
      .trim()
      .replaceAll('\n', ' ')
    if (this.json) this.#sayJson('usage', detail)
    else write(this.#inRed(text))
  }

  /** Errors that have a code were made to be read; any other is a mistake of ours. */
  sayError(error: Error & { code?: unknown }): void {
    const { stderr, env } = this.terminal
    const { code, message, stack } = error
    const expected = typeof code === 'string' && !code.startsWith('ERR_')
    const detail = expected ? message : `a mistake in Tollgate: ${message}`
    if (this.json) this.#sayJson(expected ? code : 'internal', detail)
    else printLine(stderr, this.#inRed(`error: ${detail}`))
    if (!expected && env['TOLLGATE_LOG_LEVEL'] === 'debug') printLine(stderr, String(stack))
  }

  #sayJson(code: string, detail: string): void {
    printLine(this.terminal.stderr, JSON.stringify({ code, detail }))
  }

  #inRed(text: string): string {
    const { stderr, env } = this.terminal
    return screenOf(stderr, env).colours ? text.replace(/^error:/, e => paint(e, 'error')) : text
  }

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
      // Help, and what is mistyped, need not wait for all that works with the books.
      const { Session } = await import('./session.js')
      const session = new Session(
        this.terminal,
        command.optsWithGlobals<GlobalOptions>(),
        path(command),
      )
      try {
        prepare(session)
        await run(session, command.opts(), ...command.args)
        this.exitCode = session.exitCode
      } catch (error) {
        const { withSuggestion } = await import('./suggestion.js')
        throw await withSuggestion(error, session)
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

/** For what destroys or ends something: its action begins with session.confirm(). */
export function withYes(command: Command): Command {
  return command.option('--yes', 'do not ask whether it is meant; needed where nobody can be asked')
}

/** `account top-up` */
function path(command: Command): string {
  const parent = command.parent?.parent ? `${path(command.parent)} ` : ''
  return `${parent}${command.name()}`
}
