"""The library's tables. They stand beside the roster's in the same database and point to it by id
only: a lesson stays when its school leaves the roster.

Alembic writes them; ``alembic check`` in the tests compares both.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, ForeignKey, Index, MetaData, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

TITLE_CHARS = 120
ID_CHARS = 80
NAME_CHARS = 120
WORD_CHARS = 40
DESCRIPTION_CHARS = 2000
VERSION_TABLE = "alembic_version_library"


class UtcTime(TypeDecorator[datetime]):
    """A moment. SQLite keeps no zone, so it is UTC there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Returns the moment in UTC."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, ANN401
        """Returns the moment with its zone."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of the library."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, date: Date}  # noqa: RUF012 - SQLAlchemy's own form


class Entry(Base):
    """A recorded lesson, a clip of one, or a package of several. Metadata after CELTS-42: subject,
    grade, edition of the textbook, knowledge points.

    ``id`` is the recording's; ``lesson`` the lesson's, which may be taught again under its id.
    ``source``: the recording a clip was cut from.
    """

    __tablename__ = "library_entry"
    key: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(ID_CHARS), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="lesson")
    lesson: Mapped[str] = mapped_column(String(ID_CHARS), index=True)
    source: Mapped[str] = mapped_column(String(ID_CHARS), default="", index=True)
    title: Mapped[str] = mapped_column(String(TITLE_CHARS))
    subtitle: Mapped[str] = mapped_column(String(TITLE_CHARS), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    subject: Mapped[str] = mapped_column(String(WORD_CHARS), default="")
    grade: Mapped[str] = mapped_column(String(WORD_CHARS), default="")
    edition: Mapped[str] = mapped_column(String(WORD_CHARS), default="")
    points: Mapped[list[str]] = mapped_column(JSON, default=list)
    lead_id: Mapped[str] = mapped_column(String(ID_CHARS), default="", index=True)
    lead_name: Mapped[str] = mapped_column(String(NAME_CHARS), default="")
    school_name: Mapped[str] = mapped_column(String(NAME_CHARS), default="")
    visibility: Mapped[str] = mapped_column(String(16), default="private")
    taught_at: Mapped[datetime]
    duration_s: Mapped[float]
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[str] = mapped_column(String(16), default="ready")
    has_cover: Mapped[bool] = mapped_column(default=False)
    plays: Mapped[int] = mapped_column(default=0)
    #: The media goes after this day; None: it was chosen to be kept.
    keep_until: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    __table_args__ = (
        Index("ix_library_entry_taught_at", "taught_at"),
        Index("ix_library_entry_updated_at", "updated_at"),
    )


class EntrySchool(Base):
    """A school whose classes took part."""

    __tablename__ = "library_entry_school"
    entry: Mapped[int] = mapped_column(
        ForeignKey("library_entry.key", ondelete="CASCADE"), primary_key=True
    )
    school: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True, index=True)


class Position(Base):
    """Where somebody stopped watching. ``viewer``: a pseudonym."""

    __tablename__ = "library_position"
    entry: Mapped[int] = mapped_column(
        ForeignKey("library_entry.key", ondelete="CASCADE"), primary_key=True
    )
    viewer: Mapped[str] = mapped_column(String(64), primary_key=True)
    position_s: Mapped[float]
    updated_at: Mapped[datetime]


class Play(Base):
    """What was watched, as it was told: never changed. ``view``: one opening of a page; ``group``:
    who counts as one a day, a class or a person; ``viewer``: the person. All are pseudonyms."""

    __tablename__ = "library_play"
    key: Mapped[int] = mapped_column(primary_key=True)
    entry: Mapped[int] = mapped_column(ForeignKey("library_entry.key", ondelete="CASCADE"))
    view: Mapped[str] = mapped_column(String(64), index=True)
    group: Mapped[str] = mapped_column(String(64))
    viewer: Mapped[str] = mapped_column(String(64), default="")
    school: Mapped[str] = mapped_column(String(ID_CHARS), default="")
    kind: Mapped[str] = mapped_column(String(16), default="staff")
    at: Mapped[datetime] = mapped_column(index=True)
    from_s: Mapped[float]
    to_s: Mapped[float]
    __table_args__ = (Index("ix_library_play_entry_at", "entry", "at"),)


class Rating(Base):
    """How many stars somebody gave, 1 to 5; the last word counts. ``viewer``: a pseudonym."""

    __tablename__ = "library_rating"
    entry: Mapped[int] = mapped_column(
        ForeignKey("library_entry.key", ondelete="CASCADE"), primary_key=True
    )
    viewer: Mapped[str] = mapped_column(String(64), primary_key=True)
    stars: Mapped[int]
    at: Mapped[datetime]


class Attachment(Base):
    """A file that belongs to an entry: a homework sample, a sheet of paper, a picture."""

    __tablename__ = "library_attachment"
    entry: Mapped[int] = mapped_column(
        ForeignKey("library_entry.key", ondelete="CASCADE"), primary_key=True
    )
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(TITLE_CHARS))
    media_type: Mapped[str] = mapped_column(String(40))
    bytes: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime]


class Member(Base):
    """An entry of a package, in the package's order."""

    __tablename__ = "library_member"
    package: Mapped[int] = mapped_column(
        ForeignKey("library_entry.key", ondelete="CASCADE"), primary_key=True
    )
    entry: Mapped[int] = mapped_column(
        ForeignKey("library_entry.key", ondelete="CASCADE"), primary_key=True, index=True
    )
    position: Mapped[int]
