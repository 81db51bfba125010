/** GET /api/v1/cdrs.csv: all CDRs of a filter for spreadsheets, a page at a time from the ledger. */
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { cdrKey } from '../../provisioning/cdrs.js'
import { CDR_COLUMNS, formatCsv } from '../../provisioning/csv.js'
import type { WebParts } from '../parts.js'
import { principalOf } from '../principals.js'
import { ownView } from './own-view.js'
import { allowed, PERMISSIONS } from './permissions.js'

/** Some 20 ms of reading, during which nobody else is answered. */
const PIECE = 1_000

type Input = Readonly<Record<string, unknown>>

export function cdrCsvRoute(app: FastifyInstance, { services }: WebParts): void {
  app.get('/v1/cdrs.csv', async (request, reply) => {
    const principal = principalOf(request)
    const filter = allowed(principal, PERMISSIONS.cdrList, request.query as Input)
    // What is wrong with the filter is told before the file begins.
    await services.ledger.cdrList({ ...filter, limit: 1 })
    const isOwn = principal.account !== null
    reply.header('content-disposition', 'attachment; filename="cdrs.csv"')
    return reply.type('text/csv; charset=utf-8').send(Readable.from(lines(services, filter, isOwn)))
  })
}

async function* lines({ ledger }: WebParts['services'], filter: Input, isOwn: boolean) {
  const blank = Object.fromEntries(CDR_COLUMNS.map(name => [name, null]))
  const columns = Object.keys(isOwn ? ownView(blank) : blank)
  yield formatCsv([], columns)
  let after: string | undefined
  for (;;) {
    const page = await ledger.cdrList({ ...filter, after, limit: PIECE })
    if (page.length === 0) return
    yield formatCsv(isOwn ? page.map(ownView) : page, columns, { header: false })
    after = cdrKey(page.at(-1)!)
    await setImmediate()
  }
}
