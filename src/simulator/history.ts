/**
 * The switch's own record of what really happened to each leg, for auditors: it is kept whatever
 * the event socket delivered, and it is not readable through the switch's API.
 */

/**
 * Who ended a leg: its own party (`caller` of an inbound, `callee` of an outbound leg), a command,
 * a timer in the switch, or the switch itself (nobody answered, another branch was faster, it was
 * shut down or crashed). A leg that ends because its partner did has the partner's ending.
 */
export type EndedBy = 'caller' | 'callee' | 'api' | 'timer' | 'switch'

/** Times are microseconds since the epoch by the switch's clock, as in the events. */
export interface LegRecord {
  readonly uuid: string
  readonly direction: 'inbound' | 'outbound'
  /** The A-leg of an outbound leg that has one. */
  readonly originator: string | undefined
  /** The number dialled by (inbound) or to (outbound) this leg. */
  readonly number: string
  /** The account code that ought to pay for an outbound leg, wherever it was set. */
  readonly ac: string | undefined
  readonly createdAt: number
  answeredAt: number | undefined
  hangupAt: number | undefined
  cause: string | undefined
  endedBy: EndedBy | undefined
}

export class History {
  readonly #records = new Map<string, LegRecord>()

  begin(record: LegRecord) {
    this.#records.set(record.uuid, record)
  }

  get(uuid: string): LegRecord | undefined {
    return this.#records.get(uuid)
  }

  /** All legs there ever were, oldest first. */
  all(): LegRecord[] {
    return [...this.#records.values()]
  }

  /** How long a leg was really up, in microseconds; up to `now` where it still is. */
  talkUs(uuid: string, now: number): number {
    const record = this.#records.get(uuid)
    if (record?.answeredAt === undefined) return 0
    return (record.hangupAt ?? now) - record.answeredAt
  }

  /** Frees the memory of legs that ended before then: for benches that run for hours. */
  forgetBefore(hangupAt: number) {
    for (const [uuid, record] of this.#records) {
      if (record.hangupAt !== undefined && record.hangupAt < hangupAt) this.#records.delete(uuid)
    }
  }
}
