/** The HTTP API: a route for every operation. It listens on a unix socket in the data directory. */
import { chmodSync, rmSync } from 'node:fs'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import type { Logger } from 'pino'
import { OPERATIONS, type OperationName, type Provisioning } from '../provisioning/operations.js'
import { PROBLEM_TYPE, type Problem, problem, problemOf } from './problem.js'
import { isOurs, makeSocketFolder, removeSocketFolder, socketPath } from './socket-path.js'

/** Longer than any code or call id that passes its check, so that the check can say what is wrong. */
const PARAMETER_CHARS_MAX = 16_384

export interface ApiOptions {
  readonly dataDir: string
  readonly provisioning: Provisioning
  readonly log: Logger
}

export interface Api {
  /** Answers what has been asked, then lets go of the socket. */
  close(): Promise<void>
}

/**
 * Starts to serve the CLI. Whoever calls this holds the lock of the data directory: a socket that
 * is found there was left behind by a process that is gone.
 */
export async function startApi({ dataDir, provisioning, log }: ApiOptions): Promise<Api> {
  const path = socketPath(dataDir)
  makeSocketFolder(path)
  if (!isOurs(path, dataDir)) throw new Error(`Somebody else can write where ${path} should be`)
  const app = createServer(provisioning, log)
  rmSync(path, { force: true })
  // Nobody else may connect in the moment between listen and chmod.
  const umask = process.umask(0o077)
  try {
    await app.listen({ path })
    chmodSync(path, 0o600)
  } finally {
    process.umask(umask)
  }
  log.debug({ path }, 'api listening')
  return {
    async close() {
      await app.close()
      removeSocketFolder(path)
    },
  }
}

/** The routes without a socket: for inject(). */
export function createServer(provisioning: Provisioning, log: Logger): FastifyInstance {
  const app = Fastify({
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
    // An address that is none does not get as far as a route or the error handler.
    frameworkErrors: (error, _request, reply) => {
      send(reply as FastifyReply, problem(400, 'bad_request', error.message))
    },
  })
  for (const name of Object.keys(OPERATIONS) as OperationName[]) {
    const { method, path } = OPERATIONS[name]
    app.route({
      method,
      url: path,
      handler: ({ query, body, params }) =>
        provisioning[name]({ ...(query as object), ...fieldsOf(body), ...(params as object) }),
    })
  }
  app.setErrorHandler((error, request, reply) => {
    let found = problemOf(error)
    if (!found) {
      log.error({ err: error, method: request.method, url: request.url }, 'request failed')
      found = problem(500, 'internal', 'Tollgate made a mistake; its log says which')
    }
    return send(reply, found)
  })
  app.setNotFoundHandler((request, reply) => {
    return send(reply, problem(404, 'not_found', `There is no ${request.method} ${request.url}`))
  })
  return app
}

function send(reply: FastifyReply, found: Problem): FastifyReply {
  return reply.code(found.status).type(PROBLEM_TYPE).send(found)
}

/** A body that is no object has no fields; the check of the input says what is missing. */
function fieldsOf(body: unknown): object {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}
}
