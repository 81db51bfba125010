/** Importing a deck: dropped on the page, looked at as a dry run, then confirmed. deck.js does it by the API. */
import type { FastifyInstance } from 'fastify'
import { DATE_FORMATS } from '../../../rating/deck-cells.js'
import type { WebParts } from '../../parts.js'
import { Visit } from '../page.js'
import { planFrame } from '../plan-frame.js'
import type { Column, Field } from '../shown.js'
import { view } from '../views.js'

/** The largest changes, as deck.js fills them in. */
const CHANGES: readonly Column[] = [
  { label: 'Prefix', name: 'prefix' },
  { label: 'Destination', name: 'description', kind: 'text' },
  { label: 'What', name: 'what' },
  { label: 'Before', name: 'before', kind: 'number' },
  { label: 'After', name: 'after', kind: 'number' },
  { label: 'Change', name: 'difference', kind: 'number' },
]

const TERMS: readonly Field[] = [
  {
    name: 'mode',
    label: 'What is not in the deck',
    type: 'select',
    options: [
      { value: 'merge', label: 'stays' },
      { value: 'replace', label: 'goes' },
    ],
  },
  { name: 'effective', label: 'In force from', hint: 'Empty: at once. Like 2026-12-01' },
  {
    name: 'map',
    label: 'Columns',
    hint: 'Where they are not found: Dial Code=prefix,Our Price=per_minute',
  },
  {
    name: 'date_format',
    label: 'Dates',
    type: 'select',
    options: [
      { value: '', label: 'found out' },
      ...DATE_FORMATS.map(value => ({ value, label: value })),
    ],
  },
  { name: 'decimal_comma', label: 'Decimal commas', type: 'check' },
  { name: 'skip_bad', label: 'Leave out bad lines', type: 'check' },
]

export function decksPages(app: FastifyInstance, { services }: WebParts): void {
  app.get('/rates/:plan/import', async (request, reply) => {
    const visit = new Visit(request, 'rates:write')
    const plan = await services.rates.planShow({ name: visit.params['plan'] })
    return view(request, reply, 'deck', {
      ...planFrame(visit, plan, '/import'),
      scripts: ['/assets/deck.js'],
      plan: plan.name,
      columns: CHANGES,
      terms: TERMS,
    })
  })
}
