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
      return {
        type: 'hungUp',
        at: hangupAt ?? at,
        answeredAt,
        cause: cause ?? 'NONE',
        exact: hangupAt !== null,
        lost: false,
      }
    }
    default:
      return null
  }
}
