/** The port to the PINs of calling cards: with the code of an account, they tell who calls. */

export interface Pins {
  /** Replaces an earlier one. */
  set(account: string, hash: string, actor: string): Promise<void>
  /** False where there was none. */
  delete(account: string, actor: string): Promise<boolean>
  hashOf(account: string): Promise<string | undefined>
}
