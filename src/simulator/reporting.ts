/**
 * The variables that FreeSWITCH computes when a leg has ended (switch_channel_set_timestamps):
 * they are in HANGUP_COMPLETE and DESTROY only. `billsec` is a difference of truncated seconds, as
 * in the original, and therefore wrong by up to a second.
 */
import { causeNumber } from './causes.js'
import type { Leg } from './leg.js'
import { localTime } from './switch-clock.js'
import { variableSet } from './variables.js'

/** The variables that a controller might read are kept when events are slim. */
const SLIM = new Set([
  'hangup_cause',
  'hangup_cause_q850',
  'start_uepoch',
  'answer_uepoch',
  'end_uepoch',
  'duration',
  'billsec',
  'billmsec',
  'billusec',
])

export function reportTimes(leg: Leg, slim: boolean) {
  const set = (name: string, value: string | number) => {
    if (!slim || SLIM.has(name)) leg.variables.set(name, String(value))
  }
  const cause = leg.hangupCause ?? 'NORMAL_CLEARING'
  set('hangup_cause', cause)
  set('hangup_cause_q850', q850(cause))
  set('digits_dialed', 'none')
  if (!slim) reportStamps(leg, set)
  reportEpochs(leg, set)
  if (leg.application !== '') set('last_app', leg.application)
  if (leg.applicationArgument !== '') set('last_arg', leg.applicationArgument)
  const { callerName, callerNumber } = leg.profile
  set('caller_id', callerName === '' ? callerNumber : `"${callerName}" <${callerNumber}>`)
  reportDurations(leg, set)
}

type Setter = (name: string, value: string | number) => void

/** Causes of FreeSWITCH's own are told as 16 to the telephone network. */
function q850(cause: string): number {
  const number = causeNumber(cause)
  return number > 127 ? 16 : number
}

function reportStamps(leg: Leg, set: Setter) {
  const { created, answered, bridged, progress, progressMedia, hangup } = leg.times
  const stamp = (name: string, us: number) => {
    if (us !== 0) set(`${name}_stamp`, localTime(seconds(us)))
  }
  stamp('start', created)
  stamp('profile_start', created)
  stamp('answer', answered)
  stamp('bridge', bridged)
  stamp('progress', progress)
  stamp('progress_media', progressMedia)
  stamp('end', hangup)
}

function reportEpochs(leg: Leg, set: Setter) {
  const { created, answered, bridged, progress, progressMedia, hangup } = leg.times
  const epochs = (name: string, us: number) => {
    set(`${name}_epoch`, seconds(us))
    set(`${name}_uepoch`, us)
  }
  epochs('start', created)
  epochs('profile_start', created)
  epochs('answer', answered)
  epochs('bridge', bridged)
  epochs('last_hold', 0)
  set('hold_accum_seconds', 0)
  set('hold_accum_usec', 0)
  set('hold_accum_ms', 0)
  epochs('resurrect', 0)
  epochs('progress', progress)
  epochs('progress_media', progressMedia)
  epochs('end', hangup)
}

function reportDurations(leg: Leg, set: Setter) {
  const { created, answered, bridged, progress, progressMedia, hangup } = leg.times
  const units = [
    ['sec', 1_000_000],
    ['msec', 1_000],
    ['usec', 1],
  ] as const
  const totals = { sec: 'duration', msec: 'mduration', usec: 'uduration' }
  for (const [unit, us] of units) {
    const span = (from: number, to: number) =>
      from === 0 || to === 0 ? 0 : Math.floor(to / us) - Math.floor(from / us)
    set(totals[unit], span(created, hangup))
    set(`bill${unit}`, span(answered, hangup))
    set(`progress${unit}`, span(created, progress))
    set(`answer${unit}`, span(created, answered))
    set(`wait${unit}`, span(created, bridged))
    set(`progress_media${unit}`, span(created, progressMedia))
    set(`flow_bill${unit}`, answered === 0 ? 0 : span(created, hangup))
  }
}

const seconds = (us: number) => Math.floor(us / 1_000_000)

/** How a leg that the switch itself ended was taken down: BYE, CANCEL or a final refusal. */
export const SENT_BYE = variableSet('sip_hangup_disposition = send_bye')
export const SENT_REFUSAL = variableSet('sip_hangup_disposition = send_refuse')
export const SENT_CANCEL = variableSet(`
    call_completed_elsewhere = {elsewhere}
    sip_hangup_disposition = send_cancel
    sip_invite_failure_status = 487
    sip_invite_failure_phrase = CANCEL
`)

/** Of legs that had media. Nobody sends any here: 50 packets a second are skipped. */
export const MEDIA_REPORT = variableSet(`
    rtp_audio_in_raw_bytes = 0
    rtp_audio_in_media_bytes = 0
    rtp_audio_in_packet_count = 0
    rtp_audio_in_media_packet_count = 0
    rtp_audio_in_skip_packet_count = {skipped}
    rtp_audio_in_jitter_packet_count = 0
    rtp_audio_in_dtmf_packet_count = 0
    rtp_audio_in_cng_packet_count = 0
    rtp_audio_in_flush_packet_count = 0
    rtp_audio_in_largest_jb_size = 0
    rtp_audio_in_jitter_min_variance = 0.00
    rtp_audio_in_jitter_max_variance = 0.00
    rtp_audio_in_jitter_loss_rate = 0.00
    rtp_audio_in_jitter_burst_rate = 0.00
    rtp_audio_in_mean_interval = 0.00
    rtp_audio_in_flaw_total = 0
    rtp_audio_in_quality_percentage = 100.00
    rtp_audio_in_mos = 4.50
    rtp_audio_out_raw_bytes = 0
    rtp_audio_out_media_bytes = 0
    rtp_audio_out_packet_count = 0
    rtp_audio_out_media_packet_count = 0
    rtp_audio_out_skip_packet_count = 0
    rtp_audio_out_dtmf_packet_count = 0
    rtp_audio_out_cng_packet_count = 0
    rtp_audio_rtcp_packet_count = 0
    rtp_audio_rtcp_octet_count = 0
`)
