"""The tables. Columns ``sourced_id``, ``status`` and ``date_last_modified`` mean what OneRoster
1.2 says, so that it can fill the same tables later; ``id`` is our own and opaque.

Alembic writes them; ``alembic check`` in the tests compares both.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Date,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    String,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

#: As the longest texts of a lesson's plan.
NAME_CHARS = 120
ID_CHARS = 64
#: OneRoster asks for 255 for a sourcedId.
SOURCED_CHARS = 255


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
    """All tables, with names for constraints that both databases keep."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, date: Date}  # noqa: RUF012 - SQLAlchemy's own form


class Sourced:
    """What a row that came from a school's own system carries."""

    id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    sourced_id: Mapped[str] = mapped_column(String(SOURCED_CHARS), unique=True)
    status: Mapped[str] = mapped_column(String(16), default="active")
    date_last_modified: Mapped[datetime]


class School(Sourced, Base):
    """A school (OneRoster: org of type school)."""

    __tablename__ = "school"
    name: Mapped[str] = mapped_column(String(NAME_CHARS))


class SchoolClass(Sourced, Base):
    """A home class (OneRoster: class of type homeroom)."""

    __tablename__ = "school_class"
    school_id: Mapped[str] = mapped_column(ForeignKey("school.id"), index=True)
    name: Mapped[str] = mapped_column(String(NAME_CHARS))
    grade: Mapped[str] = mapped_column(String(NAME_CHARS), default="")


class Person(Sourced, Base):
    """Somebody (OneRoster: user). ``id`` goes into tokens, logs and recordings; the name not."""

    __tablename__ = "person"
    name: Mapped[str] = mapped_column(String(NAME_CHARS))
    school_id: Mapped[str | None] = mapped_column(ForeignKey("school.id"), index=True)


class Enrolment(Base):
    """A person in a class. ``at_home``: she usually takes part from home; ``home_group``: at the
    screen of this home group."""

    __tablename__ = "enrolment"
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    class_id: Mapped[str] = mapped_column(ForeignKey("school_class.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    at_home: Mapped[bool] = mapped_column(default=False)
    home_group: Mapped[str | None] = mapped_column(String(ID_CHARS))
    begin_date: Mapped[date | None]
    end_date: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(16), default="active")
    date_last_modified: Mapped[datetime]
    __table_args__ = (Index("ix_enrolment_class_id", "class_id"),)


class Guardian(Base):
    """Who answers for a pupil."""

    __tablename__ = "guardian"
    pupil_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    guardian_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    relation: Mapped[str] = mapped_column(String(NAME_CHARS), default="")
    date_last_modified: Mapped[datetime]


class RecordingConsent(Base):
    """A pupil may be recorded; a consent that was withdrawn stays, with the day of its end."""

    __tablename__ = "recording_consent"
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    given_on: Mapped[date] = mapped_column(primary_key=True)
    given_by: Mapped[str] = mapped_column(String(NAME_CHARS))
    withdrawn_at: Mapped[date | None]
    date_last_modified: Mapped[datetime]


class LessonRow(Base):
    """A lesson that was planned. What happens in it is in its event log, not here."""

    __tablename__ = "lesson"
    id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    title: Mapped[str] = mapped_column(String(NAME_CHARS))
    subject: Mapped[str] = mapped_column(String(NAME_CHARS), default="")
    starts_at: Mapped[datetime] = mapped_column(index=True)
    planned_minutes: Mapped[int]
    #: The staff member whose lesson it is; None: made by an operator for a lead without a record.
    lead_id: Mapped[str | None] = mapped_column(String(ID_CHARS), index=True)
    lead_name: Mapped[str] = mapped_column(String(NAME_CHARS), default="")
    #: Policy, phases and cues as ``PlannedPolicy`` and its neighbours.
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_by: Mapped[str] = mapped_column(String(ID_CHARS))
    created_at: Mapped[datetime]
    #: The live system knows it from then on.
    opened_at: Mapped[datetime | None]


class LessonClass(Base):
    """A class that takes part, in the order of the wall."""

    __tablename__ = "lesson_class"
    lesson_id: Mapped[str] = mapped_column(
        ForeignKey("lesson.id", ondelete="CASCADE"), primary_key=True
    )
    class_id: Mapped[str] = mapped_column(ForeignKey("school_class.id"), primary_key=True)
    position: Mapped[int]


class LessonStaff(Base):
    """Who else works in it: ``co_lead``, ``assistant`` (of a class) or ``observer``."""

    __tablename__ = "lesson_staff"
    lesson_id: Mapped[str] = mapped_column(
        ForeignKey("lesson.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    class_id: Mapped[str | None] = mapped_column(ForeignKey("school_class.id"))


class JoinLink(Base):
    """A link somebody was given; its id is in the token, so that it can be revoked."""

    __tablename__ = "join_link"
    id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    lesson_id: Mapped[str] = mapped_column(ForeignKey("lesson.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    #: The participant id: a person, a class or a home group.
    subject: Mapped[str] = mapped_column(String(ID_CHARS))
    room_id: Mapped[str | None] = mapped_column(String(ID_CHARS))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(index=True)


class RevokedLink(Base):
    """A link that must not work, kept also when its lesson was deleted."""

    __tablename__ = "revoked_link"
    id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    revoked_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SlideDocument(Base):
    """A PDF that was checked; the file is in the file store under this id."""

    __tablename__ = "slide_document"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    pages: Mapped[int]
    title: Mapped[str] = mapped_column(String(NAME_CHARS))
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]


class LessonSlides(Base):
    """A document that was uploaded to a lesson. The lesson may have no row: the demo's."""

    __tablename__ = "lesson_slides"
    lesson_id: Mapped[str] = mapped_column(String(ID_CHARS), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("slide_document.sha256"), primary_key=True)
    title: Mapped[str] = mapped_column(String(NAME_CHARS))
    added_at: Mapped[datetime]
