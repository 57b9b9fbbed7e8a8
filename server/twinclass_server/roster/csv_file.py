"""A CSV file as schools have it: UTF-8 or GB18030, headers in Chinese or English."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["schools", "classes", "people", "enrolments", "guardians", "consents"]

#: 500,000 pupils with some columns each; a province's list is split by city.
MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS = 500_000
#: No column of ours is longer; a cell beyond it is a broken quote that swallowed the file.
MAX_FIELD = 20_000

#: File names, without ``.csv``; the order is the one in which they refer to each other.
FILES: dict[str, Kind] = {
    "schools": "schools", "学校": "schools",
    "classes": "classes", "班级": "classes",
    "people": "people", "人员": "people",
    "enrolments": "enrolments", "enrollments": "enrolments", "在班": "enrolments",
    "guardians": "guardians", "监护人": "guardians",
    "consents": "consents", "录制同意": "consents",
}  # fmt: skip
ORDER: tuple[Kind, ...] = (
    "schools", "classes", "people", "enrolments", "guardians", "consents",
)  # fmt: skip

_COLUMNS: dict[str, tuple[str, ...]] = {
    "school_id": ("学校编号", "schoolsourcedid", "orgsourcedid"),
    "school_name": ("学校名称", "学校"),
    "class_id": ("班级编号", "classsourcedid"),
    "class_name": ("班级名称", "班级"),
    "grade": ("年级",),
    "person_id": ("人员编号", "编号", "学号", "usersourcedid"),
    "name": ("姓名",),
    "role": ("角色", "身份"),
    "at_home": ("居家",),
    "home_group": ("居家小组",),
    "begin_date": ("开始日期", "begindate"),
    "end_date": ("结束日期", "enddate"),
    "pupil_id": ("学生编号",),
    "guardian_id": ("监护人编号",),
    "relation": ("关系",),
    "given_on": ("同意日期",),
    "given_by": ("同意人",),
    "withdrawn_at": ("撤回日期",),
}
REQUIRED: dict[Kind, tuple[str, ...]] = {
    "schools": ("school_id", "school_name"),
    "classes": ("class_id", "school_id", "class_name"),
    "people": ("person_id", "name"),
    "enrolments": ("person_id", "class_id", "role"),
    "guardians": ("pupil_id", "guardian_id"),
    "consents": ("person_id", "given_on", "given_by"),
}


class CsvProblem(Exception):
    """Something in a file, told in both languages. ``code`` is stable."""

    def __init__(self, code: str, zh: str, en: str, line: int = 0) -> None:
        super().__init__(code)
        self.code, self.zh, self.en, self.line = code, zh, en, line


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file and its cells by our column names."""

    line: int
    cells: dict[str, str]

    def get(self, name: str) -> str:
        """Returns a cell, empty when there is none."""
        return self.cells.get(name, "")


def decode(data: bytes) -> str:
    """Returns a file's text.

    Raises:
        CsvProblem: neither UTF-8 nor GB18030.
    """
    if len(data) > MAX_BYTES:
        raise CsvProblem("file_too_large", "文件超过 50 MB。", "The file is larger than 50 MB.")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CsvProblem(
        "encoding_unknown",
        "无法识别文字编码，请另存为 UTF-8 的 CSV。",
        "Neither UTF-8 nor GB18030; save the file as CSV UTF-8.",
    )


@dataclass(frozen=True, slots=True)
class Table:
    """What a table has. ``columns``: our name -> headers that mean it besides, the first Chinese;
    ``required``: of them, those it must have."""

    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]
    max_rows: int = MAX_ROWS

    def rows(self, data: bytes) -> Iterator[Row]:
        """Yields the rows of a file.

        Raises:
            CsvProblem: the file cannot be read on.
        """
        csv.field_size_limit(MAX_FIELD)
        reader = csv.reader(io.StringIO(decode(data), newline=""), strict=True)
        try:
            names = self._names(next(reader, []))
            line = reader.line_num + 1
            for count, cells in enumerate(reader):
                if count >= self.max_rows:
                    raise CsvProblem(
                        "too_many_rows",
                        f"超过 {self.max_rows} 行，请分成几个文件。",
                        f"More than {self.max_rows} rows; split the file.",
                        line,
                    )
                if any(cell.strip() for cell in cells):
                    pairs = zip(names, cells, strict=False)
                    yield Row(
                        line, {name: cell.strip() for name, cell in pairs if name is not None}
                    )
                line = reader.line_num + 1
        except csv.Error as error:
            raise CsvProblem(
                "csv_malformed",
                "这一行的引号或内容有误，后面的行没有读。",
                f"Quotes or contents are malformed ({error}); what follows was not read.",
                reader.line_num,
            ) from error

    def _names(self, header: list[str]) -> list[str | None]:
        by_header = {name: name for name in self.columns} | {
            alias: name for name, aliases in self.columns.items() for alias in aliases
        }
        names = [by_header.get(cell.strip().lower()) for cell in header]
        missing = [name for name in self.required if name not in names]
        if missing:
            zh = "、".join(self.columns[name][0] for name in missing)
            raise CsvProblem(
                "column_missing", f"缺少列：{zh}。", f"Columns missing: {', '.join(missing)}.", 1
            )
        return names


def rows(kind: Kind, data: bytes) -> Iterator[Row]:
    """Yields the rows of a file of a roster.

    Raises:
        CsvProblem: the file cannot be read on.
    """
    return Table(_COLUMNS, REQUIRED[kind]).rows(data)
