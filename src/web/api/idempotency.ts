/**
 * POSTs that are sent twice, because an answer got lost or somebody clicked twice, are done once. The
 * answer to the first is kept for a day under its Idempotency-Key and given to the others.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hashSecret } from '../../access/secrets.js'
import { PROBLEM_TYPE } from '../../http/problem.js'
import type { WebParts } from '../parts.js'
import { Refusal } from '../refusal.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Under which the answer will be kept; null where none was given. */
    idempotencyKey: string | null
  }
}

const KEY = /^[\x21-\x7e]{1,200}$/

/** Shown once, and kept nowhere: whoever repeats a request gets null in their place. */
const SECRETS = ['token', 'generated_password', 'generated_pin', 'password_link']

export function answerOnce(app: FastifyInstance, { services, log }: WebParts): void {
  const { answers } = services
  /** Those of this process, each with what waits for its end. */
  const running = new Map<string, Promise<void>>()
  const ends = new Map<string, () => void>()
  const end = (id: string) => {
    running.delete(id)
    ends.get(id)?.()
  }
  const idOf = (request: FastifyRequest, key: string) => `${request.principal!.actor} ${key}`

  app.decorateRequest('idempotencyKey', null)
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers['idempotency-key']
    if (key === undefined || request.method !== 'POST' || !request.principal) return
    // A deck that is sent again changes nothing.
    if (request.body instanceof Readable) return
    if (typeof key !== 'string' || !KEY.test(key)) {
      const sentence =
        'An Idempotency-Key must be 1 to 200 letters, digits and signs without blanks'
      throw new Refusal(400, 'bad_input', sentence)
    }
    const hash = hashOf(request)
    const id = idOf(request, key)
    // Two clicks arrive in the same moment: the second waits for the answer to the first.
    while (running.has(id)) await running.get(id)
    running.set(id, new Promise(resolve => ends.set(id, resolve)))
    request.idempotencyKey = key
    const known = await answers.take(request.principal.actor, key, hash)
    if (!known) return
    if (known.request === hash && known.status === null && isSafeAgain(request)) return
    end(id)
    request.idempotencyKey = null
    if (known.request !== hash) {
      const sentence = 'This Idempotency-Key was used for another request'
      throw new Refusal(422, 'idempotency_key_reused', sentence)
    }
    if (known.status === null) throw outcomeUnknown()
    return repeat(reply, known.status, known.body)
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const key = request.idempotencyKey
    if (key === null) return payload
    const { actor } = request.principal!
    const { statusCode } = reply
    const isFinal = statusCode < 500 && ![401, 403, 429].includes(statusCode)
    try {
      if (isFinal) await answers.give(actor, key, statusCode, withoutSecrets(String(payload)))
      else await answers.release(actor, key)
    } catch (error) {
      // What has been done is done, and its answer is due.
      log.error({ error }, 'an answer could not be kept')
    }
    end(idOf(request, key))
    return payload
  })
}

function hashOf({ method, url, body }: FastifyRequest): string {
  return hashSecret(JSON.stringify([method, url, body ?? null]))
}

/** Whose process died: what has a reference is booked once, however often it is asked for. */
function isSafeAgain({ body }: FastifyRequest): boolean {
  return typeof (body as { reference?: unknown } | null)?.reference === 'string'
}

function repeat(reply: FastifyReply, status: number, body: string): FastifyReply {
  const type = status >= 400 ? PROBLEM_TYPE : 'application/json; charset=utf-8'
  return reply.code(status).header('idempotency-replayed', 'true').type(type).send(body)
}

function withoutSecrets(body: string): string {
  if (!SECRETS.some(name => body.includes(`"${name}":"`))) return body
  return JSON.stringify(
    JSON.parse(body, (name, value) => (SECRETS.includes(name) ? null : value) as unknown),
  )
}

function outcomeUnknown(): Refusal {
  const sentence = 'An earlier request with this key was cut short: look whether it has been done'
  return new Refusal(409, 'outcome_unknown', sentence)
}
