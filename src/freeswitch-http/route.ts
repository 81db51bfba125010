/** What FreeSWITCH may ask of us over HTTP: one route for each of its modules that does. */

export interface Route {
  readonly path: string
  /** A longer body is refused before it is read. */
  readonly bodyBytesMax: number
  /** Whoever asks has shown the secret. What this rejects with is logged, and answered by 500. */
  answer(request: Request): Promise<Answer>
}

export interface Request {
  /** As it came: FreeSWITCH's modules do not tell its type truthfully. */
  readonly body: Buffer
  readonly query: URLSearchParams
}

export interface Answer {
  readonly status: number
  /** For the Content-Type. */
  readonly type: string
  readonly text: string
}
