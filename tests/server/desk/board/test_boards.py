"""Shared boards: what is passed on, what is refused, and that nothing refused leaves a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, merge_updates

from twinclass_server.desk import board as board_module
from twinclass_server.desk.board import BURST, MAX_DEVICES, MAX_PLACED, Boards
from twinclass_server.desk.board_marks import MAX_TEXT
from twinclass_server.desk.board_update import MAX_CLOCK, MAX_UPDATE_BYTES, Mark
from twinclass_signaling.errors import Conflict, LimitExceeded

#: What the browsers' library (Yjs 13.6) has sent: two pieces of a stroke and a formula, taken back
#: and brought again, the stroke wiped, and that taken back.
FROM_A_BROWSER = tuple(
    bytes.fromhex(line)
    for line in (
        "01014d000801056d61726b73017605016b7701730169770261310163770372656401777d1e01707405000100028000",
        "01014d01884d00017605016b7701730169770261310163770372656401777d1e0170740a0005000680000700088000",
        "01014d02884d01017607016b77016601697702663101637705626c61636b01787da40101797dbcc904017a7db4070"
        "176770b5c667261637b317d7b327d00",
        "00014d010201",
        "00014d010101",
        "01014d03c84d004d01017605016b7701730169770261310163770372656401777d1e0170740a000500068000070"
        "0088000",
        "01014d04c84d014d02017607016b77016601697702663101637705626c61636b01787da40101797dbcc904017a7d"
        "b4070176770b5c667261637b317d7b327d00",
        "00014d0200010301",
        "01024d05484d00017605016b7701730169770261310163770372656401777d1e017074050001000280c84d004d03"
        "017605016b7701730169770261310163770372656401777d1e0170740a000500068000070008800"
        "0",
    )
)

#: A document of any kind: what its library may build, our types have no word for.
AnyDoc = Doc[Any]


def stroke(name: str = "a1", points: int = 3) -> Mark:
    return {"k": "s", "i": name, "c": "red", "w": 30, "p": bytes([0, 1, 0, 2, 128]) * points}


def words(text: str, kind: str = "t") -> Mark:
    return {"k": kind, "i": "t1", "c": "black", "x": 100, "y": 37_500, "z": 500, "v": text}


def photo(name: str = "p-abcdefgh234567ab") -> Mark:
    return {"k": "p", "i": "p1", "x": 0, "y": 0, "w": 10_000, "h": 8_000, "v": name}


class Page:
    """A member's page: what it draws, and what it is told."""

    def __init__(self, device: int) -> None:
        self.doc: Doc[Array[Mark]] = Doc(client_id=device)
        self.marks: Array[Mark] = self.doc.get("marks", type=Array)
        self.sent: list[bytes] = []
        self._subscription = self.doc.observe(lambda event: self.sent.append(event.update))

    def draw(self, *marks: Mark) -> bytes:
        self.marks.extend(list(marks))
        return self.sent[-1]

    def erase(self, index: int) -> bytes:
        del self.marks[index]
        return self.sent[-1]

    @property
    def shown(self) -> list[Mark]:
        return self.marks.to_py() or []


@pytest.fixture
def boards() -> Boards:
    made = Boards()
    made.open(1)
    return made


def shown(boards: Boards, session: int = 1) -> list[Mark]:
    page = Page(999)
    page.doc.apply_update(boards.state(session, b"", "looker", 1e9)[0])
    return page.shown


def refused(code: str, boards: Boards, update: bytes, member: str = "tutor") -> None:
    """Asserts that an update is refused and that the board is as before, to the byte."""
    before = boards.state(1, b"", "looker", 1e9)
    with pytest.raises((Conflict, LimitExceeded)) as raised:
        boards.apply(1, update, member, 0.0)
    assert raised.value.code == code
    assert raised.value.zh
    assert raised.value.en
    assert boards.state(1, b"", "looker", 1e9 + 10) == before


def test_what_one_draws_the_other_has(boards: Boards) -> None:
    tutor, pupil = Page(1), Page(2)
    for update in (tutor.draw(stroke()), tutor.draw(words("x^2", "f"), photo())):
        passed_on = boards.apply(1, update, "tutor", 0.0)
        assert passed_on is not None
        pupil.doc.apply_update(passed_on)
    back = boards.apply(1, pupil.erase(0), "pupil", 0.0)
    assert back is not None
    tutor.doc.apply_update(back)
    assert [mark["k"] for mark in tutor.shown] == ["f", "p"]
    assert tutor.shown == pupil.shown == shown(boards)


