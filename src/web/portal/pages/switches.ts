/** The switches, and how well they are heard. */
import type { FastifyInstance } from 'fastify'
import type { WebParts } from '../../parts.js'
import { Visit } from '../page.js'
import { switchTable } from '../switch-table.js'
import { view } from '../views.js'

export function switchesPages(app: FastifyInstance, { services }: WebParts): void {
  app.get('/switches', async (request, reply) => {
    // Only looked at: they are named in tollgate.toml, beside the passwords of their event sockets.
    new Visit(request, 'switches:read')
    const table = await switchTable(services, true)
    return view(request, reply, 'list', { title: 'Switches', table })
  })
}
