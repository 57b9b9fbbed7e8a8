"""How answers come into the bank: proposed, reviewed, imported, published, withdrawn (shell).

What is proposed is copied at once: the pupil's question and its photos go when their time is over,
and nothing in the bank leads back to her. A moderator reads both texts, may write them anew, and
decides whether the pupil's photo may go with them: children write their names on paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from twinclass_server.desk.content import keeping, models
from twinclass_server.desk.content.audit import Act, Audit, Doer
from twinclass_server.desk.content.bank import Bank
from twinclass_server.desk.content.contents import Contents, Said
from twinclass_server.desk.content.flags import Flags
from twinclass_server.desk.content.ids import new_id, pseudonym
from twinclass_server.desk.content.media import Author, Stored
from twinclass_server.roster.database import Database
from twinclass_signaling.desk import words
from twinclass_signaling.errors import Conflict
from twinclass_signaling.roles import Role

#: Answers that one moderator's page lists.
MAX_REVIEW = 50


class Proposal(Struct, frozen=True):
    """An answer that may go into the bank, as a moderator sees it."""

    n: int
    subject: str
    grade: int
    points: tuple[str, ...]
    question: Said
    answer: Said
    chapter: str
    chapter_s: float
    at: datetime


class Verdict(Struct, frozen=True):
    """What a moderator says of one; None: as it is."""

    publish: bool
    question_text: str | None = None
    answer_text: str | None = None
    points: tuple[str, ...] | None = None
    #: The pupil's photos go with it.
    question_photos: bool = False


class Imported(Struct, frozen=True):
    """A solved question of a school's own bank."""

    subject: str
    grade: int
    points: tuple[str, ...]
    question: str
    answer: str


