/** One account: what it has and what is live, its money, its statement, its calls and its terms. */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { AccountJson } from '../../../ledger/account-fields.js'
import { entryJson } from '../../../provisioning/entries.js'
import type { WebParts } from '../../parts.js'
import { accountFields, EMPTY_TERMS, LIMIT_TERMS } from '../account-form.js'
import { endedCalls } from '../call-list.js'
import { cardPanel } from '../card-panel.js'
import { liveTable } from '../live-table.js'
import type { Said } from '../notices.js'
import { address, firstRows, PAGE_ROWS, pathTo, sentenceOf, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import type { Column, Fact, Form, Notice, Row, Table, Tile } from '../shown.js'
import { view } from '../views.js'
import { planNames } from './accounts.js'

export function accountPages(app: FastifyInstance, parts: WebParts): void {
  app.get('/accounts/:code', async (request, reply) => {
    return overview(new Visit(request, 'accounts:read'), reply, parts)
  })
  app.get('/accounts/:code/statement', async (request, reply) => {
    const visit = new Visit(request, 'accounts:read')
    return view(request, reply, 'list', await statement(visit, parts))
  })
  app.get('/accounts/:code/calls', async (request, reply) => {
    const visit = new Visit(request, 'calls:read')
    return view(request, reply, 'list', await calls(visit, parts))
  })
  app.get('/accounts/:code/edit', async (request, reply) => {
    return edit(new Visit(request, 'accounts:write'), reply, parts, null)
  })
  app.post('/accounts/:code/edit', async (request, reply) => {
    const visit = new Visit(request, 'accounts:write')
    const { code = '' } = visit.params
    const { name = '', notes = '', plan, credit_limit = '0', time_zone } = visit.typed
    const terms = { name, notes, plan, credit_limit, time_zone }
    const input = { ...terms, ...visit.set(...LIMIT_TERMS), ...visit.version, code }
    try {
      await visit.perform(parts.services, 'accountSet', input)
      return reply.redirect(`${pathTo('accounts', code)}?said=account_saved`, 303)
    } catch (error) {
      return edit(visit, reply.code(problemStatus(error)), parts, sentenceOf(error))
    }
  })
  postings(app, parts)
  states(app, parts)
}

/** What books money. The reference is made with the form, so that one form books once. */
function postings(app: FastifyInstance, parts: WebParts): void {
  for (const [path, kind, operation] of [
    ['top-ups', 'top_up', 'topUp'],
    ['adjustments', 'adjustment', 'adjust'],
  ] as const) {
    app.post(`/accounts/:code/${path}`, async (request, reply) => {
      const visit = new Visit(request, 'money:write')
      const { code = '' } = visit.params
      const { amount, reference, reason } = visit.typed
      try {
        const entry = { code, amount, reference, reason }
        await visit.perform(parts.services, operation, entry)
        return reply.redirect(`${pathTo('accounts', code)}?said=${kind satisfies Said}`, 303)
      } catch (error) {
        const problems = { [kind]: sentenceOf(error) }
        return overview(visit, reply.code(problemStatus(error)), parts, { problems })
      }
    })
  }
}

function states(app: FastifyInstance, parts: WebParts): void {
  for (const [verb, said, operation] of [
    ['suspend', 'account_suspended', 'accountSuspend'],
    ['close', 'account_closed', 'accountClose'],
    ['reopen', 'account_reopened', 'accountReopen'],
  ] as const) {
    app.post(`/accounts/:code/${verb}`, async (request, reply) => {
      const visit = new Visit(request, 'accounts:write')
      const { code = '' } = visit.params
      await visit.perform(parts.services, operation, { code })
      return reply.redirect(`${pathTo('accounts', code)}?said=${said satisfies Said}`, 303)
    })
  }
}

/** Why a posting was refused, by its kind, or a PIN. */
type Problems = Readonly<Partial<Record<'top_up' | 'adjustment' | 'pin', string>>>

export async function overview(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  { problems = {}, notice }: { readonly problems?: Problems; readonly notice?: Notice } = {},
): Promise<FastifyReply> {
  const { code } = visit.params
  const account = await services.ledger.accountShow({ code })
  const entries = await services.browsing.entries(account.code, { limit: 6 })
  return view(visit.request, reply, 'account', {
    ...frame(visit, account, ''),
    notice,
    scripts: ['/assets/live.js'],
    tiles: tiles(account),
    facts: facts(account),
    notes: account.notes,
    forms: visit.may('money:write') ? money(visit, account, problems) : [],
    card: await cardPanel(visit, services, account.code, problems.pin ?? null),
    states: stateForms(visit, account),
    live: visit.may('calls:read') ? liveTable(visit, account.code) : null,
    entries: entryTable(entries.map(entryJson), false),
  })
}

function frame(visit: Visit, { code, name, state, low }: AccountJson, here: string) {
  const path = pathTo('accounts', code)
  const tabs = [
    { text: 'Overview', href: path },
    { text: 'Statement', href: `${path}/statement` },
    ...(visit.may('calls:read') ? [{ text: 'Calls', href: `${path}/calls` }] : []),
    ...(visit.may('rates:read')
      ? [{ text: 'Quote', href: address('/quote', { account: code }) }]
      : []),
    ...(visit.may('accounts:write') ? [{ text: 'Edit', href: `${path}/edit` }] : []),
  ]
  return {
    title: name || code,
    lead: name ? code : null,
    crumb: { text: 'Customer accounts', href: '/accounts' },
    badges: [state, ...(low ? ['low'] : [])],
    tabs: {
      label: 'Of this account',
      tabs: tabs.map(tab => ({ ...tab, current: tab.href === `${path}${here}` })),
    },
  }
}

export function tiles(account: AccountJson): Tile[] {
  const { balance, credit_limit, low, live_calls, spent_today, max_spend_per_day } = account
  const limit = { parts: ['with a credit limit of', { money: credit_limit }] }
  return [
    {
      label: 'Balance',
      value: { money: balance },
      ...(/[1-9]/.test(credit_limit) && { note: limit }),
      ...(low && { tone: 'warn' }),
    },
    {
      label: 'Held',
      value: { money: account.held },
      note: live_calls === 0 ? 'no live calls' : `for ${live_calls} live calls`,
    },
    { label: 'Available', value: { money: account.available }, note: 'balance + limit − held' },
    {
      label: 'Spent today',
      value: { money: spent_today },
      ...(max_spend_per_day && { note: { parts: ['of at most', { money: max_spend_per_day }] } }),
    },
  ]
}

function facts(account: AccountJson): Fact[] {
  const amount = (money: string | null) => (money === null ? 'no limit' : { money })
  const number = (value: number | null) => (value === null ? 'no limit' : value)
  return [
    { label: 'Rate plan', value: { text: account.plan, href: pathTo('rates', account.plan) } },
    ...(account.special_plan === null
      ? []
      : [
          {
            label: 'Special plan',
            value: { text: account.special_plan, href: pathTo('rates', account.special_plan) },
          },
        ]),
    { label: 'Calls at once', value: number(account.max_calls) },
    { label: 'New calls a second', value: number(account.max_calls_per_second) },
    { label: 'Price a minute', value: amount(account.max_per_minute) },
    { label: 'Spend per call', value: amount(account.max_spend_per_call) },
    { label: 'Spend per day', value: amount(account.max_spend_per_day) },
    {
      label: 'Longest call',
      value: account.longest_call_s === null ? 'no limit' : `${account.longest_call_s} s`,
    },
    {
      label: 'Low balance',
      value: account.low_balance === null ? 'not told' : { money: account.low_balance },
    },
    { label: 'Time zone', value: account.time_zone },
    { label: 'Since', value: { at: account.created_at } },
  ]
}

function money(visit: Visit, { code, state }: AccountJson, problems: Problems) {
  const path = pathTo('accounts', code)
  const typed = (kind: keyof Problems, name: string) =>
    problems[kind] === undefined ? '' : (visit.typed[name] ?? '')
  const form = (kind: keyof Problems, hint: string, more: Omit<Form, 'csrf' | 'fields'>) =>
    visit.form({
      ...more,
      id: kind.replace('_', '-'),
      problem: problems[kind] ?? null,
      // A form that was refused keeps its reference: who clicks again means the same.
      hidden: { reference: typed(kind, 'reference') || randomUUID() },
      fields: [
        {
          name: 'amount',
          label: 'Amount',
          type: 'money',
          required: true,
          value: typed(kind, 'amount'),
          hint,
        },
        { name: 'reason', label: 'Reason', value: typed(kind, 'reason') },
      ],
    })
  const topUp = form('top_up', 'Like 25 or 12.50', {
    action: `${path}/top-ups`,
    submit: 'Top up',
  })
  const adjust = form('adjustment', 'Below zero to take away: -2.50', {
    action: `${path}/adjustments`,
    submit: 'Adjust',
  })
  return [
    ...(state === 'closed' ? [] : [{ title: 'Top up', form: topUp, open: true }]),
    { title: 'Adjust the balance', form: adjust, open: problems.adjustment !== undefined },
  ]
}

function stateForms(visit: Visit, { code, state }: AccountJson): Form[] {
  if (!visit.may('accounts:write')) return []
  const path = pathTo('accounts', code)
  const form = (verb: string, submit: string, more: Partial<Form> = {}) =>
    visit.form({ action: `${path}/${verb}`, submit, ...more })
  const suspend = form('suspend', 'Suspend')
  const reopen = form('reopen', 'Reopen')
  const close = form('close', 'Close', {
    tone: 'danger',
    confirm: `Close ${code}? It makes no new calls and gets no top-ups. Live calls use up what is held.`,
  })
  return { active: [suspend, close], suspended: [reopen, close], closed: [reopen] }[state]
}

async function statement(visit: Visit, { services }: WebParts) {
  const account = await services.ledger.accountShow({ code: visit.params['code'] })
  const { before } = visit.query
  const found = await services.browsing.entries(account.code, {
    limit: PAGE_ROWS + 1,
    ...(before !== undefined && /^\d{1,15}$/.test(before) && { before: Number(before) }),
  })
  const { rows, hasMore } = firstRows(found.map(entryJson))
  const path = `${pathTo('accounts', account.code)}/statement`
  return {
    ...frame(visit, account, '/statement'),
    table: entryTable(rows, true),
    pager: {
      text: 'The newest first',
      first: before ? path : null,
      next: hasMore ? address(path, { before: String(rows.at(-1)!.id) }) : null,
    },
  }
}

const ENTRY_COLUMNS: readonly Column[] = [
  { label: 'When' },
  { label: 'What' },
  { label: 'Amount', kind: 'number' },
  { label: 'Balance', kind: 'number' },
  { label: 'Reference', kind: 'text' },
  { label: 'By', kind: 'text' },
]

/** @param isWhole whether it is told by whom */
function entryTable(entries: readonly ReturnType<typeof entryJson>[], isWhole: boolean): Table {
  return {
    caption: 'Entries',
    columns: ENTRY_COLUMNS.slice(0, isWhole ? 6 : 5),
    rows: entries.map(entry => entryRow(entry, isWhole)),
    empty: { title: 'Nothing has been booked yet' },
  }
}

function entryRow(entry: ReturnType<typeof entryJson>, isWhole: boolean): Row {
  const call = entry.kind === 'call' ? entry.reference : entry.call_id
  const reference = call
    ? { text: call, href: pathTo('calls', call), mono: true }
    : { code: entry.reference }
  return {
    cells: [
      { at: entry.at },
      { badge: entry.kind },
      { money: entry.amount, signed: true },
      entry.balance === null ? null : { money: entry.balance },
      entry.reason && entry.kind !== 'call' ? { parts: [reference, entry.reason] } : reference,
      ...(isWhole ? [entry.actor] : []),
    ],
  }
}

async function calls(visit: Visit, { services }: WebParts) {
  const account = await services.ledger.accountShow({ code: visit.params['code'] })
  const path = `${pathTo('accounts', account.code)}/calls`
  return {
    ...frame(visit, account, '/calls'),
    ...(await endedCalls(visit, services, {
      ...{ path, account: account.code, hours: 30 * 24, forOperators: true },
    })),
  }
}

async function edit(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  problem: string | null,
): Promise<FastifyReply> {
  const account = await services.ledger.accountShow({ code: visit.params['code'] })
  const path = pathTo('accounts', account.code)
  const stored = Object.fromEntries(
    Object.entries(account).map(([name, value]) => [name, value === null ? '' : String(value)]),
  )
  const shown = problem === null ? stored : { ...stored, ...EMPTY_TERMS, ...visit.typed }
  return view(visit.request, reply, 'form', {
    ...frame(visit, account, '/edit'),
    form: visit.form({
      action: `${path}/edit`,
      fields: accountFields(shown, await planNames(services)),
      submit: 'Save',
      hidden: visit.versionOf(account),
      cancel: path,
      wide: true,
      problem,
    }),
  })
}
