"""What a viewer's browser says, five times a second, and what becomes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page

EVERY_S = 0.2
#: A picture that stands for so long is frozen.
FROZEN_S = 0.5

#: Before any other script: remembers each connection, whoever makes it.
REMEMBER = """
window.__connections = [];
window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
  construct(target, args) {
    const made = new target(...args);
    window.__connections.push(made);
    return made;
  },
});
"""
_READ = """async () => {
  const found = [];
  for (const one of window.__connections) {
    if (one.connectionState === 'closed') continue;
    for (const s of (await one.getStats()).values())
      if (s.type === 'inbound-rtp') found.push({
        kind: s.kind, packets: s.packetsReceived || 0, lost: s.packetsLost || 0,
        bytes: s.bytesReceived || 0, frames: s.framesDecoded || 0,
        width: s.frameWidth || 0, height: s.frameHeight || 0,
        freezes: s.totalFreezesDuration || 0, samples: s.totalSamplesReceived || 0,
        // Silence, too: the voice never rests, so none of it was sent.
        concealed: s.concealedSamples || 0,
        buffered: s.jitterBufferDelay || 0, emitted: s.jitterBufferEmittedCount || 0,
        mid: s.mid, ssrc: s.ssrc, decoder: s.decoderImplementation,
      });
  }
  return found;
}"""


@dataclass(frozen=True)
class Sample:
    """One look. Counters are sums over all streams of a kind, since the page was opened."""

    at_s: float
    frames: int
    height: int
    video_bytes: int
    samples: int
    concealed: int
    freezes_s: float
    video_delay_ms: float
    audio_delay_ms: float


@dataclass
class Watched:
    """A viewer's run. ``relay``: the relay's statistics afterwards."""

    system: str
    profile: str
    samples: list[Sample] = field(default_factory=list)
    relay: dict[str, Any] = field(default_factory=dict)

    @property
    def first_picture_s(self) -> float | None:
        """When the first frame was there."""
        return next((s.at_s for s in self.samples if s.frames > 0), None)

    def frozen(self, since_s: float | None = None, until_s: float = 1e9) -> tuple[float, float]:
        """(Seconds in which the picture stood, the longest of them), from the first picture on
        unless ``since_s`` is given; the whole run if there was none."""
        total = longest = 0.0
        if since_s is None:
            since_s = self.first_picture_s or 0.0
        last_at, last = since_s, 0
        for sample in self.samples:
            if not since_s <= sample.at_s <= until_s:
                continue
            # A connection made anew counts from nothing.
            if sample.frames > last or 0 < sample.frames < last:
                gap = sample.at_s - last_at
                if gap > FROZEN_S + EVERY_S:
                    total, longest = total + gap, max(longest, gap)
                last_at, last = sample.at_s, sample.frames
        end = min(until_s, self.samples[-1].at_s) if self.samples else since_s
        if end - last_at > FROZEN_S + EVERY_S:
            total, longest = total + end - last_at, max(longest, end - last_at)
        return total, longest

    @property
    def fps(self) -> float:
        """Frames decoded a second."""
        first, last = self.samples[0], self.samples[-1]
        return (last.frames - first.frames) / max(0.1, last.at_s - first.at_s)

    @property
    def concealed(self) -> float:
        """Share of sound that was made up, or silence in its place."""
        last = self.samples[-1]
        return last.concealed / last.samples if last.samples else 1.0

    @property
    def mean_height(self) -> float:
        """Lines of the picture, over the time in which there was one."""
        heights = [s.height for s in self.samples if s.frames]
        return sum(heights) / len(heights) if heights else 0.0

    def mean_delay_ms(self, kind: str) -> float:
        """How long the browser holds sound or pictures, mean over the run."""
        found = [s.video_delay_ms if kind == "video" else s.audio_delay_ms for s in self.samples]
        found = [one for one in found if one > 0]
        return sum(found) / len(found) if found else 0.0

    def when_height(self, test: Callable[[int], bool], since_s: float) -> float | None:
        """Seconds from ``since_s`` until the picture's height passes a test and frames come."""
        before = None
        for sample in self.samples:
            if sample.at_s >= since_s and before is not None:
                moves = sample.frames > before.frames
                if moves and test(sample.height):
                    return sample.at_s - since_s
            before = sample
        return None


async def watch(page: Page, found: Watched, seconds: float) -> None:
    """Looks at a page for so long. The time counts from now."""
    begun = time.monotonic()
    delays = {"video": (0.0, 0.0, 0), "audio": (0.0, 0.0, 0)}
    while (now := time.monotonic() - begun) < seconds:
        try:
            streams: list[dict[str, Any]] = await asyncio.wait_for(page.evaluate(_READ), 5)
        except TimeoutError:
            continue
        video = [s for s in streams if s["kind"] == "video"]
        audio = [s for s in streams if s["kind"] == "audio"]
        for kind, those in (("video", video), ("audio", audio)):
            _, buffered, emitted = delays[kind]
            new_buffered = sum(s["buffered"] for s in those)
            new_emitted = sum(s["emitted"] for s in those)
            more = new_emitted - emitted
            mean = 1000 * (new_buffered - buffered) / more if more > 0 else 0.0
            delays[kind] = (mean, new_buffered, new_emitted)
        largest = max(video, key=lambda s: s["bytes"], default=None)
        found.samples.append(
            Sample(
                at_s=now,
                frames=sum(s["frames"] for s in video),
                height=largest["height"] if largest else 0,
                video_bytes=sum(s["bytes"] for s in video),
                samples=sum(s["samples"] for s in audio),
                concealed=sum(s["concealed"] for s in audio),
                freezes_s=sum(s["freezes"] for s in video),
                video_delay_ms=delays["video"][0],
                audio_delay_ms=delays["audio"][0],
            )
        )
        await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - begun - now)))
