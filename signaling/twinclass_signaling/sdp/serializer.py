"""Writes a session description as text (RFC 8866, order of RFC 8829 section 5.2.1)."""

from __future__ import annotations

from twinclass_signaling.sdp.description import (
    CandidateLine,
    MediaSection,
    RtpCodec,
    SessionDescription,
)


def serialize(description: SessionDescription) -> str:
    """The text of a description, with CRLF."""
    lines = [
        "v=0",
        f"o=- {description.origin_id} {description.origin_version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
    ]
    if description.bundle:
        lines.append("a=group:BUNDLE " + " ".join(description.bundle))
    if description.ice_lite:
        lines.append("a=ice-lite")
    lines.append("a=msid-semantic: WMS *")
    for section in description.media:
        _section(lines, section)
    return "\r\n".join(lines) + "\r\n"


def candidate_value(candidate: CandidateLine) -> str:
    """The text after ``a=candidate:``."""
    text = (
        f"{candidate.foundation} {candidate.component} {candidate.protocol} {candidate.priority}"
        f" {candidate.host} {candidate.port} typ {candidate.type}"
    )
    return f"{text} tcptype {candidate.tcptype}" if candidate.tcptype else text


def _section(lines: list[str], section: MediaSection) -> None:
    lines.append(f"m={section.kind} {section.port} {section.protocol} {' '.join(section.formats)}")
    lines.append("c=IN IP4 0.0.0.0")
    if section.ice_ufrag:
        lines.append(f"a=ice-ufrag:{section.ice_ufrag}")
    if section.ice_pwd:
        lines.append(f"a=ice-pwd:{section.ice_pwd}")
    lines.extend(f"a=fingerprint:{f.algorithm} {f.value}" for f in section.fingerprints)
    if section.setup:
        lines.append(f"a=setup:{section.setup}")
    if section.mid:
        lines.append(f"a=mid:{section.mid}")
    if section.bundle_only:
        lines.append("a=bundle-only")
    for extension in section.extensions:
        direction = f"/{extension.direction}" if extension.direction else ""
        lines.append(f"a=extmap:{extension.id}{direction} {extension.uri}")
    if section.kind in {"audio", "video"}:
        lines.append(f"a={section.direction}")
    if section.msid:
        lines.append(f"a=msid:{section.msid}")
    if section.rtcp_mux:
        lines.append("a=rtcp-mux")
    if section.rtcp_rsize:
        lines.append("a=rtcp-rsize")
    for codec in section.codecs:
        _codec(lines, codec)
    lines.extend(f"a=rid:{rid.id} {rid.direction}" for rid in section.rids)
    if section.simulcast_send or section.simulcast_recv:
        parts: list[str] = []
        if section.simulcast_send:
            parts.append("send " + ";".join(section.simulcast_send))
        if section.simulcast_recv:
            parts.append("recv " + ";".join(section.simulcast_recv))
        lines.append("a=simulcast:" + " ".join(parts))
    for group in section.ssrc_groups:
        lines.append(f"a=ssrc-group:{group.semantics} {' '.join(map(str, group.ssrcs))}")
    lines.extend(f"a=ssrc:{ssrc} cname:{cname}" for ssrc, cname in section.ssrcs.items())
    lines.extend(f"a=candidate:{candidate_value(c)}" for c in section.candidates)
    if section.end_of_candidates:
        lines.append("a=end-of-candidates")


def _codec(lines: list[str], codec: RtpCodec) -> None:
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    lines.append(f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}")
    lines.extend(f"a=rtcp-fb:{codec.payload_type} {item}" for item in codec.feedback)
    if codec.format_parameters:
        lines.append(f"a=fmtp:{codec.payload_type} {codec.format_parameters}")
