/** The variables that an outbound leg (B, or one that was originated) gains on its way. */
import { variableSet } from './variables.js'

export const B_CREATED = variableSet(String.raw`
  * direction = outbound
  * is_outbound = true
  * uuid = {uuid}
  * call_uuid = {soloUuid}
  * session_id = {sessionId}
  * sip_gateway_name = {gateway}
    sip_local_network_addr = 127.0.0.1
    sip_profile_name = gateway
    video_media_flow = {soloDisabled}
    text_media_flow = disabled
  * channel_name = {channelName}
  * sip_destination_url = sip:{number}@127.0.0.1:5090
    max_forwards = {maxForwards}
    originator_codec = {originatorCodec}
  * originator = {originator}
    signal_bond = {originator}
    switch_m_sdp = {originatorSdp}
  * call_uuid = {originator}
  * export_vars = {exportVars}
  * (dial string)
    originate_early_media = true
  * originating_leg_uuid = {originator}
    originate_endpoint = sofia
    rtp_use_codec_string = {codecString}
    local_media_ip = 127.0.0.1
    local_media_port = {mediaPort}
    advertised_media_ip = 127.0.0.1
    audio_media_flow = sendrecv
    video_media_flow = {bridgeSendrecv}
    rtp_local_sdp_str = v=0\r\no=FreeSWITCH 1795368070 1795368071 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {mediaPort} RTP/AVP 0 101 13\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\na=sendrecv\r\n
    sip_outgoing_contact_uri = <sip:gw+{gateway}@127.0.0.1:5080;transport=udp;gw={gateway}>
    sip_req_uri = {number}@127.0.0.1:5090
    sip_to_host = 127.0.0.1:5090
    sip_from_host = 127.0.0.1
  * sofia_profile_name = external
    recovery_profile_name = external
    sofia_profile_url = sip:mod_sofia@127.0.0.1:5080
`)

/** The far end's first provisional answer (180). */
export const B_RINGING = variableSet(`
    sip_local_network_addr = 127.0.0.1
    sip_reply_host = 127.0.0.1
    sip_reply_port = 5090
  * sip_network_ip = 127.0.0.1
    sip_network_port = 5090
    sip_recover_contact = <sip:uas@127.0.0.1:5090;transport=UDP>
    sip_full_via = SIP/2.0/UDP 127.0.0.1:5080;rport;branch=z9hG4bK{branch}
    sip_recover_via = SIP/2.0/UDP 127.0.0.1:5080;rport;branch=z9hG4bK{branch}
    sip_from_display = {callerName}
    sip_full_from = {fullFrom};tag={ownTag}
    sip_full_to = <sip:{number}@127.0.0.1:5090>;tag={farTag}
    sip_from_user = {callerNumber}
    sip_from_uri = {callerNumber}@127.0.0.1
    sip_from_host = 127.0.0.1
    sip_to_user = {number}
    sip_to_port = 5090
    sip_to_uri = {number}@127.0.0.1:5090
    sip_to_host = 127.0.0.1
    sip_contact_params = transport=UDP
    sip_contact_user = uas
    sip_contact_port = 5090
    sip_contact_uri = uas@127.0.0.1:5090
    sip_contact_host = 127.0.0.1
    sip_to_tag = {farTag}
    sip_from_tag = {ownTag}
    sip_cseq = {cseq}
  * sip_call_id = {sipCallId}
`)

/** Where the far end answers at once there was no 180 to learn its address from. */
export const B_FIRST_REPLY = variableSet(`
    sip_local_network_addr = 127.0.0.1
    sip_reply_host = 127.0.0.1
    sip_reply_port = 5090
  * sip_network_ip = 127.0.0.1
    sip_network_port = 5090
`)

