/** Decks in and out of plans: what an import is asked for, and what it tells. */
import { z } from 'zod'
import { formatInstant } from '../call/cdr.js'
import { BookError } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import type { DeckChanges, Plan, RateChange, Rates } from '../ledger/rates.js'
import { formatMoney, type Money } from '../money.js'
import { formatDeck } from '../rating/deck.js'
import { DATE_FORMATS } from '../rating/deck-cells.js'
import { parseColumnMap } from '../rating/deck-header.js'
import type { ListedRate } from '../rating/listed-rate.js'
import { type BadLine, DeckFile } from './deck-file.js'
import { actor, instant, oneOf, words } from './fields.js'
import { asBookError } from './rate-editing.js'
import { owner, type RateJson, rateJson } from './rate-fields.js'
import type { TextSource } from './text-lines.js'

export const importInput = z.strictObject({
  ...owner,
  mode: oneOf('The mode', ['replace', 'merge']).optional(),
  /** When rates begin whose line does not say, and those end that a replacing deck has not. */
  effective: instant('The effective time').optional(),
  /** `Dial Code=prefix,Our Price=per_minute` */
  map: words('The map of columns', 2_000).optional(),
  date_format: oneOf('The date format', DATE_FORMATS).optional(),
  decimal_comma: z.boolean().optional(),
  skip_bad: z.boolean().optional(),
  dry_run: z.boolean().optional(),
  /** For the audit: the name of the file. */
  source: words('The source', 1_000).optional(),
  actor,
})

export const exportInput = z.strictObject(owner)

export interface ImportJson {
  plan: string
  mode: 'replace' | 'merge'
  dry_run: boolean
  effective: string | null
  /** How many rates the deck has, bad lines apart. */
  rates: number
  added: number
  removed: number
  dearer: number
  cheaper: number
  /** With the same price per minute, but other steps, setup, times or words. */
  otherwise: number
  same: number
  /** The largest changes of the price per minute first. */
  largest: ChangeJson[]
  /** What was left out. */
  bad_lines: readonly BadLine[]
  ignored_columns: readonly string[]
  /** The first line that was not UTF-8, and was read as Windows-1252. */
  first_foreign_line: number | null
}

export interface ChangeJson {
  prefix: string
  description: string
  period: string
  from: string | null
  before: RateJson | null
  after: RateJson | null
  /** Of the price per minute; null for what is added or removed. */
  difference: string | null
  /** Of the price before, to a tenth; null where there was none. */
  percent: string | null
}

/** Lines of a deck are bad, and nothing of it was imported. */
export class BadDeck extends BookError {
  override name = 'BadDeck'
  constructor(readonly badLines: readonly BadLine[]) {
    const lines = badLines.length === 1 ? '1 line is' : `${badLines.length} lines are`
    super('bad_input', `Nothing was imported: ${lines} bad`)
  }
}

/**
 * Reads a deck into a plan: all of it, or nothing. Without a mode it is merged, so that no rate goes
 * unless that is asked for.
 * @throws BadDeck
 */
export async function importDeck(
  rates: Rates,
  plan: Plan,
  source: TextSource,
  input: z.output<typeof importInput>,
): Promise<ImportJson> {
  const { mode = 'merge', dry_run: dryRun = false, effective = 0 } = input
  const deck = new DeckFile(source, {
    map: asBookError(() => parseColumnMap(input.map ?? '')),
    periods: plan.periods.map(({ name }) => name),
    from: effective,
    dateFormat: input.date_format ?? null,
    decimalComma: input.decimal_comma ?? false,
  })
  const pieces = goodPieces(deck, input.skip_bad ?? false)
  const terms = { mode, effective, dryRun, source: input.source ?? '' }
  const imported = await rates.importRates(plan.name, pieces, terms, input.actor)
  const { largest, ...counts } = imported.changes
  return {
    plan: plan.name,
    mode,
    dry_run: dryRun,
    effective: effective === 0 ? null : formatInstant(effective),
    rates: imported.rates,
    ...inOrder(counts),
    largest: largest.map(change => changeJson(plan.name, change)),
    bad_lines: deck.badLines,
    ignored_columns: deck.ignoredColumns,
    first_foreign_line: deck.firstForeign || null,
  }
}

/** A deck in which nothing is good was not understood: skipping all of it would empty the plan. */
async function* goodPieces(deck: DeckFile, skipBad: boolean): AsyncGenerator<ListedRate[]> {
  let good = 0
  for await (const piece of deck.pieces()) {
    good += piece.length
    if (piece.length > 0) yield piece
  }
  if (deck.badLines.length > 0 && (!skipBad || good === 0)) throw new BadDeck(deck.badLines)
}

function inOrder({
  added,
  removed,
  dearer,
  cheaper,
  otherwise,
  same,
}: Omit<DeckChanges, 'largest'>) {
  return { added, removed, dearer, cheaper, otherwise, same }
}

function changeJson(plan: string, { before, after, difference }: RateChange): ChangeJson {
  const { prefix, description, period, from } = rateJson(plan, (after ?? before)!)
  return {
    prefix,
    description,
    period,
    from,
    before: before && rateJson(plan, before),
    after: after && rateJson(plan, after),
    difference: difference === null ? null : formatMoney(difference),
    percent: percentOf(difference, before?.perMinute ?? 0n),
  }
}

/** To a tenth of a percent, half of one rounded away from zero. */
export function percentOf(difference: Money | null, before: Money): string | null {
  if (difference === null || before === 0n) return null
  const size = difference < 0n ? -difference : difference
  const tenths = (size * 2000n + before) / (before * 2n)
  const sign = difference < 0n && tenths > 0n ? '-' : ''
  return `${sign}${tenths / 10n}.${tenths % 10n}`
}

/** Rates that are read at a time, so that a deck of a million does not have to fit into memory. */
const PAGE = 5_000

/** The lines of a deck that importDeck reads back to the same rates. */
export async function* exportDeck(rates: Rates, plan: string): AsyncGenerator<string> {
  const version = await rates.version(plan)
  yield* formatDeck([])
  let page = await rates.rates(plan, { limit: PAGE })
  while (page.length > 0) {
    const [, ...lines] = formatDeck(page)
    yield lines.join('')
    page = await rates.rates(plan, { after: page.at(-1)!, limit: PAGE })
  }
  if ((await rates.version(plan)) === version) return
  throw new LedgerError('unavailable', `The rates of ${plan} were changed meanwhile: ask again`)
}
