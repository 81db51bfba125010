/** The portal: pages for people. It stands on the same services as the API. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import type { WebParts } from '../parts.js'
import { accessPages } from './access-pages.js'
import { accountPages } from './pages/account.js'
import { accountsPages } from './pages/accounts.js'
import { auditPages } from './pages/audit.js'
import { callsPages } from './pages/calls.js'
import { cardPages } from './pages/card.js'
import { dashboardPages } from './pages/dashboard.js'
import { decksPages } from './pages/decks.js'
import { ownPages } from './pages/own.js'
import { plansPages } from './pages/plans.js'
import { quotePages } from './pages/quote.js'
import { ratesPages } from './pages/rates.js'
import { sipAccountsPages } from './pages/sip-accounts.js'
import { switchesPages } from './pages/switches.js'
import { unseenPages } from './pages/unseen.js'
import { usersPages } from './pages/users.js'

/** Its files are served as they come: the only foreign script of the portal. */
const UPLOT = dirname(createRequire(import.meta.url).resolve('uplot/dist/uPlot.iife.min.js'))

const PAGES = [
  accessPages,
  dashboardPages,
  accountsPages,
  accountPages,
  cardPages,
  plansPages,
  ratesPages,
  decksPages,
  quotePages,
  callsPages,
  unseenPages,
  sipAccountsPages,
  switchesPages,
  usersPages,
  auditPages,
  ownPages,
]

export async function portal(app: FastifyInstance, { parts }: { parts: WebParts }): Promise<void> {
  const assets = {
    cacheControl: false,
    setHeaders: (answer: { setHeader(name: string, value: string): unknown }) =>
      answer.setHeader('cache-control', 'no-cache'),
  }
  await app.register(fastifyStatic, {
    ...assets,
    root: join(import.meta.dirname, 'assets'),
    prefix: '/assets/',
  })
  await app.register(fastifyStatic, {
    ...assets,
    root: UPLOT,
    prefix: '/assets/uplot/',
    decorateReply: false,
    allowedPath: path => /^\/uPlot(\.iife)?\.min\.(js|css)$/.test(path),
  })
  for (const pages of PAGES) pages(app, parts)
}
