/** Where a command reads from and prints to. Tests have their own. */
import type { Readable, Writable } from 'node:stream'
import Table from 'cli-table3'

export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly env: NodeJS.ProcessEnv
}

export function printLine(out: Writable, line: string): void {
  out.write(`${line}\n`)
}

/** A column of a table, and how to get it from a row. Columns of figures are set to the right. */
export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => string | number | null
  readonly right?: boolean
}

/** Plain columns, two spaces apart: to be read, and to be cut by other programs. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    ...PLAIN,
  })
  for (const row of rows) table.push(columns.map(({ cell }) => shown(cell(row))))
  return trimmed(table.toString())
}

/** One thing: a name and a value a line. */
export function formatRecord(fields: Readonly<Record<string, string | number | null>>): string {
  const table = new Table(PLAIN)
  for (const [name, value] of Object.entries(fields)) table.push([name, shown(value)])
  return trimmed(table.toString())
}

/** `2026-11-23 01:42:35`, UTC: a table has no room for microseconds. */
export function shortTime(at: string | null): string {
  return at === null ? '-' : at.slice(0, 19).replace('T', ' ')
}

const shown = (value: string | number | null) => (value === null ? '-' : String(value))

const trimmed = (text: string) => text.replace(/ +$/gm, '')

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
  chars: { ...Object.fromEntries(EDGES.map(edge => [edge, ''])), middle: '  ' },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
}
