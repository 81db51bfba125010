/** The demo as a picture that is drawn again and again in place. */
import type { LiveCall } from '../controller/live-calls.js'
import type { AccountJson } from '../ledger/account-fields.js'
import { formatMoney } from '../money.js'
import type { Line } from './story.js'

export interface Picture {
  readonly seconds: number
  readonly accounts: readonly AccountJson[]
  readonly calls: readonly LiveCall[]
  /** The switch's time, for the countdown. */
  readonly now: number
  readonly lines: readonly { readonly at: number; readonly line: Line }[]
}

const BAR = 20
/** How many of the last lines are shown. */
const LINES = 10

export function draw(picture: Picture): string[] {
  const { accounts, calls, lines, now, seconds } = picture
  return [
    `Tollgate demo · ${seconds.toFixed(0)} s · a simulated switch, the real daemon, 0.60 a minute in chunks of 10 s`,
    '',
    'account  who                   balance       held  available  held ▒ free ░',
    ...accounts.map(drawAccount),
    '',
    'live call     number        state        talk      cost      held  funded for',
    ...calls.map(call => drawCall(call, now)),
    ...Array.from({ length: Math.max(0, accounts.length - calls.length) }, () => ''),
    '',
    ...lines.slice(-LINES).map(({ at, line }) => formatLine(at, line)),
    ...Array.from({ length: Math.max(0, LINES - lines.length) }, () => ''),
  ]
}

/** One thing that happened, `at` seconds after the start. */
export function formatLine(at: number, { account, what, text }: Line): string {
  return `${at.toFixed(1).padStart(6)} s  ${account.padEnd(6)} ${what.padEnd(10)} ${text}`
}

function drawAccount(account: AccountJson): string {
  const { code, name, balance, held, available } = account
  const money = [balance, held, available].map(amount => amount.slice(0, -2).padStart(10)).join(' ')
  return `${code.padEnd(8)} ${name.padEnd(18)} ${money}  ${bar(account)}`
}

/** How much of the balance is held: for the eye only, nothing is computed with it. */
function bar({ balance, held }: AccountJson): string {
  const share = Number(balance) > 0 ? Number(held) / Number(balance) : 0
  const full = Math.round(share * BAR)
  return `${'▒'.repeat(full)}${'░'.repeat(BAR - full)}`
}

function drawCall(call: LiveCall, now: number): string {
  const left = call.fundedUntil === null ? '-' : `${((call.fundedUntil - now) / 1e6).toFixed(1)} s`
  return [
    call.account.padEnd(13),
    call.number.padEnd(13),
    (call.final ? 'final' : call.state).padEnd(12),
    `${call.seconds} s`.padStart(5),
    formatMoney(call.cost).slice(0, -2).padStart(9),
    formatMoney(call.held).slice(0, -2).padStart(9),
    left.padStart(11),
  ].join(' ')
}
