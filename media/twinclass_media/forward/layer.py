"""One encoding of a producer: its history, its rows, and the burst that is being gathered."""

from __future__ import annotations

import contextlib
from collections import deque

from twinclass_media.errors import MalformedPacket
from twinclass_media.forward.group import Group
from twinclass_media.forward.keyframes import KeyframeThrottle
from twinclass_media.forward.ring import AUDIO_PACKETS, VIDEO_PACKETS, Entry, Ring
from twinclass_media.forward.row import Row
from twinclass_media.forward.shape import Shape
from twinclass_media.rtp import payload as video
from twinclass_media.rtp.loss import LossTracker
from twinclass_media.rtp.packet import RtpPacket
from twinclass_media.rtp.reception import Reception
from twinclass_media.rtp.sequence import SequenceUnwrapper, timestamp_delta

#: A frame's packets are held for its marker at most this long: a real uplink spreads a large
#: frame over 5 to 15 ms, and a viewer's decoder waits for all of it anyway.
HOLD_S = 0.003
#: Silence after which an encoding counts as stopped. At 5 frames a second packets are 200 ms
#: apart; Chromium stops its top layers without a word.
SILENT_S = 1.0
#: A cached keyframe older than this shows a past too far away to be worth it.
MAX_KEYFRAME_AGE_S = 10.0
#: A rate is of so long; and it falls slowly, or each still second would be taken for a cheaper
#: picture than it is.
RATE_S, RATE_KEPT = 0.5, 0.85
#: Beside its payload a packet has headers: RTP with extensions, tag, UDP, IP.
PACKET_OVERHEAD_BYTES = 64
#: Packets after the keyframe that a late joiner gets at once with it; more would be a burst.
MAX_CATCH_UP = 40
#: Sound that a late joiner gets at once. A browser plays the first packet as soon as it is there,
#: and makes up what comes later than its end; so long it would like to hold at first (NetEq's
#: start). And how old the newest of it may be: senders that save silence (DTX) pause longer.
SOUND_AHEAD_S, SOUND_FRESH_S = 0.08, 0.1


