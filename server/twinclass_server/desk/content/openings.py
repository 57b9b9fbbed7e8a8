"""When a recording may be opened: two officers must have agreed, and then it is open for an hour.
Core.

Approvals count in rounds. The first officer's waits a day for another one's; with the second the
recording opens for an hour, and what is approved meanwhile changes nothing. Afterwards a new round
begins: nobody opens it again on last week's word.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

OPEN = timedelta(hours=1)
WAITS = timedelta(days=1)


class Approval(Struct, frozen=True):
    """An officer's word."""

    officer: str
    at: datetime


class Opening(Struct, frozen=True):
    """How a recording stands. ``officers``: who has agreed in the round that counts now; ``until``:
    it is open until then; None: it is not."""

    officers: tuple[str, ...] = ()
    until: datetime | None = None


def opening(approvals: Iterable[Approval], now: datetime) -> Opening:
    """Returns how a recording stands after these approvals."""
    round_: dict[str, datetime] = {}
    until: datetime | None = None
    for one in sorted(approvals, key=lambda one: one.at):
        if until is not None and one.at < until:
            continue
        if until is not None:
            round_, until = {}, None
        round_ = {who: at for who, at in round_.items() if one.at - at < WAITS}
        round_[one.officer] = one.at
        if len(round_) == 2:
            until = one.at + OPEN
    if until is not None:
        return Opening(tuple(round_), until) if now < until else Opening()
    return Opening(tuple(who for who, at in round_.items() if now - at < WAITS))
