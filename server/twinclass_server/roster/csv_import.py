"""CSV rows into the tables: one transaction, the same file twice changes nothing."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from twinclass_server.roster import models
from twinclass_server.roster.csv_bundle import Bundle
from twinclass_server.roster.csv_file import ORDER, CsvProblem, Kind, Row, rows
from twinclass_server.roster.database import Database
from twinclass_signaling.lesson.plan import ID_PATTERN

#: More than a person reads; the count says how many there are.
MAX_ERRORS = 500
#: Rows of one statement, and between two steps of progress.
_BATCH = 2000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ROLES = {
    "pupil": "pupil", "student": "pupil", "学生": "pupil",
    "teacher": "teacher", "老师": "teacher", "教师": "teacher",
}  # fmt: skip
_YES = {"1", "y", "yes", "true", "是", "居家"}
_NO = {"", "0", "n", "no", "false", "否"}

Values = dict[str, Any]
Progress = Callable[[Kind, int], None]


class RowError(Struct, frozen=True):
    """A row that was left out, and why."""

    file: Kind
    line: int
    code: str
    zh: str
    en: str


class FileReport(Struct):
    """What became of one file's rows."""

    file: Kind
    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    errors: int = 0


class ImportReport(Struct):
    """What became of an import. ``errors`` holds the first ``MAX_ERRORS``."""

    dry_run: bool
    files: list[FileReport]
    errors: list[RowError]
    seconds: float = 0.0


class _DryRun(Exception):
    pass


def import_bundle(
    database: Database,
    bundle: Bundle,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _kind, _rows: None,
) -> ImportReport:
    """Imports; rows with errors are left out and told, all others come in together.

    Raises:
        Unavailable: the database is away; nothing was changed.
    """
    begun = datetime.now(UTC)
    report = ImportReport(dry_run, [], [])
    try:
        with database.session() as session:
            importer = _Import(session, report, begun, progress)
            for kind in ORDER:
                if kind in bundle:
                    importer.read(kind, bundle[kind])
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    report.seconds = round((datetime.now(UTC) - begun).total_seconds(), 2)
    return report


@dataclass(slots=True)
class _Target:
    """One table, as it is and as it becomes."""

    table: Table
    keys: tuple[str, ...]
    #: Key -> the row's values.
    known: dict[tuple[Any, ...], Values]
    inserts: list[Values] = field(default_factory=list)
    updates: list[Values] = field(default_factory=list)
    #: Keys this file has named, and the line of each.
    seen: dict[tuple[Any, ...], int] = field(default_factory=dict)


