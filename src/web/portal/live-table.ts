/** The table of live calls: an empty one, which live.js fills and keeps up to date. */
import type { Visit } from './page.js'
import type { Column } from './shown.js'

export interface LiveTable {
  readonly columns: readonly Column[]
  /** The only one whose calls are shown; null for all. */
  readonly account: string | null
  readonly mayKill: boolean
  readonly csrf: string
}

export function liveTable(visit: Visit, account: string | null): LiveTable {
  const ofAll = account === null
  return {
    columns: [
      { label: 'Number', name: 'number' },
      ...(ofAll ? [{ label: 'Account', name: 'account' }] : []),
      { label: 'State', name: 'state' },
      { label: 'Talk', name: 'seconds', kind: 'number' },
      { label: 'Cost', name: 'cost', kind: 'number' },
      { label: 'Held', name: 'held', kind: 'number' },
      { label: 'Funded until', name: 'funded_until' },
      ...(ofAll ? [{ label: 'Switch', name: 'switch' }] : []),
    ],
    account,
    mayKill: visit.may('calls:kill'),
    csrf: visit.principal.session?.csrf ?? '',
  }
}