def test_takes_what_the_browsers_library_sends(boards: Boards) -> None:
    for update in FROM_A_BROWSER:
        assert boards.apply(1, update, "tutor", 0.0) is not None
    assert [(mark["k"], mark["i"]) for mark in shown(boards)] == [
        ("s", "a1"),
        ("s", "a1"),
        ("f", "f1"),
    ]


def test_what_is_known_is_not_passed_on_again(boards: Boards) -> None:
    page = Page(1)
    first, second = page.draw(stroke()), page.draw(stroke("b"))
    boards.apply(1, first, "tutor", 0.0)
    boards.apply(1, second, "tutor", 0.0)
    assert boards.apply(1, first, "tutor", 0.0) is None
    assert boards.apply(1, page.doc.get_update(), "tutor", 0.0) is None
    assert len(boards.take_unsaved(0.0)[1]) == 2


def test_a_page_that_comes_back_gets_what_it_lacks_and_sends_what_is_lacking(
    boards: Boards,
) -> None:
    tutor, pupil = Page(1), Page(2)
    first = boards.apply(1, tutor.draw(stroke()), "tutor", 0.0)
    assert first is not None
    pupil.doc.apply_update(first)
    boards.apply(1, tutor.draw(stroke("b")), "tutor", 0.0)
    pupil.draw(stroke("c"))  # While its line is away.
    missing, vector = boards.state(1, pupil.doc.get_state(), "pupil", 0.0)
    pupil.doc.apply_update(missing)
    passed_on = boards.apply(1, pupil.doc.get_update(vector), "pupil", 0.0)
    assert passed_on is not None
    tutor.doc.apply_update(passed_on)
    assert len(tutor.shown) == 3
    assert tutor.shown == pupil.shown == shown(boards)


def test_what_builds_on_something_missing_is_refused(boards: Boards) -> None:
    page = Page(1)
    first, second, third = page.draw(stroke()), page.draw(stroke("b")), page.draw(stroke("c"))
    refused("board_behind", boards, second)
    boards.apply(1, first, "tutor", 0.0)
    refused("board_behind", boards, third)
    other = Page(2)
    other.doc.apply_update(page.doc.get_update())
    refused("board_behind", boards, other.draw(stroke("d")), "pupil")
    refused("board_behind", boards, other.erase(2), "pupil")
    assert boards.apply(1, second, "tutor", 0.0) is not None


def test_what_is_erased_is_kept_for_who_opens_a_case(boards: Boards) -> None:
    page = Page(1)
    boards.apply(1, page.draw(words("一元二次方程", "t")), "tutor", 0.0)
    boards.apply(1, page.erase(0), "tutor", 0.0)
    assert shown(boards) == []
    archived = boards.close(1)
    assert "一元二次方程".encode() in archived
    assert not boards.is_open(1)
    with pytest.raises(Conflict, match="board_closed"):
        boards.apply(1, page.draw(stroke()), "tutor", 0.0)


def test_a_board_goes_on_from_what_was_written_down(boards: Boards) -> None:
    page = Page(1)
    boards.apply(1, page.draw(stroke(), words("甲")), "tutor", 0.0)
    written = boards.take_unsaved(10.0)[1]
    boards.apply(1, page.erase(0), "tutor", 10.5)
    assert boards.take_unsaved(10.9) == {}  # At most once a second.
    written += boards.take_unsaved(11.0)[1]
    boards.put_back(1, [b"\x00\x00"])
    assert boards.take_unsaved(12.0) == {1: [b"\x00\x00"]}

    again = Boards()
    again.restore(1, [*written[:1], b"broken", *written[1:]])
    assert shown(again) == shown(boards) == page.shown
    assert again.take_unsaved(99.0) == {}
    assert again.apply(1, page.draw(stroke("c")), "tutor", 0.0) is not None
    assert again.close(1) != b""


