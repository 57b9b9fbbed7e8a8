"""What both directions share: our own side of a connection, and which codecs are taken.

Core module: no clock, no randomness.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from twinclass_signaling.sdp.description import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    MID,
    REPAIRED_RID,
    RID,
    TRANSPORT_CC,
    CandidateLine,
    Extension,
    Fingerprint,
    MediaSection,
    RtpCodec,
    SessionDescription,
)
from twinclass_signaling.sdp.parser import unsupported

MediaKind = Literal["audio", "video"]

#: Our order of preference: HLS and MP4 need H264, VP8 is what every browser has.
VIDEO_CODECS: tuple[str, ...] = ("H264", "VP8")
#: In-band FEC against loss, DTX because an off-stage room is silent most of the time.
OPUS_PARAMETERS = "minptime=10;useinbandfec=1;usedtx=1"
H264_PARAMETERS = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
PROTOCOL = "UDP/TLS/RTP/SAVPF"
#: The order of lines in what we write; transport-cc last because some cannot do it.
VIDEO_FEEDBACK: tuple[str, ...] = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
AUDIO_FEEDBACK: tuple[str, ...] = ("transport-cc",)


class HostAddress(Struct, frozen=True):
    """An address of ours to announce."""

    protocol: Literal["udp", "tcp"]
    host: str
    port: int


class LocalTransport(Struct, frozen=True):
    """Our side of one connection; credentials are drawn by the caller."""

    ufrag: str
    pwd: str
    fingerprint_algorithm: str
    fingerprint_value: str
    addresses: tuple[HostAddress, ...]
    #: How often ICE was restarted; see ``candidate_lines``.
    restarts: int = 0


class RemoteTransport(Struct, frozen=True):
    """The peer's side. ``origin_id`` and fingerprints tell one peer connection from another."""

    ufrag: str
    fingerprints: tuple[tuple[str, str], ...]
    origin_id: str


class NegotiatedCodec(Struct, frozen=True):
    """One payload type in use; ``rtx_payload_type`` 0 = no retransmission stream."""

    name: str
    payload_type: int
    clock_rate: int
    rtx_payload_type: int = 0


class ExtensionIds(Struct, frozen=True):
    """Header extension ids of a connection; 0 = not negotiated. BUNDLE makes them global."""

    mid: int = 0
    rid: int = 0
    repaired_rid: int = 0
    abs_send_time: int = 0
    transport_cc: int = 0
    audio_level: int = 0


#: The dependency descriptor is left out on purpose: with it VP8 descriptors lose their
#: picture ids. Video orientation is left out so that browsers turn the picture themselves.
_WANTED = {
    MID: "mid",
    RID: "rid",
    REPAIRED_RID: "repaired_rid",
    ABS_SEND_TIME: "abs_send_time",
    TRANSPORT_CC: "transport_cc",
    AUDIO_LEVEL: "audio_level",
}


#: Addresses of one machine, for the arithmetic below; a worker has a handful.
_ADDRESSES = 64
#: Of the local preference, below what browsers give their own candidates (Chromium 156: from
#: 32,000 on): the lower one of the two leads in the priority of a pair (RFC 8445 section 6.1.2.3).
_UDP_BASE = 8192
_TCP_BASE = 2 << 13
_MOST_RESTARTS = 120


def candidate_lines(addresses: Sequence[HostAddress], restarts: int = 0) -> list[CandidateLine]:
    """Host candidates of an ICE-lite agent with their priorities (RFC 8445 5.1.2.1).

    TCP is passive (RFC 6544 section 4.5) and below every UDP one. Each restart's are above those
    of before: browsers stay with a silent pair of a higher priority for 3.5 s longer (seen: media
    was back after 4.9 s, and with this after 1.2 s).
    """
    lines: list[CandidateLine] = []
    for number, address in enumerate(addresses[:_ADDRESSES]):
        udp = address.protocol == "udp"
        # The direction preference of RFC 6544 section 4.2 would be 4; see ``_UDP_BASE``.
        local_preference = (_UDP_BASE if udp else _TCP_BASE) - number
        local_preference += _ADDRESSES * (min(restarts, _MOST_RESTARTS) + 1)
        lines.append(
            CandidateLine(
                foundation=str(number + 1),
                component=1,
                protocol=address.protocol,
                priority=((126 if udp else 90) << 24) + (local_preference << 8) + 255,
                host=address.host,
                port=address.port,
                type="host",
                tcptype="" if udp else "passive",
            )
        )
    return lines


