/**
 * The story of a call, from what the books have of it and nothing else: its CDR, its timeline, the booking of
 * its cost, refunds, corrections and what people did to it.
 */

import type { Outcome } from '../../call/call.js'
import { cdrJson, durationUs, formatInstant } from '../../call/cdr.js'
import type { AuditRecord } from '../../ledger/audit.js'
import type { CallRecord } from '../../ledger/browsing.js'
import { formatMoney, type Money } from '../../money.js'
import { affordableSeconds, type Rate } from '../../rating/rate.js'
import { talk } from './call-list.js'
import { pathTo } from './page.js'
import { type Fact, type Happening, inWords } from './shown.js'

/** What was held may have paid for longer than anybody talks. */
const LONGEST_S = 30 * 86_400

export function happeningsOf(record: CallRecord): Happening[] {
  const call = ofTheCall(record)
  const live = [...call.slice(0, -1), ...ofTheLedger(record)]
  // People are recorded by our clock, when it is done: the order is better known than the instants.
  const timed = [
    ...live.sort((a, b) => a.us - b.us),
    ...record.audit.filter(isKill).map(ofPeople),
    ...call.slice(-1),
    ...record.audit.filter(done => !isKill(done)).map(ofPeople),
    ...ofTheBooks(record),
  ]
  return timed.map((happening, i) => {
    const before = timed[i - 1]
    const us = before ? happening.us - before.us : 0
    const { us: _, ...shown } = happening
    return { ...shown, at: formatInstant(happening.us), ...(us > 0 && { after: `+ ${span(us)}` }) }
  })
}

type Timed = Omit<Happening, 'at' | 'after'> & { readonly us: number }

const ENDS: Readonly<Record<Outcome, string>> = {
  completed: 'Hung up',
  unanswered: 'Ended before it was answered',
  refused: 'Refused',
  cut_off: 'Cut off',
}

function ofTheCall({ cdr }: CallRecord): Timed[] {
  const { createdAt, answeredAt, endedAt } = cdr
  const from = cdr.dialled === cdr.number ? '' : `, dialled as ${cdr.dialled}`
  const created = {
    us: createdAt,
    title: 'Created',
    text: `${cdr.number ?? cdr.dialled}${from}, on ${cdr.switch}`,
  }
  const answered =
    answeredAt === null
      ? []
      : [{ us: answeredAt, title: 'Answered', text: '', tone: 'good' as const }]
  const talked = durationUs(answeredAt, endedAt)
  const isBad = cdr.outcome === 'cut_off' || cdr.outcome === 'refused'
  const why = [
    ...(cdr.reason ? [inWords(cdr.reason)] : []),
    cdr.cause,
    ...(answeredAt === null ? [] : [`after ${span(talked)} of talk`]),
  ]
  const ended = { us: endedAt, title: ENDS[cdr.outcome], text: why.join(', ') }
  return [created, ...answered, { ...ended, ...(isBad && { tone: 'bad' as const }) }]
}

/** A call that is older than timelines has only the most that was held, and not when. */
function ofTheLedger({ cdr, rate, timeline }: CallRecord): Timed[] {
  const { createdAt: at, held } = cdr
  if (!timeline) {
    if (held === 0n) return []
    const text = `At the most ${formatMoney(held)}${paidFor(rate, held)}`
    return [{ us: at, title: 'Held', text }]
  }
  return timeline.map((milestone, i) => {
    const { type, at: us } = milestone
    if (type === 'warned') {
      return { us, title: 'Warned', text: 'The caller heard that the credit is about to end' }
    }
    const text = `${formatMoney(milestone.held)}${paidFor(rate, milestone.held)}`
    return { us, title: i === 0 ? 'Held' : 'Held more', text }
  })
}

function paidFor(rate: Rate | null, held: Money): string {
  const seconds = rate && held > 0n ? affordableSeconds(rate, held, LONGEST_S) : null
  if (seconds === null) return ''
  if (seconds === LONGEST_S) return ', which pays for any talk'
  return `, which pays for ${talk(seconds)} of talk`
}

