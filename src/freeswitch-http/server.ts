/**
 * The HTTP service that FreeSWITCH itself calls: mod_xml_curl and whatever else has a route. Who does
 * not know the secret learns nothing, not even which routes there are; who is slow is cut off.
 */
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import { Doorkeeper } from './doorkeeper.js'
import type { Route } from './route.js'

export interface FreeswitchHttpOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly secret: string
  readonly routes: readonly Route[]
  readonly log: Logger
  /** How long a request may take to arrive, headers and all; left out: 5 s. */
  readonly requestTimeoutMs?: number
}

export interface FreeswitchHttp {
  readonly port: number
  close(): Promise<void>
}

/** The address cannot be listened on. `message` is a sentence for the operator. */
export class ListenError extends Error {
  override name = 'ListenError'
  readonly code = 'cannot_listen'
}

/** FreeSWITCH sends its 2 kB at once, and gives us up after 3 s or so. */
const REQUEST_TIMEOUT_MS = 5_000

/** FreeSWITCH has a connection for each thread that asks: a few hundred at the worst. */
const CONNECTIONS_MAX = 1_000

/** How exactly late requests are found. Node's own half a minute would leave time to pile them up. */
const CHECK_MS = 500

/** @throws ListenError */
export async function startFreeswitchHttp(options: FreeswitchHttpOptions): Promise<FreeswitchHttp> {
  const { host, port, log } = options
  const app = createServer(options)
  try {
    await app.listen({ host, port, listenTextResolver: () => '' })
  } catch (error) {
    const why = (error as Error).message
    throw new ListenError(`FreeSWITCH cannot be served on ${host}, port ${port}: ${why}`)
  }
  const { port: bound } = app.server.address() as AddressInfo
  log.info({ host, port: bound }, 'serving FreeSWITCH over HTTP')
  return { port: bound, close: () => app.close() }
}

function createServer(options: FreeswitchHttpOptions): FastifyInstance {
  const { routes, log, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options
  const app = Fastify({
    // Here for fastify, below for the limit that Node derives for the headers alone.
    requestTimeout: requestTimeoutMs,
    // Connections that say nothing must not hold up the end of the daemon.
    forceCloseConnections: true,
    frameworkErrors: (_error, _request, reply) => void (reply as FastifyReply).code(400).send(),
    http: { connectionsCheckingInterval: CHECK_MS, requestTimeout: requestTimeoutMs },
  })
  app.server.maxConnections = CONNECTIONS_MAX
  const doorkeeper = new Doorkeeper(options.secret, log)
  app.addHook('onRequest', async (request, reply) => {
    if (doorkeeper.admits(request.headers.authorization, request.ip)) return
    // Before the body has been read: the connection cannot go on.
    reply.header('connection', 'close').header('www-authenticate', 'Basic realm="tollgate"')
    return reply.code(401).send()
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_: unknown, body: unknown) => body)
  for (const route of routes) addRoute(app, route)
  app.setNotFoundHandler((_request, reply) => reply.code(404).send())
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    const path = request.url.split('?')[0]
    if (status >= 500) log.error({ error, path }, 'FreeSWITCH could not be answered')
    else log.warn({ path, status, why: error.message }, 'a request of FreeSWITCH was refused')
    return reply.code(status).send()
  })
  return app
}

function addRoute(app: FastifyInstance, { path, bodyBytesMax, answer }: Route): void {
  app.post(path, { bodyLimit: bodyBytesMax }, async (request, reply) => {
    const query = new URLSearchParams(request.url.split('?')[1] ?? '')
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const { status, type, text } = await answer({ body, query })
    return reply.code(status).type(type).send(text)
  })
}
