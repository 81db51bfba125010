/** The entries of accounts: top-ups, adjustments, refunds, and the statement of them all. */
import { z } from 'zod'
import { formatInstant } from '../call/cdr.js'
import { type Accounts, BookError, type Entry, type EntryKind } from '../ledger/books.js'
import { formatMoney, type Money } from '../money.js'
import { existing } from './accounts.js'
import type { LiveCalls } from './calls.js'
import {
  accountCode,
  actor,
  callId,
  filledWords,
  given,
  instant,
  money,
  whole,
  words,
} from './fields.js'

const reason = words('The reason', 500).optional()
const reference = filledWords('The reference', 200)

const moreThanNothing = (what: string) =>
  money('The amount').refine(amount => amount > 0n, {
    error: issue => `${what} must be more than 0, not ${formatMoney(issue.input as Money)}`,
  })

export const topUpInput = z.strictObject({
  code: accountCode,
  amount: moreThanNothing('A top-up'),
  reference,
  reason,
  actor,
})

export const adjustInput = z.strictObject({
  code: accountCode,
  /** Below zero to take away. */
  amount: money('The amount').refine(amount => amount !== 0n, 'An adjustment must not be 0'),
  reference,
  reason,
  actor,
})

export const refundInput = z.strictObject({
  call_id: callId,
  /** All that the call cost and that is not refunded yet, where it is left out. */
  amount: moreThanNothing('A refund').optional(),
  reference,
  reason,
  actor,
})

export const statementInput = z.strictObject({
  code: accountCode,
  from: instant('The start').optional(),
  /** Entries before this time. */
  to: instant('The end').optional(),
  /** Entries after the one with this id: the last of the page before. */
  after: whole('The entry before', 1, Number.MAX_SAFE_INTEGER).optional(),
  /** All, where it is left out. */
  limit: whole('The limit', 1, 1_000).optional(),
})

export interface EntryJson {
  id: number
  at: string
  account: string | null
  kind: EntryKind
  amount: string
  /** After the entry. */
  balance: string | null
  reference: string
  /** The call that is refunded. */
  call_id: string | null
  actor: string
  reason: string
}

/** The opening balance plus all amounts is the closing balance. */
export interface StatementJson {
  account: string
  opening_balance: string
  entries: EntryJson[]
  closing_balance: string
}

/** What can be done with entries. The inputs have been read by the schemas above. */
export class EntryProvisioning {
  /** @param live the calls to tell of new credit; undefined where no daemon runs */
  constructor(
    readonly accounts: Accounts,
    readonly live: LiveCalls | undefined,
  ) {}

  /** Once for each reference: a repetition answers as the first time and books nothing. */
  async topUp(input: z.output<typeof topUpInput>): Promise<EntryJson> {
    return this.#post('top_up', input)
  }

  async adjust(input: z.output<typeof adjustInput>): Promise<EntryJson> {
    return this.#post('adjustment', input)
  }

  async refund(input: z.output<typeof refundInput>): Promise<EntryJson> {
    const { call_id, amount = null, reference, actor, reason = '' } = input
    const refund = { callId: call_id, amount, reference, actor, reason }
    return this.#booked(await this.accounts.refund(refund))
  }

  async statement(input: z.output<typeof statementInput>): Promise<StatementJson> {
    const { code, from, to, after, limit } = input
    if (from !== undefined && to !== undefined && to < from) {
      throw new BookError('bad_input', 'The end of the statement is before its start')
    }
    await existing(this.accounts, code)
    const page = given({ from, until: to, after, limit })
    const entries = await this.accounts.entries(code, page)
    const first = entries[0]
    const closing = entries.at(-1)?.balance ?? (await this.accounts.balanceBefore(code, to))
    return {
      account: code,
      opening_balance: formatMoney(first ? (first.balance ?? 0n) - first.amount : closing),
      entries: entries.map(entryJson),
      closing_balance: formatMoney(closing),
    }
  }

  async #post(
    kind: 'top_up' | 'adjustment',
    { code, amount, reference, actor, reason = '' }: z.output<typeof adjustInput>,
  ): Promise<EntryJson> {
    const entry = { account: code, kind, amount, reference, actor, reason }
    return this.#booked(await this.accounts.post(entry))
  }

  /** Credit helps the calls that are about to end. */
  #booked(entry: Entry): EntryJson {
    if (entry.amount > 0n && entry.account !== null) this.live?.toppedUp(entry.account)
    return entryJson(entry)
  }
}

export function entryJson(entry: Entry): EntryJson {
  return {
    id: entry.id,
    at: formatInstant(entry.at),
    account: entry.account,
    kind: entry.kind,
    amount: formatMoney(entry.amount),
    balance: entry.balance === null ? null : formatMoney(entry.balance),
    reference: entry.reference,
    call_id: entry.callId,
    actor: entry.actor,
    reason: entry.reason,
  }
}