BAD_MARKS: tuple[Any, ...] = (
    {},
    {"k": "s"},
    {"k": "x", "i": "a"},
    {**stroke(), "more": 1},
    {**stroke(), "c": "javascript:"},
    {**stroke(), "c": 3},
    {**stroke(), "w": 0},
    {**stroke(), "w": 501},
    {**stroke(), "w": 3.5},
    {**stroke(), "p": b""},
    {**stroke(), "p": b"1234"},
    {**stroke(), "p": bytes(5 * 481)},
    {**stroke(), "p": "12345"},
    {**stroke(), "i": ""},
    {**stroke(), "i": "x" * 25},
    {**stroke(), "i": "<b>"},
    {**words("甲"), "x": -1},
    {**words("甲"), "y": 37_501},
    {**words("甲"), "z": 2_001},
    {**words("甲"), "v": ""},
    {**words("甲"), "v": "x" * (MAX_TEXT + 1)},
    {**words("甲"), "v": "x\u202ey"},
    {**words("甲"), "v": "x\x00y"},
    {**words("甲"), "v": ["甲"]},
    {**words("甲"), "v": True},
    {**words("甲"), "v": None},
    photo("https://example.org/p.png"),
    photo("p-short"),
    {**photo(), "w": 10_001},
)


@pytest.mark.parametrize("mark", BAD_MARKS, ids=str)
def test_marks_that_no_page_makes_are_refused(boards: Boards, mark: object) -> None:
    boards.apply(1, Page(1).draw(stroke()), "tutor", 0.0)
    made = _made(lambda doc: doc.get("marks", type=Array).append(mark))
    refused("board_update_bad", boards, made)


@pytest.mark.parametrize("value", ["a word", 7, [stroke()], None, b"12345"], ids=str)
def test_only_objects_stand_in_the_list(boards: Boards, value: object) -> None:
    made = _made(lambda doc: doc.get("marks", type=Array).append(value))
    refused("board_update_bad", boards, made)


def _xml(doc: AnyDoc) -> None:
    doc.get("x", type=XmlFragment).children.append(XmlElement("script"))


def _text(doc: AnyDoc) -> None:
    doc.get("marks", type=Text).insert(0, "hello")


OTHER_SHAPES: dict[str, Callable[[AnyDoc], object]] = {
    "another list": lambda doc: doc.get("other", type=Array).append(stroke()),
    "a map": lambda doc: doc.get("marks", type=Map).update({"a": stroke()}),
    "a text": _text,
    "markup": _xml,
    "a map in the list": lambda doc: doc.get("marks", type=Array).append(Map({"k": "s"})),
    "a document in the list": lambda doc: doc.get("marks", type=Array).append(Doc()),
}


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_other_shapes_of_documents_are_refused(boards: Boards, shape: str) -> None:
    refused("board_update_bad", boards, _made(OTHER_SHAPES[shape]))


def _made(build: Callable[[AnyDoc], object]) -> bytes:
    """Returns the update of a document that no page of ours has."""
    doc: AnyDoc = Doc(client_id=8)
    build(doc)
    return doc.get_update()


def test_contacts_in_text_and_formulas_are_refused(boards: Boards) -> None:
    for number, mark in enumerate(
        (words("加我微信 abc12345"), words(r"\text{打13800138000}", "f"), words("https://a.cn/b"))
    ):
        refused("text_blocked", boards, Page(number).draw(mark))
    assert boards.apply(1, Page(9).draw(words(r"x=\frac{-b}{2a}", "f")), "tutor", 0.0)


def test_nobody_draws_in_the_name_of_anothers_device(boards: Boards) -> None:
    tutor = Page(1)
    boards.apply(1, tutor.draw(stroke()), "tutor", 0.0)
    forger = Page(1)
    forger.doc.apply_update(tutor.doc.get_update())
    refused("board_update_bad", boards, forger.draw(stroke("forged")), "pupil")
    assert boards.apply(1, tutor.draw(stroke("mine")), "tutor", 0.0) is not None


def test_a_member_has_so_many_devices(boards: Boards) -> None:
    for device in range(MAX_DEVICES):
        boards.apply(1, Page(device).draw(stroke()), "pupil", float(device))
    refused("board_update_bad", boards, Page(MAX_DEVICES).draw(stroke()), "pupil")
    assert boards.apply(1, Page(MAX_DEVICES).draw(stroke()), "tutor", 0.0) is not None