def choose_video(section: MediaSection, preference: Sequence[str]) -> list[NegotiatedCodec]:
    """The video payload types of an offer that we take, best first, one per codec name."""
    chosen: list[NegotiatedCodec] = []
    for name in preference:
        offered = [
            c for c in section.codecs if c.name.lower() == name.lower() and c.clock_rate == 90000
        ]
        if offered:
            best = min(offered, key=_h264_rank) if name == "H264" else offered[0]
            rtx = _rtx_of(section, best.payload_type)
            chosen.append(NegotiatedCodec(best.name, best.payload_type, 90000, rtx))
    return chosen


def choose_audio(section: MediaSection) -> list[NegotiatedCodec]:
    """Opus of an offer, if it is there."""
    for codec in section.codecs:
        if codec.name.lower() == "opus" and codec.clock_rate == 48000 and codec.channels == 2:
            return [NegotiatedCodec(codec.name, codec.payload_type, 48000)]
    return []


def choose(section: MediaSection, preference: Sequence[str]) -> list[NegotiatedCodec]:
    """What we take of one m-line."""
    return choose_audio(section) if section.kind == "audio" else choose_video(section, preference)


def _h264_rank(codec: RtpCodec) -> int:
    """0 is best: packetization mode 1, constrained baseline, then what is nearest to it."""
    profile = (codec.parameter("profile-level-id") or "42e01f").lower()
    if codec.parameter("packetization-mode") != "1":
        return 100  # single NAL mode: pictures of 1,200 bytes, only if there is nothing else
    if profile == "42e01f":
        return 0
    for rank, pattern in enumerate(("42[c-f]0..", "42....", "4d....", "64...."), start=1):
        if re.fullmatch(pattern, profile):
            return rank
    return 10


def _rtx_of(section: MediaSection, payload_type: int) -> int:
    """The retransmission payload type of another one (RFC 4588 section 8.1), 0 = none."""
    for codec in section.codecs:
        if codec.name.lower() == "rtx" and codec.parameter("apt") == str(payload_type):
            return codec.payload_type
    return 0


def answer_codecs(section: MediaSection, chosen: Iterable[NegotiatedCodec]) -> list[RtpCodec]:
    """The codec lines of our answer; feedback is what was offered and what we know."""
    lines: list[RtpCodec] = []
    for codec in chosen:
        offered = section.codec(codec.payload_type)
        if offered is None:
            continue
        audio = section.kind == "audio"
        known = AUDIO_FEEDBACK if audio else VIDEO_FEEDBACK
        answered = RtpCodec(
            offered.payload_type, offered.name, offered.clock_rate, offered.channels
        )
        answered.feedback = [item for item in known if item in offered.feedback]
        answered.format_parameters = OPUS_PARAMETERS if audio else _video_parameters(offered)
        lines.append(answered)
        rtx = section.codec(codec.rtx_payload_type) if codec.rtx_payload_type else None
        if rtx is not None:
            lines.append(
                RtpCodec(
                    rtx.payload_type,
                    rtx.name,
                    rtx.clock_rate,
                    format_parameters=f"apt={codec.payload_type}",
                )
            )
    return lines


def _video_parameters(offered: RtpCodec) -> str:
    if offered.name.lower() != "h264":
        return ""
    # The profile is echoed (RFC 6184 section 8.2.2: symmetric), the mode likewise.
    profile = offered.parameter("profile-level-id") or "42e01f"
    if not re.fullmatch("[0-9A-Fa-f]{6}", profile):
        raise unsupported("profile-level-id")
    mode = "1" if offered.parameter("packetization-mode") == "1" else "0"
    return f"level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id={profile}"


