"""Questions that come back next evening, with the place of their old second."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import select, update

from twinclass_server.desk.content import keeping, models
from twinclass_server.desk.content.contents import Contents
from twinclass_server.roster.database import Database
from twinclass_signaling.desk.commands import AskQuestion, CarryOver
from twinclass_signaling.ids import PersonId


class CarriedOver:
    """Calls block."""

    def __init__(self, database: Database, contents: Contents, now: Callable[[], datetime]) -> None:
        self._database = database
        self._contents = contents
        self._now = now

    def put(self, desk: str, evening: str, question: int, fact: CarryOver) -> None:
        """Keeps a question for the next evening; once, however often it is told."""
        row = models.Carried
        with self._database.session() as session:
            query = select(row.key).where(
                row.desk == desk, row.evening == evening, row.question == question
            )
            if session.scalar(query) is not None:
                return
            session.add(
                row(
                    desk=desk, evening=evening, question=question, pupil=fact.pupil,
                    grade=fact.grade, body=msgspec.to_builtins(fact.question),
                    asked_at=datetime.fromtimestamp(fact.asked_at, UTC),
                    keep_until=self._now() + keeping.CARRIED,
                )
            )  # fmt: skip
        self._contents.unsettle([fact.question.content])

    def waiting(self, desk: str, evening: str) -> list[tuple[int, CarryOver]]:
        """Returns (number, fact) of what earlier evenings left for this one, oldest first; what
        this one has taken already is among them, for a host that starts again."""
        row = models.Carried
        query = (
            select(row)
            .where(row.desk == desk, row.evening < evening, row.taken.in_(["", evening]))
            .order_by(row.asked_at, row.key)
        )
        with self._database.session() as session:
            return [
                (
                    one.key,
                    CarryOver(
                        PersonId(one.pupil),
                        one.grade,
                        msgspec.convert(one.body, AskQuestion),
                        one.asked_at.timestamp(),
                    ),
                )
                for one in session.scalars(query)
            ]

    def take(self, numbers: Iterable[int], evening: str) -> None:
        """Notes which evening has asked them again."""
        row = models.Carried
        with self._database.session() as session:
            session.execute(update(row).where(row.key.in_(list(numbers))).values(taken=evening))
