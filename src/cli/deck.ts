/** `tollgate rate import` and `tollgate rate export`: decks in and out. */
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { BookError } from '../ledger/books.js'
import type { BadLine } from '../provisioning/deck-file.js'
import { BadDeck, type ChangeJson, type ImportJson } from '../provisioning/decks.js'
import type { RateJson } from '../provisioning/rate-fields.js'
import { withActor } from './actor.js'
import { type Cli, examples, type Options, withYes } from './command.js'
import { withProgress } from './progress.js'
import type { Session } from './session.js'
import { below, type Column, countOf, type Drawing, formatRecord, formatTable } from './terminal.js'

/** Bad lines that are shown to people; a program gets all of them. */
const BAD_LINES_SHOWN = 50

/** The largest changes that are shown to people. */
const CHANGES_SHOWN = 20

/** Bytes that are read at a time. */
const CHUNK = 256 * 1024

const priceOf = (rate: RateJson | null) =>
  rate === null ? null : rate.blocked ? 'blocked' : rate.per_minute

const CHANGES: readonly Column<ChangeJson>[] = [
  { head: 'prefix', cell: change => change.prefix },
  { head: 'description', cell: change => change.description, flexible: true },
  { head: 'period', cell: change => change.period || null },
  { head: 'from', cell: change => change.from?.slice(0, 16).replace('T', ' ') ?? null },
  { head: 'before', cell: change => priceOf(change.before), right: true },
  { head: 'after', cell: change => priceOf(change.after), right: true },
  { head: 'difference', cell: change => change.difference, right: true },
  { head: '%', cell: change => change.percent, right: true },
]

export function deckCommands(
  noun: Command,
  cli: Cli,
  ofOwner: (command: Command) => Command,
): void {
  withActor(withYes(ofOwner(noun.command('import'))))
    .description('Read a deck into a plan: all of it, or nothing where a line is bad')
    .argument('<file>', 'CSV with a header, as carriers send it; - reads standard input')
    .option('--dry-run', 'change nothing, and show what would change')
    .option('--merge', 'rates that are not in the deck stay: this is so unless --replace is given')
    .option('--replace', 'rates that are not in the deck go')
    .option(
      '--effective <time>',
      'when rates begin whose line does not say, like 2026-12-01T00:00Z',
    )
    .option('--map <columns>', 'what columns are, like "Dial Code=prefix,Our Price=per_minute"')
    .option('--date-format <format>', 'dd/mm/yyyy or mm/dd/yyyy, where dates are not ISO')
    .option('--decimal-comma', 'prices are written like 0,05')
    .option('--skip-bad', 'import the good lines of a deck that has bad ones')
    .addHelpText(
      'after',
      examples(
        'tollgate rate import deck.csv --plan retail --dry-run',
        'tollgate rate import deck.csv --plan retail --replace --effective 2026-12-01T00:00Z --yes',
        'tollgate rate import carrier.csv --plan cost --map "Ziel=description,Preis=per_minute" --decimal-comma',
        'tollgate rate export --plan retail | tollgate rate import - --plan copy',
      ),
    )
    .action(cli.action((session, options, file) => importFile(session, options, file)))

  ofOwner(noun.command('export'))
    .description('Write the rates of a plan as a deck that `rate import` reads: CSV, never JSON')
    .addHelpText('after', examples('tollgate rate export --plan retail > deck.csv'))
    .action(
      cli.action(async (session, { plan, account }) => {
        session.refuseJson('A deck is CSV: for JSON there is `rate list --json`')
        const rates = await session.rates()
        const lines = Readable.from(rates.rateExport({ plan, account }))
        await pipeline(lines, session.terminal.stdout, { end: false })
      }),
    )
}

