/**
 * The port to SIP accounts: who may register with a switch, and the account that pays for the calls
 * they make. Same promises as Accounts: each change is committed together with its record, which
 * never has the secret in it.
 */
import { formatInstant } from '../call/cdr.js'
import type { Expectation } from './books.js'

/** How a SIP account is called. Case does not matter in either part: FreeSWITCH ignores it. */
export interface SipAddress {
  readonly user: string
  readonly domain: string
}

export interface SipAccount extends SipAddress {
  /** The code of the account that pays for what it calls. */
  readonly account: string
  /** One that is not can neither register, nor call, nor be called. */
  readonly enabled: boolean
  /** What the called see; empty for none. */
  readonly name: string
  /** Microseconds since the epoch, by our clock. */
  readonly createdAt: number
}

/** With its secret, for the switch and for nobody else. */
export interface SipCredentials extends SipAccount {
  /** md5("user:realm:password") in hexadecimal, where the realm is the domain (RFC 2617, HA1). */
  readonly a1Hash: string
}

export interface NewSipAccount extends Omit<SipCredentials, 'createdAt'> {
  readonly actor: string
}

export type SipAccountChanges = Partial<
  Pick<SipCredentials, 'account' | 'enabled' | 'name' | 'a1Hash'>
>

export interface SipAccountFilter {
  readonly domain?: string
  /** The code of the account that pays. */
  readonly account?: string
  /** Users and names that contain this, whatever the case. */
  readonly search?: string
  /** Only what comes after this one: lists are in the order of domains, then users. */
  readonly after?: SipAddress
  readonly limit: number
}

/** Rejects with BookError: a refusal in one sentence, with nothing changed. */
export interface SipAccounts {
  /** @throws BookError sip_account_exists, unknown_account */
  create(account: NewSipAccount): Promise<SipAccount>
  find(address: SipAddress): Promise<SipAccount | undefined>
  list(filter: SipAccountFilter): Promise<SipAccount[]>
  /** @throws BookError unknown_sip_account, unknown_account */
  change(
    address: SipAddress,
    changes: SipAccountChanges,
    actor: string,
    expect?: Expectation<SipAccount>,
  ): Promise<SipAccount>
  /** Answers what it was. @throws BookError unknown_sip_account */
  delete(address: SipAddress, actor: string): Promise<SipAccount>
  credentials(address: SipAddress): Promise<SipCredentials | undefined>
  /** Of a whole domain, in the order of users. */
  domainCredentials(domain: string): Promise<SipCredentials[]>
}

/** `1000@example.com` */
export function addressText({ user, domain }: SipAddress): string {
  return `${user}@${domain}`
}

export type SipAccountJson = ReturnType<typeof sipAccountJson>

/** A SIP account as programs see it: in the API, in --json and in the record of changes. */
export function sipAccountJson(account: SipAccount) {
  return {
    user: account.user,
    domain: account.domain,
    account: account.account,
    enabled: account.enabled,
    name: account.name,
    /** That there is one is all that is told of it. */
    has_password: true,
    created_at: formatInstant(account.createdAt),
  }
}
