"""A session description as data: what the parser makes and the serializer writes.

Only what a browser's peer connection uses is modelled; unknown attributes are dropped, as
RFC 8866 section 5.13 asks. Names keep the case of the wire: a browser that is answered
``h264`` for its ``H264`` connects and then never sends a packet.

Vocabulary module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["active", "passive", "actpass", "holdconn"]

AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A certificate fingerprint (RFC 8122 section 5), value in upper-case hex with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One ``a=candidate`` (RFC 8839 section 5.1); host may be an mDNS name."""

    foundation: str
    component: int
    protocol: str
    priority: int
    host: str
    port: int
    type: str
    tcptype: str = ""


@dataclass(frozen=True, slots=True)
class Extension:
    """One ``a=extmap`` (RFC 8285 section 8). ``direction`` is empty when not said."""

    id: int
    uri: str
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Rid:
    """One ``a=rid`` (RFC 8851)."""

    id: str
    direction: Literal["send", "recv"]


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    """One ``a=ssrc-group`` (RFC 5576 section 4.2): FID pairs media with retransmission."""

    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(slots=True)
class RtpCodec:
    """A payload type with its ``rtpmap``, ``fmtp`` and ``rtcp-fb`` lines."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    format_parameters: str = ""
    feedback: list[str] = field(default_factory=list[str])

    def parameter(self, name: str) -> str | None:
        """One ``fmtp`` parameter; names are compared without case."""
        for part in self.format_parameters.split(";"):
            key, equals, value = part.strip().partition("=")
            if equals and key.strip().lower() == name:
                return value.strip()
        return None


@dataclass(slots=True)
class MediaSection:
    """One m-line and what belongs to it, session-level fallbacks already filled in."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    mid: str = ""
    direction: Direction = "sendrecv"
    codecs: list[RtpCodec] = field(default_factory=list[RtpCodec])
    extensions: list[Extension] = field(default_factory=list[Extension])
    rids: list[Rid] = field(default_factory=list[Rid])
    #: First alternative of each simulcast stream, in the order of the line.
    simulcast_send: list[str] = field(default_factory=list[str])
    simulcast_recv: list[str] = field(default_factory=list[str])
    #: SSRC -> cname ("" when none was said), in the order of first mention.
    ssrcs: dict[int, str] = field(default_factory=dict[int, str])
    ssrc_groups: list[SsrcGroup] = field(default_factory=list[SsrcGroup])
    msid: str = ""
    ice_ufrag: str = ""
    ice_pwd: str = ""
    fingerprints: list[Fingerprint] = field(default_factory=list[Fingerprint])
    setup: Setup | None = None
    candidates: list[CandidateLine] = field(default_factory=list[CandidateLine])
    end_of_candidates: bool = False
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    bundle_only: bool = False

    @property
    def is_rejected(self) -> bool:
        """Port 0 without ``bundle-only`` (Firefox offers bundled m-lines with port 0)."""
        return self.port == 0 and not self.bundle_only

    @property
    def sends(self) -> bool:
        """The describing side sends on it."""
        return not self.is_rejected and self.direction in {"sendrecv", "sendonly"}

    @property
    def receives(self) -> bool:
        """The describing side receives on it."""
        return not self.is_rejected and self.direction in {"sendrecv", "recvonly"}

    def codec(self, payload_type: int) -> RtpCodec | None:
        """The codec of a payload type."""
        return next((c for c in self.codecs if c.payload_type == payload_type), None)


@dataclass(slots=True)
class SessionDescription:
    """A whole offer or answer. ``origin_id`` is different for every peer connection."""

    origin_id: str = "0"
    origin_version: str = "0"
    bundle: list[str] = field(default_factory=list[str])
    ice_lite: bool = False
    media: list[MediaSection] = field(default_factory=list[MediaSection])

    def section(self, mid: str) -> MediaSection | None:
        """The m-line with that mid."""
        return next((m for m in self.media if m.mid == mid), None)