async function importFile(session: Session, options: Options, file: string): Promise<void> {
  const { plan, account, replace, merge, dryRun, effective, actor } = options
  if (replace && merge) throw new BookError('bad_input', 'Say either --replace or --merge')
  if (replace && !dryRun) {
    await session.confirm(async () => {
      const { name, rates } = await (await session.rates()).planOf({ plan, account })
      const when = effective === undefined ? '' : ` from ${effective} on`
      return rates === 0
        ? null
        : `Replace the ${countOf(rates, 'rate')} of the plan ${name} by those of ${file}${when}?`
    })
  }
  const input = {
    ...{ plan, account, mode: replace ? 'replace' : 'merge', effective, actor },
    map: options['map'],
    date_format: options['dateFormat'],
    decimal_comma: options['decimalComma'],
    skip_bad: options['skipBad'],
    dry_run: dryRun,
    source: file,
  }
  try {
    const rates = await session.rates()
    const done = await read(session, file, source => rates.rateImport(source, input))
    sayBadLines(session, done.bad_lines)
    sayNotes(session, done)
    session.print(done, summary)
  } catch (error) {
    if (error instanceof BadDeck) sayBadLines(session, error.badLines)
    throw error
  }
}

/** Opens the file, or standard input, with a bar that shows how far it is read. */
async function read<T>(
  session: Session,
  file: string,
  use: (source: AsyncIterable<Uint8Array | string>) => Promise<T>,
): Promise<T> {
  const { terminal } = session
  if (file === '-') return withProgress(terminal, terminal.stdin, 0, use)
  const opened = await openDeck(file)
  try {
    const { size } = await opened.stat()
    const stream = opened.createReadStream({ highWaterMark: CHUNK, autoClose: false })
    return await withProgress(terminal, stream, size, use)
  } finally {
    await opened.close()
  }
}

async function openDeck(file: string): Promise<FileHandle> {
  const cannot = (why: string) => new BookError('bad_input', `${file} cannot be read: ${why}`)
  let opened: FileHandle
  try {
    opened = await open(file)
  } catch (error) {
    const trouble = FILE_TROUBLE[(error as NodeJS.ErrnoException).code ?? '']
    throw trouble ? cannot(trouble) : error
  }
  if (!(await opened.stat()).isDirectory()) return opened
  await opened.close()
  throw cannot('it is a folder')
}

const FILE_TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
}

function sayBadLines(session: Session, lines: readonly BadLine[]): void {
  const shown = session.json ? lines : lines.slice(0, BAD_LINES_SHOWN)
  for (const line of shown) session.sayBadLine(line)
  const rest = lines.length - shown.length
  if (rest > 0) session.say(`… and ${countOf(rest, 'more bad line')}: --json shows all`)
}

function sayNotes(session: Session, { ignored_columns, first_foreign_line }: ImportJson): void {
  if (session.json) return
  if (ignored_columns.length > 0) {
    const names = ignored_columns.map(name => JSON.stringify(name)).join(', ')
    session.say(`Left out, because no rate has it: ${names}`)
  }
  if (first_foreign_line !== null) {
    session.say(
      `Line ${first_foreign_line} is not UTF-8: lines like it were read as Windows-1252 (Latin-1)`,
    )
  }
}

function summary(done: ImportJson): Drawing {
  const { plan, rates, dry_run, bad_lines, largest } = done
  const count = countOf(rates, 'rate')
  const skipped = bad_lines.length === 0 ? '' : `, without ${countOf(bad_lines.length, 'bad line')}`
  const head = dry_run
    ? `Nothing was changed. ${count}${skipped} would change ${plan} so:`
    : `Imported ${count} into ${plan}${skipped}`
  const counts = formatRecord({
    added: done.added,
    removed: done.removed,
    dearer: done.dearer,
    cheaper: done.cheaper,
    otherwise: done.otherwise,
    same: done.same,
  })
  if (largest.length === 0) return below(head, counts)
  const table = formatTable(CHANGES, largest.slice(0, CHANGES_SHOWN))
  return below(head, counts, '', table)
}
