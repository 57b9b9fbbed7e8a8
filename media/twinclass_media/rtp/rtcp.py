"""RTCP: a bounded parser for what peers send and builders for what we send.

Ours and not a library's: aiortc reads every transport-layer feedback as a NACK, transport-wide
feedback too.

Spec: RFC 3550 section 6, RFC 4585 section 6, RFC 5104 section 4.3.1, draft-alvestrand-rmcat-remb,
draft-holmer-rmcat-transport-wide-cc-extensions-01.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from twinclass_media.errors import MalformedPacket

SR, RR, SDES, BYE, APP, RTPFB, PSFB, XR = range(200, 208)
NACK_FORMAT = 1
TRANSPORT_CC_FORMAT = 15
PLI_FORMAT = 1
FIR_FORMAT = 4
AFB_FORMAT = 15

#: Seconds between 1900 (NTP) and 1970 (Unix).
NTP_UNIX_OFFSET = 2208988800
#: Packets in one compound. Browsers send three or four; 1500 bytes cannot hold 375 sensibly.
MAX_PACKETS = 32
#: Numbers one NACK packet may name: 4 bytes give up to 17, 100 entries are a lost second.
MAX_NACK_ENTRIES = 100


_read_header = struct.Struct("!BBH").unpack_from
_read_sender = struct.Struct("!IQI").unpack_from
_iterate_blocks = struct.Struct("!IIIIII").iter_unpack


class ReportBlock(NamedTuple):
    """How one of our streams is received (RFC 3550 section 6.4.1)."""

    ssrc: int
    #: In 1/256.
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter_rtp: int
    last_sr: int
    delay_since_last_sr: int


class SenderInfo(NamedTuple):
    """The clock mapping of a stream: NTP (32.32 fixed point) and RTP time of one instant."""

    ssrc: int
    ntp: int
    rtp_timestamp: int


class RtcpContent:
    """Everything we act on in one compound packet.

    Attributes:
        nacks: (media SSRC, sequence numbers missing).
        keyframes: media SSRCs that need a keyframe (PLI or FIR).
        transport_cc: transport-wide feedback, uninterpreted (FCI bytes).
    """

    __slots__ = (
        "byes",
        "keyframes",
        "nacks",
        "remb_bps",
        "reports",
        "senders",
        "transport_cc",
        "unknown",
    )

    def __init__(self) -> None:
        # Most compounds hold reports and little else: a list is made when there is something.
        self.senders: Sequence[SenderInfo] = ()
        self.reports: Sequence[ReportBlock] = ()
        self.nacks: Sequence[tuple[int, list[int]]] = ()
        self.keyframes: Sequence[int] = ()
        self.remb_bps: int | None = None
        self.byes: Sequence[int] = ()
        self.transport_cc: Sequence[bytes] = ()
        self.unknown = 0


def is_rtcp(data: bytes) -> bool:
    """RFC 5761 section 4: payload types 64..95 with the marker bit are RTCP (192..223)."""
    return len(data) >= 8 and 192 <= data[1] <= 223


def parse(data: bytes) -> RtcpContent:
    """Reads a compound packet.

    Raises:
        MalformedPacket: something in it is cut; nothing of it counts then.
    """
    content = RtcpContent()
    position = packets = 0
    size = len(data)
    while position < size:
        if position + 4 > size:
            raise MalformedPacket("RTCP header is cut")
        first, kind, words = _read_header(data, position)
        if first & 0xC0 != 0x80:
            raise MalformedPacket("RTCP version is not 2")
        start, position = position + 4, position + 4 + 4 * words
        if position > size:
            raise MalformedPacket("RTCP packet is cut")
        end = position
        if first & 0x20:
            padding = data[end - 1]
            if padding == 0 or padding > 4 * words:
                raise MalformedPacket("RTCP padding does not fit")
            end -= padding
        packets += 1
        if packets > MAX_PACKETS:
            raise MalformedPacket("too many RTCP packets in one")
        _parse_one(first & 0x1F, kind, data[start:end], content)
    return content


def _parse_one(count: int, kind: int, body: bytes, content: RtcpContent) -> None:
    """``count``: of reports, or the form of feedback; ``body`` without the 4-byte header."""
    if kind == RR:
        content.reports = _parse_reports(body, 4, count, content.reports)
    elif kind == PSFB:
        _parse_payload_feedback(count, body, content)
    elif kind == RTPFB:
        _parse_transport_feedback(count, body, content)
    elif kind == SR:
        if len(body) < 24:
            raise MalformedPacket("sender report is cut")
        content.senders = (*content.senders, SenderInfo(*_read_sender(body)))
        content.reports = _parse_reports(body, 24, count, content.reports)
    elif kind == BYE:
        if len(body) < 4 * count:
            raise MalformedPacket("BYE is cut")
        content.byes = (*content.byes, *struct.unpack_from(f"!{count}I", body))
    elif kind not in (SDES, APP, XR):
        content.unknown += 1


def _parse_reports(
    body: bytes, start: int, count: int, before: Sequence[ReportBlock]
) -> Sequence[ReportBlock]:
    end = start + 24 * count
    if len(body) < end:
        raise MalformedPacket("report block is cut")
    if not count:
        return before
    found: list[ReportBlock] = []
    for ssrc, lost, highest, jitter, last_sr, delay in _iterate_blocks(body[start:end]):
        cumulative = lost & 0xFFFFFF
        if cumulative & 0x800000:
            cumulative -= 0x1000000
        found.append(ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, last_sr, delay))
    return [*before, *found] if before else found


def _parse_transport_feedback(form: int, body: bytes, content: RtcpContent) -> None:
    if len(body) < 8:
        raise MalformedPacket("feedback is cut")
    if form == NACK_FORMAT:
        if (len(body) - 8) // 4 > MAX_NACK_ENTRIES:
            raise MalformedPacket("NACK names too many packets")
        missing: list[int] = []
        for position in range(8, len(body) - 3, 4):
            first, mask = struct.unpack_from("!HH", body, position)
            missing.append(first)
            for bit in range(16):
                if mask >> bit & 1:
                    missing.append((first + 1 + bit) & 0xFFFF)
        content.nacks = (*content.nacks, (int.from_bytes(body[4:8], "big"), missing))
    elif form == TRANSPORT_CC_FORMAT:
        content.transport_cc = (*content.transport_cc, body[8:])
    else:
        content.unknown += 1


def _parse_payload_feedback(form: int, body: bytes, content: RtcpContent) -> None:
    if len(body) < 8:
        raise MalformedPacket("feedback is cut")
    if form == AFB_FORMAT and body[8:12] == b"REMB":
        if len(body) < 16:
            raise MalformedPacket("REMB is cut")
        word = int.from_bytes(body[13:16], "big")
        content.remb_bps = (word & 0x3FFFF) << (word >> 18)
    elif form == PLI_FORMAT:
        content.keyframes = (*content.keyframes, int.from_bytes(body[4:8], "big"))
    elif form == FIR_FORMAT:
        # RFC 5104 section 4.3.1.1: the media SSRC is in the FCI.
        named = (
            int.from_bytes(body[position : position + 4], "big")
            for position in range(8, len(body) - 7, 8)
        )
        content.keyframes = (*content.keyframes, *named)
    else:
        content.unknown += 1


# ---- builders -----------------------------------------------------------------------------


def _packet(count: int, kind: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def ntp_time(unix_s: float) -> int:
    """Returns an NTP timestamp (32.32 fixed point) of a wall-clock second."""
    return int((unix_s + NTP_UNIX_OFFSET) * 4294967296) & 0xFFFFFFFFFFFFFFFF


def sender_report(ssrc: int, ntp: int, rtp_timestamp: int, packets: int, octets: int) -> bytes:
    """A sender report without report blocks."""
    return _packet(
        0,
        SR,
        struct.pack(
            "!IQIII",
            ssrc,
            ntp,
            rtp_timestamp & 0xFFFFFFFF,
            packets & 0xFFFFFFFF,
            octets & 0xFFFFFFFF,
        ),
    )


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """A receiver report; at most 31 blocks."""
    parts = [struct.pack("!I", ssrc)]
    for b in blocks[:31]:
        lost = (b.fraction_lost & 0xFF) << 24 | (b.cumulative_lost & 0xFFFFFF)
        parts.append(
            struct.pack(
                "!IIIIII",
                b.ssrc,
                lost,
                b.highest_sequence & 0xFFFFFFFF,
                b.jitter_rtp & 0xFFFFFFFF,
                b.last_sr,
                b.delay_since_last_sr & 0xFFFFFFFF,
            )
        )
    return _packet(min(len(blocks), 31), RR, b"".join(parts))


def source_description(ssrc: int, cname: str) -> bytes:
    """SDES with a CNAME (RFC 3550 section 6.5)."""
    name = cname.encode()[:255]
    item = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    return _packet(1, SDES, item + b"\0" * (-len(item) % 4))


def nack(sender_ssrc: int, media_ssrc: int, missing: Sequence[int]) -> bytes:
    """A generic NACK (RFC 4585 section 6.2.1); ``missing`` ascending in sequence order."""
    parts = [struct.pack("!II", sender_ssrc, media_ssrc)]
    first: int | None = None
    mask = 0
    for number in missing:
        if first is not None:
            bit = (number - first - 1) & 0xFFFF
            if bit < 16:
                mask |= 1 << bit
                continue
            parts.append(struct.pack("!HH", first, mask))
        first, mask = number & 0xFFFF, 0
    if first is not None:
        parts.append(struct.pack("!HH", first, mask))
    return _packet(NACK_FORMAT, RTPFB, b"".join(parts))


def picture_loss_indication(sender_ssrc: int, media_ssrc: int) -> bytes:
    """PLI (RFC 4585 section 6.3.1)."""
    return _packet(PLI_FORMAT, PSFB, struct.pack("!II", sender_ssrc, media_ssrc))


def full_intra_request(sender_ssrc: int, media_ssrc: int, number: int) -> bytes:
    """FIR (RFC 5104 section 4.3.1); ``number`` counts up per request."""
    return _packet(
        FIR_FORMAT,
        PSFB,
        struct.pack("!IIIB3x", sender_ssrc, 0, media_ssrc, number & 0xFF),
    )


def receiver_estimated_maximum_bitrate(
    sender_ssrc: int, bps: int, media_ssrcs: Sequence[int]
) -> bytes:
    """REMB (draft-alvestrand-rmcat-remb-03 section 2.2)."""
    exponent = max(0, bps.bit_length() - 18)
    word = exponent << 18 | bps >> exponent
    ssrcs = media_ssrcs[:255]
    return _packet(
        AFB_FORMAT,
        PSFB,
        struct.pack("!II", sender_ssrc, 0)
        + b"REMB"
        + struct.pack("!B", len(ssrcs))
        + word.to_bytes(3, "big")
        + struct.pack(f"!{len(ssrcs)}I", *ssrcs),
    )


def transport_feedback(sender_ssrc: int, media_ssrc: int, fci: bytes) -> bytes:
    """Transport-wide congestion control feedback around an FCI of any length."""
    padding = -len(fci) % 4
    body = struct.pack("!II", sender_ssrc, media_ssrc) + fci
    if padding:
        body += b"\0" * (padding - 1) + bytes((padding,))
    flag = 0x20 if padding else 0
    return struct.pack("!BBH", 0x80 | flag | TRANSPORT_CC_FORMAT, RTPFB, len(body) // 4) + body
