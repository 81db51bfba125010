/**
 * GET /api/v1/calls/events: live calls as server-sent events. `calls` has all that have changed, at
 * first all there are, and the ids of those that have ended; `stale` says that the daemon does not
 * answer at the moment.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { may, type Principal } from '../../access/principal.js'
import { openEventStream } from '../event-stream.js'
import type { LiveChange } from '../live-feed.js'
import type { WebParts } from '../parts.js'
import { isStillKnown, principalOf } from '../principals.js'
import { Refusal } from '../refusal.js'
import { ownView } from './own-view.js'

export function liveEvents(request: FastifyRequest, reply: FastifyReply, parts: WebParts): void {
  const principal = principalOf(request)
  if (principal.account === null && !may(principal, 'calls:read')) {
    throw new Refusal(403, 'forbidden', `${principal.actor} may not see calls`)
  }
  const stream = openEventStream(request, reply, {
    heartbeatMs: parts.settings.heartbeatMs,
    mayGoOn: () => isStillKnown(request, parts),
    onClose: () => unsubscribe(),
  })
  const known = new Set<string>()
  let begun = false
  const unsubscribe = parts.services.live.subscribe(change => {
    if (!change) return stream.send('stale', {})
    const own = seenBy(principal, change, known)
    if (own.calls.length + own.ended.length === 0 && begun) return
    begun = true
    for (const { call_id } of own.calls) known.add(call_id)
    for (const id of own.ended) known.delete(id)
    stream.send('calls', principal.account === null ? own : ownView(own))
  })
}

/** An account holder sees his own calls, and does not learn that there are others. */
function seenBy({ account }: Principal, change: LiveChange, known: ReadonlySet<string>) {
  if (account === null) return change
  return {
    calls: change.calls.filter(call => call.account === account),
    ended: change.ended.filter(id => known.has(id)),
  }
}
