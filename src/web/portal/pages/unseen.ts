/** Calls that nobody saw: the list of them, and one of them, to be charged or dismissed. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { BookError } from '../../../ledger/books.js'
import type { UnseenState } from '../../../ledger/repairs.js'
import { cdrKey } from '../../../provisioning/cdrs.js'
import { given } from '../../../provisioning/fields.js'
import { UNSEEN_STATES, type UnseenJson, unseenJson } from '../../../provisioning/unseen.js'
import type { WebParts } from '../../parts.js'
import { talk } from '../call-list.js'
import type { Said } from '../notices.js'
import { address, firstRows, PAGE_ROWS, pathTo, sentenceOf, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import type { Cell, Column, Empty, Fact, Field, Form, Link, Row, Table } from '../shown.js'
import { priceCell, pricesOf, talkSeconds, type UnseenPrice } from '../unseen-price.js'
import { view } from '../views.js'

const LIST = '/unseen-calls'

const TITLES: Readonly<Record<UnseenState, string>> = {
  open: 'To be decided',
  waiting: 'Waiting',
  charged: 'Charged',
  dismissed: 'Dismissed',
}

const EMPTY: Readonly<Record<UnseenState, Empty>> = {
  open: {
    title: 'Nothing to decide',
    text: 'Every call that is known of was seen, or is decided.',
  },
  waiting: { title: 'No record waits', text: 'Those wait whose events may still come.' },
  charged: { title: 'No call was charged afterwards' },
  dismissed: { title: 'No call was dismissed' },
}

export function unseenPages(app: FastifyInstance, parts: WebParts): void {
  app.get(LIST, async (request, reply) => {
    return list(new Visit(request, 'calls:read'), reply, parts)
  })
  app.get(`${LIST}/:call`, async (request, reply) => {
    return one(new Visit(request, 'calls:read'), reply, parts, {})
  })
  app.post(`${LIST}/:call/charge`, async (request, reply) => {
    const visit = new Visit(request, 'money:write')
    return decide(visit, reply, parts, 'charged', async () => {
      const { write_off } = await visit.perform(parts.services, 'unseenCharge', decision(visit))
      return charged(/[1-9]/.test(write_off))
    })
  })
  app.post(`${LIST}/:call/dismiss`, async (request, reply) => {
    const visit = new Visit(request, 'money:write')
    return decide(visit, reply, parts, 'dismissed', async () => {
      await visit.perform(parts.services, 'unseenDismiss', decision(visit))
      return 'unseen_dismissed'
    })
  })
}

const charged = (isPart: boolean): Said => (isPart ? 'unseen_charged_in_part' : 'unseen_charged')

type Decided = Extract<UnseenState, 'charged' | 'dismissed'>

function decision({ params, typed }: Visit) {
  return { call_id: params['call'], ...given({ reason: typed['reason'] }) }
}

/** Back to the list, with what was done; or to the call, with why it was not. */
async function decide(
  visit: Visit,
  reply: FastifyReply,
  parts: WebParts,
  verdict: Decided,
  perform: () => Promise<Said>,
): Promise<FastifyReply> {
  const back = (said: Said) =>
    reply.redirect(address(LIST, { account: visit.typed['account'], said }), 303)
  try {
    return back(await perform())
  } catch (error) {
    const problem = sentenceOf(error)
    const done = await doneBefore(visit, parts, verdict)
    if (done) return back(done)
    return one(visit, reply.code(problemStatus(error)), parts, { [verdict]: problem })
  }
}

/** A second click finds done what the first one did. Null where it was not the same decision. */
async function doneBefore(
  { actor, params, typed }: Visit,
  { services: { browsing } }: WebParts,
  verdict: Decided,
): Promise<Said | null> {
  const { call: callId = '' } = params
  const call = await browsing.unseenCall(callId)
  const isSame = call?.state === verdict && call.reason === (typed['reason'] ?? '')
  if (!isSame || call.decidedBy !== actor) return null
  if (verdict === 'dismissed') return 'unseen_dismissed'
  const record = await browsing.call(callId)
  return charged(record !== undefined && record.cdr.writeOff > 0n)
}

