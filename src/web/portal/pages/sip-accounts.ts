/** SIP accounts: who may register with a switch, and which account pays. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { SipAccountJson } from '../../../ledger/sip-accounts.js'
import { given } from '../../../provisioning/fields.js'
import type { WebParts } from '../../parts.js'
import { address, firstRows, PAGE_ROWS, pathTo, sentenceOf, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import type { Field, Form, Notice, Row, Table } from '../shown.js'
import { view } from '../views.js'

const LIST = '/sip-accounts'

export function sipAccountsPages(app: FastifyInstance, parts: WebParts): void {
  app.get(LIST, async (request, reply) => {
    return list(new Visit(request, 'sip:read'), reply, parts, {})
  })
  app.post(LIST, async (request, reply) => {
    const visit = new Visit(request, 'sip:write')
    const { csrf: _, ...input } = visit.typed
    try {
      const made = await visit.perform(parts.services, 'sipAccountCreate', input)
      const secret = made.generated_password
      const text = `${addressOf(made)} is there. ${secret ? 'Its password is shown this once:' : ''}`
      return list(visit, reply, parts, { notice: withSecret(text, secret) })
    } catch (error) {
      const problem = sentenceOf(error)
      return list(visit, reply.code(problemStatus(error)), parts, { problem })
    }
  })
  app.get(`${LIST}/:domain/:user`, async (request, reply) => {
    return edit(new Visit(request, 'sip:read'), reply, parts, {})
  })
  app.post(`${LIST}/:domain/:user`, async (request, reply) => {
    const visit = new Visit(request, 'sip:write')
    const { domain, user } = visit.params
    const { account, name = '', enabled = 'no', password } = visit.typed
    const terms = { account, name, enabled, ...given({ password }) }
    try {
      const input = { domain, user, ...terms, ...visit.version }
      await visit.perform(parts.services, 'sipAccountSet', input)
      return reply.redirect(`${pathOf(visit)}?said=sip_saved`, 303)
    } catch (error) {
      const problem = sentenceOf(error)
      return edit(visit, reply.code(problemStatus(error)), parts, { problem })
    }
  })
  app.post(`${LIST}/:domain/:user/password`, async (request, reply) => {
    const visit = new Visit(request, 'sip:write')
    const { domain, user } = visit.params
    const input = { domain, user, generate_password: 'yes' }
    const set = await visit.perform(parts.services, 'sipAccountSet', input)
    const notice = withSecret('The new password is shown this once:', set.generated_password)
    return edit(visit, reply, parts, { notice })
  })
  app.post(`${LIST}/:domain/:user/delete`, async (request, reply) => {
    const visit = new Visit(request, 'sip:write')
    const { domain, user } = visit.params
    await visit.perform(parts.services, 'sipAccountDelete', { domain, user })
    return reply.redirect(`${LIST}?said=sip_deleted`, 303)
  })
}

interface Doing {
  readonly problem?: string
  readonly notice?: Notice
}

const addressOf = ({ user, domain }: { user: string; domain: string }) => `${user}@${domain}`

const pathOf = ({ params }: Visit) =>
  pathTo('sip-accounts', params['domain'] ?? '', params['user'] ?? '')

function withSecret(text: string, secret: string | null): Notice {
  return { tone: 'good', text, ...(secret !== null && { secret }) }
}

async function list(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  { problem, notice }: Doing,
): Promise<FastifyReply> {
  const { search, domain, account, after } = visit.query
  const filter = { search, domain, account }
  const found = await services.ledger.sipAccountList({
    ...{ ...given({ ...filter, after }), limit: PAGE_ROWS + 1 },
  })
  const { rows, hasMore } = firstRows(found)
  const isFiltered = Object.values(filter).some(value => value !== undefined)
  return view(visit.request, reply, 'list', {
    title: 'SIP accounts',
    notice,
    filters: {
      action: LIST,
      clear: isFiltered ? LIST : null,
      fields: [
        {
          name: 'search',
          label: 'Search',
          type: 'search',
          value: search ?? '',
          placeholder: 'User or name',
          wide: true,
        },
        { name: 'domain', label: 'Domain', value: domain ?? '' },
        { name: 'account', label: 'Account', value: account ?? '' },
      ],
    },
    table: tableOf(rows, isFiltered),
    pager: {
      text: 'In the order of domains, then users',
      first: after ? address(LIST, filter) : null,
      next: hasMore ? address(LIST, { ...filter, after: addressOf(rows.at(-1)!) }) : null,
    },
    forms: visit
      .formFor('sip:write', {
        action: LIST,
        submit: 'Make the SIP account',
        wide: true,
        problem: problem ?? null,
        fields: newFields(problem === undefined ? {} : visit.typed),
      })
      .map(form => ({ title: 'New SIP account', form })),
  })
}

function tableOf(rows: readonly SipAccountJson[], isFiltered: boolean): Table {
  return {
    caption: 'SIP accounts',
    columns: [
      { label: 'User' },
      { label: 'Domain' },
      { label: 'Name', kind: 'text' },
      { label: 'Account' },
      { label: 'State' },
      { label: 'Since' },
    ],
    rows: rows.map(
      (sip): Row => ({
        cells: [
          { text: sip.user, href: pathTo('sip-accounts', sip.domain, sip.user), mono: true },
          sip.domain,
          sip.name,
          { text: sip.account, href: pathTo('accounts', sip.account), mono: true },
          { badge: sip.enabled ? 'enabled' : 'disabled' },
          { at: sip.created_at },
        ],
        ...(!sip.enabled && { tone: 'muted' }),
      }),
    ),
    empty: isFiltered
      ? { title: 'No SIP account is like that' }
      : { title: 'There are no SIP accounts yet' },
  }
}

function newFields(typed: Readonly<Record<string, string>>): Field[] {
  const value = (name: string) => ({ name, value: typed[name] ?? '' })
  return [
    { ...value('user'), label: 'User', required: true },
    { ...value('domain'), label: 'Domain', required: true },
    { ...value('account'), label: 'Account that pays', required: true },
    { ...value('name'), label: 'Name', hint: 'What the called see' },
    {
      name: 'password',
      label: 'Password',
      type: 'password',
      autocomplete: 'new-password',
      hint: 'Empty: one is made, and shown once',
    },
  ]
}

async function edit(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  { problem, notice }: Doing,
): Promise<FastifyReply> {
  const { domain, user } = visit.params
  const sip = await services.ledger.sipAccountShow({ domain, user })
  const mayWrite = visit.may('sip:write')
  return view(visit.request, reply, 'details', {
    title: addressOf(sip),
    crumb: { text: 'SIP accounts', href: LIST },
    badges: [sip.enabled ? 'enabled' : 'disabled'],
    notice,
    facts: [
      {
        label: 'Account',
        value: { text: sip.account, href: pathTo('accounts', sip.account), mono: true },
      },
      { label: 'Name', value: sip.name },
      { label: 'Since', value: { at: sip.created_at } },
    ],
    form: mayWrite ? editForm(visit, sip, problem) : null,
    more: mayWrite ? moreForms(visit, sip) : [],
  })
}

function editForm(visit: Visit, sip: SipAccountJson, problem: string | undefined): Form {
  const { account, name } = problem === undefined ? sip : { ...sip, name: '', ...visit.typed }
  return visit.form({
    action: pathOf(visit),
    submit: 'Save',
    hidden: visit.versionOf(sip),
    cancel: LIST,
    wide: true,
    problem: problem ?? null,
    fields: [
      { name: 'account', label: 'Account that pays', value: account },
      { name: 'name', label: 'Name', value: name },
      {
        name: 'password',
        label: 'New password',
        type: 'password',
        autocomplete: 'new-password',
        hint: 'Empty: it stays as it is',
      },
      { name: 'enabled', label: 'Enabled', type: 'check', value: sip.enabled ? 'yes' : '' },
    ],
  })
}

function moreForms(visit: Visit, sip: SipAccountJson): Form[] {
  const path = pathOf(visit)
  return [
    visit.form({
      action: `${path}/password`,
      submit: 'Make a new password',
      confirm: `Make a new password for ${addressOf(sip)}? The old one is good no more.`,
    }),
    visit.form({
      action: `${path}/delete`,
      submit: 'Delete',
      tone: 'danger',
      confirm: `Delete ${addressOf(sip)}? It can neither call nor be called.`,
    }),
  ]
}
