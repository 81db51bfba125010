/** Users and tokens: who may log in or ask by program, and what each of them may. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { OPERATOR_ROLES, ROLE_SCOPES, ROLES, SCOPES } from '../../../access/scopes.js'
import { given } from '../../../provisioning/fields.js'
import type { TokenJson } from '../../../provisioning/tokens.js'
import type { UserJson } from '../../../provisioning/users.js'
import type { WebParts } from '../../parts.js'
import { pathTo, sentenceOf, type Typed, Visit } from '../page.js'
import { problemStatus } from '../problem-status.js'
import { type Field, type Form, inWords, type Notice, type Row, type Table } from '../shown.js'
import { view } from '../views.js'

/** Nobody has more people than this who work with it; there is a search. */
const USERS_SHOWN = 500

export function usersPages(app: FastifyInstance, parts: WebParts): void {
  app.get('/users', async (request, reply) => {
    return list(new Visit(request, 'users:read'), reply, parts, {})
  })
  app.post('/users', async (request, reply) => {
    const visit = new Visit(request, 'users:write')
    const { name, role, account = null } = visit.typed
    try {
      const user = await visit.perform(parts.services, 'userCreate', { name, role, account })
      return list(visit, reply, parts, { notice: linkNotice(user.name, user.password_link) })
    } catch (error) {
      const user = sentenceOf(error)
      return list(visit, reply.code(problemStatus(error)), parts, { problems: { user } })
    }
  })
  userPages(app, parts)
  tokenPages(app, parts)
}

function userPages(app: FastifyInstance, parts: WebParts): void {
  app.get('/users/:name', async (request, reply) => {
    return edit(new Visit(request, 'users:read'), reply, parts, {})
  })
  app.post('/users/:name', async (request, reply) => {
    const visit = new Visit(request, 'users:write')
    const { name } = visit.params
    const { role, account = null, enabled = 'no' } = visit.typed
    try {
      const input = { name, role, account, enabled, ...visit.version }
      await visit.perform(parts.services, 'userSet', input)
      return reply.redirect('/users?said=user_saved', 303)
    } catch (error) {
      const problem = sentenceOf(error)
      return edit(visit, reply.code(problemStatus(error)), parts, { problem })
    }
  })
  app.post('/users/:name/link', async (request, reply) => {
    const visit = new Visit(request, 'users:write')
    const input = { name: visit.params['name'] }
    const made = await visit.perform(parts.services, 'userPasswordLink', input)
    const { name, password_link } = made
    return edit(visit, reply, parts, { notice: linkNotice(name, password_link) })
  })
  app.post('/users/:name/delete', async (request, reply) => {
    const visit = new Visit(request, 'users:write')
    await visit.perform(parts.services, 'userDelete', { name: visit.params['name'] })
    return reply.redirect('/users?said=user_deleted', 303)
  })
}

function tokenPages(app: FastifyInstance, parts: WebParts): void {
  app.post('/tokens', async (request, reply) => {
    const visit = new Visit(request, 'users:write')
    const { name, role, expires } = visit.typed
    const ticked = (request.body as Record<string, unknown> | undefined)?.['scopes']
    const scopes = ticked === undefined ? undefined : [ticked].flat()
    try {
      const input = { name, role, ...given({ expires, scopes }) }
      const { token } = await visit.perform(parts.services, 'tokenCreate', input)
      const text = `The token ${name} is shown this once:`
      return list(visit, reply, parts, { notice: { tone: 'good', text, secret: token ?? '' } })
    } catch (error) {
      const token = sentenceOf(error)
      return list(visit, reply.code(problemStatus(error)), parts, { problems: { token } })
    }
  })
  app.post('/tokens/:name/revoke', async (request, reply) => {
    const visit = new Visit(request, 'users:write')
    await visit.perform(parts.services, 'tokenRevoke', { name: visit.params['name'] })
    return reply.redirect('/users?said=token_revoked', 303)
  })
}

interface Doing {
  readonly notice?: Notice
  readonly problems?: { readonly user?: string; readonly token?: string }
}

function linkNotice(name: string, link: string | null): Notice {
  const text = `Give ${name} this link, by which he chooses a password. It is shown this once:`
  return { tone: 'good', text, secret: link ?? '' }
}

async function list(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  { notice, problems = {} }: Doing,
): Promise<FastifyReply> {
  const { search } = visit.query
  const found = await services.users.list({ ...given({ search }), limit: USERS_SHOWN })
  const tokens = await services.tokens.list({})
  return view(visit.request, reply, 'users', {
    title: 'Users and tokens',
    notice,
    filters: {
      action: '/users',
      clear: search === undefined ? null : '/users',
      fields: [
        {
          name: 'search',
          label: 'Search',
          type: 'search',
          value: search ?? '',
          placeholder: 'Name or account',
          wide: true,
        },
      ],
    },
    users: userTable(found),
    tokens: tokenTable(tokens, visit),
    newUser: visit.formFor('users:write', {
      action: '/users',
      submit: 'Make the user',
      wide: true,
      problem: problems.user ?? null,
      fields: userFields(problems.user === undefined ? {} : visit.typed, true),
    }),
    newToken: visit.formFor('users:write', tokenForm(visit.typed, problems.token)),
  })
}

