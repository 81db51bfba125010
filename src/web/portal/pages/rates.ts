/** The rates of one plan: searched, edited where they stand, added, deleted and exported. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { given } from '../../../provisioning/fields.js'
import type { PlanJson, RateJson } from '../../../provisioning/rate-fields.js'
import { rateKey } from '../../../provisioning/rates.js'
import type { WebParts } from '../../parts.js'
import { address, firstRows, PAGE_ROWS, pathTo, sentenceOf, Visit } from '../page.js'
import { planFrame } from '../plan-frame.js'
import { problemStatus } from '../problem-status.js'
import type { Field, Form, Row, Table } from '../shown.js'
import { view } from '../views.js'

export function ratesPages(app: FastifyInstance, parts: WebParts): void {
  const { rates } = parts.services
  app.get('/rates/:plan', async (request, reply) => {
    return list(new Visit(request, 'rates:read'), reply, parts, {})
  })
  app.get('/rates/:plan/export', async (request, reply) => {
    const { params } = new Visit(request, 'rates:read')
    // What is wrong with the name is told before the answer has begun.
    const { name } = await rates.planShow({ name: params['plan'] })
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="${name}.csv"`)
      .send(Readable.from(rates.rateExport({ plan: name })))
  })
  app.post('/rates/:plan/add', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    const { plan } = visit.params
    const { csrf: _, period = null, ...terms } = visit.typed
    const input = { ...terms, plan, period }
    try {
      const { prefix } = await visit.perform(parts.services, 'rateAdd', input)
      return reply.redirect(back(plan, { search: prefix, said: 'rate_added' }), 303)
    } catch (error) {
      const problem = sentenceOf(error)
      return list(visit, reply.code(problemStatus(error)), parts, { adding: problem })
    }
  })
  app.post('/rates/:plan/set', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    const { plan } = visit.params
    const { csrf: _, search, key = '', ...typed } = visit.typed
    const emptied = { description: '', until: null, blocked: 'no' }
    const input = { ...emptied, ...typed, plan, ...keyOf(key) }
    try {
      await visit.perform(parts.services, 'rateSet', input)
      return reply.redirect(back(plan, { search, said: 'rate_saved' }), 303)
    } catch (error) {
      const editing = { key, problem: sentenceOf(error) }
      return list(visit, reply.code(problemStatus(error)), parts, { editing })
    }
  })
  app.post('/rates/:plan/delete-rate', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    const { params, typed } = visit
    const { plan } = params
    await visit.perform(parts.services, 'rateDelete', { plan, ...keyOf(typed['key'] ?? '') })
    return reply.redirect(back(plan, { search: typed['search'], said: 'rate_deleted' }), 303)
  })
}

const back = (plan: string | undefined, query: Record<string, string | undefined>) =>
  address(pathTo('rates', plan ?? ''), query)

function keyOf(key: string) {
  const [prefix = '', period = '', from = ''] = key.split('/')
  // A rate that has been in force since always begins with the epoch.
  return { prefix, period, from: from || '1970-01-01' }
}

interface Doing {
  /** Why the rate that was to be added was refused. */
  readonly adding?: string
  /** The rate whose row is a form, and why its change was refused. */
  readonly editing?: { readonly key: string; readonly problem: string | null }
}

async function list(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  doing: Doing,
): Promise<FastifyReply> {
  const { query, typed } = visit
  const plan = await services.rates.planShow({ name: visit.params['plan'] })
  const search = query['search'] ?? (doing.editing ? typed['search'] : undefined)
  const { after, edit } = query
  const editing = doing.editing ?? (edit === undefined ? null : { key: edit, problem: null })
  const filter = given({ search, after })
  const found = await services.rates.rateList({
    ...{ plan: plan.name, ...filter, limit: PAGE_ROWS + 1 },
  })
  const { rows, hasMore } = firstRows(found)
  const path = pathTo('rates', plan.name)
  const context = { visit, path, search: search ?? '' }
  return view(visit.request, reply, 'list', {
    ...planFrame(visit, plan, ''),
    filters: {
      action: path,
      submit: 'Search',
      clear: search === undefined ? null : path,
      fields: [
        {
          name: 'search',
          label: 'Prefix or destination',
          type: 'search',
          value: search ?? '',
          placeholder: '44 or United Kingdom',
          wide: true,
        },
      ],
    },
    table: {
      caption: `Rates of ${plan.name}`,
      columns: COLUMNS,
      rows: rows.map(rate => rowOf(rate, context, editing)),
      empty:
        search === undefined
          ? { title: 'The plan has no rates yet', text: 'Import a deck, or add one below.' }
          : { title: 'No rate is like that' },
    } satisfies Table,
    pager: {
      text: 'In the order of prefixes',
      first: after ? address(path, { search }) : null,
      next: hasMore ? address(path, { search, after: rateKey(rows.at(-1)!) }) : null,
    },
    forms: visit.may('rates:write')
      ? [{ title: 'Add a rate', form: addForm(visit, plan, path, doing.adding ?? null) }]
      : [],
  })
}

