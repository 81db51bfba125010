/**
 * GET /api/v1/calls/events: live calls as server-sent events. `calls` has all that have changed, at
 * first all there are, and the ids of those that have ended; `stale` says that the daemon does not
 * answer at the moment. Who may see calls is judged as of their list.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { callListInput, type LiveCallJson } from '../../provisioning/calls.js'
import { checkInput, oneOf } from '../../provisioning/fields.js'
import { openEventStream } from '../event-stream.js'
import type { LiveChange } from '../live-feed.js'
import type { WebParts } from '../parts.js'
import { isStillKnown, principalOf } from '../principals.js'
import { ownView } from './own-view.js'
import { allowed, PERMISSIONS } from './permissions.js'

/** What can be asked for, in the query. */
const liveEventsInput = z.strictObject({
  ...callListInput.shape,
  /** Of a call that was told before, only the fields that have changed. */
  changes: oneOf('The choice of changes', ['fields']).optional(),
})

export function liveEvents(request: FastifyRequest, reply: FastifyReply, parts: WebParts): void {
  const principal = principalOf(request)
  const query = request.query as Readonly<Record<string, unknown>>
  const asked = allowed(principal, PERMISSIONS.callList, query)
  const { account, changes } = checkInput(liveEventsInput, asked)
  const watching = new Watching(account, changes === 'fields')
  const stream = openEventStream(request, reply, {
    heartbeatMs: parts.settings.heartbeatMs,
    mayGoOn: () => isStillKnown(request, parts),
    onClose: () => unsubscribe(),
  })
  let isFresh = false
  const unsubscribe = parts.services.live.subscribe(change => {
    const wasFresh = isFresh
    isFresh = change !== undefined
    if (!change) return stream.send('stale', {})
    const told = watching.told(change)
    // That the daemon answers again is worth telling, even if nothing has changed.
    if (told.calls.length + told.ended.length === 0 && wasFresh) return
    stream.send('calls', principal.account === null ? told : ownView(told))
  })
}

type Changed = Partial<LiveCallJson> & Pick<LiveCallJson, 'call_id'>

/** What one who watches has been told. Of the calls of others he does not learn that there are any. */
class Watching {
  readonly #known = new Map<string, LiveCallJson>()

  /** @param account the only one whose calls he sees; undefined for all */
  constructor(
    readonly account: string | undefined,
    readonly onlyFields: boolean,
  ) {}

  told({ calls, ended }: LiveChange): { calls: Changed[]; ended: string[] } {
    const { account } = this
    const seen = account === undefined ? calls : calls.filter(call => call.account === account)
    const changed = seen.map(call => this.#changed(call)).filter(call => call !== undefined)
    return { calls: changed, ended: ended.filter(id => this.#known.delete(id)) }
  }

  #changed(call: LiveCallJson): Changed | undefined {
    const before = this.#known.get(call.call_id)
    this.#known.set(call.call_id, call)
    if (!before || !this.onlyFields) return call
    const names = Object.keys(call) as (keyof LiveCallJson)[]
    const fields = names.filter(name => call[name] !== before[name])
    if (fields.length === 0) return undefined
    const changes = Object.fromEntries(fields.map(name => [name, call[name]]))
    return { call_id: call.call_id, ...changes }
  }
}
