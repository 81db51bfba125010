/** SIP accounts: what can be done with them, and its checks. */
import { createHash, randomInt } from 'node:crypto'
import { z } from 'zod'
import type { DirectorySettings } from '../directory-xml.js'
import { BookError } from '../ledger/books.js'
import {
  addressText,
  type SipAccountJson,
  type SipAccounts,
  type SipAddress,
  sipAccountJson,
} from '../ledger/sip-accounts.js'
import { expecting, ifMatch } from './edit-version.js'
import { accountCode, actor, checkInput, given, whole, words } from './fields.js'
import {
  a1Hash,
  displayName,
  sipAddress,
  sipDomain,
  sipPassword,
  sipUser,
  yesOrNo,
} from './sip-fields.js'

const address = { user: sipUser, domain: sipDomain }

const terms = {
  enabled: yesOrNo('Enabled').optional(),
  name: displayName.optional(),
  /** The password is hashed at once and kept nowhere; or its hash is given. */
  password: sipPassword.optional(),
  a1_hash: a1Hash.optional(),
}

/** One of them at most: two would not say which is meant. */
const ONE_SECRET = 'Give a password, or an a1-hash, or have a password generated: one of them'

export const sipAccountCreateInput = z
  .strictObject({ ...address, ...terms, account: accountCode, actor })
  .refine(input => secrets(input) <= 1, ONE_SECRET)

export const sipAccountSetInput = z
  .strictObject({
    ...address,
    ...terms,
    account: accountCode.optional(),
    /** A new password, which the answer tells. */
    generate_password: yesOrNo('The choice of a generated password').optional(),
    if_match: ifMatch,
    actor,
  })
  .refine(input => secrets(input) <= 1, ONE_SECRET)

export const sipAccountInput = z.strictObject(address)
export const sipAccountDeleteInput = z.strictObject({ ...address, actor })

export const sipAccountListInput = z.strictObject({
  domain: sipDomain.optional(),
  account: accountCode.optional(),
  /** What the user or the name contains, whatever the case. */
  search: words('The search', 200).optional(),
  /** Those after this one, `1000@example.com`: the last of the page before. */
  after: sipAddress.optional(),
  limit: whole('The limit', 1, 1_000).optional(),
})

const sipDomainInput = z.strictObject({ domain: sipDomain })

/** The only answers that ever tell a password: this once. */
export interface SipAccountWithPassword extends SipAccountJson {
  /** Null where it was not generated. */
  readonly generated_password: string | null
}

/** What switches keep of our answers. It is told what has changed, always after that is durable. */
export interface DirectoryCaches {
  forget(address: SipAddress): void
}

/** How many SIP accounts a page has where no limit is asked for. */
const LISTED = 100

/** What can be done with SIP accounts. The inputs have been read by the schemas above. */
export class SipAccountProvisioning {
  /** @param caches undefined where no daemon runs */
  constructor(
    readonly accounts: SipAccounts,
    readonly caches: DirectoryCaches | undefined,
  ) {}

  /** With a generated password, where neither it nor its hash is given. */
  async create(input: z.output<typeof sipAccountCreateInput>): Promise<SipAccountWithPassword> {
    const { password, a1_hash, enabled = true, name = '', user, domain, account, actor } = input
    const generated = password || a1_hash ? null : generatePassword()
    const hash = a1_hash ?? a1HashOf(input, password ?? generated!)
    const fresh = { user, domain, account, enabled, name, a1Hash: hash, actor }
    const created = await this.accounts.create(fresh)
    this.caches?.forget(created)
    return { ...sipAccountJson(created), generated_password: generated }
  }

  /** In the order of domains, then users. */
  async list(input: z.output<typeof sipAccountListInput>): Promise<SipAccountJson[]> {
    const { limit = LISTED, ...filter } = input
    return (await this.accounts.list({ ...given(filter), limit })).map(sipAccountJson)
  }

  async show(input: z.output<typeof sipAccountInput>): Promise<SipAccountJson> {
    const found = await this.accounts.find(input)
    if (!found) throw unknown(`There is no SIP account ${addressText(input)}`)
    return sipAccountJson(found)
  }

  async set(input: z.output<typeof sipAccountSetInput>): Promise<SipAccountWithPassword> {
    const { user, domain, account, enabled, name, password, a1_hash, actor } = input
    const generated = input.generate_password ? generatePassword() : null
    const secret = password ?? generated
    // The hash is of the name as it was created, which may have been written in capitals.
    const spelling = secret === null ? input : await this.show({ user, domain })
    const hash = secret === null ? a1_hash : a1HashOf(spelling, secret)
    const changes = given({ account, enabled, name, a1Hash: hash })
    if (Object.keys(changes).length === 0) {
      throw new BookError('bad_input', 'Nothing to set: say what is to change')
    }
    const expect = expecting(input.if_match, sipAccountJson)
    const changed = await this.accounts.change(input, changes, actor, expect)
    this.caches?.forget(changed)
    return { ...sipAccountJson(changed), generated_password: generated }
  }

  async delete(input: z.output<typeof sipAccountDeleteInput>): Promise<SipAccountJson> {
    const deleted = await this.accounts.delete(input, input.actor)
    this.caches?.forget(deleted)
    return sipAccountJson(deleted)
  }
}

/**
 * A domain as static XML, with the hashes of its passwords. Disabled ones are left out: there, who is
 * not in it is let in nowhere. It is no operation of the daemon: 100,000 users take it seconds, in
 * which it would serve no calls; and so no secret is ever in the API.
 * @throws BookError bad_input, unknown_sip_account
 */
export async function exportDomain(
  accounts: Pick<SipAccounts, 'domainCredentials'>,
  settings: DirectorySettings,
  input: { domain: unknown },
): Promise<string> {
  const { domain } = checkInput(sipDomainInput, input)
  const users = (await accounts.domainCredentials(domain)).filter(user => user.enabled)
  if (users.length === 0) throw unknown(`There are no enabled SIP accounts in ${domain}`)
  const { domainInclude } = await import('../directory-xml.js')
  return domainInclude(domain, users, settings)
}

function secrets(input: { password?: unknown; a1_hash?: unknown; generate_password?: unknown }) {
  return [input.password, input.a1_hash, input.generate_password || undefined].filter(
    value => value !== undefined,
  ).length
}

/** As the phone makes it of the challenge: the realm is the domain. */
function a1HashOf({ user, domain }: SipAddress, password: string): string {
  return createHash('md5').update(`${user}:${domain}:${password}`).digest('hex')
}

/** No 0, O, 1, I and l: a password is read out on the telephone and typed into a handset. */
const PASSWORD_LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** 57^16 passwords, 93 bits. */
const PASSWORD_LENGTH = 16

function generatePassword(): string {
  const letter = () => PASSWORD_LETTERS[randomInt(PASSWORD_LETTERS.length)]
  return Array.from({ length: PASSWORD_LENGTH }, letter).join('')
}

function unknown(sentence: string): BookError {
  return new BookError('unknown_sip_account', sentence)
}
