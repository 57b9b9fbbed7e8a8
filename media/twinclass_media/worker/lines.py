"""Viewers' lines: which are watched, what they are thought to carry, and what is sent of it.

Looks at watched lines at each tick, at others once a second. What a row may get is its *ceiling*;
what it wants is the control plane's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from twinclass_media.bandwidth.allocation import SOUND, Share, Wish, allocate
from twinclass_media.bandwidth.estimator import START_BPS
from twinclass_media.bandwidth.overload import Overload
from twinclass_media.bandwidth.pacer import MOST_S
from twinclass_media.bandwidth.watch import State, Watch
from twinclass_media.errors import MalformedPacket
from twinclass_media.forward.layer import PACKET_OVERHEAD_BYTES, Layer
from twinclass_media.forward.producer import Producer
from twinclass_media.forward.row import NO_CEILING, Row
from twinclass_media.rtp.rtcp import RtcpContent
from twinclass_media.rtp.transport_cc import read_feedback
from twinclass_media.statistics import Statistics
from twinclass_media.transport.egress import Egress
from twinclass_media.transport.line import LEAST_PACE_BPS, Line
from twinclass_media.transport.peer import Peer

#: Of a voice that is silent now (DTX), and of an encoding that was never seen: each is about three
#: times the one below it, as browsers make them.
VOICE_BPS = 16_000.0
FIRST_LAYER_BPS, LAYER_RATIO = 150_000.0, 3.0
#: Until the first answer, a round trip or two, so much is sent: a camera with one encoding only, or
#: the smallest pictures of a small lesson.
UNKNOWN_BPS = 650_000.0
#: A viewer that has all it wants is looked at so often; others at each tick.
CONTENT_S = 0.5
#: A probe a little above what is wanted: what it proves is a little less than it sent.
PROBE_SPARE = 1.1
#: And not more than so many times what the line is known to carry: on one of 100 kbit/s a tenth of
#: a second at three times that is a third of a second of queue before the sound.
LEAP = 2.0
#: A single picture comes every so many seconds, if so much is left beside sound.
STILL_S, LEAST_STILL_BPS = 4.0, 12_000.0
#: Of the rate of sound, headers included: what each packet brought along adds.
RED_COST = 0.55
#: A layer that takes so many times what the line carries is left before the lower one's keyframe.
TOO_MUCH = 1.3


class Lines:
    """What each viewer gets of its line."""

    def __init__(
        self,
        egress: Egress,
        statistics: Statistics,
        reshape: Callable[[Peer], None],
        ask_keyframes: Callable[[Producer, float], None],
    ) -> None:
        """``reshape(peer)``: its packets get, or do not get, transport-wide numbers from now on."""
        self._egress = egress
        self._statistics = statistics
        self._reshape = reshape
        self._ask_keyframes = ask_keyframes
        self._watched: set[Peer] = set()
        #: Rows have come or changed since their line was looked at.
        self._changed: set[Peer] = set()
        self._overload = Overload()

    # ---- rows

    def row_starts(self, peer: Peer, row: Row, now: float) -> None:
        """A row is about to be fed."""
        if peer.watch is None:
            can_answer = 0 < peer.spec.extensions.transport_cc < 15
            peer.watch = Watch(now, START_BPS, can_answer=can_answer)
            peer.repetition.begin(now)
            if can_answer:
                self._begin(peer, now)
            else:
                self._reshape(peer)
        if peer.line is not None:
            # Small at first, until it is seen below what the line has room for.
            row.ceiling = min(row.ceiling, 0)
        self._changed.add(peer)

    def row_changed(self, peer: Peer) -> None:
        """What a row wants has changed, or it ended."""
        self._changed.add(peer)

    def settle(self, now: float) -> None:
        """Looks at the lines of which rows have changed."""
        changed, self._changed = self._changed, set()
        for peer in changed:
            if not peer.closed:
                self._look(peer, now)

    def forget(self, peer: Peer) -> None:
        """A peer is gone."""
        self._watched.discard(peer)
        self._changed.discard(peer)
        self._egress.forget_peer(peer)

    # ---- what viewers say

    def feedback(self, peer: Peer, content: RtcpContent, now: float) -> None:
        """Takes what of a compound is about the line."""
        watch, line = peer.watch, peer.line
        if watch is None:
            return
        watch.heard_at = now
        if line is not None:
            for fci in content.transport_cc:
                try:
                    reports = read_feedback(fci)
                except MalformedPacket:
                    self._statistics.drops["feedback_malformed"] += 1
                    continue
                watch.answered()
                line.estimator.reported(reports, now)
        if content.remb_bps is not None:
            watch.told(content.remb_bps, peer.sending_bps, now)
            if watch.state is State.DEAF:
                peer.trial.told(content.remb_bps, peer.sending_bps, now)
        if content.reports:
            if peer.line is None:
                peer.repetition.lost(peer.reported_loss, now)
            watch.reported(peer.reported_loss, peer.sending_bps, now)
        self._follow(peer, watch, now)

    def moved(self, peer: Peer, now: float) -> None:
        """A viewer is on another path."""
        line = peer.line or peer.line_before
        if line is not None:
            line.estimator.moved(now)
        if peer.watch is not None:
            peer.watch.moved(peer.sending_bps, now)
            self._follow(peer, peer.watch, now)

    # ---- time

    def tick(self, now: float) -> None:
        """Ten times a second: looks at watched lines."""
        self.settle(now)
        for peer in list(self._watched):
            line = peer.line
            if not peer.ready or line is None:
                continue
            line.estimator.tick(now)
            if now >= line.look_at or line.estimator.target_bps < line.needed_bps:
                self._look(peer, now)

    def relieve(self, peers: Iterable[Peer], top: int, now: float) -> None:
        """Ten times a second: leaves out layers for all ``peers`` where this worker is too slow.
        ``top``: the highest layer that any camera has."""
        if not self._overload.look(self._egress.take_lateness(), top, now):
            return
        self._statistics.lines["shed" if self._overload.most < top else "restored"] += 1
        self._changed.update(peer for peer in peers if peer.watch is not None)
        self.settle(now)

    def measure(self, peer: Peer, span_s: float, now: float) -> None:
        """Once a second for each viewer: what is sent to it, and whether it is heard of."""
        sent = sum(row.octets for ssrc, row in peer.rows.items() if ssrc == row.ssrc)
        peer.sending_bps = max(0.0, 8 * (sent - peer.sent_mark) / span_s)
        peer.sent_mark = sent
        watch = peer.watch
        if watch is None:
            return
        watch.tick(peer.sending_bps, now)
        peer.trial.tick(now)
        self._follow(peer, watch, now)
        if peer.line is None:
            self._repeat_sound(peer, None, now)
        if watch.state is State.DEAF:
            self._look(peer, now)

    # ---- inside

    def _begin(self, peer: Peer, now: float) -> None:
        assert peer.watch is not None
        line, peer.line_before = peer.line_before, None
        if line is None:
            line = Line(peer.watch, now)
        else:
            line.resume(now)
        peer.line = line
        self._watched.add(peer)
        self._reshape(peer)

    def _follow(self, peer: Peer, watch: Watch, now: float) -> None:
        """Begins or ends watching, as the state says."""
        if watch.state is State.WATCHED and peer.line is None:
            self._begin(peer, now)
            self._statistics.lines["narrow"] += 1
            self._look(peer, now)
        elif watch.state is not State.WATCHED and peer.line is not None:
            line, peer.line = peer.line, None
            peer.line_before = line
            self._watched.discard(peer)
            self._reshape(peer)
            self._egress.release(peer, line, now)
            self._statistics.lines["deaf" if watch.state is State.DEAF else "wide"] += 1

    def _look(self, peer: Peer, now: float) -> None:
        watch, line = peer.watch, peer.line
        if watch is None:
            return
        if line is None:
            target = peer.trial.target_bps if watch.state is State.DEAF else math.inf
            self._give(peer, _wishes(peer, now), target, now)
            return
        estimator = line.estimator
        target = estimator.target_bps
        if not watch.has_answered:
            target = max(target, UNKNOWN_BPS)
        wishes = _wishes(peer, now)
        sound = sum(wish.layers[0] for _, wish in wishes if wish.priority <= SOUND)
        line.pacer.bps, line.pacer.most_s = max(target - sound, LEAST_PACE_BPS), MOST_S
        share = self._give(peer, wishes, target, now, crowded=estimator.is_crowded)
        if not estimator.is_crowded:
            # What is kept though it is thought to be a little too much does not wait here.
            line.pacer.bps = max(line.pacer.bps, share.spent_bps - sound)
        self._repeat_sound(peer, share, now)
        is_barred = any(row.climb.is_barred(now) for row, _ in wishes)
        is_full = share.wanted_bps == 0.0 and not is_barred
        # At first all is tried that is wanted: most lines carry it.
        step_by_step = share.wanted_bps > 0.0 and not estimator.is_new
        hoped = min(share.wanted_bps, LEAP * target) if step_by_step else share.full_bps
        has_picture = any(wish.now >= 0 for _, wish in wishes if wish.priority > SOUND)
        if not has_picture:
            self._send_still(line, wishes, target - sound, now)
        plan = estimator.probe(hoped * PROBE_SPARE, now, eager=not has_picture)
        if plan is not None:
            line.begin_probe(plan, now)
            self._egress.pacing.add(peer)
            self._egress.pace(now)
        # Who has everything is looked at seldom, unless it is not carried any more.
        line.needed_bps = share.spent_bps
        line.look_at = now + (CONTENT_S if is_full else 0.0)
        watch.look(share.spent_bps, target, estimator.lost_share, now, full=is_full)
        self._follow(peer, watch, now)

    def _send_still(
        self, line: Line, wishes: list[tuple[Row, Wish]], spare_bps: float, now: float
    ) -> None:
        """Sends a single picture every few seconds where no moving one fits."""
        pictures = [(row, wish) for row, wish in wishes if wish.priority > SOUND]
        if not pictures or spare_bps < LEAST_STILL_BPS:
            return
        line.pacer.bps, line.pacer.most_s = spare_bps, STILL_S
        if now < line.still_at:
            return
        row, _ = min(pictures, key=lambda one: one[1].priority)
        producer: Producer = row.producer  # type: ignore[assignment] # wishes have one
        layer = producer.layers[0]
        entries = layer.whole_keyframe()
        if not entries or entries[0].sequence == line.still_first or row.ceiling >= 0:
            layer.keyframes.wish()
            self._ask_keyframes(producer, now)
            return
        bits = 8 * sum(len(entry.payload) + PACKET_OVERHEAD_BYTES for entry in entries)
        line.still_first = entries[0].sequence
        line.still_at = now + max(STILL_S, bits / spare_bps)
        self._egress.add(producer.still(row, entries, now), now)

    def _repeat_sound(self, peer: Peer, share: Share | None, now: float) -> None:
        """Decides how many packets of sound each brings along. ``share``: of a watched line."""
        line = peer.line
        loss = peer.reported_loss if line is None else line.estimator.line_lost_share
        is_full = line is not None and share is not None and _is_full(line, share)
        is_narrow = share is not None and share.wanted_bps > 0.0
        if peer.repetition.look(loss, now, is_full=is_full, is_narrow=is_narrow):
            self._reshape(peer)

    def _give(
        self,
        peer: Peer,
        wishes: list[tuple[Row, Wish]],
        target: float,
        now: float,
        *,
        crowded: bool = False,
    ) -> Share:
        share = allocate([wish for _, wish in wishes], target, crowded=crowded)
        for row, wish in wishes:
            producer: Producer | None = row.producer
            if wish.priority <= SOUND or producer is None:
                continue
            wants = min(producer.max_layers.get(row, 0), len(producer.layers) - 1)
            layer = wants if math.isinf(target) else share.layers[wish.track]
            layer = min(layer, self._overload.most)
            ceiling = NO_CEILING if layer >= wants else layer
            if ceiling == row.ceiling:
                continue
            row.climb.moves(min(row.ceiling, wants), min(ceiling, wants), now)
            too_much = share.spent_bps - _takes(wish, layer) + _takes(wish, wish.now)
            producer.set_ceiling(row, ceiling, at_once=too_much > TOO_MUCH * target)
            self._ask_keyframes(producer, now)
        peer.share = share
        return share


def _is_full(line: Line, share: Share) -> bool:
    return line.estimator.is_queued or share.spent_bps > line.estimator.target_bps


def _takes(wish: Wish, layer: int) -> float:
    return wish.layers[layer] if layer >= 0 else 0.0


def _wishes(peer: Peer, now: float) -> list[tuple[Row, Wish]]:
    """Returns what a viewer's rows want of its line."""
    found: list[tuple[Row, Wish]] = []
    for ssrc, row in peer.rows.items():
        producer = row.producer
        if ssrc != row.ssrc or producer is None or producer.paused:
            continue
        if not producer.video:
            layer = producer.layers[0]
            rate = max(VOICE_BPS, layer.rate_bps) * (1 + RED_COST * peer.repetition.packets)
            found.append((row, Wish(str(ssrc), SOUND, (rate,), 0)))
            continue
        rates = _rates(producer.layers)
        most = min(producer.max_layers.get(row, 0), len(rates) - 1)
        most = row.climb.most(most, now)
        getting = row.layer.index if row.layer is not None and row.ceiling >= 0 else -1
        if row.wanted is not None and row.wanted.index > getting and row.ceiling >= 0:
            getting = min(row.ceiling, row.wanted.index)
        wish = Wish(str(ssrc), max(1, row.priority), rates, most, min(getting, most))
        found.append((row, wish))
    return found


def _rates(layers: list[Layer]) -> tuple[float, ...]:
    """Returns bit/s of each encoding: as seen, guessed where it was never seen."""
    rates: list[float] = []
    for layer in layers:
        guess = LAYER_RATIO * rates[-1] if rates else FIRST_LAYER_BPS
        rate = layer.rate_bps or guess
        rates.append(max(rate, rates[-1] + 1.0) if rates else rate)
    return tuple(rates)
