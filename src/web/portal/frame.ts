/** What is around every page: where one can go from it, and what has just been done. */
import { may, type Principal } from '../../access/principal.js'
import type { Role, Scope } from '../../access/scopes.js'
import { noticeOf } from './notices.js'
import type { Form, Link, Notice } from './shown.js'

interface Place {
  readonly href: string
  readonly text: string
  readonly icon: string
  readonly scope: Scope
}

const PLACES: readonly Place[] = [
  { href: '/', text: 'Dashboard', icon: 'dashboard', scope: 'calls:read' },
  { href: '/accounts', text: 'Customer accounts', icon: 'accounts', scope: 'accounts:read' },
  { href: '/rates', text: 'Rates', icon: 'rates', scope: 'rates:read' },
  { href: '/live', text: 'Live calls', icon: 'live', scope: 'calls:read' },
  { href: '/calls', text: 'Calls', icon: 'calls', scope: 'calls:read' },
  { href: '/unseen-calls', text: 'Unseen calls', icon: 'unseen', scope: 'calls:read' },
  { href: '/sip-accounts', text: 'SIP accounts', icon: 'sip', scope: 'sip:read' },
  { href: '/switches', text: 'Switches', icon: 'switches', scope: 'switches:read' },
  { href: '/users', text: 'Users and tokens', icon: 'users', scope: 'users:read' },
  { href: '/audit', text: 'Audit', icon: 'audit', scope: 'audit:read' },
]

/** All that a customer sees. */
const OWN_PLACES: readonly Omit<Place, 'scope'>[] = [
  { href: '/own', text: 'My account', icon: 'accounts' },
  { href: '/own/rates', text: 'Rates', icon: 'rates' },
  { href: '/own/calls', text: 'Calls', icon: 'calls' },
]

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  admin: 'Admin',
  operator: 'Operator',
  read_only: 'Read only',
  account_holder: 'Account holder',
}

export interface Frame {
  readonly csrf: string
  readonly name: string
  readonly role: string
  readonly menu: readonly (Omit<Place, 'scope'> & { readonly current: boolean })[]
  readonly links: readonly Link[]
  readonly logOut: Form
  readonly notice: Notice | null
}

/**
 * @param url the path and the query of the page
 * @param told what the page itself has to tell
 */
export function frameOf(principal: Principal, url: string, told?: Notice): Frame {
  const { pathname, searchParams } = new URL(url, 'http://portal')
  const csrf = principal.session?.csrf ?? ''
  const places =
    principal.account === null ? PLACES.filter(({ scope }) => may(principal, scope)) : OWN_PLACES
  const here = places
    .filter(
      ({ href }) => pathname === href || pathname.startsWith(href === '/' ? '//' : `${href}/`),
    )
    .reduce((best, { href }) => (href.length > best.length ? href : best), '')
  return {
    csrf,
    name: principal.name,
    role: ROLE_NAMES[principal.role],
    menu: places.map(({ href, text, icon }) => ({ href, text, icon, current: href === here })),
    links: [
      { text: 'Password', href: '/password' },
      ...(principal.account === null ? [{ text: 'API', href: '/api/docs' }] : []),
    ],
    logOut: { action: '/log-out', csrf, submit: 'Log out', tone: 'plain' },
    notice: told ?? noticeOf(searchParams.get('said')),
  }
}
