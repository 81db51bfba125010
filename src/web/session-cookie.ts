/** Beginning and ending the session of a user. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { User } from '../access/access.js'
import { hashSecret, newSecret } from '../access/secrets.js'
import type { WebParts } from './parts.js'
import { SESSION_COOKIE } from './principals.js'

/** A new one at every log-in: an id that somebody has planted in the browser is worth nothing. */
export async function beginSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { services }: WebParts,
  user: User,
): Promise<void> {
  const secret = newSecret()
  const old = request.cookies[SESSION_COOKIE]
  await services.sessions.begin({
    hash: hashSecret(secret),
    userId: user.id,
    csrf: newSecret(),
    old: old ? hashSecret(old) : null,
  })
  reply.setCookie(SESSION_COOKIE, secret, cookieOptions(request))
}

export async function endSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { services }: WebParts,
): Promise<void> {
  const session = request.principal?.session
  if (session) await services.sessions.end(session.hash)
  reply.clearCookie(SESSION_COOKIE, cookieOptions(request))
}

/** Lax, so that a link in a mail finds who is logged in; what changes anything shows the CSRF token. */
function cookieOptions({ protocol }: FastifyRequest) {
  const secure = protocol === 'https'
  return { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
}
