/** The switches, and how well they are heard: for the dashboard and for their own page. */
import { LedgerError } from '../../ledger/ledger.js'
import type { SwitchJson } from '../../provisioning/switches.js'
import type { Services } from '../parts.js'
import type { Cell, Column, Row, Table, Tone } from './shown.js'

/** Events later than this, or a clock that is off by more, want looking at. */
const LAG_MS_MAX = 1_000
const HEARTBEAT_S_MAX = 60

const TONES: Readonly<Record<SwitchJson['state'], Tone>> = {
  connected: 'good',
  connecting: 'warn',
  refused: 'bad',
  not_supervised: 'bad',
}

/** A page is worth seeing, too, while the daemon does not answer. */
export async function switchTable({ ledger }: Services, isWhole = false): Promise<Table> {
  const empty = { title: 'There are no switches', text: 'Name them in tollgate.toml.' }
  try {
    const rows = (await ledger.switchList({})).map(state => rowOf(state, isWhole))
    return { caption: 'Switches', columns: isWhole ? [...COLUMNS, ...MORE] : COLUMNS, rows, empty }
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    const unknown = { title: 'Not known', text: error.message }
    return { caption: 'Switches', columns: COLUMNS, rows: [], empty: unknown }
  }
}

const COLUMNS: readonly Column[] = [
  { label: 'Switch' },
  { label: 'State', kind: 'text' },
  { label: 'Heartbeat', kind: 'number' },
  { label: 'Lag', kind: 'number' },
  { label: 'Calls', kind: 'number' },
]

const MORE: readonly Column[] = [
  { label: 'Legs', kind: 'number' },
  { label: 'Clock', kind: 'number' },
  { label: 'Version', kind: 'text' },
  { label: 'Gate', kind: 'text' },
]

function rowOf(state: SwitchJson, isWhole: boolean): Row {
  const { name, host, port, why, since, lag_ms, heartbeat_age_s, calls } = state
  const heartbeat =
    heartbeat_age_s === null
      ? null
      : marked(`${Math.round(heartbeat_age_s)} s ago`, heartbeat_age_s > HEARTBEAT_S_MAX)
  const lag = lag_ms === null ? null : marked(`${Math.round(lag_ms)} ms`, lag_ms > LAG_MS_MAX)
  const badge: Cell = { badge: state.state, tone: TONES[state.state] }
  const from: Cell[] = since === null ? [] : ['since', { at: since }]
  return {
    cells: [
      isWhole ? { parts: [name, { code: `${host}:${port}` }] } : { text: name, href: '/switches' },
      { parts: [badge, ...(isWhole ? from : []), why] },
      heartbeat,
      lag,
      calls,
      ...(isWhole ? more(state) : []),
    ],
  }
}

function more({ sessions, clock_offset_ms, version, ...gate }: SwitchJson): Cell[] {
  const { gate_allowed, gate_denied, gate_expected } = gate
  return [
    sessions,
    clock_offset_ms === null ? null : `${Math.round(clock_offset_ms)} ms off`,
    version,
    gate_allowed === null
      ? 'none'
      : `${gate_allowed} let through, ${gate_denied} refused, ${gate_expected} expected`,
  ]
}

const marked = (text: string, isBad: boolean): Cell =>
  isBad ? { badge: text, tone: 'warn' } : text
