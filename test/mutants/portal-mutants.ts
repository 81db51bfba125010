/** Bugs in the portal and in what it reads: see mutants.ts. */
import type { Mutant } from './mutants.js'

const STATISTICS = 'integration/statistics.test.ts'
const BROWSING = 'integration/browsing.test.ts'
const PORTAL = 'integration/portal.test.ts'
const UNSEEN = 'integration/unseen-pages.test.ts'

export const PORTAL_MUTANTS: readonly Mutant[] = [
  {
    bug: 'a CDR that is filed late is not in the charts',
    file: 'sqlite/statistics.ts',
    find: 'this.#slots.delete(Number(slot))',
    replace: 'Number(slot)',
    tests: [STATISTICS],
  },
  {
    bug: 'a correction is not in the charts',
    file: 'sqlite/statistics.ts',
    find: 'corrections !== this.#corrections || ',
    replace: '',
    tests: [STATISTICS],
  },
  {
    bug: 'calls that end after the time have not talked in it',
    file: 'sqlite/statistics.ts',
    find: 'number <= Math.floor(now / SLOT_US)',
    replace: 'number < end',
    tests: [STATISTICS],
  },
  {
    bug: 'the next page of a list that is turned round goes back',
    file: 'sqlite/browsing.ts',
    find: "descending ? '<' : '>'",
    replace: "descending ? '>' : '>'",
    tests: [BROWSING],
  },
  {
    bug: 'totals leave out what ends after a pause',
    file: 'sqlite/browsing.ts',
    find: 'begin = this.#firstEnd(begin, filter.account)',
    replace: 'begin ??= this.#firstEnd(begin, filter.account)',
    tests: [BROWSING],
  },
  {
    bug: 'signs of a search mean something to SQL',
    file: 'sqlite/browsing.ts',
    find: "search.replace(/[\\\\%_]/g, '\\\\$&')",
    replace: 'search',
    tests: [BROWSING],
  },
  {
    bug: 'each click on a top-up is another one',
    file: 'web/portal/pages/account.ts',
    find: 'const entry = { code, amount, reference, reason }',
    replace: 'const entry = { code, amount, reference: reference + randomUUID(), reason }',
    tests: [PORTAL],
  },
  {
    bug: 'who may only look may charge a call',
    file: 'web/api/permissions.ts',
    find: "unseenCharge: write('money:write')",
    replace: "unseenCharge: write('calls:read')",
    tests: ['integration/web-access.test.ts'],
  },
  {
    bug: 'who may only look is offered to charge a call',
    file: 'web/portal/pages/unseen.ts',
    find: "state === 'open' && visit.may('money:write')",
    replace: "state === 'open'",
    tests: [UNSEEN],
  },
  {
    bug: 'a call is dismissed without a reason',
    file: 'provisioning/unseen.ts',
    find: "reason: filledWords('The reason', 500)",
    replace: "reason: words('The reason', 500)",
    tests: [UNSEEN],
  },
  {
    bug: 'a second click on a charge is told that it comes too late',
    file: 'web/portal/pages/unseen.ts',
    find: 'if (done) return back(done)',
    replace: '',
    tests: [UNSEEN],
  },
  {
    bug: 'what somebody else has decided is said to be done',
    file: 'web/portal/pages/unseen.ts',
    find: '!isSame || call.decidedBy !== actor',
    replace: '!isSame',
    tests: [UNSEEN],
  },
  {
    bug: 'calls that end at the same time are left out between two pages',
    file: 'sqlite/unseen-calls.ts',
    find: '(ended_at, leg_id) < (@afterEndedAt, @afterCallId)',
    replace: 'ended_at < @afterEndedAt AND leg_id <> @afterCallId',
    tests: [UNSEEN],
  },
  {
    bug: 'what waits for its A-leg is decided on',
    file: 'ledger/repairs.ts',
    find: 'if (account === null) {',
    replace: 'if (account === null && state === undefined) {',
    tests: [UNSEEN],
  },
  {
    bug: 'a PIN that was typed is shown again',
    file: 'web/portal/card-panel.ts',
    find: "name: 'pin',",
    replace: "name: 'pin', value: visit.typed['pin'] ?? '',",
    tests: [UNSEEN],
  },
  {
    bug: 'a customer watches the calls of whom he names',
    file: 'web/api/live-events.ts',
    find: 'allowed(principal, PERMISSIONS.callList, query)',
    replace: 'query',
    tests: ['unit/live-feed.test.ts'],
  },
  {
    bug: 'who watches one account is told that calls of others ended',
    file: 'web/api/live-events.ts',
    find: 'ended.filter(id => this.#known.delete(id))',
    replace: '[...ended]',
    tests: ['unit/live-feed.test.ts'],
  },
  {
    bug: 'what was told is not kept, and so comes whole again',
    file: 'web/api/live-events.ts',
    find: 'if (!before || !this.onlyFields) return call',
    replace: 'if (!before || before) return call',
    tests: ['unit/live-feed.test.ts'],
  },
  {
    bug: 'pages are for every role',
    file: 'web/portal/page.ts',
    find: 'if (scope !== null && !may(this.principal, scope)) throw forbidden()',
    replace: '',
    tests: [PORTAL],
  },
  {
    bug: 'what is typed is put into the page as it is',
    file: 'web/portal/views.ts',
    find: 'cache: true }',
    replace: 'cache: true, autoEscape: false }',
    tests: [PORTAL],
  },
]
