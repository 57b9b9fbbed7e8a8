"""Knowledge points and solved questions from a table, as a school's own bank has them (shell).

A table is a CSV file with headers in Chinese or English. Reading the same table again
changes nothing; an answer that reads otherwise is another entry.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from twinclass_server.desk.content.bank_desk import Imported
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.content.media import Author
from twinclass_server.roster.csv_file import Table
from twinclass_signaling.desk.plan import Desk
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.roles import Role

#: A publisher's bank of all subjects; the index of so many takes about 100 MiB.
MAX_ROWS = 100_000
#: What is listed of what was wrong; whoever mends a table mends its first errors first.
MAX_ERRORS = 100
_POINTS = Table(
    {"id": ("编号", "知识点编号"), "subject": ("学科",), "name": ("名称", "知识点名称")},
    ("id", "subject", "name"),
    MAX_ROWS,
)
_ENTRIES = Table(
    {
        "subject": ("学科",),
        "grade": ("年级",),
        "points": ("知识点",),
        "question": ("题目",),
        "answer": ("解答", "答案"),
    },
    ("subject", "grade", "question", "answer"),
    MAX_ROWS,
)


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


def import_points(content: DeskContent, data: bytes) -> Report:
    """Takes knowledge points in; a known one gets its new name. Blocks.

    Raises:
        CsvProblem: it cannot be read on.
    """
    report, found = Report(), dict[str, tuple[str, str, str]]()
    for row in _POINTS.rows(data):
        point = (row.get("id"), row.get("subject"), row.get("name"))
        if not all(point) or max(map(len, point)) > 64:
            report.refuse(
                row.line,
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
        CsvProblem: it cannot be read on.
    """
    report = Report()
    author = Author("import", Role.OPERATOR, desk.id, "")
    for row in _ENTRIES.rows(data):
        subject, grade = row.get("subject"), row.get("grade")
        if subject not in desk.subjects or not grade.isdecimal() or int(grade) not in desk.grades:
            report.refuse(
                row.line,
                f"学科或年级不属于这个答疑台：学科 {'、'.join(desk.subjects)}，"
                f"年级 {'、'.join(map(str, desk.grades))}。",
                f"Subject or grade is not this desk's: {', '.join(desk.subjects)}; "
                f"{', '.join(map(str, desk.grades))}.",
            )
            continue
        points = tuple(row.get("points").replace("；", " ").replace(";", " ").split())[:8]
        made = Imported(subject, int(grade), points, row.get("question"), row.get("answer"))
        source = hashlib.sha256(f"{made.question}\0{made.answer}".encode()).hexdigest()[:24]
        try:
            if content.bank_desk.publish(author, f"i-{source}", made):
                report.created += 1
            else:
                report.known += 1
        except SignalingError as error:
            report.refuse(row.line, error.zh, error.en)
    return report
