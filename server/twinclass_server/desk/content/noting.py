"""What is to last of an evening, written from the steps of its log, in their order.

The log alone is acknowledged; this follows it. Whatever dies in between, steps are told again, and
so everything here may be repeated: a help is paid once, a rating counted once, a report kept once.
``state`` is of after the steps, and later than each of them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from twinclass_recordings.library.plays import covered
from twinclass_server.desk.content import models
from twinclass_server.desk.content.audit import Doer
from twinclass_server.desk.content.cases import Report
from twinclass_server.desk.content.desk_content import DeskContent
from twinclass_server.desk.content.helps import HelpRecord
from twinclass_server.desk.content.ledger import Helped
from twinclass_server.desk.journal import DeskStep
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person
from twinclass_signaling.desk.commands import AskQuestion, CarryOver
from twinclass_signaling.desk.credits import Rating
from twinclass_signaling.desk.events import (
    BankAccepted,
    DeskEvent,
    QuestionAnswered,
    QuestionExpired,
    QuestionMerged,
    QuestionRated,
    QuestionReopened,
    QuestionResolved,
    QuestionWithdrawn,
)
from twinclass_signaling.desk.origins import moment_of
from twinclass_signaling.desk.plan import CaseNumber, QuestionId, SessionNumber
from twinclass_signaling.desk.questions import Question
from twinclass_signaling.desk.session_events import (
    CaseClosed,
    CaseLate,
    CaseTaken,
    MemberJoined,
    PatternFlagged,
    SafetyReported,
    SessionEnded,
    SessionStarted,
)
from twinclass_signaling.desk.state import DeskState, Session
from twinclass_signaling.errors import Conflict
from twinclass_signaling.ids import PersonId
from twinclass_signaling.roles import Role

logger = logging.getLogger(__name__)


class Noting:
    """Calls block."""

    def __init__(self, database: Database, content: DeskContent) -> None:
        self._database = database
        self._content = content

    def noted(self, desk: str, evening: str) -> int:
        """Returns the last step that was written, 0: none."""
        with self._database.session() as session:
            row = session.get(models.Noted, (desk, evening))
            return 0 if row is None else row.seq

    def note(
        self,
        desk: str,
        evening: str,
        state: DeskState,
        steps: Sequence[DeskStep],
        names: Mapping[PersonId, str] | None = None,
    ) -> None:
        """Writes what is to last of some steps; repeating them changes nothing. ``names``: of
        tutors who are in no roster, as their links have them.

        Raises:
            Unavailable: the database is away; what was written stays, the rest is told again.
        """
        if not steps:
            return
        called = names or {}

        def name(person: PersonId) -> str:
            return self._name(person) or called.get(person, "")

        pen = _Pen(self._content, name, desk, evening, state)
        for step in steps:
            try:
                pen.write(step.event, step.at)
            except Conflict as error:
                # Refused once is refused for ever: an evening's history must not stop there.
                logger.error("step %d of %s-%s: %s", step.seq, desk, evening, error)
        with self._database.session() as session:
            session.merge(models.Noted(desk=desk, evening=evening, seq=steps[-1].seq))

    def _name(self, person: str) -> str:
        with self._database.session() as session:
            query = select(Person.name).where(Person.id == person)
            return session.scalar(query) or ""


class _Pen:
    """Writes the steps of one evening."""

    def __init__(
        self,
        content: DeskContent,
        name: Callable[[PersonId], str],
        desk: str,
        evening: str,
        state: DeskState,
    ) -> None:
        self._content = content
        self._name = name
        self._desk = desk
        self._evening = evening
        self._state = state

    def write(self, event: DeskEvent, at: float) -> None:
        """Writes what is to last of one event."""
        match event:
            case QuestionResolved() | QuestionWithdrawn() | QuestionMerged() | BankAccepted():
                self._settle(event)
            case QuestionExpired():
                self._expired(event)
            case QuestionReopened():
                self._content.contents.unsettle(_references(self._question(event.question)))
            case QuestionAnswered():
                self._answered(event)
            case QuestionRated():
                self._rated(event)
            case SessionStarted() | MemberJoined():
                self._content.helps.put(self._record(self._state.sessions[event.session]))
            case SessionEnded():
                self._ended(event)
            case SafetyReported() | CaseTaken() | CaseLate():
                self._report(event.case)
            case CaseClosed():
                self._report(event.case, closed_by=event.actor, closed_at=at)
            case PatternFlagged():
                about = f"session/{self._desk}/{self._evening}/{event.session}"
                system = Doer("system", Role.OPERATOR, self._desk)
                note = f"{event.sessions} in seven days"
                self._content.audit.once(system, "pair_met_often", about, note)
            case _:
                pass

    # ---- questions

    def _question(self, number: QuestionId) -> Question:
        return self._state.questions[number]

    def _settle(
        self, event: QuestionResolved | QuestionWithdrawn | QuestionMerged | BankAccepted
    ) -> None:
        question = self._question(event.question)
        self._content.contents.settle(_references(question))
        if isinstance(event, QuestionResolved) and event.session is None and question.answer:
            self._content.bank_desk.propose(
                self._desk, question.subject, question.grade, question.points, question.content,
                question.answer, *_chapter(question.origin),
            )  # fmt: skip

    def _expired(self, event: QuestionExpired) -> None:
        question = self._question(event.question)
        if event.reason != "tomorrow":
            self._content.contents.settle(_references(question))
            return
        asked = AskQuestion(
            question.subject, question.content, question.kind, question.points, question.wish,
            question.shared, question.pick, question.origin,
        )  # fmt: skip
        fact = CarryOver(question.pupil, question.grade, asked, question.asked_at)
        self._content.carried.put(self._desk, self._evening, question.id, fact)

    def _answered(self, event: QuestionAnswered) -> None:
        question = self._question(event.question)
        helped = self._written(question, event.tutor)
        self._content.ledger.earn(helped)

    def _rated(self, event: QuestionRated) -> None:
        rating = Rating(event.understood, event.patient, event.again)
        self._content.ratings.note(self._desk, self._evening, event.question, event.tutor, rating)
        session = self._session_of(event.question, event.tutor)
        if session is None:
            self._content.ledger.rated(
                self._written(self._question(event.question), event.tutor), rating
            )
        elif session.kind == "one_to_one" and session.ended_at is not None:
            # One voice of thirty does not decide about a class.
            self._content.ledger.rated(self._helped(session), rating)

    def _session_of(self, question: QuestionId, tutor: str) -> Session | None:
        found = [
            session
            # The state goes on meanwhile, on another thread.
            for session in list(self._state.sessions.values())
            if session.tutor == tutor
            and any(member.question == question for member in list(session.members.values()))
        ]
        return found[-1] if found else None

    def _written(self, question: Question, tutor: str) -> Helped:
        return Helped(tutor, self._desk, self._evening, "written", question.id, question.subject)

    # ---- live help

    def _record(self, session: Session) -> HelpRecord:
        return HelpRecord(
            self._desk, self._evening, session.number, session.kind, session.tutor,
            self._name(session.tutor), session.subject, _moment(session.started_at),
            tuple(session.members), None if session.ended_at is None else _moment(session.ended_at),
        )  # fmt: skip

    def _ended(self, event: SessionEnded) -> None:
        session = self._state.sessions[event.session]
        self._content.helps.put(self._record(session))
        self._content.ledger.earn(self._helped(session))

    def _helped(self, session: Session) -> Helped:
        """Time without any pupil is no help."""
        ended = session.ended_at or session.started_at
        spans = [
            (member.joined_at - session.started_at, (member.left_at or ended) - session.started_at)
            for member in session.members.values()
        ]
        kind: Any = session.kind
        return Helped(
            session.tutor, self._desk, self._evening, kind, session.number, session.subject,
            covered(spans, ended - session.started_at),
        )  # fmt: skip

    # ---- reports

    def _report(
        self, number: CaseNumber, *, closed_by: str = "", closed_at: float | None = None
    ) -> None:
        case = self._state.cases[number]
        tutor = ""
        if case.session is not None:
            tutor = self._state.sessions[SessionNumber(case.session)].tutor
        elif case.question is not None:
            tutor = self._question(case.question).tutor or ""
        role = Role.TUTOR if case.reporter in self._state.tutors else Role.PUPIL
        self._content.cases.put(
            Report(
                self._desk, self._evening, case.number, case.reporter, _moment(case.at), role,
                case.session, case.question, tutor, case.moderator or "", case.late,
                # A closing is told with who did it: until then it is open.
                (case.outcome or "") if closed_at is not None else "", closed_by,
                None if closed_at is None else _moment(closed_at),
            )
        )  # fmt: skip


def _references(question: Question) -> list[str]:
    return [one for one in (question.content, question.answer) if one]


def _moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _chapter(origin: str | None) -> tuple[str, float]:
    """Returns the library's entry that a question comes from, and the second of it; a lesson that
    was not recorded is none, and the bank does not show it."""
    moment = None if origin is None else moment_of(origin)
    return ("", 0.0) if moment is None else (moment.id, float(moment.second or 0))
