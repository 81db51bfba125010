/** Everything under /api. */
import type { FastifyInstance } from 'fastify'
import type { WebParts } from '../parts.js'
import { liveEvents } from './live-events.js'

export async function api(app: FastifyInstance, { parts }: { parts: WebParts }): Promise<void> {
  app.get('/v1/calls/events', (request, reply) => liveEvents(request, reply, parts))
}
