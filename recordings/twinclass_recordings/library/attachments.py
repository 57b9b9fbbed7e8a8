"""Files that belong to an entry: rows here, content in a file store (shell; calls block)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import delete, func, select

from twinclass_recordings.library.models import TITLE_CHARS, Attachment, Entry
from twinclass_recordings.library.shelf import Sessions

Kind = Literal["homework_sample", "paper", "picture"]
#: A page of paper for each tier and some pictures of work; more belongs in a package.
MAX_OF_ENTRY = 30


@dataclass(slots=True)
class Attachments:
    """``sessions``: opens a transaction."""

    sessions: Sessions

    def add(
        self, identifier: str, sha256: str, kind: Kind, title: str, media_type: str, size: int
    ) -> bool:
        """Notes a file of an entry; False: it has too many. The same file again is one."""
        with self.sessions() as session:
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            if key is None:
                return False
            query = select(func.count()).where(Attachment.entry == key)
            known = session.get(Attachment, (key, sha256))
            if known is None:
                if (session.scalar(query) or 0) >= MAX_OF_ENTRY:
                    return False
                known = Attachment(entry=key, sha256=sha256, added_at=datetime.now(UTC))
                session.add(known)
            known.kind, known.title = kind, title[:TITLE_CHARS]
            known.media_type, known.bytes = media_type, size
            return True

    def of(self, identifier: str) -> list[Attachment]:
        """Returns the files of an entry, oldest first."""
        query = (
            select(Attachment)
            .join(Entry, Entry.key == Attachment.entry)
            .where(Entry.id == identifier)
            .order_by(Attachment.added_at, Attachment.sha256)
        )
        with self.sessions() as session:
            return list(session.scalars(query))

    def find(self, identifier: str, sha256: str) -> Attachment | None:
        """Returns one file of an entry."""
        return next((one for one in self.of(identifier) if one.sha256 == sha256), None)

    def remove(self, identifier: str, sha256: str) -> bool:
        """Takes a file away from an entry; True: no entry has it any more."""
        with self.sessions() as session:
            key = session.scalar(select(Entry.key).where(Entry.id == identifier))
            session.execute(
                delete(Attachment).where(Attachment.entry == key, Attachment.sha256 == sha256)
            )
            left = select(func.count()).where(Attachment.sha256 == sha256)
            return not session.scalar(left)
