/** Errors as problem+json (RFC 9457), and back: the one place that maps them to a status. */
import { STATUS_CODES } from 'node:http'
import { BookError, type BookErrorCode } from '../ledger/books.js'
import { LedgerError, type LedgerErrorCode } from '../ledger/ledger.js'
import { ApiError } from './api-error.js'

export const PROBLEM_TYPE = 'application/problem+json'

export interface Problem {
  readonly title: string
  readonly status: number
  /** Stable, for programs. */
  readonly code: string
  /** One sentence, for people. */
  readonly detail: string
}

const BOOK_STATUS: Readonly<Record<BookErrorCode, number>> = {
  bad_input: 400,
  unknown_account: 404,
  unknown_plan: 404,
  unknown_period: 404,
  unknown_rate: 404,
  unknown_call: 404,
  unknown_sip_account: 404,
  no_rate: 404,
  unknown_user: 404,
  unknown_token: 404,
  link_used: 410,
  wrong_password: 403,
  changed_meanwhile: 412,
  too_many_tries: 429,
  user_exists: 409,
  last_admin: 409,
  token_exists: 409,
  account_exists: 409,
  sip_account_exists: 409,
  account_closed: 409,
  plan_exists: 409,
  rate_exists: 409,
  plan_in_use: 409,
  reference_used: 409,
  no_credit: 409,
  call_decided: 409,
  too_much: 409,
}

const LEDGER_STATUS: Readonly<Record<LedgerErrorCode, number>> = {
  unavailable: 503,
  in_use: 503,
  unusable: 500,
}

/** The problem that an error is to whoever asked; undefined where it is a mistake of ours. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof BookError) return problem(BOOK_STATUS[error.code], error.code, error.message)
  if (error instanceof LedgerError) {
    return problem(LEDGER_STATUS[error.code], error.code, error.message)
  }
  // fastify's own refusals: no JSON, too long, no such media type.
  const { statusCode, message } = error as { statusCode?: number; message: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return problem(statusCode, 'bad_request', message)
  }
  return undefined
}

export function problem(status: number, code: string, detail: string): Problem {
  return { title: STATUS_CODES[status] ?? 'Error', status, code, detail }
}

/** The same error again, on the other side. */
export function errorOf({ code, detail }: Problem): Error {
  if (code in BOOK_STATUS) return new BookError(code as BookErrorCode, detail)
  if (code in LEDGER_STATUS) return new LedgerError(code as LedgerErrorCode, detail)
  return new ApiError(code, detail)
}
