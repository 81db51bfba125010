/** The tokens with which programs come: what can be done with them, and its checks. */
import { z } from 'zod'
import type { Token, Tokens } from '../access/access.js'
import { OPERATOR_ROLES, ROLE_SCOPES, SCOPES, type Scope } from '../access/scopes.js'
import { hashSecret, newSecret } from '../access/secrets.js'
import { formatInstant } from '../call/cdr.js'
import { BookError } from '../ledger/books.js'
import { actor, checkInput, instant, oneOf, quoted } from './fields.js'
import { userName } from './users.js'

/** `accounts:read calls:read`, with blanks or commas between them, or an array. */
const scopes = z
  .unknown()
  .transform((value, context): Scope[] => {
    const listed = typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : value
    if (Array.isArray(listed) && listed.length > 0 && listed.every(isScope)) {
      return SCOPES.filter(scope => listed.includes(scope))
    }
    const message = `${quoted(value)} are not scopes: they are ${SCOPES.join(', ')}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .meta({
    ...{ type: 'array', items: { type: 'string', enum: SCOPES } },
    description: 'What it may, of what its role may',
  })

const isScope = (scope: unknown): scope is Scope => SCOPES.includes(scope as Scope)

const tokenName = userName

export const tokenCreateInput = z.strictObject({
  /** The program's, as it stands in the books: `billing` is `token:billing`. */
  name: tokenName,
  role: oneOf('The role', OPERATOR_ROLES),
  /** Less than the role allows. */
  scopes: scopes.optional(),
  expires: instant('The expiry').nullable().optional(),
  actor,
})
export const tokenListInput = z.strictObject({})
export const tokenRevokeInput = z.strictObject({ name: tokenName, actor })

type Fields<S extends z.ZodObject> = { [F in keyof S['shape']]?: unknown }

export type TokenJson = ReturnType<typeof tokenJson>

/** The only answer that ever has the token itself in it: this once. */
export interface TokenWithSecret extends TokenJson {
  readonly token: string | null
}

/** By which programs that look for secrets in source code know ours. */
const BEGINNING = 'tollgate_'

export class TokenProvisioning {
  /** @param now microseconds since the epoch */
  constructor(
    readonly tokens: Tokens,
    readonly now: () => number,
  ) {}

  async create(input: Fields<typeof tokenCreateInput>): Promise<TokenWithSecret> {
    const { name, role, expires = null, actor, ...rest } = checkInput(tokenCreateInput, input)
    const { scopes = [...ROLE_SCOPES[role]] } = rest
    const beyond = scopes.find(scope => !ROLE_SCOPES[role].includes(scope))
    if (beyond)
      throw new BookError('bad_input', `The role ${role} does not have the scope ${beyond}`)
    if (expires !== null && expires <= this.now()) {
      throw new BookError('bad_input', 'The token would have expired already')
    }
    const token = BEGINNING + newSecret()
    const fresh = { name, role, scopes, expiresAt: expires, hash: hashSecret(token) }
    return { ...tokenJson(await this.tokens.create(fresh, actor), this.now()), token }
  }

  /** In the order of names. */
  async list(input: Fields<typeof tokenListInput>): Promise<TokenJson[]> {
    checkInput(tokenListInput, input)
    return (await this.tokens.list()).map(token => tokenJson(token, this.now()))
  }

  /** For good; it stays in the list, and its name is not used again. */
  async revoke(input: Fields<typeof tokenRevokeInput>): Promise<TokenJson> {
    const { name, actor } = checkInput(tokenRevokeInput, input)
    return tokenJson(await this.tokens.revoke(name, actor), this.now())
  }

  /** The token in force that is shown. */
  use(shown: string): Promise<Token | undefined> {
    return this.tokens.use(hashSecret(shown))
  }
}

function tokenJson(token: Token, now: number) {
  const instantOrNull = (at: number | null) => (at === null ? null : formatInstant(at))
  return {
    name: token.name,
    role: token.role,
    scopes: [...token.scopes],
    state: stateOf(token, now),
    created_at: formatInstant(token.createdAt),
    created_by: token.createdBy,
    expires_at: instantOrNull(token.expiresAt),
    revoked_at: instantOrNull(token.revokedAt),
    last_used_at: instantOrNull(token.lastUsedAt),
  }
}

function stateOf({ revokedAt, expiresAt }: Token, now: number) {
  if (revokedAt !== null) return 'revoked' as const
  return expiresAt !== null && expiresAt <= now ? ('expired' as const) : ('active' as const)
}
