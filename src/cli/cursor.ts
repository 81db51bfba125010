/** What may stand where the cursor is, read from the tree of commands. */
import type { Argument, Command, Option } from 'commander'
import type { Cli } from './command.js'
import { loadNoun } from './program.js'

/** What the books or the disk know, and the tree of commands does not. */
export type BookSource = 'accounts' | 'plans' | 'calls' | 'switches' | 'users' | 'tokens'
export type Source = BookSource | 'files' | 'folders'

export interface Choice {
  readonly value: string
  readonly description: string
}

export interface Wanted {
  /** What is in front of the cursor, of the word that it is in. */
  readonly beginning: string
  /** Stands in front of every answer: `--plan=` where that is in the same word. */
  readonly kept: string
  readonly choices: readonly Choice[]
  readonly source: Source | undefined
  /** The --data of the line. */
  readonly dataDir: string | undefined
}

/** What the names of arguments and options stand for, wherever they occur. */
const ARGUMENTS: Readonly<Record<string, Source>> = {
  code: 'accounts',
  name: 'plans',
  'call-id': 'calls',
  'user-name': 'users',
  'token-name': 'tokens',
  file: 'files',
}
const OPTIONS: Readonly<Record<string, Source>> = {
  account: 'accounts',
  plan: 'plans',
  specialPlan: 'plans',
  costPlan: 'plans',
  switch: 'switches',
  data: 'folders',
  config: 'files',
}

/** These make up a word that nobody knows yet. */
const NEW = ['create']

/**
 * @param words what follows the name of the program, up to the cursor; the last one may be empty
 */
export async function wantedAt(
  program: Command,
  cli: Cli,
  words: readonly string[],
): Promise<Wanted> {
  const line = new Line(program, cli)
  for (const word of words.slice(0, -1)) await line.read(word)
  return line.wanted(words.at(-1) ?? '')
}

/** Reads word after word, as the parser would, and forgives what it would not. */
class Line {
  #command: Command
  #arguments = 0
  #optionsOver = false
  /** The option whose value comes next. */
  #open: Option | undefined
  #dataDir: string | undefined

  constructor(
    program: Command,
    readonly cli: Cli,
  ) {
    this.#command = program
  }

  async read(word: string): Promise<void> {
    if (this.#open) {
      this.#value(this.#open, word)
      this.#open = undefined
    } else if (this.#optionsOver || !word.startsWith('-')) {
      await this.#operand(word)
    } else if (word === '--') {
      this.#optionsOver = true
    } else {
      const { name, value } = split(word)
      const option = this.#option(name)
      if (option && value !== undefined) this.#value(option, value)
      else if (option && takesValue(option)) this.#open = option
    }
  }

  wanted(word: string): Wanted {
    if (this.#open) return this.#wantedValue(this.#open, word, '')
    if (!this.#optionsOver && word.startsWith('-')) {
      const { name, value } = split(word)
      const option = this.#option(name)
      if (option && value !== undefined) return this.#wantedValue(option, value, `${name}=`)
      return this.#wants({ beginning: word, choices: this.#options().map(optionChoice) })
    }
    if (this.#command.commands.length > 0) {
      // After a command that there is not, nothing can be known.
      if (this.#arguments > 0) return this.#wants({ beginning: word })
      const known = this.#command.createHelp().visibleCommands(this.#command)
      return this.#wants({ beginning: word, choices: known.map(commandChoice) })
    }
    return this.#wants({ beginning: word, ...this.#wantedArgument() })
  }

  async #operand(word: string): Promise<void> {
    const next = this.#command.commands.find(command => command.name() === word)
    if (!next) {
      this.#arguments += 1
      return
    }
    const isNoun = this.#command.parent === null
    this.#command = next
    if (isNoun) await loadNoun(next, this.cli)
  }

  #value(option: Option, value: string): void {
    if (option.attributeName() === 'data') this.#dataDir = value
  }

  #wantedArgument(): Partial<Wanted> {
    const known = this.#command.registeredArguments
    const last: Argument | undefined = known.at(-1)
    const argument = known[this.#arguments] ?? (last?.variadic ? last : undefined)
    if (!argument || NEW.includes(this.#command.name())) return {}
    return { choices: choices(argument.argChoices), source: ARGUMENTS[argument.name()] }
  }

  #wantedValue(option: Option, beginning: string, kept: string): Wanted {
    const source = OPTIONS[option.attributeName()]
    return this.#wants({ beginning, kept, choices: choices(option.argChoices), source })
  }

  #wants(wanted: Partial<Wanted>): Wanted {
    const nothing = { beginning: '', kept: '', choices: [], source: undefined }
    return { ...nothing, ...wanted, dataDir: this.#dataDir }
  }

  #option(name: string): Option | undefined {
    return this.#options().find(({ long, short }) => name === long || name === short)
  }

  /** Those of the command first, and those of the whole program. */
  #options(): Option[] {
    const help = this.#command.createHelp()
    help.showGlobalOptions = true
    return [...help.visibleOptions(this.#command), ...help.visibleGlobalOptions(this.#command)]
  }
}

/** `--plan=retail` */
function split(word: string): { name: string; value: string | undefined } {
  const at = word.indexOf('=')
  if (at === -1 || !word.startsWith('--')) return { name: word, value: undefined }
  return { name: word.slice(0, at), value: word.slice(at + 1) }
}

const takesValue = (option: Option) => option.required || option.optional

const choices = (values: readonly string[] | undefined): Choice[] =>
  (values ?? []).map(value => ({ value, description: '' }))

const commandChoice = (command: Command): Choice => ({
  value: command.name(),
  description: command.description(),
})

const optionChoice = (option: Option): Choice => ({
  value: option.long ?? option.short!,
  description: option.description,
})
