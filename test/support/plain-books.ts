/**
 * A ledger whose rows are written as they are, and beside it the same as plain values; with what they add up
 * to reckoned call by call, in the plainest way.
 */
import type { Outcome } from '../../src/call/call.js'
import type { StepFigures, StepsWanted } from '../../src/ledger/statistics.js'
import type { Statement } from '../../src/sqlite/database.js'
import { LedgerFile } from '../../src/sqlite/ledger-file.js'
import { SLOT_US } from '../../src/sqlite/slots.js'

export interface PlainCall {
  readonly answered: number | null
  readonly ended: number
  readonly outcome: Outcome
  readonly billedS: number
  readonly cost: number
  readonly writeOff: number
}

export class PlainBooks {
  readonly file: LedgerFile
  /** Ended calls as they are known now. */
  readonly ended: PlainCall[] = []
  /** When live calls were answered; null while they ring. */
  readonly live: (number | null)[] = []
  readonly topUps: { readonly at: number; readonly amount: number }[] = []
  readonly #statements = new Map<string, Statement<[object]>>()
  #rows = 0

  constructor(path: string) {
    this.file = new LedgerFile(path)
    this.#run(`INSERT INTO account (code, name, plan, state, credit_limit, balance, held, created_at)
      VALUES ('A', '', 'p', 'active', 0, 0, 0, 0)`)
  }

  /** Many rows in one transaction. */
  write(rows: () => void): void {
    this.file.database.transaction(rows)()
  }

  /** Files the CDR of a call, and its entry, as the ledger does. */
  end(call: Partial<PlainCall> & Pick<PlainCall, 'ended'>): void {
    const none = { answered: null, billedS: 0, cost: 0, writeOff: 0 }
    const whole = { ...none, outcome: 'completed' as const, ...call }
    this.#run(
      `INSERT INTO cdr (leg_id, account, switch, core_uuid, dialled, created_at, answered_at, ended_at,
          billed_s, outcome, cause, cost, held, write_off)
        VALUES (@id, 'A', 's', 'c', '44', 0, @answered, @ended, @billedS, @outcome, 'X', @cost, @cost, @writeOff)`,
      { ...whole, id: `ended-${this.ended.length}` },
    )
    if (whole.cost > 0) this.#post('call', -whole.cost, whole.ended)
    this.ended.push(whole)
  }

  /** Corrects the CDR of that place among the ended calls. */
  correct(i: number, call: PlainCall): void {
    this.#run(
      `INSERT INTO correction (leg_id, answered_at, ended_at, billed_s, outcome, cause, cost, write_off, at)
        VALUES (@id, @answered, @ended, @billedS, @outcome, 'X', @cost, @writeOff, 0)`,
      { ...call, id: `ended-${i}` },
    )
    this.ended[i] = call
  }

  begin(answered: number | null): void {
    this.#run(
      `INSERT INTO call (leg_id, account_id, switch, core_uuid, dialled, created_at, plan, number, prefix,
          description, per_minute, setup, minimum, increment, answered_at, held, raises)
        VALUES (@id, 1, 's', 'c', '44', 0, 'p', '44', '44', '', 1, 0, 1, 1, @answered, 0, 1)`,
      { id: `live-${answered}-${this.#rows++}`, answered },
    )
    this.live.push(answered)
  }

  /** Ends the first of the live calls, in one transaction. */
  settle(ended: number): void {
    const answered = this.live.shift()!
    this.write(() => {
      this.#run('DELETE FROM call WHERE id = (SELECT min(id) FROM call)')
      this.end({ answered, ended })
    })
  }

  topUp(at: number, amount: number): void {
    this.#post('top_up', amount, at)
    this.topUps.push({ at, amount })
  }

  /** What is posted, and no top-up. */
  adjust(at: number, amount: number): void {
    this.#post('adjustment', amount, at)
  }

  figures({ from, until, stepUs }: StepsWanted, now: number): StepFigures[] {
    const beginsOf = Array.from(
      { length: Math.ceil((until - from) / stepUs) },
      (_, i) => from + i * stepUs,
    )
    return beginsOf.map(begin => {
      const end = Math.min(begin + stepUs, until)
      const isWithin = (at: number) => at >= begin && at < end
      const calls = this.ended.filter(({ ended }) => isWithin(ended))
      const count = (is: (call: PlainCall) => boolean) => calls.filter(is).length
      const sum = (of: (call: PlainCall) => number) =>
        calls.reduce((all, call) => all + of(call), 0)
      const topUps = this.topUps.reduce(
        (all, { at, amount }) => all + (isWithin(at) ? amount : 0),
        0,
      )
      return {
        at: begin,
        calls: calls.length,
        answered: count(({ answered }) => answered !== null),
        refused: count(({ outcome }) => outcome === 'refused'),
        cutOff: count(({ outcome }) => outcome === 'cut_off'),
        billedS: sum(({ billedS }) => billedS),
        cost: BigInt(sum(({ cost }) => cost)),
        writeOff: BigInt(sum(({ writeOff }) => writeOff)),
        topUps: BigInt(topUps),
        talkUs: this.#talk(begin, end, this.#horizon(until, now), now),
      }
    })
  }

  /** What ends in the slot of `now`, or in the time, has talked; what ends later by its switch, not yet. */
  #horizon(until: number, now: number): number {
    return Math.max(until, (Math.floor(now / SLOT_US) + 1) * SLOT_US)
  }

  #talk(begin: number, end: number, horizon: number, now: number): bigint {
    const within = (from: number | null, to: number) =>
      from === null ? 0 : Math.max(0, Math.min(to, end) - Math.max(from, begin))
    let us = 0
    for (const { answered, ended } of this.ended) {
      if (ended < horizon) us += within(answered, ended)
    }
    for (const answered of this.live) us += within(answered, now)
    return BigInt(us)
  }

  #post(kind: string, amount: number, at: number): void {
    this.#run(
      `INSERT INTO entry (account_id, kind, amount, balance_after, reference, actor, reason, at)
        VALUES (1, @kind, @amount, 0, @reference, 'test', '', @at)`,
      { kind, amount, at, reference: `r${this.#rows++}` },
    )
  }

  #run(sql: string, bound: object = {}): void {
    const statement = this.#statements.get(sql) ?? this.file.database.prepare<[object]>(sql)
    this.#statements.set(sql, statement)
    statement.run(bound)
  }
}