def test_a_full_board_says_so_and_stays(boards: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(1)
    boards.apply(1, page.draw(stroke(points=400)), "tutor", 0.0)
    monkeypatch.setattr(board_module, "MAX_BOARD_BYTES", 4_000)
    refused("board_full", boards, page.draw(stroke("b", 400)))
    assert len(shown(boards)) == 1
    # What is on it may still be erased.
    other = Page(2)
    other.doc.apply_update(boards.state(1, b"", "pupil", 0.0)[0])
    assert boards.apply(1, other.erase(0), "pupil", 0.0) is not None


def test_texts_and_photos_are_counted(boards: Boards) -> None:
    page = Page(1)
    boards.apply(1, page.draw(*[words("甲")] * (MAX_PLACED - 1)), "tutor", 0.0)
    boards.apply(1, page.draw(photo()), "tutor", 100.0)
    refused("board_full", boards, Page(2).draw(words("乙")), "pupil")
    assert boards.apply(1, page.draw(stroke()), "tutor", 200.0) is not None


def test_too_many_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MAX_BOARDS", 2)
    boards = Boards()
    boards.open(1)
    boards.open(2)
    boards.open(2)
    with pytest.raises(LimitExceeded, match="board_none"):
        boards.open(3)
    boards.close(1)
    boards.open(3)


def test_a_member_who_sends_too_fast_waits_and_others_do_not(boards: Boards) -> None:
    page, other = Page(1), Page(2)
    for _ in range(int(BURST / 2)):
        boards.apply(1, page.draw(stroke()), "pupil", 5.0)
    with pytest.raises(LimitExceeded, match="board_fast") as raised:
        _keep_drawing(boards, page, int(BURST))
    assert 0 < raised.value.retry_after_s < 1
    assert boards.apply(1, other.draw(stroke()), "tutor", 5.0) is not None
    missing, vector = boards.state(1, page.doc.get_state(), "pupil", 6.0)
    assert missing != b"\x00\x00"
    assert boards.apply(1, page.doc.get_update(vector), "pupil", 6.0) is not None
    with pytest.raises(LimitExceeded, match="board_fast"):
        _keep_asking(boards, 20)


def _keep_drawing(boards: Boards, page: Page, times: int) -> None:
    for _ in range(times):
        boards.apply(1, page.draw(stroke()), "pupil", 5.0)


def _keep_asking(boards: Boards, times: int) -> None:
    for _ in range(times):
        boards.state(1, b"", "pupil", 6.0)


def test_twenty_pieces_a_second_are_never_too_fast(boards: Boards) -> None:
    page = Page(1)
    for piece in range(20 * 60):
        update = page.draw(stroke(points=12))
        assert boards.apply(1, update, "pupil", piece / 20) is not None


# ---- whatever comes ------------------------------------------------------------------------


def uint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


HUGE = 2**64 - 1
STARTS = (
    uint(1) + uint(1) + uint(HUGE) + uint(0),  # A device with a huge number.
    uint(1) + uint(1) + uint(5) + uint(HUGE),  # A huge clock.
    uint(1) + uint(HUGE) + uint(5) + uint(0),  # A huge count of structs.
    uint(HUGE),
    uint(1) + uint(1) + uint(5) + uint(0) + b"\x01\x01\x05marks" + uint(HUGE) + b"\x00",
    uint(1) + uint(1) + uint(5) + uint(0) + b"\x01\x01\x05marks" + uint(MAX_CLOCK + 1) + b"\x00",
    uint(1) + uint(1) + uint(5) + uint(0) + b"\x01\x01\x05marks\x00\x00",  # Nothing of something.
    uint(1) + uint(1) + uint(5) + uint(0) + b"\x00\x05\x00",  # GC
    uint(1) + uint(1) + uint(5) + uint(0) + b"\x0a\x05\x00",  # Skip
    uint(0) + uint(1) + uint(5) + uint(1) + uint(0) + uint(HUGE),
    uint(0) + uint(HUGE),
    uint(1) + uint(1) + uint(5) + uint(0) + b"\x88\x05\x00\x01\x76" + uint(HUGE),
    # Its own left neighbour.
    uint(1) + uint(1) + uint(5) + uint(0) + b"\x81\x05\x00\x01\x00",
    b"\x80" * 100,
)


@pytest.mark.parametrize("update", STARTS, ids=bytes.hex)
def test_impossible_numbers_are_refused(boards: Boards, update: bytes) -> None:
    before = boards.state(1, b"", "looker", 0.0)
    with pytest.raises(Conflict):
        boards.apply(1, update, "tutor", 0.0)
    assert boards.state(1, b"", "looker", 0.0) == before


def test_an_update_that_is_too_long_is_refused(boards: Boards) -> None:
    update = Page(1).draw(*[stroke(points=480)] * 21)
    assert len(update) > MAX_UPDATE_BYTES
    refused("board_update_bad", boards, update)


def _some_update() -> bytes:
    page = Page(7)
    page.draw(stroke())
    page.draw(words("x^2", "f"), photo())
    page.erase(0)
    return merge_updates(*page.sent)


SOME = _some_update()


def _hold(update: bytes) -> None:
    """Asserts that a board takes an update or refuses it, and works as before after it."""
    boards = Boards()
    boards.open(1)
    tutor = Page(1)
    boards.apply(1, tutor.draw(stroke()), "tutor", 0.0)
    before = boards.state(1, b"", "looker", 0.0)
    try:
        passed_on = boards.apply(1, update, "pupil", 0.0)
    except Conflict:
        assert boards.state(1, b"", "looker", 0.0) == before
    else:
        if passed_on is not None:
            tutor.doc.apply_update(passed_on)
    passed_on = boards.apply(1, tutor.draw(stroke("after")), "tutor", 0.0)
    assert passed_on is not None
    assert shown(boards) == tutor.shown
    again = Boards()
    again.restore(1, boards.take_unsaved(5.0)[1])
    assert shown(again) == tutor.shown


@given(st.binary(max_size=300))
@example(b"")
def test_noise_does_no_harm(update: bytes) -> None:
    _hold(update)


@given(st.integers(0, len(SOME) - 1))
def test_a_piece_of_an_update_does_no_harm(end: int) -> None:
    _hold(SOME[:end])


@given(st.lists(st.tuples(st.integers(0, len(SOME) - 1), st.integers(0, 255)), max_size=4))
def test_an_update_with_other_bytes_does_no_harm(changes: list[tuple[int, int]]) -> None:
    update = bytearray(SOME)
    for at, byte in changes:
        update[at] = byte
    _hold(bytes(update))


@given(st.binary(max_size=60))
@example(b"\x01\x07" + uint(HUGE))
@example(b"\x01\x07\x64")
def test_vectors_of_any_kind_do_no_harm(vector: bytes) -> None:
    boards = Boards()
    boards.open(1)
    boards.apply(1, SOME, "pupil", 0.0)
    try:
        missing, _ = boards.state(1, vector, "pupil", 0.0)
    except Conflict:
        pass
    else:
        Page(9).doc.apply_update(missing)
    assert [mark["k"] for mark in shown(boards)] == ["f", "p"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from(["draw", "erase", "hear", "return"]), st.integers(0)
        ),
        max_size=40,
    )
)
def test_pages_agree_in_the_end(steps: list[tuple[int, str, int]]) -> None:
    boards = Boards()
    boards.open(1)
    pages = [Page(10), Page(11), Page(12)]
    waiting: list[list[bytes]] = [[], [], []]

    def send(who: int, update: bytes) -> None:
        passed_on = boards.apply(1, update, f"member-{who}", 1e6 * len(steps))
        if passed_on is not None:
            for other in range(3):
                if other != who:
                    waiting[other].append(passed_on)

    def hear(who: int) -> None:
        for update in waiting[who]:
            pages[who].doc.apply_update(update)
        waiting[who].clear()

    for number, (who, what, chance) in enumerate(steps):
        page = pages[who]
        match what:
            case "draw":
                send(who, page.draw(stroke(f"s{number}")))
            case "erase":
                if page.shown:
                    send(who, page.erase(chance % len(page.shown)))
            case "hear":
                hear(who)
            case _:
                waiting[who].clear()
                missing, _ = boards.state(1, page.doc.get_state(), f"m{number}", 0.0)
                page.doc.apply_update(missing)
    for who in range(3):
        hear(who)
    assert pages[0].shown == pages[1].shown == pages[2].shown == shown(boards)
