/**
 * The variables that an inbound leg (A) gains on its way, in the order of the recordings.
 *
 * The leg of a caller who has a SIP account here carries all headers of the event that looked the
 * account up, as variables: beside `Event-Name` it has `variable_Event-Name: REQUEST_PARAMS`.
 */
import { variableSet } from './variables.js'

export const A_CREATED = variableSet(String.raw`
  * direction = inbound
  * uuid = {uuid}
  * call_uuid = {uuid}
  * session_id = {sessionId}
    sip_from_user = {callerNumber}
    sip_from_port = 5061
    sip_from_uri = {callerNumber}@127.0.0.1:5061
    sip_from_host = 127.0.0.1
    video_media_flow = disabled
    audio_media_flow = disabled
    text_media_flow = disabled
  * channel_name = {channelName}
  * sip_call_id = {sipCallId}
    sip_local_network_addr = 127.0.0.1
  * sip_network_ip = 127.0.0.1
    sip_network_port = 5061
    sip_invite_stamp = {createdUs}
    sip_received_ip = 127.0.0.1
    sip_received_port = 5061
    sip_via_protocol = udp
    sip_authorized = {authorized}
  * Event-Name = {requestParams}
  * Core-UUID = {coreUuid}
    FreeSWITCH-Hostname = {hostname}
    FreeSWITCH-Switchname = {hostname}
    FreeSWITCH-IPv4 = {ipv4}
    FreeSWITCH-IPv6 = {ipv6}
    Event-Date-Local = {dateLocal}
    Event-Date-GMT = {dateGmt}
  * Event-Date-Timestamp = {authorizedUs}
    Event-Calling-File = {callingFile}
    Event-Calling-Function = {callingFunction}
    Event-Calling-Line-Number = {callingLine}
    Event-Sequence = {authorizedSequence}
    sip_number_alias = {sipUser}
    sip_auth_username = {sipUser}
    sip_auth_realm = {sipDomain}
    number_alias = {sipUser}
    requested_user_name = {sipUser}
    requested_domain_name = {sipDomain}
    user_context = {sipContext}
  * ac = {directoryAccount}
  * user_name = {sipUser}
  * domain_name = {sipDomain}
    sip_from_user_stripped = {callerNumber}
    sip_from_tag = {farTag}
  * sofia_profile_name = {profile}
    sofia_profile_url = sip:mod_sofia@127.0.0.1:{profilePort}
    recovery_profile_name = {profile}
    sip_full_via = SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-{branch}-0
    sip_from_display = {callerName}
    sip_full_from = "{callerName}" <sip:{callerNumber}@127.0.0.1:5061>;tag={farTag}
    sip_full_to = <sip:{dialled}@127.0.0.1:{profilePort}>
    sip_req_user = {dialled}
    sip_req_port = {profilePort}
    sip_req_uri = {dialled}@127.0.0.1:{profilePort}
    sip_req_host = 127.0.0.1
    sip_to_user = {dialled}
    sip_to_port = {profilePort}
    sip_to_uri = {dialled}@127.0.0.1:{profilePort}
    sip_to_host = 127.0.0.1
    sip_contact_user = {callerNumber}
    sip_contact_port = 5061
    sip_contact_uri = {callerNumber}@127.0.0.1:5061
    sip_contact_host = 127.0.0.1
    rtp_use_codec_string = PCMU,PCMA
    sip_via_host = 127.0.0.1
    sip_via_port = 5061
    max_forwards = 70
    switch_r_sdp = v=0\r\no=uac 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n
    ep_codec_string = CORE_PCM_MODULE.PCMU@8000h@20i@64000b
    endpoint_disposition = DELAYED NEGOTIATION
`)

/**
 * The dialplan has run up to `bridge`; the outbound legs are not there yet. What it has set stands
 * where other sets have the dial string.
 */
export const A_BRIDGING = variableSet(`
    DP_MATCH = ARRAY::{dialled}|:{number}
  * call_uuid = {uuid}
  * ac = {setAccount}
  * export_vars = {exportVars}
  * (dial string)
  * current_application_data = {dialString}
  * current_application = bridge
    originate_disposition = failure
    DIALSTATUS = INVALIDARGS
`)

/** One outbound leg has been dialled. */
export const A_DIALLED_ONE = variableSet(`
    originate_signal_bond = {lastBranch}
  * originated_legs = {originatedLegs}
`)

/** Several have been dialled: the list had to be set again, the bond before it was cleared. */
export const A_DIALLED_SEVERAL = variableSet(`
  * originated_legs = {originatedLegs}
    originate_signal_bond = {lastBranch}
`)

export const A_RINGING = variableSet(`
    sip_to_tag = {ownTag}
`)