function userTable(users: readonly UserJson[]): Table {
  return {
    caption: 'Users',
    columns: [
      { label: 'Name' },
      { label: 'Role' },
      { label: 'Account' },
      { label: 'State' },
      { label: 'Last log-in' },
    ],
    rows: users.map(
      (user): Row => ({
        cells: [
          { text: user.name, href: pathTo('users', user.name) },
          inWords(user.role),
          user.account === null
            ? null
            : { text: user.account, href: pathTo('accounts', user.account), mono: true },
          { badge: user.enabled ? (user.has_password ? 'enabled' : 'invited') : 'disabled' },
          user.last_login_at === null ? 'never' : { at: user.last_login_at },
        ],
      }),
    ),
    empty: { title: 'No user is like that' },
  }
}

function tokenTable(tokens: readonly TokenJson[], visit: Visit): Table {
  return {
    caption: 'Tokens',
    columns: [
      { label: 'Name' },
      { label: 'Role' },
      { label: 'May', kind: 'text' },
      { label: 'State' },
      { label: 'Expires' },
      { label: 'Last used' },
    ],
    rows: tokens.map(
      (token): Row => ({
        cells: [
          { code: token.name },
          inWords(token.role),
          token.scopes.length === ROLE_SCOPES[token.role].length
            ? 'all that its role may'
            : token.scopes.join(', '),
          { badge: token.state },
          token.expires_at === null ? 'never' : { at: token.expires_at },
          token.last_used_at === null ? 'never' : { at: token.last_used_at },
        ],
        ...(token.state === 'active'
          ? {
              actions: visit.formFor('users:write', {
                action: `${pathTo('tokens', token.name)}/revoke`,
                submit: 'Revoke',
                small: true,
                confirm: `Revoke the token ${token.name}? Programs that show it are refused at once, for good.`,
              }),
            }
          : { tone: 'muted' as const }),
      }),
    ),
    empty: { title: 'There are no tokens', text: 'A program needs one to use the API.' },
  }
}

const choices = (names: readonly string[]) => names.map(value => ({ value, label: inWords(value) }))

function userFields(values: Typed, isNew: boolean): Field[] {
  return [
    ...(isNew
      ? [{ name: 'name', label: 'Name', value: values['name'] ?? '', required: true }]
      : []),
    {
      name: 'role',
      label: 'Role',
      type: 'select',
      value: values['role'] ?? 'operator',
      options: choices(ROLES),
    },
    {
      name: 'account',
      label: 'Account',
      value: values['account'] ?? '',
      hint: 'The one that an account holder sees',
    },
  ]
}

function tokenForm(typed: Typed, problem: string | undefined): Omit<Form, 'csrf'> {
  const values = problem === undefined ? {} : typed
  return {
    action: '/tokens',
    submit: 'Make the token',
    wide: true,
    problem: problem ?? null,
    id: 'token',
    fields: [
      { name: 'name', label: 'Name of the program', value: values['name'] ?? '', required: true },
      {
        name: 'role',
        label: 'Role',
        type: 'select',
        value: values['role'] ?? 'read_only',
        options: choices(OPERATOR_ROLES),
      },
      {
        name: 'expires',
        label: 'Expires',
        value: values['expires'] ?? '',
        hint: 'Like 2027-06-30; empty: never',
      },
      {
        name: 'scopes',
        label: 'Only',
        type: 'checks',
        wide: true,
        hint: 'None ticked: all that its role may',
        options: SCOPES.map(value => ({ value, label: value })),
      },
    ],
  }
}

async function edit(
  visit: Visit,
  reply: FastifyReply,
  { services }: WebParts,
  { problem, notice }: { problem?: string; notice?: Notice },
): Promise<FastifyReply> {
  const user = await services.users.show({ name: visit.params['name'] })
  const { name, role, account, enabled } = user
  const path = pathTo('users', name)
  const values = problem === undefined ? { role, account: account ?? '' } : visit.typed
  const form = visit.formFor('users:write', {
    action: path,
    submit: 'Save',
    hidden: visit.versionOf(user),
    cancel: '/users',
    wide: true,
    problem: problem ?? null,
    fields: [
      ...userFields(values, false),
      { name: 'enabled', label: 'Enabled', type: 'check', value: enabled ? 'yes' : '' },
    ],
  })
  const link = visit.formFor('users:write', {
    action: `${path}/link`,
    submit: 'Make a link for a new password',
  })
  const remove = visit.formFor('users:write', {
    action: `${path}/delete`,
    submit: 'Delete',
    tone: 'danger',
    confirm: `Delete ${name}? All his sessions end.`,
  })
  return view(visit.request, reply, 'details', {
    title: name,
    crumb: { text: 'Users and tokens', href: '/users' },
    badges: [enabled ? 'enabled' : 'disabled'],
    notice,
    facts: [
      { label: 'Role', value: inWords(role) },
      { label: 'Since', value: { at: user.created_at } },
      {
        label: 'Last log-in',
        value: user.last_login_at === null ? 'never' : { at: user.last_login_at },
      },
    ],
    form: form[0] ?? null,
    more: [...link, ...remove],
  })
}
