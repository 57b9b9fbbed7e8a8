"""Codes that pair a tablet with a room; strokes on slides."""

from __future__ import annotations

import pytest

from twinclass_signaling import pairing
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import LessonId, RoomId
from twinclass_signaling.ink_messages import Ink
from twinclass_signaling.lesson.ink import MAX_STROKES_PER_PAGE, InkBook

LESSON, ROOM = LessonId("algebra"), RoomId("room-1")


def code_of(desk: pairing.PairingDesk, code: str, source: str, now: float) -> str:
    with pytest.raises(SignalingError) as caught:
        desk.claim(code, source, now)
    return caught.value.code


def test_a_code_leads_to_its_room_once() -> None:
    desk = pairing.PairingDesk()
    desk.offer(LESSON, ROOM, "123456", 0)
    paired = desk.claim("123 456", "tablet", 10)
    assert (paired.lesson, paired.room) == (LESSON, ROOM)
    assert code_of(desk, "123456", "tablet", 11) == "pairing_unknown"


def test_a_code_is_over_after_five_minutes_or_when_the_room_shows_the_next() -> None:
    desk = pairing.PairingDesk()
    assert desk.offer(LESSON, ROOM, "123456", 0) == pairing.CODE_TTL_S
    assert code_of(desk, "123456", "tablet", pairing.CODE_TTL_S) == "pairing_unknown"
    desk.offer(LESSON, ROOM, "111111", 400)
    desk.offer(LESSON, ROOM, "222222", 401)
    assert code_of(desk, "111111", "tablet", 402) == "pairing_unknown"
    assert desk.claim("222222", "tablet", 402).room == ROOM


def test_a_code_cannot_be_found_by_trying() -> None:
    desk = pairing.PairingDesk()
    desk.offer(LESSON, ROOM, "123456", 0)
    for number in range(pairing.MAX_WRONG_OF_SOURCE):
        assert code_of(desk, f"{number:06}", "thief", 1) == "pairing_unknown"
    assert code_of(desk, "123456", "thief", 2) == "pairing_tried"
    assert desk.claim("123456", "thief", 1 + pairing.WINDOW_S).room == ROOM


def test_many_thieves_are_one_thief() -> None:
    desk = pairing.PairingDesk()
    for number in range(pairing.MAX_WRONG):
        code_of(desk, "000000", f"thief-{number}", 1)
    assert code_of(desk, "000000", "another", 2) == "pairing_tried"


def test_two_rooms_never_show_the_same_code() -> None:
    desk = pairing.PairingDesk()
    desk.offer(LESSON, ROOM, "123456", 0)
    with pytest.raises(SignalingError) as caught:
        desk.offer(LESSON, RoomId("room-2"), "123456", 0)
    assert caught.value.code == "pairing_taken"


def test_pieces_of_a_stroke_become_one_and_survive_storage() -> None:
    book = InkBook()
    book.draw(Ink("doc-1", 7, "a", (1, 2), "blue", 20))
    piece = book.draw(Ink("doc-1", 7, "a", (3, 4), "red", 99))
    assert (piece.points, piece.color, piece.width) == ((3, 4), "blue", 20)
    again = InkBook()
    again.restore(("doc-1", 7), book.encode(("doc-1", 7)))
    assert again.strokes(("doc-1", 7)) == book.strokes(("doc-1", 7))
    assert again.strokes(("doc-1", 7))[0].points == (1, 2, 3, 4)
    again.restore(("doc-1", 8), b"{broken")
    assert again.strokes(("doc-1", 8)) == ()
    again.clear(("doc-1", 7))
    assert again.pages() == []


def test_a_page_holds_so_much_ink_and_no_more() -> None:
    book = InkBook()
    for number in range(MAX_STROKES_PER_PAGE):
        book.draw(Ink("doc-1", 1, str(number), (0, 0)))
    with pytest.raises(SignalingError) as caught:
        book.draw(Ink("doc-1", 1, "one more", (0, 0)))
    assert caught.value.code == "ink_full"
    with pytest.raises(SignalingError) as caught:
        book.draw(Ink("doc-1", 1, "0", (0, 0) * 500))
    assert caught.value.code == "ink_full"
    with pytest.raises(SignalingError) as caught:
        book.draw(Ink("doc-1", 2, "odd", (0, 0, 0)))
    assert caught.value.code == "ink_malformed"
