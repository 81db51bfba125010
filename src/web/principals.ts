/** Who asks: found out for each request from its token or its session, before anything else. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Session, Token } from '../access/access.js'
import { type Principal, scopesOf } from '../access/principal.js'
import { hashSecret } from '../access/secrets.js'
import { Tries } from '../access/tries.js'
import type { WebParts } from './parts.js'
import { notLoggedIn, Refusal } from './refusal.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where nobody has logged in. */
    principal: Principal | null
  }
}

export const SESSION_COOKIE = 'tollgate_session'

/** Tokens that are none, from one address. */
const BAD_TOKENS_MAX = 30
const BAD_TOKENS_WINDOW_MS = 60_000

export function recognisePrincipals(app: FastifyInstance, parts: WebParts): void {
  const guesses = new Tries<FastifyRequest>([
    { max: BAD_TOKENS_MAX, windowMs: BAD_TOKENS_WINDOW_MS, key: ({ ip }) => `token ${ip}` },
  ])
  app.decorateRequest('principal', null)
  app.addHook('onRequest', async request => {
    const { authorization } = request.headers
    if (authorization === undefined) {
      request.principal = (await sessionPrincipal(request, parts)) ?? null
      return
    }
    const wasRight = guesses.begin(request)
    const shown = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? ''
    const token = await parts.services.tokens.use(shown)
    if (!token) {
      throw new Refusal(401, 'bad_token', 'The token is unknown, has expired or was revoked')
    }
    wasRight()
    request.principal = ofToken(token)
  })
}

/** @throws Refusal where nobody has logged in */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal) return request.principal
  throw notLoggedIn()
}

/** Whether who asked then would still be let in now. */
export async function isStillKnown(request: FastifyRequest, parts: WebParts): Promise<boolean> {
  const { principal } = request
  if (principal?.session) return (await sessionPrincipal(request, parts)) !== undefined
  const shown = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return (await parts.services.tokens.use(shown)) !== undefined
}

async function sessionPrincipal(request: FastifyRequest, { services }: WebParts) {
  const cookie = request.cookies[SESSION_COOKIE]
  if (!cookie) return undefined
  const session = await services.sessions.find(hashSecret(cookie))
  return session && ofSession(session)
}

function ofSession({ hash, user, csrf }: Session): Principal {
  return {
    actor: `user:${user.name}`,
    name: user.name,
    role: user.role,
    scopes: scopesOf(user.role),
    account: user.account,
    session: { userId: user.id, hash, csrf },
  }
}

function ofToken({ name, role, scopes }: Token): Principal {
  const actor = `token:${name}`
  return { actor, name, role, scopes: new Set(scopes), account: null, session: null }
}
