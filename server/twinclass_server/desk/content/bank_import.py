"""Knowledge points and solved questions from a table, as a school's own bank has them (shell).

A table is a CSV file with headers in Chinese or English: ``read``. Reading the same table again
changes nothing; an answer that reads otherwise is another entry.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twinclass_server.desk.content.bank_desk import Imported
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.content.media import Author
from twinclass_server.roster.csv_file import MAX_FIELD, CsvProblem, decode
from twinclass_signaling.desk.plan import Desk
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.roles import Role

#: A publisher's bank of all subjects; the index of so many takes about 100 MiB.
MAX_ROWS = 100_000
#: What is listed of what was wrong; whoever mends a table mends its first errors first.
MAX_ERRORS = 100
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("编号", "知识点编号"),
    "name": ("名称", "知识点名称"),
    "subject": ("学科",),
    "grade": ("年级",),
    "points": ("知识点",),
    "question": ("题目",),
    "answer": ("解答", "答案"),
}
_BY_HEADER = {name: name for name in _COLUMNS} | {
    alias: name for name, aliases in _COLUMNS.items() for alias in aliases
}


@dataclass
class Report:
    """What came of a table. ``errors``: (line, Chinese, English), at most ``MAX_ERRORS``."""

    created: int = 0
    known: int = 0
    wrong: int = 0
    errors: list[tuple[int, str, str]] = field(default_factory=list)

    def refuse(self, line: int, zh: str, en: str) -> None:
        """Counts a row that was not taken."""
        self.wrong += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append((line, zh, en))


def read(data: bytes, *required: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields (line, cells by column) of a table's rows.

    Raises:
        CsvProblem: neither UTF-8 nor GB18030, a column is missing, too many rows, no CSV.
    """
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(io.StringIO(decode(data), newline=""), strict=True)
    try:
        names = [_BY_HEADER.get(cell.strip().lower()) for cell in next(reader, [])]
        missing = [name for name in required if name not in names]
        if missing:
            zh = "、".join(_COLUMNS[name][0] for name in missing)
            raise CsvProblem(
                "column_missing", f"缺少列：{zh}。", f"Columns missing: {', '.join(missing)}.", 1
            )
        line = reader.line_num + 1
        for count, cells in enumerate(reader):
            if count >= MAX_ROWS:
                raise CsvProblem(
                    "too_many_rows",
                    f"超过 {MAX_ROWS} 行，请分成几个文件。",
                    f"More than {MAX_ROWS} rows; split the file.",
                    line,
                )
            if any(cell.strip() for cell in cells):
                pairs = zip(names, cells, strict=False)
                yield line, {name: cell.strip() for name, cell in pairs if name is not None}
            line = reader.line_num + 1
    except csv.Error as error:
        raise CsvProblem(
            "csv_malformed",
            "这一行的引号或内容有误，后面的行没有读。",
            f"Quotes or contents are malformed ({error}); what follows was not read.",
            reader.line_num,
        ) from error


def import_points(content: DeskContent, data: bytes) -> Report:
    """Takes knowledge points in; a known one gets its new name. Blocks.

    Raises:
        CsvProblem: as ``read``.
    """
    report, found = Report(), dict[str, tuple[str, str, str]]()
    for line, row in read(data, "id", "subject", "name"):
        point = (row.get("id", ""), row.get("subject", ""), row.get("name", ""))
        if not all(point) or max(map(len, point)) > 64:
            report.refuse(
                line,
                "编号、学科、名称都要有，最长 64 个字。",
                "Id, subject and name, up to 64 each.",
            )
            continue
        found[point[0]] = point
    report.created = len(found)
    content.bank_desk.set_points(list(found.values()))
    return report


def import_entries(content: DeskContent, desk: Desk, data: bytes) -> Report:
    """Publishes solved questions. Blocks; what was read before an error stays.

    Raises:
        CsvProblem: as ``read``.
    """
    report = Report()
    author = Author("import", Role.OPERATOR, desk.id, "")
    for line, row in read(data, "subject", "grade", "question", "answer"):
        subject, grade = row.get("subject", ""), row.get("grade", "")
        if subject not in desk.subjects or not grade.isdecimal() or int(grade) not in desk.grades:
            report.refuse(
                line,
                f"学科或年级不属于这个答疑台：学科 {'、'.join(desk.subjects)}，"
                f"年级 {'、'.join(map(str, desk.grades))}。",
                f"Subject or grade is not this desk's: {', '.join(desk.subjects)}; "
                f"{', '.join(map(str, desk.grades))}.",
            )
            continue
        points = tuple(row.get("points", "").replace("；", " ").replace(";", " ").split())[:8]
        made = Imported(subject, int(grade), points, row.get("question", ""), row.get("answer", ""))
        source = hashlib.sha256(f"{made.question}\0{made.answer}".encode()).hexdigest()[:24]
        try:
            if content.bank_desk.publish(author, f"i-{source}", made):
                report.created += 1
            else:
                report.known += 1
        except SignalingError as error:
            report.refuse(line, error.zh, error.en)
    return report