class BankDesk:
    """Calls block. ``bank`` is told to look again at what a review has changed."""

    def __init__(
        self,
        database: Database,
        contents: Contents,
        flags: Flags,
        bank: Bank,
        audit: Audit,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._contents = contents
        self._flags = flags
        self._bank = bank
        self._audit = audit
        self._now = now

    def set_points(self, points: Sequence[tuple[str, str, str]]) -> None:
        """Takes knowledge points in, or their new names: (id, subject, name)."""
        with self._database.session() as session:
            for identifier, subject, name in points:
                session.merge(models.Point(id=identifier, subject=subject, name=name))

    def propose(
        self,
        desk: str,
        subject: str,
        grade: int,
        points: Sequence[str],
        question: str,
        answer: str,
        chapter: str = "",
        chapter_s: float = 0.0,
    ) -> int | None:
        """Puts a question and its answer (references) before the moderators; returns its number.
        None: it was proposed before, or one of them is gone."""
        said = self._contents.all([question, answer])
        if question not in said or answer not in said:
            return None
        now = self._now()
        until = now + keeping.PROPOSED
        with self._database.session() as session:
            query = select(models.BankEntry.key).where(models.BankEntry.source == answer)
            if session.scalar(query) is not None:
                return None
            row = models.BankEntry(
                id=new_id("b"), desk=desk, subject=subject, grade=grade, points=list(points),
                question=_copy(session, said[question], now, until),
                answer=_copy(session, said[answer], now, until),
                source=answer, chapter=chapter, chapter_s=chapter_s, state="proposed",
                created_at=now, updated_at=now, keep_until=until,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return row.key

    def proposals(self, desk: str) -> list[Proposal]:
        """Returns what waits for a moderator of a desk, oldest first."""
        query = (
            select(models.BankEntry)
            .where(models.BankEntry.desk == desk, models.BankEntry.state == "proposed")
            .order_by(models.BankEntry.key)
            .limit(MAX_REVIEW)
        )
        with self._database.session() as session:
            rows = session.scalars(query).all()
        said = self._contents.all([one for row in rows for one in (row.question, row.answer)])
        return [
            Proposal(
                row.key, row.subject, row.grade, tuple(row.points), said[row.question],
                said[row.answer], row.chapter, row.chapter_s,
                row.created_at,
            )
            for row in rows
            if row.question in said and row.answer in said
        ]  # fmt: skip

    def review(self, moderator: Author, number: int, verdict: Verdict) -> None:
        """A moderator publishes an answer or refuses it: then it goes with the next retention.

        Raises:
            Conflict: ``proposal_unknown``, ``bank_text_needed`` (nobody would find it),
                or as texts are refused.
        """
        for text in (verdict.question_text, verdict.answer_text):
            if text:
                self._flags.screen(moderator, text)
        now = self._now()
        with self._database.session() as session:
            row = session.get(models.BankEntry, number, with_for_update=True)
            if row is None or row.desk != moderator.desk or row.state != "proposed":
                raise Conflict(
                    "proposal_unknown", "这条不在待审列表里。", "Nobody waits for this review."
                )
            row.reviewed_by, row.updated_at = moderator.person, now
            doer = Doer(moderator.person, moderator.role, moderator.desk)
            act: Act = "bank_published" if verdict.publish else "bank_refused"
            self._audit.add(session, doer, act, f"bank/{row.id}")
            question = session.get_one(models.Content, row.question)
            answer = session.get_one(models.Content, row.answer)
            if not verdict.publish:
                row.state, row.keep_until = "refused", now
                _keep(session, (question, answer), now)
                return
            question.text = _chosen(verdict.question_text, question.text)
            answer.text = _chosen(verdict.answer_text, answer.text)
            if not question.text:
                raise Conflict(
                    "bank_text_needed",
                    "请把题目写成文字，否则搜不到。",
                    "Write the question down, or nobody finds it.",
                )
            if verdict.points is not None:
                row.points = list(verdict.points)
            row.state, row.keep_until = "published", None
            _keep(session, (question, answer), None)
            if not verdict.question_photos:
                dropped = models.Media.id.in_(question.photos or [""])
                for media in session.scalars(select(models.Media).where(dropped)):
                    media.keep_until, media.content = now, ""
                question.photos = []
        self._bank.refresh()

    def publish(self, author: Author, source: str, made: Imported) -> bool:
        """Puts a solved question into the bank without a review: it comes from an operator.

        ``source`` stands for both texts; returns False when it is there already. The index finds
        it with its next refresh.

        Raises:
            Conflict: ``bank_text_needed``, or as texts are refused.
        """
        if not made.question or not made.answer:
            raise Conflict(
                "bank_text_needed", "题目和解答都要有文字。", "Question and answer both need text."
            )
        for text in (made.question, made.answer):
            words.refuse(text)
        now = self._now()
        with self._database.session() as session:
            query = select(models.BankEntry.key).where(models.BankEntry.source == source)
            if session.scalar(query) is not None:
                return False
            contents = [new_id("c"), new_id("c")]
            for identifier, text, role in zip(
                contents, (made.question, made.answer), (Role.PUPIL, Role.TUTOR), strict=True
            ):
                session.add(
                    models.Content(
                        id=identifier, desk=author.desk, evening="", author="", role=role,
                        text=text, photos=[], voice=None, created_at=now, keep_until=None,
                    )
                )  # fmt: skip
            row = models.BankEntry(
                id=new_id("b"), desk=author.desk, subject=made.subject, grade=made.grade,
                points=list(made.points), question=contents[0], answer=contents[1], source=source,
                chapter="", chapter_s=0.0, state="published", reviewed_by=author.person,
                created_at=now, updated_at=now, keep_until=None,
            )  # fmt: skip
            session.add(row)
            doer = Doer(author.person, author.role, author.desk)
            self._audit.add(session, doer, "bank_published", f"bank/{row.id}")
        return True

    def withdraw(self, doer: Doer, identifier: str) -> None:
        """Takes an entry out of the bank; nothing when there is none."""
        now = self._now()
        with self._database.session() as session:
            row = session.scalar(select(models.BankEntry).where(models.BankEntry.id == identifier))
            if row is None or row.state != "published":
                return
            row.state, row.keep_until, row.updated_at = "withdrawn", now, now
            row.reviewed_by = doer.person
            self._audit.add(session, doer, "bank_withdrawn", f"bank/{identifier}")
            query = select(models.Content).where(models.Content.id.in_([row.question, row.answer]))
            _keep(session, session.scalars(query).all(), now)
        self._bank.refresh()

    def vote(self, identifier: str, pupil: str, *, helpful: bool) -> None:
        """Notes whether an answer helped a pupil; her last word counts.

        Raises:
            Conflict: ``bank_entry_unknown``.
        """
        key = self._bank.card(identifier).key
        name = pseudonym("bank", identifier, pupil)
        with self._database.session() as session:
            row = session.get(models.BankEntry, key, with_for_update=True)
            if row is None:
                return
            known = session.get(models.BankVote, (key, name))
            if known is None:
                session.add(models.BankVote(entry=key, pupil=name, helpful=helpful))
            else:
                known.helpful = helpful
            session.flush()
            query = (
                select(models.BankVote.helpful, func.count())
                .where(models.BankVote.entry == key)
                .group_by(models.BankVote.helpful)
            )
            counts = dict(session.execute(query).all())
            row.helpful, row.not_helpful = counts.get(True, 0), counts.get(False, 0)
            row.updated_at = self._now()


def _chosen(written: str | None, was: str) -> str:
    return was if written is None else written.strip()


def _copy(session: Session, said: Said, now: datetime, until: datetime) -> str:
    """The bank's own copy: same files, no owner."""
    identifier = new_id("c")
    for_bank = [_copy_media(session, one, identifier, said.desk, now, until) for one in said.photos]
    voice = said.voice
    session.add(
        models.Content(
            id=identifier, desk=said.desk, evening="", author="", role=said.role, text=said.text,
            photos=for_bank, created_at=now, keep_until=until,
            voice=voice and _copy_media(session, voice, identifier, said.desk, now, until),
        )
    )  # fmt: skip
    return identifier


def _copy_media(
    session: Session, stored: Stored, content: str, desk: str, now: datetime, until: datetime
) -> str:
    identifier = new_id("p" if stored.kind == "photo" else "v")
    session.add(
        models.Media(
            id=identifier, kind=stored.kind, desk=desk, evening="", owner="", content=content,
            sha256=stored.sha256, thumb_sha256=stored.thumb_sha256, bytes=0, width=stored.width,
            height=stored.height, seconds=stored.seconds, created_at=now, keep_until=until,
        )
    )  # fmt: skip
    return identifier


def _keep(session: Session, contents: Sequence[models.Content], until: datetime | None) -> None:
    for content in contents:
        content.keep_until = until
    query = select(models.Media).where(models.Media.content.in_([one.id for one in contents]))
    for media in session.scalars(query):
        media.keep_until = until
