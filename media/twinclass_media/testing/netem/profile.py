"""Profiles: what a network does to packets, as TOML (vocabulary).

A profile is two *ways*, ``up`` (from clients to the server) and ``down``, or ``both`` where they
are alike. Shares are 0 to 1 and hold for each way, so a round trip meets a loss twice. Unknown
keys are refused: a misspelt ``loss`` would be a network without loss and a test that proves
nothing.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from twinclass_media.errors import MediaError

FOLDER = Path(__file__).parent / "profiles"

#: More than any link holds that a lesson survives: 2.2 s at 15 Mbit/s.
MAX_QUEUE_BYTES = 4 * 1024 * 1024
#: A change each second for an hour.
MAX_CHANGES = 3600
MAX_FILE_BYTES = 256 * 1024

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
#: A minute: what a satellite and a full buffer before it come to, with room above.
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=60_000)]
#: One packet in twelve seconds, up to what no test machine sends.
BitsPerSecond = Annotated[int, msgspec.Meta(ge=1_000, le=10_000_000_000)]
QueueBytes = Annotated[int, msgspec.Meta(ge=1, le=MAX_QUEUE_BYTES)]


class ProfileError(MediaError):
    """A profile that cannot be used; the text names the file and the field."""

    code = "bad_profile"


class Bursts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Burst loss after Gilbert and Elliott: a chain of a good and a bad state, a step a packet.

    E. N. Gilbert, "Capacity of a burst-noise channel", BSTJ 39 (1960); E. O. Elliott, "Estimates
    of error rates for codes on burst-noise channels", BSTJ 42 (1963). Their parameters are made
    of what people can measure, as Hasslinger and Hohlfeld do (MMB 2008).

    Attributes:
        share: packets lost, of all.
        length: mean packets in the bad state, from 1; with ``bad_loss`` 1 and ``good_loss`` 0
            the mean length of a burst.
        bad_loss: share lost in the bad state (Elliott's 1 - h).
        good_loss: share lost in the good state (Elliott's 1 - k).
    """

    share: Share
    length: Annotated[float, msgspec.Meta(ge=1, le=10_000)]
    bad_loss: Share = 1.0
    good_loss: Share = 0.0

    def __post_init__(self) -> None:
        if not self.good_loss <= self.share < self.bad_loss:
            raise ValueError("share must be at least good_loss and below bad_loss")
        if self.enter > 1:
            raise ValueError("so many losses need longer bursts")

    @property
    def leave(self) -> float:
        """Chance of bad to good (r)."""
        return 1 / self.length

    @property
    def enter(self) -> float:
        """Chance of good to bad (p), so that the chain is bad as often as ``share`` asks."""
        bad = (self.share - self.good_loss) / (self.bad_loss - self.good_loss)
        return self.leave * bad / (1 - bad)


class Reordering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``share`` of the packets come ``late_ms`` later than they would, and others pass them."""

    share: Share
    late_ms: Milliseconds


class Policer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token bucket that drops what exceeds it and holds nothing (RFC 2475 section 2.3.3.4)."""

    rate_bps: BitsPerSecond
    burst_bytes: QueueBytes


