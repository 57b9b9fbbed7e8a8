"""Reports as safeguarding officers keep them, and the rule of two that opens a recording."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from twinclass_server.desk.content import models
from twinclass_server.desk.content.audit import Audit, Doer
from twinclass_server.desk.content.openings import Approval, opening
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person
from twinclass_signaling.errors import Conflict, Forbidden

MAX_LISTED = 500
#: A word is no reason.
MIN_REASON_CHARS = 4


class Report(Struct, frozen=True):
    """A report as the desk knows it; told again whenever something of it has changed."""

    desk: str
    evening: str
    case: int
    reporter: str
    at: datetime
    reporter_role: str = ""
    session: int | None = None
    question: int | None = None
    tutor: str = ""
    taken_by: str = ""
    late: bool = False
    outcome: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None


class Given(Struct, frozen=True):
    """An approval that counts now. ``name``: as the roster has it, or empty."""

    officer: str
    name: str
    at: datetime
    reason: str


class Logged(Struct, frozen=True):
    """What somebody did with a case. ``name``: as the roster has it, or empty."""

    at: datetime
    person: str
    name: str
    action: str


class KeptCase(Struct, frozen=True):
    """A report with how its recording stands. ``n`` is its number for ever, ``report.case`` that
    of its evening."""

    n: int
    report: Report
    approvals: tuple[Given, ...]
    open_until: datetime | None
    log: tuple[Logged, ...]


class Cases:
    """Calls block."""

    def __init__(self, database: Database, audit: Audit, now: Callable[[], datetime]) -> None:
        self._database = database
        self._audit = audit
        self._now = now

    def put(self, report: Report) -> None:
        """Takes a report in, or its new state."""
        with self._database.session() as session:
            row = _find(session, report)
            if row is None:
                row = models.CaseFile(
                    desk=report.desk, evening=report.evening, case=report.case,
                    reporter=report.reporter, reporter_role=report.reporter_role, at=report.at,
                )  # fmt: skip
                session.add(row)
            row.session, row.question, row.tutor = report.session, report.question, report.tutor
            row.taken_by, row.late, row.outcome = report.taken_by, report.late, report.outcome
            row.closed_by, row.closed_at = report.closed_by, report.closed_at

    def all(self, desk: str) -> list[KeptCase]:
        """Returns the reports of a desk, newest first."""
        query = (
            select(models.CaseFile)
            .where(models.CaseFile.desk == desk)
            .order_by(models.CaseFile.key.desc())
            .limit(MAX_LISTED)
        )
        with self._database.session() as session:
            rows = session.scalars(query).all()
            return [self._kept(session, row) for row in rows]

    def approve(self, doer: Doer, number: int, reason: str) -> KeptCase:
        """An officer agrees that the recording is opened; the second one's word opens it.

        Raises:
            Conflict: ``report_unknown``, ``reason_needed``, ``recording_unknown`` (it is about no
                session), ``approved_already`` (it takes another officer).
        """
        if len(reason.strip()) < MIN_REASON_CHARS:
            raise Conflict("reason_needed", "请写明理由。", "Say why.")
        with self._database.session() as session:
            row = self._case(session, doer.desk, number)
            if row.session is None:
                raise _no_recording()
            # Two at once are two officers all the same: approvals are read in their order.
            if any(one.officer == doer.person for one in self._kept(session, row).approvals):
                raise Conflict(
                    "approved_already",
                    "您已同意，还需要另一位安全负责人同意。",
                    "You have agreed; it takes another officer.",
                )
            session.add(
                models.CaseApproval(
                    case=row.key, officer=doer.person, reason=reason.strip(), at=self._now()
                )
            )
            self._audit.add(session, doer, "case_approved", _name(row), reason.strip())
            session.flush()
            return self._kept(session, row)

    def open(self, doer: Doer, number: int) -> KeptCase:
        """Returns a case whose recording may be looked at now, after writing down who does.

        Raises:
            Conflict: ``report_unknown``, ``recording_unknown``.
            Forbidden: ``not_approved``.
        """
        with self._database.session() as session:
            row = self._case(session, doer.desk, number)
            if row.session is None:
                raise _no_recording()
            kept = self._kept(session, row)
            if kept.open_until is None:
                raise Forbidden(
                    "not_approved",
                    "需要两位安全负责人同意后才能打开录像。",
                    "Two officers must agree before a recording is opened.",
                )
            self._audit.add(session, doer, "recording_opened", _name(row))
            return kept

    def is_held(self, desk: str, evening: str, session_number: int) -> bool:
        """Tells whether what was recorded of a session must be kept whatever its age: a report
        about it is open or was escalated."""
        query = select(models.CaseFile.key).where(
            models.CaseFile.desk == desk,
            models.CaseFile.evening == evening,
            models.CaseFile.session == session_number,
            models.CaseFile.outcome.in_(["", "escalated"]),
        )
        with self._database.session() as session:
            return session.scalars(query.limit(1)).first() is not None

    def _case(self, session: Session, desk: str, number: int) -> models.CaseFile:
        row = session.get(models.CaseFile, number, with_for_update=True)
        if row is None or row.desk != desk:
            raise Conflict("report_unknown", "没有这个报告。", "There is no such report.")
        return row

    def _kept(self, session: Session, row: models.CaseFile) -> KeptCase:
        query = select(models.CaseApproval).where(models.CaseApproval.case == row.key)
        given = session.scalars(query.order_by(models.CaseApproval.key)).all()
        stands = opening([Approval(one.officer, one.at) for one in given], self._now())
        # The last word of an officer is the one that counts in the present round.
        counting = {one.officer: one for one in given if one.officer in stands.officers}
        lines = select(models.AuditLine).where(models.AuditLine.about == _name(row))
        done = session.scalars(lines.order_by(models.AuditLine.key)).all()
        people = {*counting, *(line.actor for line in done)}
        named = select(Person.id, Person.name).where(Person.id.in_(people))
        names = dict(session.execute(named).all())
        return KeptCase(
            row.key,
            _report(row),
            tuple(
                Given(one.officer, names.get(one.officer, ""), one.at, one.reason)
                for one in counting.values()
            ),
            stands.until,
            tuple(Logged(one.at, one.actor, names.get(one.actor, ""), one.act) for one in done),
        )


def _report(row: models.CaseFile) -> Report:
    return Report(
        row.desk, row.evening, row.case, row.reporter, row.at, row.reporter_role, row.session,
        row.question, row.tutor, row.taken_by, row.late, row.outcome, row.closed_by,
        row.closed_at,
    )  # fmt: skip


def _find(session: Session, report: Report) -> models.CaseFile | None:
    return session.scalar(
        select(models.CaseFile).where(
            models.CaseFile.desk == report.desk,
            models.CaseFile.evening == report.evening,
            models.CaseFile.case == report.case,
        )
    )


def _name(row: models.CaseFile) -> str:
    return f"case/{row.key}"


def _no_recording() -> Conflict:
    return Conflict("recording_unknown", "没有录像。", "There is no recording.")
