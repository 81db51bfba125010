/** The web service on real books, beside what stands for the daemon; asked without a port. */
import type { FastifyInstance, HTTPMethods } from 'fastify'
import type { InjectOptions } from 'light-my-request'
import pino from 'pino'
import type { Test } from 'tap'
import type { Role } from '../../src/access/scopes.js'
import { startApi } from '../../src/http/server.js'
import type { Services } from '../../src/web/parts.js'
import { createWeb } from '../../src/web/web.js'
import { openServices } from '../../src/web-service/services.js'
import { openBooks, SaidToBeLive } from './books.js'
import { shortDir } from './command-line.js'

export const PASSWORD = 'correct horse battery'

export interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly text: string
  /** Empty where it is no JSON. */
  readonly json: Readonly<Record<string, unknown>>
}

/** Who asks: as `authorization`, or as the cookie and the CSRF token of a session. */
export type As = Readonly<Record<string, string>>

export const NOBODY: As = {}

export async function webOn(t: Test, dir = shortDir(t)) {
  const live = new SaidToBeLive()
  const books = openBooks(dir, live)
  const lines: string[] = []
  const log = pino({ base: null }, { write: line => lines.push(line) })
  const api = await startApi({ dataDir: dir, provisioning: books.provisioning, log })
  const clock = { us: Date.now() * 1000 }
  const options = { dataDir: dir, publicUrl: 'http://tollgate.test', log, now: () => clock.us }
  const { services, close } = openServices(options)
  const settings = { trustedProxies: ['127.0.0.1'], heartbeatMs: 50 }
  const app = await createWeb({ services, settings, log })
  t.teardown(async () => {
    await app.close()
    close()
    await api.close()
    books.close()
  })
  return { dir, clock, live, books, api, services, app, lines, ...asking(app, services) }
}

function asking(app: FastifyInstance, services: Services) {
  const ask = async (
    as: As,
    method: HTTPMethods,
    url: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const asked = { method, url, headers: { ...as, ...headers } } as InjectOptions
    if (body !== undefined) asked.payload = body as object
    const answer = await app.inject(asked)
    const isJson = /json/.test(String(answer.headers['content-type']))
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text: answer.body,
      json: isJson && answer.body !== '' ? answer.json() : {},
    }
  }
  return {
    ask,
    /** A program of this role, or with these scopes of it. */
    async token(role: Role, scopes?: string, name: string = role): Promise<As> {
      const made = await services.tokens.create({ name, role, scopes, actor: 'test' })
      return { authorization: `Bearer ${made.token}` }
    },
    /** A user who has just been made, and has logged in. */
    async user(name: string, role: Role, account?: string): Promise<As> {
      const made = { name, role, account, password: PASSWORD, actor: 'test' }
      await services.users.create(made)
      return logIn(app, name)
    },
  }
}

export async function logIn(app: FastifyInstance, name: string, password = PASSWORD): Promise<As> {
  const payload = new URLSearchParams({ name, password }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await app.inject({ method: 'POST', url: '/log-in', payload, headers })
  const [cookie] = answer.cookies
  if (!cookie) throw new Error(`${name} could not log in: ${answer.statusCode}`)
  const as = { cookie: `${cookie.name}=${cookie.value}` }
  const page = await app.inject({ url: '/password', headers: as })
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)![1]!
  return { ...as, 'x-csrf-token': csrf }
}
