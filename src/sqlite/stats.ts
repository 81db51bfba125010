/** The figures of the whole business over time, from CDRs and entries. */
import type { Stats, StatsFilter, StatsStep } from '../ledger/stats.js'
import type { Money } from '../money.js'
import type { Statement } from './database.js'
import type { LedgerFile } from './ledger-file.js'

interface CallsRow {
  readonly step: bigint
  readonly calls: bigint
  readonly answered: bigint
  readonly refused: bigint
  readonly cutOff: bigint
  readonly billedS: bigint
  readonly cost: Money
  readonly writeOff: Money
}

const NO_CALLS: Omit<CallsRow, 'step'> = {
  ...{ calls: 0n, answered: 0n, refused: 0n, cutOff: 0n, billedS: 0n },
  ...{ cost: 0n, writeOff: 0n },
}

export class SqliteStats implements Stats {
  readonly #file: LedgerFile
  readonly #calls: Statement<[object], CallsRow>
  readonly #topUps: Statement<[object], { step: bigint; amount: Money }>

  constructor(file: LedgerFile) {
    this.#file = file
    this.#calls = file.database.prepare(`SELECT (ended_at - @from) / @stepUs AS step,
        count(*) AS calls, count(answered_at) AS answered,
        count(*) FILTER (WHERE outcome = 'refused') AS refused,
        count(*) FILTER (WHERE outcome = 'cut_off') AS cutOff,
        sum(billed_s) AS billedS, sum(cost) AS cost, sum(write_off) AS writeOff
      FROM ended_call WHERE ended_at >= @from AND ended_at < @until GROUP BY 1`)
    this.#topUps = file.database.prepare(`SELECT (at - @from) / @stepUs AS step,
        sum(amount) FILTER (WHERE kind = 'top_up') AS amount
      FROM entry WHERE kind IN ('top_up', 'adjustment', 'refund') AND at >= @from AND at < @until
      GROUP BY 1 HAVING amount IS NOT NULL`)
  }

  steps({ from, until, stepUs }: StatsFilter): Promise<StatsStep[]> {
    const bound = { from: BigInt(from), until: BigInt(until), stepUs: BigInt(stepUs) }
    return this.#file.committer.read(() => {
      const calls = new Map(this.#calls.all(bound).map(row => [Number(row.step), row]))
      const topUps = new Map(this.#topUps.all(bound).map(row => [Number(row.step), row.amount]))
      return Array.from({ length: Math.ceil((until - from) / stepUs) }, (_, step) => {
        const {
          calls: count,
          answered,
          refused,
          cutOff,
          billedS,
          ...money
        } = calls.get(step) ?? NO_CALLS
        return {
          at: from + step * stepUs,
          calls: Number(count),
          answered: Number(answered),
          refused: Number(refused),
          cutOff: Number(cutOff),
          billedS: Number(billedS),
          cost: money.cost,
          writeOff: money.writeOff,
          topUps: topUps.get(step) ?? 0n,
        }
      })
    })
  }
}
