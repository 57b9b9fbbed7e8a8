"""Sessions: who holds a seat, who may have it back, who loses it."""

from __future__ import annotations

import pytest

from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import ParticipantId, SessionId
from twinclass_signaling.messages import Resume
from twinclass_signaling.roles import Role
from twinclass_signaling.session import Admission, SessionRecord, Sessions, hash_secret

SEAT = ParticipantId("room-1")


def offered(number: int) -> SessionRecord:
    return SessionRecord(
        SessionId(f"s{number}"), SEAT, Role.ROOM, None, hash_secret(f"secret{number}")
    )


def admit(
    sessions: Sessions,
    number: int,
    resume: tuple[str, str] | None = None,
    *,
    now: float = 0.0,
    use_here: bool = True,
) -> Admission:
    claim = None if resume is None else Resume(SessionId(resume[0]), resume[1])
    return sessions.admit(offered(number), claim, use_here=use_here, now=now)


def test_a_new_join_takes_the_seat_from_the_old_at_once() -> None:
    sessions = Sessions(60)
    admit(sessions, 1)
    second = admit(sessions, 2)
    assert not second.resumed
    assert second.fenced is not None
    assert second.fenced.session == "s1"
    assert [record.session for record in sessions] == ["s2"]


def test_a_page_that_asks_first_is_told_that_the_seat_is_taken() -> None:
    sessions = Sessions(60)
    admit(sessions, 1)
    with pytest.raises(Conflict) as caught:
        admit(sessions, 2, use_here=False)
    assert caught.value.code == "seat_taken"
    sessions.detach(SessionId("s1"), 5)
    assert not admit(sessions, 2, use_here=False, now=6).resumed


def test_a_secret_works_once_and_brings_the_next() -> None:
    sessions = Sessions(60)
    admit(sessions, 1)
    sessions.detach(SessionId("s1"), 10)
    back = admit(sessions, 2, ("s1", "secret1"), now=20)
    assert back.resumed
    assert back.record.session == "s1"
    replayed = admit(sessions, 3, ("s1", "secret1"), now=21)
    assert not replayed.resumed
    assert replayed.fenced is not None
    assert replayed.fenced.session == "s1"


def test_an_answer_that_was_lost_with_the_line_costs_nobody_the_seat() -> None:
    sessions = Sessions(60)
    admit(sessions, 1)
    assert admit(sessions, 2, ("s1", "secret1"), use_here=False).resumed
    # The second secret never arrived, and the server thinks that the page is there still.
    again = admit(sessions, 3, ("s1", "secret1"), use_here=False)
    assert not again.resumed
    assert again.fenced is not None
    assert again.fenced.session == "s1"
    with pytest.raises(Conflict):
        admit(sessions, 4, ("s1", "secret1"), use_here=False)


@pytest.mark.parametrize("claim", [("s1", "wrong"), ("s9", "secret1"), ("", "")])
def test_a_wrong_claim_is_a_new_join(claim: tuple[str, str]) -> None:
    sessions = Sessions(60)
    admit(sessions, 1)
    sessions.detach(SessionId("s1"), 10)
    assert not admit(sessions, 2, claim, now=11).resumed


def test_a_seat_is_kept_for_sixty_seconds() -> None:
    sessions = Sessions(60)
    admit(sessions, 1)
    assert sessions.expire(1e9) == []
    sessions.detach(SessionId("s1"), 100)
    assert sessions.expire(159) == []
    assert admit(Sessions(60, sessions), 2, ("s1", "secret1"), now=160).resumed
    sessions.detach(SessionId("s1"), 100)
    assert [record.session for record in sessions.expire(160)] == ["s1"]
    assert sessions.of(SEAT) is None
    assert sessions.detach(SessionId("s1"), 161) is None


def test_only_a_hash_of_the_secret_is_kept() -> None:
    assert "secret1" not in repr(offered(1))
