"""RTCP that we send and the answers to what peers report.

To publishers: transport-wide feedback every 100 ms, NACKs, receiver reports and the REMB cap
once a second. To viewers: sender reports once a second, spread over the second so that
hundreds of them are no burst. From viewers: NACKs become retransmissions, within a budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twinclass_media.forward.layer import Layer
from twinclass_media.forward.row import Row
from twinclass_media.rtp import rtcp
from twinclass_media.statistics import Statistics
from twinclass_media.transport.peer import Peer
from twinclass_media.transport.retransmission import resend

#: SSRC of our own feedback; any value, as we never send media with it (RFC 3550 section 6.4).
FEEDBACK_SSRC = 1
#: Retransmissions per viewer and second: 15 % of the largest stream we forward.
NACK_BUDGET = 300
#: A number is not sent again within this time, or a round trip.
RESEND_GAP_S = 0.02
#: What a packet of a picture takes, about.
REPAIR_BYTES = 1100
#: A page takes a second of silence for a dead path (client-web ``rtc/watchdog.ts``): a line that
#: rests is told so twice a second.
HEARTBEAT_S = 0.4
#: No more reports fit a compound of 1,200 bytes.
MAX_SENDER_REPORTS = 40


def sender_reports(peer: Peer, now: float, to_unix: Callable[[float], float]) -> None:
    """Tells a viewer the clock mapping of every row that sends.

    The publisher's mapping goes on, moved to our wall clock by one constant per publisher, so
    that sound and picture of one person stay together (RFC 3550 section 6.4.1).
    """
    reports: list[bytes] = []
    unix = to_unix(now)
    ntp = rtcp.ntp_time(unix)
    for ssrc, row in peer.rows.items():
        if ssrc != row.ssrc:
            continue
        packets, octets, last_at = row.sent
        if not packets or now - last_at > 2.0:
            continue
        timestamp = _rtp_time(row, now, unix)
        reports.append(rtcp.sender_report(ssrc, ntp, timestamp, packets, octets))
        if len(reports) == MAX_SENDER_REPORTS:
            break
    if reports:
        first = next(iter(peer.rows))
        peer.send_rtcp(b"".join(reports) + rtcp.source_description(first, "twinclass"))


def _rtp_time(row: Row, now: float, unix: float) -> int:
    layer = row.layer
    sender = layer.reception.sender if layer is not None else None
    offset = layer.clock_offset if layer is not None else None
    if sender is not None and offset is not None:
        at = sender.ntp / 4294967296 - rtcp.NTP_UNIX_OFFSET + offset
        return round(sender.rtp_timestamp + (unix - at) * row.clock_rate) + row.timestamp_offset
    return row.last_timestamp + round((now - row.last_at) * row.clock_rate)


def publisher_reports(peer: Peer, now: float) -> None:
    """Tells a publisher how its streams arrive, and its cap."""
    blocks: list[rtcp.ReportBlock] = []
    ssrcs: list[int] = []
    for ssrc, (_, layer, is_rtx) in peer.ssrcs.items():
        if not is_rtx and layer.reception.received:
            blocks.append(layer.reception.report(ssrc, now))
            ssrcs.append(ssrc)
    if not blocks:
        return
    compound = rtcp.receiver_report(FEEDBACK_SSRC, blocks)
    cap = peer.spec.max_receive_bps
    if cap:
        compound += rtcp.receiver_estimated_maximum_bitrate(FEEDBACK_SSRC, cap, ssrcs)
    peer.send_rtcp(compound)


def heartbeat(peer: Peer, now: float) -> None:
    """Tells a peer that its path lives, when nothing else has since the last call: a receiver
    report without blocks, the smallest of all compounds (RFC 3550 section 6.4.2). Called twice a
    second, in the middle between reports and right after them."""
    told, peer.rtcp_mark = peer.rtcp_mark != peer.rtcp_sent, peer.rtcp_sent
    if told:
        return
    if any(now - row.last_at < HEARTBEAT_S for row in peer.rows.values()):
        return
    peer.send_rtcp(rtcp.receiver_report(FEEDBACK_SSRC, []))
    peer.rtcp_mark = peer.rtcp_sent


def transport_feedback(peer: Peer) -> None:
    """Tells a publisher when its packets arrived."""
    if not peer.spec.transport_cc_feedback:
        return
    fci = peer.arrivals.take_feedback()
    if fci is not None:
        media = next(iter(peer.ssrcs), 0)
        peer.send_rtcp(rtcp.transport_feedback(FEEDBACK_SSRC, media, fci))


def ask_again(peer: Peer, layer: Layer, now: float) -> bool:
    """Sends NACKs that are due. True: something was given up, a keyframe is needed."""
    missing, gave_up = layer.loss.due(now, peer.rtt_s)
    if missing:
        peer.send_rtcp(rtcp.nack(FEEDBACK_SSRC, layer.ssrc, missing))
    return gave_up


def answer_nacks(
    peer: Peer, nacks: Sequence[tuple[int, list[int]]], statistics: Statistics, now: float
) -> int:
    """Resends what a viewer misses, within its budget. Returns how many were not sent."""
    refused = 0
    gap = max(RESEND_GAP_S, peer.rtt_s)
    line = peer.line
    for ssrc, numbers in nacks:
        row = peer.rows.get(ssrc)
        if row is None or peer.stream is not None:
            continue
        for number in numbers:
            if peer.nack_budget <= 0:
                refused += 1
                continue
            if now - row.resent.get(number, -1e9) < gap:
                continue
            if line is not None and not (
                row.is_of_use(number) and line.may_repair(REPAIR_BYTES, now)
            ):
                refused += 1
                continue
            if resend(row, number, now, statistics):
                peer.nack_budget -= 1
            else:
                refused += 1
    return refused


def note_reports(
    peer: Peer, reports: Sequence[rtcp.ReportBlock], now: float, to_unix: Callable[[float], float]
) -> list[Row]:
    """Learns round trip and loss from a viewer's reports. Returns rows reported on for the
    first time: from then on the viewer knows their SSRC and needs no mid any more."""
    known: list[Row] = []
    middle = rtcp.ntp_time(to_unix(now)) >> 16 & 0xFFFFFFFF
    worst = 0.0
    for block in reports:
        row = peer.rows.get(block.ssrc)
        if row is None:
            continue
        worst = max(worst, block.fraction_lost / 256)
        if block.ssrc not in peer.reported_ssrcs:
            peer.reported_ssrcs.add(block.ssrc)
            known.append(row)
        if block.last_sr:
            rtt = ((middle - block.last_sr - block.delay_since_last_sr) & 0xFFFFFFFF) / 65536
            if rtt < 10.0:
                first = not peer.rtt_known
                peer.rtt_s = rtt if first else peer.rtt_s + (rtt - peer.rtt_s) * 0.25
                peer.rtt_known = True
    if reports:
        peer.reported_loss = worst
    return known
