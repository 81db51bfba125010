/**
 * Where mod_json_cdr posts its records, one for each leg. It waits for the answer before it tells of
 * the end (HANGUP_COMPLETE), and what is refused it writes into a file: so the answer comes as soon as
 * the record cannot be lost any more, and a record that was not understood is kept for people to see.
 */
import { LedgerError } from '../ledger/ledger.js'
import { RecordError } from '../switch/json-cdr.js'
import type { Answer, Route } from './route.js'

export const CDR_PATH = '/freeswitch/cdr'

/** A record is 5 to 12 kB; the variables of a dialplan may add to that. */
const BODY_BYTES_MAX = 1_048_576

export interface Records {
  /** @throws RecordError, LedgerError `unavailable` */
  takeBody(body: Buffer, postedFor: string | null): Promise<unknown>
}

export function cdrRoute(records: Records): Route {
  return {
    path: CDR_PATH,
    bodyBytesMax: BODY_BYTES_MAX,
    async answer({ body, query }) {
      try {
        await records.takeBody(body, query.get('uuid'))
        return plain(200, 'OK')
      } catch (error) {
        if (error instanceof RecordError) return plain(400, error.message)
        if (error instanceof LedgerError) return plain(503, 'The ledger cannot be written now')
        throw error
      }
    },
  }
}

function plain(status: number, sentence: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', text: `${sentence}\n` }
}
