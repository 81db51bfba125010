/** Records of mod_json_cdr: those that were recorded, and such as it would write of other legs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LEG, s } from './story.js'

export const RECORDINGS = join(import.meta.dirname, '../recordings/json-cdr')

export interface RecordedCdr {
  readonly file: string
  readonly body: Buffer
  /** Null for one that was left in a file. */
  readonly contentType: string | null
}

export function recordedCdrs(): RecordedCdr[] {
  const files = readdirSync(RECORDINGS).filter(file => /\.(txt|cdr)$/.test(file))
  return files.map(file => {
    const bytes = readFileSync(join(RECORDINGS, file))
    if (!file.endsWith('.txt')) return { file, body: bytes, contentType: null }
    const headEnd = bytes.indexOf('\n\n')
    const contentType = /^Content-Type: (.*)$/m.exec(bytes.subarray(0, headEnd).toString())?.[1]
    return { file, body: bytes.subarray(headEnd + 2), contentType: contentType ?? null }
  })
}

export interface RecordOf {
  /** Variables of the leg; null takes one out. */
  readonly variables?: Record<string, string | null>
  readonly number?: string
  /** Seconds, as in story.ts. */
  readonly created?: number
  readonly answered?: number | null
  readonly ended?: number
}

/** A record of the outbound leg of story.ts, answered after 3 s and ended after 40. */
export function recordOf(wanted: RecordOf = {}): string {
  const { created = 0, answered = 3, ended = 40, number = LEG.dialled } = wanted
  const variables = {
    direction: 'outbound',
    uuid: LEG.callId,
    channel_name: `sofia/external/${number}`,
    originating_leg_uuid: 'a-leg',
    ac: 'alice',
    hangup_cause: 'NORMAL_CLEARING',
    start_stamp: '2026-11-23 01:42:34',
    start_uepoch: String(s(created)),
    answer_uepoch: answered === null ? '0' : String(s(answered)),
    end_uepoch: String(s(ended)),
    ...wanted.variables,
  }
  const isSet = ([, value]: [string, string | null]) => value !== null
  return JSON.stringify({
    'core-uuid': LEG.coreUuid,
    switchname: 'pbx',
    variables: Object.fromEntries(Object.entries(variables).filter(isSet)),
    callflow: [{ profile_index: '1', caller_profile: { destination_number: number } }],
  })
}

/** Of the inbound leg that dialled it. */
export function recordOfA(variables: Record<string, string | null> = {}): string {
  return recordOf({
    number: '100',
    variables: {
      ...{ direction: 'inbound', uuid: 'a-leg', originating_leg_uuid: null, ac: null },
      originated_legs: `${LEG.callId};Outbound Call;${LEG.dialled}`,
      ...variables,
    },
  })
}
