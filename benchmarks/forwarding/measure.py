"""One measurement: a system, a plan, and what was found.

First all viewers join while the sources send. Then the sources pause, so that what came before can
be told from what comes after; they send again, and after ``SETTLE_S`` the measured seconds begin.
CPU, packets and delays are of those seconds alone; loss is of everything between the pauses, in
which sent and received can be compared exactly.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import cost
import msgspec
from delay import frozen_s, quantile, recognised_ms
from network import Network
from peers import Arrival, Viewer, Watcher
from publisher import ClipCamera, publish
from system import CONNECT_TIMEOUT_S, Entry, Published, System, sending
from tracks import Lesson, Plan, Storm

from light.peer import Identity

#: About so many viewers of all decrypt and measure.
WATCHERS = 4
#: Joins under way at the same time before the measurement.
JOINING_AT_ONCE = 20
#: A publisher has sent for so long when the first viewer joins: its first keyframe is over.
LEAD_IN_S = 1.0
#: After the joins' keyframes, before the measured seconds.
SETTLE_S = 2.0
#: What is under way when the sources pause has arrived by then.
PAUSE_S = 0.4
#: A browser asks for a keyframe when it has lost a picture beyond repair: on lines as they are
#: about once a minute.
KEYFRAME_EVERY_S = 60.0
MS = 1000.0


@dataclass(frozen=True)
class Conditions:
    """How long is measured, and under what. ``spread_s``: of each frame on the uplink;
    ``reports_per_s``: of each viewer."""

    seconds: float
    spread_s: float
    reports_per_s: float
    network: Network


class Delays(msgspec.Struct, frozen=True):
    """Percentiles of delay through the system, ms; NaN is written as None."""

    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Delays:
        """Of values in ms."""
        return cls(*(quantile(values, q) if values else None for q in (0.5, 0.95, 0.99)))


class Found(msgspec.Struct, frozen=True):
    """What a measurement found."""

    system: str
    shape: str
    viewers: int
    #: What DTLS agreed on for media, at the watchers.
    srtp_profile: str
    #: Media that reached viewers, packets a second; what those inside before a storm were due.
    packets_per_s: float
    due_per_s: float
    user_us: float
    system_us: float
    cores: float
    #: Cores that publishers, viewers and watchers took beside.
    generator_cores: float
    audio_ms: Delays
    video_ms: Delays
    #: Share of all packets between the pauses that did not come; below 0: more came than were
    #: sent. Its resolution is a packet a viewer. None where the two cannot be compared: latecomers
    #: of a storm, and systems that encode anew.
    loss: float | None
    #: Of the watchers, summed over their pictures, a watcher; in the measured seconds.
    frozen_s: float
    kib_per_viewer: float
    joins_per_s: float
    joins_ms: Delays
    failed_joins: int

    @property
    def cost_us(self) -> float:
        """CPU µs for a packet that reached a viewer, all in."""
        return self.user_us + self.system_us


class Viewing:
    """The viewers of a plan."""

    def __init__(self, system: System, identity: Identity, reports_per_s: float) -> None:
        self._system = system
        self._reports_per_s = reports_per_s
        self._identity = identity
        self.viewers: list[Viewer] = []
        self.watchers: list[Watcher] = []
        self.joined_s: list[float] = []
        #: Viewers of each lesson.
        self.joined: Counter[str] = Counter()
        self.failed = 0

    async def join(self, lesson: Lesson, name: str, *, watching: bool = False) -> None:
        """One viewer; returns when it receives everything, or has failed."""
        kind = Watcher if watching else Viewer
        viewer = kind(self._identity)
        viewer.reports_per_s = self._reports_per_s
        # A receiver's estimate follows what comes: browsers bound it at half above.
        viewer.takes_bps = max(viewer.takes_bps, round(1500 * lesson.viewer_kbps))
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._system.view(lesson.name, name, lesson.wanted(), viewer)
                await viewer.joined.wait()
        except (TimeoutError, ConnectionError):
            self.failed += 1
            viewer.close()
            return
        self.joined_s.append(viewer.joined_s)
        self.joined[lesson.name] += 1
        self.viewers.append(viewer)
        if isinstance(viewer, Watcher):
            self.watchers.append(viewer)

    async def join_all(self, plan: Plan) -> float:
        """All viewers of a plan; seconds it took. Those who watch are spread over the order of
        joining: servers send in that order, or another."""
        places = [
            (lesson, number)
            for number in range(max(one.viewers for one in plan.lessons))
            for lesson in plan.lessons
            if number < lesson.viewers
        ]
        step = max(1, len(places) // WATCHERS)
        begun = time.monotonic()
        turns = asyncio.Semaphore(JOINING_AT_ONCE)

        async def one(index: int, lesson: Lesson, number: int) -> None:
            async with turns:
                await self.join(lesson, f"viewer{number}", watching=index % step == step // 2)

        async with asyncio.TaskGroup() as group:
            for index, (lesson, number) in enumerate(places):
                group.create_task(one(index, lesson, number))
        return time.monotonic() - begun

    async def storm(self, lesson: Lesson, storm: Storm) -> None:
        """Those who come on top, evenly, without waiting for one another."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(storm.viewers):
                due = begun + storm.seconds * number / storm.viewers
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(self.join(lesson, f"late{number}"))

    async def ask_for_keyframes(self) -> None:
        """Each viewer in turn, for one of its pictures; runs until cancelled."""
        while True:
            for viewer in self.viewers.copy():
                if viewer.video_ssrcs:
                    viewer.request_keyframe(random.choice(viewer.video_ssrcs))
                await asyncio.sleep(KEYFRAME_EVERY_S / len(self.viewers))

    def media(self) -> float:
        """Media packets that came to all so far.

        A plain viewer's kernel drops media and RTCP alike; the share of media in it is that of
        the watchers, who get the same.
        """
        media = sum(one.media for one in self.watchers)
        control = sum(one.control for one in self.watchers)
        everything = sum(one.datagrams() for one in self.viewers)
        return everything * media / max(1, media + control)

    def record(self, recording: bool) -> None:
        """Watchers keep what comes, or no longer."""
        for one in self.watchers:
            one.recording = recording

    def delays_ms(self, kind: str) -> list[float]:
        """Of all stamped packets that were kept."""
        return [
            packet.delay_ns / 1e6
            for one in self.watchers
            for ssrc, arrivals in one.arrivals.items()
            if one.kinds[ssrc] == kind
            for packet in arrivals
            if packet.delay_ns is not None
        ]

    def pictures(self) -> list[list[Arrival]]:
        """Of all watchers what was kept of each picture."""
        return [
            arrivals
            for one in self.watchers
            for ssrc, arrivals in one.arrivals.items()
            if one.kinds[ssrc] == "video"
        ]

    def close(self) -> None:
        """Ends all."""
        for one in self.viewers:
            one.close()


