"""Live help that was given: for guardians, and for the pairs that met often."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import func, select

from twinclass_server.desk.content import keeping, models
from twinclass_server.roster.database import Database
from twinclass_server.roster.models import Person

#: "More than twice a week": of any seven days, so that no Sunday lies between two weeks.
WEEK = timedelta(days=7)
#: Four children, every evening of 60 days, several times.
MAX_LISTED = 2000


class HelpRecord(Struct, frozen=True):
    """A session as the desk knows it; told again when somebody came in and when it has ended.
    ``pupils``: all who were in it."""

    desk: str
    evening: str
    session: int
    kind: str
    tutor: str
    tutor_name: str
    subject: str
    started_at: datetime
    pupils: tuple[str, ...]
    ended_at: datetime | None = None


class ChildHelped(Struct, frozen=True):
    """A session of one's child."""

    child: str
    child_name: str
    tutor_name: str
    subject: str
    kind: str
    started_at: datetime
    ended_at: datetime | None


class Helps:
    """Calls block."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def put(self, record: HelpRecord) -> None:
        """Takes a session in, or its new state."""
        with self._database.session() as session:
            row = session.scalar(
                select(models.Help).where(
                    models.Help.desk == record.desk,
                    models.Help.evening == record.evening,
                    models.Help.session == record.session,
                )
            )
            if row is None:
                row = models.Help(
                    desk=record.desk, evening=record.evening, session=record.session,
                    kind=record.kind, tutor=record.tutor, tutor_name=record.tutor_name,
                    subject=record.subject, started_at=record.started_at,
                    keep_until=record.started_at + keeping.HELPED,
                )  # fmt: skip
                session.add(row)
                session.flush()
            row.ended_at = record.ended_at
            query = select(models.HelpMember.pupil).where(models.HelpMember.help == row.key)
            known = set(session.scalars(query))
            session.add_all(
                models.HelpMember(help=row.key, pupil=pupil)
                for pupil in dict.fromkeys(record.pupils)
                if pupil not in known
            )

    def met_this_week(self, tutor: str, pupil: str) -> int:
        """Returns how often these two had a one_to_one in the last seven days; one that goes on
        is not counted."""
        query = (
            select(func.count())
            .select_from(models.Help)
            .join(models.HelpMember, models.HelpMember.help == models.Help.key)
            .where(
                models.Help.tutor == tutor,
                models.Help.kind == "one_to_one",
                models.Help.started_at > self._now() - WEEK,
                models.Help.ended_at.is_not(None),
                models.HelpMember.pupil == pupil,
            )
        )
        with self._database.session() as session:
            return int(session.scalar(query) or 0)

    def sessions_of(self, children: Collection[str]) -> set[tuple[str, str, int]]:
        """Returns (desk, evening, session) of all live help that any of some children had."""
        query = (
            select(models.Help.desk, models.Help.evening, models.Help.session)
            .join(models.HelpMember, models.HelpMember.help == models.Help.key)
            .where(models.HelpMember.pupil.in_(children))
        )
        with self._database.session() as session:
            return {(desk, evening, number) for desk, evening, number in session.execute(query)}

    def of_children(self, children: Sequence[str]) -> list[ChildHelped]:
        """Returns the live help of some pupils that is kept, newest first."""
        query = (
            select(models.Help, models.HelpMember.pupil, Person.name)
            .join(models.HelpMember, models.HelpMember.help == models.Help.key)
            .outerjoin(Person, Person.id == models.HelpMember.pupil)
            .where(
                models.HelpMember.pupil.in_(children),
                models.Help.started_at > self._now() - keeping.HELPED,
            )
            .order_by(models.Help.started_at.desc(), models.Help.key.desc())
            .limit(MAX_LISTED)
        )
        with self._database.session() as session:
            return [
                ChildHelped(
                    pupil, name or "", row.tutor_name, row.subject, row.kind, row.started_at,
                    row.ended_at,
                )
                for row, pupil, name in session.execute(query)
            ]  # fmt: skip
