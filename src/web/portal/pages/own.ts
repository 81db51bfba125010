/** What an account holder sees: his own account, its rates and its calls, and nothing else. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ownView } from '../../api/own-view.js'
import type { WebParts } from '../../parts.js'
import { principalOf } from '../../principals.js'
import { endedCalls } from '../call-list.js'
import { liveTable } from '../live-table.js'
import { forbidden, sentenceOf, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import { view } from '../views.js'
import { tiles } from './account.js'
import { answerOf, quoted } from './quote.js'

export function ownPages(app: FastifyInstance, { services }: WebParts): void {
  app.get('/own', async (request, reply) => {
    const visit = ownVisit(request)
    const account = await services.ledger.accountShow({ code: visit.account })
    return view(request, reply, 'own', {
      title: account.name || account.code,
      lead: account.code,
      badges: [account.state, ...(account.low ? ['low'] : [])],
      scripts: ['/assets/live.js'],
      tiles: tiles(account),
      live: liveTable(visit, visit.account),
    })
  })
  app.get('/own/rates', async (request, reply) => {
    const { account, query } = ownVisit(request)
    const page = {
      title: 'Rates',
      lead: 'What a call would cost',
      quote: {
        action: '/own/rates',
        submit: 'Ask',
        fields: [
          { name: 'number', label: 'Number', value: query['number'] ?? '', wide: true },
          { name: 'seconds', label: 'Seconds', type: 'whole', value: query['seconds'] ?? '60' },
        ],
      },
      problem: null,
      answer: null,
    }
    const { number, seconds } = query
    if (number === undefined) return view(request, reply, 'quote', page)
    try {
      const found = await quoted(services, { number, account, ...(seconds && { seconds }) })
      return view(request, reply, 'quote', { ...page, answer: answerOf(ownView(found), false) })
    } catch (error) {
      const problem = sentenceOf(error)
      return view(request, reply.code(problemStatus(error)), 'quote', { ...page, problem })
    }
  })
  app.get('/own/calls', async (request, reply) => {
    const visit = ownVisit(request)
    const { account } = visit
    const list = { path: '/own/calls', account, hours: 30 * 24, forOperators: false }
    return view(request, reply, 'list', {
      title: 'Calls',
      ...(await endedCalls(visit, services, list)),
    })
  })
}

/** @throws Refusal for everybody who is no account holder */
function ownVisit(request: FastifyRequest): Visit & { readonly account: string } {
  const { account } = principalOf(request)
  if (account === null) throw forbidden()
  return Object.assign(new Visit(request, null), { account })
}
