"""The desk's tables. They stand beside the roster's in the same database and point to people by id
only: what was earned or reported stays when somebody leaves the roster.

``desk_credit`` and ``desk_audit`` are append-only, and not by good manners: triggers of the
migration refuse every UPDATE and DELETE.

Alembic writes them; the tests compare both.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from twinclass_server.roster.models import ID_CHARS, NAME_CHARS, UtcTime

VERSION_TABLE = "alembic_version_desk"
#: ``2026-11-25``.
EVENING_CHARS = 10
#: ``one_to_many``, ``duty_planner``: words of the protocol.
WORD_CHARS = 20
#: An id of the library, which are longer than ours.
LIBRARY_ID_CHARS = 80
SHA_CHARS = 64


class Base(DeclarativeBase):
    """All tables of the desk."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, date: Date}  # noqa: RUF012 - SQLAlchemy's own form


# ---- what was asked and answered ----------------------------------------------------------


class Content(Base):
    """What a question or an answer says. ``author`` is empty for what the bank has taken over:
    nothing there leads to a pupil. ``photos`` and ``voice`` are ids of media."""

    __tablename__ = "desk_content"
    id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    author: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    role: Mapped[str] = mapped_column(String(WORD_CHARS))
    text: Mapped[str] = mapped_column(Text)
    photos: Mapped[list[str]] = mapped_column(JSON, default=list)
    voice: Mapped[str | None] = mapped_column(String(ID_CHARS))
    created_at: Mapped[datetime]
    #: It goes after this; None: it is the bank's.
    keep_until: Mapped[datetime | None] = mapped_column(index=True)


class Media(Base):
    """A photo or a voice. The files are in the store by their hash; a file goes with the last row
    that has it. ``content``: what it belongs to, once; empty: it was uploaded and no more."""

    __tablename__ = "desk_media"
    id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    kind: Mapped[str] = mapped_column(String(WORD_CHARS))
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    owner: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    content: Mapped[str] = mapped_column(String(ID_CHARS), default="", index=True)
    sha256: Mapped[str] = mapped_column(String(SHA_CHARS), index=True)
    thumb_sha256: Mapped[str] = mapped_column(String(SHA_CHARS), default="", index=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int] = mapped_column(default=0)
    height: Mapped[int] = mapped_column(default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    created_at: Mapped[datetime]
    keep_until: Mapped[datetime | None] = mapped_column(index=True)


class Flag(Base):
    """A text that was blocked, for moderators. The other person has never seen it."""

    __tablename__ = "desk_flag"
    key: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    author: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    role: Mapped[str] = mapped_column(String(WORD_CHARS))
    text: Mapped[str] = mapped_column(Text)
    #: What was found: [kind, start, end].
    found: Mapped[list[list[Any]]] = mapped_column(JSON)
    at: Mapped[datetime]
    looked_at: Mapped[datetime | None]
    looked_by: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    keep_until: Mapped[datetime | None] = mapped_column(index=True)
    __table_args__ = (Index("ix_desk_flag_desk_looked_at", "desk", "looked_at"),)


class Carried(Base):
    """A question that comes back next evening. ``body``: the command ``question_ask`` of then;
    ``taken``: the evening that has it."""

    __tablename__ = "desk_carried"
    key: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    question: Mapped[int]
    pupil: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    grade: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    asked_at: Mapped[datetime]
    taken: Mapped[str] = mapped_column(String(EVENING_CHARS), default="")
    keep_until: Mapped[datetime | None] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("desk", "evening", "question"),)


# ---- the bank -----------------------------------------------------------------------------


class Point(Base):
    """A knowledge point: its id is in questions, its name on pages."""

    __tablename__ = "desk_point"
    id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    subject: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    name: Mapped[str] = mapped_column(String(NAME_CHARS))


