"""A viewer on a simulated line: layers of a camera, sound, feedback as browsers send it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from twinclass_media.bandwidth.allocation import SOUND, Wish, allocate
from twinclass_media.bandwidth.estimator import Estimator
from twinclass_media.bandwidth.pacer import Pacer
from twinclass_media.rtp.transport_cc import INTERVAL_S, ArrivalLog, read_feedback
from twinclass_media.testing.netem.link import Link
from twinclass_media.testing.netem.profile import Profile

STEP_S = 0.001
#: As Chromium sends 720p: bit/s and frames a second of each encoding.
LAYERS = ((150_000.0, 15), (500_000.0, 30), (1_500_000.0, 30))
SOUND_BPS, SOUND_BYTES = 40_000.0, 100
PACKET = 1_150
KEYFRAME = 6.0


@dataclass
class Seen:
    """What happened in one step of 100 ms. ``queue_s``: at the bottleneck."""

    at: float
    layer: int
    target_bps: float
    sent_bps: float
    queue_s: float
    sound_lost: float


@dataclass
class Viewer:
    """One viewer: its own estimator, on a line that others may share."""

    down: Link[tuple[Viewer, int, int, bool]]
    up: Link[tuple[Viewer, bytes]]
    seed: int
    clock_s: float = 0.0
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.estimator = Estimator(0.0)
        self.pacer: Pacer[int] = Pacer(300_000.0, 0.0)
        self.arrivals = ArrivalLog(0.0)
        self.layer = -1
        self.wanted = -1
        self.frame_at = self.random.uniform(0, 0.03)
        self.sound_at = self.random.uniform(0, 0.02)
        self.look_at = self.random.uniform(0, 0.1)
        self.report_at = 0.05 + self.random.uniform(0, 0.05)
        self.sent_bytes = self.sent_total = 0
        self.sounds = self.sounds_came = 0
        self.probe: list[tuple[float, int]] = []

    def step(self, now: float) -> None:
        """What the server does in one step."""
        if now >= self.look_at:
            self.look_at += 0.1
            self._look(now)
        while now >= self.sound_at:
            self.sound_at += 0.02
            self.sounds += 1
            self._send(SOUND_BYTES, True, now)
        while now >= self.frame_at:
            self._frame()
        for size in self.pacer.due(now):
            self._send(size, False, now)
        while self.probe and self.probe[0][0] <= now:
            self._send(self.probe.pop(0)[1], False, now)
            if not self.probe:
                self.estimator.probe_sent()

    def _frame(self) -> None:
        switched = self.wanted != self.layer
        self.layer = self.wanted
        if self.layer < 0:
            self.frame_at += 1 / 30
            return
        bps, fps = LAYERS[self.layer]
        self.frame_at += 1 / fps
        size = int(bps / fps / 8 * self.random.uniform(0.7, 1.3) * (KEYFRAME if switched else 1))
        while size > 0:
            piece = min(PACKET, max(100, size))
            self.pacer.put(piece, piece)
            size -= PACKET

    def _send(self, size: int, sound: bool, now: float) -> None:
        number = self.estimator.sent(size + 40, now)
        self.sent_bytes += size + 40
        self.down.send(now, size + 40, (self, number, size, sound))

    def _look(self, now: float) -> None:
        estimator = self.estimator
        estimator.tick(now)
        target = estimator.target_bps
        wish = Wish("lead", 2, tuple(bps for bps, _ in LAYERS), 2, self.wanted)
        sound = Wish("sound", SOUND, (SOUND_BPS,), 0)
        share = allocate([wish, sound], target, crowded=estimator.is_crowded)
        self.wanted = share.layers["lead"]
        self.pacer.bps = max(target, share.spent_bps, 100_000.0)
        if share.wanted_bps > 0:
            plan = estimator.probe(share.wanted_bps * 1.1, now, eager=self.wanted < 0)
            if plan is not None:
                gap = plan.span_s / plan.packets
                self.probe = [(now + n * gap, plan.size - 40) for n in range(plan.packets)]
        lost = 1 - self.sounds_came / self.sounds if self.sounds else 0.0
        self.seen.append(
            Seen(now, self.layer, target, 80 * self.sent_bytes, self.down.queue_now_s(), lost)
        )
        self.sent_total += self.sent_bytes
        self.sent_bytes = 0

    def arrived(self, number: int, sound: bool, now: float) -> None:
        """The viewer's browser gets a packet."""
        self.sounds_came += sound
        self.arrivals.add(number, now + self.clock_s)

    def report(self, now: float) -> None:
        """The browser says what came."""
        while now >= self.report_at:
            self.report_at += INTERVAL_S
            feedback = self.arrivals.take_feedback()
            if feedback is not None:
                self.up.send(now, len(feedback) + 60, (self, feedback))


def run(profile: Profile, seed: int, seconds: float, viewers: int = 1) -> list[Viewer]:
    """Lets viewers share one line for some seconds of virtual time."""
    down: Link[tuple[Viewer, int, int, bool]] = Link(profile.downlink, f"{seed}/down")
    up: Link[tuple[Viewer, bytes]] = Link(profile.uplink, f"{seed}/up")
    people = [Viewer(down, up, seed * 100 + n, clock_s=1_000.0 * n) for n in range(viewers)]
    for tick in range(round(seconds / STEP_S)):
        now = tick * STEP_S
        for one in people:
            one.step(now)
        for viewer, number, _, sound in down.due(now):
            viewer.arrived(number, sound, now)
        for one in people:
            one.report(now)
        for viewer, feedback in up.due(now):
            viewer.estimator.reported(read_feedback(feedback), now)
    return people
