/** Calls that have ended: a list that is filtered, added up, paged and exported. */
import type { CdrJson } from '../../call/cdr.js'
import type { CdrTotals } from '../../ledger/books.js'
import {
  cdrKey,
  cdrTotalsInput,
  chosen,
  OUTCOMES,
  REASONS,
  totalsJson,
} from '../../provisioning/cdrs.js'
import { checkInput, given } from '../../provisioning/fields.js'
import { ownView } from '../api/own-view.js'
import type { Services } from '../parts.js'
import { address, firstRows, PAGE_ROWS, pathTo, sentenceOf, type Visit } from './page.js'
import {
  type Cell,
  type Column,
  type Field,
  inWords,
  type Pager,
  type Row,
  type Table,
  type Tile,
} from './shown.js'

export interface CallList {
  readonly path: string
  /** The only account whose calls are shown; null for all. */
  readonly account: string | null
  /** How far back it goes where nothing else is asked for. */
  readonly hours: number
  /** Whether a row leads to the story of the call, and margins are shown: not to customers. */
  readonly forOperators: boolean
}

const REASON_NAMES = Object.keys(REASONS)

/** The parts of the page: filters, tiles, table and pager; or the sentence of what is wrong. */
export async function endedCalls(visit: Visit, { browsing, ledger }: Services, list: CallList) {
  const asked = askedFor(visit, list)
  try {
    const filter = filterOf(asked, list)
    const { after } = visit.query
    const found = await ledger.cdrList({ ...filter, ...given({ after }), limit: PAGE_ROWS + 1 })
    const { rows, hasMore } = firstRows(list.forOperators ? found : found.map(ownView))
    const { by: _, ...totalled } = checkInput(cdrTotalsInput, { ...filter, by: 'day' })
    return {
      filters: filtersOf(asked, list),
      tiles: tilesOf(await browsing.cdrTotals(chosen(totalled)), list),
      table: tableOf(rows, list),
      pager: {
        text: 'The last to end first',
        first: after ? address(list.path, asked) : null,
        next: hasMore ? address(list.path, { ...asked, after: cdrKey(rows.at(-1)!) }) : null,
        export: address('/api/v1/cdrs.csv', filter),
      } satisfies Pager,
    }
  } catch (error) {
    const problem = sentenceOf(error)
    return { filters: filtersOf(asked, list), problem, table: tableOf([], list) }
  }
}

type Asked = Readonly<Record<string, string>>

const FIELDS = ['account', 'number', 'outcome', 'reason', 'from', 'to'] as const

/** Who has asked for nothing sees the last hours; who emptied the field, all there is. */
function askedFor({ query, request }: Visit, { hours }: CallList): Asked {
  const asked = Object.fromEntries(
    FIELDS.flatMap(name => (query[name] === undefined ? [] : [[name, query[name]]])),
  )
  if ('from' in (request.query as object)) return { ...asked, from: asked['from'] ?? '' }
  const since = new Date(Date.now() - hours * 3_600_000)
  return { ...asked, from: `${since.toISOString().slice(0, 13)}:00` }
}

/** As the API takes it: what was left empty is not asked for. */
function filterOf(asked: Asked, { account }: CallList): Asked {
  const filled = Object.entries(asked).filter(([, value]) => value !== '')
  const { number, ...filter } = Object.fromEntries(filled)
  // Numbers are copied with signs and blanks in them.
  const digits = number?.replace(/[^\dA-Za-z]/g, '')
  return { ...filter, ...(digits && { number: digits }), ...(account && { account }) }
}

function filtersOf(asked: Asked, { account, path }: CallList) {
  const choice = (name: string, label: string, names: readonly string[]): Field => ({
    name,
    label,
    type: 'select',
    value: asked[name] ?? '',
    options: [
      { value: '', label: 'Any' },
      ...names.map(value => ({ value, label: inWords(value) })),
    ],
  })
  const text = (name: string, label: string, more: Partial<Field> = {}): Field => ({
    name,
    label,
    value: asked[name] ?? '',
    ...more,
  })
  return {
    action: path,
    fields: [
      ...(account === null ? [text('account', 'Account')] : []),
      text('number', 'Number', { placeholder: 'Begins with' }),
      choice('outcome', 'Outcome', OUTCOMES),
      choice('reason', 'Reason', REASON_NAMES),
      text('from', 'From (UTC)', { type: 'time' }),
      text('to', 'To (UTC)', { type: 'time' }),
    ],
    submit: 'Show',
    clear: path,
  }
}

function tilesOf(totals: CdrTotals, { forOperators }: CallList): Tile[] {
  const { calls, answered, billed_s, cost, margin, write_off } = totalsJson(totals)
  const rate = calls === 0 ? null : `${Math.round((answered / calls) * 100)} % of them`
  const minutes = `${Math.floor(billed_s / 60)}:${String(billed_s % 60).padStart(2, '0')}`
  return [
    { label: 'Calls', value: calls },
    { label: 'Answered', value: answered, note: rate },
    { label: 'Billed, minutes', value: minutes },
    { label: 'Cost', value: { money: cost } },
    ...(forOperators && margin !== null ? [{ label: 'Margin', value: { money: margin } }] : []),
    ...(forOperators ? [{ label: 'Written off', value: { money: write_off } }] : []),
  ]
}

function tableOf(calls: readonly CdrJson[], { account, forOperators }: CallList): Table {
  const columns: Column[] = [
    { label: 'Ended' },
    { label: 'Number' },
    ...(account === null ? [{ label: 'Account' }] : []),
    { label: 'Destination', kind: 'text' },
    { label: 'Talk', kind: 'number' },
    { label: 'Cost', kind: 'number' },
    { label: 'Outcome' },
  ]
  return {
    caption: 'Calls',
    columns,
    rows: calls.map(call => rowOf(call, account === null, forOperators)),
    empty: { title: 'No call is like that', text: 'Choose another time, or fewer filters.' },
  }
}

function rowOf(call: CdrJson, withAccount: boolean, forOperators: boolean): Row {
  const { call_id, account, number, description, prefix, outcome, reason } = call
  const why: Cell = reason === null ? null : inWords(reason)
  return {
    cells: [
      { at: call.ended_at },
      forOperators
        ? { text: number, href: pathTo('calls', call_id), mono: true }
        : { code: number },
      ...(withAccount ? [{ text: account, href: pathTo('accounts', account), mono: true }] : []),
      description || prefix,
      call.answered_at === null ? null : talk(Math.ceil(Number(call.duration_s))),
      call.answered_at === null ? null : { money: call.cost },
      { parts: [{ badge: outcome }, why] },
    ],
  }
}

/** `1:02:03`, as on a telephone. */
export function talk(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (part: number) => String(part).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}