export const A_EARLY_MEDIA = variableSet(String.raw`
    switch_m_sdp = v=0\r\no=uas 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6090 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n
    video_media_flow = inactive
    text_media_flow = inactive
    last_bridge_hangup_cause = {loserCause}
    rtp_use_codec_string = PCMU,PCMA
    remote_video_media_flow = inactive
    remote_text_media_flow = inactive
    remote_audio_media_flow = sendrecv
    audio_media_flow = sendrecv
    rtp_audio_recv_pt = 0
    rtp_use_codec_name = PCMU
    rtp_use_codec_rate = 8000
    rtp_use_codec_ptime = 20
    rtp_use_codec_channels = 1
    rtp_last_audio_codec_string = PCMU@8000h@20i@1c
  * read_codec = PCMU
    original_read_codec = PCMU
    read_rate = 8000
    original_read_rate = 8000
  * write_codec = PCMU
    write_rate = 8000
    dtmf_type = rfc2833
    local_media_ip = 127.0.0.1
    local_media_port = {mediaPort}
    advertised_media_ip = 127.0.0.1
    rtp_use_timer_name = soft
    rtp_use_pt = 0
    rtp_use_ssrc = {ssrc}
    rtp_2833_send_payload = 101
    rtp_2833_recv_payload = 101
    remote_media_ip = 127.0.0.1
    remote_media_port = 7000
    endpoint_disposition = EARLY MEDIA
`)

export const A_ANSWERED = variableSet(String.raw`
    rtp_local_sdp_str = v=0\r\no=FreeSWITCH 1795362525 1795362526 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {mediaPort} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n
`)

export const A_BRIDGED = variableSet(`
    - originate_signal_bond
    endpoint_disposition = ANSWER
  * originate_disposition = SUCCESS
    DIALSTATUS = SUCCESS
    originate_causes = {originateCauses}
  * signal_bond = {partner}
`)

/** What the talk itself has left when A hangs up while it is still bridged. */
export const A_TALKED = variableSet(`
    bridge_to = {partner}
    last_bridge_to = {partner}
    bridge_channel = {partnerChannel}
  * bridge_uuid = {partner}
  * signal_bond = {partner}
    sip_to_tag = {ownTag}
    sip_from_tag = {farTag}
    sip_cseq = 1
  * sip_call_id = {sipCallId}
    sip_full_via = SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-{branch}-15
    sip_from_display = {callerName}
    sip_full_from = "{callerName}" <sip:{callerNumber}@127.0.0.1:5061>;tag={farTag}
    sip_full_to = <sip:{dialled}@127.0.0.1:{profilePort}>;tag={ownTag}
    last_sent_callee_id_name = Outbound Call
    last_sent_callee_id_number = {number}
    sip_term_status = {termStatus}
    proto_specific_hangup_cause = {protoCause}
    sip_term_cause = {termCause}
  * last_bridge_hangup_cause = {leftBecause}
  * last_bridge_role = originator
`)

/** The same when B has gone first: A is told so while it leaves the bridge. */
export const A_LEFT_ALONE = variableSet(`
    last_bridge_to = {partner}
    sip_to_tag = {ownTag}
    sip_from_tag = {farTag}
    sip_cseq = 1
  * sip_call_id = {sipCallId}
    sip_full_via = SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-{branch}-15
    sip_from_display = {callerName}
    sip_full_from = "{callerName}" <sip:{callerNumber}@127.0.0.1:5061>;tag={farTag}
    sip_full_to = <sip:{dialled}@127.0.0.1:{profilePort}>;tag={ownTag}
    bridge_channel = {partnerChannel}
  * bridge_uuid = {partner}
  * signal_bond = {partner}
    last_sent_callee_id_name = Outbound Call
    last_sent_callee_id_number = {number}
  * last_bridge_hangup_cause = {partnerCause}
  * bridge_hangup_cause = {partnerCause}
`)

/** A has hung up and now leaves the bridge. */
export const A_UNBRIDGED = variableSet(`
    - bridge_to
    sip_hangup_disposition = {disposition}
  * bridge_hangup_cause = {partnerCause}
`)

/** The caller has cancelled while it rang. */
export const A_CANCELLED = variableSet(`
    sip_hangup_disposition = recv_cancel
    sip_invite_failure_status = 487
    sip_invite_failure_phrase = CANCEL
    sip_term_status = 487
    proto_specific_hangup_cause = sip:487
    sip_term_cause = 487
`)

/** No outbound leg was answered. */
export const A_FAILED = variableSet(`
    sip_invite_failure_status = {failureStatus}
    sip_invite_failure_phrase = {failurePhrase}
    sip_hangup_phrase = {failurePhrase}
  * last_bridge_hangup_cause = {loserCause}
    last_bridge_proto_specific_hangup_cause = {failureProtoCause}
  * originate_disposition = {originateDisposition}
    DIALSTATUS = {dialStatus}
    originate_causes = {originateCauses}
  * originate_failed_cause = {originateDisposition}
`)

/** What `bridge` finds when the caller has gone: it comes after the hangup. */
export const A_CANCEL_NOTED = variableSet(`
  * originate_disposition = ORIGINATOR_CANCEL
    DIALSTATUS = CANCEL
    originate_causes = {originateCauses}
  * originate_failed_cause = ORIGINATOR_CANCEL
`)
