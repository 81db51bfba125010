/** What the web service itself refuses, before any operation is asked. `message` is one sentence. */

export class Refusal extends Error {
  override name = 'Refusal'
  constructor(
    readonly status: number,
    /** Stable, for programs. */
    readonly code: string,
    message: string,
    /** Seconds after which it may be tried again. */
    readonly retryAfterS?: number,
  ) {
    super(message)
  }
}

export const notLoggedIn = () =>
  new Refusal(401, 'not_logged_in', 'Log in, or show a token that is in force')
