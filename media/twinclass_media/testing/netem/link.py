"""A link: one direction of a network, in virtual time (core).

``send`` puts a packet in, ``due`` takes out what has arrived, ``next_at`` says when to ask
again. Time is given, never read, and runs forward only; the same profile, seed and calls give
the same result to the bit.

A packet's way: policer, then the queue of the bottleneck, which serves one packet after the
other at the rate of the moment (so that queueing delay grows as at a real one), then loss,
duplication and the delay of propagation. Loss comes after the bottleneck because what radio
loses has used the air. A blackhole takes what is queued or sent while it lasts; what is already
propagating arrives.

**Streams.** TCP hides loss from who reads it, as time. A piece that is sent with a ``Stream`` is
never dropped: what would lose it makes it, and all of its stream behind it, one round trip later
(taken as twice this way's delay), and in a blackhole it waits. Congestion windows are not
modelled: the sender asks ``has_room`` first, which is what a full queue would tell it.

Not modelled: links that share a radio, packets damaged instead of lost, fragments.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from twinclass_media.testing.netem.conditions import Conditions
from twinclass_media.testing.netem.profile import MAX_QUEUE_BYTES, Policer, Profile, Way
from twinclass_media.testing.netem.record import LinkStatistics, Reason, Record

T = TypeVar("T")


@dataclass(slots=True)
class Stream:
    """Order of one stream's pieces; owned by whoever sends them."""

    last_due_s: float = -math.inf


@dataclass(slots=True)
class _Packet(Generic[T]):
    size_bytes: int
    payload: T
    accepted_s: float
    stream: Stream | None


class _Bucket:
    """The policer's tokens, in bytes."""

    def __init__(self, policer: Policer, now_s: float) -> None:
        self._policer = policer
        self._tokens = float(policer.burst_bytes)
        self._at_s = now_s

    def takes(self, size_bytes: int, now_s: float) -> bool:
        grown = self._tokens + (now_s - self._at_s) * self._policer.rate_bps / 8
        self._tokens = min(float(self._policer.burst_bytes), grown)
        self._at_s = now_s
        if size_bytes > self._tokens:
            return False
        self._tokens -= size_bytes
        return True


