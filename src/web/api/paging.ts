/**
 * Lists, a page at a time. An answer is `{items, next}`: `next` is where the next page is, null after
 * the last. The cursor in it is for nobody to read: it says after which item the page begins.
 */
import { addressText } from '../../ledger/sip-accounts.js'
import { type AuditJson, auditKey } from '../../provisioning/audit.js'
import { cdrKey } from '../../provisioning/cdrs.js'
import type { StatementJson } from '../../provisioning/entries.js'
import { checkInput, whole } from '../../provisioning/fields.js'
import { rateKey } from '../../provisioning/rates.js'
import { Refusal } from '../refusal.js'
import type { ServedName } from './permissions.js'

/** How many items a page has where no limit is asked for, and at most. */
const PAGE = 100
const PAGE_MAX = 500

/** Lists that go on after a key, and how it is made of the last item, or of them all. */
const KEYS: {
  readonly [N in ServedName]?: (items: never[], before: string | undefined) => string
} = {
  accountList: (items: { code: string }[]) => items.at(-1)!.code,
  sipAccountList: (items: { user: string; domain: string }[]) => addressText(items.at(-1)!),
  cdrList: (items: Parameters<typeof cdrKey>[0][]) => cdrKey(items.at(-1)!),
  unseenList: (items: Parameters<typeof cdrKey>[0][]) => cdrKey(items.at(-1)!),
  auditList: (items: AuditJson[], before) => auditKey(items, before),
  rateList: (items: Parameters<typeof rateKey>[0][]) => rateKey(items.at(-1)!),
  accountRates: (items: Parameters<typeof rateKey>[0][]) => rateKey(items.at(-1)!),
  userList: (items: { name: string }[]) => items.at(-1)!.name,
}

/** Lists that come whole, and what their items are called by. */
const WHOLE: { readonly [N in ServedName]?: string } = {
  callList: 'call_id',
  planList: 'name',
  switchList: 'name',
  tokenList: 'name',
  cdrTotals: 'key',
}

export interface Page {
  readonly items: readonly unknown[]
  readonly next: string | null
}

type Input = Readonly<Record<string, unknown>>

export const isList = (name: ServedName): boolean => name in KEYS || name in WHOLE
export const isPaged = (name: ServedName): boolean => isList(name) || name === 'statement'

/** A list of the operation with a page's worth of input, and the way to the page of its answer. */
export function paged(name: ServedName, url: string, { limit, cursor, ...input }: Input) {
  const size = limit === undefined ? PAGE : checkInput(whole('The limit', 1, PAGE_MAX), limit)
  const after = cursor === undefined ? undefined : readCursor(name, cursor)
  const next = (key: string) => nextUrl(url, name, key)
  const wholeBy = WHOLE[name]
  if (wholeBy !== undefined) {
    return {
      input,
      page: (items: readonly Input[]) => slice(items, wholeBy, after, size, next),
    }
  }
  // One more than is shown tells whether there is more.
  const key = KEYS[name] as ((items: readonly unknown[], before?: string) => string) | undefined
  return {
    input: { ...input, after, limit: size + 1 },
    page: (answer: unknown) => {
      if (!key) return statementPage(answer as StatementJson, size, next)
      const all = answer as readonly unknown[]
      const items = all.slice(0, size)
      return { items, next: all.length > size ? next(key(items, after)) : null }
    },
  }
}

/** A whole list in the order that it came in. */
function slice(
  all: readonly Input[],
  by: string,
  after: string | undefined,
  size: number,
  next: (key: string) => string,
): Page {
  const last = after === undefined ? -1 : all.findIndex(item => String(item[by]) === after)
  if (after !== undefined && last < 0) throw badCursor()
  const items = all.slice(last + 1, last + 1 + size)
  const isMore = last + 1 + size < all.length
  return { items, next: isMore ? next(String(items.at(-1)![by])) : null }
}

function statementPage(statement: StatementJson, size: number, next: (key: string) => string) {
  const entries = statement.entries.slice(0, size)
  const last = entries.at(-1)
  if (statement.entries.length <= size || !last) return { ...statement, next: null }
  return { ...statement, entries, closing_balance: last.balance, next: next(String(last.id)) }
}

function nextUrl(url: string, name: ServedName, key: string): string {
  const { pathname, searchParams } = new URL(url, 'http://here')
  searchParams.set('cursor', Buffer.from(JSON.stringify([name, key])).toString('base64url'))
  return `${pathname}?${searchParams}`
}

function readCursor(name: ServedName, cursor: unknown): string {
  try {
    const [list, key] = JSON.parse(Buffer.from(String(cursor), 'base64url').toString())
    if (list === name && typeof key === 'string') return key
  } catch {
    // Whatever is wrong with it, it is none of ours.
  }
  throw badCursor()
}

const badCursor = () =>
  new Refusal(
    400,
    'bad_cursor',
    'This is no cursor of this list any more: begin with its first page',
  )
