"""What an assistant takes down while her class has no line, as her device brings it afterwards.

Vocabulary module: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from twinclass_signaling.ids import PersonId

#: Made by the device, random (a UUID); what is brought twice has the same one.
RecordKey = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{8,64}$")]
_Pupil = Annotated[PersonId, Meta(max_length=64)]
_Number = Annotated[int, Meta(ge=0, le=1_000_000)]
_Counts = Annotated[tuple[_Number, ...], Meta(max_length=16)]

#: ``merged``: it holds. ``superseded``: what was told later than it was taken stands.
#: ``question_over``: the result was out, or another question was asked.
OfflineOutcome = Literal["merged", "superseded", "question_over"]
OfflineKind = Literal["roll", "tally", "count", "hands"]


class OfflineRoll(Struct, frozen=True, tag="roll", forbid_unknown_fields=True):
    """A roll call, told as ``roll_call`` is."""

    absent: Annotated[tuple[_Pupil, ...], Meta(max_length=200)] = ()
    late: Annotated[tuple[_Pupil, ...], Meta(max_length=200)] = ()
    present: _Number | None = None


class OfflineTally(Struct, frozen=True, tag="tally", forbid_unknown_fields=True):
    """The room's count for a question of the lesson, told as ``quiz_tally`` is."""

    quiz: _Number
    counts: _Counts


class OfflineCount(Struct, frozen=True, tag="count", forbid_unknown_fields=True):
    """Cards for a question that was asked in the room alone; one number an option, 2 to 8."""

    counts: _Counts


class OfflineHands(Struct, frozen=True, tag="hands", forbid_unknown_fields=True):
    """How many raised a hand in the room."""

    count: _Number


OfflineRecord = OfflineRoll | OfflineTally | OfflineCount | OfflineHands


def kind_of(record: OfflineRecord) -> OfflineKind:
    """Returns the word of the wire for what it is."""
    match record:
        case OfflineRoll():
            return "roll"
        case OfflineTally():
            return "tally"
        case OfflineCount():
            return "count"
        case OfflineHands():
            return "hands"