async function list(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
): Promise<FastifyReply> {
  const { account, after, state: asked } = visit.query
  const state = UNSEEN_STATES.find(one => one === asked) ?? 'open'
  const page = {
    title: 'Unseen calls',
    lead: 'The switch has recorded them, and their events never came',
    tabs: await tabs(services, state, account),
    filters: {
      action: LIST,
      hidden: state === 'open' ? {} : { state },
      fields: [{ name: 'account', label: 'Account', value: account ?? '' }],
      submit: 'Show',
      clear: account === undefined ? null : address(LIST, { state: asked }),
    },
  }
  try {
    const filter = { state, ...given({ account }) }
    const asking = { ...filter, ...given({ after }), limit: PAGE_ROWS + 1 }
    const { rows, hasMore } = firstRows(await services.ledger.unseenList(asking))
    const prices = await pricesOf(visit, services, state === 'open' ? rows : [])
    const pager = {
      text: 'The last to end first',
      first: after ? address(LIST, filter) : null,
      next: hasMore ? address(LIST, { ...filter, after: cdrKey(rows.at(-1)!) }) : null,
    }
    const shown = rows.map(call => rowOf(visit, call, prices.get(call.call_id)))
    const empty = account === undefined ? EMPTY[state] : { title: 'None of this account' }
    const table = tableOf(state, shown, empty)
    return view(visit.request, reply, 'list', { ...page, table, pager })
  } catch (error) {
    const problem = sentenceOf(error)
    const table = tableOf(state, [], EMPTY[state])
    const wrong = { ...page, table, problem }
    return view(visit.request, reply.code(problemStatus(error)), 'list', wrong)
  }
}

async function tabs({ browsing }: WebParts['services'], now: UnseenState, account?: string) {
  const counts: Partial<Record<UnseenState, number>> = await browsing.unseenCounts()
  return {
    label: 'By what became of them',
    tabs: UNSEEN_STATES.map(state => {
      const count = counts[state] ?? 0
      return {
        text: count > 0 ? `${TITLES[state]} (${count})` : TITLES[state],
        href: address(LIST, { state: state === 'open' ? undefined : state, account }),
        current: state === now,
      }
    }),
  }
}

function tableOf(state: UnseenState, rows: readonly Row[], empty: Empty): Table {
  const last: Readonly<Record<UnseenState, readonly Column[]>> = {
    open: [{ label: 'Switch' }, { label: 'Would cost', kind: 'number' }],
    waiting: [{ label: 'Switch' }, { label: 'Record came' }],
    charged: DECIDED,
    dismissed: DECIDED,
  }
  const columns: Column[] = [
    { label: 'Ended' },
    { label: 'Number' },
    { label: 'Account' },
    { label: 'Talk', kind: 'number' },
    ...last[state],
  ]
  return { caption: `Unseen calls: ${TITLES[state]}`, columns, rows, empty }
}

const DECIDED: readonly Column[] = [
  { label: 'Decided' },
  { label: 'By', kind: 'text' },
  { label: 'Reason', kind: 'text' },
]

function rowOf(visit: Visit, call: UnseenJson, price: UnseenPrice | undefined): Row {
  const { call_id, state } = call
  const decided: Cell[] = [atOrNull(call.decided_at), call.decided_by, call.reason]
  const last: Readonly<Record<UnseenState, readonly Cell[]>> = {
    open: [call.switch, price === undefined ? null : priceCell(price)],
    waiting: [call.switch, { at: call.received_at }],
    charged: decided,
    dismissed: decided,
  }
  return {
    cells: [
      { at: call.ended_at },
      { text: numberOf(call), href: pathTo('unseen-calls', call_id), mono: true },
      accountCell(call),
      talk(talkSeconds(call)),
      ...last[state],
    ],
    ...(mayDecide(visit, call) && {
      actions: [
        chargeForm(visit, call, {
          small: true,
          hidden: given({ account: visit.query['account'] }),
        }),
        { text: 'Dismiss', href: `${pathTo('unseen-calls', call_id)}#dismiss` },
      ],
    }),
  }
}

/** A leg may be dialled without a number; a link needs a text. */
const numberOf = ({ number }: UnseenJson) => number || 'no number'

const atOrNull = (at: string | null): Cell => (at === null ? null : { at })

/** Those that wait are decided on by what comes: it would be too soon. */
const mayDecide = (visit: Visit, { state }: UnseenJson) =>
  state === 'open' && visit.may('money:write')

function accountCell({ account }: UnseenJson): Cell {
  if (account === null) return 'not known yet'
  return { text: account, href: pathTo('accounts', account), mono: true }
}

function chargeForm(visit: Visit, call: UnseenJson, more: Partial<Form>): Form {
  const { account, duration_s, call_id } = call
  return visit.form({
    action: `${pathTo('unseen-calls', call_id)}/charge`,
    submit: 'Charge',
    confirm: `Charge ${account} for ${duration_s} s to ${numberOf(call)}?`,
    ...more,
  })
}