class Link(Generic[T]):
    """One direction. Holds at most ``MAX_QUEUE_BYTES``, queued and propagating together."""

    def __init__(
        self, way: Way, seed: int | str, start_s: float = 0.0, record: Record | None = None
    ) -> None:
        """``start_s``: when the timetable begins. ``record``: counted there, else in its own."""
        self._seed = str(seed)
        self._record = record or Record()
        self._now_s = start_s
        self._queue: deque[_Packet[T]] = deque()
        self._queue_bytes = 0
        # The head of the queue: bits it still needed at ``_head_s``.
        self._head_bits = 0.0
        self._head_s = start_s
        self._arriving: list[tuple[float, int, _Packet[T]]] = []
        self._arriving_bytes = 0
        self._order = 0
        self._last_due_s = -math.inf
        self._is_forced_dark = False
        self._ways = 0
        self._take_way(way)

    def _take_way(self, way: Way) -> None:
        self._way = way
        self._ways += 1
        self._conditions = Conditions(way, f"{self._seed}/{self._ways}", self._now_s)
        self._bucket = _Bucket(way.policer, self._now_s) if way.policer else None

    # ---- what is asked of it ----------------------------------------------------------------

    def send(self, now_s: float, size_bytes: int, payload: T, stream: Stream | None = None) -> None:
        """Puts a packet in at ``now_s``. ``size_bytes``: on the wire, with headers; from 1.

        Raises:
            ValueError: time ran backwards, or there is no such size.
        """
        if size_bytes < 1:
            raise ValueError("a packet has a size")
        self._advance(now_s)
        self._record.sent += 1
        self._record.sent_bytes += size_bytes
        reason = None if stream is not None else self._refusal(size_bytes)
        if reason is not None:
            self._record.dropped[reason] += 1
            return
        self._queue.append(_Packet(size_bytes, payload, now_s, stream))
        self._queue_bytes += size_bytes
        if len(self._queue) == 1:
            self._head_s, self._head_bits = now_s, 8.0 * size_bytes
            self._advance(now_s)

    def due(self, now_s: float) -> list[T]:
        """Takes out what has arrived until ``now_s``, in the order of arrival."""
        self._advance(now_s)
        found: list[T] = []
        while self._arriving and self._arriving[0][0] <= now_s:
            packet = heapq.heappop(self._arriving)[2]
            self._arriving_bytes -= packet.size_bytes
            self._record.delivered += 1
            self._record.delivered_bytes += packet.size_bytes
            found.append(packet.payload)
        return found

    def next_at(self) -> float | None:
        """When ``due`` may have something: not later than the next arrival, maybe earlier."""
        soonest = self._arriving[0][0] if self._arriving else math.inf
        if self._queue:
            conditions = self._conditions
            quickest = max(0.0, conditions.delay_s - conditions.jitter_s)
            soonest = min(soonest, self._finish_s() + quickest, conditions.next_change_s)
        return None if soonest == math.inf else soonest

    def has_room(self, size_bytes: int) -> bool:
        """Whether the queue would take a packet of this size now."""
        held = self._queue_bytes + self._arriving_bytes + size_bytes
        if held > MAX_QUEUE_BYTES:
            return False
        return not self._queue or self._queue_bytes + size_bytes <= self._queue_limit()

    def room_at(self) -> float | None:
        """When to ask ``has_room`` again: a packet leaves the queue, or the link, or a change."""
        soonest = self._arriving[0][0] if self._arriving else math.inf
        soonest = min(soonest, self._finish_s(), self._conditions.next_change_s)
        return None if soonest == math.inf else soonest

    def set_blackhole(self, now_s: float, is_dark: bool) -> None:
        """Makes it dark besides what its timetable says, or ends that."""
        self._advance(now_s)
        self._pause(now_s)
        self._is_forced_dark = is_dark
        self._empty_if_dark()

    def set_way(self, now_s: float, way: Way) -> None:
        """Goes on as another way; its timetable begins now, what is inside stays inside."""
        self._advance(now_s)
        self._pause(now_s)
        self._take_way(way)
        self._empty_if_dark()

    def close(self) -> None:
        """Drops all that is inside; counted as ``closed``."""
        self._record.dropped["closed"] += len(self._queue) + len(self._arriving)
        self._queue.clear()
        self._arriving.clear()
        self._queue_bytes = self._arriving_bytes = 0

    @property
    def in_flight(self) -> int:
        """Packets inside."""
        return len(self._queue) + len(self._arriving)

    @property
    def queue_bytes(self) -> int:
        """Bytes that wait at the bottleneck, the one being served among them."""
        return self._queue_bytes

    def queue_now_s(self) -> float:
        """How long what is sent now would wait for the bottleneck, at the rate of the moment."""
        rate = self._conditions.rate_bps
        if not self._queue or rate is None:
            return 0.0
        served = 0.0 if self._is_dark else rate * (self._now_s - self._head_s)
        behind = self._queue_bytes - self._queue[0].size_bytes
        return max(0.0, (self._head_bits - served + 8 * behind) / rate)

    def statistics(self) -> LinkStatistics:
        """Returns counters as of the last call that had a time."""
        return self._record.snapshot(self.in_flight, self._queue_bytes, self.queue_now_s())

    # ---- what happens between ---------------------------------------------------------------

    @property
    def _is_dark(self) -> bool:
        return self._is_forced_dark or self._conditions.blackhole

    def _refusal(self, size_bytes: int) -> Reason | None:
        if self._is_dark:
            return "blackhole"
        if self._bucket is not None and not self._bucket.takes(size_bytes, self._now_s):
            return "policer"
        return None if self.has_room(size_bytes) else "queue"

    def _queue_limit(self) -> float:
        if self._way.queue_bytes is not None:
            return self._way.queue_bytes
        if self._way.queue_ms is None or self._conditions.rate_bps is None:
            return MAX_QUEUE_BYTES
        return self._way.queue_ms * self._conditions.rate_bps / 8000

    def _finish_s(self) -> float:
        """When the head of the queue will have been sent, if nothing changes."""
        if not self._queue or self._is_dark:
            return math.inf
        rate = self._conditions.rate_bps
        return self._head_s if rate is None else self._head_s + self._head_bits / rate

    def _advance(self, now_s: float) -> None:
        if now_s < self._now_s:
            raise ValueError(f"time runs forward only: {now_s} after {self._now_s}")
        while True:
            change_s, finish_s = self._conditions.next_change_s, self._finish_s()
            if finish_s <= min(now_s, change_s):
                self._depart(finish_s)
            elif change_s <= now_s:
                self._pause(change_s)
                self._conditions.change()
                self._empty_if_dark()
            else:
                break
        self._now_s = now_s

    def _pause(self, at_s: float) -> None:
        """Writes down what of the head was sent until now, for the rate or the light changes."""
        rate = self._conditions.rate_bps
        if self._queue and not self._is_dark and rate is not None:
            self._head_bits = max(0.0, self._head_bits - rate * (at_s - self._head_s))
        self._head_s = max(self._head_s, at_s)

    def _empty_if_dark(self) -> None:
        if not self._is_dark or not self._queue:
            return
        head = self._queue[0]
        kept = [packet for packet in self._queue if packet.stream is not None]
        self._record.dropped["blackhole"] += len(self._queue) - len(kept)
        self._queue = deque(kept)
        self._queue_bytes = sum(packet.size_bytes for packet in kept)
        if kept and kept[0] is not head:
            self._head_bits = 8.0 * kept[0].size_bytes

    def _depart(self, at_s: float) -> None:
        packet = self._queue.popleft()
        self._queue_bytes -= packet.size_bytes
        self._record.queued(at_s, at_s - packet.accepted_s)
        if self._queue:
            self._head_s, self._head_bits = at_s, 8.0 * self._queue[0].size_bytes
        conditions, way = self._conditions, self._way
        is_lost = conditions.loses()
        arrival_s = at_s + conditions.delay_at(at_s)
        if packet.stream is not None:
            self._arrive_in_stream(packet, packet.stream, arrival_s, is_lost)
            return
        if is_lost:
            self._record.dropped["loss"] += 1
            return
        late = way.reordering
        if late is not None and conditions.reordering_dice.random() < late.share:
            arrival_s += late.late_ms / 1000
        else:
            arrival_s = self._last_due_s = max(arrival_s, self._last_due_s)
        self._arrive(arrival_s, packet)
        if way.duplication > 0 and conditions.duplication_dice.random() < way.duplication:
            self._record.duplicated += 1
            self._arrive(arrival_s, packet)

    def _arrive_in_stream(
        self, packet: _Packet[T], stream: Stream, arrival_s: float, is_lost: bool
    ) -> None:
        if is_lost:
            self._record.stalled += 1
            arrival_s += 2 * self._conditions.delay_s
        stream.last_due_s = max(arrival_s, stream.last_due_s)
        self._arrive(stream.last_due_s, packet)

    def _arrive(self, at_s: float, packet: _Packet[T]) -> None:
        self._order += 1
        self._arriving_bytes += packet.size_bytes
        heapq.heappush(self._arriving, (at_s, self._order, packet))


class Path(Generic[T]):
    """Both directions between a client and the server."""

    def __init__(self, profile: Profile, seed: int | str, start_s: float = 0.0) -> None:
        self.up: Link[T] = Link(profile.uplink, f"{seed}/up", start_s)
        self.down: Link[T] = Link(profile.downlink, f"{seed}/down", start_s)
