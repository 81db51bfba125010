/**
 * The web service: the HTTP API under /api/v1, and the portal. It opens no file and listens nowhere,
 * so tests ask it by inject(); web-service/ runs it beside the daemon, in a thread of its own.
 */
import fastifyCookie from '@fastify/cookie'
import fastifyFormbody from '@fastify/formbody'
import fastifyHelmet from '@fastify/helmet'
import fastifyRateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { api } from './api/api.js'
import { refuseForeignForms } from './csrf.js'
import { answerErrors, sendProblem } from './errors.js'
import type { WebParts } from './parts.js'
import { portal } from './portal/portal.js'
import { recognisePrincipals } from './principals.js'
import { Refusal } from './refusal.js'

/** Longer than any name that passes its check, so that the check can say what is wrong. */
const PARAMETER_CHARS_MAX = 16_384

/** What is typed; decks have a limit of their own. */
const BODY_BYTES_MAX = 2 ** 20

const REQUEST_TIMEOUT_MS = 30_000
const CHECK_MS = 1_000

/** Of one user, token or unknown address: a program gone wild must not keep the others out. */
const REQUESTS = { max: 6_000, timeWindow: 60_000 }

/** Nothing from elsewhere, no script in a page, and no page of ours in another's frame. */
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
}

function tooManyRequests(retryAfterS: number): Refusal {
  const sentence = `Too many requests: wait ${retryAfterS} seconds`
  return new Refusal(429, 'too_many_requests', sentence, retryAfterS)
}

export async function createWeb(parts: WebParts): Promise<FastifyInstance> {
  const { trustedProxies } = parts.settings
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
    // Live events must not hold up the end of the service.
    forceCloseConnections: true,
    http: { connectionsCheckingInterval: CHECK_MS, headersTimeout: REQUEST_TIMEOUT_MS },
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply as FastifyReply, 400, 'bad_request', error.message)
    },
  })
  await app.register(fastifyHelmet, {
    contentSecurityPolicy: CONTENT_SECURITY_POLICY,
    referrerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
    // Only this host: what else the operator serves beside it is not ours to say.
    strictTransportSecurity: { includeSubDomains: false },
  })
  await app.register(fastifyCookie)
  await app.register(fastifyFormbody)
  app.addHook('onSend', async (_request, reply) => {
    // What is behind a log-in is for nobody's cache, unless a route says so.
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  answerErrors(app, parts)
  recognisePrincipals(app, parts)
  await app.register(fastifyRateLimit, {
    ...REQUESTS,
    keyGenerator: ({ principal, ip }) => principal?.actor ?? ip,
    errorResponseBuilder: (_request, { ttl }) => tooManyRequests(Math.ceil(ttl / 1000)),
  })
  refuseForeignForms(app)
  await app.register(api, { prefix: '/api', parts })
  await app.register(portal, { parts })
  return app
}
