/** The daemon did not answer, or not as it should. `message` is a sentence for the user. */
export class ApiError extends Error {
  override name = 'ApiError'
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}
