/** What all edits of plans and rates have in common: who is told of them, and whose rates are meant. */
import { BookError } from '../ledger/books.js'
import { LedgerError } from '../ledger/ledger.js'
import type { Plan, Rates } from '../ledger/rates.js'
import { DeckError } from '../rating/deck-error.js'
import type { Provisioning } from './operations.js'

/** The way from the rates to the ledger, which may be another process's. */
export interface LedgerAccess {
  /** The daemon, where one runs. */
  daemon(): Promise<Provisioning | undefined>
  /** The daemon, or else the ledger's files, opened here. */
  ledger(): Promise<Provisioning>
}

export class RateEditing {
  constructor(
    readonly rates: Rates,
    readonly access: LedgerAccess,
  ) {}

  /** Runs an edit; once this resolves, new calls are rated by it. */
  async edit<T>(plan: string, change: () => Promise<T>): Promise<T> {
    const result = await change()
    try {
      await (await this.access.daemon())?.ratesReload({ plan })
    } catch (error) {
      const { message } = error as Error
      throw new LedgerError(
        'unavailable',
        `The rates are saved, but the running daemon has not read them: ${message}`,
      )
    }
    return result
  }

  /** @throws BookError unknown_plan */
  async existing(name: string): Promise<Plan> {
    const plan = await this.rates.plan(name)
    if (!plan) throw new BookError('unknown_plan', `There is no plan ${name}`)
    return plan
  }

  /** The plan that is named, or the special plan of the account. @throws BookError */
  async planOf({ plan, account }: { plan?: string | undefined; account?: string | undefined }) {
    if ((plan === undefined) === (account === undefined)) {
      throw new BookError('bad_input', 'Say whose rates: those of a plan, or those of an account')
    }
    if (plan !== undefined) return plan
    const { special_plan } = await (await this.access.ledger()).accountShow({ code: account })
    if (special_plan !== null) return special_plan
    throw new BookError(
      'bad_input',
      `The account ${account} has no rates of its own: give it a special plan first`,
    )
  }
}

/** What is wrong with a rate is the same for a deck and for an edit; here it is a whole sentence. */
export function asBookError<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof DeckError)) throw error
    const { message } = error
    throw new BookError('bad_input', message[0]!.toUpperCase() + message.slice(1))
  }
}
