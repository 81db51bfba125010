/** Where a command reads from and prints to, and tables that fit into it. Tests have their own. */
import type { Readable, Writable } from 'node:stream'
import Table from 'cli-table3'
import { paint, paintAmount, paintState, showsColours } from './colours.js'
import { fit, widthOf } from './text-width.js'

export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly env: NodeJS.ProcessEnv
}

export function printLine(out: Writable, line: string): void {
  out.write(`${line}\n`)
}

/** What a drawing has to fit into. */
export interface Screen {
  /** Infinity where nobody looks: pipes and files get the whole text. */
  readonly columns: number
  readonly colours: boolean
}

/** Text whose width and colours depend on where it is shown. */
export type Drawing = (screen: Screen) => string

/** Whether a person sits there. */
export const isTty = (stream: object) => (stream as { isTTY?: boolean }).isTTY === true

export function screenOf(out: Writable, env: NodeJS.ProcessEnv): Screen {
  const { columns } = out as { columns?: number }
  // Some terminals, such as those of a CI, say that they have no columns at all.
  return {
    columns: isTty(out) && columns ? columns : Infinity,
    colours: showsColours(isTty(out), env),
  }
}

/** A column of a table, and how to get it from a row. */
export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => string | number | null
  /** For figures. */
  readonly right?: boolean
  /** Text that may be cut where the terminal is narrow: never what people copy or add up. */
  readonly flexible?: boolean
  /** Has the colour of the state that it names. */
  readonly state?: boolean
}

/** Columns of text are not cut further than this: less would tell nothing. */
const FLEXIBLE_MIN = 8

const GAP = '  '

/**
 * Plain columns, two spaces apart: to be read, and to be cut by other programs. Where the terminal is
 * too narrow, text is cut; where that is not enough, each row becomes a record.
 */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Drawing {
  return screen => {
    const heads = columns.map(({ head }) => (screen.colours ? paint(head, 'head') : head))
    const cells = rows.map(row => columns.map(column => cellOf(column, row, screen)))
    const lines = [heads, ...cells]
    const natural = naturalWidths(lines)
    const widths = screen.columns === Infinity ? natural : fitted(columns, natural, screen.columns)
    if (!widths) return formatRows(columns, rows)(screen)
    const line = (texts: readonly string[]) =>
      columns
        .map(({ right }, i) => fit(texts[i]!, widths[i]!, right))
        .join(GAP)
        .trimEnd()
    return lines.map(line).join('\n')
  }
}

type Fields = Readonly<Record<string, string | number | null>>

/** One thing: a name and a value a line. Long values are wrapped, but never cut. */
export function formatRecord(fields: Fields): Drawing {
  return screen => {
    const lines = Object.entries(fields).map(([name, value]) => {
      const text = shown(value)
      if (!screen.colours) return [name, text]
      return [paint(name, 'name'), name === 'state' ? paintState(text) : paintAmount(text)]
    })
    const [nameWidth = 0, valueWidth = 0] = naturalWidths(lines)
    const room = screen.columns - nameWidth - GAP.length
    // What has no spaces is left to the terminal to wrap: so it can still be copied.
    const words = lines.flatMap(([, value]) => value!.split(' ')).map(word => [word])
    const isWrapped = valueWidth > room && (naturalWidths(words)[0] ?? 0) <= room
    if (isWrapped) return wrapped(lines, [nameWidth, room])
    return lines
      .map(([name, value]) => `${fit(name!, nameWidth)}${GAP}${value}`.trimEnd())
      .join('\n')
  }
}

/** Drawings below each other. */
export function below(...parts: readonly (string | Drawing)[]): Drawing {
  return screen => parts.map(part => drawnOn(screen, part)).join('\n')
}

export function drawnOn(screen: Screen, part: string | Drawing): string {
  return typeof part === 'string' ? part : part(screen)
}

/** `12,345 rates` */
export function countOf(n: number, one: string): string {
  return `${n.toLocaleString('en-US')} ${one}${n === 1 ? '' : 's'}`
}

/** `2026-11-23 01:42:35`, UTC: a table has no room for microseconds. */
export function shortTime(at: string | null): string {
  return at === null ? '-' : at.slice(0, 19).replace('T', ' ')
}

function cellOf<Row>(column: Column<Row>, row: Row, { colours }: Screen): string {
  const text = shown(column.cell(row))
  if (!colours) return text
  if (column.state) return paintState(text)
  return column.right ? paintAmount(text) : text
}

/** A table turned on its side, with a line between its rows. */
function formatRows<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Drawing {
  const records = rows.map(row =>
    formatRecord(Object.fromEntries(columns.map(({ head, cell }) => [head, cell(row)]))),
  )
  return screen => records.map(record => record(screen)).join('\n\n')
}

/** The widths with which a table fits; null where no cutting of text is enough. */
function fitted<Row>(
  columns: readonly Column<Row>[],
  natural: readonly number[],
  screenColumns: number,
): number[] | null {
  const gaps = GAP.length * (columns.length - 1)
  let surplus = natural.reduce((sum, width) => sum + width, gaps) - screenColumns
  const widths = [...natural]
  // The widest gives way first, a step at a time, so that several long ones end up alike.
  while (surplus > 0) {
    const widest = columns.reduce((best, { flexible }, i) => {
      return flexible && widths[i]! > (widths[best] ?? FLEXIBLE_MIN) ? i : best
    }, -1)
    if (widest === -1) return null
    widths[widest]! -= 1
    surplus -= 1
  }
  return widths
}

/** How wide each column is by itself. */
function naturalWidths(lines: readonly (readonly string[])[]): number[] {
  const widths: number[] = []
  for (const line of lines) {
    for (const [i, text] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(text))
  }
  return widths
}

function wrapped(lines: readonly (readonly string[])[], colWidths: number[]): string {
  const table = new Table({ ...PLAIN, colWidths, wordWrap: true })
  table.push(...lines.map(line => [...line]))
  return table.toString().replace(/ +$/gm, '')
}

const shown = (value: string | number | null) => (value === null ? '-' : String(value))

const EDGES = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
] as const

const PLAIN = {
  chars: { ...Object.fromEntries(EDGES.map(edge => [edge, ''])), middle: GAP },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
}
