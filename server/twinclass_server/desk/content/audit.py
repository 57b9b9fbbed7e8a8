"""The audit log: who opened, approved, consented, published, changed. Lines stay for ever; the
database itself refuses to change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from twinclass_server.desk.content import models
from twinclass_server.roster.database import Database

Act = Literal[
    "case_approved", "recording_opened", "consent_given", "consent_withdrawn", "bank_published",
    "bank_refused", "bank_withdrawn", "rating_text_reviewed", "flag_seen", "roster_changed",
    "districts_changed", "credits_exported", "pair_met_often",
]  # fmt: skip
_CHARS = 200
#: A page of it.
MAX_LISTED = 500


class Doer(Struct, frozen=True):
    """Who does something, and at which desk."""

    person: str
    role: str
    desk: str


class Done(Struct, frozen=True):
    """A line."""

    at: datetime
    actor: str
    role: str
    act: str
    about: str
    note: str


class Audit:
    """Calls block."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def add(self, session: Session, doer: Doer, act: Act, about: str, note: str = "") -> None:
        """Writes a line within the transaction of what is done: there is never one without the
        other."""
        session.add(
            models.AuditLine(
                at=self._now(), actor=doer.person, role=doer.role, desk=doer.desk, act=act,
                about=about[:_CHARS], note=note[:_CHARS],
            )
        )  # fmt: skip

    def note(self, doer: Doer, act: Act, about: str, note: str = "") -> None:
        """Writes a line of its own, before what it tells of is given out."""
        with self._database.session() as session:
            self.add(session, doer, act, about, note)

    def once(self, doer: Doer, act: Act, about: str, note: str = "") -> None:
        """Writes a line unless there is one of this about it."""
        line = models.AuditLine
        with self._database.session() as session:
            query = select(line.key).where(line.act == act, line.about == about)
            if session.scalars(query.limit(1)).first() is None:
                self.add(session, doer, act, about, note)

    def of(self, desk: str, about: str = "") -> list[Done]:
        """Returns the latest lines of a desk (about something), newest first."""
        line = models.AuditLine
        query = select(line).where(line.desk == desk).order_by(line.key.desc()).limit(MAX_LISTED)
        if about:
            query = query.where(line.about == about)
        with self._database.session() as session:
            return [
                Done(row.at, row.actor, row.role, row.act, row.about, row.note)
                for row in session.scalars(query)
            ]
