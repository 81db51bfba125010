/** The list of plans, and the terms of one: its numbers, its costs and its periods. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { PlanJson } from '../../../provisioning/rate-fields.js'
import type { WebParts } from '../../parts.js'
import { pathTo, sentenceOf, Visit } from '../page.js'
import { planFrame } from '../plan-frame.js'
import { problemStatus } from '../problem-status.js'
import { quoteFilters } from '../quote-form.js'
import type { Field, Row, Table } from '../shown.js'
import { view } from '../views.js'

/** What a plan may do without. */
const OPTIONAL_TERMS = [
  'cost_plan',
  'tech_prefix',
  'international',
  'country_code',
  'trunk_prefix',
  'national_digits',
] as const

export function plansPages(app: FastifyInstance, parts: WebParts): void {
  app.get('/rates', async (request, reply) => {
    return plans(new Visit(request, 'rates:read'), reply, parts, null)
  })
  app.post('/rates', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    try {
      const { name } = visit.typed
      const plan = await visit.perform(parts.services, 'planCreate', { name })
      return reply.redirect(`${pathTo('rates', plan.name)}?said=plan_created`, 303)
    } catch (error) {
      return plans(visit, reply.code(problemStatus(error)), parts, sentenceOf(error))
    }
  })
  app.get('/rates/:plan/terms', async (request, reply) => {
    return terms(new Visit(request, 'rates:read'), reply, parts, null)
  })
  app.post('/rates/:plan/terms', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    const { plan: name = '' } = visit.params
    const { zone, refuse_loss = 'no' } = visit.typed
    const terms = { zone, refuse_loss, ...visit.set(...OPTIONAL_TERMS) }
    return done(visit, reply, parts, 'planSet', { name, ...terms, ...visit.version })
  })
  app.post('/rates/:plan/periods', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    const { name, hours } = visit.typed
    return done(visit, reply, parts, 'periodSet', { plan: visit.params['plan'], name, hours })
  })
  app.post('/rates/:plan/periods/:period/delete', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    const { plan, period: name } = visit.params
    return done(visit, reply, parts, 'periodDelete', { plan, name })
  })
  app.post('/rates/:plan/delete', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    try {
      await visit.perform(parts.services, 'planDelete', { name: visit.params['plan'] })
      return reply.redirect('/rates?said=plan_deleted', 303)
    } catch (error) {
      return terms(visit, reply.code(problemStatus(error)), parts, sentenceOf(error))
    }
  })
}

/** Back to the terms, with what was done or why it was not. */
async function done(
  visit: Visit,
  reply: FastifyReply,
  parts: WebParts,
  operation: 'planSet' | 'periodSet' | 'periodDelete',
  input: Readonly<Record<string, unknown>>,
): Promise<FastifyReply> {
  try {
    await visit.perform(parts.services, operation, input)
    return reply.redirect(`${pathTo('rates', visit.params['plan']!)}/terms?said=plan_saved`, 303)
  } catch (error) {
    return terms(visit, reply.code(problemStatus(error)), parts, sentenceOf(error))
  }
}

async function plans(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  problem: string | null,
): Promise<FastifyReply> {
  const all = await services.rates.planList()
  return view(visit.request, reply, 'plans', {
    title: 'Rates',
    quote: quoteFilters({}, all),
    table: planTable(all),
    create: visit.formFor('rates:write', {
      action: '/rates',
      submit: 'Make the plan',
      problem,
      fields: [
        {
          name: 'name',
          label: 'Name of a new plan',
          value: visit.typed['name'] ?? '',
          required: true,
          hint: 'Letters, digits, dots and dashes',
        },
      ],
    }),
  })
}

function planTable(plans: readonly PlanJson[]): Table {
  return {
    caption: 'Rate plans',
    columns: [
      { label: 'Plan' },
      { label: 'Rates', kind: 'number' },
      { label: 'Periods', kind: 'text' },
      { label: 'Cost plan' },
      { label: 'Time zone' },
    ],
    rows: plans.map(
      ({ name, rates, periods, cost_plan, zone }): Row => ({
        cells: [
          { text: name, href: pathTo('rates', name) },
          rates,
          periods.map(period => period.name).join(', '),
          cost_plan === null ? null : { text: cost_plan, href: pathTo('rates', cost_plan) },
          zone,
        ],
      }),
    ),
    empty: {
      title: 'There are no plans yet',
      text: 'A plan has the rates that calls are charged by.',
    },
  }
}

async function terms(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  problem: string | null,
): Promise<FastifyReply> {
  const name = visit.params['plan'] ?? ''
  const plan = await services.rates.planShow({ name })
  const all = await services.rates.planList()
  const path = pathTo('rates', name)
  const periods = plan.periods.map(
    (period): Row => ({
      cells: [{ code: period.name }, { code: period.hours }],
      actions: visit.formFor('rates:write', {
        action: `${path}${pathTo('periods', period.name)}/delete`,
        submit: 'Delete',
        small: true,
        confirm: `Delete the period ${period.name} of ${name}?`,
      }),
    }),
  )
  return view(visit.request, reply, 'plan-terms', {
    ...planFrame(visit, plan, '/terms'),
    problem,
    terms: visit.formFor('rates:write', {
      action: `${path}/terms`,
      submit: 'Save',
      wide: true,
      hidden: visit.versionOf(plan),
      fields: termFields(plan, all),
    }),
    table: {
      caption: 'Periods',
      columns: [{ label: 'Period' }, { label: 'Hours', kind: 'text' }],
      rows: periods,
      empty: { title: 'No periods', text: 'Its rates are in force at any hour.' },
    } satisfies Table,
    period: visit.formFor('rates:write', {
      action: `${path}/periods`,
      submit: 'Set the period',
      wide: true,
      fields: [
        { name: 'name', label: 'Period', required: true },
        { name: 'hours', label: 'Hours', required: true, hint: 'Like mon-fri 08:00-18:00' },
      ],
    }),
    remove: visit.formFor('rates:write', {
      action: `${path}/delete`,
      submit: 'Delete the plan',
      tone: 'danger',
      confirm: `Delete the plan ${name} with its ${plan.rates} rates?`,
    }),
  })
}

function termFields(plan: PlanJson, all: readonly PlanJson[]): Field[] {
  const text = (value: string | number | null) => (value === null ? '' : String(value))
  const others = all.filter(({ name }) => name !== plan.name)
  return [
    { name: 'zone', label: 'Time zone', value: plan.zone, required: true, hint: 'Of its periods' },
    {
      name: 'cost_plan',
      label: 'Cost plan',
      type: 'select',
      value: text(plan.cost_plan),
      hint: 'What the carrier charges',
      options: [
        { value: '', label: 'None' },
        ...others.map(({ name }) => ({ value: name, label: name })),
      ],
    },
    { name: 'tech_prefix', label: 'Tech prefix', value: text(plan.tech_prefix) },
    {
      name: 'international',
      label: 'International prefixes',
      value: plan.international.join(','),
      hint: 'Like 00,011',
    },
    { name: 'country_code', label: 'Country code', type: 'whole', value: text(plan.country_code) },
    { name: 'trunk_prefix', label: 'Trunk prefix', type: 'whole', value: text(plan.trunk_prefix) },
    {
      name: 'national_digits',
      label: 'National digits',
      type: 'whole',
      value: text(plan.national_digits),
    },
    {
      name: 'refuse_loss',
      label: 'Refuse calls that lose money',
      type: 'check',
      value: plan.refuse_loss ? 'yes' : '',
    },
  ]
}
