/** Errors as the one who asked can read them: problem+json for programs, a page for people. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { TooManyTries } from '../access/tries.js'
import { PROBLEM_TYPE, problem, problemOf } from '../http/problem.js'
import type { WebParts } from './parts.js'
import { errorPage } from './portal/views.js'
import { Refusal } from './refusal.js'

export function answerErrors(app: FastifyInstance, { log }: WebParts): void {
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof Refusal) {
      const { status, code, message, retryAfterS } = error
      if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS)
      // What is still being sent is not read any more.
      if (status === 413) reply.header('connection', 'close')
      if (status === 401) return sendNotLoggedIn(request, reply, error)
      return sendProblem(request, reply, status, code, message)
    }
    if (error instanceof TooManyTries) reply.header('retry-after', error.retryAfterS)
    const found = problemOf(error)
    if (found) return sendProblem(request, reply, found.status, found.code, found.detail)
    // The query may have what somebody typed in it.
    log.error({ error, method: request.method, path: pathOf(request) }, 'a web request failed')
    const sentence = 'Tollgate made a mistake; its log says which'
    return sendProblem(request, reply, 500, 'internal', sentence)
  })
  app.setNotFoundHandler((request, reply) => {
    const sentence = `There is no ${request.method} ${pathOf(request)}`
    return sendProblem(request, reply, 404, 'not_found', sentence)
  })
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  code: string,
  detail: string,
): FastifyReply {
  reply.code(status)
  if (!isForPeople(request)) {
    return reply.type(PROBLEM_TYPE).send(problem(status, code, detail))
  }
  return errorPage(request, reply, problem(status, code, detail))
}

/** Who only wants to see a page is shown the log-in first. */
function sendNotLoggedIn(request: FastifyRequest, reply: FastifyReply, error: Refusal) {
  reply.header('www-authenticate', 'Bearer realm="tollgate"')
  if (!isForPeople(request) || request.method !== 'GET') {
    return sendProblem(request, reply, error.status, error.code, error.message)
  }
  const next = request.url === '/' ? '' : `?next=${encodeURIComponent(request.url)}`
  return reply.redirect(`/log-in${next}`, 303)
}

const isForPeople = (request: FastifyRequest) => !request.url.startsWith('/api/')

const pathOf = ({ url }: FastifyRequest) => url.split('?')[0]!
