/** Users of the web service: what can be done with them, and its checks. Passwords are never quoted. */
import { z } from 'zod'
import type { Links, User, Users } from '../access/access.js'
import { OPERATOR_ROLES, ROLES, type Role } from '../access/scopes.js'
import { hashPassword, hashSecret, isPassword, newSecret } from '../access/secrets.js'
import { formatInstant } from '../call/cdr.js'
import { BookError } from '../ledger/books.js'
import { expecting, ifMatch } from './edit-version.js'
import { accountCode, actor, checkInput, given, oneOf, quoted, whole, words } from './fields.js'
import { yesNo } from './rate-fields.js'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/

export const userName = z
  .custom<string>(value => typeof value === 'string' && NAME.test(value), {
    error: issue =>
      issue.input === undefined
        ? 'Give a user name'
        : `${quoted(issue.input)} is not a user name: it must be letters, digits, dots, dashes, underscores and at signs, at most 64, not starting with a sign`,
  })
  .meta({ type: 'string', pattern: NAME.source, description: 'A name', example: 'anna' })

/** Longer ones are better than ones with odd signs, which people write down. */
const PASSWORD_CHARS_MIN = 10
const PASSWORD_CHARS_MAX = 200

export const password = z
  .custom<string>(
    value =>
      typeof value === 'string' &&
      value.length >= PASSWORD_CHARS_MIN &&
      value.length <= PASSWORD_CHARS_MAX &&
      !/\p{Cc}/u.test(value),
    `A password must have ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters`,
  )
  .meta({
    ...{ type: 'string', minLength: PASSWORD_CHARS_MIN, maxLength: PASSWORD_CHARS_MAX },
    description: 'The password',
  })

const terms = {
  role: oneOf('The role', ROLES),
  /** The one that an account holder sees. */
  account: accountCode.nullable().optional(),
  enabled: yesNo('Enabled').optional(),
}

export const userInput = z.strictObject({ name: userName })
export const userEditInput = z.strictObject({ name: userName, actor })
export const userCreateInput = z.strictObject({
  ...terms,
  name: userName,
  /** Left out, there is a link by which he chooses one himself. */
  password: password.optional(),
  actor,
})
export const userSetInput = z.strictObject({
  ...terms,
  name: userName,
  role: terms.role.optional(),
  if_match: ifMatch,
  actor,
})
export const userListInput = z.strictObject({
  /** What the name or the account contains, whatever the case. */
  search: words('The search', 200).optional(),
  /** Names after this one: the last of the page before. */
  after: userName.optional(),
  limit: whole('The limit', 1, 1_000).optional(),
})
const passwordInput = z.strictObject({ password })

type Fields<S extends z.ZodObject> = { [F in keyof S['shape']]?: unknown }

export type UserJson = ReturnType<typeof userJson>

/** The only answers that ever have a link in them: this once. */
export interface UserWithLink extends UserJson {
  /** By which he chooses a password; null where none was made. */
  readonly password_link: string | null
}

/** How many users a page has where no limit is asked for. */
const LISTED = 100

export interface UserParts {
  readonly users: Users
  readonly links: Links
  /** Whether there is an account of this code: accounts are in the ledger. */
  readonly hasAccount: (code: string) => Promise<boolean>
  /** Where a link leads. */
  readonly linkUrl: (secret: string) => Promise<string>
}

export class UserProvisioning {
  constructor(readonly parts: UserParts) {}

