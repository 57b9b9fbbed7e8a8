"""What was sent to one viewer and not yet reported on, by transport-wide number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinclass_media.rtp.transport_cc import Report

#: Numbers that are remembered: two seconds of 1,000 packets/s. A report that is later says nothing
#: of the line as it is now.
MAX_SENT = 2_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet as it left. ``at``: seconds of our monotonic clock; ``size``: bytes on the line;
    ``probe``: number of the probe it belongs to, 0: none."""

    at: float
    size: int
    probe: int = 0


@dataclass(frozen=True, slots=True)
class Arrived:
    """A packet of which the viewer said when it came. ``at``: seconds of the viewer's clock."""

    sent: Sent
    at: float


class SentLog:
    """The packets of one viewer. Numbers are 16 bits wide and are given out here."""

    __slots__ = ("_next", "_packets")

    def __init__(self) -> None:
        self._next = 0
        self._packets: dict[int, Sent] = {}

    @property
    def next_number(self) -> int:
        """Returns the number that the next packet gets."""
        return self._next & 0xFFFF

    def add(self, at: float, size: int, probe: int = 0) -> int:
        """Remembers a packet; returns its number."""
        number = self._next & 0xFFFF
        self._next += 1
        self._packets[number] = Sent(at, size, probe)
        if len(self._packets) > MAX_SENT:
            del self._packets[next(iter(self._packets))]
        return number

    def take(self, reports: Iterable[Report]) -> tuple[list[Arrived], list[Sent]]:
        """Returns (those that came, by arrival; those that did not) of what is reported on, each
        once; what is not known any more is left out."""
        arrived: list[Arrived] = []
        lost: list[Sent] = []
        for number, at in reports:
            if at is None:
                packet = self._packets.get(number)
                if packet is not None:
                    # It may be reported later as come; then it is taken out.
                    lost.append(packet)
                continue
            packet = self._packets.pop(number, None)
            if packet is not None:
                arrived.append(Arrived(packet, at))
        arrived.sort(key=lambda one: one.at)
        return arrived, lost
