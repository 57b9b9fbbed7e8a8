"""What several tools check of a command."""

from __future__ import annotations

import unicodedata

from twinclass_signaling.errors import Conflict, Forbidden
from twinclass_signaling.ids import ParticipantId, RoomId
from twinclass_signaling.lesson.state import LessonState, Seat
from twinclass_signaling.roles import Role


def clean(text: str, limit: int, *, may_be_empty: bool = False) -> str:
    """Returns a typed text without control characters and outer spaces.

    Raises:
        Conflict: it is longer than ``limit``, or empty where something must be said.
    """
    # Looked at only as far as needed: a message may be 96 KiB.
    kept = "".join(
        character
        for character in text[: 4 * limit + 64]
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
    ).strip()
    if len(kept) > limit or len(text) > 4 * limit + 64:
        raise Conflict(
            "text_too_long", f"最多 {limit} 个字，请改短一些。", f"At most {limit} characters."
        )
    if not kept and not may_be_empty:
        raise Conflict("text_empty", "请先输入内容。", "Type something first.")
    return kept


def forbidden() -> Forbidden:
    """Returns the error of an action without right."""
    return Forbidden("forbidden", "您没有这个权限。", "Your role may not do this.")


def unknown_pupil() -> Conflict:
    """Returns the error of a pupil who is not in the class."""
    return Conflict(
        "unknown_pupil", "名单里没有这名学生。", "This pupil is not on the roster of the class."
    )


def is_room(seat: Seat | None) -> bool:
    """Tells whether a seat is a room itself, not a further device of one."""
    return seat is not None and seat.role is Role.ROOM and not seat.companion


def rooms_here(state: LessonState) -> list[RoomId]:
    """Returns the rooms that have a line, in the plan's order, then others."""
    here = [
        RoomId(participant)
        for participant, seat in state.seats.items()
        if is_room(seat) and seat.presence == "present"
    ]
    order = {room.id: index for index, room in enumerate(state.plan.rooms)}
    return sorted(here, key=lambda room: order.get(room, len(order)))


def room_of(state: LessonState, participant: ParticipantId) -> RoomId | None:
    """Returns the class somebody belongs to; a room is its own."""
    seat = state.seats.get(participant)
    if seat is not None:
        return RoomId(participant) if is_room(seat) else seat.room
    planned = state.plan.room(participant)
    return planned.id if planned is not None else None


def assistants_here(state: LessonState, room: RoomId | None) -> list[ParticipantId]:
    """Returns the assistants of a class who have a line."""
    return [
        participant
        for participant, seat in state.seats.items()
        if seat.role is Role.ASSISTANT and seat.room == room and seat.presence == "present"
    ]


def must_be_live(state: LessonState) -> None:
    """Refuses what makes no sense before the bell."""
    if state.phase != "live":
        raise Conflict("not_live", "还没有上课。", "The lesson has not begun yet.")
