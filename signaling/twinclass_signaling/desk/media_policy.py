"""Who sees and hears whom in live help: pure rules, on seats.

A seat's name is what the media plane, recordings and pages know somebody by; ids of pupils never
leave the control plane. Slot 0 of the stage is the other of a one_to_one, and the tutor for whoever
is not the tutor; slot 1 the moderator; the rest are pupils with an open microphone or camera.
"""

from __future__ import annotations

from collections.abc import Collection

from twinclass_signaling.desk.state import Session
from twinclass_signaling.ids import ParticipantId, PersonId
from twinclass_signaling.ports import Grant, Subscription
from twinclass_signaling.roles import Role, Source

TUTOR = ParticipantId("tutor")
MODERATOR = ParticipantId("moderator")
#: Pupils of a one_to_many who are heard at once; more is noise.
MAX_VOICES = 4

_AUDIO_PRIORITY = 10
_SCREEN_PRIORITY = 20
_CAMERA_PRIORITY = 40

MAY_PUBLISH: dict[Role, tuple[Source, ...]] = {
    Role.TUTOR: ("camera", "screen", "microphone"),
    Role.PUPIL: ("camera", "microphone"),
    Role.MODERATOR: ("microphone",),
}
Publication = tuple[ParticipantId, Source]


def seats(session: Session) -> dict[PersonId, ParticipantId]:
    """Returns the seats of those who are in a session now. A pupil keeps her number."""
    found = {session.tutor: TUTOR}
    if session.moderator is not None:
        found[session.moderator] = MODERATOR
    for number, (pupil, member) in enumerate(session.members.items(), start=1):
        if member.left_at is None:
            found[pupil] = ParticipantId(f"pupil-{number}")
    return found


def role_of(seat: ParticipantId) -> Role:
    """Returns whose kind a seat is."""
    if seat == TUTOR:
        return Role.TUTOR
    return Role.MODERATOR if seat == MODERATOR else Role.PUPIL


def grants(seat: ParticipantId) -> list[Grant]:
    """Returns what a seat's sources may do."""
    return [Grant(source, open=True, full=True) for source in MAY_PUBLISH[role_of(seat)]]


def subscriptions(
    seat: ParticipantId, session: Session, present: Collection[ParticipantId],
    published: Collection[Publication],
) -> list[Subscription]:  # fmt: skip
    """Returns what a seat receives, with nobody in slots that wait."""
    pupils = [one for one in present if role_of(one) is Role.PUPIL and one != seat]
    if session.kind == "one_to_many":
        # Only who speaks or shows something needs a slot.
        loud = [one for one in pupils if any(who == one for who, _ in published)]
        pupils = loud[:MAX_VOICES]
    first = TUTOR if seat != TUTOR else pupils.pop(0) if pupils else None
    moderator = MODERATOR if MODERATOR in present and seat != MODERATOR else None
    # A moderator sees both of a one_to_one.
    more = MAX_VOICES if session.kind == "one_to_many" else int(seat == MODERATOR)
    shown = [first, moderator, *pupils, *[None] * more][: 2 + more]
    slots: list[Subscription] = []
    for index, who in enumerate(shown):
        slots.append(
            Subscription("stage", index, "microphone", who, priority=_AUDIO_PRIORITY + index)
        )
        if index != 1:
            slots.append(Subscription("stage", index, "camera", who, priority=_CAMERA_PRIORITY))
    if seat != TUTOR:
        # A page shows the screen in place of the board: only while there is one.
        sharer = TUTOR if (TUTOR, "screen") in published else None
        slots.append(Subscription("screen", 0, "screen", sharer, priority=_SCREEN_PRIORITY))
    return slots


def recorded(session: Session, published: Collection[Publication]) -> tuple[Publication, ...]:
    """Returns what of a session is recorded: all of it, always."""
    present = set(seats(session).values())
    return tuple(sorted(one for one in published if one[0] in present))