  async create(input: Fields<typeof userCreateInput>): Promise<UserWithLink> {
    const checked = checkInput(userCreateInput, input)
    const { name, role, account = null, enabled = true, actor } = checked
    await this.#checkAccount(role, account)
    const hash = checked.password === undefined ? null : await hashPassword(checked.password)
    const user = await this.parts.users.create(name, { role, account, enabled }, hash, actor)
    return { ...userJson(user), password_link: hash ? null : await this.#link(name, actor) }
  }

  /** In the order of names. */
  async list(input: Fields<typeof userListInput>): Promise<UserJson[]> {
    const { limit = LISTED, ...filter } = checkInput(userListInput, input)
    return (await this.parts.users.list({ ...given(filter), limit })).map(userJson)
  }

  async show(input: Fields<typeof userInput>): Promise<UserJson> {
    return userJson(await this.#existing(checkInput(userInput, input).name))
  }

  async set(input: Fields<typeof userSetInput>): Promise<UserJson> {
    const { name, actor, if_match, ...changes } = checkInput(userSetInput, input)
    const old = await this.#existing(name)
    const next = { ...old, ...given(changes) }
    // Who is an account holder no more sees no single account any more.
    const account = next.role === 'account_holder' ? next.account : (changes.account ?? null)
    await this.#checkAccount(next.role, account)
    const terms = { role: next.role, enabled: next.enabled, account }
    const expect = expecting(if_match, userJson)
    return userJson(await this.parts.users.change(name, terms, actor, expect))
  }

  async delete(input: Fields<typeof userEditInput>): Promise<UserJson> {
    const { name, actor } = checkInput(userEditInput, input)
    return userJson(await this.parts.users.delete(name, actor))
  }

  /** A link by which the user chooses a new password; until then the old one is good. */
  async passwordLink(input: Fields<typeof userEditInput>): Promise<UserWithLink> {
    const { name, actor } = checkInput(userEditInput, input)
    const user = await this.#existing(name)
    if (!user.enabled)
      throw new BookError('bad_input', `${user.name} is disabled: enable him first`)
    return { ...userJson(user), password_link: await this.#link(name, actor) }
  }

  /**
   * His own new password, which ends all his other sessions.
   * @throws BookError wrong_password, bad_input
   */
  async changePassword(
    name: string,
    old: unknown,
    fresh: unknown,
    session: string,
  ): Promise<UserJson> {
    const { password } = checkInput(passwordInput, { password: fresh })
    if (!(await this.logIn(name, old))) {
      throw new BookError('wrong_password', 'The old password is not right')
    }
    const hash = await hashPassword(password)
    return userJson(await this.parts.users.setPassword(name, hash, `user:${name}`, session))
  }

  /** The user of this name and password. It takes as long where there is none. */
  async logIn(name: unknown, typed: unknown): Promise<User | undefined> {
    if (typeof name !== 'string' || typeof typed !== 'string') return undefined
    if (typed.length > PASSWORD_CHARS_MAX) return undefined
    const known = NAME.test(name) ? await this.parts.users.passwordHash(name) : undefined
    const isRight = await isPassword(typed, known?.hash ?? null)
    return isRight ? known!.user : undefined
  }

  /** The first admin. @throws BookError link_used, bad_input */
  async setUp(secret: string, name: unknown, typed: unknown): Promise<User> {
    const input = checkInput(z.strictObject({ name: userName, password }), {
      name,
      password: typed,
    })
    const hash = await hashPassword(input.password)
    return this.parts.links.useSetUp(hashSecret(secret), input.name, hash)
  }

  /** The password that the user of a link has chosen. @throws BookError link_used, bad_input */
  async followLink(secret: string, typed: unknown): Promise<User> {
    const { password } = checkInput(passwordInput, { password: typed })
    return this.parts.links.usePassword(hashSecret(secret), await hashPassword(password))
  }

  /** The link that makes the first admin; null where there is one who can log in. */
  async setUpLink(): Promise<string | null> {
    if (!(await this.parts.users.isEmpty())) return null
    const secret = newSecret()
    await this.parts.links.make(hashSecret(secret), 'set_up', null, 'tollgate')
    return this.parts.linkUrl(secret)
  }

  async #link(name: string, actor: string): Promise<string> {
    const secret = newSecret()
    await this.parts.links.make(hashSecret(secret), 'password', name, actor)
    return this.parts.linkUrl(secret)
  }

  async #existing(name: string): Promise<User> {
    const user = await this.parts.users.find(name)
    if (!user) throw new BookError('unknown_user', `There is no user ${name}`)
    return user
  }

  async #checkAccount(role: Role, account: string | null): Promise<void> {
    if (role !== 'account_holder') {
      if (account === null) return
      const roles = OPERATOR_ROLES.join(', ')
      throw new BookError('bad_input', `Only an account holder has an account, not ${roles}`)
    }
    if (account === null) throw new BookError('bad_input', 'Say which account the holder sees')
    if (await this.parts.hasAccount(account)) return
    throw new BookError('unknown_account', `There is no account ${account}`)
  }
}

function userJson(user: User) {
  return {
    name: user.name,
    role: user.role,
    account: user.account,
    enabled: user.enabled,
    /** That he has one is all that is told of it. */
    has_password: user.hasPassword,
    created_at: formatInstant(user.createdAt),
    last_login_at: user.lastLoginAt === null ? null : formatInstant(user.lastLoginAt),
  }
}
