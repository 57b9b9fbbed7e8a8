"""What tutors are credited for, and what a rating may be shown: pure rules over a ledger.

The ledger is append-only and lives in SQL; its sum is given in, and the host writes what is
returned within one transaction, so that a thousand closings at once keep the cap. Points per help
are **ours**: Beijing's are not published, only that a point is CNY 10, that a term's cap is 5,000
points, and that a part depends on the pupil's rating. There is no ranking of tutors anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from twinclass_signaling.errors import Conflict

CAP_A_TERM = 5_000
YUAN_A_POINT = 10
#: Fewer ratings would tell a tutor who said what.
MIN_RATINGS = 5
#: The largest single entry anybody may write by hand.
MAX_POINTS = 1_000

EntryKind = Literal["earn", "adjust", "reverse"]
CreditReason = Literal["session", "written", "cap", "reversal", "correction"]
HelpKind = Literal["written", "one_to_one", "one_to_many"]


class Rates(Struct, frozen=True, forbid_unknown_fields=True):
    """Points for a help. A session's are by its minutes; ``rated_share`` percent of any are
    earned by a good rating only; a help that nobody rated has them, for silence is no verdict."""

    one_to_one_a_minute: Annotated[float, Meta(ge=0, le=10)] = 1.0
    one_to_many_a_minute: Annotated[float, Meta(ge=0, le=10)] = 1.5
    written: Annotated[int, Meta(ge=0, le=100)] = 3
    rated_share: Annotated[int, Meta(ge=0, le=50)] = 20
    #: A session shorter than this is not paid: nobody was helped in it.
    shortest_s: Annotated[int, Meta(ge=0, le=600)] = 60


class Rating(Struct, frozen=True):
    """Three answers: understood? patient? again? 0 no, 1 partly, 2 yes."""

    understood: int
    patient: int
    again: int

    @property
    def share(self) -> float:
        """Returns 0 to 1."""
        return (self.understood + self.patient + self.again) / 6


class Entry(Struct, frozen=True):
    """A line of the ledger. ``asked``: before the cap; ``of``: the entry that is reversed."""

    id: str
    kind: EntryKind
    points: int
    reason: CreditReason
    asked: int = 0
    of: str | None = None


class Award(Struct, frozen=True):
    """What a new line is to say."""

    kind: EntryKind
    points: int
    reason: CreditReason
    asked: int
    of: str | None = None

    @property
    def yuan(self) -> int:
        """Returns what it is worth."""
        return self.points * YUAN_A_POINT


class RatingSummary(Struct, frozen=True):
    """Means of a tutor's ratings, 0 to 2; for herself alone."""

    count: int
    understood: float
    patient: float
    again: float


def points_for(kind: HelpKind, seconds: float, rating: Rating | None, rates: Rates) -> int:
    """Returns the points of one help, halves rounded up."""
    if kind == "written":
        full = float(rates.written)
    elif seconds < rates.shortest_s:
        return 0
    else:
        a_minute = rates.one_to_one_a_minute if kind == "one_to_one" else rates.one_to_many_a_minute
        full = a_minute * seconds / 60
    if rating is not None:
        full *= 1 - rates.rated_share / 100 * (1 - rating.share)
    return int(full + 0.5)


def earn(term_sum: int, points: int, reason: CreditReason, *, cap: int = CAP_A_TERM) -> Award:
    """Returns what is credited of ``points`` when the term's ledger sums to ``term_sum``.

    A part, or nothing, where the cap is reached; the line says so and keeps what was asked.

    Raises:
        Conflict: not a number of points.
    """
    if not 0 <= points <= MAX_POINTS:
        raise _malformed()
    room = max(0, cap - term_sum)
    if points <= room:
        return Award("earn", points, reason, points)
    return Award("earn", room, "cap", points)


def adjust(term_sum: int, points: int, *, cap: int = CAP_A_TERM) -> Award:
    """Returns a correction by hand: up to the cap, and never below nothing.

    Raises:
        Conflict: no points, or too many.
    """
    if points == 0 or abs(points) > MAX_POINTS:
        raise _malformed()
    granted = max(-max(0, term_sum), min(points, max(0, cap - term_sum)))
    return Award("adjust", granted, "correction" if granted == points else "cap", points)


def reverse(ledger: Sequence[Entry], entry_id: str, *, cap: int = CAP_A_TERM) -> Award:
    """Returns the line that takes an earlier one back, whole (a deduction: up to the cap), once.

    ``ledger``: all lines of the tutor's term.

    What it frees under the cap is there for later helps; what the cap cut off before is not paid
    after all, because the ledger is what was true when it was written.

    Raises:
        Conflict: there is no such line, or it is taken back already.
    """
    entry = next((line for line in ledger if line.id == entry_id), None)
    if entry is None:
        raise Conflict("entry_unknown", "没有这笔积分。", "There is no such entry.")
    if entry.kind == "reverse" or any(line.of == entry_id for line in ledger):
        raise Conflict("already_reversed", "这笔积分已冲销。", "It has been reversed.")
    points = min(-entry.points, max(0, cap - total(ledger)))
    return Award("reverse", points, "reversal", -entry.points, entry.id)


def total(ledger: Iterable[Entry]) -> int:
    """Returns the sum of a ledger."""
    return sum(entry.points for entry in ledger)


def summary(ratings: Sequence[Rating]) -> RatingSummary | None:
    """Returns what a tutor may be shown of her ratings; None with fewer than five."""
    count = len(ratings)
    if count < MIN_RATINGS:
        return None
    return RatingSummary(
        count,
        sum(rating.understood for rating in ratings) / count,
        sum(rating.patient for rating in ratings) / count,
        sum(rating.again for rating in ratings) / count,
    )


def _malformed() -> Conflict:
    return Conflict("points_malformed", "积分数有误。", "Not a number of points.")