class Wander(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rate that takes a step each ``every_ms``: up to a fifth up or down, between its bounds."""

    low_bps: BitsPerSecond
    high_bps: BitsPerSecond
    every_ms: Annotated[float, msgspec.Meta(ge=10, le=60_000)]

    def __post_init__(self) -> None:
        if self.low_bps > self.high_bps:
            raise ValueError("low_bps is above high_bps")


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From ``at_s`` on what is named here holds, the rest stays."""

    at_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)]
    rate_bps: BitsPerSecond | UnsetType = UNSET
    delay_ms: Milliseconds | UnsetType = UNSET
    jitter_ms: Milliseconds | UnsetType = UNSET
    loss: Share | UnsetType = UNSET
    blackhole: bool | UnsetType = UNSET


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One direction.

    Attributes:
        delay_ms: of propagation; half the RTT where both ways are alike.
        jitter_ms: the delay is within ``delay_ms`` ± this: two standard deviations of a normal
            distribution, cut there, correlated over 100 ms as radio and cross traffic are.
        loss: independent loss.
        bursts: burst loss, besides ``loss``.
        reordering: without it packets arrive in order, whatever the jitter.
        duplication: share that arrives twice.
        rate_bps: of the bottleneck; none is as fast as you send.
        wander: instead of ``rate_bps``.
        queue_ms, queue_bytes: what waits at the bottleneck at most, one of them with a rate.
            In milliseconds it is of the rate of the moment.
        policer: before the queue.
        blackhole: nothing passes.
        timetable: what changes when, in order.
        repeat_s: the timetable begins again after this long.
    """

    delay_ms: Milliseconds = 0.0
    jitter_ms: Milliseconds = 0.0
    loss: Share = 0.0
    bursts: Bursts | None = None
    reordering: Reordering | None = None
    duplication: Share = 0.0
    rate_bps: BitsPerSecond | None = None
    wander: Wander | None = None
    queue_ms: Annotated[float, msgspec.Meta(gt=0, le=60_000)] | None = None
    queue_bytes: QueueBytes | None = None
    policer: Policer | None = None
    blackhole: bool = False
    timetable: Annotated[tuple[Change, ...], msgspec.Meta(max_length=MAX_CHANGES)] = ()
    repeat_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] | None = None

    def __post_init__(self) -> None:
        times = [change.at_s for change in self.timetable]
        if any(late <= early for early, late in itertools.pairwise(times)):
            raise ValueError("timetable must be in order of at_s")
        if self.repeat_s is not None and (not times or times[-1] >= self.repeat_s):
            raise ValueError("repeat_s must be after the last change of a timetable")
        steps = any(change.rate_bps is not UNSET for change in self.timetable)
        if self.wander is not None and (self.rate_bps is not None or steps):
            raise ValueError("wander and rate_bps exclude each other")
        has_rate = self.rate_bps is not None or self.wander is not None or steps
        queues = (self.queue_ms is not None) + (self.queue_bytes is not None)
        if queues != has_rate:
            raise ValueError(
                "a rate needs queue_ms or queue_bytes, one of them; else there is none"
            )


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network.

    Attributes:
        summary: what it stands for.
        source: where its numbers come from.
        both: the two ways where they are alike, else ``up`` and ``down``.
        shared: all clients of a relay have one pair of ways, as a school has one line.
        udp_blocked: no datagram passes, TCP does.
    """

    summary: str
    source: str
    both: Way | None = None
    up: Way | None = None
    down: Way | None = None
    shared: bool = False
    udp_blocked: bool = False

    def __post_init__(self) -> None:
        if (self.both is None) == (self.up is None) or (self.up is None) != (self.down is None):
            raise ValueError("give both, or up and down")

    @property
    def uplink(self) -> Way:
        """From clients to the server."""
        return self.up or self.both or Way()

    @property
    def downlink(self) -> Way:
        """From the server to clients."""
        return self.down or self.both or Way()


def profile_names() -> list[str]:
    """Names of the profiles that come with us."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_profile(name: str) -> Profile:
    """Returns a profile of ours by name, or the one in a file whose name ends in ``.toml``.

    Raises:
        ProfileError: there is none, or it cannot be used.
    """
    known = profile_names()
    path = FOLDER / f"{name}.toml" if name in known else Path(name)
    if path.suffix != ".toml":
        raise ProfileError(f"no profile {name}; there are: {', '.join(known)}, or a file.toml")
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: no path can have such a name
        there = ", ".join(known)
        raise ProfileError(f"no file {name} ({error}); there are: {there}") from error
    if len(text) > MAX_FILE_BYTES:
        raise ProfileError(f"{path.name}: more than {MAX_FILE_BYTES} bytes")
    try:
        return msgspec.toml.decode(text, type=Profile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path.name}: {error}") from error
