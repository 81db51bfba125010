/** Bugs in the portal and in what it reads: see mutants.ts. */
import type { Mutant } from './mutants.js'

const STATISTICS = 'integration/statistics.test.ts'
const BROWSING = 'integration/browsing.test.ts'
const PORTAL = 'integration/portal.test.ts'

export const PORTAL_MUTANTS: readonly Mutant[] = [
  {
    bug: 'a CDR that is filed late is not in the charts',
    file: 'sqlite/slots.ts',
    find: 'if (this.#known.has(Number(slot))) this.#stale.add(Number(slot))',
    replace: 'Number(slot)',
    tests: [STATISTICS],
  },
  {
    bug: 'a correction is not in the charts',
    file: 'sqlite/slots.ts',
    find: 'filed.corrections !== corrections || ',
    replace: '',
    tests: [STATISTICS],
  },
  {
    bug: 'calls that end after the time have not talked in it',
    file: 'sqlite/statistics.ts',
    find: 'const end = horizon(wanted, now) / SLOT_US',
    replace: 'const end = wanted.until / SLOT_US',
    tests: [STATISTICS],
  },
  {
    bug: 'a call that is settled while figures are read has talked twice',
    file: 'sqlite/tallies.ts',
    find: ' AND id <= @lastCdr AND answered_at < @upTo',
    replace: ' AND answered_at < @upTo',
    tests: [STATISTICS],
  },
  {
    bug: 'a slot that was touched while others were read is told as it was',
    file: 'sqlite/slots.ts',
    find: 'for (const slot of stale.slice(0, CATCH_UP_MAX)) this.#read(slot, slot + 1)',
    replace: '',
    tests: [STATISTICS],
  },
  {
    bug: 'the last step is as long as the others',
    file: 'sqlite/step-sums.ts',
    find: 'Math.min(stepUs, until - at)',
    replace: 'stepUs',
    tests: [STATISTICS],
  },
  {
    bug: 'only the last CDRs tell where long calls are',
    file: 'sqlite/earliest-answers.ts',
    find: 'Math.min(known, Number(earliest))',
    replace: 'Number(earliest)',
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
