/** The switches: which there are, how they are connected, and how well they are heard. */
import { z } from 'zod'
import type { Instant } from '../call/call.js'
import { formatInstant } from '../call/cdr.js'

export interface SwitchState {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly state: 'connected' | 'connecting' | 'refused' | 'not_supervised'
  /** In milliseconds since the epoch, by our clock; null where nobody supervises it. */
  readonly since: number | null
  /** Why it is not connected. */
  readonly why: string | null
  readonly version: string | null
  /** Core-UUID. */
  readonly coreUuid: string | null
  readonly lagMs: number | null
  readonly clockOffsetMs: number | null
  readonly heartbeatAgeS: number | null
  /** Calls under supervision. */
  readonly calls: number | null
  /** Legs as the switch counts them. */
  readonly sessions: number | null
  /** By the switch's clock. */
  readonly leaseUntil: Instant | null
  /** Null where there is no gate; `expected` are legs that were let through and have not come. */
  readonly gate: {
    readonly allowed: number
    readonly denied: number
    readonly expected: number
  } | null
}

export type SwitchJson = ReturnType<typeof switchJson>

export const switchListInput = z.strictObject({})

export async function listSwitches(states: readonly SwitchState[]): Promise<SwitchJson[]> {
  return states.map(switchJson)
}

/** All that is known of a switch while no daemon runs. */
export function notSupervised({
  name,
  host,
  port,
}: Pick<SwitchState, 'name' | 'host' | 'port'>): SwitchState {
  const line = { state: 'not_supervised', since: null, why: null } as const
  const told = { version: null, coreUuid: null, sessions: null, calls: null }
  const heard = { lagMs: null, clockOffsetMs: null, heartbeatAgeS: null }
  return { name, host, port, ...line, ...told, ...heard, leaseUntil: null, gate: null }
}

function switchJson(state: SwitchState) {
  const { since, leaseUntil, gate } = state
  return {
    name: state.name,
    host: state.host,
    port: state.port,
    state: state.state,
    since: since === null ? null : formatInstant(since * 1000),
    why: state.why,
    version: state.version,
    core_uuid: state.coreUuid,
    lag_ms: state.lagMs,
    clock_offset_ms: state.clockOffsetMs,
    heartbeat_age_s: state.heartbeatAgeS,
    calls: state.calls,
    sessions: state.sessions,
    lease_until: leaseUntil === null ? null : formatInstant(leaseUntil),
    gate_allowed: gate?.allowed ?? null,
    gate_denied: gate?.denied ?? null,
    gate_expected: gate?.expected ?? null,
  }
}
