/** What every page of the portal needs: who asks, what was typed, and how a refusal is shown. */
import type { FastifyRequest } from 'fastify'
import { may, type Principal } from '../../access/principal.js'
import type { Scope } from '../../access/scopes.js'
import { BookError } from '../../ledger/books.js'
import { LedgerError } from '../../ledger/ledger.js'
import type { CardProvisioning } from '../../provisioning/cards.js'
import { versionOf } from '../../provisioning/edit-version.js'
import { given } from '../../provisioning/fields.js'
import type { OperationName, Provisioning } from '../../provisioning/operations.js'
import type { RateProvisioning } from '../../provisioning/rates.js'
import type { TokenProvisioning } from '../../provisioning/tokens.js'
import type { UserProvisioning } from '../../provisioning/users.js'
import type { ServedName } from '../api/permissions.js'
import { permitted, runOf, takesActor } from '../api/routes.js'
import type { Services } from '../parts.js'
import { principalOf } from '../principals.js'
import { Refusal } from '../refusal.js'
import type { Form } from './shown.js'

interface Local {
  planCreate: RateProvisioning['planCreate']
  rateAdd: RateProvisioning['rateAdd']
  userCreate: UserProvisioning['create']
  userPasswordLink: UserProvisioning['passwordLink']
  tokenCreate: TokenProvisioning['create']
  pinSet: CardProvisioning['set']
}

type Answer<N extends ServedName> = N extends OperationName
  ? Awaited<ReturnType<Provisioning[N]>>
  : N extends keyof Local
    ? Awaited<ReturnType<Local[N]>>
    : unknown

/** Typed by a person: only what was filled in, each as text. */
export type Typed = Readonly<Record<string, string>>

/** How many rows a page of a list has. One more is asked for, to know whether there is a next page. */
export const PAGE_ROWS = 50

export class Visit {
  readonly principal: Principal
  readonly query: Typed
  readonly params: Typed
  /** The fields of a form; those that were left empty are not in it. */
  readonly typed: Typed

  /**
   * @param scope null where the page itself looks who it is for
   * @throws Refusal where nobody has logged in, or he may not
   */
  constructor(
    readonly request: FastifyRequest,
    scope: Scope | null,
  ) {
    this.principal = principalOf(request)
    if (scope !== null && !may(this.principal, scope)) throw forbidden()
    this.query = filledIn(request.query)
    this.params = filledIn(request.params)
    this.typed = filledIn(request.body)
  }

  get actor(): string {
    return this.principal.actor
  }

  may(scope: Scope): boolean {
    return may(this.principal, scope)
  }

  /**
   * Does what the API would do for him, with the same permissions.
   * @throws BookError, LedgerError as the operation does; Refusal forbidden
   */
  async perform<N extends ServedName>(
    services: Services,
    name: N,
    input: Readonly<Record<string, unknown>>,
  ): Promise<Answer<N>> {
    const asked = await permitted(name, this.principal, input, services)
    const by = takesActor(name) ? { actor: this.actor } : {}
    return runOf(name, services)({ ...asked, ...by }) as Promise<Answer<N>>
  }

  /** A form with the token of the session. */
  form(form: Omit<Form, 'csrf'>): Form {
    return { ...form, csrf: this.principal.session?.csrf ?? '' }
  }

  /** A form, for those who may use it. */
  formFor(scope: Scope, form: Omit<Form, 'csrf'>): Form[] {
    return this.may(scope) ? [this.form(form)] : []
  }

  /** The state of the thing that the form showed; undoing what others did meanwhile is refused. */
  get version(): { if_match?: string } {
    return given({ if_match: this.typed['if_match'] })
  }

  /** For the form that edits it. One that was refused keeps the state that it showed. */
  versionOf(json: object): { if_match: string } {
    return { if_match: this.typed['if_match'] ?? versionOf(json) }
  }

  /**
   * The fields of a form that sets what it shows: one that was emptied takes away what was there.
   * Only the names given are looked at.
   */
  set<N extends string>(...names: readonly N[]): Record<N, string | null> {
    return Object.fromEntries(names.map(name => [name, this.typed[name] ?? null])) as Record<
      N,
      string | null
    >
  }
}

export const forbidden = () => new Refusal(403, 'forbidden', 'You may not do or see this')

/** The sentence of a refusal; what is no refusal is thrown on. */
export function sentenceOf(error: unknown): string {
  if (error instanceof BookError || error instanceof LedgerError) return error.message
  throw error
}

/** The part of a list that is shown, and whether there is more. */
export function firstRows<T>(found: readonly T[]): { rows: readonly T[]; hasMore: boolean } {
  return { rows: found.slice(0, PAGE_ROWS), hasMore: found.length > PAGE_ROWS }
}

/** A path with a query, of what has a value. */
export function address(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(given as [string, string][]).toString()
  return text ? `${path}?${text}` : path
}

/** A path of names that may have any signs in them. */
export function pathTo(...names: readonly string[]): string {
  return names.map(name => `/${encodeURIComponent(name)}`).join('')
}

function filledIn(fields: unknown): Typed {
  const texts = Object.entries((fields ?? {}) as Record<string, unknown>).filter(
    (field): field is [string, string] => typeof field[1] === 'string' && field[1] !== '',
  )
  // What is pasted has blanks around it. In a password they may be meant.
  return Object.fromEntries(
    texts.map(([name, value]) => [
      name,
      // Browsers end lines as HTTP does.
      name === 'password' ? value : value.trim().replaceAll('\r\n', '\n'),
    ]),
  )
}
