/**
 * The program `tollgate`. A noun's file is read when the noun is used: `tollgate --help` and a quick
 * command do not wait for the rest.
 */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { Cli, type Define, examples } from './command.js'
import { printLine, type Terminal } from './terminal.js'

interface Noun {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Define>
}

/** In the order of the help. */
const NOUNS: readonly Noun[] = [
  {
    name: 'run',
    summary: 'run the daemon: supervise the calls of the switches',
    load: async () => (await import('./run.js')).runCommand,
  },
  {
    name: 'demo',
    summary: 'see it at work, with a simulated switch',
    load: async () => (await import('./demo.js')).demoCommand,
  },
  {
    name: 'account',
    summary: 'accounts and their credit',
    load: async () => (await import('./account.js')).accountCommands,
  },
  {
    name: 'plan',
    summary: 'rate plans',
    load: async () => (await import('./plan.js')).planCommands,
  },
  {
    name: 'rate',
    summary: 'the rates of a plan',
    load: async () => (await import('./rate.js')).rateCommands,
  },
  {
    name: 'quote',
    summary: 'what a call would cost, and why',
    load: async () => (await import('./quote.js')).quoteCommand,
  },
  {
    name: 'call',
    summary: 'live calls',
    load: async () => (await import('./call.js')).callCommands,
  },
  {
    name: 'cdr',
    summary: 'ended calls',
    load: async () => (await import('./cdr.js')).cdrCommands,
  },
  {
    name: 'verify',
    summary: 'recompute all balances from the entries',
    load: async () => (await import('./verify.js')).verifyCommand,
  },
  {
    name: 'selftest',
    summary: 'put the promise to the test, with faults of all kinds',
    load: async () => (await import('./selftest.js')).selftestCommand,
  },
  {
    name: 'record',
    summary: 'write down what a switch sends',
    load: async () => (await import('./record.js')).recordCommand,
  },
  {
    name: 'replay',
    summary: 'play a recording through the rules',
    load: async () => (await import('./replay.js')).replayCommand,
  },
]

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
  const cli = new Cli(terminal)
  try {
    await program(cli).parseAsync(args, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    report(error as Error, terminal)
    return 1
  }
}

function program(cli: Cli): Command {
  const { stdout, stderr } = cli.terminal
  const tollgate = new Command('tollgate')
    .description('Prepaid call control for FreeSWITCH')
    .version(version())
    .option('--data <dir>', 'the data directory (default: TOLLGATE_DATA, or ./data)')
    .option('--config <file>', 'the configuration (default: tollgate.toml in the data directory)')
    .option('--json', 'print for programs')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: text => stdout.write(text), writeErr: text => stderr.write(text) })
    .exitOverride()
    .addHelpText('after', examples('tollgate account --help', 'tollgate call list'))
  for (const { name, summary } of NOUNS) tollgate.command(name).description(summary)
  tollgate.hook('preSubcommand', async (_program, noun) => {
    const define = await NOUNS.find(({ name }) => name === noun.name())!.load()
    define(noun, cli)
  })
  return tollgate
}

/** The version of the package, from wherever this file has been compiled to. */
function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

/** Errors that have a code were made to be read; any other is a mistake of ours. */
function report(error: Error & { code?: unknown }, { stderr, env }: Terminal): void {
  const expected = typeof error.code === 'string' && !error.code.startsWith('ERR_')
  printLine(stderr, `error: ${expected ? '' : 'a mistake in Tollgate: '}${error.message}`)
  if (!expected && env['TOLLGATE_LOG_LEVEL'] === 'debug') printLine(stderr, String(error.stack))
}
