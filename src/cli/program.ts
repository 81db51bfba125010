/**
 * The tree of commands. A noun's file is read when the noun is used: `tollgate --help` and a quick
 * command do not wait for the rest.
 */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { paint } from './colours.js'
import { type Cli, type Define, examples } from './command.js'
import { screenOf } from './terminal.js'

interface Noun {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Define>
  /** Of a noun with verbs, which have examples of their own. */
  readonly example?: string
}

/** In the order of the help. */
const NOUNS: readonly Noun[] = [
  {
    name: 'run',
    summary: 'run the daemon: supervise the calls of the switches',
    load: async () => (await import('./run.js')).runCommand,
  },
  {
    name: 'ping',
    summary: 'ask whether the daemon answers',
    load: async () => (await import('./ping.js')).pingCommand,
  },
  {
    name: 'demo',
    summary: 'see it at work, with a simulated switch',
    load: async () => (await import('./demo.js')).demoCommand,
  },
  {
    name: 'account',
    summary: 'accounts and their credit',
    example: 'tollgate account show ALICE',
    load: async () => (await import('./account.js')).accountCommands,
  },
  {
    name: 'sip-account',
    summary: 'who may register with a switch, and whose credit they call on',
    example: 'tollgate sip-account list --account ALICE',
    load: async () => (await import('./sip-account.js')).sipAccountCommands,
  },
  {
    name: 'plan',
    summary: 'rate plans',
    example: 'tollgate plan list',
    load: async () => (await import('./plan.js')).planCommands,
  },
  {
    name: 'rate',
    summary: 'the rates of a plan',
    example: 'tollgate rate list --plan retail',
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
    example: 'tollgate call list',
    load: async () => (await import('./call.js')).callCommands,
  },
  {
    name: 'switch',
    summary: 'the switches, and how they are connected',
    example: 'tollgate switch list',
    load: async () => (await import('./switch.js')).switchCommands,
  },
  {
    name: 'cdr',
    summary: 'ended calls',
    example: 'tollgate cdr list --account ALICE',
    load: async () => (await import('./cdr.js')).cdrCommands,
  },
  {
    name: 'audit',
    summary: 'who changed what',
    example: 'tollgate audit list',
    load: async () => (await import('./audit.js')).auditCommands,
  },
  {
    name: 'doctor',
    summary: 'examine the switches: what is missing, and the line to add',
    load: async () => (await import('./doctor.js')).doctorCommand,
  },
  {
    name: 'user',
    summary: 'who may log in to the portal',
    example: 'tollgate user create anna --role admin',
    load: async () => (await import('./user.js')).userCommands,
  },
  {
    name: 'token',
    summary: 'with what programs come to the API',
    example: 'tollgate token list',
    load: async () => (await import('./token.js')).tokenCommands,
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
  {
    name: 'completion',
    summary: 'have the shell complete commands, options, accounts and plans',
    load: async () => (await import('./completion.js')).completionCommands,
  },
]

/** Longer lines are hard to read, and narrower columns harder. */
const HELP_WIDTH_MAX = 100
const HELP_TEXT_MIN = 20

export function createProgram(cli: Cli): Command {
  const { stdout, stderr, env } = cli.terminal
  const [out, err] = [screenOf(stdout, env), screenOf(stderr, env)]
  const tollgate = new Command('tollgate')
    .description('Prepaid call control for FreeSWITCH')
    .version(version())
    .option('--data <dir>', 'the data directory (default: TOLLGATE_DATA, or ./data)')
    .option('--config <file>', 'the configuration (default: tollgate.toml in the data directory)')
    .option('--json', 'print for programs')
    .helpCommand(false)
    .configureHelp({
      showGlobalOptions: true,
      minWidthToWrap: HELP_TEXT_MIN,
      styleTitle: title => paint(title, 'head'),
    })
    .configureOutput({
      writeOut: text => stdout.write(text),
      writeErr: text => stderr.write(text),
      getOutHelpWidth: () => Math.min(out.columns, HELP_WIDTH_MAX),
      getErrHelpWidth: () => Math.min(err.columns, HELP_WIDTH_MAX),
      getOutHasColors: () => out.colours,
      getErrHasColors: () => err.colours,
      outputError: (text, write) => cli.sayUsage(text, write),
    })
    .exitOverride()
    .addHelpText('after', examples('tollgate account --help', 'tollgate call list'))
  for (const { name, summary } of NOUNS) tollgate.command(name).description(summary)
  tollgate.hook('preSubcommand', (_program, noun) => loadNoun(noun, cli))
  return tollgate
}

/** Gives a noun its commands. May be repeated. */
export async function loadNoun(noun: Command, cli: Cli): Promise<void> {
  if (loaded.has(noun)) return
  loaded.add(noun)
  const { load, example } = NOUNS.find(({ name }) => name === noun.name())!
  const define = await load()
  define(noun, cli)
  if (example) noun.addHelpText('after', examples(example))
}

const loaded = new WeakSet<Command>()

/** The version of the package, from wherever this file has been compiled to. */
function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
