"""What the tools of a lesson leave in the log: facts with opaque ids, never names.

Texts in here were typed by staff as part of teaching (a question, a task, a title) or stand in a
channel of this lesson (notes, chat). See EVENTS.md.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.talk_events import TalkingEvent
from twinclass_signaling.offline_records import OfflineOutcome, OfflineRecord
from twinclass_signaling.tool_commands import AttendanceMode, QuizKind

HandReason = Literal["self", "staff", "all", "called", "left"]
AttendanceCause = Literal["roll_call", "marked", "joined", "arrived"]
EndCause = Literal["staff", "time", "lesson_closed"]
EchoTrouble = Literal["echo", "howl"]
EchoEnd = Literal["quiet", "staff", "closed"]
CatchUpCause = Literal["staff", "room", "called", "left", "lesson_closed"]


# ---- hands --------------------------------------------------------------------------------


class HandRaised(Struct, frozen=True, tag="hand_raised"):
    """A hand is up, or its count has changed. ``participant``: the home, the home group, or the
    room; ``actor`` is then its assistant."""

    participant: ParticipantId
    actor: ParticipantId
    room: RoomId | None
    count: int
    children: tuple[PersonId, ...] = ()
    approved: bool = True


class HandApproved(Struct, frozen=True, tag="hand_approved"):
    """The assistant of the class let a hand through."""

    participant: ParticipantId
    actor: ParticipantId


class HandLowered(Struct, frozen=True, tag="hand_lowered"):
    """A hand is down."""

    participant: ParticipantId
    reason: HandReason
    actor: ParticipantId | None = None


# ---- stage --------------------------------------------------------------------------------


class SpotlightSet(Struct, frozen=True, tag="spotlight_set"):
    """One on stage is shown larger than the others, or (None) nobody any more."""

    participant: ParticipantId | None
    actor: ParticipantId


class StageMoved(Struct, frozen=True, tag="stage_moved"):
    """The order of the stage has changed."""

    participant: ParticipantId
    position: int
    actor: ParticipantId


class StageMuted(Struct, frozen=True, tag="stage_muted"):
    """A microphone on stage was closed or opened."""

    participant: ParticipantId
    muted: bool
    actor: ParticipantId


class ParticipantRemoved(Struct, frozen=True, tag="participant_removed"):
    """Somebody was taken out of the lesson; ``participant_left`` stands before it."""

    participant: ParticipantId
    actor: ParticipantId


class ParticipantAdmitted(Struct, frozen=True, tag="participant_admitted"):
    """Somebody who was removed may come back."""

    participant: ParticipantId
    actor: ParticipantId


# ---- attendance ---------------------------------------------------------------------------


class RollCalled(Struct, frozen=True, tag="roll_called"):
    """An assistant has called the roll. ``present``: in the room. ``taken_at``: it was called
    without a line, at that second, and stands in the log since it came in."""

    room: RoomId
    present: int
    actor: ParticipantId
    taken_at: float | None = None


class AttendanceChanged(Struct, frozen=True, tag="attendance_changed"):
    """A pupil's part of attendance starts (and her last one ends); by ``taken_at``, where it was
    taken down without a line."""

    pupil: PersonId
    room: RoomId | None
    mode: AttendanceMode
    late: bool
    cause: AttendanceCause
    actor: ParticipantId
    taken_at: float | None = None


# ---- sound check --------------------------------------------------------------------------


class SoundCheckStarted(Struct, frozen=True, tag="sound_check_started"):
    """Rooms are heard in this order, each for at most ``seconds``; the first has its turn."""

    rooms: tuple[RoomId, ...]
    seconds: int
    actor: ParticipantId


class SoundChecked(Struct, frozen=True, tag="sound_checked"):
    """Whether a room was heard; when it was its turn, the next one has it now."""

    room: RoomId
    heard: bool
    cause: Literal["staff", "time"]
    actor: ParticipantId


class SoundCheckEnded(Struct, frozen=True, tag="sound_check_ended"):
    """No room has its turn any more."""

    cause: EndCause
    actor: ParticipantId


# ---- quiz ---------------------------------------------------------------------------------


class QuizOpened(Struct, frozen=True, tag="quiz_opened"):
    """A question; ``quiz`` counts up from 1. ``correct`` is shown to pupils by the release only."""

    quiz: int
    kind: QuizKind
    text: str
    options: tuple[str, ...]
    correct: tuple[int, ...]
    correct_number: float | None
    seconds: int
    actor: ParticipantId


class QuizAnswered(Struct, frozen=True, tag="quiz_answered"):
    """The answer of one pupil (or of a home whose pupil is not known by the roster)."""

    quiz: int
    pupil: PersonId
    room: RoomId | None
    choices: tuple[int, ...]
    number: float | None
    actor: ParticipantId


class QuizTallied(Struct, frozen=True, tag="quiz_tallied"):
    """The count of one room. ``warning``: it differs from those present by more than 2.
    ``taken_at``: it was counted without a line, at that second."""

    quiz: int
    room: RoomId
    counts: tuple[int, ...]
    present: int | None
    warning: bool
    actor: ParticipantId
    taken_at: float | None = None


class QuizClosed(Struct, frozen=True, tag="quiz_closed"):
    """No more answers of devices. ``missing``: rooms that are here and have not told a tally."""

    quiz: int
    cause: EndCause
    missing: tuple[RoomId, ...]
    actor: ParticipantId


class QuizReleased(Struct, frozen=True, tag="quiz_released"):
    """Everybody sees the totals."""

    quiz: int
    actor: ParticipantId


# ---- countdown and group work -------------------------------------------------------------


class CountdownStarted(Struct, frozen=True, tag="countdown_started"):
    """A countdown runs on all screens."""

    seconds: int
    text: str
    actor: ParticipantId


class CountdownEnded(Struct, frozen=True, tag="countdown_ended"):
    """It is over or was taken off."""

    cause: EndCause
    actor: ParticipantId


class GroupWorkStarted(Struct, frozen=True, tag="group_work_started"):
    """Rooms and homes work under their own assistants."""

    seconds: int
    task: str
    actor: ParticipantId


class GroupWorkEnded(Struct, frozen=True, tag="group_work_ended"):
    """Everybody is back."""

    cause: EndCause
    actor: ParticipantId


class ListenedIn(Struct, frozen=True, tag="listened_in"):
    """From here on the lead hears these rooms and no others."""

    rooms: tuple[RoomId, ...]
    actor: ParticipantId


# ---- without a line -----------------------------------------------------------------------


class OfflineRecorded(Struct, frozen=True, tag="offline_recorded"):
    """What an assistant took down without a line at ``taken_at``; one event a ``key``. What it
    changes stands behind it. ``kept``: pupils of whom something was told later, which stands."""

    key: str
    room: RoomId
    taken_at: float
    record: OfflineRecord
    outcome: OfflineOutcome
    kept: tuple[PersonId, ...]
    actor: ParticipantId


# ---- catching up --------------------------------------------------------------------------


class CatchUpChanged(Struct, frozen=True, tag="catch_up_changed"):
    """A class watches what it missed from here on, and not the lesson; or it is back."""

    room: RoomId
    on: bool
    cause: CatchUpCause
    actor: ParticipantId


# ---- echo and howl ------------------------------------------------------------------------


class EchoFound(Struct, frozen=True, tag="echo_found"):
    """What others say comes back by a microphone, or it howls: it is ducked by 12 dB. ``since``:
    when that began; ``lag_ms`` and ``gain_db``: how much later and louder it comes back (of a howl
    0, and its dBov)."""

    participant: ParticipantId
    trouble: EchoTrouble
    since: float
    lag_ms: int
    gain_db: int


class EchoFaded(Struct, frozen=True, tag="echo_faded"):
    """Nothing comes back any more; ducked until it has been so for a while."""

    participant: ParticipantId


class EchoMuted(Struct, frozen=True, tag="echo_muted"):
    """It went on: the microphone is closed, and tried again after ``seconds``."""

    participant: ParticipantId
    seconds: float


class EchoRetried(Struct, frozen=True, tag="echo_retried"):
    """The microphone is open again, ducked."""

    participant: ParticipantId


class EchoEnded(Struct, frozen=True, tag="echo_ended"):
    """The microphone is as it was before."""

    participant: ParticipantId
    cause: EchoEnd
    actor: ParticipantId


class SoundSwitched(Struct, frozen=True, tag="sound_switched"):
    """Loudspeaker and microphone of a home's device were switched off (it is in the classroom), or
    on again."""

    participant: ParticipantId
    off: bool
    actor: ParticipantId


ToolEvent = (
    HandRaised
    | HandApproved
    | HandLowered
    | SpotlightSet
    | StageMoved
    | StageMuted
    | ParticipantRemoved
    | ParticipantAdmitted
    | RollCalled
    | AttendanceChanged
    | SoundCheckStarted
    | SoundChecked
    | SoundCheckEnded
    | QuizOpened
    | QuizAnswered
    | QuizTallied
    | QuizClosed
    | QuizReleased
    | CountdownStarted
    | CountdownEnded
    | GroupWorkStarted
    | GroupWorkEnded
    | ListenedIn
    | CatchUpChanged
    | EchoFound
    | EchoFaded
    | EchoMuted
    | EchoRetried
    | EchoEnded
    | SoundSwitched
    | OfflineRecorded
    | TalkingEvent
)
