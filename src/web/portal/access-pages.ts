/** Logging in and out, the links that are good once, and one's own password. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hashSecret } from '../../access/secrets.js'
import { Tries } from '../../access/tries.js'
import { BookError } from '../../ledger/books.js'
import type { WebParts } from '../parts.js'
import { principalOf } from '../principals.js'
import { Refusal } from '../refusal.js'
import { beginSession, endSession } from '../session-cookie.js'
import { view } from './views.js'

type Form = Readonly<Record<string, unknown>>

/** Wrong passwords. */
const TRIES = { user: 10, address: 100 }
const TRIES_WINDOW_MS = 15 * 60_000

export function accessPages(app: FastifyInstance, parts: WebParts): void {
  logIn(app, parts)
  app.post('/log-out', async (request, reply) => {
    await endSession(request, reply, parts)
    return reply.redirect('/log-in', 303)
  })
  links(app, parts)
  ownPassword(app, parts)
}

function logIn(app: FastifyInstance, parts: WebParts): void {
  const guesses = countGuesses()
  app.get('/log-in', (request, reply) => {
    const { next } = request.query as Form
    return view(request, reply, 'log-in', { title: 'Log in', next: localPath(next), error: null })
  })
  app.post('/log-in', async (request, reply) => {
    const { name, password, next } = formOf(request)
    const wasRight = guesses.begin(request)
    const user = await parts.services.users.logIn(name, password)
    if (!user) {
      parts.log.warn({ address: request.ip }, 'a log-in was refused')
      const error = 'The name or the password is wrong'
      const page = { title: 'Log in', next: localPath(next), error }
      return view(request, reply.code(403), 'log-in', page)
    }
    wasRight()
    await beginSession(request, reply, parts, user)
    return reply.redirect(localPath(next), 303)
  })
}

/** Guesses at one user's password, and from one address. */
function countGuesses(): Tries<FastifyRequest> {
  const userOf = (request: FastifyRequest) => {
    const name = request.principal?.name ?? String(formOf(request)['name'])
    return `user ${name.toLowerCase().slice(0, 64)}`
  }
  return new Tries<FastifyRequest>([
    { max: TRIES.user, windowMs: TRIES_WINDOW_MS, key: userOf },
    { max: TRIES.address, windowMs: TRIES_WINDOW_MS, key: ({ ip }) => `address ${ip}` },
  ])
}

function links(app: FastifyInstance, parts: WebParts): void {
  const { users, links } = parts.services
  app.get('/link/:secret', async (request, reply) => {
    const link = await links.find(hashSecret(secretOf(request)))
    if (!link) throw usedUp()
    return linkPage(request, reply, link.user?.name ?? null, null)
  })
  app.post('/link/:secret', async (request, reply) => {
    const secret = secretOf(request)
    const link = await links.find(hashSecret(secret))
    if (!link) throw usedUp()
    const { name, password, again } = formOf(request)
    try {
      if (password !== again) throw new BookError('bad_input', 'The two passwords are not the same')
      const user = link.user
        ? await users.followLink(secret, password)
        : await users.setUp(secret, name, password)
      await beginSession(request, reply, parts, user)
      return reply.redirect('/', 303)
    } catch (error) {
      if (!(error instanceof BookError) || error.code !== 'bad_input') throw error
      return linkPage(request, reply.code(400), link.user?.name ?? null, error.message)
    }
  })
}

/** @param user null for who makes himself the first admin */
function linkPage(
  request: FastifyRequest,
  reply: FastifyReply,
  user: string | null,
  error: string | null,
): FastifyReply {
  const title = user === null ? 'Set up Tollgate' : 'Choose a password'
  return view(request, reply, 'link', { title, user, error })
}

function ownPassword(app: FastifyInstance, parts: WebParts): void {
  const guesses = countGuesses()
  app.get('/password', (request, reply) => {
    principalOf(request)
    return view(request, reply, 'password', { title: 'Change password', error: null, done: false })
  })
  app.post('/password', async (request, reply) => {
    const { name, session } = principalOf(request)
    if (!session) throw new Refusal(403, 'forbidden', 'A token has no password')
    const { old, password, again } = formOf(request)
    const wasRight = guesses.begin(request)
    const page = { title: 'Change password', error: null, done: true }
    try {
      if (password !== again) throw new BookError('bad_input', 'The two passwords are not the same')
      await parts.services.users.changePassword(name, old, password, session.hash)
      wasRight()
      return view(request, reply, 'password', page)
    } catch (error) {
      if (!(error instanceof BookError)) throw error
      if (error.code !== 'wrong_password') wasRight()
      const wrong = { ...page, error: error.message, done: false }
      return view(request, reply.code(400), 'password', wrong)
    }
  })
}

/** Only a path of ours: a link to the log-in must not lead on to another site. */
function localPath(next: unknown): string {
  const isLocal = typeof next === 'string' && /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(next)
  return isLocal ? next : '/'
}

const formOf = (request: FastifyRequest): Form => (request.body as Form | undefined) ?? {}

const secretOf = (request: FastifyRequest) => (request.params as { secret: string }).secret

const usedUp = () =>
  new Refusal(410, 'link_used', 'This link has been used already, or has expired')
