"""The control line of a relay: a JSON object a line in, one a line out (core).

``{"blackhole": true}``, ``{"profile": "weak"}``, ``{"stats": true}``, one key each.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from twinclass_media.testing.netem.profile import ProfileError
from twinclass_media.testing.netem.relay import RelayStatistics

#: A path and a key.
MAX_LINE_BYTES = 8192


class Controlled(Protocol):
    """What a control line can ask for."""

    def set_profile(self, name: str) -> None:
        """Changes the network. Raises ProfileError."""

    def set_blackhole(self, is_dark: bool) -> None:
        """Ends all passing, or ends that."""

    def statistics(self) -> RelayStatistics:
        """Returns counters."""
        ...


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of these."""

    blackhole: bool | UnsetType = UNSET
    profile: str | UnsetType = UNSET
    stats: bool | UnsetType = UNSET

    def __post_init__(self) -> None:
        if sum(value is not UNSET for value in (self.blackhole, self.profile, self.stats)) != 1:
            raise ValueError("one of blackhole, profile, stats")


def answer(relay: Controlled, line: bytes) -> bytes:
    """Does what a line says and returns the answer, a line too.

    ``{"ok": true}``, for ``stats`` with ``"stats"``; else ``{"error": code, "text": ...}`` and
    nothing was done.
    """
    try:
        command = msgspec.json.decode(line, type=Command)
        if command.blackhole is not UNSET:
            relay.set_blackhole(command.blackhole)
        elif command.profile is not UNSET:
            relay.set_profile(command.profile)
        else:
            return _line({"ok": True, "stats": msgspec.to_builtins(relay.statistics())})
    except ProfileError as error:
        return _line({"error": error.code, "text": str(error)})
    except msgspec.DecodeError as error:
        return _line({"error": "bad_command", "text": str(error)})
    return _line({"ok": True})


def too_long() -> bytes:
    """Returns the answer to a line without an end."""
    return _line({"error": "bad_command", "text": f"more than {MAX_LINE_BYTES} bytes"})


def _line(value: dict[str, object]) -> bytes:
    return msgspec.json.encode(value) + b"\n"