@asynccontextmanager
async def _asking(viewing: Viewing) -> AsyncGenerator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(viewing.ask_for_keyframes())
        try:
            yield
        finally:
            task.cancel()


async def _publishers(
    system: System, identity: Identity, plan: Plan, *, clip: bool, spread_s: float
) -> dict[str, list[Published]]:
    return {
        lesson.name: [
            await publish(system, identity, lesson.name, one, clip=clip, spread_s=spread_s)
            for one in lesson.publishers
        ]
        for lesson in plan.lessons
    }


def _pictures_ms(viewing: Viewing, publishers: Sequence[Published]) -> list[float]:
    """By stamps; where a system has encoded anew, by the clip's timestamps."""
    clips = [one for some in publishers for one in some.sources if isinstance(one, ClipCamera)]
    if not clips:
        return viewing.delays_ms("video")
    return [
        delay
        for clip in clips
        for picture in viewing.pictures()
        for delay in recognised_ms(picture, clip.sent_ns)
    ]


def _due(
    joined: Counter[str], publishers: Mapping[str, Sequence[Published]], before: Mapping[str, int]
) -> float:
    """Packets that ``joined`` viewers of each lesson should have got since ``before``."""
    return sum(
        viewers * (_sent(publishers[name]) - before[name]) for name, viewers in joined.items()
    )


