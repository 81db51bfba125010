/** What Tollgate lives by, tried out: events, timers, the clock, heartbeats. Nothing of it lasts. */
import { randomUUID } from 'node:crypto'
import { expectOk, parseAdded, parseDeleted, unexpected } from '../switch/encode.js'
import { HEARTBEATS_MISSED } from '../switch/session.js'
import { SwitchError } from '../switch/switch.js'
import type { Dialogue } from './dialogue.js'
import { type Finding, missing, ok, SETTINGS, SWITCH_CONF, warning } from './finding.js'
import { configurationOf, isTrue, valuesOf } from './located-xml.js'

/** An event that comes later than this is late even on a busy switch. */
const LATE_MS = 1000

/** Stamps step in 20 ms; what is more than this is no matter of measuring. */
const CLOCK_OFF_MS = 1000

/** FreeSWITCH's event-heartbeat-interval where switch.conf names none. */
const HEARTBEAT_S = 20

const TRIES = 3

/** A task of ours would run so much later, if we died before we deleted it. */
const TASK_IN_S = 3600

export async function eventFinding(dialogue: Dialogue): Promise<Finding> {
  const check = 'events'
  try {
    await dialogue.subscribe(['BACKGROUND_JOB'])
    const lateMs = Math.round(await dialogue.background('strepoch'))
    const text = `An event that we caused came after ${lateMs} ms`
    return lateMs <= LATE_MS ? ok(check, text) : warning(check, `${text}: the switch is overloaded`)
  } catch (error) {
    if (!(error instanceof SwitchError) || error.code === 'not_connected') throw error
    return missing(check, `An event that we caused did not come: ${error.message}`)
  }
}

/** `sched_api` is what ends calls when we are gone. The task does nothing, and is deleted at once. */
export async function timerFinding(dialogue: Dialogue): Promise<Finding> {
  const check = 'timers'
  const group = `tollgate-doctor-${randomUUID()}`
  try {
    const task = parseAdded(await dialogue.api(`sched_api +${TASK_IN_S} ${group} strepoch`))
    const deleted = parseDeleted(await dialogue.api(`sched_del ${group}`))
    if (deleted === 1) return ok(check, `A timer was armed as task ${task}, and deleted again`)
    return missing(check, `A timer was armed as task ${task}, but sched_del deleted ${deleted}`)
  } catch (error) {
    if (!(error instanceof SwitchError) || error.code === 'not_connected') throw error
    return missing(check, `sched_api and sched_del do not work: ${error.message}`)
  }
}

/** The quickest answer tells the time best. */
export async function clockFinding(dialogue: Dialogue): Promise<Finding> {
  let offsetMs = 0
  let quickestMs = Number.POSITIVE_INFINITY
  for (let i = 0; i < TRIES; i++) {
    const [askedAt, asked] = [Date.now(), performance.now()]
    const answer = expectOk(await dialogue.api('strmicroepoch'))
    const tookMs = performance.now() - asked
    if (!/^\d{10,16}$/.test(answer)) throw unexpected(answer)
    if (tookMs >= quickestMs) continue
    quickestMs = tookMs
    offsetMs = Number(answer) / 1000 - (askedAt + tookMs / 2)
  }
  const xml = await configurationOf(dialogue, 'switch.conf')
  const follows = isTrue(xml === null ? undefined : valuesOf(xml, 'enable-use-system-time').at(-1))
  return judgedClock(Math.round(offsetMs), follows)
}

function judgedClock(offsetMs: number, follows: boolean): Finding {
  const check = 'clock'
  const side = offsetMs < 0 ? 'behind' : 'ahead of'
  const off = `Its clock is ${(Math.abs(offsetMs) / 1000).toFixed(2)} s ${side} this machine's`
  const nature = follows
    ? 'it is the system time, with its steps'
    : 'it runs on from the start of FreeSWITCH, whatever NTP does'
  if (Math.abs(offsetMs) <= CLOCK_OFF_MS) return ok(check, `${off}; ${nature}`)
  const text = `${off}, and CDRs and rate periods go by it; ${nature}`
  return warning(check, text, ['fs_cli', 'fsctl sync_clock_when_idle'])
}

/** @param heartbeatS what Tollgate is told that the switch does */
export async function heartbeatFinding(dialogue: Dialogue, heartbeatS: number): Promise<Finding> {
  const check = 'heartbeat'
  const xml = await configurationOf(dialogue, 'switch.conf')
  const set = xml === null ? undefined : valuesOf(xml, 'event-heartbeat-interval').at(-1)
  const realS = Number.parseInt(set ?? '', 10) || HEARTBEAT_S
  if (realS === heartbeatS) return ok(check, `It beats every ${realS} s, as Tollgate is told`)
  const text = `It beats every ${realS} s (${SWITCH_CONF}), and Tollgate is told ${heartbeatS} s`
  const cure = [SETTINGS, `heartbeat_s = ${realS}`] as const
  if (realS > heartbeatS * HEARTBEATS_MISSED) {
    return missing(
      check,
      `${text}: a switch with nothing to tell is given up again and again`,
      cure,
    )
  }
  return warning(check, `${text}: one that is gone is noticed too early or too late`, cure)
}

export async function loopbackFinding(dialogue: Dialogue, loopbackPays: boolean): Promise<Finding> {
  const check = 'loopback'
  const count = namesOf(await dialogue.api('show channels as json')).filter(name => {
    return name.startsWith('loopback/')
  }).length
  if (count === 0) return ok(check, 'No loopback channel is up')
  const are = count === 1 ? 'One loopback channel is' : `${count} loopback channels are`
  if (loopbackPays) {
    const cure = [SETTINGS, 'loopback_pays = false'] as const
    const text = `${are} up, and pay where they have a code, as well as the real leg behind them`
    return warning(check, text, cure)
  }
  const text = `${are} up, and pay nothing: the real leg behind them has to have the code`
  return warning(check, text, ['the dialplan', '<action application="export" data="ac=…"/>'])
}

function namesOf(answer: string): string[] {
  let listing: { rows?: unknown }
  try {
    listing = JSON.parse(answer)
  } catch {
    expectOk(answer)
    throw unexpected(answer)
  }
  const rows = Array.isArray(listing.rows) ? listing.rows : []
  return rows.map(row => String(row?.name))
}
