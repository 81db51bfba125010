/** Pages from templates. What a template shows with `<%=` is escaped; only parts of ours are not. */
import { join } from 'node:path'
import { Eta } from 'eta'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../http/problem.js'
import { frameOf } from './frame.js'
import { amountParts, inWords, type Notice, TONES } from './shown.js'

/** Templates reach these as `this`. */
class Views extends Eta {
  readonly amountParts = amountParts
  readonly inWords = inWords
  readonly tones = TONES

  /** A part of a page. It gets what it is given and, other than with include(), nothing of the page. */
  part(name: string, shown: object): string {
    return this.render(`/partials/${name}`, shown)
  }
}

const views = new Views({ views: join(import.meta.dirname, 'templates'), cache: true })

/** Fields of a page; every one has `title`. What all pages have is added here. */
export type Page = Readonly<Record<string, unknown>> & { readonly title: string }

/** Renders `templates/NAME.eta`; `it.frame` is null for who has not logged in. */
export function view(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  page: Page,
): FastifyReply {
  const { principal } = request
  const told = page['notice'] as Notice | undefined
  const frame = principal && frameOf(principal, request.url, told)
  const shared = { frame, csrf: frame?.csrf ?? '' }
  return reply
    .type('text/html; charset=utf-8')
    .send(views.render(`/${name}`, { ...shared, ...page }))
}

export function errorPage(
  request: FastifyRequest,
  reply: FastifyReply,
  { title, detail }: Problem,
): FastifyReply {
  return view(request, reply, request.principal ? 'error' : 'error-alone', { title, detail })
}