class BankEntry(Base):
    """A question with its answer, for everybody once it is ``published``. ``question`` and
    ``answer`` are contents of the bank's own. ``chapter``: an entry of the library, and the second
    at which what helps is explained."""

    __tablename__ = "desk_bank_entry"
    key: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_CHARS), unique=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    subject: Mapped[str] = mapped_column(String(ID_CHARS))
    grade: Mapped[int]
    points: Mapped[list[str]] = mapped_column(JSON, default=list)
    question: Mapped[str] = mapped_column(String(ID_CHARS))
    answer: Mapped[str] = mapped_column(String(ID_CHARS))
    #: The answer it was made of, so that it is proposed once.
    source: Mapped[str | None] = mapped_column(String(ID_CHARS), unique=True)
    chapter: Mapped[str] = mapped_column(String(LIBRARY_ID_CHARS), default="")
    chapter_s: Mapped[float] = mapped_column(default=0.0)
    helpful: Mapped[int] = mapped_column(default=0)
    not_helpful: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(WORD_CHARS), index=True)
    reviewed_by: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)
    #: Until when it waits for a moderator; None: it is published.
    keep_until: Mapped[datetime | None] = mapped_column(index=True)


class BankVote(Base):
    """Whether an answer helped somebody; the last word counts. ``pupil``: a pseudonym."""

    __tablename__ = "desk_bank_vote"
    entry: Mapped[int] = mapped_column(
        ForeignKey("desk_bank_entry.key", ondelete="CASCADE"), primary_key=True
    )
    pupil: Mapped[str] = mapped_column(String(64), primary_key=True)
    helpful: Mapped[bool]


# ---- tutors -------------------------------------------------------------------------------


class Rating(Base):
    """What a pupil said of a help, 0 no, 1 partly, 2 yes. By whom, is not kept."""

    __tablename__ = "desk_rating"
    key: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    question: Mapped[int]
    tutor: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    term: Mapped[str] = mapped_column(String(EVENING_CHARS))
    understood: Mapped[int]
    patient: Mapped[int]
    again: Mapped[int]
    # A question that was reopened is rated once more, when another tutor has helped.
    __table_args__ = (UniqueConstraint("desk", "evening", "question", "tutor"),)


class RatingText(Base):
    """Free text beside a rating, ``held`` until a moderator lets it through."""

    __tablename__ = "desk_rating_text"
    key: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    question: Mapped[int]
    author: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    tutor: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(WORD_CHARS), default="held", index=True)
    reviewed_by: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    at: Mapped[datetime]
    keep_until: Mapped[datetime | None] = mapped_column(index=True)
    __table_args__ = (UniqueConstraint("desk", "evening", "question", "author"),)


class CreditTerm(Base):
    """Who has a ledger in a term: the row that a transaction locks while it reads the sum."""

    __tablename__ = "desk_credit_term"
    tutor: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    term: Mapped[str] = mapped_column(String(EVENING_CHARS), primary_key=True)


class Credit(Base):
    """A line of the ledger: written once, never changed. ``asked``: before the cap. ``ref``: what
    it is for; one line each, however often its closing is told. ``of``: the line taken back."""

    __tablename__ = "desk_credit"
    key: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_CHARS), unique=True)
    tutor: Mapped[str] = mapped_column(String(ID_CHARS))
    term: Mapped[str] = mapped_column(String(EVENING_CHARS))
    kind: Mapped[str] = mapped_column(String(WORD_CHARS))
    points: Mapped[int]
    asked: Mapped[int]
    reason: Mapped[str] = mapped_column(String(WORD_CHARS))
    of: Mapped[str | None] = mapped_column(String(ID_CHARS), unique=True)
    ref: Mapped[str] = mapped_column(String(200), unique=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS), default="")
    help: Mapped[str] = mapped_column(String(WORD_CHARS), default="")
    subject: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    seconds: Mapped[float] = mapped_column(default=0.0)
    by: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
    at: Mapped[datetime] = mapped_column(index=True)
    __table_args__ = (Index("ix_desk_credit_tutor_term", "tutor", "term"),)


