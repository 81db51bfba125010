/** Decks in and out: an upload becomes a job, which is watched and, after a dry run, applied. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DECK_BYTES_MAX, type DeckImports, tooLarge } from '../deck-imports.js'
import { openEventStream } from '../event-stream.js'
import type { WebParts } from '../parts.js'
import { isStillKnown, principalOf } from '../principals.js'
import { Refusal } from '../refusal.js'
import { demand } from './permissions.js'

/** As browsers and programs send files. */
const DECK_TYPES = [
  'text/csv',
  'text/plain',
  'application/octet-stream',
  'application/vnd.ms-excel',
]

/** Between two events about one import. */
const PROGRESS_MS = 250

const TERMS = ['mode', 'effective', 'map', 'date_format', 'source']
const CHOICES = ['decimal_comma', 'skip_bad', 'dry_run']

type Fields = Readonly<Record<string, string | undefined>>

export async function deckRoutes(app: FastifyInstance, { parts }: { parts: WebParts }) {
  const { imports, rates } = parts.services
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(DECK_TYPES, (_request, payload, done) => done(null, payload))

  app.post('/v1/plans/:plan/imports', { bodyLimit: DECK_BYTES_MAX }, async (request, reply) => {
    const { actor } = permitted(request, 'rates:write')
    if (Number(request.headers['content-length'] ?? 0) > DECK_BYTES_MAX) throw tooLarge()
    const { dryRun, terms } = termsOf(request)
    const deck = (request.body as Readable | undefined) ?? Readable.from([])
    return reply.code(202).send(await imports.receive(deck, terms, dryRun, actor))
  })
  app.get('/v1/imports/:id', request => {
    permitted(request, 'rates:write')
    return imports.find(idOf(request))
  })
  app.get('/v1/imports/:id/events', (request, reply) => {
    permitted(request, 'rates:write')
    importEvents(request, reply, imports, parts)
  })
  app.get('/v1/plans/:plan/deck.csv', async (request, reply) => {
    permitted(request, 'rates:read')
    const { plan } = request.params as { plan: string }
    await rates.planShow({ name: plan })
    reply.header('content-disposition', `attachment; filename="${plan}.csv"`)
    return reply.type('text/csv; charset=utf-8').send(Readable.from(rates.rateExport({ plan })))
  })
}

/** Its body is JSON, or none: so it is not beside the uploads. */
export function applyRoute(app: FastifyInstance, { services }: WebParts): void {
  app.post('/v1/imports/:id/apply', async (request, reply) => {
    const { actor } = permitted(request, 'rates:write')
    return reply.code(202).send(await services.imports.apply(idOf(request), actor))
  })
}

function permitted(request: FastifyRequest, scope: 'rates:read' | 'rates:write') {
  const principal = principalOf(request)
  demand(principal, scope)
  return principal
}

function termsOf({ query, params }: FastifyRequest) {
  const fields = query as Fields
  const unknown = Object.keys(fields).find(name => ![...TERMS, ...CHOICES].includes(name))
  if (unknown !== undefined) throw bad(`${unknown} is not a known field`)
  const [decimalComma, skipBad, dryRun] = CHOICES.map(name => choice(name, fields[name]))
  const { plan } = params as { plan: string }
  const terms = Object.fromEntries(TERMS.map(name => [name, fields[name]]))
  return {
    dryRun: dryRun ?? false,
    terms: { ...terms, plan, decimal_comma: decimalComma ?? false, skip_bad: skipBad ?? false },
  }
}

function choice(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (text === 'true' || text === 'false') return text === 'true'
  throw bad(`${name} must be true or false`)
}

/** Ends when the import does. */
function importEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  imports: DeckImports,
  parts: WebParts,
): void {
  const id = idOf(request)
  imports.find(id)
  const stream = openEventStream(request, reply, {
    heartbeatMs: parts.settings.heartbeatMs,
    mayGoOn: () => isStillKnown(request, parts),
    onClose: () => unwatch(),
  })
  let toldMs = 0
  const unwatch = imports.watch(id, json => {
    const isOver = json.state === 'done' || json.state === 'failed'
    if (!isOver && performance.now() - toldMs < PROGRESS_MS) return
    toldMs = performance.now()
    stream.send('import', json)
    if (isOver) stream.close()
  })
}

const idOf = ({ params }: FastifyRequest) => (params as { id: string }).id

const bad = (sentence: string) => new Refusal(400, 'bad_input', sentence)
