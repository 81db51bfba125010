/** `show channels` and `show tasks`: rows of text columns, as CSV or as JSON. */
import type { Leg } from './leg.js'
import type { Task } from './scheduler.js'
import { localTime } from './switch-clock.js'

/** Values by column, in the order in which they are printed. */
export type Row = Readonly<Record<string, string>>

const HOSTNAME = 'vm'

export function channelRow(leg: Leg): Row {
  const { profile, times, identity } = leg
  const epochS = Math.floor(times.created / 1_000_000)
  const parked = leg.application === 'park'
  const codec = leg.hasCodec ? (['PCMU', '8000', '64000'] as const) : (['', '', ''] as const)
  return {
    uuid: leg.uuid,
    direction: leg.direction,
    created: localTime(epochS),
    created_epoch: String(epochS),
    name: identity.channelName,
    state: leg.state,
    cid_name: profile.callerName,
    cid_num: profile.callerNumber,
    ip_addr: profile.username === undefined ? '' : '127.0.0.1',
    dest: profile.destination,
    application: leg.application,
    application_data: leg.applicationArgument,
    dialplan: profile.dialplan ?? '',
    context: 'default',
    read_codec: codec[0],
    read_rate: codec[1],
    read_bit_rate: codec[2],
    write_codec: codec[0],
    write_rate: codec[1],
    write_bit_rate: codec[2],
    secure: '',
    hostname: HOSTNAME,
    presence_id: '',
    presence_data: '',
    accountcode: '',
    callstate: leg.callState,
    callee_name: profile.calleeName ?? '',
    callee_num: profile.calleeNumber ?? '',
    callee_direction: parked ? 'RECV' : '',
    call_uuid: leg.callUuid,
    sent_callee_name: '',
    sent_callee_num: '',
    initial_cid_name: profile.origName,
    initial_cid_num: profile.origNumber,
    initial_ip_addr: profile.username === undefined ? '' : '127.0.0.1',
    initial_dest: profile.destination,
    initial_dialplan: profile.dialplan ?? '',
    initial_context: 'default',
  }
}

export function taskRow(task: Task): Row {
  return {
    task_id: String(task.id),
    task_desc: task.description,
    task_group: task.group,
    task_runtime: String(task.runtimeS),
    task_sql_manager: '0',
    hostname: HOSTNAME,
  }
}

/** Everything after `show channels`: `count`, `as json`, `count as json` or nothing. */
export function listing(rows: readonly Row[], options: string): string {
  const count = options.startsWith('count')
  if (/\bas json$/.test(options)) return count ? jsonCount(rows) : json(rows)
  if (count) return `\n${rows.length} total.\n`
  const [first] = rows
  if (!first) return '\n0 total.\n'
  const lines = [Object.keys(first), ...rows.map(row => Object.values(row))]
  return `${lines.map(line => line.join(',')).join('\n')}\n\n${rows.length} total.\n`
}

/** With no rows there is no `rows`: FreeSWITCH prints this by hand. */
function json(rows: readonly Row[]): string {
  if (rows.length === 0) return '{"row_count": 0}\n'
  return JSON.stringify({ row_count: rows.length, rows })
}

const jsonCount = (rows: readonly Row[]) => JSON.stringify({ row_count: rows.length, rows: [] })
