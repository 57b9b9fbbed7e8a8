"""Who sees and hears whom in live help."""

from __future__ import annotations

import pytest

from twinclass_signaling.desk.commands import LiveKind
from twinclass_signaling.desk.media_policy import MAX_VOICES, Publication, seats, subscriptions
from twinclass_signaling.desk.plan import SessionNumber
from twinclass_signaling.desk.state import Member, Session
from twinclass_signaling.ids import ParticipantId, PersonId

TUTOR, FIRST = ParticipantId("tutor"), ParticipantId("pupil-1")


def session(*pupils: str, many: bool = False) -> Session:
    kind: LiveKind = "one_to_many" if many else "one_to_one"
    found = Session(SessionNumber(1), kind, PersonId("t"), "maths", 7, (), 0.0, 600.0, None)
    found.members.update({PersonId(one): Member(0.0, None) for one in pupils})
    return found


def shown(
    seat: ParticipantId, of: Session, published: set[Publication]
) -> dict[tuple[str, int, str], ParticipantId]:
    slots = subscriptions(seat, of, list(seats(of).values()), published)
    return {
        (slot.use, slot.index, slot.source): slot.participant
        for slot in slots
        if slot.participant is not None
    }


def test_two_hear_each_other_before_either_speaks() -> None:
    alone = session("p")
    assert shown(FIRST, alone, set())["stage", 0, "microphone"] == TUTOR
    assert shown(TUTOR, alone, set())["stage", 0, "microphone"] == FIRST


@pytest.mark.parametrize("many", [False, True])
def test_a_screen_is_there_while_it_is_shared(many: bool) -> None:
    some = session("p", "q", many=many)
    assert ("screen", 0, "screen") not in shown(FIRST, some, {(TUTOR, "camera")})
    assert shown(FIRST, some, {(TUTOR, "screen")})["screen", 0, "screen"] == TUTOR
    assert ("screen", 0, "screen") not in shown(TUTOR, some, {(TUTOR, "screen")})


def test_a_group_hears_those_who_send_and_not_too_many() -> None:
    some = session(*"abcdefg", many=True)
    sending: set[Publication] = {(ParticipantId(f"pupil-{n}"), "microphone") for n in range(2, 8)}
    heard = [
        who for (_, _, source), who in shown(FIRST, some, sending).items() if source == "microphone"
    ]
    assert heard[0] == TUTOR
    assert len(heard) == 1 + MAX_VOICES
    assert FIRST not in heard


def test_who_has_left_has_no_seat_and_the_others_keep_theirs() -> None:
    some = session("a", "b")
    some.members[PersonId("a")].left_at = 5.0
    assert seats(some) == {PersonId("t"): TUTOR, PersonId("b"): ParticipantId("pupil-2")}