const COLUMNS: Table['columns'] = [
  { label: 'Prefix' },
  { label: 'Destination', kind: 'text' },
  { label: 'A minute', kind: 'number' },
  { label: 'Setup', kind: 'number' },
  { label: 'Steps, s', kind: 'number' },
  { label: 'Period' },
  { label: 'In force', kind: 'text' },
]

interface Context {
  readonly visit: Visit
  readonly path: string
  readonly search: string
}

function rowOf(rate: RateJson, context: Context, editing: Doing['editing'] | null): Row {
  const { visit, path, search } = context
  const key = rateKey(rate)
  const id = `rate-${key}`
  if (editing?.key === key && visit.may('rates:write')) {
    return { id, cells: [], form: editForm(rate, context, editing.problem) }
  }
  const { prefix, description, per_minute, setup, minimum, increment, free_s, blocked } = rate
  const free = free_s === 0 ? '' : `, ${free_s} free`
  return {
    id,
    cells: [
      { code: prefix || 'any' },
      description,
      blocked ? { badge: 'blocked' } : { money: per_minute },
      blocked ? null : { money: setup },
      blocked ? null : `${minimum}/${increment}${free}`,
      rate.period,
      inForce(rate),
    ],
    ...(visit.may('rates:write') && {
      actions: [
        {
          text: 'Edit',
          href: `${address(path, { search, edit: key })}#${encodeURI(id)}`,
          swap: id,
        },
        visit.form({
          action: `${path}/delete-rate`,
          submit: 'Delete',
          small: true,
          hidden: { key, search },
          confirm: `Delete the rate for ${prefix || 'any number'}${description ? `, ${description}` : ''}?`,
        }),
      ],
    }),
  }
}

function inForce({ from, until }: RateJson) {
  if (from === null && until === null) return 'always'
  const start = from === null ? [] : ['from', { at: from }]
  return { parts: [...start, ...(until === null ? [] : ['until', { at: until }])] }
}

function editForm(rate: RateJson, context: Context, problem: string | null): Form {
  const { visit, path, search } = context
  const typed = problem === null ? null : visit.typed
  const values = typed ?? {
    ...rate,
    blocked: rate.blocked ? 'yes' : '',
    until: rate.until ?? '',
  }
  const { prefix, description, period } = rate
  return visit.form({
    action: `${path}/set`,
    submit: 'Save',
    cancel: address(path, { search }),
    hidden: { key: rateKey(rate), search, ...visit.versionOf(rate) },
    wide: true,
    problem,
    id: 'edit',
    title: [prefix || 'any', description, period].filter(Boolean).join(' · '),
    fields: termFields(values),
  })
}

function addForm(visit: Visit, plan: PlanJson, path: string, problem: string | null): Form {
  const typed = problem === null ? {} : visit.typed
  const key: Field[] = [
    { name: 'prefix', label: 'Prefix', value: typed['prefix'] ?? '', hint: 'Like 44' },
    ...(plan.periods.length === 0
      ? []
      : [
          {
            name: 'period',
            label: 'Period',
            type: 'select' as const,
            value: typed['period'] ?? '',
            options: [
              { value: '', label: 'Base' },
              ...plan.periods.map(({ name }) => ({ value: name, label: name })),
            ],
          },
        ]),
    { name: 'from', label: 'From', value: typed['from'] ?? '', hint: 'Empty: at once' },
  ]
  return visit.form({
    action: `${path}/add`,
    submit: 'Add the rate',
    wide: true,
    problem,
    id: 'add',
    fields: [...key, ...termFields(typed)],
  })
}

type Values = Readonly<Record<string, string | number | boolean | null>>

function termFields(values: Values): Field[] {
  const field = (name: string, label: string, more: Partial<Field> = {}): Field => ({
    name,
    label,
    value: String(values[name] ?? ''),
    ...more,
  })
  return [
    field('description', 'Destination'),
    field('per_minute', 'A minute', { type: 'money' }),
    field('setup', 'Setup', { type: 'money' }),
    field('minimum', 'Minimum, s', { type: 'whole' }),
    field('increment', 'Increment, s', { type: 'whole' }),
    field('free_s', 'Free, s', { type: 'whole', hint: 'Calls that end so soon cost nothing' }),
    field('until', 'Until', { hint: 'Like 2026-12-31' }),
    field('blocked', 'Block these numbers', { type: 'check' }),
  ]
}
