"""The network that a relay's clients are in: their pumps, one profile, two records (shell)."""

from __future__ import annotations

import asyncio

from twinclass_media.testing.netem.profile import Profile
from twinclass_media.testing.netem.pump import Pump
from twinclass_media.testing.netem.record import LinkStatistics, Record


class Lines:
    """A client's two pumps."""

    def __init__(self, up: Pump, down: Pump, is_shared: bool) -> None:
        self.up, self.down, self._is_shared = up, down, is_shared

    def close(self) -> None:
        """Closes them, unless others have the same."""
        if not self._is_shared:
            self.up.close()
            self.down.close()


class Network:
    """Makes lines and changes all of them together."""

    def __init__(self, loop: asyncio.AbstractEventLoop, profile: Profile, seed: int) -> None:
        self._loop = loop
        self._seed = seed
        self._made = 0
        self._lines: list[Lines] = []
        self._shared: Lines | None = None
        self._is_dark = False
        self._up, self._down = Record(), Record()
        self.profile = profile

    def lines(self) -> Lines:
        """Returns the lines of a new client; it closes them by ``release``."""
        if not self.profile.shared:
            return self._make(is_shared=False)
        if self._shared is None:
            self._shared = self._make(is_shared=True)
        return self._shared

    def release(self, lines: Lines) -> None:
        """Ends the lines of a client that is gone."""
        if lines is not self._shared and lines in self._lines:
            self._lines.remove(lines)
            lines.close()

    def set_profile(self, profile: Profile) -> None:
        """Everybody's network is another from now on; timetables begin now.

        Who shares a line goes on sharing it, who has one of their own keeps it: only new clients
        meet the other kind.
        """
        self.profile = profile
        for lines in self._lines:
            lines.up.set_way(profile.uplink)
            lines.down.set_way(profile.downlink)

    def set_blackhole(self, is_dark: bool) -> None:
        """Makes all lines dark, those to come too, or ends that."""
        self._is_dark = is_dark
        for lines in self._lines:
            lines.up.set_blackhole(is_dark)
            lines.down.set_blackhole(is_dark)

    def statistics(self) -> dict[str, LinkStatistics]:
        """Returns both directions, all clients together; ``queue_now_ms`` is the longest."""
        return {
            "up": _sum(self._up, [lines.up for lines in self._lines]),
            "down": _sum(self._down, [lines.down for lines in self._lines]),
        }

    def close(self) -> None:
        """Drops everything."""
        for lines in self._lines:
            lines.up.close()
            lines.down.close()
        self._lines.clear()
        self._shared = None

    def _make(self, is_shared: bool) -> Lines:
        self._made += 1
        seed = f"{self._seed}/{self._made}"
        lines = Lines(
            Pump(self._loop, self.profile.uplink, f"{seed}/up", self._up),
            Pump(self._loop, self.profile.downlink, f"{seed}/down", self._down),
            is_shared,
        )
        if self._is_dark:
            lines.up.set_blackhole(True)
            lines.down.set_blackhole(True)
        self._lines.append(lines)
        return lines


def _sum(record: Record, pumps: list[Pump]) -> LinkStatistics:
    links = [pump.link for pump in pumps]
    return record.snapshot(
        sum(link.in_flight for link in links),
        sum(link.queue_bytes for link in links),
        max((link.queue_now_s() for link in links), default=0.0),
    )