/** What else people do to a call, they do when it is over. */
const isKill = ({ action }: AuditRecord) => action === 'call.kill'

function ofPeople(done: AuditRecord): Timed {
  const { at, actor, action } = done
  const text = `by ${actor}`
  if (isKill(done)) return { us: at, title: 'Told to end', text, tone: 'bad' }
  return { us: at, title: action === 'cdr.charge' ? 'Charged' : inWords(action), text }
}

function ofTheBooks({ cdr, settled, refunds, correction, audit }: CallRecord): Timed[] {
  const first = correction?.first.cost ?? cdr.cost
  const lost = cdr.writeOff > 0n ? `; ${formatMoney(cdr.writeOff)} more is written off` : ''
  return [
    ...(settled
      ? [
          {
            us: settled.at,
            title: 'Settled',
            text: correction
              ? formatMoney(first)
              : `${formatMoney(first)} for ${cdr.billedS} billed seconds${lost}`,
            tone: 'good' as const,
          },
        ]
      : []),
    // Without a booking there is no time of it.
    ...(!settled && !correction && cdr.writeOff > 0n
      ? [
          {
            us: audit.at(-1)?.at ?? cdr.endedAt,
            title: 'Written off',
            text: `${formatMoney(cdr.writeOff)}: there was no credit`,
            tone: 'bad' as const,
          },
        ]
      : []),
    ...(correction
      ? [
          {
            us: correction.at,
            title: 'Corrected',
            text: `Its exact end was learnt later: ${formatMoney(first)} became ${formatMoney(cdr.cost)}`,
          },
        ]
      : []),
    ...refunds.map(refund => ({
      us: refund.at,
      title: 'Refunded',
      text: `${formatMoney(refund.amount)} by ${refund.actor}${refund.reason ? `: ${refund.reason}` : ''}`,
    })),
  ]
}

export function factsOf({ cdr, rate }: CallRecord): Fact[] {
  const json = cdrJson(cdr)
  const { plan, prefix, description, carrier_cost, margin } = json
  const ofRate = rate && [
    {
      label: 'Rate',
      value: { parts: [{ code: prefix || 'any' }, description ?? ''] },
    },
    { label: 'A minute', value: { money: formatMoney(rate.perMinute) } },
    { label: 'Setup', value: { money: formatMoney(rate.setup) } },
    { label: 'Steps', value: `${rate.minimum}/${rate.increment} s` },
    ...(rate.freeS > 0 ? [{ label: 'Free', value: `up to ${rate.freeS} s` }] : []),
  ]
  return [
    {
      label: 'Account',
      value: { text: cdr.account, href: pathTo('accounts', cdr.account), mono: true },
    },
    ...(plan === null
      ? []
      : [{ label: 'Plan', value: { text: plan, href: pathTo('rates', plan) } }]),
    ...(ofRate ?? []),
    { label: 'Talk', value: `${json.duration_s} s` },
    { label: 'Billed', value: `${json.billed_s} s` },
    { label: 'Cost', value: { money: json.cost } },
    { label: 'Held at most', value: { money: json.held } },
    { label: 'Written off', value: { money: json.write_off } },
    ...(carrier_cost === null ? [] : [{ label: 'Carrier', value: { money: carrier_cost } }]),
    ...(margin === null ? [] : [{ label: 'Margin', value: { money: margin } }]),
    { label: 'Cause', value: { code: cdr.cause } },
    { label: 'Switch', value: cdr.switch },
    { label: 'Call id', value: { code: cdr.callId } },
  ]
}

/** A time between two instants, as fine as it matters: `0.38 s`, `2:05`. */
function span(us: number): string {
  return us < 60_000_000 ? `${(us / 1e6).toFixed(us < 1e6 ? 3 : 2)} s` : talk(Math.round(us / 1e6))
}
