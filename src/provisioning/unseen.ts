/** Records of mod_json_cdr that were left in files, and calls that nobody saw. */
import { z } from 'zod'
import {
  type Cdr,
  type CdrJson,
  cdrJson,
  durationUs,
  formatInstant,
  formatSeconds,
} from '../call/cdr.js'
import type { Repairs, UnseenCall, UnseenState } from '../ledger/repairs.js'
import { afterCall } from './cdrs.js'
import { accountCode, actor, callId, filledWords, given, oneOf, whole, words } from './fields.js'

/** The port to what decides about records: cdr-repair/ implements it. */
export interface RecordRepair {
  readonly repairs: Pick<Repairs, 'unseen' | 'dismiss'>
  /**
   * Takes the text of a record, and says in a word what it led to.
   * @throws BookError bad_input
   */
  importRecord(text: string): Promise<string>
  /** @throws BookError unknown_call, call_decided, unknown_account, account_closed, no_rate */
  charge(callId: string, actor: string, reason: string): Promise<Cdr>
}

/** What is to be decided comes first. */
export const UNSEEN_STATES = [
  'open',
  'waiting',
  'charged',
  'dismissed',
] as const satisfies UnseenState[]

export const recordImportInput = z.strictObject({
  /** As mod_json_cdr has written it, in any of its encodings. */
  record: z
    .custom<string>(value => typeof value === 'string', 'The record is missing')
    .meta({ type: 'string', description: 'What mod_json_cdr has written' }),
})

export const unseenListInput = z.strictObject({
  account: accountCode.optional(),
  /** Those that are open, where it is left out. */
  state: oneOf('The state', UNSEEN_STATES).optional(),
  after: afterCall.optional(),
  limit: whole('The limit', 1, 1_000_000).optional(),
})

export const unseenChargeInput = z.strictObject({
  call_id: callId,
  reason: words('The reason', 500).optional(),
  actor,
})

export const unseenDismissInput = z.strictObject({
  call_id: callId,
  reason: filledWords('The reason', 500),
  actor,
})

/** How many are listed where no limit is asked for. */
const LISTED = 100

export type UnseenJson = ReturnType<typeof unseenJson>

/** What can be done with them. The inputs have been read by the schemas above. */
export class UnseenProvisioning {
  constructor(readonly repair: RecordRepair) {}

  async import({ record }: z.output<typeof recordImportInput>): Promise<{ outcome: string }> {
    return { outcome: await this.repair.importRecord(record) }
  }

  async list(input: z.output<typeof unseenListInput>): Promise<UnseenJson[]> {
    const { account, state = 'open', after, limit = LISTED } = input
    const calls = await this.repair.repairs.unseen({ ...given({ account, after }), state, limit })
    return calls.map(unseenJson)
  }

  async charge(input: z.output<typeof unseenChargeInput>): Promise<CdrJson> {
    const { call_id, actor, reason = '' } = input
    return cdrJson(await this.repair.charge(call_id, actor, reason))
  }

  async dismiss(input: z.output<typeof unseenDismissInput>): Promise<UnseenJson> {
    const { call_id, actor, reason } = input
    return unseenJson(await this.repair.repairs.dismiss({ callId: call_id, actor, reason }))
  }
}

export function unseenJson(call: UnseenCall) {
  const { answeredAt, endedAt, decidedAt } = call
  return {
    call_id: call.callId,
    /** Null while it is not known. */
    account: call.account,
    number: call.dialled,
    answered_at: answeredAt === null ? null : formatInstant(answeredAt),
    ended_at: formatInstant(endedAt),
    duration_s: formatSeconds(durationUs(answeredAt, endedAt)),
    cause: call.cause,
    switch: call.switch,
    state: call.state,
    received_at: formatInstant(call.receivedAt),
    decided_at: decidedAt === null ? null : formatInstant(decidedAt),
    decided_by: call.decidedBy,
    reason: call.reason,
  }
}
