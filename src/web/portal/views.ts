/** Pages from templates. What a template shows with `<%=` is escaped; nothing is shown unescaped. */
import { join } from 'node:path'
import { Eta } from 'eta'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../http/problem.js'

const eta = new Eta({
  views: join(import.meta.dirname, 'templates'),
  cache: true,
})

/** Fields of a page; every one has `title`. What all pages have is added here. */
export type Page = Readonly<Record<string, unknown>> & { readonly title: string }

/** Renders `templates/NAME.eta`: `it.principal` is null for who has not logged in. */
export function view(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  page: Page,
): FastifyReply {
  const { principal } = request
  const shared = { principal, csrf: principal?.session?.csrf ?? '', path: request.url }
  return reply.type('text/html; charset=utf-8').send(eta.render(name, { ...shared, ...page }))
}

export function errorPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { title, detail }: Problem,
): FastifyReply {
  return view(request, reply, 'error', { title, detail })
}
