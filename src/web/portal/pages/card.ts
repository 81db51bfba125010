/** The PIN of an account's calling card. */
import type { FastifyInstance } from 'fastify'
import { given } from '../../../provisioning/fields.js'
import type { WebParts } from '../../parts.js'
import type { Said } from '../notices.js'
import { pathTo, sentenceOf, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import type { Notice } from '../shown.js'
import { overview } from './account.js'

export function cardPages(app: FastifyInstance, parts: WebParts): void {
  const back = (code: string, said: Said) => `${pathTo('accounts', code)}?said=${said}`
  app.post('/accounts/:code/pin', async (request, reply) => {
    const visit = new Visit(request, 'accounts:write')
    const { code = '' } = visit.params
    try {
      const input = { code, ...given({ pin: visit.typed['pin'] }) }
      const { generated_pin: secret } = await visit.perform(parts.services, 'pinSet', input)
      if (secret === null) return reply.redirect(back(code, 'pin_set'), 303)
      const notice: Notice = { tone: 'good', text: 'The PIN is shown this once:', secret }
      return overview(visit, reply, parts, { notice })
    } catch (error) {
      const problems = { pin: sentenceOf(error) }
      return overview(visit, reply.code(problemStatus(error)), parts, { problems })
    }
  })
  app.post('/accounts/:code/pin/delete', async (request, reply) => {
    const visit = new Visit(request, 'accounts:write')
    const { code = '' } = visit.params
    await visit.perform(parts.services, 'pinDelete', { code })
    return reply.redirect(back(code, 'pin_deleted'), 303)
  })
}