def _sent(publishers: Sequence[Published]) -> int:
    return sum(one.sent for one in publishers)


async def measure(entry: Entry, plan: Plan, conditions: Conditions, folder: Path) -> Found:
    """Runs the system for this measurement alone."""
    identity = Identity()
    network = conditions.network
    async with (
        entry.start(folder, identity, network.host) as system,
        contextlib.AsyncExitStack() as closing,
    ):
        closing.enter_context(network.peers())
        publishers = await _publishers(
            system, identity, plan, clip=entry.decodes, spread_s=conditions.spread_s
        )
        everyone = [one for some in publishers.values() for one in some]
        for one in everyone:
            closing.callback(one.peer.close)
        viewing = Viewing(system, identity, conditions.reports_per_s)
        closing.callback(viewing.close)
        async with sending(everyone):
            await asyncio.sleep(LEAD_IN_S)
            # With what is kept of the tracks: that is nothing that viewers cost.
            empty = cost.of_trees(system.pids)
            joining_s = await viewing.join_all(plan)
        await asyncio.sleep(PAUSE_S)
        if not viewing.watchers:
            raise ConnectionError(f"{entry.name}: nobody could join")
        before_storm = viewing.joined.copy()
        joins, joins_per_s = viewing.joined_s.copy(), len(viewing.joined_s) / joining_s
        media_0 = viewing.media()
        sent_0 = {name: _sent(some) for name, some in publishers.items()}
        async with sending(everyone), _asking(viewing):
            await asyncio.sleep(SETTLE_S)
            sent_a = {name: _sent(some) for name, some in publishers.items()}
            media_a, used_a, ours_a = viewing.media(), cost.of_trees(system.pids), cost.of_us()
            viewing.record(True)
            if plan.storm is None:
                await asyncio.sleep(conditions.seconds)
            else:
                viewing.joined_s.clear()
                await viewing.storm(plan.lessons[0], plan.storm)
                joins = viewing.joined_s
                joins_per_s = plan.storm.viewers / plan.storm.seconds
            viewing.record(False)
            media_b, used_b, ours_b = viewing.media(), cost.of_trees(system.pids), cost.of_us()
            due = _due(before_storm, publishers, sent_a)
        await asyncio.sleep(PAUSE_S)
        arrived, expected = viewing.media() - media_0, _due(before_storm, publishers, sent_0)
        packets, span_s = max(1.0, media_b - media_a), used_b.at - used_a.at
        return Found(
            system=entry.name,
            shape=plan.shape,
            viewers=plan.viewers,
            srtp_profile=statistics.mode(one.profile for one in viewing.watchers),
            packets_per_s=packets / span_s,
            due_per_s=due / span_s,
            user_us=1e6 * (used_b.user_s - used_a.user_s) / packets,
            system_us=1e6 * (used_b.system_s - used_a.system_s) / packets,
            cores=used_b.cores_since(used_a),
            generator_cores=ours_b.cores_since(ours_a),
            audio_ms=Delays.of(viewing.delays_ms("audio")),
            video_ms=Delays.of(_pictures_ms(viewing, everyone)),
            loss=None if plan.storm or entry.decodes else 1 - arrived / expected,
            frozen_s=sum(map(frozen_s, viewing.pictures())) / len(viewing.watchers),
            kib_per_viewer=(used_b.rss_bytes - empty.rss_bytes) / 1024 / len(viewing.viewers),
            joins_per_s=joins_per_s,
            joins_ms=Delays.of([MS * one for one in joins]),
            failed_joins=viewing.failed,
        )
