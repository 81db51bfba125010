/** The list of accounts: searched, sorted and paged; and the making of a new one. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { type AccountJson, accountJson } from '../../../ledger/account-fields.js'
import { ACCOUNT_ORDERS, type AccountOrder } from '../../../ledger/browsing.js'
import type { AccountState } from '../../../ledger/ledger.js'
import { given } from '../../../provisioning/fields.js'
import type { WebParts } from '../../parts.js'
import { accountFields } from '../account-form.js'
import { address, firstRows, PAGE_ROWS, pathTo, sentenceOf, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import type { Column, Filters, Pager, Row, Table } from '../shown.js'
import { view } from '../views.js'

const STATES: readonly AccountState[] = ['active', 'suspended', 'closed']

const COLUMNS: readonly { label: string; order?: AccountOrder; kind?: 'number' | 'text' }[] = [
  { label: 'Code', order: 'code' },
  { label: 'Name', order: 'name', kind: 'text' },
  { label: 'State' },
  { label: 'Plan' },
  { label: 'Balance', order: 'balance', kind: 'number' },
  { label: 'Available', order: 'available', kind: 'number' },
  { label: 'Live calls', order: 'live_calls', kind: 'number' },
]

export function accountsPages(app: FastifyInstance, parts: WebParts): void {
  app.get('/accounts', async (request, reply) => {
    const visit = new Visit(request, 'accounts:read')
    return view(request, reply, 'list', await accountList(visit, parts))
  })
  app.get('/accounts/new', async (request, reply) => {
    const visit = new Visit(request, 'accounts:write')
    return newAccount(visit, reply, parts, null)
  })
  app.post('/accounts', async (request, reply) => {
    const visit = new Visit(request, 'accounts:write')
    const { csrf: _, ...input } = visit.typed
    try {
      const account = await visit.perform(parts.services, 'accountCreate', input)
      return reply.redirect(`${pathTo('accounts', account.code)}?said=account_created`, 303)
    } catch (error) {
      return newAccount(visit, reply.code(problemStatus(error)), parts, sentenceOf(error))
    }
  })
}

async function accountList(visit: Visit, { services }: WebParts) {
  const { search, state, plan, low, order: asked, way, after } = visit.query
  const order = oneOf(ACCOUNT_ORDERS, asked) ?? 'code'
  const descending = way === 'down'
  const chosen = { search, state: oneOf(STATES, state), plan }
  const filter = { ...chosen, low: low && 'true' }
  const found = await services.browsing.accounts({
    ...given({ ...chosen, after }),
    ...(low && { low: true }),
    ...{ order, descending, limit: PAGE_ROWS + 1 },
  })
  const { rows, hasMore } = firstRows(found.map(accountJson))
  const isFiltered = Object.values(filter).some(value => value !== undefined)
  const count = isFiltered ? null : await services.browsing.accountCount()
  const shown = { ...filter, order: asked, way }
  return {
    title: 'Customer accounts',
    links: visit.may('accounts:write')
      ? [{ text: 'New account', href: '/accounts/new', main: true }]
      : null,
    filters: filters(filter, { order: asked, way }, await planNames(services)),
    table: {
      caption: 'Customer accounts',
      columns: COLUMNS.map(column => head(column, filter, order, descending)),
      rows: rows.map(row),
      empty: isFiltered
        ? { title: 'No account is like that', text: 'Search for less, or clear the search.' }
        : { title: 'There are no accounts yet', text: 'Every leg that pays needs one.' },
    } satisfies Table,
    pager: {
      text: pageText(rows, count),
      first: after ? address('/accounts', shown) : null,
      next: hasMore ? address('/accounts', { ...shown, after: rows.at(-1)!.code }) : null,
    } satisfies Pager,
  }
}

function row(account: AccountJson): Row {
  const { code, name, state, plan, special_plan, balance, available, live_calls, low } = account
  const balanceCell = { money: balance }
  return {
    cells: [
      { text: code, href: pathTo('accounts', code), mono: true },
      name,
      { badge: state },
      special_plan === null ? plan : `${plan} + ${special_plan}`,
      low ? { parts: [{ badge: 'low' }, balanceCell] } : balanceCell,
      { money: available },
      live_calls === 0 ? null : live_calls,
    ],
    ...(state === 'closed' && { tone: 'muted' }),
  }
}

type Filter = Readonly<Record<string, string | undefined>>

/** A click on the head sorts by it; another click turns that round. */
function head(
  { label, order, kind }: (typeof COLUMNS)[number],
  filter: Filter,
  now: AccountOrder,
  descending: boolean,
): Column {
  const column = { label, ...(kind && { kind }) }
  if (!order) return column
  const isNow = order === now
  const down = isNow ? !descending : order === 'live_calls'
  const href = address('/accounts', { ...filter, order, way: down ? 'down' : 'up' })
  const way = descending ? ('descending' as const) : ('ascending' as const)
  return { ...column, sort: { href, now: isNow ? way : null } }
}

function filters(filter: Filter, hidden: Filter, plans: readonly string[]): Filters {
  const named = (names: readonly string[]) => names.map(name => ({ value: name, label: name }))
  return {
    action: '/accounts',
    hidden: given(hidden) as Record<string, string>,
    fields: [
      {
        name: 'search',
        label: 'Search',
        type: 'search',
        value: filter['search'] ?? '',
        placeholder: 'Code or name',
        wide: true,
      },
      {
        name: 'state',
        label: 'State',
        type: 'select',
        value: filter['state'] ?? '',
        options: [{ value: '', label: 'Any' }, ...named(STATES)],
      },
      {
        name: 'plan',
        label: 'Plan',
        type: 'select',
        value: filter['plan'] ?? '',
        options: [{ value: '', label: 'Any' }, ...named(plans)],
      },
      {
        name: 'low',
        label: 'Balance',
        type: 'select',
        value: filter['low'] ?? '',
        options: [
          { value: '', label: 'Any' },
          { value: 'true', label: 'Low' },
        ],
      },
    ],
    clear: Object.values(filter).some(value => value !== undefined) ? '/accounts' : null,
  }
}

/** @param count how many there are; null where that is not known, because some are left out */
function pageText(rows: readonly AccountJson[], count: number | null): string {
  const first = rows[0]?.code
  const last = rows.at(-1)?.code
  const range = first === undefined ? 'None' : `${first} to ${last}`
  return count === null ? range : `${range}, of ${count} accounts`
}

async function newAccount(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  problem: string | null,
): Promise<FastifyReply> {
  const { typed } = visit
  const code = {
    name: 'code',
    label: 'Code',
    value: typed['code'] ?? '',
    hint: 'What a leg carries in ac; empty for one that nobody guesses',
    focus: true,
  }
  const credit = {
    name: 'credit',
    label: 'Opening balance',
    type: 'money',
    value: typed['credit'] ?? '',
  } as const
  const terms = accountFields(typed, await planNames(services))
  return view(visit.request, reply, 'form', {
    title: 'New account',
    crumb: { text: 'Customer accounts', href: '/accounts' },
    form: visit.form({
      action: '/accounts',
      fields: [code, ...(visit.may('money:write') ? [credit] : []), ...terms],
      submit: 'Make the account',
      cancel: '/accounts',
      wide: true,
      problem,
    }),
  })
}

export async function planNames({ rates }: WebParts['services']): Promise<string[]> {
  return (await rates.planList()).map(({ name }) => name)
}

function oneOf<T extends string>(choices: readonly T[], text: string | undefined): T | undefined {
  return choices.find(choice => choice === text)
}
