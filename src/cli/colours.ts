/** Which part of what is printed has which colour, on a terminal that shows any. */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

const STYLES = {
  head: 'bold',
  name: 'bold',
  error: 'red',
  negative: 'red',
  active: 'green',
  suspended: 'yellow',
  closed: 'dim',
  connected: 'green',
  connecting: 'yellow',
  refused: 'red',
} as const satisfies Readonly<Record<string, Style>>

export type Role = keyof typeof STYLES

/** The states of accounts and switches, as far as they have a colour of their own. */
const STATES: readonly Role[] = [
  ...(['active', 'suspended', 'closed'] as const),
  ...(['connected', 'connecting', 'refused'] as const),
]

/** An amount below zero, as amounts are written: a prefix or a name is none. */
const NEGATIVE = /^-\d+\.\d{6}\b/

/**
 * Whether to print colours. NO_COLOR forbids them (https://no-color.org) and FORCE_COLOR
 * brings them back, as it does in Node itself; but a file or a program never gets any.
 */
export function showsColours(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  if (!isTty) return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return !env['NO_COLOR'] && env['TERM'] !== 'dumb'
}

export function paint(text: string, role: Role): string {
  return styleText(STYLES[role], text, { validateStream: false })
}

export function paintState(text: string): string {
  const role = STATES.find(state => state === text)
  return role ? paint(text, role) : text
}

export function paintAmount(text: string): string {
  return NEGATIVE.test(text) ? paint(text, 'negative') : text
}
