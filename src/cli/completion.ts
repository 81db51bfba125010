/**
 * `tollgate completion …`: a script for the shell, which asks `tollgate completion answer` at every
 * press of the key. So the script never ages: commands, options and books are those of the moment.
 */
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { type Cli, examples } from './command.js'
import { SHELLS } from './completion-scripts.js'
import { type BookSource, type Wanted, wantedAt } from './cursor.js'
import { printLine } from './terminal.js'

export function completionCommands(noun: Command, cli: Cli): void {
  const installs = SHELLS.map(({ name, install }) => `  ${name}:  ${install}`)
  noun.addHelpText(
    'after',
    `${examples(...SHELLS.map(({ example }) => example))}\n\nTo have it in every shell:\n${installs.join('\n')}`,
  )
  for (const { name, script, install, example } of SHELLS) {
    noun
      .command(name)
      .description(`Print the script for ${name}`)
      .addHelpText('after', `${examples(example)}\n\nTo have it in every shell:\n  ${install}`)
      .action(
        cli.actionWithoutBooks(async session => {
          session.refuseJson('A script is no JSON')
          session.terminal.stdout.write(script)
        }),
      )
  }
  noun
    .command('answer', { hidden: true })
    .description('Say what may follow the words on standard input, one a line: for the scripts')
    .addHelpText('after', examples("printf '%s\\n' account show A | tollgate completion answer"))
    .action(async () => {
      const { stdin, stdout, env } = cli.terminal
      const words = unsplit((await text(stdin)).split('\n').slice(0, -1))
      const wanted = await wantedAt(noun.parent!, cli, words)
      for (const line of await answers(wanted, env)) printLine(stdout, line)
    })
}

/** Bash makes three words of `--plan=retail`; two say the same. */
function unsplit(words: readonly string[]): string[] {
  const rest = words.filter(word => word !== '=')
  return words.at(-1) === '=' ? [...rest, ''] : rest
}

/** A value and its description a line, with a tab between; or `:files`, which the shell knows itself. */
async function answers(wanted: Wanted, env: NodeJS.ProcessEnv): Promise<string[]> {
  const { source, beginning, kept } = wanted
  if (source === 'files' || source === 'folders') return [`:${source}`]
  const choices = source ? await fromBooks(source, wanted, env) : wanted.choices
  return choices
    .filter(({ value }) => value.startsWith(beginning))
    .map(({ value, description }) => `${kept}${value}\t${description}`)
}

/** Only where names are wanted does anybody wait for the books. */
async function fromBooks(source: BookSource, wanted: Wanted, env: NodeJS.ProcessEnv) {
  const { namesIn } = await import('./completion-books.js')
  return namesIn(source, wanted, env)
}
