"""The library's entries in SQL: taking in, changing, finding again (shell; calls block).

The same plain SQL runs on SQLite and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from twinclass_recordings.library.access import Rights, Viewer, Visibility, may
from twinclass_recordings.library.index import MAX_POINTS
from twinclass_recordings.library.models import (
    DESCRIPTION_CHARS,
    NAME_CHARS,
    TITLE_CHARS,
    WORD_CHARS,
    Attachment,
    Entry,
    EntrySchool,
    Member,
    Play,
    Position,
    Rating,
)
from twinclass_signaling.roles import Role

Sessions = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recorded lesson brings into the library."""

    id: str
    lesson: str
    title: str
    subtitle: str
    taught_at: datetime
    duration_s: float
    bytes: int
    lead_id: str
    lead_name: str
    schools: tuple[str, ...] = ()
    school_name: str = ""
    subject: str = ""
    grade: str = ""
    state: str = "ready"
    has_cover: bool = False
    keep_until: date | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was cut."""

    id: str
    title: str
    duration_s: float
    bytes: int
    has_cover: bool = False


#: What a clip has of its lesson.
_INHERITED = (
    *("lesson", "subject", "grade", "edition", "points", "lead_id", "lead_name"),
    *("school_name", "visibility", "taught_at"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """New metadata; None: as it is."""

    title: str | None = None
    subtitle: str | None = None
    description: str | None = None
    subject: str | None = None
    grade: str | None = None
    edition: str | None = None
    points: tuple[str, ...] | None = None
    visibility: Visibility | None = None


@dataclass(slots=True)
class Shelf:
    """``sessions``: opens a transaction."""

    sessions: Sessions
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    # ---- taking in and changing

    def take(self, recorded: Recorded) -> None:
        """Puts a recorded lesson into the library, or brings it up to date."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == recorded.id))
            now = self.now()
            if entry is None:
                entry = Entry(id=recorded.id, lesson=recorded.lesson, created_at=now, points=[])
                entry.title = recorded.title[:TITLE_CHARS]
                entry.subtitle = recorded.subtitle[:TITLE_CHARS]
                entry.subject = recorded.subject[:WORD_CHARS]
                entry.grade = recorded.grade[:WORD_CHARS]
                entry.keep_until = recorded.keep_until
                session.add(entry)
            entry.lead_id, entry.lead_name = recorded.lead_id, recorded.lead_name[:NAME_CHARS]
            entry.school_name = recorded.school_name[:NAME_CHARS]
            entry.taught_at, entry.duration_s = recorded.taught_at, recorded.duration_s
            entry.bytes, entry.state = recorded.bytes, recorded.state
            entry.has_cover = recorded.has_cover
            entry.updated_at = now
            session.flush()
            session.execute(delete(EntrySchool).where(EntrySchool.entry == entry.key))
            session.add_all(EntrySchool(entry=entry.key, school=s) for s in set(recorded.schools))

    def add_clip(self, source: Entry, clip: Clip) -> bool:
        """Puts a clip into the library: what is said of its lesson is said of it. It is kept.

        False: its lesson was deleted meanwhile, and there is no clip.
        """
        with self.sessions() as session:
            if session.scalar(select(Entry.key).where(Entry.id == source.id)) is None:
                return False
            now = self.now()
            entry = Entry(
                **{name: getattr(source, name) for name in _INHERITED},
                id=clip.id, kind="clip", source=source.id, title=clip.title[:TITLE_CHARS],
                subtitle=source.title, duration_s=clip.duration_s, bytes=clip.bytes,
                has_cover=clip.has_cover, state="ready", created_at=now, updated_at=now,
            )  # fmt: skip
            session.add(entry)
            session.flush()
            schools = select(EntrySchool.school).where(EntrySchool.entry == source.key)
            session.add_all(
                EntrySchool(entry=entry.key, school=school) for school in session.scalars(schools)
            )
            return True

    def change(self, identifier: str, change: Change) -> None:
        """Changes what is said of an entry; nothing when there is none."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is None:
                return
            for name in ("title", "subtitle", "subject", "grade", "edition", "visibility"):
                value = getattr(change, name)
                if value is not None:
                    setattr(entry, name, value)
            if change.description is not None:
                entry.description = change.description[:DESCRIPTION_CHARS]
            if change.points is not None:
                entry.points = list(dict.fromkeys(filter(None, change.points)))[:MAX_POINTS]
            entry.updated_at = self.now()
            session.flush()

    def set_state(self, identifier: str, state: str) -> None:
        """Notes how far an entry's media is."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is not None:
                entry.state, entry.updated_at = state, self.now()

    def in_state(self, state: str) -> list[str]:
        """Returns the entries whose media is so far, oldest first."""
        with self.sessions() as session:
            query = select(Entry.id).where(Entry.state == state).order_by(Entry.taught_at)
            return list(session.scalars(query))

    def past(self, today: date) -> list[str]:
        """Returns the entries whose media is to be deleted: its last day is over."""
        with self.sessions() as session:
            query = select(Entry.id).where(Entry.keep_until < today).order_by(Entry.keep_until)
            return list(session.scalars(query))

    def is_past(self, identifier: str, today: date) -> bool:
        """Tells whether an entry's media is to be deleted."""
        with self.sessions() as session:
            query = select(Entry.key).where(Entry.id == identifier, Entry.keep_until < today)
            return session.scalar(query) is not None

    def keep(self, identifier: str, until: date | None) -> None:
        """Sets the last day of an entry's media; None: it is kept."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is not None:
                entry.keep_until, entry.updated_at = until, self.now()

    def remove(self, identifier: str) -> None:
        """Forgets an entry and all that hangs on it."""
        with self.sessions() as session:
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            if key is not None:
                hanging = (
                    EntrySchool,
                    Position,
                    Play,
                    Rating,
                    Attachment,
                    Member,
                )
                for table in hanging:
                    session.execute(delete(table).where(table.entry == key))
                session.execute(delete(Member).where(Member.package == key))
                session.execute(delete(Entry).where(Entry.key == key))

    # ---- reading

    def get(self, viewer: Viewer, identifier: str) -> tuple[Entry, Rights] | None:
        """Returns an entry that somebody may see; None: there is none for them."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is None:
                return None
            rights = rights_of(session, entry)
        return (entry, rights) if may(viewer, "see", rights) else None

    def of_lesson(self, lesson: str) -> list[str]:
        """Returns the recordings of a lesson, newest first."""
        with self.sessions() as session:
            query = select(Entry.id).where(Entry.lesson == lesson).order_by(Entry.taught_at.desc())
            return list(session.scalars(query))

    def lesson_of(self, identifier: str) -> str | None:
        """Returns the lesson of a recording."""
        with self.sessions() as session:
            return session.scalar(select(Entry.lesson).where(Entry.id == identifier))

    # ---- where somebody stopped

    def stopped_at(self, viewer: str, identifier: str, position_s: float) -> None:
        """Notes where somebody is."""
        with self.sessions() as session:
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            if key is None:
                return
            known = session.get(Position, (key, viewer))
            if known is None:
                known = Position(entry=key, viewer=viewer)
                session.add(known)
            known.position_s, known.updated_at = position_s, self.now()


def rights_of(session: Session, entry: Entry) -> Rights:
    """Returns what decides about an entry."""
    schools = session.scalars(select(EntrySchool.school).where(EntrySchool.entry == entry.key))
    visibility: Any = entry.visibility
    return Rights(entry.lesson, entry.lead_id, frozenset(schools), visibility, entry.id)


def visible(viewer: Viewer) -> list[ColumnElement[bool]]:
    """Returns ``access.may`` to see, as SQL."""
    if viewer.entry:
        return [Entry.id == viewer.entry]
    if viewer.lesson:
        return [Entry.lesson == viewer.lesson]
    if viewer.role in (Role.OPERATOR, Role.LIBRARIAN):
        return []
    if viewer.role is not Role.LEAD:
        return [Entry.key < 0]
    of_school = select(EntrySchool.entry).where(EntrySchool.school.in_(viewer.schools))
    return [
        or_(
            Entry.visibility == "city",
            Entry.lead_id == viewer.subject,
            and_(Entry.visibility == "school", Entry.key.in_(of_school)),
        )
    ]