class Layer:
    """State of one encoding.

    Attributes:
        rows: live rows by shape.
        waiting: rows that begin with the next keyframe.
        cuts: how often a row began with it, so that a row and a burst know which of them was first.
        flushed: highest source number that was handed on.
        rate_bps: what it takes on a line, headers included; the last known one while it does not
            send, 0 before it ever did.
        clock_offset: our wall clock less the publisher's, seconds; None until it reports.
        pending: received, not yet sent (a frame being gathered), in order of arrival.
    """

    __slots__ = (
        "_keyframe_timestamp",
        "_rate_at",
        "_rate_bytes",
        "_taken_bytes",
        "_unwrap",
        "active",
        "bound_at",
        "clock_offset",
        "clock_rate",
        "codec",
        "cuts",
        "flushed",
        "height",
        "index",
        "keyframe_at",
        "keyframe_end",
        "keyframe_first",
        "keyframes",
        "last_at",
        "loss",
        "octets",
        "pending",
        "pending_since",
        "rate_bps",
        "reception",
        "rid",
        "ring",
        "rows",
        "rtx_ssrc",
        "ssrc",
        "video",
        "waiting",
        "width",
    )

    def __init__(self, index: int, rid: str, video_kind: bool, clock_rate: int) -> None:
        self.index = index
        self.rid = rid
        self.video = video_kind
        self.clock_rate = clock_rate
        self.ring = Ring(VIDEO_PACKETS if video_kind else AUDIO_PACKETS)
        self.rows: dict[Shape, Group] = {}
        self.waiting: list[Row] = []
        self.cuts = 0
        self.pending: list[Entry] = []
        self.pending_since = 0.0
        self.active = False
        self.codec = ""
        self.width = self.height = 0
        self.last_at = 0.0
        self.octets = 0
        self.rate_bps = 0.0
        self._taken_bytes = self._rate_bytes = 0
        self._rate_at = 0.0
        self.keyframes = KeyframeThrottle()
        self.keyframe_at = -1e9
        self.keyframe_first = self.keyframe_end = -1
        self.ssrc = self.rtx_ssrc = 0
        self.clock_offset: float | None = None
        self.bound_at = -1e9
        self.bind(0)

    def bind(self, ssrc: int) -> None:
        """Starts over with a new stream of packets."""
        self.ssrc = ssrc
        self.reception = Reception(self.clock_rate)
        self.loss = LossTracker()
        self._unwrap = SequenceUnwrapper()
        self._keyframe_timestamp = -1
        self.keyframe_first = self.keyframe_end = -1
        self.flushed = -1
        self.pending = []
        self.ring.clear()
        for row in [row for rows in self.rows.values() for row in rows]:
            self.detach(row)
            if row.wanted is not None:
                row.wanted.waiting.remove(row)
            row.wanted = self
            self.waiting.append(row)

    # ---- packets in

    def receive(self, packet: RtpPacket, codec: str, now: float) -> Entry | None:
        """Takes a packet into history and burst. None: a duplicate, or too old."""
        payload = packet.payload
        sequence = self._unwrap.unwrap(packet.sequence_number)
        keyframe = False
        vp8: video.Vp8Descriptor | None = None
        if self.video and payload:
            try:
                keyframe, vp8 = self._inspect(payload, packet.timestamp, codec)
            except MalformedPacket:
                # Forwarded as it is: viewers' decoders are the judges of payloads.
                keyframe = False
        entry = Entry(sequence, packet.timestamp, packet.marker, payload, codec, now, keyframe, vp8)
        if not self.ring.add(entry):
            return None
        self.codec = codec
        self.last_at = now
        self.octets += len(payload)
        self._taken_bytes += len(payload) + PACKET_OVERHEAD_BYTES
        if keyframe:
            self._keyframe_timestamp = packet.timestamp
            self.keyframe_first = sequence
            self.keyframe_end = -1
            self.keyframe_at = now
            self.keyframes.arrived()
        if packet.timestamp == self._keyframe_timestamp and packet.marker:
            self.keyframe_end = sequence
        if not self.pending:
            self.pending_since = now
        self.pending.append(entry)
        return entry

    def _inspect(
        self, payload: bytes, timestamp: int, codec: str
    ) -> tuple[bool, video.Vp8Descriptor | None]:
        """Returns (a keyframe starts here, VP8 descriptor); learns the picture's size."""
        if codec == "VP8":
            descriptor = video.parse_vp8_descriptor(payload)
            size = video.vp8_keyframe_size(payload)
            if size is None:
                return False, descriptor
            self.width, self.height = size
            return True, descriptor
        if codec == "H264" and video.h264_starts_keyframe(payload):
            sps = video.h264_sps(payload)
            if sps is not None:
                with contextlib.suppress(MalformedPacket):  # a size is nice to know, no more
                    self.width, self.height = video.h264_picture_size(sps)
            # SPS, PPS and IDR share a timestamp: only the first of them is the start.
            return timestamp != self._keyframe_timestamp, None
        return False, None

    def measure(self, now: float) -> None:
        """Works out ``rate_bps``; called a few times a second."""
        span = now - self._rate_at
        if span < RATE_S:
            return
        if self.active and span < 4 * RATE_S:
            rate = 8 * (self._taken_bytes - self._rate_bytes) / span
            kept = RATE_KEPT * self.rate_bps + (1 - RATE_KEPT) * rate
            self.rate_bps = max(rate, kept)
        self._rate_at, self._rate_bytes = now, self._taken_bytes

    # ---- rows

    def attach(self, row: Row) -> None:
        """Makes a row live; its cut must be made."""
        group = self.rows.get(row.shape)
        if group is None:
            group = self.rows[row.shape] = Group()
        group.add(row)

    def withdraw(self, row: Row) -> bool:
        """Takes a row out of those that are fed. False: it was not among them."""
        group = self.rows.get(row.shape)
        if group is None or row not in group:
            return False
        group.remove(row)
        if not group:
            del self.rows[row.shape]
        return True

    def detach(self, row: Row) -> None:
        """Takes a row out, live or waiting."""
        self.withdraw(row)
        if row in self.waiting:
            self.waiting.remove(row)
        if row.layer is self:
            row.leave()
        if row.wanted is self:
            row.wanted = None

    def newest_sound(self, now: float) -> list[Entry]:
        """Returns what a late joiner may get at once of sound: it reaches up to now, without a
        gap. Empty: there is none, or only old."""
        newest = self.ring.get(self.flushed)
        if newest is None or now - newest.at > SOUND_FRESH_S:
            return []
        found = deque((newest,))
        while (before := self.ring.get(found[0].sequence - 1)) is not None:
            ahead = timestamp_delta(newest.timestamp, before.timestamp)
            if before.codec != newest.codec or not 0 < ahead < SOUND_AHEAD_S * self.clock_rate:
                break
            found.appendleft(before)
        return list(found)

    def whole_keyframe(self) -> list[Entry]:
        """Returns the packets of the newest keyframe, once it is complete and sent on."""
        return self._keyframe() if 0 <= self.keyframe_end <= self.flushed else []

    def _keyframe(self) -> list[Entry]:
        run = self.ring.run(self.keyframe_first, self.keyframe_end)
        return run if len(run) == self.keyframe_end - self.keyframe_first + 1 else []

    def cached_keyframe(self, now: float) -> tuple[list[Entry], bool]:
        """Returns (entries a late joiner may get at once, they reach up to now).

        Up to now: the row is live afterwards. Otherwise it shows the keyframe and waits for
        the next one. Whole groups of pictures are not replayed: Chromium sends no periodic
        keyframes, they grow without bound.
        """
        if self.keyframe_end < 0 or now - self.keyframe_at > MAX_KEYFRAME_AGE_S:
            return [], False
        highest = self.ring.highest
        pending = {entry.sequence for entry in self.pending}
        if self.keyframe_first in pending:
            return [], False
        if highest - self.keyframe_end <= MAX_CATCH_UP:
            run = self.ring.run(self.keyframe_first, highest)
            whole = len(run) == highest - self.keyframe_first + 1
            if whole:
                return [entry for entry in run if entry.sequence not in pending], True
        return self._keyframe(), False
