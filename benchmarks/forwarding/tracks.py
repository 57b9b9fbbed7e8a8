"""What is published: tracks, and the lessons of which a shape consists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["audio", "video"]
#: Of sound as it is sent here, headers included.
AUDIO_KBPS = 60


@dataclass(frozen=True)
class Track:
    """One track of a publisher; ``kbps`` and ``fps`` are of video only (audio: 50 packets/s)."""

    kind: Kind
    ssrc: int
    kbps: int = 0
    fps: int = 0


@dataclass(frozen=True)
class PublisherPlan:
    """A publisher; it sends at most one track of a kind."""

    name: str
    tracks: tuple[Track, ...]


@dataclass(frozen=True)
class Lesson:
    """A room in which every viewer receives every track."""

    name: str
    publishers: tuple[PublisherPlan, ...]
    viewers: int

    def wanted(self) -> tuple[tuple[str, Track], ...]:
        """(Publisher's name, track) for all that a viewer receives."""
        return tuple((one.name, track) for one in self.publishers for track in one.tracks)

    @property
    def viewer_kbps(self) -> int:
        """What a viewer receives."""
        return sum(track.kbps or AUDIO_KBPS for _, track in self.wanted())


@dataclass(frozen=True)
class Storm:
    """Viewers that come on top while the lesson goes on, evenly over ``seconds``."""

    viewers: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What one measurement consists of."""

    shape: str
    lessons: tuple[Lesson, ...]
    storm: Storm | None = None

    @property
    def viewers(self) -> int:
        """Viewers of all lessons, without those of the storm."""
        return sum(one.viewers for one in self.lessons)
