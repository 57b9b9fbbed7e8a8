"""Which tools an event may change, and for whom: what need not be worked out again.

A lesson of 500 has 500 views of each tool. When somebody comes, her class and the staff see it in
some of theirs; to look at all 500 for each who comes would be 250,000 views. This says more than
changes, never less: whoever is reached is compared with what the page was told last.

A page that comes in reads all in its Welcome, and what time alone changes (a pulse that fades)
is told with the next event of its tool: neither is said here.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson import events as core
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.state import HOME_ROLES, LEAD_ROLES, LessonState, Seat
from twinclass_signaling.lesson.tool_events import AttendanceChanged
from twinclass_signaling.lesson.tools.checks import is_room
from twinclass_signaling.lesson.visibility import Audience
from twinclass_signaling.roles import Role

_ALL = Audience("all")
_STAFF = Audience("staff")

#: What an event that is not named here may change.
_ANY = ("stage", "attendance", "own_class", "teaching", "sound", "quiz", "backchannel", "echo")
#: By type, the tools that an event may change for anybody. Seats and single pupils are below.
_TOOLS: dict[str, tuple[str, ...]] = {
    "lesson_opened": ("stage", "sound_check", "teaching", "recording"),
    "called_on": (),
    "stage_enter": ("stage",),
    "stage_leave": ("stage",),
    "hand_raised": ("hands", "stage"),
    "hand_approved": ("hands", "stage"),
    "hand_lowered": ("hands", "stage"),
    "spotlight_set": ("stage",),
    "stage_moved": ("stage",),
    "stage_muted": ("stage",),
    "roll_called": ("attendance", "quiz"),
    "sound_check_started": ("sound_check",),
    "sound_checked": ("sound_check",),
    "sound_check_ended": ("sound_check",),
    "quiz_opened": ("quiz",),
    "quiz_answered": ("quiz",),
    "quiz_tallied": ("quiz",),
    "quiz_closed": ("quiz",),
    "quiz_released": ("quiz",),
    "countdown_started": ("work",),
    "countdown_ended": ("work",),
    "group_work_started": ("work",),
    "group_work_ended": ("work",),
    "listened_in": ("work",),
    "phase_changed": ("agenda",),
    "cue_marked": ("agenda",),
    "note_sent": ("backchannel",),
    "note_acked": ("backchannel",),
    "pulse_sent": ("backchannel",),
    "pulse_answered": ("backchannel",),
    "help_asked": ("own_class",),
    "help_answered": ("own_class",),
    "hand_over_offered": ("teaching",),
    "hand_over_withdrawn": ("teaching",),
    "teaching_changed": ("teaching",),
    "catch_up_changed": ("catch_up",),
    "echo_found": ("echo",),
    "echo_faded": ("echo",),
    "echo_muted": ("echo",),
    "echo_retried": ("echo",),
    "echo_ended": ("echo",),
    "sound_switched": ("sound",),
    "offline_recorded": ("offline",),
    "chat_said": ("chat",),
    "recording_changed": ("recording",),
    "policy_changed": ("policy", "chat", "stage", "hands"),
    "slides_attached": ("slides",),
    "slide_turned": ("slides",),
    "ink_cleared": (),
}


def changed_tools(event: LessonEvent, state: LessonState) -> Iterator[tuple[str, Audience]]:
    """Yields the tools, and for each whom to look at. ``state``: after the event."""
    match event:
        case (
            core.ParticipantJoined(participant)
            | core.ParticipantLost(participant)
            | core.ParticipantRecovered(participant)
            | core.ParticipantLeft(participant)
        ):
            seat = state.seats.get(participant)
            if seat is not None:
                yield from _by_seat(state, participant, seat)
        case core.PublicationStarted(participant) | core.PublicationEnded(participant):
            seat = state.seats.get(participant)
            if seat is not None and seat.role in LEAD_ROLES | {Role.ASSISTANT}:
                yield "teaching", _ALL
        case AttendanceChanged(pupil, room):
            yield "attendance", _around(state, pupil, room)
            quiz = state.tools.quiz
            if quiz is not None:
                # An answer counts by where its pupil is; the bars of staff count pupils in rooms.
                yield "quiz", _ALL if pupil in quiz.answers else _STAFF
        case _:
            tools = _TOOLS.get(str(type(event).__struct_config__.tag), _ANY)
            yield from ((tool, _ALL) for tool in tools)


def _by_seat(
    state: LessonState, participant: ParticipantId, seat: Seat
) -> Iterator[tuple[str, Audience]]:
    if seat.role in HOME_ROLES:
        yield "attendance", _around(state, PersonId(participant), seat.room)
        if state.tools.quiz is not None:
            yield "quiz", _STAFF
        if seat.sound_off:
            yield "sound", Audience("staff", (participant,))
    elif is_room(seat):
        its_class = Audience("leads", classes=(RoomId(participant),))
        yield "attendance", its_class
        yield "own_class", its_class
        yield "stage", _STAFF
        yield "backchannel", _STAFF
        if state.tools.quiz is not None:
            yield "quiz", _STAFF
    elif seat.role is Role.ROOM:
        yield "sound", Audience("staff", classes=() if seat.room is None else (seat.room,))
    elif seat.role is Role.ASSISTANT:
        yield "own_class", Audience("nobody", classes=() if seat.room is None else (seat.room,))
        yield "teaching", _ALL
    elif seat.role in LEAD_ROLES:
        yield "teaching", _ALL


def _around(state: LessonState, pupil: PersonId, room: RoomId | None) -> Audience:
    """Returns who sees where a pupil is, or the pupils at a home group's screen."""
    screen = ParticipantId(pupil)
    children = [pupil, *(child.id for child in state.children(screen))]
    found = [state.pupils[child] for child in children if child in state.pupils]
    classes = [planned.id for planned, _ in found] + ([] if room is None else [room])
    screens = [screen, *(child.group for _, child in found if child.group is not None)]
    return Audience("leads", tuple(dict.fromkeys(screens)), tuple(dict.fromkeys(classes)))
