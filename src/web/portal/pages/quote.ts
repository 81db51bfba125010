/** Which rate a call would get, and why: how its number is read, what decides, and what it costs. */
import type { FastifyInstance } from 'fastify'
import { given } from '../../../provisioning/fields.js'
import type { QuoteJson } from '../../../provisioning/quote.js'
import type { WebParts } from '../../parts.js'
import { pathTo, sentenceOf, type Typed, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import { quoteFilters } from '../quote-form.js'
import type { Cell, Fact } from '../shown.js'
import { view } from '../views.js'

export function quotePages(app: FastifyInstance, { services }: WebParts): void {
  app.get('/quote', async (request, reply) => {
    const { query } = new Visit(request, 'rates:read')
    const page = {
      title: 'Quote',
      lead: 'Which rate a call would get, and why',
      crumb: { text: 'Rates', href: '/rates' },
      quote: quoteFilters(query, await services.rates.planList()),
      problem: null,
      answer: null,
    }
    if (query['number'] === undefined) return view(request, reply, 'quote', page)
    try {
      const found = await quoted(services, query)
      return view(request, reply, 'quote', { ...page, answer: answerOf(found, true) })
    } catch (error) {
      const problem = sentenceOf(error)
      return view(request, reply.code(problemStatus(error)), 'quote', { ...page, problem })
    }
  })
}

export async function quoted({ quoter }: WebParts['services'], asked: Typed): Promise<QuoteJson> {
  const { number, account, plan, seconds = '60', at } = asked
  // Who says both means the account: its special plan may come first.
  const whose = account === undefined ? given({ plan }) : { account }
  return (await quoter(whose)).quote({ number, seconds, ...given({ at }) })
}

/** @param withCosts what the carrier charges is not for customers */
export function answerOf(quote: QuoteJson, withCosts: boolean) {
  const { number, steps, refused, reason, prefix, description } = quote
  const cost = quote.cost === null ? null : { money: quote.cost }
  return {
    number,
    steps: [...steps, ...decisions(quote, withCosts)],
    refused: refused === null ? null : `${reason}.`,
    headline: cost,
    destination: description || prefix,
    facts: [...priceFacts(quote), ...(withCosts ? costFacts(quote) : [])],
  }
}

/** @param withPlan what plans are called is not for customers */
function decisions(quote: QuoteJson, withPlan: boolean): string[] {
  const { prefix, plan, decided_by, period_in_force, period, number } = quote
  if (prefix === null || plan === null) return []
  const which = decided_by === 'special_plan' ? 'the special plan' : 'the plan'
  const longest =
    prefix === ''
      ? 'no prefix fits, so the rate for any number is taken'
      : `${prefix} is the longest prefix that ${number} begins with`
  const inForce =
    period_in_force === ''
      ? []
      : [
          period === period_in_force
            ? `the period ${period} is in force, and there is a rate for it`
            : `the period ${period_in_force} is in force, but the rate of the base is taken`,
        ]
  return [...(withPlan ? [`${which} ${plan} decides`] : []), longest, ...inForce]
}

function priceFacts(quote: QuoteJson): Fact[] {
  if (quote.per_minute === null) return []
  const amount = (text: string | null): Cell => (text === null ? null : { money: text })
  return [
    { label: 'Prefix', value: { code: quote.prefix || 'any' } },
    { label: 'A minute', value: amount(quote.per_minute) },
    { label: 'Setup', value: amount(quote.setup) },
    { label: 'Steps', value: `${quote.minimum}/${quote.increment} s` },
    ...(quote.free_s ? [{ label: 'Free', value: `up to ${quote.free_s} s` }] : []),
    ...(quote.period ? [{ label: 'Period', value: quote.period }] : []),
    { label: 'Billed', value: quote.billed_s === null ? null : `${quote.billed_s} s` },
    { label: 'Talk', value: amount(quote.talk_cost) },
    { label: 'Cost', value: amount(quote.cost) },
  ]
}

function costFacts({ cost_plan, carrier_per_minute, carrier_cost, margin }: QuoteJson): Fact[] {
  if (cost_plan === null) return []
  const amount = (text: string | null): Cell => (text === null ? 'not known' : { money: text })
  return [
    { label: 'Cost plan', value: { text: cost_plan, href: pathTo('rates', cost_plan) } },
    { label: 'Carrier, a minute', value: amount(carrier_per_minute) },
    { label: 'Carrier', value: amount(carrier_cost) },
    { label: 'Margin', value: amount(margin) },
  ]
}
