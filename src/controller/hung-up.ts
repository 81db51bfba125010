/** The ends of legs, as events tell them. */
import type { HungUp } from '../call/call.js'
import type { LegEvent } from '../call/leg-event.js'

/** The end that an event of a leg tells, if it is one that does. */
export function hungUpOf(event: LegEvent): HungUp | null {
  switch (event.name) {
    case 'CHANNEL_HANGUP':
    case 'CHANNEL_HANGUP_COMPLETE':
    case 'CHANNEL_DESTROY': {
      const { at, hangupAt, answeredAt, cause } = event
      const exact = hangupAt !== null
      const end = { at: hangupAt ?? at, answeredAt, cause: cause ?? 'NONE' }
      return { type: 'hungUp', ...end, exact, lost: false }
    }
    default:
      return null
  }
}
