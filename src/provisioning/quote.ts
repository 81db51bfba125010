/** What a call would cost, by the very function that the meter asks. */
import { z } from 'zod'
import { BookError } from '../ledger/books.js'
import { formatMoney } from '../money.js'
import { normaliseNumber } from '../rating/number.js'
import { PrefixTable } from '../rating/prefix-table.js'
import { billedSeconds, costOf, type Rate } from '../rating/rate.js'
import { accountCode, checkInput, planName, quoted, whole, words } from './fields.js'
import { allRates, type LedgerAccess, type RateJson, type Rates, rateJson } from './rates.js'

/** The longest call that is worth asking about, in seconds: 30 days. */
const SECONDS_MAX = 2_592_000

const quotedPlan = z
  .strictObject({ account: accountCode.optional(), plan: planName.optional() })
  .refine(({ account, plan }) => (account === undefined) !== (plan === undefined), {
    error: 'Say whose rates to use: an account or a plan',
  })
const callInput = z.strictObject({
  number: words('The number', 1_000),
  seconds: whole('The seconds', 0, SECONDS_MAX),
})
const numberInput = callInput.pick({ number: true })

export interface QuoteJson extends RateJson {
  /** The digits that were rated. */
  number: string
  seconds: number
  billed_s: number
  /** The part of the cost that is for the talk, setup apart. */
  talk_cost: string
  cost: string
}

/** The rates of one plan, read once, for any number of questions. */
export class Quoter {
  private constructor(
    readonly plan: string,
    readonly table: PrefixTable<Rate>,
  ) {}

  /** @throws BookError unknown_plan, unknown_account, bad_input */
  static async open(
    rates: Rates,
    access: LedgerAccess,
    input: { account?: unknown; plan?: unknown },
  ): Promise<Quoter> {
    const { account, plan } = checkInput(quotedPlan, input)
    const name = plan ?? (await (await access.ledger()).accountShow({ code: account })).plan
    const table = new PrefixTable<Rate>()
    for await (const page of allRates(rates, name)) {
      for (const rate of page) table.set(rate.prefix, rate)
    }
    return new Quoter(name, table)
  }

  /** @throws BookError no_rate, bad_input */
  quote(input: { number?: unknown; seconds?: unknown }): QuoteJson {
    const { number, seconds } = checkInput(callInput, input)
    const { digits, rate } = this.#find(number)
    const cost = costOf(rate, seconds)
    return {
      number: digits,
      seconds,
      ...rateJson(this.plan, rate),
      billed_s: billedSeconds(rate, seconds),
      talk_cost: formatMoney(cost === 0n ? 0n : cost - rate.setup),
      cost: formatMoney(cost),
    }
  }

  /**
   * The rate that a call to the number would get.
   * @throws BookError no_rate, bad_input
   */
  find(input: { number?: unknown }): RateJson {
    return rateJson(this.plan, this.#find(checkInput(numberInput, input).number).rate)
  }

  #find(number: string) {
    const digits = normaliseNumber(number)
    if (digits === null) {
      throw new BookError('bad_input', `${quoted(number)} is not a telephone number`)
    }
    const rate = this.table.find(digits)
    if (!rate) throw new BookError('no_rate', `The plan ${this.plan} has no rate for ${digits}`)
    return { digits, rate }
  }
}
