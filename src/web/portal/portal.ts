/** The portal: pages for people. It stands on the same services as the API. */
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import type { WebParts } from '../parts.js'
import { principalOf } from '../principals.js'
import { accessPages } from './access-pages.js'
import { view } from './views.js'

export async function portal(app: FastifyInstance, { parts }: { parts: WebParts }): Promise<void> {
  await app.register(fastifyStatic, {
    root: join(import.meta.dirname, 'assets'),
    prefix: '/assets/',
    cacheControl: false,
    setHeaders: answer => answer.setHeader('cache-control', 'no-cache'),
  })
  accessPages(app, parts)
  app.get('/', (request, reply) => {
    const { name } = principalOf(request)
    return view(request, reply, 'home', { title: 'Tollgate', name })
  })
}
