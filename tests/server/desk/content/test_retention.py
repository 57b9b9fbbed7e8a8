"""What is past its time goes, files too, and there is proof of it."""

from __future__ import annotations

import msgspec
import pytest

from server.desk.content.kept import DESK, EVENING, Kept, picture, voice
from twinclass_server.desk.content import models, retention
from twinclass_server.desk.content.helps import HelpRecord
from twinclass_server.desk.content.retention import DeskReceipt
from twinclass_signaling.desk.commands import AskQuestion, CarryOver
from twinclass_signaling.ids import PersonId


def receipts(kept: Kept) -> list[DeskReceipt]:
    return [
        msgspec.json.decode(path.read_bytes(), type=DeskReceipt)
        for path in sorted((kept.folder / "proofs").glob("desk-*.json"))
    ]


async def test_a_week_after_the_question_is_done_nothing_is_left(both: list[Kept]) -> None:
    for kept in both:
        answer = await kept.send("voices", voice(), kept.pupil())
        sent = await kept.content(
            text="为什么？", photos=[await kept.photo()], voice=answer.json()["voice"]
        )
        assert kept.files() == 3, "photo, its thumbnail, voice"
        kept.store.contents.settle([sent])
        kept.wait(days=6.9)
        assert kept.store.retention.run() is None
        assert kept.store.contents.get(sent) is not None
        kept.wait(days=0.1)
        assert kept.store.contents.get(sent) is None, "hidden from the second on"
        assert kept.store.retention.overdue() == 3
        receipt = kept.store.retention.run()
        assert receipt is not None
        assert (receipt.left, receipt.files_left, receipt.files_gone) == (0, 0, 3)
        assert kept.files() == 0
        assert kept.store.retention.overdue() == 0
        with kept.database.session() as session:
            assert session.query(models.Content).count() == session.query(models.Media).count() == 0
        assert receipts(kept) == [receipt]
        proof = next((kept.folder / "proofs").iterdir()).read_text()
        assert sent in proof
        assert "pupil" not in proof
        assert kept.store.retention.run() is None


async def test_what_was_uploaded_and_never_sent_goes_after_a_day(kept: Kept) -> None:
    await kept.photo()
    kept.wait(days=1)
    kept.store.retention.run()
    assert kept.files() == 0


async def test_a_question_that_is_open_again_is_kept(kept: Kept) -> None:
    sent = await kept.content(photos=[await kept.photo()])
    kept.store.contents.settle([sent])
    kept.store.contents.unsettle([sent])
    kept.wait(days=29)
    assert kept.store.retention.run() is None
    kept.wait(days=1)
    assert kept.store.retention.run() is not None
    assert kept.files() == 0


async def test_a_file_that_two_have_goes_with_the_last(kept: Kept) -> None:
    same = picture(seed=9)
    first = await kept.content(photos=[await kept.photo(kept.pupil(1), same)])
    second = await kept.content(kept.pupil(2), photos=[await kept.photo(kept.pupil(2), same)])
    assert kept.files() == 2
    for sent, left in ((first, 2), (second, 0)):
        kept.store.contents.settle([sent])
        kept.wait(days=7)
        kept.store.retention.run()
        assert kept.files() == left


async def test_what_was_interrupted_is_finished_by_the_next_run(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kept.photo()
    kept.wait(days=1)
    with monkeypatch.context() as patched:
        patched.setattr(kept.store.media, "drop_unused", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            kept.store.retention.run()
    assert kept.files() == 2, "rows are gone, files are not"
    assert [one.deleted_at for one in receipts(kept)] == [""]
    assert kept.store.retention.run() is None, "nothing new is due"
    assert kept.files() == 0
    [receipt] = receipts(kept)
    assert receipt.deleted_at
    assert receipt.files_gone == 2


async def test_every_table_with_a_time_is_looked_at(both: list[Kept]) -> None:
    timed = {
        mapper.class_ for mapper in models.Base.registry.mappers if "keep_until" in mapper.columns
    }
    assert timed == {table for table, _ in retention._TABLES}
    for kept in both:
        await kept.http.post(
            "/api/desk/contents", json={"text": "打我电话 13800138000"}, headers=kept.pupil()
        )
        sent = await kept.content(text="明天再问")
        fact = CarryOver(PersonId("pupil-1"), 7, AskQuestion("maths", sent), kept.now.timestamp())
        kept.store.carried.put(DESK, EVENING, 1, fact)
        kept.store.helps.put(
            HelpRecord(DESK, EVENING, 1, "one_to_one", "t", "", "maths", kept.now, ("pupil-1",))
        )
        kept.store.ratings.add_text(kept.author(), 1, "tutor-1", "好")
        kept.store.bank_desk.propose(DESK, "maths", 7, [], sent, sent)
        kept.wait(days=181)
        receipt = kept.store.retention.run()
        assert receipt is not None
        assert {row.table for row in receipt.rows} == {
            table.__tablename__ for table in timed - {models.Media}
        }
        assert receipt.left == 0
        with kept.database.session() as session:
            for table in (*timed, models.HelpMember, models.BankVote):
                assert session.query(table).count() == 0


async def test_a_large_backlog_takes_several_runs(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_AT_ONCE", 3)
    for _ in range(7):
        await kept.content(text="1 + 1 = ?")
    kept.wait(days=30)
    runs = [kept.store.retention.run() for _ in range(4)]
    assert [0 if one is None else len(one.rows) for one in runs] == [3, 3, 1, 0]
    assert len(receipts(kept)) == 3, "the same second, and receipts of their own"