async function one(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  problems: Readonly<Partial<Record<Decided, string>>>,
): Promise<FastifyReply> {
  const { call: callId = '' } = visit.params
  const found = await services.browsing.unseenCall(callId)
  if (!found) throw new BookError('unknown_call', `There is no unseen call ${callId}`)
  const call = unseenJson(found)
  return view(visit.request, reply, 'details', {
    title: numberOf(call),
    crumb: { text: 'Unseen calls', href: LIST },
    lead: { at: call.ended_at },
    badges: [call.state],
    links: linksOf(visit, call),
    // What somebody else has done meanwhile leaves no form to say it in.
    problem: mayDecide(visit, call) ? null : Object.values(problems)[0],
    facts: await factsOf(visit, services, call),
    forms: mayDecide(visit, call) ? decisions(visit, call, problems) : [],
    more: [],
  })
}

function linksOf(visit: Visit, call: UnseenJson): Link[] {
  const { account, number, answered_at: at, call_id, state } = call
  if (state === 'charged') return [{ text: 'Its story', href: pathTo('calls', call_id) }]
  const isPriced = state === 'open' && account !== null && at !== null
  if (!isPriced || !visit.may('rates:read')) return []
  const question = { account, number, seconds: String(talkSeconds(call)), at }
  return [{ text: 'Why it would cost that', href: address('/quote', question) }]
}

async function factsOf(
  visit: Visit,
  services: WebParts['services'],
  call: UnseenJson,
): Promise<Fact[]> {
  return [
    { label: 'Account', value: accountCell(call) },
    ...(call.state === 'open' ? await chargeable(visit, services, call) : []),
    { label: 'Answered', value: atOrNull(call.answered_at) },
    { label: 'Ended', value: { at: call.ended_at } },
    { label: 'Talk', value: `${call.duration_s} s` },
    { label: 'Cause', value: { code: call.cause } },
    { label: 'Switch', value: call.switch },
    { label: 'Record came', value: { at: call.received_at } },
    ...(call.decided_at === null
      ? []
      : [
          { label: 'Decided', value: { at: call.decided_at } },
          { label: 'By', value: call.decided_by },
          { label: 'Reason', value: call.reason },
        ]),
    { label: 'Call id', value: { code: call.call_id } },
  ]
}

/** What it would cost, and what there is to be charged: the rest would be written off. */
async function chargeable(
  visit: Visit,
  services: WebParts['services'],
  call: UnseenJson,
): Promise<Fact[]> {
  const price = (await pricesOf(visit, services, [call])).get(call.call_id)
  const facts: Fact[] = []
  if (price !== undefined) {
    const why = 'cost' in price ? null : price.sentence
    facts.push({ label: 'Would cost', value: { parts: [priceCell(price), why] } })
  }
  const code = call.account
  if (code === null || !visit.may('accounts:read')) return facts
  try {
    const { available, state } = await services.ledger.accountShow({ code })
    const badge = state === 'active' ? null : { badge: state }
    return [...facts, { label: 'Available', value: { parts: [{ money: available }, badge] } }]
  } catch (error) {
    if (!(error instanceof BookError)) throw error
    return facts
  }
}

function decisions(
  visit: Visit,
  call: UnseenJson,
  problems: Readonly<Partial<Record<Decided, string>>>,
) {
  const { account, call_id } = call
  const problem = (verdict: Decided) => problems[verdict] ?? null
  const reason = (verdict: Decided, more: Partial<Field>): Field => ({
    name: 'reason',
    label: 'Reason',
    value: problem(verdict) === null ? '' : (visit.typed['reason'] ?? ''),
    wide: true,
    ...more,
  })
  const charge = chargeForm(visit, call, {
    id: 'charge',
    problem: problem('charged'),
    fields: [reason('charged', { hint: 'For the record of changes; it may be left empty' })],
  })
  const dismiss = visit.form({
    action: `${pathTo('unseen-calls', call_id)}/dismiss`,
    submit: 'Dismiss',
    id: 'dismiss',
    tone: 'danger',
    confirm: `Dismiss the call of ${account} to ${numberOf(call)}? Nobody is charged for it.`,
    problem: problem('dismissed'),
    fields: [reason('dismissed', { required: true, hint: 'Why nobody pays for it' })],
  })
  return [
    { title: 'Charge it', form: charge },
    { title: 'Dismiss it', form: dismiss },
  ]
}
