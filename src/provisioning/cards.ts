/** Calling cards: the code of an account and a PIN, by which an IVR knows who calls. */
import { randomInt } from 'node:crypto'
import { z } from 'zod'
import type { Pins } from '../access/pins.js'
import { hashPassword, isPassword } from '../access/secrets.js'
import { Tries } from '../access/tries.js'
import type { AccountJson } from '../ledger/account-fields.js'
import { accountCode, actor, checkInput } from './fields.js'

/** What can be typed on a telephone. */
const pin = z
  .custom<string>(
    value => typeof value === 'string' && /^\d{4,12}$/.test(value),
    'A PIN must have 4 to 12 digits',
  )
  .meta({ type: 'string', pattern: '^\\d{4,12}$', description: 'The PIN', example: '246810' })

export const pinSetInput = z.strictObject({
  code: accountCode,
  /** Generated where it is left out. */
  pin: pin.optional(),
  actor,
})
export const pinDeleteInput = z.strictObject({ code: accountCode, actor })
export const cardVerifyInput = z.strictObject({ code: accountCode, pin })

const GENERATED_DIGITS = 6

/** Wrong PINs of one card: ten thousand PINs take three weeks, and the log says so. */
const TRIES = { max: 5, windowMs: 15 * 60_000 }

type Fields<S extends z.ZodObject> = { [F in keyof S['shape']]?: unknown }

/** What an IVR has to know in order to go on; no more. */
export type CardJson =
  | { readonly valid: false }
  | ({ readonly valid: true } & Pick<AccountJson, 'code' | 'state' | 'available'>)

export class CardProvisioning {
  readonly #tries = new Tries<string>([{ ...TRIES, key: code => code }])

  /** @param account the account of a code @throws BookError unknown_account */
  constructor(
    readonly pins: Pins,
    readonly account: (code: string) => Promise<AccountJson>,
  ) {}

  /** The only answer that tells a PIN: this once, and only one that was generated. */
  async set(input: Fields<typeof pinSetInput>) {
    const { code, actor, ...given } = checkInput(pinSetInput, input)
    await this.account(code)
    const generated = given.pin === undefined ? generatePin() : null
    await this.pins.set(code, await hashPassword(given.pin ?? generated!), actor)
    return { code, generated_pin: generated }
  }

  async delete(input: Fields<typeof pinDeleteInput>): Promise<{ code: string }> {
    const { code, actor } = checkInput(pinDeleteInput, input)
    await this.account(code)
    await this.pins.delete(code, actor)
    return { code }
  }

  async hasPin(code: string): Promise<boolean> {
    return (await this.pins.hashOf(code)) !== undefined
  }

  /**
   * It takes as long, and answers the same, where there is no such account or no PIN.
   * @throws TooManyTries
   */
  async verify(input: Fields<typeof cardVerifyInput>): Promise<CardJson> {
    const { code, pin } = checkInput(cardVerifyInput, input)
    const wasRight = this.#tries.begin(code)
    const hash = await this.pins.hashOf(code)
    if (!(await isPassword(pin, hash ?? null))) return { valid: false }
    wasRight()
    const { state, available } = await this.account(code)
    return { valid: true, code, state, available }
  }
}

function generatePin(): string {
  return String(randomInt(10 ** GENERATED_DIGITS)).padStart(GENERATED_DIGITS, '0')
}