class SchoolDistrict(Base):
    """The district that pays for a school's tutors."""

    __tablename__ = "desk_school_district"
    school: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    district: Mapped[str] = mapped_column(String(NAME_CHARS))


class DutyDay(Base):
    """A roster: of a weekday (``day`` is ``0`` to ``6``, Monday first) or of a date, which goes
    before. ``duties``: as ``plan.Duty``."""

    __tablename__ = "desk_duty_day"
    desk: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    day: Mapped[str] = mapped_column(String(EVENING_CHARS), primary_key=True)
    duties: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(ID_CHARS))


# ---- children -----------------------------------------------------------------------------


class Help(Base):
    """Live help that was given: who, what, when; nothing of what was said."""

    __tablename__ = "desk_help"
    key: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    session: Mapped[int]
    kind: Mapped[str] = mapped_column(String(WORD_CHARS))
    tutor: Mapped[str] = mapped_column(String(ID_CHARS))
    tutor_name: Mapped[str] = mapped_column(String(NAME_CHARS), default="")
    subject: Mapped[str] = mapped_column(String(ID_CHARS))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    keep_until: Mapped[datetime | None] = mapped_column(index=True)
    __table_args__ = (
        UniqueConstraint("desk", "evening", "session"),
        Index("ix_desk_help_tutor_started_at", "tutor", "started_at"),
    )


class HelpMember(Base):
    """A pupil in it."""

    __tablename__ = "desk_help_member"
    help: Mapped[int] = mapped_column(
        ForeignKey("desk_help.key", ondelete="CASCADE"), primary_key=True
    )
    pupil: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True, index=True)


class ConsentWord(Base):
    """What a guardian has said, in its order; the last word of a kind counts. ``version``: of the
    text that she agreed to."""

    __tablename__ = "desk_consent"
    key: Mapped[int] = mapped_column(primary_key=True)
    child: Mapped[str] = mapped_column(String(ID_CHARS))
    kind: Mapped[str] = mapped_column(String(WORD_CHARS))
    given: Mapped[bool]
    version: Mapped[str] = mapped_column(String(WORD_CHARS), default="")
    guardian: Mapped[str] = mapped_column(String(ID_CHARS))
    at: Mapped[datetime] = mapped_column(index=True)
    __table_args__ = (Index("ix_desk_consent_child_kind", "child", "kind"),)


class CaseFile(Base):
    """A report of an evening, as safeguarding officers keep it. While it is open, and after an
    escalation, what was recorded stays (``is_held``)."""

    __tablename__ = "desk_case"
    key: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS))
    case: Mapped[int]
    reporter: Mapped[str] = mapped_column(String(ID_CHARS))
    reporter_role: Mapped[str] = mapped_column(String(WORD_CHARS), default="")
    session: Mapped[int | None]
    question: Mapped[int | None]
    tutor: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    at: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    late: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[str] = mapped_column(String(WORD_CHARS), default="")
    closed_by: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    closed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("desk", "evening", "case"),)


class CaseApproval(Base):
    """An officer agrees that a recording is opened, and says why."""

    __tablename__ = "desk_case_approval"
    key: Mapped[int] = mapped_column(primary_key=True)
    case: Mapped[int] = mapped_column(ForeignKey("desk_case.key", ondelete="CASCADE"), index=True)
    officer: Mapped[str] = mapped_column(String(ID_CHARS))
    reason: Mapped[str] = mapped_column(String(NAME_CHARS))
    at: Mapped[datetime]


class Noted(Base):
    """Up to which step of an evening's log these tables say what it says."""

    __tablename__ = "desk_noted"
    desk: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    evening: Mapped[str] = mapped_column(String(EVENING_CHARS), primary_key=True)
    seq: Mapped[int]


class AuditLine(Base):
    """Who did what that must never be forgotten; written once, never changed."""

    __tablename__ = "desk_audit"
    key: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(ID_CHARS))
    role: Mapped[str] = mapped_column(String(WORD_CHARS))
    desk: Mapped[str] = mapped_column(String(ID_CHARS))
    act: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(String(200), default="")
