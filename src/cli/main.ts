/** The program `tollgate`, from its arguments to its exit code. */
import { CommanderError } from 'commander'
import { Cli } from './command.js'
import { createProgram } from './program.js'
import type { Terminal } from './terminal.js'

/** @param argv as in process.argv */
export async function main(argv: readonly string[]): Promise<void> {
  // Who reads us, such as `head`, may have enough before we are done.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  process.exitCode = await run(argv.slice(2), process)
}

/** Runs one command to its end; resolves to the exit code, and prints any error as a sentence. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const cli = new Cli(terminal, wantsJson(args))
  try {
    await createProgram(cli).parseAsync(args, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    cli.sayError(error as Error)
    return 1
  }
}

/** Known before the arguments have been understood, for where they cannot be. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).includes('--json')
}
