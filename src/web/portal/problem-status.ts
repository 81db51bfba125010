/** The HTTP status of a page that says why something was refused. */
import { problemOf } from '../../http/problem.js'

export function problemStatus(error: unknown): number {
  return problemOf(error)?.status ?? 500
}
