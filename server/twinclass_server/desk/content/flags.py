"""Texts that were blocked: kept for moderators, never shown to the other person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import select

from twinclass_server.desk.content import keeping, models
from twinclass_server.desk.content.media import Author
from twinclass_server.roster.database import Database
from twinclass_signaling.desk import words
from twinclass_signaling.desk.words import Found
from twinclass_signaling.errors import Conflict

#: A moderator's page; the oldest first, so nothing is missed for good.
MAX_LISTED = 100
#: A text longer than may be sent is kept by its beginning: what was found is in there.
_KEPT_CHARS = words.MAX_CHARS


class TextBlocked(Conflict):
    """A text may not be sent. ``found``: what is in it, and where."""

    def __init__(self, refused: Conflict, found: Sequence[Found]) -> None:
        super().__init__(refused.code, refused.zh, refused.en)
        self.found = tuple(found)


class Flagged(Struct, frozen=True):
    """A blocked text as a moderator sees it."""

    n: int
    evening: str
    author: str
    role: str
    text: str
    found: list[dict[str, Any]]
    at: datetime


class Flags:
    """Screens texts. Calls block."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def screen(self, author: Author, text: str) -> None:
        """Lets a text pass, or keeps it for moderators.

        Raises:
            TextBlocked: ``text_blocked``.
            Conflict: ``text_too_long``; that is no matter for moderators.
        """
        try:
            words.refuse(text)
        except Conflict as error:
            if error.code != "text_blocked":
                raise
            found = words.find(text)
            self._keep(author, text, found)
            raise TextBlocked(error, found) from error

    def _keep(self, author: Author, text: str, found: Sequence[Found]) -> None:
        now = self._now()
        with self._database.session() as session:
            session.add(
                models.Flag(
                    desk=author.desk, evening=author.evening, author=author.person,
                    role=author.role, text=text[:_KEPT_CHARS],
                    found=[[one.kind, one.start, one.end] for one in found],
                    at=now, keep_until=now + keeping.FLAGGED,
                )
            )  # fmt: skip

    def unseen(self, desk: str) -> list[Flagged]:
        """Returns the blocked texts of a desk that no moderator has looked at, oldest first."""
        query = (
            select(models.Flag)
            .where(models.Flag.desk == desk, models.Flag.looked_at.is_(None))
            .order_by(models.Flag.key)
            .limit(MAX_LISTED)
        )
        with self._database.session() as session:
            return [
                Flagged(
                    row.key, row.evening, row.author, row.role, row.text,
                    [{"kind": kind, "start": start, "end": end} for kind, start, end in row.found],
                    row.at,
                )
                for row in session.scalars(query)
            ]  # fmt: skip

    def look(self, desk: str, number: int, moderator: str) -> None:
        """Notes that a moderator has seen one.

        Raises:
            Conflict: ``flag_unknown``.
        """
        with self._database.session() as session:
            row = session.get(models.Flag, number)
            if row is None or row.desk != desk:
                raise Conflict("flag_unknown", "没有这条记录。", "There is no such text.")
            row.looked_at, row.looked_by = self._now(), moderator
