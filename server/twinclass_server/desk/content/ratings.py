"""What pupils say of help: three answers without a name, and texts that moderators let through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from twinclass_server.desk.content import keeping, models
from twinclass_server.desk.content.audit import Audit, Doer
from twinclass_server.desk.content.flags import Flags
from twinclass_server.desk.content.media import Author
from twinclass_server.desk.content.terms import term_of
from twinclass_server.roster.database import Database
from twinclass_signaling.desk import credits as rules
from twinclass_signaling.desk.credits import RatingSummary
from twinclass_signaling.errors import Conflict

MAX_LISTED = 100
#: A sentence or two.
MAX_CHARS = 200
#: Texts that a tutor is shown, newest first.
MAX_SHOWN = 20


class HeldText(Struct, frozen=True):
    """A text that waits for a moderator."""

    n: int
    evening: str
    question: int
    text: str
    at: datetime


class Ratings:
    """Calls block."""

    def __init__(
        self, database: Database, flags: Flags, audit: Audit, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._flags = flags
        self._audit = audit
        self._now = now

    def note(
        self, desk: str, evening: str, question: int, tutor: str, rating: rules.Rating
    ) -> None:
        """Notes three answers about a tutor's help, once. By whom, is not kept."""
        with self._database.session() as session:
            query = select(models.Rating.key).where(
                models.Rating.desk == desk,
                models.Rating.evening == evening,
                models.Rating.question == question,
                models.Rating.tutor == tutor,
            )
            if session.scalar(query) is None:
                session.add(
                    models.Rating(
                        desk=desk, evening=evening, question=question, tutor=tutor,
                        term=term_of(evening), understood=rating.understood,
                        patient=rating.patient, again=rating.again,
                    )
                )  # fmt: skip

    def summary(self, tutor: str, evening: str) -> RatingSummary | None:
        """Returns what a tutor may be shown of her ratings of a term; None with fewer than five."""
        with self._database.session() as session:
            return _summary(session, tutor, term_of(evening))

    def texts(self, tutor: str, evening: str) -> list[str]:
        """Returns the texts that a tutor may be shown, in the order of the alphabet, which says
        nothing of who wrote them; none with fewer than five ratings."""
        query = (
            select(models.RatingText.text)
            .where(models.RatingText.tutor == tutor, models.RatingText.state == "let_through")
            .order_by(models.RatingText.key.desc())
            .limit(MAX_SHOWN)
        )
        with self._database.session() as session:
            if _summary(session, tutor, term_of(evening)) is None:
                return []
            return sorted(session.scalars(query))

    def add_text(self, author: Author, question: int, tutor: str, text: str) -> None:
        """Holds a text for a moderator; once a question.

        Raises:
            TextBlocked: ``text_blocked``.
            Conflict: ``text_empty``, ``text_too_long``, ``already_rated``.
        """
        text = text.strip()
        if not text:
            raise Conflict("text_empty", "请先写几个字。", "Write something first.")
        if len(text) > MAX_CHARS:
            raise Conflict(
                "text_too_long", f"最多 {MAX_CHARS} 个字。", f"At most {MAX_CHARS} characters."
            )
        self._flags.screen(author, text)
        row = models.RatingText
        now = self._now()
        with self._database.session() as session:
            query = select(row.key).where(
                row.desk == author.desk,
                row.evening == author.evening,
                row.question == question,
                row.author == author.person,
            )
            if session.scalar(query) is not None:
                raise Conflict("already_rated", "已经评价过了。", "It has been rated.")
            session.add(
                row(
                    desk=author.desk, evening=author.evening, question=question,
                    author=author.person, tutor=tutor, text=text, at=now,
                    keep_until=now + keeping.RATING_TEXT,
                )
            )  # fmt: skip

    def held(self, desk: str) -> list[HeldText]:
        """Returns the texts that wait for a moderator of a desk, oldest first. Not whose they are,
        nor of whom: they are judged by what they say."""
        row = models.RatingText
        query = select(row).where(row.desk == desk, row.state == "held").order_by(row.key)
        with self._database.session() as session:
            return [
                HeldText(one.key, one.evening, one.question, one.text, one.at)
                for one in session.scalars(query.limit(MAX_LISTED))
            ]

    def review(self, doer: Doer, number: int, *, publish: bool) -> None:
        """A moderator lets a text through to the tutor, or not.

        Raises:
            Conflict: ``rating_unknown``.
        """
        with self._database.session() as session:
            row = session.get(models.RatingText, number, with_for_update=True)
            if row is None or row.desk != doer.desk or row.state != "held":
                raise Conflict("rating_unknown", "没有这条评价。", "There is no such rating.")
            row.state = "let_through" if publish else "refused"
            row.reviewed_by = doer.person
            self._audit.add(session, doer, "rating_text_reviewed", f"rating/{number}", row.state)


def _summary(session: Session, tutor: str, term: str) -> RatingSummary | None:
    query = select(models.Rating).where(models.Rating.tutor == tutor, models.Rating.term == term)
    return rules.summary(
        [rules.Rating(row.understood, row.patient, row.again) for row in session.scalars(query)]
    )
