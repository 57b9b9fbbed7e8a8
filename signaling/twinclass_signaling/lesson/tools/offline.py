"""What an assistant took down while her class had no line: merged when it is back.

Her device gives each record a key and brings it until it finds the key in the log; here a key is
recorded once a class, whoever brings it and however often. **What was told later stands**: times
are those at which something was taken down, so a roll that another device called meanwhile, a
pupil who arrived meanwhile or a newer count are not undone by an older one that comes in late, and
the order in which records come in does not matter. Nothing that was taken down is thrown away: what
does not hold any more is in the log with the reason.

A record never acts in the present: hands that were up five minutes ago raise none, and a result
that everybody has seen does not change.
"""

from __future__ import annotations

import math
import zlib

import msgspec

from twinclass_signaling.errors import Conflict, LimitExceeded
from twinclass_signaling.ids import PersonId, RoomId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.plan import MAX_PUPILS
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tool_events import (
    AttendanceChanged,
    OfflineRecorded,
    QuizTallied,
    RollCalled,
)
from twinclass_signaling.lesson.tool_state import Merged
from twinclass_signaling.lesson.tools import attendance, quiz
from twinclass_signaling.lesson.tools.checks import forbidden
from twinclass_signaling.offline_records import (
    OfflineCount,
    OfflineHands,
    OfflineOutcome,
    OfflineRecord,
    OfflineRoll,
    OfflineTally,
    kind_of,
)
from twinclass_signaling.tool_commands import RecordOffline, RollCall

OfflineCommand = RecordOffline
OfflineEvent = OfflineRecorded

#: Of one class: one in 24 s of a lesson without any line. 32 classes then take 250 KiB of a
#: snapshot's 1 MiB.
MAX_RECORDS = 100
#: What a device may be wrong about the server's clock: half a slow round trip, and drift.
CLOCK_S = 5.0
#: The roll is called before the bell too; rooms are open about that long before.
BEFORE_BELL_S = 1800.0
_OPTIONS = range(2, quiz.MAX_OPTIONS + 1)

_Merge = tuple[OfflineOutcome, list[LessonEvent], tuple[PersonId, ...]]


def handle(
    state: LessonState, command: RecordOffline, actor: Actor, now: float
) -> list[LessonEvent]:
    """Decides; see ``core.handle``. A key that is in the log already changes nothing.

    Raises:
        Conflict: the key stands for something else, the time is not of this lesson, or the counts
            or pupils cannot be.
        LimitExceeded: too many records of one class.
    """
    room = actor.room
    if room is None:
        raise forbidden()
    known = state.tools.offline.get(room, [])
    same = next((one for one in known if one.key == command.key), None)
    if same is not None:
        if same.digest != _digest(command.record):
            raise Conflict(
                "offline_key_reused",
                "这个编号已经用于另一条记录。",
                "This key stands for another record.",
            )
        return []
    if len(known) >= MAX_RECORDS:
        raise LimitExceeded(
            "offline_limit",
            f"离线记录太多，每班每节课最多 {MAX_RECORDS} 条。",
            f"At most {MAX_RECORDS} records taken without a line for a class and lesson.",
        )
    taken_at = _time(state, command, now)
    outcome, events, kept = _merge(state, command.record, taken_at, room, actor)
    recorded = OfflineRecorded(
        command.key, room, taken_at, command.record, outcome, kept, actor.participant
    )
    return [recorded, *events]


def _digest(record: OfflineRecord) -> int:
    return zlib.crc32(msgspec.msgpack.encode(record))


def _time(state: LessonState, command: RecordOffline, now: float) -> float:
    """Returns the second at which it was taken down, within the lesson."""
    opened_at = state.opened_at
    is_roll = isinstance(command.record, OfflineRoll)
    if opened_at is None and not is_roll:
        raise Conflict("not_live", "还没有上课。", "The lesson has not begun yet.")
    begin = now if opened_at is None else opened_at
    earliest = begin - BEFORE_BELL_S if is_roll else begin
    taken_at = command.taken_at
    if not math.isfinite(taken_at) or not earliest - CLOCK_S <= taken_at <= now + CLOCK_S:
        raise _wrong_time()
    return min(max(taken_at, earliest), now)


