"""The bank: how answers come in, what is found, what leads back to a pupil (nothing)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.desk.content.kept import DESK, EVENING, Kept, picture
from twinclass_recordings.library.shelf import Change, Recorded, Shelf
from twinclass_server.desk.content import models
from twinclass_server.desk.content.bank_index import BankCard, BankIndex
from twinclass_server.desk.content.sample import put_sample
from twinclass_signaling.roles import Role
from twinclass_signaling.tokens import TokenError

EQUATION = "解方程 3x + 5 = 20，为什么移项要变号？"
TRIANGLE = "直角三角形两条直角边是 3 和 4，怎样用勾股定理求斜边？"
BUOYANCY = "木块浮在水面上，浮力等于重力吗？密度怎样影响浮力？"


def card(key: int, text: str, **more: object) -> BankCard:
    about = {"subject": "maths", "grade": 7, "points": (), "answer_text": "", "helpful": 0,
             "not_helpful": 0} | more  # fmt: skip
    return BankCard(
        key=key, id=f"b-{key}", desk=DESK, question="c-1", answer="c-2", question_text=text,
        thumb=None, **about,  # type: ignore[arg-type]
    )  # fmt: skip


def filled() -> BankIndex:
    index = BankIndex()
    index.put(card(1, EQUATION, points=("equation",), helpful=3))
    index.put(card(2, TRIANGLE, grade=8, points=("pythagoras",)))
    index.put(card(3, BUOYANCY, subject="physics", grade=8))
    for number in range(4, 60):
        index.put(card(number, f"第 {number} 题：把分数 {number}/7 化成小数。", grade=7))
    return index


@pytest.mark.parametrize(
    ("subject", "grade", "points", "text", "found"),
    [
        ("maths", 7, (), "移项为什么要变号呢？比如 3x+5=20", [1]),
        ("maths", 8, (), "用勾股定理求直角三角形的斜边，直角边 6 和 8", [2]),
        # A year apart is near enough, another subject is not.
        ("maths", 7, (), "勾股定理怎样求斜边？直角边是 3 和 4", [2]),
        ("physics", 7, (), TRIANGLE, []),
        ("maths", 9, (), EQUATION, []),
        # Nothing in common but words that are everywhere.
        ("maths", 7, (), "为什么圆的面积是这样求的？", []),
        # A photo alone: by its points.
        ("maths", 7, ("equation",), "", [1]),
        ("maths", 7, (), "", []),
        ("maths", 7, ("unknown",), "", []),
    ],
)
def test_questions_that_read_alike_are_found(
    subject: str, grade: int, points: tuple[str, ...], text: str, found: list[int]
) -> None:
    assert [one.key for one in filled().alike(subject, grade, points, text)] == found


def test_what_helped_others_comes_first_and_three_are_enough() -> None:
    index = BankIndex()
    for number in range(1, 6):
        index.put(card(number, EQUATION, helpful=number, not_helpful=5 - number))
    assert [one.key for one in index.alike("maths", 7, (), EQUATION)] == [5, 4, 3]


def test_a_search_needs_most_of_its_words() -> None:
    index = filled()
    cards, total = index.search("勾股定理", "", None, "", 0)
    assert ([one.key for one in cards], total) == ([2], 1)
    assert index.search("勾股定理", "physics", None, "", 0)[1] == 0
    assert index.search("勾股定理", "maths", 7, "", 0)[1] == 0
    assert [one.key for one in index.search("", "", None, "equation", 0)[0]] == [1]
    cards, total = index.search("", "maths", 7, "", 0)
    assert (len(cards), total) == (24, 57)
    assert cards[0].key == 1, "helped three"
    assert len(index.search("", "maths", 7, "", 2)[0]) == 57 - 48


def test_an_entry_is_found_as_it_reads_now() -> None:
    index = filled()
    index.put(card(1, BUOYANCY))
    assert index.search("移项", "", None, "", 0)[1] == 0
    assert index.search("浮力", "maths", None, "", 0)[1] == 1
    index.remove(1)
    assert index.find("b-1") is None
    assert index.search("浮力", "maths", None, "", 0)[1] == 0
    assert index.dead == 2


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_looked_for_and_finds_itself(stored: str, asked: str) -> None:
    index = BankIndex()
    index.put(card(1, stored))
    index.alike("maths", 7, (), asked)
    index.search(asked, "", None, "", 0)
    if any(character.isalnum() for character in stored):
        assert index.search(stored, "", None, "", 0)[1] == 1


def test_a_large_bank_answers_in_well_under_three_seconds() -> None:
    index = BankIndex()
    for number in range(5_000):
        index.put(card(number, f"{EQUATION}{number % 97}{TRIANGLE[number % 20 :]}"))
    began = time.perf_counter()
    assert len(index.alike("maths", 7, (), EQUATION + TRIANGLE)) == 3
    assert time.perf_counter() - began < 1


async def resolved(kept: Kept, question: str = EQUATION) -> int:
    """A question with a photo, its answer, and the proposal of both."""
    asked = await kept.content(text=question, photos=[await kept.photo()])
    drawn = await kept.photo(kept.tutor(), picture(seed=2))
    answer = await kept.content(kept.tutor(), text="移到另一边要变号：$3x=15$。", photos=[drawn])
    number = kept.store.bank_desk.propose(DESK, "maths", 7, ["equation"], asked, answer)
    assert number is not None
    again = kept.store.bank_desk.propose(DESK, "maths", 7, ["equation"], asked, answer)
    assert again is None, "proposed once"
    return number


async def test_a_moderator_publishes_and_nothing_leads_back_to_the_pupil(both: list[Kept]) -> None:
    for kept in both:
        number = await resolved(kept)
        moderator = kept.as_(Role.MODERATOR, "moderator")
        path = f"/api/desk/bank/review/{number}"
        assert (await kept.http.get("/api/desk/bank", headers=kept.pupil())).json()["total"] == 0
        waiting = (await kept.http.get("/api/desk/bank/review", headers=moderator)).json()
        [one] = waiting["answers"]
        assert (one["id"], len(one["question"]["photos"])) == (number, 1)
        verdict = {"publish": True, "question_text": EQUATION + "（改写）"}
        for who, status in (
            (kept.tutor(), 403),
            (kept.as_(Role.MODERATOR, "other", desk="grade-8"), 404),
            (moderator, 204),
            (moderator, 404),
        ):
            answer = await kept.http.post(path, json=verdict, headers=who)
            assert answer.status_code == status
        found = await kept.http.get("/api/desk/bank?q=移项", headers=kept.pupil())
        [entry] = found.json()["entries"]
        assert entry["question"] == EQUATION + "（改写）"
        assert entry["rating"] is None
        assert entry["thumb"] is None, "the pupil's photo was not let through"
        whole = await kept.http.get(f"/api/desk/bank/{entry['entry']}", headers=kept.pupil())
        assert whole.json()["question"]["photos"] == []
        [photo] = whole.json()["answer"]["photos"]
        assert (await kept.http.get(photo["url"])).status_code == 200
        assert "pupil-1" not in whole.text
        with kept.database.session() as session:
            kept_rows = session.query(models.Content).filter_by(keep_until=None)
            assert {row.author for row in kept_rows} == {""}
            owners = session.query(models.Media).filter_by(keep_until=None)
            assert {row.owner for row in owners} == {""}
        # What it was made of goes, what the bank has stays.
        kept.wait(days=40)
        kept.store.retention.run()
        assert (await kept.http.get("/api/desk/bank", headers=kept.pupil())).json()["total"] == 1
        later = await kept.http.get(f"/api/desk/bank/{entry['entry']}", headers=kept.pupil())
        again = await kept.http.get(later.json()["answer"]["photos"][0]["url"])
        assert again.status_code == 200


async def test_a_pupil_s_photo_goes_along_only_when_a_moderator_says_so(kept: Kept) -> None:
    number = await resolved(kept)
    answer = await kept.http.post(
        f"/api/desk/bank/review/{number}",
        json={"publish": True, "question_photos": True},
        headers=kept.as_(Role.MODERATOR, "moderator"),
    )
    assert answer.status_code == 204
    [entry] = (await kept.http.get("/api/desk/bank", headers=kept.pupil())).json()["entries"]
    assert (await kept.http.get(entry["thumb"])).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        ({"publish": True, "question_text": " "}, "bank_text_needed"),
        ({"publish": True, "answer_text": "加我微信 abc12345"}, "text_blocked"),
        ({"publish": True, "points": ["p"] * 6}, "body_malformed"),
    ],
)
async def test_what_nobody_should_read_is_not_published(
    kept: Kept, verdict: dict[str, object], code: str
) -> None:
    number = await resolved(kept)
    moderator = kept.as_(Role.MODERATOR, "moderator")
    answer = await kept.http.post(
        f"/api/desk/bank/review/{number}", json=verdict, headers=moderator
    )
    assert answer.json()["code"] == code
    waiting = (await kept.http.get("/api/desk/bank/review", headers=moderator)).json()
    assert len(waiting["answers"]) == 1, "it waits still"


async def test_what_is_refused_or_withdrawn_goes(kept: Kept) -> None:
    moderator = kept.as_(Role.MODERATOR, "moderator")
    refused = await resolved(kept)
    await kept.http.post(
        f"/api/desk/bank/review/{refused}", json={"publish": False}, headers=moderator
    )
    published = await resolved(kept, TRIANGLE)
    await kept.http.post(
        f"/api/desk/bank/review/{published}", json={"publish": True}, headers=moderator
    )
    [entry] = (await kept.http.get("/api/desk/bank", headers=moderator)).json()["entries"]
    path = f"/api/desk/bank/{entry['entry']}"
    assert (await kept.http.delete(path, headers=kept.tutor())).status_code == 403
    assert (await kept.http.delete(path, headers=moderator)).status_code == 204
    assert (await kept.http.get(path, headers=kept.pupil())).status_code == 404
    kept.store.retention.run()
    with kept.database.session() as session:
        assert session.query(models.BankEntry).count() == 0
    acts = [line.act for line in kept.store.audit.of(DESK)]
    assert acts == ["bank_withdrawn", "bank_published", "bank_refused"]


async def test_each_pupil_has_one_voice_and_five_make_a_rating(both: list[Kept]) -> None:
    for kept in both:
        number = await resolved(kept)
        await kept.http.post(
            f"/api/desk/bank/review/{number}",
            json={"publish": True},
            headers=kept.as_(Role.MODERATOR, "moderator"),
        )
        [entry] = (await kept.http.get("/api/desk/bank", headers=kept.pupil())).json()["entries"]
        path = f"/api/desk/bank/{entry['entry']}/helpful"
        assert (
            await kept.http.post(path, json={"helpful": True}, headers=kept.tutor())
        ).status_code == 403
        for pupil, helpful in ((1, False), (1, True), (2, True), (3, True), (4, True), (5, False)):
            answer = await kept.http.post(
                path, json={"helpful": helpful}, headers=kept.pupil(pupil)
            )
            assert answer.status_code == 204
        kept.store.bank.refresh()
        [entry] = (await kept.http.get("/api/desk/bank", headers=kept.pupil())).json()["entries"]
        assert entry["rating"] == 4.0
        with kept.database.session() as session:
            names = {row.pupil for row in session.query(models.BankVote)}
        assert len(names) == 5
        assert not any("pupil" in name for name in names)


async def test_the_host_asks_with_what_was_stored(kept: Kept) -> None:
    number = await resolved(kept)
    await kept.http.post(
        f"/api/desk/bank/review/{number}",
        json={"publish": True},
        headers=kept.as_(Role.MODERATOR, "moderator"),
    )
    asked = await kept.content(kept.pupil(2), text="3x+5=20 移项要变号吗，为什么？")
    [found] = await kept.store.search("maths", 7, [], asked)
    assert found.startswith("b-")
    photo = await kept.content(kept.pupil(2), photos=[await kept.photo(kept.pupil(2))])
    assert await kept.store.search("maths", 7, ["equation"], photo) == [found]
    assert await kept.store.search("maths", 7, [], "c-gone") == []


async def test_chapters_and_points_are_named(kept: Kept) -> None:
    shelf = Shelf(kept.database.session)
    taught = datetime(2026, 11, 2, tzinfo=UTC)
    shelf.take(Recorded("lesson-1", "lesson-1", "一元一次方程", "", taught, 60, 1, "t", "示例老师"))
    kept.store.bank_desk.set_points([("equation", "maths", "移项")])
    asked, answer = await kept.content(text=EQUATION), await kept.content(kept.tutor(), text="变号")
    number = kept.store.bank_desk.propose(
        DESK, "maths", 7, ["equation"], asked, answer, "lesson-1", 612
    )
    await kept.http.post(
        f"/api/desk/bank/review/{number}",
        json={"publish": True},
        headers=kept.as_(Role.MODERATOR, "moderator"),
    )
    [entry] = (await kept.http.get("/api/desk/bank", headers=kept.pupil())).json()["entries"]
    assert entry["points"] == [{"id": "equation", "name": "移项"}]
    assert entry["chapter"]["title"] == "一元一次方程"
    # A recording that is its lead's own is named, and opened to nobody.
    assert entry["chapter"]["url"] is None
    shelf.change("lesson-1", Change(visibility="city"))
    entry = (await kept.http.get(f"/api/desk/bank/{entry['entry']}", headers=kept.pupil())).json()
    path, _, token = entry["chapter"]["url"].partition("#token=")
    assert path == "/library/lesson/lesson-1?t=612"
    claims = kept.keys.verify_chapter(token, kept.second())
    assert (claims.entry, claims.sub, claims.role) == ("lesson-1", "pupil-1", Role.PUPIL)
    with pytest.raises(TokenError):
        kept.keys.verify_chapter(token, kept.second() + 2 * 3600)
    shelf.remove("lesson-1")
    gone = await kept.http.get(f"/api/desk/bank/{entry['entry']}", headers=kept.pupil())
    assert gone.json()["chapter"] is None
    points = await kept.http.get("/api/desk/points", headers=kept.pupil())
    assert points.json()["points"] == [{"id": "equation", "subject": "maths", "name": "移项"}]


@pytest.mark.parametrize(
    ("query", "code"),
    [("q=" + "长" * 201, "question_too_long"), ("grade=x", "page_malformed"),
     ("page=-1", "page_malformed")],
)  # fmt: skip
async def test_what_is_no_search_is_refused(kept: Kept, query: str, code: str) -> None:
    answer = await kept.http.get(f"/api/desk/bank?{query}", headers=kept.pupil())
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_the_sample_is_put_into_an_empty_bank_once(kept: Kept) -> None:
    for _ in range(2):
        put_sample(kept.store, DESK, EVENING)
    found = (await kept.http.get("/api/desk/bank?q=移项变号", headers=kept.pupil())).json()
    [entry] = found["entries"]
    assert entry["points"] == [{"id": "maths-equation", "name": "一元一次方程"}]
    assert (await kept.http.get("/api/desk/bank", headers=kept.pupil())).json()["total"] == 6
    assert kept.store.bank.alike("maths", 7, [], "3x+5=20 移项为什么变号") == [entry["entry"]]
