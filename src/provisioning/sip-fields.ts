/** The fields of SIP accounts, and how each is checked. What is secret is never quoted. */
import { isIP, isIPv6 } from 'node:net'
import { z } from 'zod'
import type { SipAddress } from '../ledger/sip-accounts.js'
import { quoted, words } from './fields.js'

const USER = /^[A-Za-z0-9+][A-Za-z0-9._+-]{0,63}$/
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Nothing that means anything in XML, in a dial string or on the event socket. */
export const sipUser = z
  .custom<string>(value => typeof value === 'string' && USER.test(value), {
    error: issue =>
      issue.input === undefined
        ? 'Give a SIP user'
        : `${quoted(issue.input)} is not a SIP user: it must be letters, digits, dots, dashes, underscores and plus signs, at most 64`,
  })
  .meta({ type: 'string', pattern: USER.source, description: 'A SIP user', example: '1000' })

/** A host name or an IP address. In small letters, as it goes into the hash of the password. */
export const sipDomain = z
  .custom<string>(value => typeof value === 'string' && isDomain(value.toLowerCase()), {
    error: issue =>
      issue.input === undefined
        ? 'Give a SIP domain'
        : `${quoted(issue.input)} is not a SIP domain: it must be a host name or an IP address`,
  })
  .transform(domain => domain.toLowerCase())
  .meta({ type: 'string', description: 'A SIP domain', example: 'sip.example.com' })

function isDomain(text: string): boolean {
  if (isIPv6(text.replace(/^\[(.*)\]$/, '$1'))) return !text.includes('%')
  const labels = text.split('.')
  if (text.length > 253 || !labels.every(label => LABEL.test(label))) return false
  // What ends in digits alone is meant as an address (RFC 3696, 2).
  return !/^\d+$/.test(labels.at(-1)!) || isIP(text) === 4
}

/** `1000@example.com` */
export const sipAddress = z
  .unknown()
  .transform((value, context): SipAddress => {
    const [user, domain, ...more] = String(value).split('@')
    const parsed = z.object({ user: sipUser, domain: sipDomain }).safeParse({ user, domain })
    if (parsed.success && more.length === 0) return parsed.data
    context.addIssue({ code: 'custom', message: `${quoted(value)} is not like 1000@example.com` })
    return z.NEVER
  })
  .meta({ type: 'string', description: 'A SIP address', example: '1000@sip.example.com' })

/** Shorter ones are guessed: phones that are reachable from outside are tried day and night. */
const PASSWORD_CHARS_MIN = 8

/** Other characters are encoded by each phone in its own way, and hash to something else. */
const PASSWORD = /^[\x20-\x7e]{8,128}$/

export const sipPassword = z
  .custom<string>(
    value => typeof value === 'string' && PASSWORD.test(value),
    `The password must have ${PASSWORD_CHARS_MIN} to 128 letters, digits and signs of ASCII`,
  )
  .meta({ type: 'string', pattern: PASSWORD.source, description: 'The password' })

export const a1Hash = z
  .custom<string>(
    value => typeof value === 'string' && /^[0-9a-f]{32}$/i.test(value),
    'The a1-hash must be md5("user:domain:password"), 32 hexadecimal digits',
  )
  .transform(hash => hash.toLowerCase())
  .meta({
    type: 'string',
    pattern: '^[0-9a-fA-F]{32}$',
    description: 'md5("user:domain:password")',
  })

/**
 * What the called see. FreeSWITCH carries out what is in `${…}` when a dialplan uses the variable, and
 * quotes and brackets have a meaning in SIP.
 */
export const displayName = words('The name', 80).refine(
  name => !/["<>\\$]/.test(name),
  'The name must not have any of " < > \\ $ in it',
)

/** True or false, or the word for it. */
export function yesOrNo(what: string) {
  return z
    .unknown()
    .transform((value, context): boolean => {
      if (value === true || value === 'true') return true
      if (value === false || value === 'false') return false
      context.addIssue({ code: 'custom', message: `${what} must be true or false` })
      return z.NEVER
    })
    .meta({ type: 'boolean', description: what })
}
