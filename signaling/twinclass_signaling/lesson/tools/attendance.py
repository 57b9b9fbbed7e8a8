"""Attendance: one record a pupil, in parts when she moves.

The roll call tells exceptions only: a pupil of the roster without a part of her own is in the
room from the roll call on. A pupil is in one place at a time, so counts add up however she moves.
"""

from __future__ import annotations

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.commands import Actor
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.plan import MAX_PUPILS, PlannedPupil
from twinclass_signaling.lesson.state import HOME_ROLES, LessonState
from twinclass_signaling.lesson.tool_events import (
    AttendanceCause,
    AttendanceChanged,
    RollCalled,
)
from twinclass_signaling.lesson.tool_state import Part, Roll
from twinclass_signaling.lesson.tools.checks import forbidden, unknown_pupil
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import AttendanceMode, MarkAttendance, RollCall

AttendanceCommand = RollCall | MarkAttendance
AttendanceEvent = RollCalled | AttendanceChanged

#: Moves of one pupil in a lesson; nobody changes rooms every two minutes.
MAX_PARTS = 20
#: Of all pupils: five times those of the largest lesson; with it a snapshot stays in its bound.
MAX_PARTS_OF_ALL = 6000


# ---- questions ----------------------------------------------------------------------------


def roster(state: LessonState, room: RoomId) -> tuple[PlannedPupil, ...]:
    """Returns the pupils of a class."""
    planned = state.plan.room(ParticipantId(room))
    return () if planned is None else planned.pupils


def part_of(state: LessonState, pupil: PersonId) -> Part | None:
    """Returns where a pupil is: her last part, or what the roll call says of her."""
    parts = state.tools.attendance.parts.get(pupil)
    if parts:
        return parts[-1]
    found = state.pupils.get(pupil)
    return None if found is None else _by_roll(state, found[0].id, found[1])


def _by_roll(state: LessonState, room: RoomId, pupil: PlannedPupil) -> Part | None:
    roll = state.tools.attendance.rolls.get(room)
    if roll is None or pupil.at_home or pupil.group is not None:
        return None
    return Part("in_room", room, roll.at, False, "roll_call")


def mode_of(state: LessonState, pupil: PlannedPupil) -> AttendanceMode:
    """Returns a pupil's mode; before the roll call what the plan expects."""
    parts = state.tools.attendance.parts.get(pupil.id)
    if parts:
        return parts[-1].mode
    if pupil.group is not None:
        return "home_group"
    return "home" if pupil.at_home else "in_room"


def guests(state: LessonState, room: RoomId) -> list[PersonId]:
    """Returns homes of a class that stand on no roster."""
    return [PersonId(participant) for participant in state.guests.get(room, ())]


def in_room(state: LessonState, room: RoomId) -> int | None:
    """Returns how many pupils are in a room; None while nobody has told."""
    roll = state.tools.attendance.rolls.get(room)
    if roll is None:
        return None
    pupils = roster(state, room)
    listed = sum(mode_of(state, pupil) == "in_room" for pupil in pupils)
    count = listed if pupils else roll.present
    parts = state.tools.attendance.parts
    for guest in guests(state, room):
        # A guest who arrived after heads were counted comes on top of them.
        last = parts.get(guest, [None])[-1]
        if last is not None and last.mode == "in_room" and (pupils or last.start > roll.at):
            count += 1
    return count


def seat_of(state: LessonState, pupil: PlannedPupil) -> ParticipantId | None:
    """Returns the home or home group through which a pupil takes part, if there is one."""
    own = ParticipantId(pupil.id)
    if own in state.seats:
        return own
    return pupil.group


def is_at_group(state: LessonState, group: ParticipantId, child: PersonId) -> bool:
    """Tells whether a child is at a home group's screen now."""
    found = state.pupils.get(child)
    return (
        found is not None and found[1].group == group and mode_of(state, found[1]) == "home_group"
    )


# ---- commands -----------------------------------------------------------------------------


def handle(state: LessonState, command: AttendanceCommand, actor: Actor) -> list[LessonEvent]:
    """Decides; see ``core.handle``. What an arrival does to the home's seat is the core's."""
    match command:
        case RollCall():
            return _roll_call(state, command, actor)
        case MarkAttendance(pupil, mode, late):
            room = _room_of_pupil(state, pupil)
            if room is None or (actor.role is Role.ASSISTANT and room != actor.room):
                raise unknown_pupil()
            if mode == "home_group" and not _may_be_at_group(state, pupil):
                raise unknown_pupil()
            now_at = part_of(state, pupil)
            was_home = now_at is not None and now_at.mode in {"home", "home_group"}
            cause: AttendanceCause = "arrived" if mode == "in_room" and was_home else "marked"
            return _change(state, pupil, room, mode, late, cause, actor.participant)