def accept_extensions(
    section: MediaSection, ids: dict[str, int], wanted: Iterable[str] = tuple(_WANTED)
) -> list[Extension]:
    """The extmap lines of our answer; ``ids`` (name -> id of the connection) is filled in.

    Raises:
        SdpError: one extension has two ids in a BUNDLE (RFC 9143 section 9).
    """
    accepted: list[Extension] = []
    for extension in section.extensions:
        name = _WANTED.get(extension.uri)
        # One-byte form only (RFC 8285 section 4.2); a direction away from us is of no use.
        if name is None or extension.uri not in wanted or extension.id > 14:
            continue
        if extension.direction in {"recvonly", "inactive"} and section.direction == "sendonly":
            continue
        if ids.setdefault(name, extension.id) != extension.id:
            raise unsupported("one header extension with two ids")
        mirror = {"sendonly": "recvonly", "recvonly": "sendonly"}
        direction = mirror.get(extension.direction, extension.direction)
        accepted.append(Extension(extension.id, extension.uri, direction))
    if len(set(ids.values())) != len(ids):
        raise unsupported("two header extensions with one id")
    return accepted


def remote_transport(
    description: SessionDescription, sections: Sequence[MediaSection], setups: Sequence[str]
) -> RemoteTransport:
    """The peer's side, checked to be the same on all accepted (bundled) m-lines.

    Raises:
        SdpError: credentials or fingerprints are missing or differ, or the DTLS role is not
            one of ``setups``: we are always the DTLS server.
    """
    if not sections:
        raise unsupported("no usable m-line")
    first = sections[0]
    fingerprints = tuple((f.algorithm, f.value) for f in first.fingerprints)
    if not fingerprints or not first.ice_ufrag or not first.ice_pwd:
        raise unsupported("fingerprint or ICE credentials missing")
    for section in sections:
        if not section.rtcp_mux:
            raise unsupported("rtcp-mux missing")
        if section.setup is not None and section.setup not in setups:
            raise unsupported(f"setup:{section.setup}")
        if section.ice_ufrag != first.ice_ufrag or section.fingerprints != first.fingerprints:
            raise unsupported("m-lines on different transports; BUNDLE is needed")
    return RemoteTransport(first.ice_ufrag, fingerprints, description.origin_id)


def check_bundle(description: SessionDescription, sections: Sequence[MediaSection]) -> None:
    """Raises ``SdpError`` unless the m-lines we take share one transport.

    A single m-line needs no group (small WHIP encoders send none).
    """
    if any(not section.mid for section in sections):
        raise unsupported("mid missing")
    if len(sections) > 1 and not {s.mid for s in sections} <= set(description.bundle):
        raise unsupported("BUNDLE missing")


def our_section(
    kind: str, mid: str, formats: Sequence[int], local: LocalTransport, *, first: bool
) -> MediaSection:
    """An m-line of ours with the transport's lines; candidates only on the first of the bundle.

    ``first``: the BUNDLE-tagged one (RFC 9143 section 7.1.3); repeating the candidates in
    sixty m-lines would double the size of an offer.
    """
    section = MediaSection(kind, 9, PROTOCOL, [str(f) for f in formats])
    section.mid = mid
    section.rtcp_mux = True
    section.rtcp_rsize = True
    section.ice_ufrag, section.ice_pwd = local.ufrag, local.pwd
    section.fingerprints = [Fingerprint(local.fingerprint_algorithm, local.fingerprint_value)]
    if first:
        section.candidates = candidate_lines(local.addresses, local.restarts)
        section.end_of_candidates = True
    return section


def rejected_section(offered: MediaSection) -> MediaSection:
    """The answer to an m-line we do not take: port 0 (RFC 8829 section 5.3.1)."""
    section = MediaSection(offered.kind, 0, offered.protocol, list(offered.formats))
    section.mid = offered.mid
    section.direction = "inactive"
    section.codecs = [c for c in offered.codecs if str(c.payload_type) in offered.formats[:1]]
    if section.codecs:
        section.codecs[0].feedback = []
        section.formats = section.formats[:1]
    return section
