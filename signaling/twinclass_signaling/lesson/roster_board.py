"""Classes and pupils as one client may see them.

Names of pupils: an assistant sees those of her class, a home group those of its children, a home
learner her own; lead and co-lead get figures here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson.plan import PlannedPupil
from twinclass_signaling.lesson.state import LessonState
from twinclass_signaling.lesson.tools.attendance import (
    guests,
    in_room,
    mode_of,
    part_of,
    roster,
    seat_of,
)
from twinclass_signaling.lesson.tools.checks import is_room, rooms_here
from twinclass_signaling.lesson.visibility import Person, Viewer
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import AttendanceMode
from twinclass_signaling.tool_views import (
    AssistantView,
    AttendanceView,
    ChildView,
    ClassCounts,
    HelpView,
    OwnClassView,
)

People = Mapping[ParticipantId, Person]


def attendance_view(state: LessonState, viewer: Viewer, people: People) -> AttendanceView:
    """Returns classes in figures, and the pupils a viewer answers for."""
    classes = tuple(class_counts(state, room) for room in _classes(state, viewer))
    return AttendanceView(classes, tuple(_pupils(state, viewer, people)))


def _classes(state: LessonState, viewer: Viewer) -> Iterable[RoomId]:
    """Returns the classes a viewer sees figures of: those planned, and others whose room is here.
    A home's is found without a look at all seats."""
    if viewer.leads:
        return dict.fromkeys([*(room.id for room in state.plan.rooms), *rooms_here(state)])
    if viewer.room is None or viewer.role is Role.OBSERVER:
        return ()
    room = ParticipantId(viewer.room)
    is_room_here = is_room(state.seats.get(room)) and state.is_here(room)
    return (viewer.room,) if is_room_here or state.plan.room(room) is not None else ()


def class_counts(state: LessonState, room: RoomId) -> ClassCounts:
    """Returns one class in figures; every pupil is counted once."""
    pupils = roster(state, room)
    planned = state.plan.room(ParticipantId(room))
    roll = state.tools.attendance.rolls.get(room)
    absent = late = home = home_here = 0
    for pupil in pupils:
        mode, part = mode_of(state, pupil), part_of(state, pupil.id)
        absent += mode == "absent"
        late += part is not None and part.late and mode != "absent"
        if mode in {"home", "home_group"}:
            home += 1
            seat = seat_of(state, pupil)
            home_here += seat is not None and state.is_here(seat)
    for guest in guests(state, room):
        part = part_of(state, guest)
        if part is None or part.mode in {"home", "home_group"}:
            home += 1
            home_here += state.is_here(ParticipantId(guest))
        else:
            absent += part.mode == "absent"
    return ClassCounts(
        room,
        (planned.expected if planned is not None and planned.expected else len(pupils)),
        in_room(state, room),
        home,
        home_here,
        absent,
        late,
        None if roll is None else roll.at,
    )


def _pupils(state: LessonState, viewer: Viewer, people: People) -> Iterable[ChildView]:
    if viewer.role is Role.ASSISTANT and viewer.room is not None:
        for pupil in roster(state, viewer.room):
            yield _child(state, viewer.room, pupil)
        for guest in guests(state, viewer.room):
            yield _guest(state, guest, people)
    elif viewer.role is Role.HOME_GROUP:
        for pupil in state.children(viewer.participant):
            planned = state.class_of(pupil.id)
            yield _child(state, viewer.room if planned is None else planned.id, pupil)
    elif viewer.role is Role.HOME_LEARNER:
        found = state.pupils.get(PersonId(viewer.participant))
        if found is None:
            yield _guest(state, PersonId(viewer.participant), people)
        else:
            yield _child(state, found[0].id, found[1])


def _child(state: LessonState, room: RoomId | None, pupil: PlannedPupil) -> ChildView:
    mode, part, seat = mode_of(state, pupil), part_of(state, pupil.id), seat_of(state, pupil)
    if mode in {"home", "home_group"}:
        here = seat is not None and state.is_here(seat)
    else:
        here = mode == "in_room" and room in state.tools.attendance.rolls
    return ChildView(
        pupil.id,
        pupil.name,
        mode,
        part is not None and part.late,
        0.0 if part is None else part.start,
        seat,
        here,
    )


def _guest(state: LessonState, guest: PersonId, people: People) -> ChildView:
    part = part_of(state, guest)
    seat = state.seats.get(ParticipantId(guest))
    is_group = seat is not None and seat.role is Role.HOME_GROUP
    mode: AttendanceMode = "home_group" if is_group else "home"
    if part is not None:
        mode = part.mode
    return ChildView(
        guest,
        people.get(ParticipantId(guest), Person()).name,
        mode,
        part is not None and part.late,
        0.0 if part is None else part.start,
        ParticipantId(guest),
        mode == "in_room" or state.is_here(ParticipantId(guest)),
    )


def own_class_view(state: LessonState, viewer: Viewer, people: People) -> OwnClassView:
    """Returns the class a viewer belongs to."""
    room = viewer.room
    if room is None or viewer.role in {Role.LEAD, Role.CO_LEAD, Role.OBSERVER}:
        return OwnClassView(None, "", "", (), ())
    planned = state.plan.room(ParticipantId(room))
    person = people.get(ParticipantId(room), Person())
    assistants = tuple(
        AssistantView(
            participant, people.get(participant, Person()).name, seat.presence == "present"
        )
        for participant, seat in state.seats.items()
        if seat.role is Role.ASSISTANT and seat.room == room and seat.presence != "left"
    )
    asked = state.tools.backchannel.help.values()
    return OwnClassView(
        room,
        person.name if planned is None else planned.name,
        person.school if planned is None else planned.school,
        assistants,
        tuple(
            HelpView(one.participant, one.kind, one.at, one.answered_at, one.answered_by, one.text)
            for one in asked
            if one.participant == viewer.participant
            or (viewer.role is Role.ASSISTANT and one.room == room)
        ),
    )
