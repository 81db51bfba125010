/** Calls: the live ones, those that have ended, and the story of one. */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { formatInstant } from '../../../call/cdr.js'
import { BookError } from '../../../ledger/books.js'
import type { WebParts } from '../../parts.js'
import { endedCalls } from '../call-list.js'
import { factsOf, happeningsOf } from '../call-story.js'
import { liveTable } from '../live-table.js'
import { pathTo, sentenceOf, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import type { Form } from '../shown.js'
import { view } from '../views.js'

export function callsPages(app: FastifyInstance, parts: WebParts): void {
  app.get('/live', (request, reply) => {
    const visit = new Visit(request, 'calls:read')
    return view(request, reply, 'live', {
      title: 'Live calls',
      scripts: ['/assets/live.js'],
      live: liveTable(visit, null),
    })
  })
  app.post('/live/:call/kill', async (request, reply) => {
    const visit = new Visit(request, 'calls:kill')
    await visit.perform(parts.services, 'callKill', { call_id: visit.params['call'] })
    return reply.code(204).send()
  })
  app.get('/calls', async (request, reply) => {
    const visit = new Visit(request, 'calls:read')
    const list = { path: '/calls', account: null, hours: 24, forOperators: true }
    const shown = await endedCalls(visit, parts.services, list)
    return view(request, reply, 'list', { title: 'Calls', ...shown })
  })
  app.get('/calls/:call', async (request, reply) => {
    return story(new Visit(request, 'calls:read'), reply, parts, null)
  })
  app.post('/calls/:call/refunds', async (request, reply) => {
    const visit = new Visit(request, 'money:write')
    const { call = '' } = visit.params
    const { amount, reference, reason } = visit.typed
    try {
      const refund = { call_id: call, amount, reference, reason }
      await visit.perform(parts.services, 'refund', refund)
      return reply.redirect(`${pathTo('calls', call)}?said=refund`, 303)
    } catch (error) {
      return story(visit, reply.code(problemStatus(error)), parts, sentenceOf(error))
    }
  })
}

async function story(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  problem: string | null,
): Promise<FastifyReply> {
  const { call: callId = '' } = visit.params
  const record = await services.browsing.call(callId)
  if (!record) {
    if (await services.browsing.unseenCall(callId)) {
      return reply.redirect(pathTo('unseen-calls', callId), 303)
    }
    throw new BookError(
      'unknown_call',
      'There is no ended call of this id; a live one is in the list of live calls',
    )
  }
  const { cdr } = record
  return view(visit.request, reply, 'call', {
    title: cdr.number ?? cdr.dialled,
    crumb: { text: 'Calls', href: '/calls' },
    lead: { at: formatInstant(cdr.createdAt) },
    badges: [cdr.outcome, ...(cdr.corrected ? ['corrected'] : [])],
    happenings: happeningsOf(record),
    facts: factsOf(record),
    refund: cdr.cost > 0n ? refundForm(visit, callId, problem) : null,
  })
}

function refundForm(visit: Visit, callId: string, problem: string | null): Form | null {
  if (!visit.may('money:write')) return null
  const { typed } = visit
  return visit.form({
    action: `${pathTo('calls', callId)}/refunds`,
    submit: 'Refund',
    hidden: { reference: typed['reference'] ?? randomUUID() },
    problem,
    fields: [
      {
        name: 'amount',
        label: 'Amount',
        type: 'money',
        value: typed['amount'] ?? '',
        hint: 'Empty: all that is left of its cost',
      },
      { name: 'reason', label: 'Reason', value: typed['reason'] ?? '' },
    ],
  })
}
