/** The first page: how the business goes, and what wants looking at. */
import type { FastifyInstance } from 'fastify'
import { type AccountJson, accountJson } from '../../../ledger/account-fields.js'
import { formatMoney } from '../../../money.js'
import type { WebParts } from '../../parts.js'
import { principalOf } from '../../principals.js'
import { figuresOf, RANGES, rangeOf } from '../figures.js'
import { pathTo, Visit } from '../page.js'
import type { Row, Table, Tile } from '../shown.js'
import { switchTable } from '../switch-table.js'
import { view } from '../views.js'

const LOW_SHOWN = 8

export function dashboardPages(app: FastifyInstance, { services }: WebParts): void {
  app.get('/', async (request, reply) => {
    if (principalOf(request).account !== null) return reply.redirect('/own', 303)
    const visit = new Visit(request, 'calls:read')
    const range = rangeOf(visit.query['range'])
    const figures = await figuresOf(services.statistics, range, Date.now() * 1000)
    return view(request, reply, 'dashboard', {
      title: 'Dashboard',
      sheets: ['/assets/uplot/uPlot.min.css'],
      scripts: ['/assets/uplot/uPlot.iife.min.js', '/assets/charts.js'],
      range,
      unseen: (await services.browsing.unseenCounts()).open,
      ranges: Object.entries(RANGES).map(([name, { label }]) => ({
        href: `/?range=${name}`,
        text: label,
        current: name === range,
      })),
      tiles: await tilesOf(figures.total, services),
      low: visit.may('accounts:read') ? lowTable(await lowAccounts(services)) : null,
      switches: visit.may('switches:read') ? await switchTable(services) : null,
    })
  })
  app.get('/dashboard/figures', async (request, reply) => {
    const { query } = new Visit(request, 'calls:read')
    const figures = await figuresOf(services.statistics, rangeOf(query['range']), Date.now() * 1000)
    return reply.send(figures)
  })
}

type Total = Awaited<ReturnType<typeof figuresOf>>['total']

async function tilesOf(total: Total, { browsing }: WebParts['services']): Promise<Tile[]> {
  const live = await browsing.live()
  const lost = /[1-9]/.test(total.write_off)
  return [
    {
      label: 'Money taken',
      name: 'taken',
      value: { money: total.taken },
      note: lost ? { parts: [{ money: total.write_off }, 'written off'] } : 'nothing written off',
    },
    {
      label: 'Topped up',
      name: 'topped_up',
      value: { money: total.topped_up },
      note: 'credit that came in',
    },
    {
      label: 'Live calls',
      name: 'live',
      value: live.ringing + live.answered,
      note: { parts: [{ money: formatMoney(live.held) }, 'held'] },
    },
    { label: 'Calls', name: 'calls', value: total.calls, note: `${total.refused} refused` },
    {
      label: 'Answer rate',
      name: 'answer_rate',
      value: total.answer_rate === null ? '–' : `${total.answer_rate.toFixed(1)} %`,
      note: `${total.answered} of ${total.calls - total.refused} let through`,
    },
    { label: 'Cut off', name: 'cut_off', value: total.cut_off, note: 'for want of credit' },
  ]
}

async function lowAccounts({ browsing }: WebParts['services']): Promise<AccountJson[]> {
  const page = { order: 'available', descending: false, limit: LOW_SHOWN } as const
  return (await browsing.accounts({ ...page, low: true, state: 'active' })).map(accountJson)
}

function lowTable(accounts: readonly AccountJson[]): Table {
  return {
    caption: 'Accounts about to run dry',
    columns: [
      { label: 'Account' },
      { label: 'Name', kind: 'text' },
      { label: 'Available', kind: 'number' },
      { label: 'Live calls', kind: 'number' },
    ],
    rows: accounts.map(
      ({ code, name, available, live_calls }): Row => ({
        cells: [
          { text: code, href: pathTo('accounts', code), mono: true },
          name,
          { money: available },
          live_calls || null,
        ],
      }),
    ),
    empty: {
      title: 'None',
      text: 'No balance is below the threshold that its account has for that.',
    },
  }
}