class _Import:
    def __init__(
        self, session: Session, report: ImportReport, now: datetime, progress: Progress
    ) -> None:
        self._session = session
        self._report = report
        self._now = now
        self._progress = progress
        self._ids: dict[str, dict[str, str]] = {}

    def read(self, kind: Kind, data: bytes) -> None:
        file = FileReport(kind)
        self._report.files.append(file)
        target = self._target(kind)
        # People's files of schools carry the class in the same row.
        enrolments = self._target("enrolments") if kind == "people" else None
        convert = getattr(self, f"_{kind}")
        try:
            for row in rows(kind, data):
                file.read += 1
                try:
                    values = convert(row)
                    enrolment = self._inline(row) if enrolments is not None else None
                    is_new, is_changed = self._put(target, values, row.line)
                    if enrolments is not None and enrolment is not None:
                        enrolment["person_id"] = self._reference(
                            "people", values["sourced_id"], row
                        )
                        _, also = self._put(enrolments, enrolment, row.line)
                        is_changed = is_changed or also
                    file.created += is_new
                    file.changed += is_changed and not is_new
                    file.unchanged += not is_new and not is_changed
                except CsvProblem as problem:
                    self._note(file, row.line, problem)
                if file.read % _BATCH == 0:
                    self._progress(kind, file.read)
        except CsvProblem as problem:
            self._note(file, problem.line, problem)
        self._flush(target)
        if enrolments is not None:
            self._flush(enrolments)
        self._progress(kind, file.read)

    def _note(self, file: FileReport, line: int, problem: CsvProblem) -> None:
        file.errors += 1
        if len(self._report.errors) < MAX_ERRORS:
            error = RowError(file.file, line, problem.code, problem.zh, problem.en)
            self._report.errors.append(error)

    # ---- rows of each file -------------------------------------------------------------------

    def _schools(self, row: Row) -> Values:
        return self._sourced(row, "school_id") | {"name": _text(row, "school_name")}

    def _classes(self, row: Row) -> Values:
        return self._sourced(row, "class_id") | {
            "school_id": self._reference("schools", row.get("school_id"), row),
            "name": _text(row, "class_name"),
            "grade": _text(row, "grade", needed=False),
        }

    def _people(self, row: Row) -> Values:
        school = row.get("school_id")
        return self._sourced(row, "person_id") | {
            "name": _text(row, "name"),
            "school_id": self._reference("schools", school, row) if school else None,
        }

    def _enrolments(self, row: Row) -> Values:
        return self._enrolment(row) | {
            "person_id": self._reference("people", row.get("person_id"), row)
        }

    def _guardians(self, row: Row) -> Values:
        return {
            "pupil_id": self._reference("people", row.get("pupil_id"), row),
            "guardian_id": self._reference("people", row.get("guardian_id"), row),
            "relation": _text(row, "relation", needed=False),
        }

    def _consents(self, row: Row) -> Values:
        given = _day(row, "given_on")
        if given is None:
            raise _bad_cell("given_on", "empty")
        return {
            "person_id": self._reference("people", row.get("person_id"), row),
            "given_on": given,
            "given_by": _text(row, "given_by"),
            "withdrawn_at": _day(row, "withdrawn_at"),
        }

    def _inline(self, row: Row) -> Values | None:
        return self._enrolment(row) if row.get("class_id") else None

    def _enrolment(self, row: Row) -> Values:
        role = _ROLES.get((row.get("role") or "pupil").lower())
        if role is None:
            raise CsvProblem("role_unknown", "角色应为 学生 或 教师。", "role: pupil or teacher.")
        at_home = row.get("at_home").lower()
        if at_home not in _YES | _NO:
            raise CsvProblem("home_unknown", "居家应为 是 或 否。", "at_home: yes or no.")
        group = row.get("home_group")
        if group and re.fullmatch(ID_PATTERN, group) is None:
            raise CsvProblem(
                "group_malformed",
                "居家小组应为不超过 64 位的字母和数字。",
                "home_group: letters and digits, at most 64.",
            )
        return {
            "class_id": self._reference("classes", row.get("class_id"), row),
            "role": role,
            "at_home": at_home in _YES,
            "home_group": group or None,
            "begin_date": _day(row, "begin_date"),
            "end_date": _day(row, "end_date"),
            "status": "active",
        }

    def _sourced(self, row: Row, column: str) -> Values:
        sourced = _text(row, column, limit=models.SOURCED_CHARS)
        return {"sourced_id": sourced, "status": "active"}

    def _reference(self, kind: Kind, sourced: str, row: Row) -> str:
        found = self._known_ids(kind).get(sourced)
        if found is None:
            zh = {"schools": "学校", "classes": "班级", "people": "人员"}[kind]
            raise CsvProblem(
                "reference_unknown",
                f"没有编号为“{sourced[:40]}”的{zh}。",
                f"No such id in {kind}: {sourced[:40]!r}.",
                row.line,
            )
        return found

    # ---- tables --------------------------------------------------------------------------------

    def _known_ids(self, kind: Kind) -> dict[str, str]:
        found = self._ids.get(kind)
        if found is None:
            table = _TABLES[kind][0]
            query = select(table.c.sourced_id, table.c.id)
            found = self._ids[kind] = {row[0]: row[1] for row in self._session.execute(query)}
        return found

    def _target(self, kind: Kind) -> _Target:
        table, keys = _TABLES[kind]
        known: dict[tuple[Any, ...], Values] = {}
        for found in self._session.execute(select(table)).mappings():
            values = dict(found)
            known[tuple(values[key] for key in keys)] = values
        return _Target(table, keys, known)

    def _put(self, target: _Target, values: Values, line: int) -> tuple[bool, bool]:
        key = tuple(values[name] for name in target.keys)
        if key in target.seen:
            raise CsvProblem(
                "duplicate",
                f"与第 {target.seen[key]} 行重复。",
                f"The same as line {target.seen[key]}.",
            )
        target.seen[key] = line
        old = target.known.get(key)
        if old is None:
            if "sourced_id" in values:
                values["id"] = secrets.token_hex(8)
                self._known_ids(_KIND_OF[target.table.name])[values["sourced_id"]] = values["id"]
            target.inserts.append(values | {"date_last_modified": self._now})
            return True, False
        if all(old[name] == value for name, value in values.items()):
            return False, False
        target.updates.append(values | {"date_last_modified": self._now})
        return False, True

    def _flush(self, target: _Target) -> None:
        table = target.table
        for start in range(0, len(target.inserts), _BATCH):
            self._session.execute(insert(table), target.inserts[start : start + _BATCH])
        if target.updates:
            where = [table.c[name] == bindparam(f"key_{name}") for name in target.keys]
            changes = [
                {f"key_{n}" if n in target.keys else n: v for n, v in values.items()}
                for values in target.updates
            ]
            names = [name for name in target.updates[0] if name not in target.keys]
            query = update(table).where(*where).values({n: bindparam(n) for n in names})
            self._session.connection().execute(query, changes)


def _table(model: type[models.Base]) -> Table:
    found = model.__table__
    assert isinstance(found, Table)
    return found


_TABLES: dict[Kind, tuple[Table, tuple[str, ...]]] = {
    "schools": (_table(models.School), ("sourced_id",)),
    "classes": (_table(models.SchoolClass), ("sourced_id",)),
    "people": (_table(models.Person), ("sourced_id",)),
    "enrolments": (_table(models.Enrolment), ("person_id", "class_id")),
    "guardians": (_table(models.Guardian), ("pupil_id", "guardian_id")),
    "consents": (_table(models.RecordingConsent), ("person_id", "given_on")),
}
_KIND_OF: dict[str, Kind] = {table.name: kind for kind, (table, _) in _TABLES.items()}


def _bad_cell(column: str, why: str) -> CsvProblem:
    zh = {"empty": "不能为空", "long": "太长", "control": "含有控制字符", "date": "应为 2026-09-01"}
    en = {
        "empty": "must not be empty", "long": "is too long",
        "control": "has control characters", "date": "must be like 2026-09-01",
    }  # fmt: skip
    return CsvProblem(f"cell_{why}", f"“{column}”{zh[why]}。", f"{column} {en[why]}.")


def _text(row: Row, column: str, *, needed: bool = True, limit: int = models.NAME_CHARS) -> str:
    """A cell as it stands: what looks like a formula or markup is text like any other."""
    text = row.get(column)
    if needed and not text:
        raise _bad_cell(column, "empty")
    if len(text) > limit:
        raise _bad_cell(column, "long")
    if _CONTROL.search(text):
        raise _bad_cell(column, "control")
    return text


def _day(row: Row, column: str) -> date | None:
    text = row.get(column)
    if not text:
        return None
    try:
        year, month, day = re.split(r"[-/.]", text)
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise _bad_cell(column, "date") from error