/** The far end's 200. */
export const B_ANSWERED = variableSet(String.raw`
    sip_allow = INVITE, ACK, BYE, CANCEL, OPTIONS
    sip_recover_contact = <sip:uas@127.0.0.1:5090;transport=UDP>
    sip_full_via = SIP/2.0/UDP 127.0.0.1:5080;rport;branch=z9hG4bK{branch}
    sip_recover_via = SIP/2.0/UDP 127.0.0.1:5080;rport;branch=z9hG4bK{branch}
    sip_from_display = {callerName}
    sip_full_from = {fullFrom};tag={ownTag}
    sip_full_to = <sip:{number}@127.0.0.1:5090>;tag={farTag}
    sip_from_user = {callerNumber}
    sip_from_uri = {callerNumber}@127.0.0.1
    sip_from_host = 127.0.0.1
    sip_to_user = {number}
    sip_to_port = 5090
    sip_to_uri = {number}@127.0.0.1:5090
    sip_to_host = 127.0.0.1
    sip_contact_params = transport=UDP
    sip_contact_user = uas
    sip_contact_port = 5090
    sip_contact_uri = uas@127.0.0.1:5090
    sip_contact_host = 127.0.0.1
    sip_to_tag = {farTag}
    sip_from_tag = {ownTag}
    sip_cseq = {cseq}
  * sip_call_id = {sipCallId}
    switch_r_sdp = v=0\r\no=uas 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6090 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n
    ep_codec_string = CORE_PCM_MODULE.PCMU@8000h@20i@64000b
    rtp_use_codec_string = {codecString}
    remote_video_media_flow = inactive
    remote_text_media_flow = inactive
    remote_audio_media_flow = sendrecv
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
    remote_media_port = 6090
`)

/** An originated leg goes on to its application, with the caller's and the callee's id exchanged. */
export const B_PARKED = variableSet(`
    endpoint_disposition = ANSWER
    pre_transfer_caller_id_name = {callerName}
    pre_transfer_caller_id_number = {callerNumber}
    channel_cid_flipped = yes
  * call_uuid = {uuid}
  * current_application = park
`)

/** What the talk has left on B when A hangs up first. */
export const B_LEFT_ALONE = variableSet(`
    endpoint_disposition = ANSWER
  * call_uuid = {originator}
    last_bridge_to = {originator}
    bridge_channel = {partnerChannel}
  * bridge_uuid = {originator}
  * signal_bond = {originator}
    last_sent_callee_id_name = {callerName}
    last_sent_callee_id_number = {callerNumber}
    sip_hangup_phrase = {hangupPhrase}
  * last_bridge_hangup_cause = {partnerCause}
    last_bridge_proto_specific_hangup_cause = {protoCause}
`)

/** The same when B hangs up first. */
export const B_TALKED = variableSet(`
    endpoint_disposition = ANSWER
  * call_uuid = {originator}
    bridge_to = {originator}
    last_bridge_to = {originator}
    bridge_channel = {partnerChannel}
  * bridge_uuid = {originator}
  * signal_bond = {originator}
    last_sent_callee_id_name = {callerName}
    last_sent_callee_id_number = {callerNumber}
    sip_term_status = {termStatus}
    proto_specific_hangup_cause = {protoCause}
    sip_term_cause = {termCause}
  * last_bridge_role = originatee
`)

/** Out of the bridge, B is a call of its own again. */
export const B_UNBRIDGED = variableSet(`
    - bridge_to
    bridge_hangup_cause = {partnerCause}
  * call_uuid = {uuid}
`)

/** The far end has refused: busy, not found, unavailable. */
export const B_REFUSED = variableSet(`
  * sip_call_id = {sipCallId}
    sip_local_network_addr = 127.0.0.1
    sip_reply_host = 127.0.0.1
    sip_reply_port = 5090
    sip_network_ip = 127.0.0.1
    sip_network_port = 5090
    sip_hangup_disposition = recv_refuse
    sip_invite_failure_status = {failureStatus}
    sip_invite_failure_phrase = {failurePhrase}
    sip_term_status = {failureStatus}
    proto_specific_hangup_cause = {failureProtoCause}
    sip_term_cause = {failureQ850}
`)

/** A has cancelled while B rang. */
export const B_CANCELLED_BY_A = variableSet(`
    sip_hangup_phrase = Request Terminated
    last_bridge_hangup_cause = ORIGINATOR_CANCEL
    last_bridge_proto_specific_hangup_cause = sip:487
`)

/** Another branch of a forked dial was answered first. */
export const B_LOST = variableSet(`
    group_dial_status = loser
`)
