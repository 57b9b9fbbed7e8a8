"""A bank and its knowledge points from tables, by the command as an operator gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.desk.content.kept import Kept
from twinclass_server.cli import main
from twinclass_server.desk.content.bank_import import import_entries, import_points
from twinclass_server.roster.csv_file import CsvProblem

POINTS = "编号,学科,名称\nrational,maths,有理数\nequation,maths,方程\n,maths,没有编号\n"
ENTRIES = (
    "学科,年级,知识点,题目,解答\n"
    "maths,7,rational,为什么负负得正？,看规律。\n"
    'maths,7,equation rational,"解方程 $3x=6$，\n为什么两边同除以 3？","$x=2$"\n'
    "latin,7,,amo?,amo amas amat\n"
    "maths,15,,年级不对,不对\n"
    "maths,7,,请加我微信 abc12345,好的\n"
    "maths,7,,没有解答,\n"
)


def test_a_table_is_found_at_once_and_read_again_changes_nothing(both: list[Kept]) -> None:
    for kept in both:
        desk = kept.host.evenings.state.plan
        points = import_points(kept.store, POINTS.encode("gb18030"))
        assert (points.created, points.wrong) == (2, 1)
        report = import_entries(kept.store, desk, ENTRIES.encode())
        assert (report.created, report.known, report.wrong) == (2, 0, 4)
        assert [line for line, _, _ in report.errors] == [5, 6, 7, 8]
        kept.store.bank.refresh()
        [found] = kept.store.bank.alike("maths", 7, (), "老师，为什么负负得正？")
        again = import_entries(kept.store, desk, ENTRIES.encode())
        assert (again.created, again.known) == (0, 2)
        assert kept.store.bank.card(found).points == ("rational",)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "column_missing"),
        ("学科,年级,题目\nmaths,7,x\n".encode(), "column_missing"),
        ('学科,年级,题目,解答\nmaths,7,"x,y\n'.encode(), "csv_malformed"),
        (b"\xff\xfe\x00", "encoding_unknown"),
    ],
)
def test_what_is_no_table_is_refused(kept: Kept, data: bytes, code: str) -> None:
    with pytest.raises(CsvProblem) as caught:
        import_entries(kept.store, kept.host.evenings.state.plan, data)
    assert caught.value.code == code


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "bank.csv"
    table.write_text(ENTRIES, "utf-8")
    data = ["--data", str(tmp_path / "data")]
    assert main(["bank", "import", str(table), "--desk", "demo-desk", *data]) == 1
    said = capsys.readouterr()
    assert "taken 2" in said.out
    assert "bank.csv:5" in said.err
    assert main(["bank", "import", str(table), "--desk", "nowhere", *data]) == 2
    assert "demo-desk" in capsys.readouterr().err
    points = tmp_path / "points.csv"
    points.write_text("id,subject,name\np1,maths,有理数\n", "utf-8")
    assert main(["bank", "points", str(points), *data]) == 0
