"""Course packages: several lessons, clips and files under one title (shell; calls block).

A package is an entry without media of its own. It shows of its members what its viewer may see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from twinclass_recordings.library.access import Viewer
from twinclass_recordings.library.models import NAME_CHARS, TITLE_CHARS, Entry, EntrySchool, Member
from twinclass_recordings.library.shelf import Sessions, visible

#: A term of one subject; the page shows them all.
MAX_MEMBERS = 60


@dataclass(frozen=True, slots=True)
class NewPackage:
    """A package to be made. ``lead``: whose it is; ``schools``: for whom it may be opened."""

    id: str
    title: str
    lead_id: str
    lead_name: str = ""
    school_name: str = ""
    schools: frozenset[str] = frozenset()


@dataclass(slots=True)
class Packages:
    """``sessions``: opens a transaction."""

    sessions: Sessions

    def add(self, viewer: Viewer, package: NewPackage, members: Sequence[str]) -> None:
        """Makes a package of entries that its maker may see; others are left out."""
        with self.sessions() as session:
            now = datetime.now(UTC)
            entry = Entry(
                id=package.id, kind="package", lesson="", title=package.title[:TITLE_CHARS],
                lead_id=package.lead_id, lead_name=package.lead_name[:NAME_CHARS],
                school_name=package.school_name[:NAME_CHARS], points=[], taught_at=now,
                duration_s=0.0, created_at=now, updated_at=now,
            )  # fmt: skip
            session.add(entry)
            session.flush()
            session.add_all(
                EntrySchool(entry=entry.key, school=school) for school in package.schools
            )
            self._put(session, viewer, entry, members)
            first = session.scalar(
                select(Entry)
                .join(Member, Member.entry == Entry.key)
                .where(Member.package == entry.key)
                .order_by(Member.position)
            )
            if first is not None:
                entry.subject, entry.grade, entry.edition = (
                    first.subject, first.grade, first.edition,
                )  # fmt: skip

    def put(self, viewer: Viewer, identifier: str, members: Sequence[str]) -> None:
        """Gives a package these members, in this order."""
        with self.sessions() as session:
            entry = session.scalar(select(Entry).where(Entry.id == identifier))
            if entry is not None and entry.kind == "package":
                self._put(session, viewer, entry, members)
                entry.updated_at = datetime.now(UTC)

    def _put(self, session: Session, viewer: Viewer, entry: Entry, members: Sequence[str]) -> None:
        wanted = list(dict.fromkeys(members))[:MAX_MEMBERS]
        query = select(Entry.id, Entry.key, Entry.duration_s).where(
            Entry.id.in_(wanted), Entry.kind != "package", *visible(viewer)
        )
        found = {row.id: row for row in session.execute(query)}
        kept = [found[one] for one in wanted if one in found]
        session.execute(delete(Member).where(Member.package == entry.key))
        session.add_all(
            Member(package=entry.key, entry=row.key, position=position)
            for position, row in enumerate(kept)
        )
        entry.duration_s = sum(row.duration_s for row in kept)
        session.flush()