def joined(
    state: LessonState, participant: ParticipantId, role: Role, room: RoomId | None
) -> list[LessonEvent]:
    """Returns what a home's coming says of attendance.

    Raises:
        Conflict: she has arrived in her room; only her assistant can send her home again.
    """
    pupils: list[tuple[PersonId, RoomId | None]]
    if role is Role.HOME_LEARNER:
        pupils = [(PersonId(participant), room)]
        last = state.tools.attendance.parts.get(PersonId(participant), [None])[-1]
        if last is not None and last.mode == "in_room" and last.cause == "arrived":
            raise Conflict(
                "arrived",
                "你已在教室上课；如要回家上课，请告诉老师。",
                "You are in the classroom now; to go on from home, tell your teacher.",
            )
    elif role is Role.HOME_GROUP:
        pupils = [
            (child.id, state.pupils[child.id][0].id) for child in state.children(participant)
        ] or [(PersonId(participant), room)]
    else:
        return []
    mode: AttendanceMode = "home" if role is Role.HOME_LEARNER else "home_group"
    events: list[LessonEvent] = []
    for pupil, of_class in pupils:
        last = state.tools.attendance.parts.get(pupil, [None])[-1]
        if last is not None and mode == "home_group":
            continue  # What is known of a child holds; the screen stands for several.
        if _is_full(state, pupil):
            continue  # Nobody is kept out for that.
        events += _change(state, pupil, of_class, mode, False, "joined", participant)
    return events


def _room_of_pupil(state: LessonState, pupil: PersonId) -> RoomId | None:
    planned = state.class_of(pupil)
    if planned is not None:
        return planned.id
    seat = state.seats.get(ParticipantId(pupil))
    return seat.room if seat is not None and seat.role in HOME_ROLES else None


def _may_be_at_group(state: LessonState, pupil: PersonId) -> bool:
    found = state.pupils.get(pupil)
    return found is not None and found[1].group is not None


def _roll_call(state: LessonState, command: RollCall, actor: Actor) -> list[LessonEvent]:
    room = actor.room
    if room is None:
        raise forbidden()
    pupils = roster(state, room)
    known = {pupil.id for pupil in pupils}
    absent, late = set(command.absent), set(command.late)
    if (absent | late) - known or absent & late:
        raise unknown_pupil()
    if not pupils and command.present is None:
        raise Conflict("count_needed", "请填写到课人数。", "Tell how many are in the room.")
    events: list[LessonEvent] = []
    present = 0
    for pupil in pupils:
        mode = mode_of(state, pupil)
        if pupil.id in absent:
            wanted: AttendanceMode = "absent"
        elif pupil.id in late or mode == "absent":
            wanted = "in_room"
        else:
            wanted = mode
        present += wanted == "in_room"
        if wanted != mode or pupil.id in late:
            is_late = pupil.id in late
            events += _change(
                state, pupil.id, room, wanted, is_late, "roll_call", actor.participant
            )
    if not pupils:
        present = command.present or 0
        if present > MAX_PUPILS:
            raise Conflict(
                "count_out_of_range",
                f"到课人数不能超过 {MAX_PUPILS}。",
                f"At most {MAX_PUPILS} pupils are in a room.",
            )
    return [*events, RollCalled(room, present, actor.participant)]


def _is_full(state: LessonState, pupil: PersonId) -> bool:
    attendance = state.tools.attendance
    return len(attendance.parts.get(pupil, ())) >= MAX_PARTS or attendance.total >= MAX_PARTS_OF_ALL


def _change(
    state: LessonState,
    pupil: PersonId,
    room: RoomId | None,
    mode: AttendanceMode,
    late: bool,
    cause: AttendanceCause,
    actor: ParticipantId,
) -> list[LessonEvent]:
    now_at = part_of(state, pupil)
    if now_at is not None and (now_at.mode, now_at.late) == (mode, late):
        return []
    if _is_full(state, pupil):
        raise Conflict(
            "too_many_changes", "这名学生的考勤改动太多。", "This pupil has moved too often."
        )
    return [AttendanceChanged(pupil, room, mode, late, cause, actor)]


def apply(state: LessonState, event: AttendanceEvent, at: float) -> None:
    """Changes the state; see ``core.apply``."""
    attendance = state.tools.attendance
    match event:
        case RollCalled(room, present, _, taken_at):
            called_at = at if taken_at is None else taken_at
            first = attendance.rolls.get(room)
            # For pupils of a roster the first roll call is when they were there; heads are new.
            since = first.at if first is not None and roster(state, room) else called_at
            attendance.rolls[room] = Roll(since, present, called_at)
        case AttendanceChanged(pupil, room, mode, late, cause, _, taken_at):
            parts = attendance.parts.get(pupil)
            if parts is None:
                implied = part_of(state, pupil)
                parts = attendance.parts[pupil] = [] if implied is None else [implied]
                attendance.total += len(parts)
            attendance.total += 1
            parts.append(Part(mode, room, at if taken_at is None else taken_at, late, cause))
