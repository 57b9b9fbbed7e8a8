"""Which questions read alike, and which do not."""

from __future__ import annotations

import pytest

from server.desk.alike_pairs import ALIKE, DIFFERENT, MISSED
from twinclass_server.desk.alike import OpenTexts
from twinclass_signaling.desk.plan import QuestionId as Q


def texts(*said: str) -> OpenTexts:
    found = OpenTexts()
    for number, text in enumerate(said, 1):
        found.put(Q(number), text)
    return found


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_one_exercise_in_two_children_s_words_is_alike(first: str, second: str) -> None:
    assert texts(first, second).like(Q(1)) == (2,)
    assert texts(first, second).like(Q(2)) == (1,)


@pytest.mark.parametrize(("first", "second"), DIFFERENT + MISSED)
def test_two_exercises_of_one_kind_are_not_and_some_are_missed(first: str, second: str) -> None:
    assert texts(first, second).like(Q(1)) == ()


def test_each_exercise_is_found_among_all_others() -> None:
    said = [text for pair in ALIKE[2:] for text in pair]
    found = texts(*said)
    for number in range(1, len(said), 2):
        assert found.like(Q(number))[:1] == (number + 1,)
        assert found.like(Q(number + 1))[:1] == (number,)


def test_at_most_three_the_most_alike_first_and_the_oldest_of_equals() -> None:
    text = "解方程 x^2-5x+6=0，怎么因式分解？"
    found = texts(text, f"{text} 我算到一半", text, text, text)
    assert found.like(Q(5)) == (1, 3, 4)


def test_what_is_done_with_is_forgotten_and_what_is_new_asked_for() -> None:
    text = "解方程 x^2-5x+6=0，怎么因式分解？"
    found = texts(text, text)
    assert found.keep([Q(2), Q(3)]) == [3]
    found.put(Q(3), text)
    assert found.like(Q(3)) == (2,)
    assert found.keep([]) == []
    assert found.like(Q(3)) == ()
    assert found.keep([Q(3)]) == [3]


def test_a_photo_without_a_text_and_a_very_long_text_are_taken() -> None:
    found = texts("", "", "".join(map(chr, range(0x4E00, 0x9000))))
    assert found.like(Q(1)) == ()
    assert found.like(Q(3)) == ()
