/**
 * Against other sites that make a browser ask us with the cookie of who is logged in: what changes
 * anything must come from a page of ours, and show the token of the session. Programs with a token of
 * their own have no cookie, and need none of this.
 */
import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Refusal } from './refusal.js'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/** In a form; a script sends it as the header. */
export const CSRF_FIELD = 'csrf'
const CSRF_HEADER = 'x-csrf-token'

export function refuseForeignForms(app: FastifyInstance): void {
  app.addHook('preHandler', async request => {
    if (SAFE_METHODS.includes(request.method) || request.headers.authorization) return
    if (!isFromHere(request)) throw refused()
    const session = request.principal?.session
    // Without a session there is only the log-in, which proves itself by the password.
    if (session && !isSame(shownBy(request), session.csrf)) throw refused()
  })
}

/** What browsers tell of where a request comes from. Old ones, and programs, say nothing. */
function isFromHere({ headers, host }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const { origin } = headers
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)
}

function shownBy(request: FastifyRequest): string {
  const header = request.headers[CSRF_HEADER]
  if (typeof header === 'string') return header
  const field = (request.body as Record<string, unknown> | null | undefined)?.[CSRF_FIELD]
  return typeof field === 'string' ? field : ''
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function refused(): Refusal {
  const sentence = 'This did not come from a page of ours that is still good: load the page again'
  return new Refusal(403, 'bad_csrf_token', sentence)
}
