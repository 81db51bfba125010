/** Lists as CSV, for spreadsheets. */
import { stringify } from 'csv-stringify/sync'

/** A cell that a spreadsheet would run as a formula: amounts are no formulas, whatever their sign. */
const FORMULA = /^[=+@\t\r]|^-(?!\d)/

/** The names of cdrJson(), in its order. */
export const CDR_COLUMNS: readonly string[] = [
  'call_id',
  'account',
  'number',
  'prefix',
  'description',
  'plan',
  'created_at',
  'answered_at',
  'ended_at',
  'duration_s',
  'billed_s',
  'cost',
  'carrier_cost',
  'margin',
  'write_off',
  'outcome',
  'reason',
  'cause',
  'switch',
  'corrected',
]

/** The fields of the first row are the header; null is an empty cell. */
export function formatCsv(
  rows: readonly object[],
  columns: readonly string[],
  { header } = { header: true },
): string {
  const cast = { string: harmless, boolean: String }
  return stringify([...rows], { header, columns: [...columns], cast })
}

function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}
