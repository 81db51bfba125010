/** Lists as CSV, for spreadsheets. */
import { stringify } from 'csv-stringify/sync'

/** A cell that a spreadsheet would run as a formula: amounts are no formulas, whatever their sign. */
const FORMULA = /^[=+@\t\r]|^-(?!\d)/

/** The fields of the first row are the header; null is an empty cell. */
export function formatCsv(rows: readonly object[], columns: readonly string[]): string {
  const cast = { string: harmless, boolean: String }
  return stringify([...rows], { header: true, columns: [...columns], cast })
}

function harmless(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}
