/** Everything under /api: programs, and the scripts of our pages. */
import type { FastifyInstance } from 'fastify'
import type { WebParts } from '../parts.js'
import { cdrCsvRoute } from './cdr-csv.js'
import { applyRoute, deckRoutes } from './decks.js'
import { docs } from './docs.js'
import { answerOnce } from './idempotency.js'
import { liveEvents } from './live-events.js'
import { operationRoutes } from './routes.js'

export async function api(app: FastifyInstance, { parts }: { parts: WebParts }): Promise<void> {
  // What a form of another site can send without asking.
  app.removeContentTypeParser(['application/x-www-form-urlencoded', 'text/plain'])
  answerOnce(app, parts)
  operationRoutes(app, parts)
  applyRoute(app, parts)
  cdrCsvRoute(app, parts)
  app.get('/v1/calls/events', (request, reply) => liveEvents(request, reply, parts))
  await app.register(deckRoutes, { parts })
  await app.register(docs)
}
