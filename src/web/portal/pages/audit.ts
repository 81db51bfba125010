/** Who changed what. */
import type { FastifyInstance } from 'fastify'
import { type AuditJson, auditKey } from '../../../provisioning/audit.js'
import { given } from '../../../provisioning/fields.js'
import type { WebParts } from '../../parts.js'
import { address, firstRows, PAGE_ROWS, pathTo, sentenceOf, Visit } from '../page.js'
import type { Cell, Row, Table } from '../shown.js'
import { view } from '../views.js'

export function auditPages(app: FastifyInstance, { services }: WebParts): void {
  app.get('/audit', async (request, reply) => {
    const { query } = new Visit(request, 'audit:read')
    const { actor, subject, from, to, after } = query
    const filter = { actor, subject, from, to }
    const page = { title: 'Audit', filters: filtersOf(filter) }
    try {
      const found = await services.ledger.auditList({
        ...given({ ...filter, after }),
        limit: PAGE_ROWS + 1,
      })
      const { rows, hasMore } = firstRows(found)
      const next = hasMore ? address('/audit', { ...filter, after: auditKey(rows, after) }) : null
      const first = after ? address('/audit', filter) : null
      const pager = { text: 'The newest first', first, next }
      return view(request, reply, 'list', { ...page, table: tableOf(rows), pager })
    } catch (error) {
      const problem = sentenceOf(error)
      return view(request, reply.code(400), 'list', { ...page, table: tableOf([]), problem })
    }
  })
}

type Filter = Readonly<Record<'actor' | 'subject' | 'from' | 'to', string | undefined>>

function filtersOf(filter: Filter) {
  const value = (name: keyof Filter) => ({ name, value: filter[name] ?? '' })
  return {
    action: '/audit',
    clear: Object.values(filter).some(Boolean) ? '/audit' : null,
    fields: [
      { ...value('actor'), label: 'By', placeholder: 'user:anna' },
      { ...value('subject'), label: 'What was changed', placeholder: 'account ALICE', wide: true },
      { ...value('from'), label: 'From (UTC)', type: 'time' as const },
      { ...value('to'), label: 'To (UTC)', type: 'time' as const },
    ],
  }
}

function tableOf(records: readonly AuditJson[]): Table {
  return {
    caption: 'Changes',
    columns: [
      { label: 'When' },
      { label: 'By', kind: 'text' },
      { label: 'Did' },
      { label: 'To', kind: 'text' },
      { label: 'What changed', kind: 'text' },
    ],
    rows: records.map(
      (record): Row => ({
        cells: [
          { at: record.at },
          record.actor,
          { code: record.action },
          subjectCell(record.subject),
          { changes: changesOf(record) },
        ],
      }),
    ),
    empty: { title: 'Nothing has been changed' },
  }
}

const PLACES: Readonly<Record<string, string>> = {
  account: 'accounts',
  plan: 'rates',
  call: 'calls',
  user: 'users',
}

/** `account ALICE` leads to its page. */
function subjectCell(subject: string): Cell {
  const [what = '', name] = subject.split(' ', 2)
  const place = PLACES[what]
  return place && name ? { text: subject, href: pathTo(place, name) } : subject
}

/** Each field that changed, from what to what. */
function changesOf({ before, after }: AuditJson) {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])
  return [...names]
    .map(name => ({ name, before: textOf(before?.[name]), after: textOf(after?.[name]) }))
    .filter(change => change.before !== change.after)
}

/** Long enough to tell one from another. */
const TEXT_CHARS_MAX = 80

function textOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return ''
  if (Array.isArray(value) && value.every(part => typeof part === 'string')) {
    return value.join(', ')
  }
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text
}