def _wrong_time() -> Conflict:
    return Conflict(
        "offline_time",
        "这条记录的时间不在这节课之内，没有记入。",
        "The time of this record is not within this lesson.",
    )


def _merge(
    state: LessonState, record: OfflineRecord, taken_at: float, room: RoomId, actor: Actor
) -> _Merge:
    match record:
        case OfflineRoll():
            return _roll(state, record, taken_at, room, actor)
        case OfflineTally():
            return _tally(state, record, taken_at, room, actor)
        case OfflineCount(counts):
            if len(counts) not in _OPTIONS:
                raise Conflict("tally_malformed", "请填 2 到 8 个数。", "Tell 2 to 8 numbers.")
            _must_fit(max(counts), least=1)
            return "merged", [], ()
        case OfflineHands(count):
            _must_fit(count, least=1)
            return "merged", [], ()


def _must_fit(count: int, *, least: int) -> None:
    if not least <= count <= MAX_PUPILS:
        raise Conflict(
            "count_out_of_range",
            f"人数应在 {least} 到 {MAX_PUPILS} 之间。",
            f"A number of pupils is {least} to {MAX_PUPILS}.",
        )


def _roll(
    state: LessonState, record: OfflineRoll, taken_at: float, room: RoomId, actor: Actor
) -> _Merge:
    # Decided first, so that pupils nobody knows are an error also where it does not hold any more.
    decided = attendance.handle(state, RollCall(record.absent, record.late, record.present), actor)
    roll = state.tools.attendance.rolls.get(room)
    if roll is not None and max(roll.at, roll.last_at) >= taken_at:
        return "superseded", [], ()
    events: list[LessonEvent] = []
    kept: list[PersonId] = []
    present = 0
    for event in decided:
        match event:
            case AttendanceChanged(pupil, _, mode):
                parts = state.tools.attendance.parts.get(pupil)
                if parts and parts[-1].start > taken_at:
                    kept.append(pupil)
                    present += (parts[-1].mode == "in_room") - (mode == "in_room")
                else:
                    events.append(msgspec.structs.replace(event, taken_at=taken_at))
            case RollCalled():
                total = event.present + present
                events.append(msgspec.structs.replace(event, present=total, taken_at=taken_at))
            case _:
                events.append(event)
    return "merged", events, tuple(kept)


def _tally(
    state: LessonState, record: OfflineTally, taken_at: float, room: RoomId, actor: Actor
) -> _Merge:
    question = state.tools.quiz
    if question is None or not 1 <= record.quiz <= state.tools.quizzes:
        raise quiz.no_quiz()
    _must_fit(max(record.counts, default=0), least=0)
    if question.id != record.quiz or question.state == "released":
        return "question_over", [], ()
    if len(record.counts) != quiz.fields_of(question):
        raise quiz.malformed_tally(question)
    if taken_at < question.opened_at - CLOCK_S:
        raise _wrong_time()
    known = question.tallies.get(room)
    if known is not None and known.at >= taken_at:
        return "superseded", [], ()
    # Who was in the room by then is not known for certain: told, and marked, but not refused.
    present = attendance.in_room(state, room)
    told = (max if question.kind == "multiple" else sum)(record.counts)
    _must_fit(told, least=0)
    is_off = present is not None and quiz.differs(question, told, present)
    tallied = QuizTallied(
        question.id, room, record.counts, present, is_off, actor.participant, taken_at
    )
    return "merged", [tallied], ()


def apply(state: LessonState, event: OfflineRecorded) -> None:
    """Changes the state; see ``core.apply``."""
    state.tools.offline.setdefault(event.room, []).append(
        Merged(
            event.key,
            kind_of(event.record),
            event.taken_at,
            _digest(event.record),
            event.outcome,
            len(event.kept),
        )
    )
